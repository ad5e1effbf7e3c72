"""Leaving one cluster for another."""

import asyncio
from typing import Any, cast

import pytest

from cockpit.operations.clusters.live import LiveCluster
from cockpit.screens.workspace import Workspace


class Notices:
    """Hears which cluster is there."""

    def attach(self, cluster: LiveCluster | None) -> None:
        """Part of the workspace's protocol."""


class SlowCluster:
    """A cluster whose tunnel takes its time to end."""

    def __init__(self) -> None:
        self.may_end = asyncio.Event()
        self.is_closed = False

    async def close(self) -> None:
        await self.may_end.wait()
        self.is_closed = True


def workspace() -> Workspace:
    anything = cast("Any", None)
    notices = cast("Any", Notices())
    return Workspace(anything, notices, notices, keys={}, crashed=anything, answer_refusal=anything)


async def test_a_cluster_is_closed_to_its_end_though_another_is_chosen_meanwhile() -> None:
    work, left = workspace(), SlowCluster()
    work.cluster = cast("LiveCluster", left)
    leaving = asyncio.create_task(work.leave_cluster())
    await asyncio.sleep(0)
    leaving.cancel()  # as the next choice does
    with pytest.raises(asyncio.CancelledError):
        await leaving
    again = asyncio.create_task(work.leave_cluster())
    await asyncio.sleep(0)
    assert not again.done(), "the next is opened once the first is closed"
    left.may_end.set()
    await again
    assert left.is_closed


async def test_clusters_are_closed_one_after_another() -> None:
    work, first, second = workspace(), SlowCluster(), SlowCluster()
    second.may_end.set()
    for cluster in (first, second):
        work.cluster = cast("LiveCluster", cluster)
        leaving = asyncio.create_task(work.leave_cluster())
        await asyncio.sleep(0)
        if cluster is first:
            leaving.cancel()
    assert not second.is_closed
    first.may_end.set()
    await leaving
    assert first.is_closed
    assert second.is_closed
