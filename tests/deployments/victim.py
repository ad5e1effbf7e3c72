"""Deploys and closes against a simulated Console, and is killed at a point of its journal; orders come on stdin.

An order is a line of JSON with `url`, `key`, `home`, and the point as `step` and `when`:
`before` kills in the place of writing that entry, after what it tells has happened; `after` kills once it is on disk.
Each is carried out by a fork, which dies by SIGKILL; the answer is a line with its signal.
"""

import asyncio
import json
import os
import signal
import sys
import traceback
import urllib.request
from pathlib import Path
from typing import Any

import msgspec

from cockpit.clients.address import Address
from cockpit.clients.akash.console import ConsoleClient, console_endpoint
from cockpit.errors import UnreachableError
from cockpit.model.images import ImageFacts
from cockpit.model.secret import Secret
from cockpit.model.snapshot import Moment
from cockpit.operations.deployments import images
from cockpit.operations.deployments.deploying import Deploying, Tools
from cockpit.operations.deployments.ending import close
from cockpit.operations.deployments.flow import Terms
from cockpit.operations.deployments.journal import Entry, Journal
from cockpit.operations.deployments.preparing import Wish, prepare
from cockpit.operations.deployments.run_plan import CloseWhen, RunPlan
from cockpit.operations.deployments.run_to_end import RunToEnd
from cockpit.operations.question import Question
from cockpit.sdl.files import read_document
from tests.deployments.job_stub import StubCluster
from tests.deployments.sources import ConsoleSource


class RemoteClock:
    """The simulated network's own clock: a sleep moves it, so that nobody waits."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/_sim"

    def _order(self, **order: object) -> float:
        with urllib.request.urlopen(self._url, json.dumps(order).encode(), timeout=30) as reply:
            return float(json.load(reply)["time"])

    def now(self) -> Moment:
        """The time there."""
        now = self._order(do="state")
        return Moment(now, now)

    async def sleep(self, seconds: float) -> None:
        """Have it pass there."""
        self._order(do="skip", seconds=seconds)


def _die_at(step: str, when: str) -> None:
    written = Journal.write

    def write(journal: Journal, entry: Entry) -> None:
        if entry.step == step and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        written(journal, entry)
        if entry.step == step:
            os.kill(os.getpid(), signal.SIGKILL)

    setattr(Journal, "write", write)  # noqa: B010 - mypy


async def _no_registry(*_: object) -> ImageFacts:
    raise UnreachableError("No registry in tests.")


async def _live(order: dict[str, Any]) -> None:
    clock = RemoteClock(order["url"])
    file = Path(order["home"]) / "lab.yaml"

    async def answers(_: Address, __: str | None) -> None:
        return None

    async def yes(_: Question) -> bool:
        return True

    async with ConsoleClient.at(console_endpoint(order["url"], Secret(order["key"])), clock=clock) as console:
        images.LOOKUP = _no_registry
        prepared = await prepare(console, read_document(file), file, Wish())
        run = RunPlan(job=file.with_name("job.yaml"), close_when=CloseWhen(kind="done")) if order["run"] else None
        prepared = msgspec.structs.replace(prepared, run=run)
        tools = Tools(source=lambda client, _: ConsoleSource(client), probe=answers)
        deploying = Deploying(console, prepared, Terms(), lambda _: None, tools=tools)
        ready = await deploying.run(yes)
        assert deploying.journal is not None
        if run is not None:
            journal, cluster = Journal.resume(deploying.journal.path), StubCluster(file.with_name("jobs"))
            await RunToEnd(console, journal, run, cluster, lambda _: None, try_it=answers).run("job-1")
            return
        await close(console, Journal.resume(deploying.journal.path), ready.dseq, try_it=answers)


def _carry_out(order: dict[str, Any]) -> int:
    """The signal that ended the fork; 0 where it lived to its end."""
    child = os.fork()
    if child == 0:
        for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
            os.environ[name] = order["home"]
        _die_at(order["step"], order["when"])
        try:
            asyncio.run(_live(order))
        finally:
            traceback.print_exc()
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps({"signal": _carry_out(json.loads(line))}), flush=True)
