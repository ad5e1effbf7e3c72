"""Completion in real shells: commands, options, and names that this machine knows."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from cockpit.operations.known_names import known, note

pytestmark = pytest.mark.lengthy
BIN = str(Path(sys.executable).parent)

CASES = [
    ("rayakash-tui jo", {"jobs"}),
    ("rayakash-tui secrets s", {"set", "status"}),
    ("rayakash-tui jobs --js", {"--json"}),
    ("rayakash-tui --address http://h jobs --js", {"--json"}),
    ("rayakash-tui completion ", {"bash", "zsh", "fish"}),
    ("rayakash-tui logs --ta", {"--tail"}),
    ("rayakash-tui -c l", {"lab", "lab-2"}),
    ("rayakash-tui jobs -c l", {"lab", "lab-2"}),
    ("rayakash-tui clusters use lab", {"lab", "lab-2"}),
    ("rayakash-tui stop raysub", {"raysubmit_one", "raysubmit_two"}),
    ("rayakash-tui -c lab-2 logs ", {"other-job"}),
    ("rayakash-tui logs --node wor", {"worker-1"}),
    ("rayakash-tui secrets delete HF", {"HF_TOKEN"}),
    ("rayakash-tui gallery show train", {"train-cnn"}),
    ("rayakash-tui help tro", {"troubleshooting"}),
]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    home = tmp_path_factory.mktemp("home")
    config, state = home / ".config" / "rayakash-tui", home / ".local" / "state" / "rayakash-tui"
    config.mkdir(parents=True)
    (config / "config.toml").write_text(
        '[contexts.lab]\naddress = "http://127.0.0.1:1"\n[contexts.lab-2]\naddress = "http://127.0.0.1:2"\n'
    )
    state.mkdir(parents=True)
    note("lab", "jobs", ["raysubmit_one", "raysubmit_two", "a b", "\x1b[31m"], directory=state)
    note("lab", "nodes", ["worker-1"], directory=state)
    note("lab-2", "jobs", ["other-job"], directory=state)
    return {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(home), "TERM": "dumb", "LC_ALL": "C.UTF-8"}


def shell(words: list[str], text: str, environment: dict[str, str]) -> set[str]:
    done = subprocess.run([*words, text], capture_output=True, text=True, check=False, env=environment)
    assert done.stderr == ""
    return {line.partition("\t")[0].strip() for line in done.stdout.splitlines() if line.strip()}


@pytest.mark.parametrize(("line", "wanted"), CASES)
def test_bash(line: str, wanted: set[str], environment: dict[str, str]) -> None:
    words = " ".join(f"'{word}'" for word in line.split(" "))
    text = f"""
eval "$(rayakash-tui completion bash)"
COMP_LINE='{line}'; COMP_POINT={len(line)}; COMP_WORDS=({words}); COMP_CWORD={line.count(" ")}; COMP_TYPE=9
compopt() {{ :; }}
_python_argcomplete rayakash-tui
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    offered = shell(["bash", "--norc", "-c"], text, environment)
    assert offered >= wanted
    assert all(word.startswith(line.split(" ")[-1]) for word in offered)


@pytest.mark.skipif(shutil.which("fish") is None, reason="needs fish: install fish")
@pytest.mark.parametrize(("line", "wanted"), CASES[::4])
def test_fish(line: str, wanted: set[str], environment: dict[str, str]) -> None:
    text = f"rayakash-tui completion fish | source; complete -C '{line}'"
    assert shell(["fish", "--no-config", "-c"], text, environment) >= wanted


@pytest.mark.skipif(shutil.which("zsh") is None, reason="needs zsh: install zsh")
@pytest.mark.parametrize(("line", "wanted"), CASES[::4])
def test_zsh(line: str, wanted: set[str], environment: dict[str, str]) -> None:
    words = " ".join(f"'{word}'" for word in line.split(" "))
    # The function alone, with what it would hand to the line editor written out.
    text = f"""
compdef() {{ : }}
is-at-least() {{ false }}
_describe() {{ local each; for each in ${{(P)${{@[2]}}}}; do print -r -- ${{each%%:*}}; done }}
source <(rayakash-tui completion zsh)
words=({words}); CURRENT={line.count(" ") + 1}; BUFFER='{line}'; CURSOR={len(line)}
_python_argcomplete rayakash-tui
"""
    assert shell(["zsh", "-f", "-c"], text, environment) >= wanted


def test_a_tab_opens_no_connection(environment: dict[str, str]) -> None:
    line = "rayakash-tui -c lab stop "
    text = f"""
import os, socket, sys
def refuse(*_): os.write(8, b"CONNECTED"); os._exit(1)
socket.socket.connect = refuse
os.environ.update(_ARGCOMPLETE="1", COMP_LINE={line!r}, COMP_POINT="{len(line)}", IFS="\\n")
from cockpit.__main__ import main
main()
"""
    done = subprocess.run(
        ["bash", "-c", 'exec 8>&1; exec "$0" -c "$1"', sys.executable, text],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert {word.strip() for word in done.stdout.split("\v")} == {"raysubmit_one", "raysubmit_two"}


def test_names_are_bounded_private_and_plain(tmp_path: Path) -> None:
    note("lab", "jobs", [f"job-{number}" for number in range(10_000)], directory=tmp_path)
    note("lab", "nodes", ["ok", "two words", "esc\x1b", "x" * 500], directory=tmp_path)
    assert known("jobs", "lab", directory=tmp_path) == [f"job-{number}" for number in range(500)]
    assert known("nodes", "lab", directory=tmp_path) == ["ok"]
    (path,) = (one for one in tmp_path.iterdir() if one.suffix == ".json")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for number in range(60):
        note(f"cluster-{number}", "jobs", [f"of-{number}"], directory=tmp_path)
    assert known("jobs", "cluster-59", directory=tmp_path) == ["of-59"]
    assert len(known("jobs", directory=tmp_path)) == 50
