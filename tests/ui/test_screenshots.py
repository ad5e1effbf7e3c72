"""The pictures in `screenshots/` are what the cockpit shows: made anew, they have the same texts and styles."""

import os
import re
import time
from collections.abc import Iterator

import pytest

from screenshots.make import HERE, SCENES, in_utc, pictures


@pytest.fixture
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", os.environ.get("TZ", ""))
    in_utc()
    yield
    monkeypatch.undo()
    time.tzset()


def normalised(svg: str) -> list[str]:
    """The lines of a picture without the ids that Textual makes up."""
    return re.sub(r"terminal-\d+", "terminal", svg).splitlines()


@pytest.mark.usefixtures("_utc")
async def test_the_committed_pictures_are_those_that_are_made_now() -> None:
    made = {name: svg async for name, svg in pictures()}
    assert set(made) == set(SCENES)
    different = [
        name for name, svg in made.items() if normalised(svg) != normalised((HERE / f"{name}.svg").read_text())
    ]
    assert different == [], "look at what has changed, then: make screenshots"


def test_no_picture_is_left_over() -> None:
    assert {path.stem for path in HERE.glob("*.svg")} == set(SCENES)
