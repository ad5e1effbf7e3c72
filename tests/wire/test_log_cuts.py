"""A follower gets on wherever a connection carries something beyond its place, and says so where none does."""

import random
import tarfile
from pathlib import Path

import pytest

from cockpit.errors import UnreachableError
from cockpit.feeds import follower, job_watch
from cockpit.operations.logs.archive import save_logs
from tests.wire.clients import talking_to
from tests.wire.fake_ray import FakeRay
from tests.wire.following import JOB, Following, brisk, following

__all__ = ["brisk"]

pytestmark = [pytest.mark.usefixtures("brisk"), pytest.mark.lengthy]

KB = 1000
HEADER = b"2026-11-20 21:40:01,112\tINFO job_manager.py:581 -- Runtime env is setting up.\n"
STEPS = b"".join(b"step %9d | loss 1.2345 | 41.2k tok/s\n" % number for number in range(25_000))
BLOCK = b"".join(b"epoch step %d of 1000 done\n" % step for step in range(1000))

LOGS = {
    "lines that differ": HEADER + STEPS,
    "one line again and again": HEADER + b"tick\n" * 200_000,
    "blank lines": HEADER + b"\n" * 1_000_000,
    "a block again and again": HEADER + BLOCK * 40,
    "progress bars": HEADER + b"".join(b"\r%3d %%" % n + b"\n" * (n == 99) for n in range(100)) * 2500,
    "one long line": HEADER + STEPS[: 300 * KB] + b"x" * 150 * KB + b"\n" + STEPS[300 * KB :],
}


class Cuts(list[int]):
    """Every reading to come is broken after a number of bytes that is drawn."""

    def __init__(self, least: int, most: int) -> None:
        self._chance, self._least, self._most = random.Random(least), least, most

    def __bool__(self) -> bool:
        return True

    def pop(self, _: object = 0) -> int:
        return self._chance.randrange(self._least, self._most + 1)


@pytest.fixture(autouse=True)
def hasty(brisk: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - it comes first
    """A pause after each of a hundred cuts would be a long time."""
    monkeypatch.setattr(job_watch, "POLL_SECONDS", 0.005)
    monkeypatch.setattr(follower, "SETTLE_SECONDS", 0.01)


def check_cost(run: Following) -> None:
    """Four times the log, and what the first placing takes: there the number of lines is found by halves."""
    assert run.server.sent < 4 * len(run.held) + 20 * 256 * 1024


@pytest.mark.parametrize(("kind", "follow"), [*((kind, True) for kind in LOGS), ("lines that differ", False)])
async def test_a_log_through_cuts_is_whole_and_comes_not_often(kind: str, follow: bool) -> None:
    ray, data = FakeRay(), LOGS[kind]
    ray.add(JOB, "SUCCEEDED", log=data)
    ray.cuts = Cuts(64 * KB if kind != "one long line" else 260 * KB, 400 * KB)
    async with following(ray, follow=follow) as run:
        await run.result()
        assert run.held == data
        check_cost(run)
    assert not {"replaced", "reconnected unproven"} & set(run.events)


async def test_a_running_job_is_followed_through_cuts_as_it_writes() -> None:
    ray, data = FakeRay(), LOGS["lines that differ"]
    log = ray.add(JOB, log=data[: 300 * KB])
    ray.cuts = Cuts(64 * KB, 100 * KB)
    async with following(ray) as run:
        for at in range(300 * KB, 900 * KB, 150 * KB):
            log.write(data[at : at + 150 * KB])
            await run.holds(at)
        ray.end(JOB)
        await run.result()
        assert run.held == data[: 900 * KB]
    assert not {"replaced", "reconnected unproven"} & set(run.events)


async def test_the_last_lines_get_on_too_and_what_cannot_be_proven_is_said() -> None:
    ray, data = FakeRay(), LOGS["lines that differ"]
    ray.add(JOB, "SUCCEEDED", log=data)
    ray.cuts = Cuts(100 * KB, 400 * KB)  # to look the whole file through is more than a connection carries
    async with following(ray, tail=15_000) as run:
        await run.result()
        assert run.held == b"".join(data.splitlines(keepends=True)[-15_000:])
        check_cost(run)
    assert "reconnected unproven" in run.events
    assert "reconnected" not in run.events


async def test_a_line_longer_than_any_connection_is_said_to_be_where_it_ends() -> None:
    ray, start = FakeRay(), HEADER + STEPS[: 100 * KB]
    ray.add(JOB, "SUCCEEDED", log=start + b"x" * 300 * KB)
    ray.cuts = Cuts(64 * KB, 64 * KB)
    async with following(ray, retry_for=0.5) as run:
        with pytest.raises(UnreachableError, match="does not get any further"):
            await run.result()
        held = run.held
    assert (start + b"x" * 300 * KB).startswith(held)
    assert len(held) > len(start)
    assert "away" in run.events


async def test_an_archive_gets_a_log_through_cuts(tmp_path: Path) -> None:
    ray, data = FakeRay(), LOGS["lines that differ"]
    ray.add(JOB, "SUCCEEDED", log=data)
    ray.cuts = Cuts(64 * KB, 400 * KB)
    async with talking_to(ray) as (client, _):
        saved = await save_logs(client, JOB, tmp_path / "x.tar")
    assert not any("log job-driver" in sentence for sentence in saved.missing)
    with tarfile.open(tmp_path / "x.tar") as archive:
        (name,) = (name for name in archive.getnames() if name.endswith(".log"))
        member = archive.extractfile(name)
        assert member is not None
        assert member.read() == data
