"""How much the cockpit writes to its terminal: nothing while nothing happens, little for a little change."""

import re
import sys
from pathlib import Path

import pytest

from cockpit.panes.registry import PANES
from tests.ui.pty_cockpit import PATIENCE, SETTLED_SECONDS, FrozenCluster, cockpit_in_a_terminal

IDLE_SECONDS = 10.0
APART_SECONDS = 1.0  # between Escape and the next key, which together would be another key
POLLED_SECONDS = 8.0  # until the use of the cluster has been asked for once more
HEADER_LINE, TABS_LINE, TITLE_LINE, FIRST_ROW, HINTS_LINE = 2, 3, 5, 7, 40
PREVIEW_LINES = range(27, 40)
A_KILOBYTE = 1000
AGE_BYTES = 500  # the line of counts, drawn anew
ESCAPES = re.compile(rb"\x1b\[[0-9;:?<>=]*[a-zA-Z]|\x1b[\]P_][^\x07\x1b]*(?:\x07|\x1b\\)")
DIALOGS = {
    "submit": b"s",
    "clone": b"c",
    "stop": b"x",
    "detail": b"\r",
    "help": b"?",
    "palette": b"\x10",
    "columns": b"C",
    "copy": b"Y",
    "clusters": b"\x0b",
    "filter": b"/",
}
STOPPED_SIGN = "■"  # its word may stand behind the dialog


def by_line(written: bytes) -> dict[int, int]:
    """Bytes by the line of the screen that they are for; moves of the cursor alone count for nothing."""
    found: dict[int, int] = {}
    for chunk in re.split(rb"(?=\x1b\[\d+;\d+H)", written):
        if (place := re.match(rb"\x1b\[(\d+);", chunk)) and ESCAPES.sub(b"", chunk).strip(b"\r\n"):
            found[int(place[1])] = found.get(int(place[1]), 0) + len(chunk)
    return found


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pty")
def test_an_unchanged_cluster_costs_no_byte_and_a_changed_job_little(tmp_path: Path) -> None:
    with FrozenCluster() as cluster, cockpit_in_a_terminal("--address", cluster.url, home=tmp_path) as terminal:
        terminal.settle(SETTLED_SECONDS)
        idle = terminal.read_for(IDLE_SECONDS)
        assert idle == b""
        # The costliest: the job under the cursor, so that its row, what is said of it, the keys that make sense for
        # it, the numbers of jobs and, with a later answer, the use of the cluster are all others than before. Alone
        # in the list, for it would go down among the ended ones.
        terminal.send(b"/ci-smoke-12\r")
        terminal.settle(SETTLED_SECONDS)
        cluster.stop("ci-smoke-12")
        changed = terminal.read_for(PATIENCE, until="STOPPED")
        changed += terminal.read_for(POLLED_SECONDS)
        print(f"one changed job: {len(changed)} bytes: {by_line(changed)}")
        assert FIRST_ROW in by_line(changed)
        assert set(by_line(changed)) <= {HEADER_LINE, TABS_LINE, TITLE_LINE, FIRST_ROW, *PREVIEW_LINES, HINTS_LINE}
        # What its preview says is new to the user, every line of it; all else is little.
        assert sum(size for line, size in by_line(changed).items() if line not in PREVIEW_LINES) < A_KILOBYTE
        assert len(changed) < 3 * A_KILOBYTE
        terminal.send(b"y")
        copied = terminal.read_for(PATIENCE, until="Copied")
        assert b"\x1b]52;c;" in copied + terminal.read_for(1.0)


@pytest.mark.slow
def test_every_dialog_and_every_pane_at_rest_costs_no_byte_but_the_time_of_counts(tmp_path: Path) -> None:
    with FrozenCluster() as cluster, cockpit_in_a_terminal("--address", cluster.url, home=tmp_path) as terminal:
        terminal.settle(SETTLED_SECONDS)
        for name, key in DIALOGS.items():
            terminal.send(key)
            terminal.settle(SETTLED_SECONDS)
            assert terminal.read_for(IDLE_SECONDS) == b"", name
            terminal.send(b"\x1b")
            terminal.read_for(APART_SECONDS)
        for pane in PANES:
            terminal.send(pane.key.encode() or f":{pane.name}\r".encode())
            terminal.settle(SETTLED_SECONDS)
            idle = terminal.read_for(IDLE_SECONDS)
            assert pane.name != "jobs" or idle == b""
            # Beside other panes jobs are asked for once a minute: the header says of when its counts are.
            assert set(by_line(idle)) <= {HEADER_LINE}, pane.name
            assert len(idle) < AGE_BYTES, pane.name


@pytest.mark.slow
def test_a_changed_job_behind_a_dialog_is_drawn_around_it(tmp_path: Path) -> None:
    with FrozenCluster() as cluster, cockpit_in_a_terminal("--address", cluster.url, home=tmp_path) as terminal:
        terminal.settle(SETTLED_SECONDS)
        terminal.send(b"C")  # a narrow one: rows begin left of it
        terminal.settle(SETTLED_SECONDS)
        cluster.stop(cluster.running()[-1])  # the last of those that go on: no other row moves
        behind = terminal.read_for(2 * POLLED_SECONDS)
        print(f"one changed job behind a dialog: {len(behind)} bytes: {by_line(behind)}")
        assert STOPPED_SIGN.encode() in behind
        assert len(behind) < A_KILOBYTE
