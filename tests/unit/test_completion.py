"""Completion in real shells: what is offered is what there is."""

import shutil
import subprocess
from pathlib import Path

import pytest

from cockpit.cli.command_tree import commands_of
from cockpit.cli.completion import bash, fish, zsh
from cockpit.cli.main import build_parser

TREE = list(commands_of(build_parser()))

CASES = [
    ("rayakash-tui jo", {"jobs"}),
    ("rayakash-tui secrets s", {"set"}),
    ("rayakash-tui jobs --js", {"--json"}),
    ("rayakash-tui --address http://h jobs --js", {"--json"}),
    ("rayakash-tui -c sdl jo", {"jobs"}),
    ("rayakash-tui completion ", {"bash", "zsh", "fish"}),
    ("rayakash-tui logs --ta", {"--tail"}),
]


def offered_by_bash(script: Path, line: str) -> set[str]:
    words = line.split(" ")
    told = f"""
source {script}
COMP_WORDS=({" ".join(f"'{word}'" for word in words)}); COMP_CWORD={len(words) - 1}
_rayakash_tui
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash", "--norc", "-c", told], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return {word for word in done.stdout.split() if word}


@pytest.mark.parametrize(("line", "wanted"), CASES)
def test_bash(tmp_path: Path, line: str, wanted: set[str]) -> None:
    script = tmp_path / "completion.bash"
    script.write_text(bash(TREE))
    assert offered_by_bash(script, line) >= wanted
    if not line.endswith(" "):
        assert all(word.startswith(line.split(" ")[-1]) for word in offered_by_bash(script, line))


@pytest.mark.skipif(shutil.which("fish") is None, reason="needs fish: install fish")
@pytest.mark.parametrize(("line", "wanted"), CASES)
def test_fish(tmp_path: Path, line: str, wanted: set[str]) -> None:
    script = tmp_path / "completion.fish"
    script.write_text(fish(TREE))
    told = f"source {script}; complete -C '{line}'"
    done = subprocess.run(["fish", "--no-config", "-c", told], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert {each.split("\t")[0] for each in done.stdout.splitlines()} >= wanted


@pytest.mark.skipif(shutil.which("zsh") is None, reason="needs zsh: install zsh")
@pytest.mark.parametrize(("line", "wanted"), CASES)
def test_zsh(tmp_path: Path, line: str, wanted: set[str]) -> None:
    script = tmp_path / "completion.zsh"
    script.write_text(zsh(TREE))
    words = line.split(" ")
    # The function alone, with what it would hand to the line editor written out.
    told = f"""
compdef() {{ : }}
_describe() {{ local each; for each in ${{(P)${{@[-1]}}}}; do print -r -- ${{each%%:*}}; done }}
compadd() {{ shift; print -rl -- "$@" }}
_files() {{ print FILES }}
source {script}
words=({" ".join(f"'{word}'" for word in words)}); CURRENT={len(words)}
_rayakash_tui
"""
    done = subprocess.run(["zsh", "-f", "-c", told], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert set(done.stdout.split()) >= wanted


def test_every_command_is_in_every_script() -> None:
    for script in (bash(TREE), zsh(TREE), fish(TREE)):
        for command in TREE:
            assert all(name in script for name in command.commands)
