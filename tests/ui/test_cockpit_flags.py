"""`--record`, `--replay` and `--read-only` as a user gives them, on a real terminal."""

import gzip
import stat
from pathlib import Path

from tests.ui.pty_cockpit import FrozenCluster, cockpit_in_a_terminal

JOB = b"ci-smoke-12"


def test_a_session_is_recorded_and_shown_again_without_its_cluster(tmp_path: Path) -> None:
    recording = tmp_path / "session.rec"
    with FrozenCluster() as cluster:
        flags = ("--address", cluster.url, "--record", str(recording))
        with cockpit_in_a_terminal(*flags, home=tmp_path) as terminal:
            terminal.send(b"3")
            terminal.wait_for("HELD BY")
            terminal.send(b"q")
            assert terminal.wait_for_end() == 0
    assert stat.S_IMODE(recording.stat().st_mode) == 0o600
    assert JOB in gzip.decompress(recording.read_bytes())
    with cockpit_in_a_terminal("--replay", str(recording), home=tmp_path, seen="REPLAY") as terminal:
        terminal.wait_for(JOB.decode())
        assert "replay of session.rec" in terminal.text
        terminal.send(b"3")
        terminal.wait_for("HELD BY")
        terminal.send(b"s")
        terminal.wait_for("refused")


def test_a_recording_is_never_written_over_a_file(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    with FrozenCluster() as cluster:
        flags = ("--address", cluster.url, "--record", str(precious))
        with cockpit_in_a_terminal(*flags, home=tmp_path, seen="exists already"):
            assert precious.read_text() == "mine"


def test_what_is_no_recording_is_said_on_the_screen(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    foreign.write_text("{}")
    with cockpit_in_a_terminal("--replay", str(foreign), home=tmp_path, seen="is not a recording"):
        pass


def test_a_read_only_cockpit_refuses_what_changes_anything(tmp_path: Path) -> None:
    with FrozenCluster() as cluster:
        with cockpit_in_a_terminal("--address", cluster.url, "--read-only", home=tmp_path) as terminal:
            terminal.send(b"x")
            terminal.wait_for("refused")
        assert "ci-smoke-12" in cluster.running()
