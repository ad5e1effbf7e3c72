"""A real Ray on this machine: for as long as a caller lives, or until it is taken down.

It needs the `local` extra, runs Ray as a process of its own and never imports it. Several may run side by
side, and beside any other Ray.
"""

import asyncio
import contextlib
import fcntl
import os
import signal
from collections.abc import AsyncIterator, Callable

from cockpit import settings
from cockpit.errors import LocalRayError
from cockpit.local import processes, state, supervisor
from cockpit.local.installed import installed_ray
from cockpit.local.launch import Launch, LocalOptions, known_directories, marker_of, prepare
from cockpit.local.owner import Report, Supervised, supervised
from cockpit.local.plan import Plan
from cockpit.local.ports import is_served
from cockpit.local.readiness import wait_ready
from cockpit.local.state import LocalCluster
from cockpit.local.teardown import sweep

START_S = 180.0
DOWN_S = 60.0
POLL_S = 0.1

DIED = "The local Ray ended by itself."


def unheard(_: str) -> None:
    """A report that is dropped."""


@contextlib.asynccontextmanager
async def owned_ray(
    options: LocalOptions | None = None,
    *,
    report: Report = unheard,
    on_end: Callable[[LocalRayError], None] | None = None,
) -> AsyncIterator[LocalCluster]:
    """A local Ray that lives as long as this block and never longer than this process.

    `report` gets a sentence for each step. `on_end` is called, at most once, when Ray ends by itself within
    the block; it is cleared up by then or soon after. Raises LocalRayError where Ray is not installed or
    cannot be started; nothing of it is left then, as after the block, after a cancellation, and after any
    death of this process.
    """
    async with contextlib.AsyncExitStack() as stack:
        handle, cluster = await _started(options or LocalOptions(), report, stack)
        await handle.say(supervisor.READY)
        watch = asyncio.ensure_future(_tell_end(handle, on_end))
        stack.callback(watch.cancel)
        yield cluster


async def bring_up(options: LocalOptions | None = None, *, report: Report = unheard) -> LocalCluster:
    """Start a local Ray that outlives this process, or return the one that is up already.

    Until it is ready it belongs to this process and ends with it; cancelled, it is torn down. Raises
    LocalRayError as `owned_ray` does, UsageError where its state cannot be written.
    """
    async with _sole(report):
        running = state.local_status()
        if running is not None:
            report(f"A local Ray is up already: {running.address}")
            return running
        await _clear_stale(report)
        state.farewell_path().unlink(missing_ok=True)
        return await _detached(options or LocalOptions(), report)


async def bring_down(*, report: Report = unheard) -> bool:
    """End the detached local Ray and wait until nothing is left; False where none was up.

    What a killed supervisor left behind is cleared up too. Raises LocalRayError where it does not end.
    """
    async with _sole(report):
        cluster = state.local_status()
        if cluster is None:
            await _clear_stale(report)
            return False
        report(f"Ending the local Ray {cluster.address}.")
        target = processes.look_up(cluster.supervisor_pid)
        if target is not None and state.is_running(cluster):  # so `target` is the supervisor
            processes.send(target, signal.SIGTERM)
        await _wait_until_gone(cluster, report)
        return True


async def _detached(options: LocalOptions, report: Report) -> LocalCluster:
    async with contextlib.AsyncExitStack() as stack:
        handle, cluster = await _started(options, report, stack, detached=True)
        # First the file, then the word: killed in between, the supervisor ends Ray and removes the file.
        state.save(cluster)
        await handle.say(supervisor.DETACH)
        await handle.while_it_lives(handle.detached, DIED)
        stack.pop_all()
        await handle.hang_up()
        return cluster


async def _started(
    options: LocalOptions, report: Report, stack: contextlib.AsyncExitStack, *, detached: bool = False
) -> tuple[Supervised, LocalCluster]:
    """A Ray that is ready, whose end is on `stack`. A port that was taken meanwhile costs a second try."""
    version = installed_ray()
    paths = {"state": str(state.state_path()), "farewell": str(state.farewell_path())} if detached else {}
    for last in (False, True):
        launch = prepare(options, **paths)
        report(f"Starting Ray {version} in {launch.plan.directories[0]}.")
        try:
            return await _attempt(launch, version, report, stack)
        except LocalRayError:
            if last or not any(is_served(port) for port in launch.ports):
                raise
            report("One of its ports was taken meanwhile; trying again with others.")
    raise AssertionError("the second try returns or raises")


async def _attempt(
    launch: Launch, version: str, report: Report, stack: contextlib.AsyncExitStack
) -> tuple[Supervised, LocalCluster]:
    async with contextlib.AsyncExitStack() as attempt:
        handle = await attempt.enter_async_context(supervised(launch, report))
        await _until_ready(handle, report)
        cluster = _described(launch, handle, version)
        stack.push_async_exit(attempt.pop_all())
        return handle, cluster


async def _until_ready(handle: Supervised, report: Report) -> None:
    title = "Ray ended before it was ready."
    try:
        async with asyncio.timeout(START_S):
            await handle.while_it_lives(handle.started, title)
            report("Ray is starting; its dashboard comes up in some seconds.")
            await handle.while_it_lives(wait_ready(handle.launch, report), title)
    except TimeoutError:
        handle.let_go()
        ended = await handle.ended
        raise ended.as_error(f"Ray was not ready within {START_S:.0f} seconds.") from None


def _described(launch: Launch, handle: Supervised, version: str) -> LocalCluster:
    started = handle.started.result()
    return LocalCluster(
        address=launch.address,
        token=launch.token,
        gcs_address=launch.gcs_address,
        temp_dir=launch.plan.directories[0],
        supervisor_pid=started["pid"],
        supervisor_identity=started["identity"],
        ray_version=version,
    )


async def _tell_end(handle: Supervised, on_end: Callable[[LocalRayError], None] | None) -> None:
    ended = await asyncio.shield(handle.ended)
    if on_end is not None:
        on_end(ended.as_error(DIED))


@contextlib.asynccontextmanager
async def _sole(report: Report) -> AsyncIterator[None]:
    """Only one `up` or `down` of this user at a time; the kernel lets go of the lock with the process."""
    descriptor = _lock_file()
    try:
        if not _locked(descriptor):
            report("Another `local up` or `local down` is at work; waiting for it.")
            await _until(lambda: _locked(descriptor))
        yield
    finally:
        os.close(descriptor)


def _lock_file() -> int:
    path = state.lock_path()
    settings.private_directory(path.parent)
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise LocalRayError(f"The file {path} cannot be opened.", detail=str(error)) from error


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def _until(holds: Callable[[], bool]) -> None:
    while True:
        if holds():
            return
        await asyncio.sleep(POLL_S)


async def _wait_until_gone(cluster: LocalCluster, report: Report) -> None:
    try:
        async with asyncio.timeout(DOWN_S):
            await _until(lambda: not state.is_running(cluster))
    except TimeoutError:
        raise LocalRayError(
            f"The local Ray has not ended within {DOWN_S:.0f} seconds.",
            hint=f"Its supervisor, process {cluster.supervisor_pid}, goes on; look for processes in state D.",
        ) from None
    await _clear_up(cluster, report)


async def _clear_stale(report: Report) -> None:
    cluster = state.stale_state()
    if cluster is not None:
        report(f"The local Ray {cluster.address} ended unexpectedly; cleaning up.")
        await _clear_up(cluster, report)


async def _clear_up(cluster: LocalCluster, report: Report) -> None:
    left = await asyncio.to_thread(sweep, _remains_of(cluster), cluster.supervisor_pid)
    if left:
        pids = ", ".join(str(process.pid) for process in left)
        report(f"These of its processes do not end: {pids}")


def _remains_of(cluster: LocalCluster) -> Plan:
    """A plan as far as `sweep` needs one."""
    return Plan(
        owner=0,
        owner_identity="",
        marker=marker_of(cluster.temp_dir),
        directories=known_directories(cluster.temp_dir),
        command=[],
        state=str(state.state_path()),
    )
