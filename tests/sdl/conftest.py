"""The commands in this process and in one of their own, and files to try them on."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cockpit.cli.main import run
from tests.sdl.figures import corpus_folder
from tests.secrets.fakes import PASSPHRASE
from tests.secrets.machine import Machine, quick_vault
from tests.small_sdl import PLAIN

OPEN = {"RAYAKASH_VAULT_PASSPHRASE": PASSPHRASE}

SMALL = "# who edits this keeps its comments\n" + PLAIN.replace(
    "image: nginx:1.27\n", 'image: nginx:1.27 # pinned\n    env:\n      - MODE=fast\n      - "LEVEL=3"\n'
)


class Done(NamedTuple):
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """The one object on stdout."""
        return json.loads(self.out)


Sdl = Callable[..., Done]


@pytest.fixture
def sdl(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Sdl:
    """Run `rayakash-tui sdl …` in this process, with bytes on stdin if there are any."""

    def command(*arguments: str | Path, stdin: bytes = b"") -> Done:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capfd.readouterr()
        code = run(["sdl", *map(str, arguments)])
        written = capfd.readouterr()
        return Done(code, written.out, written.err)

    return command


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A small SDL that both parsers take and nobody objects to."""
    path = tmp_path / "web.yaml"
    path.write_text(SMALL)
    return path


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with a vault and without a keyring."""
    made = Machine(tmp_path / "machine")
    quick_vault(made.data / "vault")
    return made


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The corpus of real SDLs with the verdicts of both parsers."""
    folder = corpus_folder()
    if folder is None:
        pytest.skip("needs the corpus of real SDLs: set RAYAKASH_SHARED")
    return folder
