"""Values of options as people write them."""

import argparse

import pytest

from cockpit.cli import options
from cockpit.cli.command_tree import commands_of
from cockpit.cli.main import build_parser, groups_named
from cockpit.cli.parser import GROUPS


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("30s", 30), ("5m", 300), ("2h", 7200), ("1d", 86400), ("250ms", 0.25), ("1.5m", 90), (" 7 s ", 7)],
)
def test_times(text: str, seconds: float) -> None:
    assert options.seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1", "1y", "soon", "1 2", "nan", "inf", "1e3"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="Invalid time"):
        options.seconds(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("500000000", 500_000_000),
        ("16G", 16 * 10**9),
        ("16GB", 16 * 10**9),
        ("16Gi", 16 * 2**30),
        ("16GiB", 16 * 2**30),
        ("1.5 Mi", 3 * 2**19),
        ("512k", 512_000),
        ("0", 0),
        ("7b", 7),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert options.memory(text) == size


@pytest.mark.parametrize("text", ["", "G", "-1G", "lots", "1X", "nan", "9" * 400])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        options.memory(text)


@pytest.mark.parametrize("text", ["0", "-1", "", "x", "1.5", "²", "1_0", " 1"])
def test_what_is_no_number_of_lines(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        options.count(text)


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("007", 7), ("1000000", 1_000_000)])
def test_numbers_of_lines(text: str, number: int) -> None:
    assert options.count(text) == number


@pytest.mark.parametrize(
    "words",
    [
        ["--address", "http://h:1", "-c", "lab", "--send-token", "jobs"],
        ["jobs", "--address", "http://h:1", "-c", "lab", "--send-token"],
        ["--address", "http://h:1", "jobs", "-c", "lab", "--send-token"],
        ["--address", "http://other:1", "jobs", "--address=http://h:1", "--context", "lab", "--send-token"],
    ],
)
def test_cluster_options_stand_before_and_after_the_command(words: list[str]) -> None:
    args = build_parser().parse_args(words)
    assert (args.address, args.context, args.send_token) == ("http://h:1", "lab", True)


def test_cluster_options_are_unset_where_they_are_not_given() -> None:
    args = build_parser().parse_args(["jobs"])
    assert (args.address, args.context, args.send_token) == (None, None, None)


@pytest.mark.parametrize(
    ("ours", "rays"),
    [
        (["--id", "x"], ["--submission-id", "x"]),
        (["--num-cpus", "1.5"], ["--entrypoint-num-cpus", "1.5"]),
        (["--num-gpus", "2"], ["--entrypoint-num-gpus", "2"]),
        (["--memory", "16Gi"], ["--entrypoint-memory", "17179869184"]),
    ],
)
def test_rays_own_spellings_mean_the_same(ours: list[str], rays: list[str]) -> None:
    parser = build_parser()
    assert vars(parser.parse_args(["submit", *ours])) == vars(parser.parse_args(["submit", *rays]))


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_has_the_commands_that_are_said_of_it(group: str) -> None:
    tree = commands_of(build_parser([group]))
    assert tuple(command.path[0] for command in tree if len(command.path) == 1) == GROUPS[group]


@pytest.mark.parametrize(
    ("words", "groups"),
    [
        ([], []),
        (["--read-only"], []),
        (["jobs"], ["listings"]),
        (["-c", "lab", "jobs", "-h"], ["listings"]),
        (["-c", "jobs", "logs", "x"], ["listings", "logs"]),
        (["-h"], list(GROUPS)),
        (["--help", "jobs"], list(GROUPS)),
        (["frobnicate"], list(GROUPS)),
    ],
)
def test_parsers_are_made_for_the_commands_that_may_be_meant(words: list[str], groups: list[str]) -> None:
    assert groups_named(words) == groups


def test_every_json_option_is_the_one_that_is_closed_behind() -> None:
    """Another kind of `--json` would refuse the empty value that `closed` gives it."""
    todo, found = [build_parser()], []
    while todo:
        parser = todo.pop()
        for action in parser._actions:
            found += [(parser.prog, action.nargs)] if "--json" in action.option_strings else []
            if isinstance(action, argparse._SubParsersAction):
                todo.extend(action.choices.values())
    assert len(found) > 20
    assert [prog for prog, nargs in found if nargs != "?"] == []
