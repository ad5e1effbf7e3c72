"""The command line: in this process where that is quick, in one of its own where it must be."""

import asyncio
import contextlib
import io
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cockpit.cli.main import run
from tests import json_checks

REPOSITORY = Path(__file__).resolve().parents[2]
DIRECTORIES = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR")


class Done(msgspec.Struct, frozen=True):
    """How a command ended, and what it wrote."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """stdout as text."""
        return self.out.decode()

    @property
    def data(self) -> dict[str, Any]:
        """The one object on stdout."""
        assert self.out.count(b"\n") == 1
        found: dict[str, Any] = json.loads(self.out)
        return found


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user of the test's own, whose environment names no cluster and no token."""
    for name in list(os.environ):
        if name.startswith(("RAY_", "RAYAKASH_")) or name in ("COLUMNS", "LINES"):
            monkeypatch.delenv(name)
    for name in DIRECTORIES:
        monkeypatch.setenv(name, str(tmp_path / "home"))
    # No question to a keyring of whoever runs the tests.
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def write_contexts(home: Path, text: str) -> None:
    """Let `config.toml` say this; where it is differs by system."""
    from cockpit.settings import config_file

    assert config_file().is_relative_to(home)
    config_file().parent.mkdir(parents=True, exist_ok=True)
    config_file().write_text(text, encoding="utf-8")


async def here(*argv: str, encoding: str = "utf-8") -> Done:
    """Run a command in a thread of this process, one at a time; needs the fixture `home`."""
    done = await asyncio.to_thread(_run, argv, encoding)
    json_checks.hold(argv, done.out)
    return done


def _run(argv: tuple[str, ...], encoding: str) -> Done:
    out, err = io.BytesIO(), io.BytesIO()
    with (
        io.TextIOWrapper(out, encoding=encoding, write_through=True) as stdout,
        io.TextIOWrapper(err, encoding="utf-8", write_through=True) as stderr,
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
    ):
        try:
            code = run(argv)
        except SystemExit as exit_:  # argparse
            code = int(exit_.code or 0)
        stdout.flush()
        stderr.flush()
        return Done(code, out.getvalue(), err.getvalue().decode())


async def start(*argv: str, script: str | None = None, **streams: Any) -> asyncio.subprocess.Process:
    """Start a command in a process of its own, or a script with these arguments; needs the fixture `home`."""
    program = ["-m", "cockpit"] if script is None else ["-c", script]
    pipes = {"stdin": asyncio.subprocess.DEVNULL, "stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE}
    return await asyncio.create_subprocess_exec(
        sys.executable, *program, *argv, **{**pipes, **streams}, env=_environment(), cwd=REPOSITORY
    )


async def finish(process: asyncio.subprocess.Process, *, seconds: float = 60.0) -> Done:
    """Wait for its end; it is killed and the test fails where that does not come."""
    try:
        async with asyncio.timeout(seconds):
            out, err = await process.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    assert process.returncode is not None
    return Done(process.returncode, out or b"", (err or b"").decode())


async def alone(*argv: str, **streams: Any) -> Done:
    """Run a command in a process of its own."""
    done = await finish(await start(*argv, **streams))
    json_checks.hold(argv, done.out)
    return done


async def says(stream: asyncio.StreamReader | None, words: str) -> str:
    """Read on until these words were written; returns all that was read."""
    assert stream is not None
    text = ""
    async with asyncio.timeout(60):
        while words not in text:
            part = await stream.read(4096)
            assert part, f"ended without {words!r}: {text}"
            text += part.decode()
    return text


def _environment() -> Mapping[str, str]:
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": ""}
