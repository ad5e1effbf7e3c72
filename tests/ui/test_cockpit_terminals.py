"""Terminals as people have them: slow, poor, suspended, taken away."""

import os
import re
import shlex
import signal
import sys
import termios
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from cockpit.cli.cockpit import is_ascii
from cockpit.local.processes import descendants, identity, table
from tests.ssh_server import eventually
from tests.ui.pty_cockpit import PATIENCE, ROOT, FrozenCluster, Terminal, cockpit_in_a_terminal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pty")

SGR = re.compile(rb"\x1b\[([0-9;]*)m")
LEFT_ALTERNATE_SCREEN, CURSOR_SHOWN = b"\x1b[?1049l", b"\x1b[?25h"


@pytest.fixture(scope="module")
def cluster() -> Iterator[FrozenCluster]:
    with FrozenCluster() as cluster:
        yield cluster


def colors(written: bytes) -> set[str]:
    """Which kinds of colors were used."""
    found = set()
    for match in SGR.finditer(written):
        codes = match[1].decode().split(";")
        for kind, name in (("2", "true"), ("5", "256")):
            if any(one in ("38", "48") and two == kind for one, two in pairwise(codes)):
                found.add(name)
        if not {"38", "48"} & set(codes) and any(re.fullmatch("[349][0-7]|10[0-7]", code) for code in codes):
            found.add("16")
    return found


@pytest.mark.parametrize(
    ("term", "color_term", "expected"),
    [
        ("xterm-256color", "truecolor", {"true"}),
        ("xterm-256color", "", {"256"}),
        ("tmux-256color", "", {"256"}),
        ("screen", "", {"16"}),
        ("tmux", "", {"16"}),
        ("xterm", "", {"16"}),
        ("linux", "", {"16"}),
    ],
)
def test_each_terminal_gets_the_colors_that_it_knows(
    cluster: FrozenCluster, tmp_path: Path, term: str, color_term: str, expected: set[str]
) -> None:
    variables = {"TERM": term, "COLORTERM": color_term}
    with cockpit_in_a_terminal("--address", cluster.url, home=tmp_path, variables=variables) as terminal:
        terminal.settle()
        assert colors(terminal.written) == expected
        assert "CPU" in terminal.text
        assert terminal.text.isascii() == (term == "linux")


def test_no_color_means_none(cluster: FrozenCluster, tmp_path: Path) -> None:
    with cockpit_in_a_terminal(
        "--address", cluster.url, home=tmp_path, variables={"NO_COLOR": "1", "COLORTERM": "truecolor"}
    ) as terminal:
        terminal.settle()
        inks = {
            tuple(codes[index + 2 : index + 5])
            for match in SGR.finditer(terminal.written)
            if (codes := match[1].decode().split(";"))
            for index, code in enumerate(codes)
            if code in ("38", "48") and codes[index + 1] == "2"
        }
        assert all(len(set(parts)) == 1 for parts in inks), "greys alone"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"LANG": "de_DE.UTF-8"}, False),
        ({"LANG": "en_US.utf8", "LC_CTYPE": "C"}, True),
        ({"LC_ALL": "POSIX", "LANG": "en_US.UTF-8"}, True),
        ({"LANG": "de_DE.ISO-8859-1"}, True),
        ({}, True),
        ({"LC_CTYPE": "C.UTF-8"}, True),  # what Python makes of none
        ({"LC_CTYPE": "UTF-8"}, False),  # as macOS has it
        ({"LC_ALL": "C.UTF-8"}, False),
        ({"LANG": "C.UTF-8", "TERM": "linux"}, True),
    ],
)
def test_the_locale_tells_what_may_be_drawn(variables: dict[str, str], expected: bool) -> None:
    assert is_ascii(variables) == expected


def test_a_locale_without_unicode_draws_ascii_alone(cluster: FrozenCluster, tmp_path: Path) -> None:
    variables = {"LC_ALL": "C", "LANG": "C"}
    with cockpit_in_a_terminal("--address", cluster.url, home=tmp_path, variables=variables) as terminal:
        terminal.settle()
        assert terminal.text.isascii(), [letter for letter in terminal.text if not letter.isascii()]


def test_a_dumb_terminal_gets_a_sentence(tmp_path: Path) -> None:
    terminal = Terminal([], tmp_path, {"TERM": "dumb"})
    try:
        assert terminal.wait_for_end() == 2
        assert b"This terminal cannot draw a screen (TERM=dumb)." in terminal.written
        assert b"rayakash-tui jobs" in terminal.written
    finally:
        terminal.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_leaves_the_terminal_sane(
    cluster: FrozenCluster, tmp_path: Path, number: signal.Signals
) -> None:
    with cockpit_in_a_terminal("--address", cluster.url, home=tmp_path) as terminal:
        os.kill(terminal.pid, number)
        assert terminal.wait_for_end() == 128 + number
        assert is_sane(terminal)
        assert LEFT_ALTERNATE_SCREEN in terminal.written
        assert CURSOR_SHOWN in terminal.written[terminal.written.rindex(LEFT_ALTERNATE_SCREEN) :]


def is_sane(terminal: Terminal) -> bool:
    """Whether it shows what is typed, and takes lines."""
    wanted = termios.ECHO | termios.ICANON | termios.ISIG
    return bool(terminal.modes[3] & wanted == wanted)


@pytest.mark.parametrize("variables", [{}, {"RAYAKASH_TEST_IGNORES": "SIGHUP"}])
def test_a_lost_terminal_leaves_no_process(cluster: FrozenCluster, tmp_path: Path, variables: dict[str, str]) -> None:
    if variables:  # as under nohup
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with cockpit_in_a_terminal("--address", cluster.url, home=tmp_path) as terminal:
            everything = [terminal.pid, *(child.pid for child in descendants(terminal.pid, table()))]
            terminal.lose()
            eventually(lambda: all(identity(pid) is None for pid in everything), "processes are left")
    finally:
        if variables:
            signal.signal(signal.SIGHUP, before)


def test_a_suspended_one_gives_the_terminal_back_and_draws_all_anew(cluster: FrozenCluster, tmp_path: Path) -> None:
    with cockpit_in_a_terminal("--address", cluster.url, home=tmp_path) as terminal:
        terminal.settle()
        before = terminal.text
        os.kill(terminal.pid, signal.SIGTSTP)
        eventually(lambda: state_of(terminal.pid) == "T", "it was not suspended")
        terminal.settle()
        assert is_sane(terminal)
        terminal.wipe()
        os.kill(terminal.pid, signal.SIGCONT)
        terminal.read_for(PATIENCE, until="ci-smoke-12")
        terminal.settle()
        assert terminal.text == before


def test_ctrl_z_goes_back_to_the_shell_and_fg_draws_all_anew(cluster: FrozenCluster, tmp_path: Path) -> None:
    shell = Terminal(["--norc", "--noprofile", "-i"], tmp_path, {"PS1": "shell> "}, program=["bash"])
    try:
        command = [sys.executable, "-m", "cockpit", "--address", cluster.url]
        shell.send(shlex.join(command).encode() + b"\n")
        shell.wait_for("ci-smoke-12")
        shell.settle()
        seen = len(shell.written)
        shell.send(b"\x1a")

        def has_come(text: bytes) -> bool:
            shell.read_for(0.1)
            return text in shell.written[seen:]

        eventually(lambda: has_come(b"Stopped"), "it was not suspended")
        assert LEFT_ALTERNATE_SCREEN in shell.written[seen:]
        seen = len(shell.written)
        shell.send(b"fg\n")
        eventually(lambda: has_come(b"ci-smoke-12"), "it was not drawn")
    finally:
        shell.close()


def test_ctrl_z_under_a_wrapper_stops_both_and_fg_brings_both_back(cluster: FrozenCluster, tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text(
        f"look:\n\t@cd {shlex.quote(str(ROOT))} && {sys.executable} -m cockpit --address {cluster.url}\n"
    )
    shell = Terminal(["--norc", "--noprofile", "-i"], tmp_path, {"PS1": "shell> "}, program=["bash"])
    try:
        shell.send(shlex.join(["make", "-C", str(tmp_path), "look"]).encode() + b"\n")
        shell.wait_for("ci-smoke-12")
        shell.settle()
        seen = len(shell.written)

        def has_come(text: bytes) -> bool:
            shell.read_for(0.1)
            return text in shell.written[seen:]

        shell.send(b"\x1a")
        eventually(lambda: has_come(b"Stopped"), "it was not suspended")
        shell.send(b"echo al''ive\n")
        eventually(lambda: has_come(b"alive"), "the shell takes no command")
        seen = len(shell.written)
        shell.send(b"fg\n")
        eventually(lambda: has_come(b"ci-smoke-12"), "it was not drawn")
        shell.settle()
        seen = len(shell.written)
        shell.send(b"q")
        eventually(lambda: has_come(b"shell> "), "it was not left")
    finally:
        shell.close()


def test_ctrl_c_says_how_to_quit(cluster: FrozenCluster, tmp_path: Path) -> None:
    with cockpit_in_a_terminal("--address", cluster.url, home=tmp_path) as terminal:
        terminal.settle()
        terminal.send(b"\x03")
        terminal.wait_for("Press q")
        assert "[b]" not in terminal.text


@pytest.mark.parametrize("pane", [b"2", b"5"])
def test_ctrl_z_without_a_shell_is_no_trap(cluster: FrozenCluster, tmp_path: Path, pane: bytes) -> None:
    with cockpit_in_a_terminal("--address", cluster.url, home=tmp_path) as terminal:
        terminal.settle()
        terminal.send(pane + b"\x1a")
        terminal.wait_for("No shell to return to.")


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.parametrize(
    ("burst", "seen", "not_seen"),
    [
        (b"/ci\r", "7 of 40 rows", "Stop job"),
        (b"/ci\rx", "Stop job ci-smoke-12?", "ever"),
        (b"/xcs\r", "0 of 40 rows", "Submit"),
        (b"/zz\x7f\x7fci\r", "7 of 40 rows", "Stop job"),
    ],
)
def test_keys_of_one_burst_go_where_each_belongs(
    cluster: FrozenCluster, tmp_path: Path, burst: bytes, seen: str, not_seen: str
) -> None:
    with cockpit_in_a_terminal("--address", cluster.url, home=tmp_path) as terminal:
        terminal.settle()
        terminal.send(burst)
        terminal.wait_for(seen)
        terminal.settle()
        assert not_seen not in terminal.text


@pytest.mark.parametrize(("osc", "begin"), [(9, b"\x1b]9;"), (777, b"\x1b]777;notify;rayakash;")])
def test_the_end_of_a_followed_job_is_told_to_the_terminal(
    cluster: FrozenCluster, tmp_path: Path, osc: int, begin: bytes
) -> None:
    config = tmp_path / "config" / "rayakash-tui" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'[ui]\nstart = "jobs"\n[notify]\nosc = {osc}\n')
    job = cluster.running()[0]
    variables = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "TMUX": ""}
    with cockpit_in_a_terminal("--address", cluster.url, home=tmp_path, variables=variables) as terminal:
        terminal.send(b"/" + job.encode() + b"\r")
        terminal.wait_for("1 of 40 rows")
        terminal.send(b"l")
        terminal.wait_for("following")
        cluster.stop(job)
        terminal.send(b"2r")

        def is_told() -> bool:
            terminal.read_for(0.1)
            return begin + job.encode() + b" stopped\x07" in terminal.written

        eventually(is_told, "nothing was told")
        assert b"\x07" in terminal.written


def test_over_ssh_nothing_is_repainted_often(cluster: FrozenCluster, tmp_path: Path) -> None:
    from cockpit.cli.cockpit import FRAMES_OVER_SSH

    assert FRAMES_OVER_SSH < 60  # what Textual draws at most otherwise
    variables = {"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}
    with cockpit_in_a_terminal("--address", cluster.url, home=tmp_path, variables=variables) as terminal:
        terminal.settle()
        assert terminal.read_for(5.0) == b""
