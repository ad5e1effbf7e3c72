"""An editor that is killed while somebody types loses a second at most, and offers the rest when it is opened again."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cockpit.model.secret import Secret

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
LOSS = 1.0  # seconds
PROBES = 6
SECRET = Secret("hf_sim" + "SecretValue")


class Terminal:
    """A process on a terminal, and all that it wrote there."""

    def __init__(self, process: "subprocess.Popen[bytes]", descriptor: int) -> None:
        self.process = process
        self._descriptor = descriptor
        self.seen = b""

    def read(self, seconds: float = 0.02) -> None:
        if select.select([self._descriptor], [], [], seconds)[0]:
            self.seen += os.read(self._descriptor, 65536)

    def type(self, text: str) -> None:
        os.write(self._descriptor, text.encode())

    def wait_for(self, text: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while text.encode() not in self.seen:
            assert time.monotonic() < deadline, f"{text!r} did not come"
            self.read()


@contextmanager
def editor(path: Path, home: Path) -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(home), "TERM": "xterm-256color", "PYTHONPATH": str(ROOT),
        "LINES": "24", "COLUMNS": "80", "LANG": "C.UTF-8", "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }  # fmt: skip
    command = [sys.executable, "-m", "cockpit", "sdl", "edit", str(path)]
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def draft_in(home: Path) -> str:
    """The text of the only draft, or nothing."""
    for note in home.rglob("drafts/*.json"):
        assert note.stat().st_mode & 0o777 == 0o600
        return str(json.loads(note.read_bytes())["text"])
    return ""


def test_a_killed_editor_loses_a_second_at_most_and_offers_the_rest(tmp_path: Path) -> None:
    home, path = tmp_path / "home", tmp_path / "web.yaml"
    home.mkdir()
    path.write_text(f"version: '2.0'\nservices:\n  web:\n    env:\n      - HF_TOKEN={SECRET.reveal()}\n")
    before = path.read_bytes()
    waits: list[float] = []
    with editor(path, home) as terminal:
        terminal.wait_for("HF_TOKEN")
        terminal.type("\x14")
        terminal.wait_for("version")
        for number in range(PROBES):
            # Typed right after a draft was written, a word has the longest time ahead until the next one.
            begun = time.monotonic()
            terminal.type(f"w{number}x")
            while f"w{number}x" not in draft_in(home):
                assert time.monotonic() < begun + PATIENCE, "no draft came"
                terminal.read()
            waits.append(time.monotonic() - begun)
        terminal.type("lost")
        terminal.process.send_signal(signal.SIGKILL)
        terminal.process.wait()
    text = draft_in(home)
    assert "".join(f"w{number}x" for number in range(PROBES)) in text
    # The best of several: a busy machine makes single ones longer, and never shorter.
    assert min(waits) < LOSS
    assert path.read_bytes() == before
    assert SECRET.reveal() not in text
    with editor(path, home) as terminal:
        terminal.wait_for("was edited until")
        terminal.type("\x1b[B\r")
        terminal.wait_for("w0x")
