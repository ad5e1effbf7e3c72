"""A value that goes through import, render, JSON and errors, and is looked for everywhere afterwards."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sdl.conftest import OPEN, SMALL, Sdl
from tests.secrets.machine import Done, Machine, processes_with

pytestmark = pytest.mark.lengthy
CANARY = "canary3f9c1d77b2"
TEXT = SMALL.replace("      - MODE=fast\n", f"      - API_TOKEN={CANARY}\n")

# The command line with all loggers at their loudest.
LOUD = """
import logging, os, sys
logging.basicConfig(level=0, filename=os.path.join(os.environ["TMPDIR"], "debug.log"))
from cockpit.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


class Witness:
    """Runs commands and keeps all that they said."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.said = ""
        self.sdl = machine.home / "web.yaml"

    def run(self, *arguments: str, stdin: str = "", **environment: str) -> Done:
        done = self.machine.python("-c", LOUD, *arguments, stdin=stdin, **OPEN, **environment)
        self.said += done.said
        return done

    def files(self) -> list[str]:
        """Names of the files that hold the value, in any of the usual spellings."""
        return sorted(path.name for path in self.machine.files_with(CANARY))


@pytest.fixture
def witness(machine: Machine) -> Iterator[Witness]:
    made = Witness(machine)
    made.sdl.write_text(TEXT)
    yield made
    assert CANARY not in made.said
    assert processes_with(CANARY) == []


@pytest.mark.lengthy
def test_it_is_in_the_rendered_file_and_nowhere_else(witness: Witness) -> None:
    assert witness.run("secrets", "import", "web.yaml").code == 0
    assert witness.files() == [], "the vault is encrypted"
    for arguments in (("lint",), ("lint", "--json"), ("show",), ("show", "--json"), ("render",), ("fix", "--dry-run")):
        assert witness.run("sdl", arguments[0], "web.yaml", *arguments[1:]).code == 0
    assert witness.run("sdl", "render", "web.yaml", "-o", "rendered.yaml").code == 0
    assert witness.files() == ["rendered.yaml"]
    assert (witness.machine.home / "rendered.yaml").stat().st_mode & 0o777 == 0o600
    assert witness.run("sdl", "diff", "web.yaml", "rendered.yaml", "--json").code == 0
    assert witness.run("sdl", "lint", "rendered.yaml").code == 0
    assert witness.files() == ["rendered.yaml"]


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT.replace("512Mi", "512mb"),
        TEXT.replace(f"API_TOKEN={CANARY}", CANARY),
        TEXT.replace(f"- API_TOKEN={CANARY}", f"- API_TOKEN: {CANARY}"),
        TEXT.replace(f'      - API_TOKEN={CANARY}\n      - "LEVEL=3"\n', f"      API_TOKEN: {CANARY}\n"),
        TEXT.replace("    env:", "    environment:"),
        TEXT.replace(f"- API_TOKEN={CANARY}", f'- "API_TOKEN={CANARY}'),
        TEXT.replace(f"- API_TOKEN={CANARY}", f"- &a API_TOKEN={CANARY}\n      - *a"),
        TEXT.replace("    env:", f"    credentials: {{host: h, username: u, password: {CANARY}}}\n    env:"),
        TEXT.replace("    env:", f"    args: [sh, -c, 'export API_TOKEN={CANARY}; run 512mb']\n    env:"),
        TEXT.replace(f"- API_TOKEN={CANARY}", f"- API_TOKEN={CANARY}\n      - API_TOKEN=x"),
        TEXT.replace("512Mi", f"512mb # API_TOKEN: {CANARY}"),
        TEXT + "---\n",
        TEXT + "\x07",
    ],
)
def test_no_command_shows_what_stands_in_the_file(sdl: Sdl, small: Path, tmp_path: Path, text: str) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(SMALL)
    small.write_text(text)
    for arguments in (
        ("lint", small), ("lint", small, "--json"), ("show", small), ("show", small, "--json"), ("render", small),
        ("diff", small, other, "--json"), ("diff", other, small), ("fix", small, "--dry-run"), ("fix", small),
        ("set", small, "services.web.env.API_TOKEN.x", "1"), ("set", small, "services.web.image", "nginx:1"),
    ):  # fmt: skip
        done = sdl(*arguments)
        assert done.code in (0, 1, 2)
        assert CANARY not in done.out + done.err
    assert CANARY in small.read_text()


def test_errors_on_the_way_say_nothing(witness: Witness) -> None:
    assert witness.run("secrets", "import", "web.yaml", "--store", "keyring").code == 2
    assert witness.run("secrets", "import", "web.yaml", CANARY[:5]).code == 2
    assert witness.files() == ["web.yaml"]
    assert witness.run("secrets", "import", "web.yaml").code == 0
    assert witness.run("sdl", "render", "web.yaml", "-o", "no/folder.yaml").code == 2
    assert witness.run("sdl", "render", "web.yaml", "--copy").code == 2
    assert witness.files() == []


def test_a_death_while_it_is_rendered_leaves_nothing(witness: Witness) -> None:
    assert witness.run("secrets", "import", "web.yaml").code == 0
    dying = f"""
import os, signal
os.replace = os.fsync = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
{LOUD}"""
    done = witness.machine.python("-c", dying, "sdl", "render", "web.yaml", "-o", "rendered.yaml", **OPEN)
    assert done.code == -9
    assert not (witness.machine.home / "rendered.yaml").exists()
    if sys.platform == "linux":
        assert witness.files() == []


# An editor without a screen: typing, undo and redo, drafts in between, an import, and a death where it is told to.
EDITING = """
import logging, os, signal, sys
from pathlib import Path
logging.basicConfig(level=0, filename=os.path.join(os.environ["TMPDIR"], "debug.log"))
from cockpit.operations.sdl_editor.drafts import DraftKeeper, drafts, load
from cockpit.operations.sdl_editor.editing import EditingSession
from cockpit.operations.sdl_editor.files import OpenFile
from cockpit.operations.secrets.sdl_import import import_secrets
from cockpit.operations.sdl_editor.locks import EditLock
from cockpit.operations.sdl_editor.recent import remember
from cockpit.sdl.document import SdlDocument
from cockpit.secrets.references import process_store

until = sys.argv[1]
def reached(place):
    if place == until:
        os.kill(os.getpid(), signal.SIGKILL)

path = Path("web.yaml")
opened = OpenFile.read(path)
EditLock(path).acquire()
remember(path)
if os.environ.get("RAYAKASH_VAULT_PASSPHRASE"):
    process_store().vault.open()
session = EditingSession(opened.text)
keeper = DraftKeeper(opened.path, opened.stamp)

def draft():
    keeper.note(session.text)
    keeper.write()
    print(repr(session), repr(session.document), drafts(), load(drafts().found[0]))

session.apply("image", lambda document: document.set("services.web.image", "nginx:1.28"))
draft()
reached("typed")
session.replace(session.text.replace("env:", "env: ["), "typing")
draft()
reached("broken")
session.undo(), session.undo(), session.redo()
draft()
print(chr(10).join(opened.diff(session.text)))
reached("undone")
if until == "error":
    raise RuntimeError(f"a mistake of ours with {session!r} and {load(drafts().found[0])!r}")
imported = SdlDocument(session.text)
import_secrets(path, imported, scope="web")
session.load(imported.text)
while session.undo():
    draft()
draft()
print(session.undo_label, session.redo_label)
reached("imported")
"""


@pytest.mark.parametrize("unlocked", [True, False])
@pytest.mark.parametrize("until", ["typed", "broken", "undone", "error"])
def test_a_draft_never_holds_it_wherever_the_editor_dies(witness: Witness, until: str, unlocked: bool) -> None:
    done = witness.machine.python("-c", EDITING, until, **(OPEN if unlocked else {}))
    witness.said += done.said
    assert done.code == (1 if until == "error" else -9), done.err
    assert "withheld" not in done.err
    assert witness.files() == ["web.yaml"], "where the user wrote it"


def test_after_an_import_neither_draft_nor_undo_remembers_it(witness: Witness) -> None:
    done = witness.machine.python("-c", EDITING, "imported", **OPEN)
    witness.said += done.said
    assert done.code == -9, done.err
    assert witness.files() == []


MODULES = """
import sys
from cockpit.cli.main import run
code = run(sys.argv[1:])
heavy = [name for name in ("textual", "rich", "ray", "httpx", "keyring", "cryptography") if name in sys.modules]
print("HEAVY", *heavy, file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ("templates",), ("new", "ray-cpu", "--force"), ("lint", "web.yaml", "--json"), ("fix", "web.yaml"),
        ("set", "web.yaml", "version", '"2.1"'), ("diff", "web.yaml", "web.yaml"), ("show", "web.yaml"),
    ],
)  # fmt: skip
def test_no_command_loads_what_it_does_not_need(witness: Witness, arguments: tuple[str, ...]) -> None:
    done = witness.machine.python("-c", MODULES, "sdl", *arguments)
    assert done.err.splitlines()[-1] == "HEAVY"


@pytest.mark.parametrize("arguments", [("sdl", "render", "web.yaml", "--reveal"), ("secrets", "import", "web.yaml")])
def test_with_secrets_neither_textual_nor_ray_is_loaded(witness: Witness, arguments: tuple[str, ...]) -> None:
    done = witness.machine.python("-c", MODULES, *arguments, **OPEN)
    assert done.code == 0
    assert not {"textual", "rich", "ray"} & set(done.err.splitlines()[-1].split())
