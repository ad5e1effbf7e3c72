"""Seeded walks through faults: one create per confirmation, no money lost, nothing that costs is called closed."""

import random

import pytest

from tests.akash.lives import broken, hold_against, live, texts
from tests.akash_sim.console import SimConsole
from tests.akash_sim.wire import client_of
from tests.akash_sim.world import SimWorld

BATCHES, WALKS = 4, 250
SLOW_BATCHES = 20


async def walk(seed: int) -> None:
    chance = random.Random(seed)
    sim = SimConsole(SimWorld(seed=seed), dialect=chance.choice(("august", "autumn")))
    sim.shape.numbers, sim.shape.unknown = chance.random() < 0.2, chance.random() < 0.2
    sim.shape.single_coin = chance.random() < 0.2
    provider = chance.choice(sim.world.providers)
    provider.manifest = chance.choice(("takes", "takes", "loses", "refuses"))
    provider.losses = chance.randrange(4)
    sim.faults.add(*broken(chance))
    life = await live(client_of(sim))
    hold_against(sim, life)
    assert sim.world.keys[0].value not in texts(life.errors)


@pytest.mark.parametrize("batch", range(BATCHES))
async def test_walks(batch: int) -> None:
    for seed in range(batch * WALKS, (batch + 1) * WALKS):
        try:
            await walk(seed)
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(BATCHES, BATCHES + SLOW_BATCHES))
async def test_more_walks(batch: int) -> None:
    await test_walks(batch)
