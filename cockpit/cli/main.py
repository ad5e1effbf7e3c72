"""The command line: parses, runs one command, and turns failures into words and exit codes."""

import argparse
import asyncio
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from cockpit import __version__
from cockpit.cli import left_out, options, output, ssh_questions, terminal
from cockpit.cli.parser import GROUPS, PROGRAM, Parser
from cockpit.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE, CockpitError, UsageError

# Options before the command whose value is the next word.
_VALUED = ("-c", "--context", "--address", "--ssh", "--ssh-port", "--accept-certificate", "--record", "--replay")

DESCRIPTION = """\
The terminal cockpit for Ray clusters on Akash. Without a command it opens the
cockpit; each command does one thing from a shell or a script.
"""
EPILOG = """\
The cluster is named by an option, else by RAYAKASH_ADDRESS, RAY_API_SERVER_ADDRESS
or RAY_ADDRESS, else it is the current context (`clusters use NAME`).

exit codes: 0 done, or the job succeeded; 1 failed or not found; 2 usage;
  3 unreachable; 4 no access or not trusted; 5 unknown, may cost: see `deployments`

`rayakash-tui COMMAND --help` shows options and examples, `rayakash-tui help` topics.
"""


def build_parser(groups: Iterable[str] = GROUPS) -> argparse.ArgumentParser:
    """The parser of every command, or of those of some groups."""
    parser = Parser(
        prog=PROGRAM,
        usage=f"{PROGRAM} [options] [COMMAND ...]",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action="version", version=f"{PROGRAM} {__version__}", help="print the version and exit"
    )
    options.add_cluster(parser, default=None)
    parser.add_argument("--record", type=Path, metavar="FILE", help="record the cluster's answers to a new file")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="show a recording instead of a cluster")
    parser.add_argument("--read-only", action="store_true", help="refuse every change to the cluster")
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", prog=PROGRAM)
    for group in groups:
        import_module(f"cockpit.cli.{group}").add(commands)
    return parser


def groups_named(words: Sequence[str]) -> list[str]:
    """The groups that these words of a command line may name: to build all parsers takes longer than most commands.

    All of them where help is asked for before any command, and where no word names one but some might be meant to.
    """
    known = {command: group for group, commands in GROUPS.items() for command in commands}
    found = [word for word in words if word in known]
    before = words[: words.index(found[0])] if found else words
    if {"-h", "--help"} & set(before) or (not found and any(not word.startswith("-") for word in words)):
        return list(GROUPS)
    return list(dict.fromkeys(known[word] for word in found))


def run(argv: Sequence[str]) -> int:
    """Run the command line; returns the exit code."""
    try:
        output.prepare_streams()
        return _guarded(list(argv))
    except BrokenPipeError:  # the reader of our output or messages has gone
        _forget_output()
        return EXIT_OK


def _guarded(argv: list[str]) -> int:
    try:
        return _run(argv)
    except CockpitError as failure:
        try:
            output.error(failure)
        except BrokenPipeError:  # scripts get the exit code even if stderr is closed
            _forget_output()
        return failure.exit_code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        raise
    except OSError as failure:  # a full disk under the spool or behind stdout
        output.message(f"error: {failure}")
        _forget_output()
        return EXIT_USAGE


def _forget_output() -> None:
    """Let what is still in a buffer go nowhere: Python would complain about it once more when it flushes at exit."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _run(argv: list[str]) -> int:
    cut = argv.index("--") if "--" in argv else len(argv)
    parser = build_parser(groups_named(argv[:cut]))
    if _command_in(argv[:cut]) not in ("gallery", "submit", None):  # else an ID follows
        cut = len(argv)
    args = parser.parse_args(options.closed(argv[:cut]))
    args.rest = argv[cut + 1 :]
    output.show_details(bool(args.verbose))
    if args.run is None:
        if args.rest:
            parser.error(f"arguments after -- need a command: {' '.join(args.rest)}")
        return _without_command(args)
    if args.record is not None or args.replay is not None:
        parser.error("--record and --replay are for the cockpit, which opens without a command")
    left_out.require(args)
    terminal.install()
    ssh_questions.install()
    result = args.run(args)
    code: int = asyncio.run(result) if asyncio.iscoroutine(result) else result
    return code


def _command_in(words: Sequence[str]) -> str | None:
    """The command that these words name, wherever the options that take a value stand."""
    is_value = False
    for word in words:
        if not is_value and not word.startswith("-"):
            return word
        is_value = word in _VALUED
    return None


def _without_command(args: argparse.Namespace) -> int:
    """The cockpit on a terminal; elsewhere there is nothing to do but to tell what there is."""
    from cockpit.cli.cockpit import has_screen, open_cockpit

    if has_screen():
        return open_cockpit(args)
    if any((args.context, args.address, args.ssh, args.replay, args.record)):
        raise UsageError(
            "The cockpit needs a terminal to draw on.",
            hint="Run it without a pipe, or use a command: rayakash-tui jobs, logs and others.",
        )
    build_parser().print_help()
    return EXIT_OK
