"""Every real SDL is opened in the editor, looked at and closed without a changed byte."""

import os
import random
from pathlib import Path

import pytest

from cockpit.errors import UsageError
from cockpit.operations.sdl_editor.desk import Desk, opened
from cockpit.operations.sdl_editor.files import OpenFile
from tests.ui.screen import assert_sound
from tests.ui.sdl_editor import SMALL, sdl_editor

FEW = 16
ENDINGS = (".yaml", ".yml")
ODD = {
    "crlf": b"version: '2.0'\r\nservices:\r\n  web:\r\n    image: a:1\r\n",
    "mark": b"\xef\xbb\xbfversion: '2.0'\n",
    "mark-crlf": b"\xef\xbb\xbfversion: '2.0'\r\nservices: {}\r\n",
    "no-end": b"version: '2.0'\nservices:\n  web: {image: 'a:1'}",
    "mixed": b"a: 1\r\nb: 2\nc: 3\rd: 4\n\n\r\n",
    "separators": "a: 'x\u2028y\u2029z\x85w\x0bv\x0cu'\nb: \x1b[2J\n".encode(),
    "empty": b"",
    "blank": b"\n\n",
    "tabs": b"a:\n\tb: 1\n",
    "broken": b"a: [\n",
}


def corpus() -> list[Path]:
    folder = Path(os.environ.get("RAYAKASH_SHARED", Path(__file__).parents[3] / "shared")) / "corpus"
    return sorted(path for path in folder.rglob("*") if path.suffix in ENDINGS and path.is_file())


async def looked_at(paths: list[Path]) -> list[Path]:
    """Open one after the other, scroll through both sides, and save; those that are text."""
    seen = []
    async with sdl_editor(size=SMALL) as editor:
        driver, pane = editor.driver, editor.pane
        for path in paths:
            before = path.read_bytes()
            try:
                pane.desk.lay(opened(path))
            except UsageError:  # a text of another encoding, or none: nothing to edit
                continue
            pane.show_desk()
            await editor.ready()
            for key in ("end", "ctrl+t", "pagedown"):
                await driver.pilot.press(key)
            pane.text.scroll_end(animate=False)
            await driver.pause()
            assert_sound(driver.app)
            assert pane.text.document.lines == pane.desk.session.rows()
            pane.show_side("form")
            assert not pane.desk.is_dirty
            assert pane.desk.session.text.encode() == before
            OpenFile.save(pane.desk.file, pane.desk.session.text)
            assert path.read_bytes() == before
            pane.desk.clear()
            seen.append(path)
    return seen


def copies(files: list[Path], folder: Path) -> list[Path]:
    """Copies that may be written to."""
    made = []
    for number, path in enumerate(files):
        copy = folder / f"{number}-{path.name}"
        copy.write_bytes(path.read_bytes())
        made.append(copy)
    return made


async def test_odd_files_are_opened_scrolled_and_saved_without_a_changed_byte(tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.yaml" for name in ODD]
    for path, data in zip(paths, ODD.values(), strict=True):
        path.write_bytes(data)
    assert await looked_at(paths) == paths


@pytest.mark.usefixtures("shared")
async def test_real_files_are_opened_scrolled_and_saved_without_a_changed_byte(tmp_path: Path) -> None:
    files = corpus()
    some = random.Random(5).sample(files, FEW)
    assert len(await looked_at(copies(some, tmp_path))) >= FEW // 2


@pytest.mark.slow
@pytest.mark.usefixtures("shared")
async def test_every_real_file_is_opened_scrolled_and_saved_without_a_changed_byte(tmp_path: Path) -> None:
    files = corpus()
    assert len(await looked_at(copies(files, tmp_path))) >= 0.9 * len(files)


@pytest.mark.usefixtures("shared")
def test_every_real_file_is_the_same_after_typing_and_undoing() -> None:
    for path in corpus():
        desk = Desk()
        try:
            desk.file = OpenFile.read(path)
        except UsageError:
            continue
        session = desk.session
        session.load(desk.file.text)
        rows = session.row_count
        for row in range(0, rows, max(1, rows // 7)):
            session.type((row, 0), (row, 0), "x")
            session.type((row, 1), (row, 1), "\n")
        while session.undo() is not None:
            pass
        assert session.text.encode() == path.read_bytes()
        assert not session.is_dirty
