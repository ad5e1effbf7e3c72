"""What completion offers for the arguments of commands: names that this machine knows, without asking a cluster."""

import argparse
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from cockpit.errors import CockpitError

if TYPE_CHECKING:
    from cockpit.operations.deployments.journal import Attempt

Completer = Callable[[argparse.Namespace], Iterable[str]]


def contexts(_: argparse.Namespace) -> Iterable[str]:
    """Saved clusters."""
    from cockpit.operations.clusters.contexts import known_clusters

    return [row.name for row in known_clusters().rows]


def jobs(args: argparse.Namespace) -> Iterable[str]:
    """Submission IDs that a listing or the cockpit has seen last."""
    from cockpit.operations.known_names import known

    return known("jobs", _cluster(args))


def nodes(args: argparse.Namespace) -> Iterable[str]:
    """Hosts that a listing or the cockpit has seen last."""
    from cockpit.operations.known_names import known

    return ("head", *known("nodes", _cluster(args)))


def secrets(_: argparse.Namespace) -> Iterable[str]:
    """Names of stored secrets, and of those that Ray and our templates know."""
    from cockpit.model.env_names import KNOWN
    from cockpit.secrets.references import process_store

    return sorted({row.name for row in process_store().index.rows()} | set(KNOWN))


def stored_secrets(_: argparse.Namespace) -> Iterable[str]:
    """Names of stored secrets."""
    from cockpit.secrets.references import process_store

    return sorted({row.name for row in process_store().index.rows()})


def deployments(_: argparse.Namespace) -> Iterable[str]:
    """Deployments made from here that may still exist."""
    return [one.dseq for one in _attempts() if one.dseq and one.may_cost]


def services(args: argparse.Namespace) -> Iterable[str]:
    """Services of the deployment that is named, from the SDL that it was made of."""
    from pathlib import Path

    from cockpit.sdl.files import read_document
    from cockpit.sdl.view import View

    wanted = getattr(args, "dseq", None)
    files = [one.last.file for one in _attempts() if one.last.file and wanted in (None, one.dseq)]
    names: dict[str, None] = {}
    for file in files:
        names |= dict.fromkeys(View(read_document(Path(file)).tree.root).services)
    return list(names)


def samples(_: argparse.Namespace) -> Iterable[str]:
    """Samples of the gallery."""
    from cockpit.operations.gallery import samples as every

    return [one.name for one in every()]


def templates(_: argparse.Namespace) -> Iterable[str]:
    """Templates of cluster definitions."""
    from cockpit.sdl.templates import all_templates

    return [one.name for one in all_templates()]


def topics(_: argparse.Namespace) -> Iterable[str]:
    """Pages of help."""
    from cockpit.cli.help import PAGES

    return sorted(path.stem for path in PAGES.glob("*.md"))


# By metavar, and by first word of the command where a metavar means several things.
COMPLETERS: dict[tuple[str, str], Completer] = {
    ("clusters", "NAME"): contexts,
    ("doctor", "NAME"): contexts,
    ("secrets", "NAME"): secrets,
    ("gallery", "NAME"): samples,
    ("", "TEMPLATE"): templates,
    ("", "DSEQ"): deployments,
    ("", "SERVICE"): services,
    ("", "NODE"): nodes,
    ("", "TOPIC"): topics,
    ("", "ID"): jobs,
}


NOT_OFFERED = {"--actor", "--task", "--id"}  # their IDs are of other things than jobs, or new


def attach(parser: argparse.ArgumentParser, command: str = "") -> None:
    """Give every argument its completer; files are offered where it has none."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                attach(child, command or name)
        elif (found := _completer(action, command)) is not None:
            action.completer = found  # type: ignore[attr-defined]  # argparse's actions take what argcomplete reads


def _completer(action: argparse.Action, command: str) -> Callable[..., Iterable[str]] | None:
    metavar = str(action.metavar)
    found = COMPLETERS.get(("", metavar))
    if not action.option_strings:
        found = COMPLETERS.get((command, metavar), found)
    elif "-c" in action.option_strings:
        found = contexts
    elif NOT_OFFERED & set(action.option_strings):
        found = None
    return None if found is None else partial(_offered, found)


def _offered(completer: Completer, *, parsed_args: argparse.Namespace, **_: object) -> list[str]:
    try:
        return list(completer(parsed_args))
    except CockpitError:  # a Tab has nowhere to say it; the command itself does
        return []


def _cluster(args: argparse.Namespace) -> str | None:
    from cockpit import settings

    return getattr(args, "context", None) or settings.current_context()


def _attempts() -> Iterable["Attempt"]:
    from cockpit.operations.deployments.journal import attempts

    return attempts()
