"""The Secrets pane: what is missing first, values that nobody sees, and a screen that waits for no keyring."""

import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import keyring.backend
import keyring.core
import pytest
from textual import events
from textual.widgets import Input

from cockpit import settings
from cockpit.model.secret import Secret
from cockpit.operations.sdl_editor.recent import remember
from cockpit.operations.secrets.uses import secret_list
from cockpit.panes import secrets as pane_module
from cockpit.panes.secrets import SecretsPane
from cockpit.screens import secret_actions
from cockpit.secrets.command import SecretCommand
from cockpit.secrets.names import Place
from cockpit.secrets.references import process_store
from cockpit.secrets.store import NoValueError, SecretStore
from tests.secrets.fakes import PASSPHRASE, HangingKeyring, Keyring, User, real_backend, store, system_keyring
from tests.secrets.machine import Machine
from tests.secrets.secret_service import secret_service
from tests.sim import SimServer
from tests.ui.driver import Driver, cockpit, cockpit_on, simulated
from tests.ui.test_cockpit_vault import keep

VALUE = "canary-pane-5521"
SDL = """\
services:
  web:
    image: nginx:1.27
    env:
      - HF_TOKEN=ac-secret://HF_TOKEN
      - WANDB_API_KEY=ac-secret://WANDB_API_KEY
      - MODE=fast
"""
CONFIG = '[contexts.lab]\naddress = "http://localhost:1"\ntoken = "ac-secret://RAY_AUTH_TOKEN"\n'


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SecretStore:
    """A store with a keyring in memory, which the pane uses."""
    return used(store(tmp_path / "store", backend=Keyring(), user=User(*[PASSPHRASE] * 5)), monkeypatch)


def rewritten(path: Path, text: str) -> None:
    path.write_text(text)


def text_of(path: Path) -> str:
    return path.read_text()


def used(made: SecretStore, monkeypatch: pytest.MonkeyPatch) -> SecretStore:
    for module in (pane_module, secret_actions):
        monkeypatch.setattr(module, "process_store", lambda: made)
    monkeypatch.setattr("cockpit.operations.secrets.sdl_import.process_store", lambda: made)
    return made


@pytest.fixture
def sdl(tmp_path: Path) -> Path:
    """An SDL that was used lately."""
    path = tmp_path / "web.yaml"
    path.write_text(SDL)
    remember(path)
    return path


@pytest.fixture
def contexts() -> None:
    settings.write_private(settings.config_file(), CONFIG.encode())


@asynccontextmanager
async def without_cluster(size: tuple[int, int] = (110, 30)) -> AsyncIterator[Driver]:
    async with cockpit_on(None, size=size, first_pane="secrets") as driver:
        await driver.wait_until(lambda: driver.has_dialog, "the start dialog")
        await driver.answer("escape")
        await listed(driver)
        yield driver


async def listed(driver: Driver) -> None:
    await driver.wait_until(lambda: pane(driver).listing is not None, "the list")


def pane(driver: Driver) -> SecretsPane:
    found = driver.pane("secrets")
    assert isinstance(found, SecretsPane)
    return found


def rows(driver: Driver) -> list[str]:
    """Name, scope and place of what is listed."""
    table = pane(driver).table
    return [" ".join(table.cell_text(one, key) for one in ("name", "scope", "place")) for key in table.shown_keys]


async def fill(driver: Driver, **texts: str) -> None:
    for name, text in texts.items():
        driver.app.screen.query_one(f"#secret-{name}", Input).value = text
    await driver.pause()


async def told(driver: Driver, words: str) -> None:
    await driver.wait_until(lambda: any(words in one for one in driver.told), words)


async def shows(driver: Driver, *expected: str) -> None:
    await driver.wait_until(lambda: rows(driver) == list(expected), f"{expected}, not {rows(driver)}")


@pytest.mark.usefixtures("sdl", "contexts")
async def test_missing_ones_stand_first_with_who_uses_them(kept: SecretStore) -> None:
    kept.put("HF_TOKEN", Secret(VALUE), scope="default")
    kept.put("OLD", Secret(VALUE), scope="default")
    async with without_cluster() as driver:
        assert rows(driver) == [
            "RAY_AUTH_TOKEN lab –",
            "WANDB_API_KEY web –",
            "HF_TOKEN default keyring",
            "OLD default keyring",
        ]
        driver.sees("missing", "2 missing.", "keyring", "web.yaml", "lab")
        assert VALUE not in driver.text
        await driver.press("enter")
        (await driver.opened("Secret RAY_AUTH_TOKEN")).says(
            "nowhere yet", "context", "anyone who has it can run commands"
        )


async def test_a_value_is_set_and_never_shown(kept: SecretStore, sdl: Path) -> None:
    async with without_cluster() as driver:
        assert rows(driver) == ["HF_TOKEN web –", "WANDB_API_KEY web –"]
        await driver.press("e")
        await driver.opened("Set HF_TOKEN")
        await fill(driver, value="")
        await driver.press("enter")
        driver.sees("The value is empty.")
        await fill(driver, value=VALUE)
        assert VALUE not in driver.text
        await driver.press("enter")
        await told(driver, "Stored HF_TOKEN in the keyring, scope web.")
        await shows(driver, "WANDB_API_KEY web –", "HF_TOKEN web keyring")
    assert kept.resolve("HF_TOKEN", ("web",)).value == Secret(VALUE)
    assert VALUE not in text_of(sdl)


async def test_a_new_one_needs_a_name_that_is_one(kept: SecretStore) -> None:
    async with without_cluster((80, 24)) as driver:
        driver.sees("No secrets yet")
        await driver.press("a")
        await driver.opened("Keep a secret")
        await fill(driver, name="not a name", value=VALUE)
        driver.app.screen.query_one("#secret-value", Input).focus()
        await driver.press("enter")
        driver.sees("This is not a name of a secret.")
        await fill(driver, name="HF_TOKEN", scope="lab")
        await driver.press("enter")
        await shows(driver, "HF_TOKEN lab keyring")
    assert kept.resolve("HF_TOKEN", ("lab",)).value == Secret(VALUE)


@pytest.mark.usefixtures("contexts")
async def test_a_token_is_made_and_made_again_only_after_a_yes(kept: SecretStore) -> None:
    async with without_cluster() as driver:
        await driver.press("t")
        await driver.opened("Generate RAY_AUTH_TOKEN")
        await driver.press("enter")
        await shows(driver, "RAY_AUTH_TOKEN lab keyring")
        first = kept.resolve("RAY_AUTH_TOKEN", ("lab",)).value
        assert first.reveal() not in driver.text
        for answer, same in (("n", True), ("y", False)):
            await driver.press("t")
            await driver.opened("Generate RAY_AUTH_TOKEN")
            await driver.press("enter")
            await driver.opened("Replace it by a new random token?")
            before = len(driver.told)
            await driver.press(answer)
            if not same:
                await driver.wait_until(lambda before=before: len(driver.told) > before, "the new one")  # type: ignore[misc]
            assert (kept.resolve("RAY_AUTH_TOKEN", ("lab",)).value == first) is same


GATEWAY = "services:\n  gateway:\n    env:\n      - GATEWAY_TLS_KEY=ac-secret://GATEWAY_TLS_KEY\n"


async def test_the_gateway_s_key_is_made_with_its_certificate(kept: SecretStore, tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    rewritten(path, GATEWAY)
    remember(path)
    async with without_cluster() as driver:
        await driver.press("t")
        dialog = await driver.opened("Generate GATEWAY_TLS_KEY")
        dialog.says("made together")
        await driver.press("enter")
        await shows(driver, "GATEWAY_TLS_CERTIFICATE lab keyring", "GATEWAY_TLS_KEY lab keyring")
        key = kept.resolve("GATEWAY_TLS_KEY", ("lab",)).value
        assert b"PRIVATE KEY" in base64.b64decode(key.reveal())
        stored = [told for told in driver.told if told.startswith("Stored")]
        assert stored == ["Stored GATEWAY_TLS_KEY and GATEWAY_TLS_CERTIFICATE in the keyring, scope lab."]
        assert any("Its fingerprint: " in told for told in driver.told)
        await driver.press("t")
        await driver.opened("Generate GATEWAY_TLS_KEY")
        await driver.press("enter")
        dialog = await driver.opened("Replace them by a new key and certificate?")
        dialog.says("GATEWAY_TLS_CERTIFICATE, scope lab", "GATEWAY_TLS_KEY, scope lab")
        await driver.press("n")
        assert kept.resolve("GATEWAY_TLS_KEY", ("lab",)).value == key


@pytest.mark.usefixtures("sdl")
async def test_what_somebody_else_gives_out_is_not_made_here(kept: SecretStore) -> None:
    async with without_cluster() as driver:
        await driver.press("t")
        await driver.wait_until(lambda: any("issued by another service" in told for told in driver.told), "the reason")
        assert not driver.has_dialog
    with pytest.raises(NoValueError):
        kept.resolve("HF_TOKEN", ("web",))


@pytest.mark.usefixtures("sdl")
async def test_deleting_names_who_needs_it(kept: SecretStore) -> None:
    kept.put("HF_TOKEN", Secret(VALUE), scope="web")
    kept.put("WANDB_API_KEY", Secret(VALUE), scope="web")
    async with without_cluster() as driver:
        assert rows(driver) == ["HF_TOKEN web keyring", "WANDB_API_KEY web keyring"]
        await driver.press("d")
        (await driver.opened("Delete HF_TOKEN?")).says("used by SDL", "web.yaml", "cannot be rendered or opened")
        await driver.answer("n")
        await driver.press("d")
        await driver.opened("Delete HF_TOKEN?")
        await driver.press("y")
        await told(driver, "Deleted HF_TOKEN from the keyring, scope web.")
        await shows(driver, "HF_TOKEN web –", "WANDB_API_KEY web keyring")
        assert pane(driver).table.row_key == "HF_TOKEN/web", "the cursor stays on it"
        await driver.press("d")
        await told(driver, "HF_TOKEN lives nowhere yet; there is nothing to delete.")


async def test_an_import_shows_what_moves_and_what_stays(kept: SecretStore, sdl: Path) -> None:
    plain = SDL.replace("MODE=fast", f"DB_PASSWORD={VALUE}").replace(
        "    env:", "    args: [sh, -c, 'export API_KEY=canary2; run']\n    env:"
    )
    rewritten(sdl, plain)
    kept.put("DB_PASSWORD", Secret("another"), scope="web")
    async with without_cluster() as driver:
        await driver.press("i")
        await driver.opened("Move secrets out of an SDL")
        driver.app.screen.query_one("#open-path", Input).value = str(sdl)
        await driver.press("enter")
        dialog = await driver.opened("Move this secret out of web.yaml?")
        dialog.says("line    8  web: DB_PASSWORD → ac-secret://DB_PASSWORD", "can move: line 4", "scope web")
        assert VALUE not in driver.text
        await driver.press("y")
        (await driver.opened("The secret DB_PASSWORD already exists in scope web, with another value.")).says(
            "replaced"
        )
        assert text_of(sdl) == plain
        await driver.press("y")
        await told(driver, "Moved DB_PASSWORD out of web.yaml.")
        await told(driver, "look at line 4")
    assert f"DB_PASSWORD={VALUE}" not in text_of(sdl)
    assert "DB_PASSWORD=ac-secret://DB_PASSWORD" in text_of(sdl)
    assert kept.resolve("DB_PASSWORD", ("web",)).value == Secret(VALUE)


async def test_a_keyring_that_hangs_holds_nothing_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sdl: Path
) -> None:
    hanging = HangingKeyring()
    made = used(store(tmp_path / "store", backend=Keyring()), monkeypatch)
    made.put("HF_TOKEN", Secret(VALUE), scope="web")
    slow = SecretStore(
        keyring=system_keyring(hanging),
        vault=made.vault,
        index=made.index,
        environment={"RAYAKASH_SECRET_WANDB_API_KEY": "x"},
    )
    used(slow, monkeypatch)
    try:
        async with cockpit_on(None, first_pane="secrets") as driver:
            await driver.wait_until(lambda: driver.has_dialog, "the start dialog")
            await driver.answer("escape")
            driver.sees("asking the keyring")
            await driver.press("question_mark")
            (await driver.opened("Keys")).says("Set its value")
            await driver.answer("escape")
            await driver.press("r")
            assert pane(driver).listing is None
            hanging.values["rayakash-tui/web", "HF_TOKEN"] = VALUE
            hanging.released.set()
            await listed(driver)
            await shows(driver, "HF_TOKEN web keyring", "WANDB_API_KEY – environment")
    finally:
        hanging.released.set()
    assert text_of(sdl) == SDL


async def test_the_app_ends_while_the_keyring_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hanging = HangingKeyring()
    made = used(store(tmp_path / "store", backend=Keyring()), monkeypatch)
    made.put("HF_TOKEN", Secret(VALUE))
    used(SecretStore(keyring=system_keyring(hanging), vault=made.vault, index=made.index, environment={}), monkeypatch)
    try:
        async with cockpit_on(None, first_pane="secrets") as driver:
            await driver.wait_until(lambda: driver.has_dialog, "the start dialog")
            await driver.answer("escape")
            driver.sees("asking the keyring")
        assert not driver.app.is_running
        assert not hanging.answered.is_set()
    finally:
        hanging.released.set()


async def test_a_locked_vault_is_unseen_until_it_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user = User(*[PASSPHRASE] * 3)
    made = used(store(tmp_path / "store", user=user), monkeypatch)
    made.put("HF_TOKEN", Secret(VALUE))
    made.vault.lock()
    async with without_cluster() as driver:
        driver.sees("unseen", "The vault is locked.", "vault")
        asked = len(user.requests)
        await driver.press("u")
        await driver.wait_until(lambda: pane(driver).listing.rows[0].presence == "stored", "the vault's contents")  # type: ignore[union-attr]
        assert len(user.requests) == asked + 1
        assert "The vault is locked." not in driver.text
        await driver.press("u")
        await told(driver, "The vault is not locked.")


async def test_the_passphrase_is_asked_for_on_the_screen() -> None:
    """With the store that everybody has, and not a second screen while the first one waits."""
    vault = keep("HF_TOKEN", VALUE)
    async with without_cluster((80, 24)) as driver:
        driver.sees("unseen")
        await driver.press("d")
        await driver.opened("Delete HF_TOKEN?")
        await driver.pilot.press("y")
        await driver.wait_until(lambda: bool(driver.app.screen.query("#passphrase")), "the question", settled=False)
        await driver.pilot.press("escape")
        await told(driver, "no passphrase was given")
        assert rows(driver) == ["HF_TOKEN default vault"]
        await driver.press("u")
        await driver.wait_until(lambda: bool(driver.app.screen.query("#passphrase")), "the question", settled=False)
        driver.app.screen.query_one("#passphrase", Input).value = PASSPHRASE
        await driver.pilot.press("enter")
        await driver.wait_until(lambda: "stored" in driver.text, "the contents")
        await driver.press("d")
        await driver.opened("Delete HF_TOKEN?")
        await driver.press("y")
        await told(driver, "Deleted HF_TOKEN from the vault")
    assert vault.names() == []


async def test_a_cluster_that_comes_and_goes_changes_nothing(kept: SecretStore) -> None:
    kept.put("HF_TOKEN", Secret(VALUE))
    server: SimServer
    async with simulated() as server, cockpit(server) as driver:
        await driver.press("8")
        await listed(driver)
        await shows(driver, "HF_TOKEN default keyring")
        await driver.app.workspace.leave_cluster()
        await driver.pause()
        assert rows(driver) == ["HF_TOKEN default keyring"]
        await driver.press("slash", "x", "x")
        assert rows(driver) == []


@pytest.mark.usefixtures("kept")
async def test_without_a_cluster_every_pane_says_so() -> None:
    async with cockpit_on(None, first_pane="sdl") as driver:
        await driver.wait_until(lambda: "no cluster is open" in driver.lines[1], "what is said on the first pane")
        first = driver.lines[:3]
        for key in "6125":
            await driver.press(key)
            assert driver.lines[:3] == first, f"the header of pane {key}"


async def test_where_nothing_can_be_kept_memory_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used(store(tmp_path / "store", backend=real_backend("fail")), monkeypatch)
    async with without_cluster() as driver:
        driver.sees("in memory only")
        await driver.press("a")
        await driver.opened("Keep a secret")
        await fill(driver, name="HF_TOKEN", value=VALUE)
        driver.app.screen.query_one("#secret-value", Input).focus()
        await driver.press("enter")
        await told(driver, "HF_TOKEN is kept in memory only, until the cockpit ends.")
        driver.sees("memory")


async def test_an_index_that_cannot_be_read_is_said(kept: SecretStore) -> None:
    kept.index.path.parent.mkdir(parents=True, exist_ok=True)
    kept.index.path.write_text("{half")
    async with cockpit_on(None, first_pane="secrets") as driver:
        await driver.wait_until(lambda: driver.has_dialog, "the start dialog")
        await driver.answer("escape")
        await driver.wait_until(lambda: "Move it away" in driver.text, "the reason")


async def test_a_pasted_key_of_several_lines_is_not_cut_to_its_first(kept: SecretStore) -> None:
    async with without_cluster() as driver:
        await driver.press("a")
        await driver.opened("Keep a secret")
        field = driver.app.screen.query_one("#secret-value", Input)
        field.focus()
        field.post_message(events.Paste("-----BEGIN KEY-----\nabc\n"))
        await driver.pause()
        driver.sees("several lines")
        assert field.value == ""
    assert kept.session_names() == []


# --- the list itself -------------------------------------------------------------------------------------------------


def test_a_broken_sdl_hides_no_other(kept: SecretStore, sdl: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [")
    remember(broken)
    found = secret_list(kept)
    assert [row.name for row in found.rows] == ["HF_TOKEN", "WANDB_API_KEY"]
    assert found.problems[0].startswith("broken.yaml: Not YAML")
    assert found.rows[0].uses[0].where == str(sdl)


@pytest.mark.usefixtures("sdl")
def test_a_command_is_not_asked_for_a_list(tmp_path: Path) -> None:
    """It may open a window for a passphrase; whether it knows a name is therefore unseen."""
    made = store(tmp_path / "store", backend=Keyring())
    made.command = lambda: SecretCommand("false {name}")
    assert {(row.presence, row.place) for row in secret_list(made).rows} == {("unseen", "secret_command")}


def test_the_environment_wins_over_scopes(sdl: Path, tmp_path: Path) -> None:
    made = store(tmp_path / "store", backend=Keyring(), environment={"RAYAKASH_SECRET_HF_TOKEN": "x"})
    made.put("HF_TOKEN", Secret(VALUE), scope="web")
    by_place = {row.place: row.uses for row in secret_list(made).rows if row.name == "HF_TOKEN"}
    assert [use.where for use in by_place[Place.ENVIRONMENT]] == [str(sdl)]
    assert by_place[Place.KEYRING] == ()


@pytest.fixture
def real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """A real Secret Service, which this very process uses."""
    machine = Machine(tmp_path / "machine")
    with secret_service(machine) as service:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", service.address)
        monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
        # A process looks for its keyrings once; other tests of this one may have looked where there was none.
        monkeypatch.setattr(keyring.core, "_keyring_backend", None)
        found = vars(keyring.backend.get_all_keyring)
        before = found.pop("saved_result", None)
        yield machine
        found.pop("saved_result", None)
        if before is not None:
            found["saved_result"] = before


@pytest.mark.usefixtures("real", "sdl")
async def test_in_a_real_keyring() -> None:
    async with without_cluster() as driver:
        driver.sees("SecretService.Keyring")
        await driver.press("e")
        await driver.opened("Set HF_TOKEN")
        await fill(driver, value=VALUE)
        await driver.press("enter")
        await shows(driver, "WANDB_API_KEY web –", "HF_TOKEN web keyring")
        assert process_store().resolve("HF_TOKEN", ("web",)).value == Secret(VALUE)
        await driver.press("down", "d")
        await driver.opened("Delete HF_TOKEN?")
        await driver.press("y")
        await shows(driver, "HF_TOKEN web –", "WANDB_API_KEY web –")
