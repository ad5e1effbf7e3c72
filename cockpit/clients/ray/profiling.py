"""Stacks, CPU profiles and the timeline of tasks (ray-depth section 2).

Ray has py-spy look into its processes, and allows that only where the head was started with
RAY_DASHBOARD_ENABLE_PROFILING=1 (2.60; older releases always do).
"""

import asyncio
from collections.abc import Mapping

from cockpit.clients.ray.http import DashboardHttp
from cockpit.errors import AuthenticationError, CockpitError, NotFoundError, NotRayError, RejectedError, ServerError

VARIABLE = "RAY_DASHBOARD_ENABLE_PROFILING=1"
STACK_SECONDS = 30.0
SLACK_SECONDS = 30.0
LONGEST_PROFILE = 60  # seconds; Ray refuses more
MOST_BYTES = 64 * 2**20
_GONE = ("No such process", "no such process", "Failed to find process", "is not running", "finished")
_DENIED = ("permission", "Operation not permitted", "Permission denied")


class ProfilingApi:
    """Calls that look into a process; each stops it for some milliseconds."""

    def __init__(self, http: DashboardHttp) -> None:
        self._http = http

    async def stack(self, node_id: str, pid: int) -> str:
        """What every thread of a process of Ray does now, as py-spy prints it.

        Raises RejectedError where Ray or the kernel does not allow it, NotFoundError where the process has ended.
        """
        return await self._text("/worker/traceback", {"pid": str(pid), "node_id": node_id}, seconds=STACK_SECONDS)

    async def task_stack(self, task_id: str, attempt: int, node_id: str) -> str:
        """The same for the process that runs a task; it must be RUNNING."""
        params = {"task_id": task_id, "attempt_number": str(attempt), "node_id": node_id}
        return await self._text("/task/traceback", params, seconds=STACK_SECONDS)

    async def folded(self, node_id: str, pid: int, *, seconds: int) -> str:
        """A CPU profile of so many seconds (1 to 60), a line per stack: frames with `;` between, and a count."""
        params = {"pid": str(pid), "node_id": node_id, "duration": str(seconds), "format": "raw"}
        return await self._text("/worker/cpu_profile", params, seconds=seconds + SLACK_SECONDS)

    async def memory(self, node_id: str, pid: int, *, seconds: int) -> bytes:
        """What a process allocates in so many seconds, as a page of HTML that memray makes; it takes 5 to 10 s more.

        Raises RejectedError where the node has no memray.
        """
        params = {"pid": str(pid), "node_id": node_id, "duration": str(seconds), "format": "flamegraph"}
        text = await self._text("/memory_profile", params, seconds=seconds + 2 * SLACK_SECONDS)
        return text.encode()

    async def timeline(self, job_id: str) -> bytes:
        """What each task of a job did when, as a trace that chrome://tracing and Perfetto read."""
        async with self._http.supported("timeline of tasks"):
            return await self._http.get_list("/api/v0/tasks/timeline", {"job_id": job_id})

    async def _text(self, path: str, params: Mapping[str, str], *, seconds: float) -> str:
        held = bytearray()
        async with self._http.supported("profiling"):
            try:
                # Ray is silent while it looks: this is not what bounds of silence are for.
                async with (
                    asyncio.timeout(seconds),
                    self._http.transport.stream(path, params=params, endless=True) as chunks,
                ):
                    async for chunk in chunks:
                        held += chunk
                        if len(held) > MOST_BYTES:
                            raise NotRayError(f"The reply of {self._http.address} is too long for a profile.")
            except TimeoutError as error:
                raise ServerError(f"Ray did not send the profile within {seconds:g} s.") from error
            except (AuthenticationError, ServerError) as error:
                raise _refusal(error) from error
        return held.decode("utf-8", "replace")


def _refusal(error: CockpitError) -> CockpitError:
    """What it means that Ray did not look into a process."""
    words = error.detail
    if "Profiling is disabled" in words:
        return RejectedError(
            "Profiling is off on this cluster.",
            detail=words,
            hint=f"Start the head with {VARIABLE} in its environment. Everyone with the token can then use it.",
            fault="profiling-off",
        )
    if isinstance(error, AuthenticationError):
        return error
    if any(word in words for word in _DENIED):
        return RejectedError(
            "The node does not allow looking into processes.",
            detail=words,
            hint="Run Ray as root there, or give its container the capability SYS_PTRACE.",
            fault="profiling-denied",
        )
    if "memray" in words and "not installed" in words:
        return RejectedError(
            "The node has no memray.",
            detail=words,
            hint="Install it there (no restart needed): pip install memray",
            fault="no-memray",
        )
    if "not installed" in words:
        return RejectedError(
            "py-spy is not installed on the node.",
            detail=words,
            hint="Install it in the image of the node: pip install py-spy",
        )
    if any(word in words for word in _GONE):
        return NotFoundError("The process has ended.", detail=words)
    return error
