"""`deployments shell`: a terminal or one command in a container of a deployment."""

import argparse
import asyncio
import os
import re
import sys
from typing import TYPE_CHECKING, Any

from cockpit.cli import output
from cockpit.cli.deployment_copy import replica
from cockpit.errors import EXIT_INTERRUPTED, CockpitError, UsageError

if TYPE_CHECKING:
    from cockpit.clients.akash.gateway import Shell

EPILOG = """\
Without a command it opens a shell on your terminal: Ctrl-C and all other keys go to the container, the size follows
your window, and its exit code is ours. A line that begins with ~. disconnects, as in ssh.

  rayakash-tui deployments shell 1790294703677 ray-head
  rayakash-tui deployments shell 1790294703677 ray-worker --pod 2 -- nvidia-smi
  rayakash-tui deployments shell -t 1790294703677 ray-head -- htop
"""
_TERM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,40}")


def add(nested: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = nested.add_parser(
        "shell",
        help="open a shell in a container of a service, or run a command there",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "-t", "--tty", action="store_true", help="run the command on your terminal, for programs that draw"
    )
    parser.add_argument("--pod", type=replica, default=0, metavar="N", help="which replica, counted from 0")
    parser.add_argument("dseq", metavar="DSEQ", help="the deployment's number")
    parser.add_argument("service", metavar="SERVICE", help="the service whose container is entered")
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND", help="the command with its arguments")
    parser.add_argument("--console", metavar="URL", default=argparse.SUPPRESS, help="another Akash Console")
    parser.set_defaults(run=run)


async def run(args: argparse.Namespace) -> int:
    """Run it in the container; its exit code is ours."""
    from cockpit.operations.deployments.account import open_console
    from cockpit.operations.deployments.inside import inside

    pod, command = _parsed([*args.words, *args.rest], args.pod)
    is_tty = args.tty or not command
    if is_tty and not (sys.stdin.isatty() and sys.stdout.isatty()):
        what = "This needs a terminal." if command else "No command was given, and stdin is not a terminal for a shell."
        raise UsageError(what, hint="For example: deployments shell DSEQ ray-head -- nvidia-smi")
    async with (
        open_console(args.console) as console,
        inside(console, args.dseq, args.service, ("shell",)) as one,
        one.gateway.shell(one.lease, one.service, command or _login(), pod=pod, stdin=is_tty, tty=is_tty) as shell,
    ):
        return await (_on_terminal(shell) if is_tty else _piped(shell))


def _parsed(words: list[str], pod: int) -> tuple[int, list[str]]:
    """The replica and the command; `--pod N` may also stand behind the service, where argparse leaves it."""
    if words[:1] == ["--pod"] and len(words) > 1:
        try:
            pod, words = replica(words[1]), words[2:]
        except argparse.ArgumentTypeError as error:
            raise UsageError(f"--pod: {error}.") from None
    return pod, words[1:] if words[:1] == ["--"] else words


def _login() -> list[str]:
    """bash where the image has it, else sh, for the kind of terminal that is here."""
    term = os.environ.get("TERM", "")
    named = f"TERM={term if _TERM.fullmatch(term) else 'xterm-256color'}; export TERM; "
    return ["sh", "-c", f"{named}if command -v bash >/dev/null 2>&1; then exec bash; else exec sh; fi"]


async def _piped(shell: "Shell") -> int:
    from cockpit.clients.akash.gateway import STDERR

    writers = {True: output.LogWriter(sys.stderr), False: output.LogWriter()}
    async for kind, data in shell.output():
        writers[kind == STDERR].write(data)
    for writer in writers.values():
        writer.close()
    return _code(shell)


def _code(shell: "Shell") -> int:
    if shell.exit_code is None:
        raise CockpitError("The connection ended before the command did.", fault="shell-cut")
    return shell.exit_code


async def _on_terminal(shell: "Shell") -> int:
    from cockpit.cli import remote_terminal

    sys.stdout.flush()
    typing: asyncio.Task[None] | None = None
    showing: asyncio.Task[None] | None = None
    with remote_terminal.raw():
        typing = asyncio.create_task(remote_terminal.pass_on(shell))
        showing = asyncio.create_task(_show(shell))
        try:
            await asyncio.wait((typing, showing), return_when=asyncio.FIRST_COMPLETED)
            has_left = typing.done() and isinstance(typing.exception(), remote_terminal.DisconnectedError)
            if not has_left:
                await showing
        finally:
            for task in (typing, showing):
                task.cancel()
            await asyncio.gather(typing, showing, return_exceptions=True)
            if shell.exit_code is None:
                remote_terminal.show(remote_terminal.RESET)
    if has_left:
        output.message("")  # the shell's own line has not ended
        output.message("Disconnected; the command may keep running.")
        return EXIT_INTERRUPTED
    return _code(shell)


async def _show(shell: "Shell") -> None:
    from cockpit.cli.remote_terminal import show

    async for _, data in shell.output():
        await asyncio.to_thread(show, data)
