"""What changes in place: a patch of what differs where the Console takes one, the whole SDL where it does not."""

import json
from pathlib import Path
from typing import Any

import pytest

from cockpit.operations.deployments.preparing import Prepared
from cockpit.operations.deployments.updating import (
    patch_of,
    plan_update,
    prepare_update,
    readable_secrets,
    update,
)
from cockpit.sdl.differences import diff
from cockpit.sdl.document import SdlDocument
from tests.akash_sim.console import SimConsole
from tests.akash_sim.faults import Fault
from tests.deployments.stage import CPU, Run

pytestmark = pytest.mark.usefixtures("session_secrets")
IMAGE = CPU.replace("caddy:2.10.2", "caddy:2.10.1")
REFERENCE = CPU.replace(
    "      - RAY_AUTH_MODE=token\n", "      - RAY_AUTH_MODE=token\n      - HF=ac-secret://RAY_AUTH_TOKEN\n"
)


def _patch(after: str, before: str = CPU) -> dict[str, Any] | None:
    old, new = SdlDocument(before), SdlDocument(after)
    return patch_of(old, new, diff(old, new))


def test_a_patch_names_what_differs_and_nothing_else() -> None:
    """A variable that is gone is null."""
    assert _patch(IMAGE) == {"gateway": {"image": "caddy:2.10.1"}}
    found = _patch(REFERENCE)
    assert found
    assert all(change == {"env": {"HF": "ac-secret://RAY_AUTH_TOKEN"}} for change in found.values())
    gone = _patch(CPU, REFERENCE)
    assert gone
    assert all(change == {"env": {"HF": None}} for change in gone.values())


def test_other_differences_are_no_patch() -> None:
    assert _patch(CPU.replace("count: 2", "count: 3")) is None


class Updated(Run):
    """A deployment that is changed."""

    async def to(self, text: str, tmp_path: Path) -> Prepared:
        """Update it to this SDL."""
        document, file = SdlDocument(text), tmp_path / "lab.yaml"
        (dseq,) = self.costing()
        plan = await plan_update(self.client, dseq, document, file, _written(tmp_path / "old.yaml", self.text))
        prepared = await prepare_update(self.client, plan, document, file)
        await update(self.client, plan, prepared)
        return prepared

    def sent(self, method: str) -> list[dict[str, Any]]:
        """The bodies of updates."""
        return [
            json.loads(one.body)["data"]
            for one in self.sim.requests
            if one.method == method and one.path.startswith("/v1/deployments/")
        ]


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


async def test_references_of_a_patch_travel_sealed(tmp_path: Path) -> None:
    """And those that do not change do not travel at all."""
    one = Updated(SimConsole())
    await one()
    prepared = await one.to(REFERENCE, tmp_path)
    (patch,) = one.sent("PATCH")
    assert one.sim.sealing.opened == {"RAY_AUTH_TOKEN": "canary-" + "x" * 40}
    assert "canary" not in json.dumps(patch)
    assert readable_secrets(prepared) == ()
    assert "HF=ac-secret://RAY_AUTH_TOKEN" in next(iter(one.sim.world.deployments.values())).sdl


async def test_without_seals_the_values_of_a_patch_go_inside_it(tmp_path: Path) -> None:
    """No reference reaches a container, and it is said before."""
    sim = SimConsole()
    sim.has_seals = False
    one = Updated(sim)
    await one()
    prepared = await one.to(REFERENCE, tmp_path)
    (patch,) = one.sent("PATCH")
    assert "ac-secret://" not in json.dumps(patch)
    assert readable_secrets(prepared) == ("RAY_AUTH_TOKEN",)


async def test_an_older_console_gets_the_whole_sdl(tmp_path: Path) -> None:
    one = Updated(SimConsole(dialect="august"))
    await one()
    await one.to(IMAGE, tmp_path)
    assert one.sent("PATCH") == []
    (put,) = one.sent("PUT")
    assert "caddy:2.10.1" in put["sdl"]
    assert "ac-secret://" not in put["sdl"]


async def test_an_update_whose_answer_is_lost_is_read_back(tmp_path: Path) -> None:
    """The next patch is refused as made for an older version: that is the proof that the first one arrived."""
    sim = SimConsole()
    one = Updated(sim)
    await one()
    sim.faults.add(Fault(match="PATCH /v1/deployments", do="cut-after"))
    await one.to(IMAGE, tmp_path)
    (dseq,) = one.costing()
    assert "caddy:2.10.1" in sim.world.deployments[dseq].sdl
