"""`secrets import`: values move into the store, references take their place, nothing remembers the old text."""

import os
from pathlib import Path

import pytest

from cockpit.cli.main import run
from cockpit.errors import UsageError
from cockpit.model.secret import Secret
from cockpit.operations.secrets.sdl_import import import_secrets, planned
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.failures import UnsafeEditError
from cockpit.secrets.index import Index
from cockpit.secrets.store import SecretStore
from cockpit.secrets.system_keyring import SystemKeyring
from tests.sdl.conftest import OPEN, SMALL
from tests.secrets.fakes import PASSPHRASE, User, vault
from tests.secrets.machine import Machine

TOKEN, KEY = "canary-tok-81", "canary key: # 'x'"
TEXT = SMALL.replace(
    "      - MODE=fast\n",
    f'      - API_TOKEN={TOKEN} # the token\n      - MODE=fast\n      - "DB_PASSWORD={KEY}"\n'
    "      - HF_TOKEN=ac-secret://HF_TOKEN\n      - EMPTY_TOKEN=\n",
)
MOVED = TEXT.replace(f"API_TOKEN={TOKEN}", "API_TOKEN=ac-secret://API_TOKEN").replace(
    f"DB_PASSWORD={KEY}", "DB_PASSWORD=ac-secret://DB_PASSWORD"
)


@pytest.fixture
def store(tmp_path: Path) -> SecretStore:
    """A store with a vault alone."""
    folder = tmp_path / "store"
    return SecretStore(
        keyring=SystemKeyring(), vault=vault(folder / "vault", User(PASSPHRASE)), index=Index(folder / "s.json"),
        environment={},
    )  # fmt: skip


def test_as_a_user_does_it(machine: Machine, small: Path) -> None:
    small.write_text(TEXT)
    small.chmod(0o640)
    done = machine.secrets("import", str(small), **OPEN)
    assert done.code == 0, done.err
    assert done.out == ""
    assert "API_TOKEN: stored in the vault, scope web; web now refers to it." in done.err
    assert "DB_PASSWORD: stored in the vault" in done.err
    assert "version control" in done.err
    assert TOKEN not in done.said
    assert KEY not in done.said
    assert small.read_text() == MOVED
    assert small.stat().st_mode & 0o777 == 0o640
    rendered = machine.python(
        "-m", "cockpit", "sdl", "render", str(small), "--reveal", RAYAKASH_SECRET_HF_TOKEN="hf", **OPEN
    )
    assert rendered.out == TEXT.replace("ac-secret://HF_TOKEN", "hf")
    again = machine.secrets("import", str(small), **OPEN)
    assert again.code == 0
    assert "no secret is there" in again.err


def test_what_was_edited_before_is_saved_with_the_references(store: SecretStore, small: Path) -> None:
    small.write_text(TEXT)
    document = SdlDocument(TEXT)
    document.set("services.web.image", "nginx:1.28")
    import_secrets(small, document, scope="web", store=store)
    assert small.read_text() == document.text
    assert "nginx:1.28" in document.text
    assert TOKEN not in document.text
    assert "canary" not in document.text
    assert store.resolve("API_TOKEN", ("web",)).value == Secret(TOKEN)


def test_escaped_values_are_moved_too(store: SecretStore, small: Path) -> None:
    text = SMALL.replace('"LEVEL=3"', r'"API_TOKEN=can\"ary\u0041x"')
    small.write_text(text)
    document = SdlDocument(text)
    document.set("services.web.image", "nginx:1.28")
    import_secrets(small, document, scope="web", store=store)
    assert store.resolve("API_TOKEN", ("web",)).value == Secret('can"aryAx')
    assert "ary" not in document.text


REGISTRY = "    credentials:\n      host: ghcr.io\n      username: me\n      password: 'canary-registry'\n    env:\n"


def test_the_password_of_a_registry_moves_and_its_user_stays(machine: Machine, small: Path) -> None:
    text = SMALL.replace("    env:\n", REGISTRY)
    small.write_text(text)
    done = machine.secrets("import", str(small), **OPEN)
    assert done.code == 0, done.err
    assert "REGISTRY_PASSWORD: stored in the vault, scope web; web now refers to it." in done.err
    moved = text.replace("canary-registry", "ac-secret://REGISTRY_PASSWORD")
    assert small.read_text() == moved
    lint = machine.python("-m", "cockpit", "sdl", "lint", str(small))
    assert (lint.code, "portable, no problems" in lint.out) == (0, True), lint.out
    rendered = machine.python("-m", "cockpit", "sdl", "render", str(small), "--reveal", **OPEN)
    assert rendered.out == text


def test_files_are_known_by_their_path_afterwards(machine: Machine, small: Path) -> None:
    small.write_text(TEXT)
    assert machine.python("-m", "cockpit", "sdl", "new", "ray-cpu").code == 0
    assert machine.secrets("import", str(small), **OPEN).code == 0
    script = "from cockpit.operations.sdl_editor.recent import recent; print(*recent())"
    assert machine.python("-c", script).out.split() == [str(small), str(machine.home / "ray-cpu.yaml")]
    assert [path.name for path in machine.files_with(TOKEN)] == []


def test_what_cannot_be_a_reference_is_pointed_at(store: SecretStore, small: Path) -> None:
    """Only whole env values and the password of a registry are resolved by whoever deploys."""
    text = TEXT.replace("    env:", "    args: [sh, -c, 'export API_KEY=canary-arg; run']\n    env:")
    small.write_text(text)
    done = import_secrets(small, SdlDocument(text), scope="web", store=store)
    assert done.others == (6,)
    assert "canary-arg" in small.read_text()


def test_names_for_equal_and_for_different_values() -> None:
    text = SMALL.replace("MODE=fast", "API_TOKEN=one")
    begin, end = text.index("  web:\n    image"), text.index("profiles:")
    block = text[begin:end]
    other = block.replace("  web:", "  worker-1:").replace("API_TOKEN=one", "API_TOKEN=two")
    third = block.replace("  web:", "  third:")
    document = SdlDocument(text[:end] + other + third + text[end:])
    assert [(move.service, move.name) for move in planned(document)] == [
        ("web", "API_TOKEN"),
        ("worker-1", "WORKER_1_API_TOKEN"),
        ("third", "API_TOKEN"),
    ]
    odd = SdlDocument(SMALL.replace("MODE=fast", f"9-{'X' * 70}.API_KEY=abc"))
    assert [move.name for move in planned(odd)] == ["_9_" + "X" * 61]


def test_another_value_under_the_name_stops_it(store: SecretStore, small: Path) -> None:
    small.write_text(TEXT)
    store.put("DB_PASSWORD", Secret("another"), scope="web")
    document = SdlDocument(TEXT)
    with pytest.raises(UsageError, match="DB_PASSWORD already exists"):
        import_secrets(small, document, scope="web", store=store)
    assert (small.read_text(), document.text) == (TEXT, TEXT)
    assert store.index.rows_of("API_TOKEN", "web") == []
    done = import_secrets(small, document, scope="web", store=store, replace=True)
    assert list(done.stored) == ["API_TOKEN", "DB_PASSWORD"]
    assert store.resolve("DB_PASSWORD", ("web",)).value == Secret(KEY)


def test_the_same_value_in_the_store_is_used(store: SecretStore, small: Path) -> None:
    small.write_text(TEXT)
    store.put("DB_PASSWORD", Secret(KEY), scope="web")
    done = import_secrets(small, SdlDocument(TEXT), scope="web", store=store)
    assert list(done.stored) == ["API_TOKEN"]
    assert small.read_text() == MOVED


def test_what_cannot_be_edited_is_not_stored(store: SecretStore, small: Path) -> None:
    text = TEXT.replace(f"API_TOKEN={TOKEN} # the token", f"&t API_TOKEN={TOKEN}\n      - *t")
    small.write_text(text)
    with pytest.raises(UnsafeEditError, match="Line 7"):
        import_secrets(small, SdlDocument(text), scope="web", store=store)
    assert store.index.rows_of("API_TOKEN", "web") == []
    assert small.read_text() == text


def test_a_value_that_stands_elsewhere_too_is_pointed_at(store: SecretStore, small: Path) -> None:
    text = TEXT + f"# old: API_TOKEN={TOKEN}\n"
    small.write_text(text)
    done = import_secrets(small, SdlDocument(text), scope="web", store=store)
    assert done.lines == (len(text.splitlines()),)


@pytest.mark.parametrize("name", ["missing.yaml", "-"])
def test_files_that_cannot_be_imported(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["secrets", "import", name]) == 2
    assert "error" in capsys.readouterr().err


def test_a_full_disk_leaves_the_file_whole(store: SecretStore, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small.write_text(TEXT)
    real = os.replace

    def full(source: str, target: str) -> None:
        if str(target) == str(small):
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(UsageError, match="cannot be written") as failed:
        import_secrets(small, SdlDocument(TEXT), scope="web", store=store)
    assert "already in the store" in failed.value.hint
    assert small.read_text() == TEXT
    assert store.resolve("API_TOKEN", ("web",)).value == Secret(TOKEN)
