"""Looking into processes: what Ray's refusals mean."""

import pytest

from cockpit.errors import AuthenticationError, CockpitError, NotFoundError, RejectedError, ServerError
from tests.wire.clients import answered_with

OFF = (
    "Profiling is disabled by default for security reasons. To enable profiling, set the environment variable "
    "RAY_DASHBOARD_ENABLE_PROFILING=1 on the Ray head node."
)
FAILED = "Failed to execute `['/usr/bin/py-spy', 'dump', '-p', '7']`.\n\n=== stderr ===\n{}\n\n=== stdout ===\n\n"


@pytest.mark.parametrize(
    ("status", "text", "error", "title"),
    [
        (403, OFF, RejectedError, "Profiling is off on this cluster."),
        (403, "Forbidden: Invalid authentication token", AuthenticationError, "403"),
        (
            500,
            FAILED.format("Permission Denied: Try running again with elevated permissions"),
            RejectedError,
            "does not allow",
        ),
        (
            500,
            FAILED.format("Error: Failed to open process\nCaused by:\n  No such process"),
            NotFoundError,
            "has ended",
        ),
        (500, "Failed to execute: py-spy is not installed", RejectedError, "py-spy is not installed"),
        (500, "Failed to profile: memray is not installed", RejectedError, "no memray"),
        (500, "something else", ServerError, "something else"),
    ],
)
async def test_what_a_refusal_means(status: int, text: str, error: type[CockpitError], title: str) -> None:
    async with answered_with(text, status) as (client, _):
        with pytest.raises(error, match=title) as failure:
            await client.profiling.stack("ab", 7)

    if text is OFF:
        assert "RAY_DASHBOARD_ENABLE_PROFILING=1" in failure.value.hint


async def test_what_is_asked_and_what_comes_back() -> None:
    async with answered_with("main (a.py:1);spin (a.py:2) 5\n") as (client, server):
        found = await client.profiling.folded("ab", 7, seconds=3)

    assert found == "main (a.py:1);spin (a.py:2) 5\n"
    (asked,) = server.seen("GET", "/worker/cpu_profile")
    assert asked.target.endswith("?pid=7&node_id=ab&duration=3&format=raw")


async def test_a_memory_profile_is_a_page_for_a_browser() -> None:
    async with answered_with("<html>memray</html>") as (client, server):
        found = await client.profiling.memory("ab", 7, seconds=3)

    assert found == b"<html>memray</html>"
    (asked,) = server.seen("GET", "/memory_profile")
    assert asked.target.endswith("?pid=7&node_id=ab&duration=3&format=flamegraph")
