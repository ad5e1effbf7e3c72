"""The README and the pages of `help`: short, linked, and naming only what there is."""

import json
import re
from pathlib import Path

import pytest

from cockpit.cli.command_tree import commands_of
from cockpit.cli.help import PAGES
from cockpit.cli.main import build_parser
from tests import json_checks, json_shapes
from tests.pages import pages
from tests.wire.commands import here, home

__all__ = ["home"]

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
NAMES = sorted(path.stem for path in PAGES.glob("*.md"))
TREE = list(commands_of(build_parser()))
COMMANDS = {command.path[0] for command in TREE if command.path}


def words_of_commands(text: str) -> set[str]:
    """First words of commands: of lines in code blocks, and of the command tables."""
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = (line for block in blocks for line in block.splitlines())
    return {words[1] for line in lines if len(words := line.split()) > 1 and words[0] == "rayakash-tui"}


def test_the_readme_is_short_and_leads_to_every_page() -> None:
    assert len(README.encode()) <= 9000
    assert sorted(re.findall(r"\]\(cockpit/help/([a-z-]+)\.md\)", README)) == NAMES


@pytest.mark.parametrize(("name", "text"), pages().items(), ids=list(pages()))
def test_generated_pages_are_those_of_the_code(name: str, text: str) -> None:
    assert (PAGES / f"{name}.md").read_text(encoding="utf-8") == text, "run: make pages"


def test_each_command_with_json_declares_its_shape() -> None:
    found = {" ".join(one.path) for one in TREE if any("--json" in option.flags for option in one.options)}
    assert set(json_shapes.SHAPES) == found, "tests/json_shapes.py declares them"


def test_a_shape_names_what_differs() -> None:
    (shape,) = json_shapes.SHAPES["local status"]
    good = {"running": False} | dict.fromkeys(("address", "gcs_address", "temp_dir", "supervisor_pid", "ray_version"))
    assert list(json_checks.faults(shape, good)) == []
    odd = {**good, "running": None, "more": 1, "supervisor_pid": "7"}
    del odd["address"]
    found = list(json_checks.faults(shape, odd))
    assert [fault.split()[0] for fault in found] == ["$.address", "$.running", "$.supervisor_pid", "$.more"]
    with pytest.raises(AssertionError, match="local status --json"):
        json_checks.hold(("local", "status", "--json"), json.dumps(odd).encode())


def test_the_readme_names_every_command() -> None:
    named = set(re.findall(r"`([a-z-]+)(?: [a-z-]+)*`", README)) | words_of_commands(README)
    assert COMMANDS - named == set()


@pytest.mark.parametrize("name", [*NAMES, "README"])
def test_commands_in_examples_exist(name: str) -> None:
    text = README if name == "README" else (PAGES / f"{name}.md").read_text(encoding="utf-8")
    assert {word for word in words_of_commands(text) if not word.startswith(("-", "#"))} - COMMANDS == set()


@pytest.mark.usefixtures("home")
async def test_topics_are_listed_with_what_they_are_about() -> None:
    done = await here("help")
    assert done.code == 0
    listed = [line.split(maxsplit=1) for line in done.text.splitlines()]
    assert [name for name, _ in listed] == NAMES
    assert all(about for _, about in listed)


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("name", NAMES)
async def test_a_topic_is_printed(name: str) -> None:
    done = await here("help", name)
    assert (done.code, done.text) == (0, (PAGES / f"{name}.md").read_text(encoding="utf-8"))


@pytest.mark.usefixtures("home")
async def test_an_unknown_topic_names_those_that_there_are() -> None:
    done = await here("help", "jbos")
    assert done.code == 2
    assert "jobs" in done.err
