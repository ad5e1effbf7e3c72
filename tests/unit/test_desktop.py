"""Whether there is a browser to open a page in, and what happens when it is asked to."""

import sys
from pathlib import Path

import pytest

from cockpit.errors import UsageError
from cockpit.local.desktop import open_page, page_opener


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    for name in ("open", "xdg-open"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    ("platform", "environment", "found"),
    [
        ("linux", {"DISPLAY": ":0"}, "xdg-open"),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, "xdg-open"),
        ("linux", {}, None),
        ("linux", {"DISPLAY": ""}, None),
        ("linux", {"DISPLAY": ":10.0", "SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, None),
        ("darwin", {}, "open"),
        ("darwin", {"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, None),
    ],
)
def test_there_is_one_where_the_desktop_is_at_hand(
    programs: Path, platform: str, environment: dict[str, str], found: str | None
) -> None:
    opener = page_opener({"PATH": str(programs), **environment}, platform=platform)
    assert opener == (str(programs / found) if found else None)


def test_there_is_none_where_nothing_is_installed(tmp_path: Path) -> None:
    assert page_opener({"PATH": str(tmp_path), "DISPLAY": ":0"}, platform="linux") is None


async def test_what_fails_at_once_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as failed:
        await open_page(sys.executable, str(tmp_path / "no-such-script"))
    assert "exit code 2" in failed.value.detail
    with pytest.raises(UsageError):
        await open_page(str(tmp_path / "gone"), "http://127.0.0.1:1")
