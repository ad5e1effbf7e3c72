"""The commands and options as data, read from the parser itself, for the documentation."""

import argparse
from collections.abc import Iterator

import msgspec

FILE = "file"


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """One option: its flags, what it is for, and what follows it (`values` to choose from, or a file)."""

    flags: tuple[str, ...]
    help: str
    takes_value: bool
    values: tuple[str, ...] = ()


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A command by the words that lead to it; `commands` are those below it, `words` what may stand behind it."""

    path: tuple[str, ...]
    help: str
    commands: dict[str, str]
    options: tuple[Option, ...]
    words: tuple[str, ...] = ()


def commands_of(parser: argparse.ArgumentParser, path: tuple[str, ...] = (), said: str = "") -> Iterator[Command]:
    """Every command of a parser, itself first."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    helps = {choice.dest: choice.help or "" for action in below for choice in action._choices_actions}
    options = [action for action in parser._actions if action.option_strings and action.help != argparse.SUPPRESS]
    plain = [action for action in parser._actions if not action.option_strings and action not in below]
    yield Command(
        path=path,
        help=said,
        commands=helps,
        options=tuple(map(_option, options)),
        words=tuple(str(word) for action in plain for word in action.choices or ()),
    )
    for action in below:
        for name, child in action.choices.items():
            if name in helps:
                yield from commands_of(child, (*path, name), helps[name])


def _option(action: argparse.Action) -> Option:
    return Option(
        flags=tuple(action.option_strings),
        help=(action.help or "").replace("%%", "%"),
        takes_value=action.nargs != 0,
        values=tuple(str(value) for value in action.choices or ()),
    )
