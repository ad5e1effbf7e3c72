"""The state of the detached local Ray: private, and believed only while its supervisor lives."""

import os
from pathlib import Path

import msgspec
import pytest

from cockpit import settings
from cockpit.errors import LocalRayError
from cockpit.local import processes, state
from cockpit.local.state import LocalCluster

TOKEN = "the-token-of-the-local-ray-in-this-test"


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "state_directory", lambda: tmp_path / "state")


def cluster() -> LocalCluster:
    """A local Ray whose supervisor is this very process."""
    return LocalCluster(
        address="http://127.0.0.1:20001",
        token=TOKEN,
        gcs_address="127.0.0.1:20000",
        temp_dir="/tmp/rayakash-0123abcd",
        supervisor_pid=os.getpid(),
        supervisor_identity=processes.identity(os.getpid()) or "",
        ray_version="2.60.0",
    )


def test_no_file_means_no_ray() -> None:
    assert state.saved() is state.local_status() is state.stale_state() is None


def test_what_was_saved_is_private_and_comes_back() -> None:
    state.save(cluster())
    assert state.state_path().stat().st_mode & 0o777 == 0o600
    assert state.local_status() == cluster()
    assert state.stale_state() is None


def test_repr_keeps_the_token() -> None:
    assert TOKEN not in f"{cluster()!r} {cluster()} {[cluster()]}"


def test_a_reused_pid_is_not_the_supervisor() -> None:
    stale = msgspec.structs.replace(cluster(), supervisor_identity="another boot/1")
    state.save(stale)
    assert state.local_status() is None
    assert state.stale_state() == stale


@pytest.mark.parametrize("text", [b"", b"{}", b"[1]", b"not json", b'{"address": 1}'])
def test_a_broken_file_is_said(text: bytes) -> None:
    settings.write_private(state.state_path(), text)
    with pytest.raises(LocalRayError) as caught:
        state.local_status()
    assert str(state.state_path()) in caught.value.title
    assert caught.value.hint


def test_a_file_that_points_at_a_foreign_directory_is_not_trusted() -> None:
    state.save(msgspec.structs.replace(cluster(), temp_dir=str(Path.home())))
    with pytest.raises(LocalRayError):
        state.stale_state()
