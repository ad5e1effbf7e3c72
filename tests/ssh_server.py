"""A real sshd of the test's own: its configuration, keys and port, on loopback; and an `ssh` that knows only it."""

import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

import pytest

SSHD = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
SSH = shutil.which("ssh")
PATIENCE = 30.0
USER = pwd.getpwuid(os.geteuid()).pw_name

needs_sshd = pytest.mark.skipif(SSHD is None, reason="needs a real sshd: install openssh-server")


class Bastion:
    """Listens on a port of its own, which stays the same when it is ended and started again."""

    def __init__(self, directory: Path, **settings: str) -> None:
        self.directory = directory
        self.port = _free_port()
        self.settings = settings
        self.accepted: list[Path] = []
        self._process: subprocess.Popen[bytes] | None = None
        self.host_key = make_key(directory / "host_key")
        self.key = make_key(directory / "id_ed25519")
        self.accept(self.key)
        self.know_host()
        self._write_client("bastion")

    @property
    def path(self) -> str:
        """A PATH on which `ssh` is the real one, with our configuration in the place of the user's."""
        return f"{self.directory / 'bin'}:{os.environ['PATH']}"

    def accept(self, key: Path) -> None:
        """Let in whoever has this key."""
        self.accepted.append(key)
        keys = "".join(one.with_suffix(".pub").read_text() for one in self.accepted)
        (self.directory / "authorized_keys").write_text(keys)

    def know_host(self, key: Path | None = None) -> None:
        """Have the client know the host, by this key or by its own."""
        public = (key or self.host_key).with_suffix(".pub").read_text()
        (self.directory / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {public}")

    def client(self, **settings: str) -> None:
        """Add to the client's configuration; what comes first holds."""
        self._write_client("bastion", **settings)

    def _write_client(self, host: str, **settings: str) -> None:
        lines = {
            **settings,
            "HostName": "127.0.0.1",
            "Port": str(self.port),
            "User": USER,
            "UserKnownHostsFile": str(self.directory / "known_hosts"),
            "GlobalKnownHostsFile": "/dev/null",
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
        }
        lines.setdefault("IdentityFile", str(self.key))
        text = "".join(f"  {name} {value}\n" for name, value in lines.items())
        (self.directory / "ssh_config").write_text(f"Host {host}\n{text}")
        program = self.directory / "bin" / "ssh"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/sh\nexec {SSH} -F {self.directory / "ssh_config"} "$@"\n')
        program.chmod(stat.S_IRWXU)

    def start(self) -> None:
        """Listen."""
        settings = {
            "ListenAddress": "127.0.0.1",
            "Port": str(self.port),
            "HostKey": str(self.host_key),
            "PidFile": "none",
            "AuthorizedKeysFile": str(self.directory / "authorized_keys"),
            "StrictModes": "no",
            "UsePAM": "no",
            "PasswordAuthentication": "no",
            "KbdInteractiveAuthentication": "no",
            "PermitRootLogin": "yes",
            **self.settings,
        }
        config = self.directory / "sshd_config"
        config.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where root's sshd locks itself up
        assert SSHD is not None
        log = (self.directory / "sshd.log").open("ab")
        self._process = subprocess.Popen(
            [SSHD, "-D", "-e", "-f", str(config)], stdin=subprocess.DEVNULL, stderr=log, start_new_session=True
        )
        log.close()
        eventually(self._answers, f"sshd: {(self.directory / 'sshd.log').read_text()}")

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as line:
                return line.recv(4) == b"SSH-"
        except OSError:
            return False

    def end(self) -> None:
        """Be gone at once, with all who are connected: as a machine that reboots."""
        if self._process is None:
            return
        for pid in [self._process.pid, *_descendants(self._process.pid)]:
            with suppress(ProcessLookupError):  # a session that has just ended by itself
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def make_key(path: Path, passphrase: str = "") -> Path:
    """A new key at `path`, and its public half beside it."""
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "test", "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path


def eventually(check: "object", what: str) -> None:
    """Wait until the check holds; the test fails where that does not come."""
    assert callable(check)
    end = time.monotonic() + PATIENCE
    while not check():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _descendants(pid: int) -> list[int]:
    from cockpit.local.processes import descendants, table

    return [process.pid for process in descendants(pid, table())]
