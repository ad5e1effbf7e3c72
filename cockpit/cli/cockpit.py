"""Without a command: the cockpit itself."""

import argparse
import os
import sys
from typing import TYPE_CHECKING

from cockpit.cli import output
from cockpit.cli.session import selection_of
from cockpit.errors import EXIT_OK, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from cockpit.operations.opening import Opener


def has_screen() -> bool:
    """Whether there is a terminal to draw on. Raises UsageError for one that cannot draw."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    if os.environ.get("TERM", "dumb") in ("dumb", "unknown", ""):
        raise UsageError(
            "This terminal cannot draw a screen (TERM=dumb).",
            hint="Use the commands: rayakash-tui jobs, submit, logs -f, and others.",
        )
    return True


def open_cockpit(args: argparse.Namespace) -> int:
    """Open the cluster that the options name on the screen."""
    from cockpit.operations.connect import NoClusterError, choose
    from cockpit.operations.opening import replay_opener, target_opener

    if args.replay is not None:
        return run_app(replay_opener(args.replay))
    try:
        target = choose(selection_of(args))
    except NoClusterError:
        return run_app(None)
    opener = target_opener(target, read_only=args.read_only, record_to=args.record, accept=args.accept_certificate)
    return run_app(opener)


def run_app(opener: "Opener | None", *, sdl: "Path | None" = None, first_pane: str = "jobs") -> int:
    """Draw until the user leaves; returns the exit code. Without an `opener` the user is asked for a cluster."""
    from cockpit.app import CockpitApp
    from cockpit.clients.ssh.questions import answer_ssh_with
    from cockpit.secrets.passphrase import ask_with
    from cockpit.settings import load_settings, state_directory

    ask_with(None)  # a question on the terminal would be written over the screen
    answer_ssh_with(None)
    settings = load_settings()
    for problem in settings.problems:
        output.warning(problem)
    ascii_only = is_ascii() if settings.ui.ascii is None else settings.ui.ascii
    tables = state_directory() / "tables.json"
    app = CockpitApp(opener, ui=settings.ui, ascii_only=ascii_only, first_pane=first_pane, sdl=sdl, tables=tables)
    code = app.run()
    if code is None:
        output.message("The cockpit ended early.")
    return code or EXIT_OK


def is_ascii() -> bool:
    """Whether the terminal cannot be trusted with more than ASCII."""
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    return encoding not in ("utf8", "utf16", "utf32") or os.environ.get("TERM") == "linux"
