"""What ssh asks, asked on a terminal by a command: hidden where it is secret, told what to do where it went wrong."""

import os
import shlex
import signal
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.local.processes import table
from tests.ssh_server import Bastion, eventually, make_key, needs_sshd
from tests.ui.pty_cockpit import FrozenCluster, Terminal
from tests.wire.behind import bastion, lock_key, runtime
from tests.wire.commands import home

__all__ = ["bastion", "home", "runtime"]
SANE = termios.ECHO | termios.ICANON | termios.ISIG
pytestmark = [needs_sshd, pytest.mark.usefixtures("home", "runtime"), pytest.mark.lengthy]


@pytest.fixture(scope="module")
def cluster() -> Iterator[FrozenCluster]:
    with FrozenCluster() as cluster:
        yield cluster


@pytest.fixture
def terminal(
    cluster: FrozenCluster, bastion: Bastion, home: Path, request: pytest.FixtureRequest
) -> Iterator[Terminal]:
    """A terminal with `jobs` in it; what is to be asked is made so before by the parameter, a function."""
    request.param(bastion)
    terminal = Terminal(["jobs", "--ssh", "bastion", "--address", cluster.url], home)
    try:
        yield terminal
    finally:
        terminal.close()


def unknown_host(bastion: Bastion) -> None:
    (bastion.directory / "known_hosts").unlink()


def changed_host(bastion: Bastion) -> None:
    bastion.know_host(make_key(bastion.directory / "other"))


def password_only(bastion: Bastion) -> None:
    bastion.end()
    bastion.settings["PasswordAuthentication"] = "yes"
    bastion.settings["PubkeyAuthentication"] = "no"
    bastion.start()


def asked(kind: object) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("terminal", [kind], indirect=True)


def has_said(terminal: Terminal, text: bytes, times: int) -> bool:
    terminal.read_for(0.1)
    return terminal.written.count(text) >= times


def processes_of(runtime: Path) -> list[str]:
    lines = []
    for pid in table():
        try:
            lines.append(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return [line for line in lines if str(runtime) in line]


@asked(lock_key)
def test_a_passphrase_is_asked_for_and_hidden(terminal: Terminal, runtime: Path) -> None:
    terminal.wait_for("Enter passphrase for key")
    assert "ssh bastion:" in terminal.text
    terminal.send(b"sesame\n")
    assert terminal.wait_for_end() == 0
    assert b"ci-smoke-12" in terminal.written
    assert b"sesame" not in terminal.written
    assert not processes_of(runtime)


@asked(lock_key)
def test_no_answer_gives_up_and_says_what_to_do(terminal: Terminal) -> None:
    terminal.wait_for("Enter passphrase for key")
    terminal.send(b"\n")
    assert terminal.wait_for_end() == 4
    assert "bastion refused the login." in terminal.text
    assert terminal.text.count("Enter passphrase") == 1


@asked(password_only)
def test_a_password_is_asked_for_and_hidden(terminal: Terminal) -> None:
    for asked in range(1, 4):  # as often as ssh asks
        eventually(lambda asked=asked: has_said(terminal, b"password:", asked), "the question")
        terminal.send(b"open-sesame\n")
    assert terminal.wait_for_end() == 4
    assert "bastion refused the login." in terminal.text
    assert b"open-sesame" not in terminal.written


@asked(unknown_host)
def test_a_host_key_is_shown_and_agreed_to(terminal: Terminal, bastion: Bastion) -> None:
    terminal.wait_for("continue connecting (yes/no/[fingerprint])?")
    assert "SHA256:" in terminal.text
    terminal.send(b"yes\n")
    assert terminal.wait_for_end() == 0
    assert b"yes" in terminal.written, "what is no secret can be seen"
    assert (bastion.directory / "known_hosts").exists()


@asked(unknown_host)
def test_a_host_key_that_is_not_agreed_to(terminal: Terminal, bastion: Bastion) -> None:
    terminal.wait_for("continue connecting (yes/no/[fingerprint])?")
    terminal.send(b"no\n")
    assert terminal.wait_for_end() == 4
    assert "The host key of bastion was not agreed to." in terminal.text
    assert not (bastion.directory / "known_hosts").exists()


@asked(changed_host)
def test_a_changed_host_key_is_no_question(terminal: Terminal) -> None:
    assert terminal.wait_for_end() == 4
    assert "The host key of bastion has changed; nothing was sent there." in terminal.text
    assert "ssh-keygen -R" in terminal.text
    assert "yes/no" not in terminal.text


@asked(lock_key)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_end_in_the_middle_of_a_question_leaves_nothing(
    terminal: Terminal, runtime: Path, number: signal.Signals
) -> None:
    terminal.wait_for("Enter passphrase for key")
    if number is signal.SIGINT:
        terminal.send(b"\x03")
    else:
        os.kill(terminal.pid, number)
    assert terminal.wait_for_end() in (130, -number)
    assert terminal.modes[3] & SANE == SANE
    eventually(lambda: not processes_of(runtime), "processes are left")
    eventually(lambda: not list(runtime.iterdir()), "files are left")


def test_a_question_that_was_suspended_stays_hidden(cluster: FrozenCluster, bastion: Bastion, home: Path) -> None:
    lock_key(bastion)
    shell = Terminal(["--norc", "--noprofile", "-i"], home, {"PS1": "shell> "}, program=["bash"])
    try:
        said(shell, b"shell> ")
        command = [sys.executable, "-m", "cockpit", "jobs", "--ssh", "bastion", "--address", cluster.url]
        shell.send(shlex.join(command).encode() + b"\n")
        said(shell, b"Enter passphrase for key")
        shell.send(b"\x1a")
        said(shell, b"Stopped")
        assert shell.modes[3] & termios.ISIG
        shell.send(b"fg\n")
        said(shell, b"shell> fg")
        eventually(lambda: shell.modes[3] & (termios.ECHO | termios.ICANON) == termios.ICANON, "it can be seen")
        shell.send(b"sesame\n")
        said(shell, b"ci-smoke-12")
        assert b"sesame" not in shell.written
    finally:
        shell.close()


def said(terminal: Terminal, text: bytes) -> None:
    eventually(lambda: has_said(terminal, text, 1), f"{text!r} is not in {terminal.written!r}")
