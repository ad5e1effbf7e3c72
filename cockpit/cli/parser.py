"""The parser of the command line: commands in sections, examples, suggestions, and the cluster's options once."""

import argparse
import re
import shutil
import textwrap
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import Any, NoReturn

from cockpit.cli.examples import EXAMPLES
from cockpit.errors import UsageError

PROGRAM = "rayakash-tui"
CLUSTER = "cluster"
# Below its own help the cluster's options are one line: they are the same for every command.
CLUSTER_LINE = f"cluster options: -c NAME, --address URL, --ssh DEST, …: `{PROGRAM} --help`"

SECTIONS = {
    "jobs": ("submit", "jobs", "logs", "wait", "stop", "delete", "gallery"),
    "inside a cluster": ("nodes", "gpus", "actors", "tasks", "placement-groups", "workers", "events"),
    "libraries": ("serve", "train", "tune", "data"),
    "find the cause": ("why", "stack", "flame", "timeline", "kill"),
    "past and cost": ("history", "usage"),
    "clusters": ("clusters", "doctor", "local", "demo"),
    "Akash": ("offers", "deploy", "deployments", "sdl", "secrets"),
    "more": ("web", "help", "completion", "version"),
}

# The module of each command below `cockpit.cli`: it has `add(subparsers)`, and a coroutine behind each as `run`.
GROUPS = {
    "demo": ("demo",),
    "local": ("local",),
    "clusters": ("clusters", "doctor"),
    "listings": ("jobs", "nodes", "gpus"),
    "history": ("history", "usage"),
    "offers": ("offers",),
    "deploy": ("deploy",),
    "deployments": ("deployments",),
    "resources": ("actors", "tasks", "placement-groups", "workers", "events", "train", "tune", "data"),
    "serve": ("serve",),
    "submit": ("submit",),
    "gallery": ("gallery",),
    "control": ("stop", "delete", "wait"),
    "why": ("why",),
    "kill": ("kill",),
    "profiling": ("stack", "flame", "timeline"),
    "logs": ("logs",),
    "sdl": ("sdl",),
    "secrets": ("secrets",),
    "help": ("help",),
    "completion": ("completion",),
    "web": ("web",),
    "version": ("version",),
}


class Parser(argparse.ArgumentParser):
    """argparse that names the nearest command or option, and prints help as `gh` and `kubectl` do."""

    def error(self, message: str) -> NoReturn:
        """Raises UsageError, with where the help is instead of the usage of all options."""
        raise UsageError(f"{message[:1].upper()}{message[1:].rstrip('.')}.", hint=f"See `{self.prog} --help`.")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if unknown := self._unknown_option(args or ()):
            self.refuse_surplus([unknown])
        found, surplus = super().parse_known_args(args, namespace)
        if surplus:
            self.refuse_surplus(surplus)
        return found, surplus

    def refuse_surplus(self, surplus: list[str]) -> NoReturn:
        """Raises UsageError for words that this command does not take."""
        word = surplus[0].partition("=")[0]
        if not word.startswith("-"):
            self.error(f"unexpected argument: {word!r}")
        self._refuse_unknown("option", word, self._flags())

    def _unknown_option(self, words: Iterable[str]) -> str:
        """The first unknown long option before a nested command: argparse would take its value for the command."""
        flags = self._flags(hidden=True)
        for word in words:
            if word in self._nested() or word == "--":
                break
            if word.startswith("--") and not any(flag.startswith(word.partition("=")[0]) for flag in flags):
                return word
        return ""

    def _flags(self, *, hidden: bool = False) -> list[str]:
        """The options; `hidden` adds other spellings, which the help leaves out."""
        shown = [action for action in self._actions if hidden or action.help != argparse.SUPPRESS]
        return [flag for action in shown for flag in action.option_strings]

    def _nested(self) -> Collection[str]:
        found = [action for action in self._actions if isinstance(action, argparse._SubParsersAction)]
        return found[0].choices if found else ()

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if isinstance(action, argparse._SubParsersAction) and value not in action.choices:
            self._refuse_unknown("command", value, action.choices)
        super()._check_value(action, value)

    def _refuse_unknown(self, what: str, word: str, known: Iterable[str]) -> NoReturn:
        near = get_close_matches(word, list(known), n=3)
        meant = f"Did you mean {' or '.join(near)}? " if near else ""
        raise UsageError(f"Unknown {what}: {word!r}.", hint=f"{meant}See `{self.prog} --help`.")

    def format_help(self) -> str:
        """Usage, commands in their sections, options, examples."""
        is_root = self.prog == PROGRAM
        formatter = self._get_formatter()
        cluster = [] if is_root else self._of_cluster()
        shown = [action for action in self._actions if action not in cluster]
        formatter.add_usage(self.usage, shown, self._mutually_exclusive_groups)
        formatter.add_text(wrapped(self.description or ""))
        if is_root:
            self._add_sections(formatter)
        for group in self._action_groups:
            actions = [one for one in group._group_actions if one not in cluster]
            if is_root and any(isinstance(one, argparse._SubParsersAction) for one in actions):
                continue
            if actions:
                formatter.start_section(group.title)
                formatter.add_text(group.description)
                formatter.add_arguments(actions)
                formatter.end_section()
        text = formatter.format_help()
        return "\n".join(part for part in (text.rstrip("\n"), *self._behind(has_cluster=bool(cluster))) if part) + "\n"

    def _of_cluster(self) -> list[argparse.Action]:
        return [one for group in self._action_groups if group.title == CLUSTER for one in group._group_actions]

    def _add_sections(self, formatter: argparse.HelpFormatter) -> None:
        below = next(one for one in self._actions if isinstance(one, argparse._SubParsersAction))
        said = {choice.dest: choice for choice in below._choices_actions}
        for title, names in SECTIONS.items():
            formatter.start_section(title)
            formatter.add_arguments([said[name] for name in names if name in said])
            formatter.end_section()

    def _behind(self, *, has_cluster: bool) -> Iterable[str]:
        if has_cluster:
            yield f"\n{CLUSTER_LINE}"
        examples = EXAMPLES.get(self.prog.removeprefix(PROGRAM).strip(), ())
        if examples:
            yield "\nexamples:\n" + "\n".join(f"  {line}" for line in examples)
        if self.epilog:
            yield f"\n{wrapped(self.epilog.rstrip())}"


def wrapped(text: str) -> str:
    """Prose in the width of the terminal; examples and indented lines stay as they are."""
    width = shutil.get_terminal_size().columns - 2
    parts = re.split(r"(\n\n|\n(?=example))", text.strip("\n"))
    return "".join(part if _is_laid_out(part) else textwrap.fill(part, width) for part in parts)


def _is_laid_out(part: str) -> bool:
    return part.strip() == "" or part.startswith("example") or "\n " in part
