"""What tests of the way through a bastion share: a real sshd, a place for sockets, and a dashboard behind it."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from cockpit.clients.ssh.questions import answer_ssh_with
from cockpit.local.processes import table
from tests.sim import Plan, SimCluster, SimServer
from tests.ssh_server import Bastion, make_key

SMALL = Plan(nodes=2, gpus=2, jobs=5)


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The login's own directory, whose name is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="rt-") as directory:
        monkeypatch.setenv("XDG_RUNTIME_DIR", directory)
        yield Path(directory)


@pytest.fixture
def bastion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: Path) -> Iterator[Bastion]:
    assert runtime.is_dir()
    with Bastion(tmp_path) as bastion:
        monkeypatch.setenv("PATH", bastion.path)
        yield bastion


@pytest.fixture(autouse=True)
def nobody_answers() -> Iterator[None]:
    yield
    answer_ssh_with(None)


@pytest.fixture
async def ray() -> AsyncIterator[SimServer]:
    async with SimServer(SimCluster(SMALL)) as server:
        yield server


def ours(directory: Path) -> list[str]:
    """Command lines of processes that have to do with this test's directory."""
    found = []
    for pid in table():
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if "rayakash-ssh" in line and str(directory) in line:
            found.append(line)
    return found


def lock_key(bastion: Bastion) -> None:
    key = make_key(bastion.directory / "locked", "sesame")
    bastion.accept(key)
    bastion.client(IdentityFile=str(key))
