"""`sdl edit`: what it says where there is no screen, and of what is no text."""

from pathlib import Path

import pytest

from cockpit.cli import cockpit as door
from tests.sdl.conftest import Sdl


def test_without_a_terminal_it_says_what_to_use_instead(sdl: Sdl, small: Path) -> None:
    done = sdl("edit", small)
    assert done.code == 2
    assert "The editor needs a terminal." in done.err
    assert "sdl set" in done.err


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x7fELF\x00\xff", "is not valid UTF-8"),
        (b"a: 1\nb: \x00\n", "Line 2 has a NUL"),
        (b"a" * (9 << 20), "larger than 8 MB"),
    ],
)
def test_what_is_no_text_is_told_before_the_screen_is_taken(
    sdl: Sdl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, said: str
) -> None:
    monkeypatch.setattr(door, "has_screen", lambda: True)
    path = tmp_path / "binary.yaml"
    path.write_bytes(data)
    done = sdl("edit", path)
    assert done.code == 2
    assert said in done.err
    assert done.out == ""
