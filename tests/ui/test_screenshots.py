"""The pictures in `screenshots/` are what the cockpit shows: made anew, they are the same."""

import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from screenshots.compare import differences, installed
from screenshots.make import DEPLOY, HERE, SHOTS, in_utc, pictures


@pytest.fixture
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", os.environ.get("TZ", ""))
    in_utc()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_utc")
async def test_the_committed_pictures_are_those_that_are_made_now() -> None:
    made = {name: svg async for name, svg in pictures()}
    assert set(made) == set(SHOTS)
    different = [name for name, svg in made.items() if svg != (HERE / f"{name}.svg").read_text()]
    assert different == [], "look at what has changed, then: make screenshots"


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_no_picture_is_missing_or_left_over(kind: str) -> None:
    assert {path.stem for path in HERE.glob(f"*.{kind}")} == {*SHOTS, DEPLOY}


@pytest.mark.parametrize("path", sorted(HERE.glob("*.svg")), ids=lambda path: path.stem)
def test_pictures_are_of_shapes_alone(path: Path) -> None:
    """No text, font or style that a program would draw in its own way, and nothing from elsewhere."""
    text = path.read_text()
    found = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(text).iter()}
    assert found <= {"svg", "title", "defs", "path", "rect", "circle", "g", "use"}
    assert set(re.findall(r"https?://[^\"]+", text)) <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_the_recording_of_the_terminal_can_be_played_and_is_small() -> None:
    """An asciicast 2: a header, then what was written and when."""
    path = HERE / "tour.cast"
    head, *events = map(json.loads, path.read_text().splitlines())
    assert (head["version"], head["width"], head["height"]) == (2, 120, 34)
    times = [at for at, kind, _ in events if kind == "o"]
    assert len(times) == len(events)
    assert times == sorted(times)
    assert 30 < times[-1] < 90
    text = "".join(text for _, _, text in events)
    assert "REPLAY" in text
    assert "slope" in text
    assert path.stat().st_size < 400_000


@pytest.mark.slow
@pytest.mark.skipif(len(installed()) < 2, reason="takes two of Chromium, rsvg-convert and Inkscape")
@pytest.mark.parametrize("name", ["overview", "log"])
def test_programs_draw_a_picture_alike(name: str) -> None:
    assert shutil.which("rsvg-convert") or shutil.which("inkscape")
    for program, found in differences(HERE / f"{name}.svg").items():
        assert not found.is_seen, f"{program}: {found}"
