"""The vault's passphrase is asked for on the screen: when a job or a cluster needs what is locked in it."""

import asyncio
from pathlib import Path

import pytest
from textual.widgets import Input

from cockpit import settings
from cockpit.errors import CockpitError
from cockpit.model.secret import Secret
from cockpit.operations.clusters.opening import opener_for
from cockpit.secrets.index import Index
from cockpit.secrets.names import Place
from cockpit.secrets.passphrase import PassphraseRequest, current_ask
from cockpit.secrets.references import process_store
from cockpit.secrets.vault import Vault
from tests.secrets.fakes import PASSPHRASE, QUICK
from tests.ui.driver import Driver, cockpit, cockpit_on, simulated
from tests.ui.pty_cockpit import FrozenCluster, cockpit_in_a_terminal

VALUE = "hf_0123456789abcdef"
TOKEN = "t" * 40


def keep(name: str, value: str) -> Vault:
    """A vault with one secret, locked, where the process looks for it."""
    directory = settings.private_directory(settings.data_directory())
    vault = Vault(directory / "vault", ask=lambda: lambda _: Secret(PASSPHRASE), cost=QUICK)
    vault.put("default", name, Secret(value))
    Index(directory / "secrets.json").note(name, "default", Place.VAULT)
    return vault


def holds_key(vault: Vault) -> bool:
    """Without looking whether it was idle, as `is_unlocked` does."""
    return vault._key is not None


async def typed(driver: Driver, text: str, *, field: str = "passphrase") -> None:
    driver.app.screen.query_one(f"#{field}", Input).value = text
    await driver.pilot.press("enter")


async def begin_submission(driver: Driver) -> None:
    await driver.press("s")
    dialog = await driver.opened("Submit a job")
    await dialog.fill("environment", "HF_TOKEN=ac-secret://HF_TOKEN")
    await dialog.fill("entrypoint", "python train.py")
    await driver.pilot.press("ctrl+s")
    await asks(driver, "Unlock the vault")


async def asks(driver: Driver, title: str) -> None:
    await driver.wait_until(lambda: bool(driver.app.screen.query("#passphrase")), title, settled=False)
    await driver.pause()
    driver.dialog().has_title(title)


async def test_a_submission_unlocks_the_vault_after_a_wrong_answer_was_told() -> None:
    keep("HF_TOKEN", VALUE)
    async with simulated() as server, cockpit(server) as driver:
        await begin_submission(driver)
        await driver.pilot.press("enter")
        driver.sees("Type the passphrase")
        await typed(driver, "wrong horse")
        await driver.wait_until(lambda: "does not open" in driver.text, "the refusal", settled=False)
        assert "wrong horse" not in driver.text
        await typed(driver, PASSPHRASE)
        await driver.wait_until(lambda: not driver.has_dialog, "the submission")
        assert server.cluster.jobs[-1].runtime_env == {"env_vars": {"HF_TOKEN": VALUE}}
        assert VALUE not in driver.text
        assert process_store().vault.is_unlocked


async def test_who_gives_up_keeps_what_is_typed_and_can_try_again() -> None:
    keep("HF_TOKEN", VALUE)
    async with simulated() as server, cockpit(server) as driver:
        before = len(server.cluster.jobs)
        await begin_submission(driver)
        await driver.answer("escape")
        await driver.wait_until(lambda: "The vault is locked" in driver.text, "the reason")
        dialog = driver.dialog().has_title("Submit a job")
        assert dialog.field("environment") == "HF_TOKEN=ac-secret://HF_TOKEN"
        assert len(server.cluster.jobs) == before
        await driver.pilot.press("ctrl+s")
        await asks(driver, "Unlock the vault")
        await typed(driver, PASSPHRASE)
        await driver.wait_until(lambda: not driver.has_dialog, "the submission")
        assert len(server.cluster.jobs) == before + 1


async def test_a_cluster_whose_token_is_in_the_vault_is_opened_after_its_passphrase() -> None:
    keep("RAY_TOKEN", TOKEN)
    async with simulated(token=TOKEN) as server:
        settings.private_directory(settings.config_directory())
        settings.config_file().write_text(
            f'[contexts.lab]\naddress = "{server.url}"\ntoken = "ac-secret://RAY_TOKEN"\n'
        )
        async with cockpit_on(opener_for("context", "lab")) as driver:
            await asks(driver, "Unlock the vault")
            await typed(driver, PASSPHRASE)
            await driver.wait_until(lambda: driver.app.cluster is not None, "the cluster")
            driver.sees("lab", server.cluster.jobs[-1].id)


def test_a_cockpit_opened_from_the_command_line_asks_on_its_screen() -> None:
    keep("RAY_TOKEN", TOKEN)
    with FrozenCluster("--token", TOKEN) as cluster:
        settings.private_directory(settings.config_directory())
        settings.config_file().write_text(
            f'[contexts.lab]\naddress = "{cluster.url}"\ntoken = "ac-secret://RAY_TOKEN"\n'
        )
        with cockpit_in_a_terminal("-c", "lab", home=Path.home(), seen="Unlock the vault") as terminal:
            terminal.send(PASSPHRASE.encode() + b"\r")
            terminal.wait_for("ci-smoke-12")
            assert PASSPHRASE.encode() not in terminal.written


async def test_a_new_vault_wants_a_long_passphrase_typed_twice() -> None:
    async with simulated() as server, cockpit(server) as driver:
        ask, store = current_ask(), process_store()
        assert ask is not None
        kept = asyncio.create_task(asyncio.to_thread(store.vault.put, "default", "X", Secret(VALUE)))
        await asks(driver, "Make a vault for secrets")
        driver.sees("cannot be recovered", str(store.vault.path)[:20])
        await typed(driver, "short")
        await typed(driver, "short", field="passphrase-again")
        driver.sees("A passphrase needs at least 8 characters.")
        await typed(driver, PASSPHRASE)
        await typed(driver, PASSPHRASE + "!", field="passphrase-again")
        driver.sees("The two do not match.")
        await typed(driver, PASSPHRASE, field="passphrase-again")
        await driver.wait_until(kept.done, "the vault")
        assert store.vault.get("default", "X") == Secret(VALUE)
        assert PASSPHRASE not in driver.text


async def test_what_is_typed_cannot_be_copied_out() -> None:
    async with simulated() as server, cockpit(server) as driver:
        assert server.url
        asked = asyncio.create_task(asyncio.to_thread(current_ask(), PassphraseRequest(vault=Path("v"))))  # type: ignore[arg-type]
        await asks(driver, "Unlock the vault")
        field = driver.app.screen.query_one("#passphrase", Input)
        field.value = PASSPHRASE
        field.select_all()
        for key in ("ctrl+c", "ctrl+x"):
            await driver.pilot.press(key)
        assert driver.app.clipboard == ""
        assert field.value == PASSPHRASE
        await driver.pilot.press("escape")
        assert await asked is None


async def test_leaving_the_app_lets_go_of_whoever_waits_for_a_passphrase() -> None:
    vault = keep("HF_TOKEN", VALUE)
    async with simulated() as server, cockpit(server) as driver:
        assert server.url
        waiting = asyncio.create_task(asyncio.to_thread(Vault(vault.path).names))
        await asks(driver, "Unlock the vault")
        await driver.app.action_quit()
    with pytest.raises(CockpitError, match="no passphrase was given"):
        await waiting
    assert current_ask() is None


async def test_an_idle_vault_is_locked_while_the_cockpit_is_open() -> None:
    keep("HF_TOKEN", VALUE)
    async with simulated() as server, cockpit(server) as driver:
        await begin_submission(driver)
        await typed(driver, PASSPHRASE)
        await driver.wait_until(lambda: not driver.has_dialog, "the submission")
        vault = process_store().vault
        driver.app._lock_idle_vault()
        assert holds_key(vault)
        vault._idle_s = 0.0
        driver.app._lock_idle_vault()
        assert not holds_key(vault)
        assert server.cluster.jobs
