"""A real Secret Service on a bus of its own: gnome-keyring, unlocked, locked, stopped or killed as a test wants it."""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest

from tests.secrets.machine import GUARD_S, Machine

NEEDED = ("gnome-keyring-daemon", "dbus-daemon", "dbus-monitor", "secret-tool")
PACKAGES = "gnome-keyring, dbus and libsecret-tools (apt), and SecretStorage (pip)"


class SecretService:
    """The daemon, the bus it is on, and the machine whose processes see it."""

    def __init__(self, machine: Machine, address: str) -> None:
        self.machine = machine
        self.address = address
        machine.environment["DBUS_SESSION_BUS_ADDRESS"] = address
        self._daemon: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the daemon with its collection unlocked."""
        command = ["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"]
        self._daemon = _started(command, self.machine, stdin=subprocess.PIPE)
        assert self._daemon.stdin is not None
        self._daemon.stdin.write(b"the password of the keyring")
        self._daemon.stdin.close()
        _until(self._is_unlocked)

    def lock(self) -> None:
        """Lock the collection, as a screen saver may."""
        with self.bus() as bus:
            _secretstorage().Collection(bus).lock()

    def stop(self) -> None:
        """From now on it does not answer."""
        assert self._daemon is not None
        self._daemon.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._daemon is not None
        self._daemon.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        if self._daemon is not None:
            self._daemon.kill()
            self._daemon.wait(GUARD_S)
            self._daemon = None

    @contextmanager
    def bus(self) -> Iterator[Any]:
        jeepney: Any = import_module("jeepney.io.blocking")
        with closing(jeepney.open_dbus_connection(self.address)) as bus:
            yield bus

    @contextmanager
    def witness(self) -> Iterator[Callable[[], None]]:
        """Watch the bus; what is given waits until somebody has asked the service something."""
        command = [
            "dbus-monitor",
            "--address",
            self.address,
            "type='method_call',destination='org.freedesktop.secrets'",
        ]
        with subprocess.Popen(command, env=self.machine.environment, stdout=subprocess.PIPE, text=True) as monitor:
            lines = monitor.stdout
            assert lines is not None
            guard = threading.Timer(GUARD_S, monitor.kill)
            guard.start()
            try:
                _read_past(lines, "NameLost")  # from now on it sees everything
                yield lambda: _read_past(lines, "destination=org.freedesktop.secrets")
            finally:
                guard.cancel()
                monitor.kill()

    def stored(self) -> str:
        """Everything that another program finds under our services, as a second witness."""
        command = ["secret-tool", "search", "--all", "application", "Python keyring library"]
        done = subprocess.run(command, env=self.machine.environment, capture_output=True, timeout=GUARD_S, check=False)
        return (done.stdout + done.stderr).decode()

    def _is_unlocked(self) -> bool:
        storage = _secretstorage()
        with self.bus() as bus:
            try:
                return not storage.Collection(bus).is_locked()
            except storage.exceptions.SecretStorageException:
                return False


def _read_past(lines: Iterable[str], words: str) -> None:
    assert any(words in line for line in lines), f"nobody said {words!r}"


def _secretstorage() -> Any:
    return pytest.importorskip("secretstorage")


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + GUARD_S
    while not holds():
        assert time.monotonic() < deadline, "the Secret Service does not come up"
        time.sleep(0.02)


def _started(command: list[str], machine: Machine, stdin: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command,
        env=machine.environment,
        stdin=stdin,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def skip_without_packages() -> None:
    """Skip where there is nothing to test with, and say what to install."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing or find_spec("secretstorage") is None:
        pytest.skip(f"needs {PACKAGES}")


@contextmanager
def secret_service(machine: Machine) -> Iterator[SecretService]:
    """A bus, and an unlocked Secret Service on it."""
    skip_without_packages()
    # A bus without services to activate: a killed daemon is gone, and not replaced behind a test's back.
    # The path of its socket has to fit into 107 bytes, which a test's own directory may exceed.
    sockets = tempfile.mkdtemp(prefix="rk-", dir="/tmp")
    config = machine.directory / "bus.conf"
    config.write_text(BUS.format(directory=sockets))
    bus = subprocess.Popen(
        ["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address=1"],
        env=machine.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    )
    assert bus.stdout is not None
    service = SecretService(machine, bus.stdout.readline().strip())
    try:
        service.start()
        yield service
    finally:
        service.kill()
        os.kill(bus.pid, signal.SIGTERM)
        bus.wait(GUARD_S)
        bus.stdout.close()
        shutil.rmtree(sockets)


BUS = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir={directory}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""
