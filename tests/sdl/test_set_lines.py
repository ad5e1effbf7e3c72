"""`sdl set` of texts with line breaks: they stay lines, and folded texts stay folded."""

from pathlib import Path

import pytest
import yaml

from cockpit.operations.sdl_editor.commands import set_value
from cockpit.operations.sdl_editor.spellings import Spellings
from cockpit.sdl.document import SdlDocument

SDL = """\
services:
  web:
    image: nginx:1.27.0
    env:
      - GREETING=hello
    command: [sh, -c]
    args:
      - |
        set -e
        exec nginx
      - >-
        folded text that
        goes over
        three lines
"""


def changed(path: str, value: str, text: str = SDL) -> str:
    document = SdlDocument(text)
    set_value(document, path, value)
    return document.text


@pytest.mark.parametrize("value", ["set -e\necho two\nexec nginx", "set -e\n\necho two\n", "a: 1\nb: 2", "a # b\n- c"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("services.web.args.0", ("args", 0)),
        ("services.web.args.1", ("args", 1)),
        ("services.web.image", ("image",)),
        ("services.web.command.0", ("command", 0)),
    ],
)
def test_lines_stay_lines(path: str, where: tuple[str | int, ...], value: str, newline: str) -> None:
    text = changed(path, value, SDL.replace("\n", newline))
    found = yaml.safe_load(text)["services"]["web"]
    for step in where:
        found = found[step]
    assert found == value
    assert newline == "\n" or "\n" not in text.replace("\r\n", "")


def test_lines_become_a_literal_block_with_the_indentation_of_the_old_one() -> None:
    assert "      - |-\n        set -e\n        echo two\n      - >-" in changed(
        "services.web.args.0", "set -e\necho two"
    )
    assert "      - |\n        set -e\n        echo two\n      - >-" in changed(
        "services.web.args.0", "set -e\necho two\n"
    )
    assert "    image: |-\n      a\n      b\n    env:" in changed("services.web.image", "a\nb")
    env = changed("services.web.env.GREETING", "a\nb")
    assert yaml.safe_load(env)["services"]["web"]["env"] == ["GREETING=a\nb"]
    assert "      - |-\n" in env


def test_a_folded_text_stays_folded_at_its_width() -> None:
    text = changed("services.web.args.1", "folded text that goes over four lines now")
    assert text.endswith("      - >-\n        folded text that\n        goes over four\n        lines now\n")
    assert changed("services.web.args.1", "folded text that goes over three lines", text).count("\n") == SDL.count("\n")


def test_what_is_quoted_is_still_yaml() -> None:
    text = changed("services.web.image", "'a\n  b'")
    assert yaml.safe_load(text)["services"]["web"]["image"] == "a b"


def test_a_null_comes_back() -> None:
    before = SDL.replace("    args:", "    credentials:\n    args:")
    text = changed("services.web.credentials", "null", changed("services.web.credentials", "x", before))
    assert text == before.replace("credentials:", "credentials: null")


WRAPPED = """\
services:
  web:
    image: nginx:1.27.0
    command:
      - a plain text that
        somebody has wrapped

        by hand
      - "a quoted one
        goes on here"
      - 'and a
         single one'
    args:
      - >
        folded text that

        goes over
          more lines
      - |+
        set -e
        exec nginx

    env:
      - "TOKEN=a secret
        in two lines"
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("away", ["x", "two\nlines"])
@pytest.mark.parametrize(
    "path", [f"services.web.{key}" for key in ("command.0", "command.1", "command.2", "args.0", "args.1", "image")]
)
def test_a_text_that_was_wrapped_by_hand_comes_back_byte_for_byte(
    path: str, away: str, newline: str, tmp_path: Path
) -> None:
    before = WRAPPED.replace("\n", newline)
    old = str(SdlDocument(before).get(path))
    text = before
    for value in (away, old):
        document, spelling = SdlDocument(text), Spellings(tmp_path / "lab.yaml", path, directory=tmp_path)
        set_value(document, path, value, raw=True, spelling=spelling)
        spelling.keep()
        text = document.text
    assert text == before


def test_no_secret_is_kept_for_the_way_back(tmp_path: Path) -> None:
    spelling = Spellings(tmp_path / "lab.yaml", "services.web.env.TOKEN", directory=tmp_path)
    set_value(SdlDocument(WRAPPED), "services.web.env.TOKEN", "other", spelling=spelling)
    spelling.keep()
    assert list(tmp_path.iterdir()) == []


def test_a_note_that_cannot_be_read_costs_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "sdl-spellings.json").write_text("{")
    spelling = Spellings(tmp_path / "lab.yaml", "services.web.command.0", directory=tmp_path)
    document = SdlDocument(WRAPPED)
    set_value(document, "services.web.command.0", "x", spelling=spelling)
    spelling.keep()
    assert document.get("services.web.command.0") == "x"
