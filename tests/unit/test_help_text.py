"""The help of the commands: every command in a section, with examples that parse; mistakes name the nearest word."""

import argparse
import re
import shlex
from collections.abc import Iterator

import pytest

from cockpit.cli import options
from cockpit.cli.main import build_parser
from cockpit.cli.parser import GROUPS, SECTIONS
from cockpit.errors import UsageError

EXAMPLE = re.compile(r"^ *(?:examples?: )?(rayakash-tui .*)$", re.MULTILINE)
BEHIND = re.compile(r"  +|&&|[|<>]")


def below(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in dict.fromkeys(action.choices.values()):
                yield from below(child)


ROOT = build_parser()
PARSERS = {parser.prog: parser for parser in below(ROOT)}


def test_each_command_is_in_one_section() -> None:
    listed = [name for names in SECTIONS.values() for name in names]
    assert sorted(listed) == sorted(name for names in GROUPS.values() for name in names)


@pytest.mark.parametrize("name", PARSERS)
def test_examples_parse(name: str) -> None:
    text = PARSERS[name].format_help().partition("\n\n")[2]
    examples = [BEHIND.split(line)[0] for line in EXAMPLE.findall(text) if not line.endswith("--help` shows")]
    assert examples, "it has no example"
    for example in examples:
        words = shlex.split(example)[1:]
        ROOT.parse_args(options.closed(words[: words.index("--")] if "--" in words else words))


@pytest.mark.parametrize("name", PARSERS)
def test_the_cluster_s_options_are_listed_once(name: str) -> None:
    text = PARSERS[name].format_help()
    assert ("--accept-certificate" in text) == (name == "rayakash-tui")


@pytest.mark.parametrize(
    ("words", "title", "meant"),
    [
        (["joobs"], "Unknown command: 'joobs'.", "Did you mean jobs?"),
        (["jobs", "--stauts", "RUNNING"], "Unknown option: '--stauts'.", "Did you mean --status"),
        (["sdl", "lnit", "x.yaml"], "Unknown command: 'lnit'.", "Did you mean lint"),
        (["zzzz"], "Unknown command: 'zzzz'.", "See `rayakash-tui --help`."),
        (["doctor", "--jsn"], "Unknown option: '--jsn'.", "--json"),
        (["local", "status", "extra"], "Unexpected argument: 'extra'.", "See `rayakash-tui local status --help`."),
    ],
)
def test_a_mistake_names_the_nearest(words: list[str], title: str, meant: str) -> None:
    with pytest.raises(UsageError) as failed:
        ROOT.parse_args(words)
    assert failed.value.title == title
    assert meant in failed.value.hint


@pytest.mark.parametrize("words", [["secrets", "set", "NAME", "s3cret"], ["secrets", "set", "NAME", "--s3cret=x"]])
def test_a_surplus_word_of_secrets_is_never_repeated(words: list[str]) -> None:
    with pytest.raises(UsageError) as failed:
        ROOT.parse_args(words)
    assert "s3cret" not in f"{failed.value.title} {failed.value.hint}"


def test_prose_fits_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for name, parser in PARSERS.items():
        prose = [line for line in parser.format_help().splitlines() if not line.startswith((" ", "usage:", "example"))]
        # Words that cannot be broken, and the exit codes, which are laid out.
        too_wide = [
            line for line in prose if len(line) > 80 and not line.lower().startswith(("exit codes", "the cluster", "`"))
        ]
        assert too_wide == [], name
