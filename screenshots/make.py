"""Writes the screenshots: `python -m screenshots.make [DIRECTORY]`.

A session of the cockpit on a simulated cluster of 12 nodes and 96 GPUs is recorded, and replayed with a clock that
stands still where the pictures are taken.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from unittest.mock import patch

import msgspec

from cockpit.feeds.recording import still
from cockpit.model.secret import Secret
from cockpit.sdl.templates import template_named
from cockpit.settings import Ui
from screenshots.cluster import FOLLOWED, NAME, TOKEN, look_around, write_recording
from tests.ui.driver import Driver, cockpit_on, opener_of

HERE = Path(__file__).parent
SIZE = (120, 32)
HOMES = ("HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")
Scene = Callable[[Driver], Awaitable[None]]


async def jobs(driver: Driver) -> None:
    """All jobs, the cursor on one that failed."""
    failed = next(key for key in driver.jobs.keys if "FAILED" in driver.jobs.pane.table.cell_text("status", key))
    await driver.jobs.select(failed)


async def gpus(driver: Driver) -> None:
    """GPUs, a held one that nobody uses among them."""
    await driver.press("3")
    keys = driver.gpus.keys
    idle = [key for key in keys if driver.gpus.pane.table.cell_text("idle", key)]
    await driver.press("end")
    await driver.gpus.select(keys[max(0, keys.index(idle[0]) - 8)])
    await driver.gpus.select(idle[0])


async def nodes(driver: Driver) -> None:
    """Nodes, one of them dead."""
    await driver.press("4")


async def log(driver: Driver) -> None:
    """A log that is followed."""
    await driver.jobs.select(FOLLOWED)
    await driver.press("l")
    await driver.wait_until(lambda: bool(driver.log.status.bytes), "the log")


async def submit(driver: Driver) -> None:
    """The submit dialog, filled in."""
    await driver.press("s")
    dialog = await driver.opened("Submit a job")
    await dialog.fill("num-gpus", "8")
    await dialog.fill("memory", "64Gi")
    await dialog.fill("environment", "HF_TOKEN=ac-secret://HF_TOKEN\nNCCL_DEBUG=WARN")
    await dialog.fill("metadata", "owner=mia")
    await dialog.fill("entrypoint", "python train.py --config configs/llama3-8b.yaml")


async def stop(driver: Driver) -> None:
    """The question before two jobs are stopped."""
    table = driver.jobs.pane.table
    running = [key for key in driver.jobs.keys if "RUNNING" in table.cell_text("status", key)]
    table.set_marks(running[1:3])
    await driver.jobs.select(running[1])
    await driver.press("x")
    await driver.opened("Stop 2 jobs?")


async def sdl(driver: Driver) -> None:
    """An SDL as form and text: a size that one parser refuses, and a count that was just changed in the form."""
    await driver.press("6")
    pane = driver.pane("sdl")
    await driver.wait_until(lambda: pane.secrets is not None, "the secrets")
    pane.secrets = {"RAY_AUTH_TOKEN": "keyring"}
    pane.desk.begin(template_named("ray-gpu-1x6").text.replace("size: 96Gi", "size: 96gb"), "ray-gpu-1x6.yaml")
    pane.desk.session.saved()
    pane.text.show_session(pane.desk.session)
    await _checked(driver)
    count = next(row for row in pane.form.view.rows if row.key == "ray-worker:count:akash")
    pane.enter(count, "8")
    pane.desk.session.saved()
    await _checked(driver)
    pane.form.view.move_to("ray-worker:")
    pane.form.view.action_section(-1)
    pane.form.view.action_section(1)
    pane.form.view.move_to(count.key)
    pane.form.view.focus()


async def _checked(driver: Driver) -> None:
    pane = driver.pane("sdl")
    pane.recheck()
    version = pane.desk.session.version
    await driver.wait_until(lambda: pane.checked is not None and pane.checked.version == version, "the problems")


SCENES: dict[str, tuple[Scene, str]] = {
    "jobs": (jobs, "dark"),
    "gpus": (gpus, "dark"),
    "nodes": (nodes, "dark"),
    "log": (log, "dark"),
    "submit": (submit, "dark"),
    "stop": (stop, "dark"),
    "sdl": (sdl, "dark"),
    "jobs-light": (jobs, "light"),
}


@asynccontextmanager
async def replayed(recording: Path) -> AsyncIterator[Driver]:
    """The cockpit on the recording, at its end, with everything in its past that was looked at."""
    replay, clock = still(recording, at=0.0)
    # A replay sends no token; the picture shows what is usual.
    transport = replay.client.transport
    transport.endpoint = msgspec.structs.replace(transport.endpoint, token=Secret(TOKEN))
    opener = opener_of(replay.client, clock, name=NAME)
    async with cockpit_on(opener, clock=clock, size=SIZE, ui=Ui(theme="dark")) as driver:
        await driver.wait_until(lambda: driver.app.cluster is not None, "the cluster")
        await look_around(driver)
        yield driver


async def tidied(driver: Driver) -> None:
    """Back to the Jobs pane: no dialog, no marks."""
    while driver.has_dialog:
        await driver.press("escape")
    await driver.press("2")
    driver.jobs.pane.table.set_marks(())


async def pictures() -> AsyncIterator[tuple[str, str]]:
    """Names and SVGs."""
    # What is on the pictures does not depend on whose machine it is, nor is anything left there.
    with tempfile.TemporaryDirectory() as directory, patch.dict(os.environ, dict.fromkeys(HOMES, directory)):
        recording = Path(directory) / "session.jsonl"
        await write_recording(recording)
        async with replayed(recording) as driver:
            for name, (scene, theme) in SCENES.items():
                await tidied(driver)
                driver.app.theme = theme
                await scene(driver)
                await driver.elapse()
                yield name, driver.app.export_screenshot(title=f"rayakash-tui – {name}")


def in_utc() -> None:
    """Times of day are those of UTC, wherever the pictures are made."""
    os.environ["TZ"] = "UTC"
    time.tzset()


async def write(directory: Path) -> None:
    """Write every picture to a directory."""
    async for name, svg in pictures():
        (directory / f"{name}.svg").write_text(svg)


if __name__ == "__main__":
    in_utc()
    asyncio.run(write(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE))
