"""Writes the pictures: `python -m screenshots.make [DIRECTORY]`, and as PNG at twice the size with rsvg-convert.

They show the recorded cluster that ships with the program, replayed with a clock that stands still.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from unittest.mock import patch

import msgspec
import pytest
from rich.segment import Segment
from textual.strip import Strip

from cockpit.feeds.clock import ManualClock
from cockpit.feeds.recording import still
from cockpit.model.secret import Secret
from cockpit.operations.clusters.live import LiveCluster
from cockpit.operations.clusters.opening import Opening, replayed_cluster
from cockpit.operations.clusters.replay import DEMO_FILE, DEMO_NAME, DEMO_USD_PER_HOUR
from cockpit.render.ascii_text import ascii_cell
from cockpit.sdl.templates import template_named
from cockpit.settings import Ui
from screenshots.draw import picture
from tests.akash_sim.console import SimConsole
from tests.akash_sim.market import providers
from tests.akash_sim.world import SimWorld
from tests.ui.deploying import HeldClock, deploying_from
from tests.ui.driver import Driver, cockpit_on
from tests.ui.screen import strips

HERE = Path(__file__).parent
SIZE = (140, 40)
WIDE = (160, 45)
SMALL = (80, 24)
AT = 180.0  # seconds of the recording, from whose beginning somebody has looked
TRAINING = "mistral-sft-r13"
WAITING = "mistral-sft-r41"
DEPLOY = "deploy"
HOMES = ("HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")
Scene = Callable[[Driver], Awaitable[None]]


class Shot(msgspec.Struct, frozen=True):
    """A picture: what is done before, in which theme and size, and how else the terminal differs."""

    scene: Scene
    theme: str = "dark"
    size: tuple[int, int] = SIZE
    ascii_only: bool = False


async def overview(driver: Driver) -> None:
    """The whole cluster."""
    await driver.press("1")
    await driver.wait_until(lambda: "wasted" in driver.text, "what wants a look")


async def jobs(driver: Driver) -> None:
    """All jobs, the cursor on one that failed."""
    await driver.press("2")
    failed = next(key for key in driver.jobs.keys if "FAILED" in driver.jobs.pane.table.cell_text("status", key))
    await driver.jobs.select(failed)
    await driver.elapse()


async def gpus(driver: Driver) -> None:
    """GPUs, a held one that is idle among them."""
    await driver.press("3")
    keys = driver.gpus.keys
    idle = [key for key in keys if driver.gpus.pane.table.cell_text("idle", key)]
    await driver.press("end")
    await driver.gpus.select(keys[max(0, keys.index(idle[0]) - 8)])
    await driver.gpus.select(idle[0])


async def log(driver: Driver) -> None:
    """A log that is followed, with two of its numbers plotted."""
    await driver.press("2")
    await driver.jobs.select(TRAINING)
    await driver.press("l")
    await driver.wait_until(lambda: bool(driver.log.status.bytes), "the log")
    plotting = driver.pane("log").plotting
    for name in ("loss", "tok/s"):
        if name not in plotting.names:
            plotting.toggle(name)
    await driver.wait_until(lambda: plotting.is_settled and driver.text.count("per step") == 2, "the plots")
    await driver.wait_until(lambda: " lines " in driver.text, "the count of lines")


async def job(driver: Driver) -> None:
    """The page of a job."""
    await driver.press("2")
    await driver.jobs.select(TRAINING)
    await driver.press("enter")
    await driver.opened(f"Job {TRAINING}")
    await driver.wait_until(lambda: "progress" in driver.text, "its progress")


async def why(driver: Driver) -> None:
    """Why a job waits."""
    await driver.press("2")
    await driver.jobs.select(WAITING)
    await driver.press("enter")
    await driver.opened(f"Job {WAITING}")
    await driver.wait_until(lambda: "why it waits" in driver.text, "why it waits")


@asynccontextmanager
async def deploying(directory: Path) -> AsyncIterator[Driver]:
    """The deploy screen with bids on a simulated network. Its clock goes on while one waits: no two are the same."""
    (directory / "home").mkdir()
    text = template_named("ray-gpu-1x6").text.replace("model: a100", "model: rtx4090").replace("80Gi", "24Gi")
    sellers = [
        msgspec.structs.replace(
            seller, model="rtx4090", ram="24Gi", interface="pcie", gpu_price=Decimal(520 + 85 * number)
        )
        for number, seller in enumerate(providers(7))
    ]
    sim = SimConsole(SimWorld(clock=HeldClock(), market=sellers))
    with pytest.MonkeyPatch.context() as patched:
        async with deploying_from(directory / "home", patched, size=SIZE, text=text, sim=sim) as one:
            await one.driver.wait_until(lambda: "ray-head" in one.driver.text, "the SDL", settled=False)
            await one.driver.press("f5")
            await one.until(lambda: "Rent this?" in one.driver.text, "the plan")
            await one.driver.press("enter")
            await one.until(lambda: len(one.page.progress.bids) > 3, "the bids")
            await one.driver.pause()
            yield one.driver


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


SHOTS: dict[str, Shot] = {
    "overview": Shot(overview, size=WIDE),
    "jobs": Shot(jobs),
    "gpus": Shot(gpus),
    "log": Shot(log),
    "job": Shot(job),
    "why": Shot(why),
    "sdl": Shot(sdl),
    "overview-light": Shot(overview, theme="light", size=WIDE),
    "overview-80x24": Shot(overview, size=SMALL),
    "overview-ascii": Shot(overview, size=SMALL, ascii_only=True),
}


@asynccontextmanager
async def replayed(*, size: tuple[int, int], ascii_only: bool) -> AsyncIterator[Driver]:
    """The cockpit on the recorded cluster, which somebody has looked at for a while."""
    replay, clock = still(DEMO_FILE, at=0.0)
    # A replay sends no token; the picture shows what is usual.
    transport = replay.client.transport
    transport.endpoint = msgspec.structs.replace(transport.endpoint, token=Secret("screenshot" * 4))

    async def opener(opening: Opening) -> LiveCluster:
        return await replayed_cluster(opening, replay, name=DEMO_NAME, cost=DEMO_USD_PER_HOUR)

    ui = Ui(theme="dark")
    async with cockpit_on(
        opener, clock=clock, size=size, ui=ui, ascii_only=ascii_only, first_pane="overview"
    ) as driver:
        await driver.wait_until(lambda: driver.app.cluster is not None, "the cluster")
        await _look_around(driver, clock)
        yield driver


async def _look_around(driver: Driver, clock: ManualClock) -> None:
    await driver.press("3")
    while clock.now().steady < AT:
        await driver.elapse(10.0)
    await driver.press("1")


async def tidied(driver: Driver) -> None:
    """Back to the Overview: no dialog, no message."""
    while driver.has_dialog:
        await driver.press("escape")
    driver.app.clear_notifications()
    await driver.press("1")


async def pictures() -> AsyncIterator[tuple[str, str]]:
    """Names and SVGs."""
    # What is on the pictures does not depend on whose machine it is, nor is anything left there.
    with tempfile.TemporaryDirectory() as directory, patch.dict(os.environ, dict.fromkeys(HOMES, directory)):
        for kind in dict.fromkeys((shot.size, shot.ascii_only) for shot in SHOTS.values()):
            async with replayed(size=kind[0], ascii_only=kind[1]) as driver:
                for name, shot in SHOTS.items():
                    if (shot.size, shot.ascii_only) == kind:
                        yield name, await _taken(driver, name, shot)


async def deploy_picture() -> str:
    """The SVG of the deploy screen."""
    with tempfile.TemporaryDirectory() as directory, patch.dict(os.environ, dict.fromkeys(HOMES, directory)):
        async with deploying(Path(directory)) as driver:
            return _drawn(driver, DEPLOY)


async def _taken(driver: Driver, name: str, shot: Shot) -> str:
    await tidied(driver)
    driver.app.theme = shot.theme
    await shot.scene(driver)
    await driver.elapse()
    return _drawn(driver, name)


def _drawn(driver: Driver, name: str) -> str:
    colors = driver.app.theme_variables
    title = f"rayakash-tui – {name}"
    lines = strips(driver.app)
    if driver.app.glyphs.is_ascii:  # as it is written to the terminal
        lines = [Strip([Segment("".join(map(ascii_cell, part.text)), part.style) for part in line]) for line in lines]
    return picture(lines, title=title, ground=colors["background"], ink=colors["foreground"])


def in_utc() -> None:
    """Times of day are those of UTC, wherever the pictures are made."""
    os.environ["TZ"] = "UTC"
    time.tzset()


async def write(directory: Path) -> None:
    """Write every picture to a directory."""
    async for name, svg in pictures():
        (directory / f"{name}.svg").write_text(svg)
    (directory / f"{DEPLOY}.svg").write_text(await deploy_picture())


def write_pngs(directory: Path) -> None:
    """Write each SVG of a directory as PNG at twice the size; in 256 colors where pngquant is installed."""
    if shutil.which("rsvg-convert") is None:
        print("rsvg-convert is not installed: no PNGs (Debian: librsvg2-bin)", file=sys.stderr)
        return
    for svg in sorted(directory.glob("*.svg")):
        png = svg.with_suffix(".png")
        subprocess.run(["rsvg-convert", "--zoom", "2", "--output", png, svg], check=True)
        if shutil.which("pngquant"):
            subprocess.run(["pngquant", "--force", "--ext", ".png", "--speed", "1", "256", png], check=True)


if __name__ == "__main__":
    in_utc()
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    asyncio.run(write(where))
    write_pngs(where)
