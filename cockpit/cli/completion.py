"""`completion`: what a shell needs to complete our commands, by argcomplete from the parser itself."""

import argparse
import os
import shlex
from typing import Any

from cockpit.cli import completers
from cockpit.errors import EXIT_OK

PROGRAM = "rayakash-tui"
REQUESTED = "_ARGCOMPLETE"  # set by the shell's function

HINTS = {
    "bash": 'eval "$(rayakash-tui completion bash)" in ~/.bashrc',
    "zsh": 'eval "$(rayakash-tui completion zsh)" in ~/.zshrc, after compinit',
    "fish": "rayakash-tui completion fish > ~/.config/fish/completions/rayakash-tui.fish",
}


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "completion",
        help="print the completion script of a shell",
        epilog="\n".join(HINTS.values()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("shell", choices=tuple(HINTS))
    parser.set_defaults(run=print_completion)


def print_completion(args: argparse.Namespace) -> int:
    """Print the script; it is read by the shell, so nothing else goes to stdout."""
    from argcomplete.shell_integration import shellcode

    print(shellcode([PROGRAM], shell=args.shell))
    return EXIT_OK


def complete() -> None:
    """Answer the shell and end the process: it has set REQUESTED, COMP_LINE and COMP_POINT."""
    import argcomplete

    from cockpit.cli.main import build_parser, groups_named

    # Whole words only: what is being typed may still become another command.
    words = _words(os.environ.get("COMP_LINE", ""))[1:-1]
    named = [word for word in words if not word.startswith("-")]
    parser = build_parser(groups_named(words) if named else groups_named(["--help"]))
    completers.attach(parser)
    argcomplete.autocomplete(parser, always_complete_options=False)


def _words(line: str) -> list[str]:
    try:
        return shlex.split(f"{line}\0")
    except ValueError:  # an open quote
        return line.split(" ")
