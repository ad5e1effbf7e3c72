"""`completion`: what a shell needs to complete our commands, made from the parser itself."""

import argparse
import re
from collections.abc import Sequence
from typing import Any

from cockpit.cli.command_tree import Command, commands_of
from cockpit.errors import EXIT_OK

PROGRAM = "rayakash-tui"

HINTS = {
    "bash": 'eval "$(rayakash-tui completion bash)" in ~/.bashrc',
    "zsh": 'eval "$(rayakash-tui completion zsh)" in ~/.zshrc, behind compinit',
    "fish": "rayakash-tui completion fish > ~/.config/fish/completions/rayakash-tui.fish",
}

# Walks the words so far: what is a command leads further down, what an option takes is passed over.
_BASH = """\
# rayakash-tui completion for bash; made by `rayakash-tui completion bash`.
_rayakash_tui() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} path= i word skip= words=
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${{COMP_WORDS[i]}}
    if [[ $skip ]]; then skip=; continue; fi
    case "$path:$word" in
{steps}
    esac
  done
  if [[ $skip ]]; then
    case "$path:$prev" in
{values}
      *) COMPREPLY=($(compgen -f -- "$cur")); compopt -o filenames 2>/dev/null; return ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
    return
  fi
  case "$path" in
{words}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  if [[ ${{#COMPREPLY[@]}} -eq 0 && $cur != -* ]]; then
    COMPREPLY=($(compgen -f -- "$cur")); compopt -o filenames 2>/dev/null
  fi
}}
complete -F _rayakash_tui rayakash-tui
"""

_ZSH = """\
#compdef rayakash-tui
# rayakash-tui completion for zsh; made by `rayakash-tui completion zsh`.
_rayakash_tui() {{
  local at= skip= word i
  local -a offered
  for ((i = 2; i < CURRENT; i++)); do
    word=${{words[i]}}
    if [[ -n $skip ]]; then skip=; continue; fi
    case "$at:$word" in
{steps}
    esac
  done
  if [[ -n $skip ]]; then
    case "$at:${{words[CURRENT-1]}}" in
{values}
      *) _files; return ;;
    esac
    compadd -- $offered
    return
  fi
  case "$at" in
{words}
  esac
  if [[ ${{words[CURRENT]}} == -* || $#offered -gt 0 ]]; then _describe -t commands rayakash-tui offered; fi
  [[ ${{words[CURRENT]}} == -* ]] || {{ [[ $has_commands == 1 ]] || _files; }}
}}
if [[ $funcstack[1] == _rayakash-tui ]]; then _rayakash_tui "$@"; else compdef _rayakash_tui rayakash-tui; fi
"""


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
    from cockpit.cli.main import build_parser

    tree = list(commands_of(build_parser()))
    print({"bash": bash, "zsh": zsh, "fish": fish}[args.shell](tree), end="")
    return EXIT_OK


def bash(tree: Sequence[Command]) -> str:
    """The script for bash."""
    words = [f'    "{_key(command)}") words="{" ".join(_words(command))}" ;;' for command in tree]
    return _BASH.format(
        steps="\n".join(_steps(tree, "path")),
        values="\n".join(_values(tree, 'words="{}"')),
        words="\n".join(words),
    )


def zsh(tree: Sequence[Command]) -> str:
    """The script for zsh, with what each word means."""
    cases = []
    for command in tree:
        offered = [_described(name, said) for name, said in command.commands.items()]
        offered += [_described(word, "") for word in command.words]
        offered += [_described(flag, option.help) for option in command.options for flag in option.flags]
        has_commands = int(bool(command.commands or command.words))
        cases.append(f'    "{_key(command)}") has_commands={has_commands} offered=({" ".join(offered)}) ;;')
    script = _ZSH.format(
        steps="\n".join(_steps(tree, "at")), values="\n".join(_values(tree, "offered=({})")), words="\n".join(cases)
    )
    return script.replace("local at= skip= word i", "local at= skip= word i has_commands=0")


def fish(tree: Sequence[Command]) -> str:
    """The script for fish: a function that tells which command the line is at, and a line for each word."""
    lines = [
        "# rayakash-tui completion for fish; made by `rayakash-tui completion fish`.",
        "function __rayakash_tui_at",
        "  set -l path ''",
        "  set -l skip ''",
        "  for word in (commandline -opc)[2..-1]",
        "    if test -n \"$skip\"; set skip ''; continue; end",
        '    switch "$path:$word"',
    ]
    for command in tree:
        key = _key(command)
        lines += [
            f"      case {_single(f'{key}:{name}')}; set path {_single(_below(key, name))}" for name in command.commands
        ]
        if flags := [flag for option in command.options if option.takes_value for flag in option.flags]:
            lines.append(f"      case {' '.join(_single(f'{key}:{flag}') for flag in flags)}; set skip 1")
    lines += ["    end", "  end", '  test "$path" = "$argv[1]"', "end", f"complete -c {PROGRAM} -f"]
    for command in tree:
        lines += _fish_lines(command)
    return "\n".join(lines) + "\n"


def _fish_lines(command: Command) -> list[str]:
    start = f"complete -c {PROGRAM} -n {_single(f'__rayakash_tui_at {_quoted(_key(command))}')}"
    lines = [f"{start} -a {_single(name)} -d {_single(said)}" for name, said in command.commands.items()]
    lines += [f"{start} -a {_single(word)}" for word in command.words]
    if not command.commands and not command.words:
        lines.append(f"{start} -F")
    for option in command.options:
        names = [f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in option.flags]
        takes = f" -x -a {_single(' '.join(option.values))}" if option.values else " -r" if option.takes_value else ""
        lines.append(f"{start} {' '.join(names)}{takes} -d {_single(option.help)}")
    return lines


def _steps(tree: Sequence[Command], variable: str) -> list[str]:
    """Cases that follow the words of the line from command to command."""
    lines = []
    for command in tree:
        key = _key(command)
        lines += [f'      "{key}:{name}") {variable}="{_below(key, name)}" ;;' for name in command.commands]
        if flags := [flag for option in command.options if option.takes_value for flag in option.flags]:
            lines.append(f"      {_either(key, flags)}) skip=1 ;;")
    return lines


def _values(tree: Sequence[Command], form: str) -> list[str]:
    return [
        f"      {_either(_key(command), option.flags)}) {form.format(' '.join(option.values))} ;;"
        for command in tree
        for option in command.options
        if option.values
    ]


def _either(key: str, flags: Sequence[str]) -> str:
    return "|".join(f'"{key}:{flag}"' for flag in flags)


def _words(command: Command) -> list[str]:
    return [*command.commands, *command.words, *(flag for option in command.options for flag in option.flags)]


def _key(command: Command) -> str:
    return " ".join(command.path)


def _below(key: str, name: str) -> str:
    return f"{key} {name}".strip()


def _quoted(text: str) -> str:
    return f'"{text}"'


def _single(text: str) -> str:
    """Within single quotes, as bash, zsh and fish all read them."""
    return "'" + re.sub(r"['\\]", "", text) + "'"


def _described(name: str, said: str) -> str:
    return _single(f"{name}:{said}" if said else name)
