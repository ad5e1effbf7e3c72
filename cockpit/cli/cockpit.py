"""Without a command: the cockpit itself."""

import argparse
import gc
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from cockpit.cli import output
from cockpit.cli.session import selection_of
from cockpit.errors import EXIT_OK, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from cockpit.operations.clusters.opening import Opener


SWITCH_SECONDS = 0.001  # a key waits for the thread of the history at most that long at a time
FRAMES_OVER_SSH = 15  # repaints a second at most; a slow line would lag behind more


def has_screen() -> bool:
    """Whether there is a terminal to draw on. Raises UsageError for one that cannot draw."""
    if is_browser():
        return True
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    if os.environ.get("TERM", "dumb") in ("dumb", "unknown", ""):
        raise UsageError(
            "This terminal cannot draw a screen (TERM=dumb).",
            hint="Use the commands: rayakash-tui jobs, submit, logs -f, and others.",
        )
    return True


def open_cockpit(args: argparse.Namespace) -> int:
    """Open the cockpit on the cluster that the options name."""
    from cockpit.operations.clusters.connect import NoClusterError, choose
    from cockpit.operations.clusters.opening import replay_opener, selection_opener, target_opener
    from cockpit.secrets.failures import LockedError

    if args.replay is not None:
        return run_app(replay_opener(args.replay))
    selection = selection_of(args)
    flags = {"read_only": args.read_only, "record_to": args.record, "accept": args.accept_certificate}
    opener: Opener | None = None
    try:
        opener = target_opener(choose(selection), **flags)
    except LockedError:  # its passphrase is asked for on the screen
        opener = selection_opener(selection, **flags)
    except NoClusterError:
        pass  # the user is asked for one
    return run_app(opener)


def run_app(opener: "Opener | None", *, sdl: "Path | None" = None, first_pane: str | None = None) -> int:
    """Draw until the user leaves; returns the exit code. Without an `opener` the user is asked for a cluster."""
    if "SSH_CONNECTION" in os.environ:
        os.environ.setdefault("TEXTUAL_FPS", str(FRAMES_OVER_SSH))  # read once, at its first import
    from cockpit.app import CockpitApp
    from cockpit.clients.ssh.questions import answer_ssh_with
    from cockpit.secrets.passphrase import ask_with
    from cockpit.settings import load_settings, state_directory

    ask_with(None)  # a question on the terminal would be written over the screen
    answer_ssh_with(None)
    settings = load_settings()
    for problem in settings.problems:
        output.warning(problem)
    ascii_only = is_ascii() and not is_browser() if settings.ui.ascii is None else settings.ui.ascii
    tables = state_directory() / "tables.json"
    app = CockpitApp(
        opener,
        ui=settings.ui,
        ascii_only=ascii_only,
        first_pane=first_pane or settings.ui.start,
        sdl=sdl,
        tables=tables,
        notify=settings.notify,
        asks_for_notices=not settings.has_notify,
        commands=settings.commands,
        problems=settings.problems,
    )
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.freeze()  # what was imported stays, and no key shall wait until it has been looked at once more
    gc.set_threshold(4_000, 8, 50)  # answers of a big cluster are looked at in small parts
    code = concluded(app.run())
    tell_what_is_left()
    return code


def tell_what_is_left() -> None:
    """After the screen closes, print what a deployment costs that was started and is not being finished."""
    from cockpit.errors import CockpitError
    from cockpit.operations.deployments.journal import left_behind

    try:
        left = left_behind()
    except CockpitError:  # `deployments` says what is wrong with the journals
        return
    for attempt in left:
        from cockpit.operations.deployments.telling import what_exists

        output.message(what_exists(attempt))


def key_problems() -> list[str]:
    """What is wrong with the user's keys and own commands; the cockpit is imported for it only where there are some."""
    from cockpit.settings import load_settings

    settings = load_settings()
    if not settings.commands and not settings.ui.keys:
        return []
    from cockpit.app import problems_of_keys

    return problems_of_keys(settings)


def concluded(code: int | None) -> int:
    """The exit code; an unexpected end is reported, except for the closed page of a browser."""
    if code is None and not is_browser():
        output.message("The cockpit ended early.")
    return code or EXIT_OK


def is_browser(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether what is drawn goes to a browser, as `web` has it."""
    return environment.get("TEXTUAL_DRIVER", "").endswith(":WebDriver")


def is_ascii(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the terminal cannot be trusted with more than ASCII, by its kind and by what the locale says."""
    if environment.get("TERM") == "linux":
        return True
    names = [environment.get(name) or "" for name in ("LC_ALL", "LC_CTYPE", "LANG")]
    if names[:2] == ["", "C.UTF-8"]:  # Python puts that there itself where the locale is C or none
        del names[1]
    locale = next((name for name in names if name), "C")
    return "utf8" not in locale.lower().replace("-", "")
