"""Secrets that only the user knows: asked for before anything is sent, or named with the way to store them."""

from pathlib import Path

import pytest

from cockpit.model.secret import Secret
from cockpit.operations.deployments.preparing import Wish, prepare_asking
from cockpit.sdl.document import SdlDocument
from cockpit.secrets.references import process_store
from cockpit.secrets.store import NoValueError
from tests.akash_sim.console import SimConsole
from tests.akash_sim.wire import client_of
from tests.deployments.stage import CPU

pytestmark = pytest.mark.usefixtures("session_secrets")
OWN = CPU.replace(
    "      - RAY_AUTH_MODE=token\n", "      - RAY_AUTH_MODE=token\n      - HF_TOKEN=ac-secret://HF_TOKEN\n", 1
)


async def test_a_value_is_asked_for_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is stored in the scope of the file, and the checks run once."""
    sim = SimConsole()
    asked: list[str] = []
    kept: dict[tuple[str, str], Secret] = {}

    def put(name: str, value: Secret, *, scope: str) -> None:
        kept[name, scope] = value
        monkeypatch.setenv(f"RAYAKASH_SECRET_{name}", value.reveal())

    monkeypatch.setattr(process_store(), "put", put)

    async def ask(name: str) -> Secret | None:
        asked.append(name)
        assert sim.requests == []
        return Secret("hf_secret_value_of_mine")

    prepared = await prepare_asking(client_of(sim), SdlDocument(OWN), Path("lab.yaml"), Wish(), ask)
    assert asked == ["HF_TOKEN"]
    assert list(kept) == [("HF_TOKEN", "lab")]
    assert "HF_TOKEN" in prepared.secrets
    paths = [(one.method, one.path) for one in sim.requests]
    assert len(set(paths)) == len(paths) <= 8


async def test_where_nobody_answers_the_way_to_store_it_is_said() -> None:
    async def ask(_: str) -> Secret | None:
        return None

    sim = SimConsole()
    with pytest.raises(NoValueError) as caught:
        await prepare_asking(client_of(sim), SdlDocument(OWN), Path("lab.yaml"), Wish(), ask)
    assert "rayakash-tui secrets set HF_TOKEN --scope lab" in caught.value.hint
    assert sim.requests == []
