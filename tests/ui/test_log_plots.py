"""Numbers of a log as plots over it."""

from pathlib import Path

from cockpit.operations.logs.kept_plots import KeptPlots
from tests.sim import SimServer
from tests.sim.jobs import SimJob
from tests.sim.work import PRETRAIN
from tests.ui.driver import Driver, cockpit, simulated

SECONDS = 10_000.0


def training(server: SimServer, number: int) -> SimJob:
    """A run of a training, which began so long ago."""
    started = server.cluster.clock.now() - SECONDS * 2 / number
    job = SimJob(submission_id=f"sft-r{number}", job_id=None, kind=PRETRAIN, entrypoint="python train.py",
                 created=started - 4, started=started)  # fmt: skip
    server.cluster.jobs.append(job)
    return job


async def followed(driver: Driver, job_id: str) -> None:
    """Open the log of a job and wait for its end."""
    await driver.press("2")
    await driver.jobs.select(job_id)
    await driver.press("l")
    await driver.wait_until(lambda: bool(driver.log.status.bytes), "the log")


async def plotted(driver: Driver, name: str) -> None:
    """Wait until the plot of a number has a curve."""
    plots = driver.pane("log")._plots
    await driver.wait_until(lambda: name in plots.names and f"{name}  min" in plots.text, f"the plot of {name}")


async def test_numbers_are_plotted_live_kept_and_laid_over_one_another() -> None:
    async with simulated() as server:
        for number in (1, 2):
            training(server, number)
        async with cockpit(server, size=(130, 40)) as driver:
            await followed(driver, "sft-r2")
            await driver.press("m")
            dialog = await driver.opened("Plot which number?")
            dialog.says("loss", "tok/s", "lr")
            await driver.press("enter")
            await plotted(driver, "loss")
            driver.sees("slope", "step 10")
            series = driver.pane("log").plotting._readings["loss"].series
            await driver.wait_until(lambda: series.count > 1000, "the whole log")
            await driver.wait_until(lambda: "● RUNNING   epoch " in driver.text, "the progress")
            await driver.wait_until(lambda: driver.app._title_shown.endswith(" % · sft-r2"), "the title")
            before = series.count
            await driver.elapse(15)
            await driver.wait_until(lambda: series.count > before, "new values")
            await driver.press("M")
            await driver.wait_until(lambda: "─ sft-r1" in driver.text, "the run before")
            await driver.press("m")
            (await driver.opened("Plot which number?")).says("loss  (plotted: choose to remove)")
            await driver.press("escape")
            await driver.press("2")
            await driver.wait_until(lambda: not driver.app._title_shown, "the title that was there before")
            await followed(driver, "sft-r1")
            await plotted(driver, "loss")
            assert "─ sft-r1" not in driver.text
            await driver.press("m", "enter")
            await driver.wait_until(lambda: not driver.pane("log").plotting.names, "the end of the plot")
            assert "min" not in driver.text


def test_what_is_plotted_is_kept_by_job_name(tmp_path: Path) -> None:
    path = tmp_path / "plots.json"
    KeptPlots(path).keep("sft", ["loss", "acc"])
    kept = KeptPlots(path)
    assert kept.of("sft") == ["loss", "acc"]
    assert kept.of("other") == []
    for number in range(600):
        kept._read()[f"job{number}"] = ["x"]
    kept.keep("sft", [])
    assert len(KeptPlots(path)._read()) == 500
    path.write_text("{broken")
    assert KeptPlots(path).of("sft") == []
