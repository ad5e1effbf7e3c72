"""The simulated Akash as a process of its own, for hand tests: it says where it is, and the commands reach it."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.wire.commands import REPOSITORY, here, home

__all__ = ["home"]


async def test_offers_from_a_process(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert home.name == "home"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.akash_sim", "--dialect", "august", cwd=REPOSITORY, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        for word in (await process.stdout.readline()).decode().split():
            name, _, value = word.partition("=")
            monkeypatch.setenv(name, value)
        offers = await here("offers", "--json")
        assert offers.code == 0, offers.err
        assert {row["model"] for row in offers.data["offers"]} >= {"h100", "rtx4090"}
        listed = await here("deployments", "--json")
        assert listed.data["deployments"] == []
    finally:
        process.terminate()
        await process.communicate()
