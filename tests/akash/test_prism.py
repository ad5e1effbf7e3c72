"""The simulated Console behind Prism, which holds both sides of every call against the Console's own document.

A second judge beside tests.akash.contract, which reads that document with our own eyes. `make test-prism` installs it.
"""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from cockpit.clients.akash.console import ConsoleClient, console_endpoint
from cockpit.errors import CockpitError, ServerError
from cockpit.model.secret import Secret
from tests.akash.every_call import every_call
from tests.akash_sim.console import Dialect, SimConsole
from tests.akash_sim.faults import Fault
from tests.akash_sim.server import SimServer
from tests.wire.commands import REPOSITORY

pytestmark = pytest.mark.prism

INSTALLED = REPOSITORY / ".prism" / "node_modules" / ".bin" / "prism"
START_S = 60.0
# What real providers send as null, and the document calls an object (see tests.akash.contract).
NULLABLE = ("forwarded_ports", "ips")
# Newer than the document: by the first a client knows such a Console.
NEWER = ("/v1/placement-options",)


def patched(document: Any, dialect: Dialect) -> Any:
    """The document with what it has wrong or does not know yet."""
    if dialect == "autumn":
        anything = {"200": {"description": "newer", "content": {"application/json": {"schema": {}}}}}
        for path in NEWER:
            document["paths"].setdefault(path, {"get": {"responses": anything}})
    return _nullable(document)


def _nullable(part: Any) -> Any:
    if isinstance(part, list):
        return [_nullable(each) for each in part]
    if not isinstance(part, dict):
        return part
    found = {key: _nullable(value) for key, value in part.items()}
    for name in NULLABLE:
        if isinstance(found.get("properties"), dict) and name in found["properties"]:
            found["properties"][name] = {**found["properties"][name], "nullable": True}
    return found


@pytest.fixture(scope="module")
def prism() -> str:
    """The program."""
    found = os.environ.get("RAYAKASH_PRISM") or (str(INSTALLED) if INSTALLED.exists() else shutil.which("prism"))
    if found is None:
        pytest.skip("needs Prism: make test-prism installs it with npm")
    return found


@asynccontextmanager
async def judged(prism: str, shared: Path, folder: Path, dialect: Dialect) -> AsyncIterator[tuple[SimConsole, str]]:
    """A simulated Console, and the address of the judge in front of it."""
    document = json.loads((shared / "openapi" / "console-openapi.json").read_text())
    file = folder / "document.json"
    file.write_text(json.dumps(patched(document, dialect)))
    sim = SimConsole(dialect=dialect)
    async with SimServer(sim) as server:
        process = await asyncio.create_subprocess_exec(
            prism, "proxy", str(file), server.url, "--errors", "--host", "127.0.0.1", "--port", "0",
            cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "NO_COLOR": "1", "HOME": str(folder)}, limit=2**24,
        )  # fmt: skip
        reading = None
        try:
            url = await _address(process)
            assert process.stdout is not None
            reading = asyncio.create_task(process.stdout.read())  # else its pipe fills up
            yield sim, url
        finally:
            process.terminate()
            await process.wait()
            if reading is not None:
                await reading


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    said = b""
    async with asyncio.timeout(START_S):
        while line := await process.stdout.readline():
            said += line
            if b"listening on" in line:
                return line.decode().partition("listening on ")[2].split()[0]
    pytest.fail(f"Prism did not start: {said.decode(errors='replace')[-2000:]}")


@pytest.mark.parametrize("dialect", ["august", "autumn"])
async def test_prism_finds_nothing_in_a_whole_life(prism: str, shared: Path, tmp_path: Path, dialect: Dialect) -> None:
    """Every call passes it, both ways."""
    async with judged(prism, shared, tmp_path, dialect) as (sim, url):
        key = Secret(sim.world.keys[0].value)
        async with ConsoleClient.at(console_endpoint(url, key), clock=sim.world.clock) as console:
            await every_call(console)
            assert (await console.dialect()).has_names == (dialect == "autumn")
    assert len({(one.method, one.path) for one in sim.requests}) >= 16
    assert all(one.state == "closed" for one in sim.world.deployments.values())


async def test_prism_does_find_what_breaks_the_document(prism: str, shared: Path, tmp_path: Path) -> None:
    """A judge that lets everything pass would prove nothing."""
    async with judged(prism, shared, tmp_path, "august") as (sim, url):
        sim.faults.add(Fault(match="GET /v1/balances", do="answer", status=200, body={"data": {"balance": "12"}}))
        async with ConsoleClient.at(console_endpoint(url, Secret(sim.world.keys[0].value))) as console:
            with pytest.raises(ServerError):
                await console.http.send("GET", "/v1/balances", what="read the balance")
            assert sim.count("GET", "/v1/balances") == 1
            with pytest.raises(CockpitError):
                await console.http.send("POST", "/v1/leases", what="lease", json={"leases": [{"dseq": "1"}]})
            assert sim.count("POST", "/v1/leases") == 0
