"""`help`: each page can be read, and the templates name one that there is."""

import re

import pytest

from cockpit.cli.help import PAGES
from cockpit.cli.main import run
from cockpit.sdl.templates import all_templates


def test_topics_and_pages(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["help"]) == 0
    listed = [line.split()[0] for line in capfd.readouterr().out.splitlines()]
    assert "sdl" in listed
    assert listed == sorted(path.stem for path in PAGES.glob("*.md"))
    for topic in listed:
        assert run(["help", topic]) == 0
        assert capfd.readouterr().out == (PAGES / f"{topic}.md").read_text()
    assert run(["help", "nothing"]) == 2
    assert "Use " in capfd.readouterr().err


def test_templates_name_a_page_that_there_is() -> None:
    for template in all_templates():
        named = re.findall(r"rayakash-tui help (\w+)", template.text)
        assert named == ["sdl"]
        assert (PAGES / f"{named[0]}.md").is_file()
