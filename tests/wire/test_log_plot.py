"""`logs ID --plot`."""

import json

import pytest

from tests.wire.commands import Done, here, home
from tests.wire.fake_ray import FakeRay, serve
from tests.wire.following import brisk

__all__ = ["brisk", "home"]

pytestmark = pytest.mark.usefixtures("home", "brisk")


def trained(*, begin: float, steps: int = 40) -> bytes:
    """The log of a training whose loss falls by 0.01 a step."""
    return b"".join(b"step %d loss=%.2f acc: 50%%\n" % (step, begin - step / 100) for step in range(steps))


def cluster() -> FakeRay:
    """Three runs of one name, and a job without numbers."""
    ray = FakeRay()
    for number, begin in ((1, 3.0), (2, 2.0), (3, 1.0)):
        ray.add(f"sft-r{number}", "SUCCEEDED", log=trained(begin=begin), start_time=number * 1000)
    ray.add("words", "SUCCEEDED", log=b"hello\nworld\n")
    return ray


async def asked(*argv: str) -> Done:
    """Run a command against these jobs."""
    async with serve(cluster()) as server:
        return await here(*argv, "--address", server.url)


async def test_a_plot_in_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    done = await asked("logs", "sft-r3", "--plot", "loss")
    assert done.code == 0
    first, *lines = done.text.splitlines()
    assert first == "loss  min 0.61  max 1  last 0.61  slope -0.01 per step"
    assert lines[0].lstrip().startswith("1|")
    assert lines[-1].split() == ["step", "0", "39"]
    assert done.text.isascii()


async def test_points_as_json() -> None:
    done = await asked("logs", "sft-r3", "--plot", "loss,acc", "--json")
    loss, acc = json.loads(done.text)["series"]
    assert (loss["name"], loss["job"], loss["count"], loss["min"], loss["by_step"]) == (
        "loss",
        "sft-r3",
        40,
        0.61,
        True,
    )
    assert loss["points"][1] == {"at": 1.0, "value": 0.99}
    assert acc["last"] == 50


@pytest.mark.lengthy
async def test_earlier_runs_of_the_name_are_laid_over_it() -> None:
    done = await asked("logs", "sft-r3", "--plot", "loss", "--runs", "2", "--json")
    assert [(series["job"], series["max"]) for series in json.loads(done.text)["series"]] == [
        ("sft-r3", 1.0),
        ("sft-r2", 2.0),
    ]
    text = (await asked("logs", "sft-r3", "--plot", "loss", "--runs", "3")).text
    assert [line.split()[1] for line in text.splitlines()[1:3]] == ["sft-r2", "sft-r1"]


async def test_a_number_that_is_not_there() -> None:
    done = await asked("logs", "sft-r3", "--plot", "los")
    assert (done.code, done.out) == (1, b"")
    assert "No number named los in the log of sft-r3." in done.err
    assert "loss, step, acc" in done.err
    assert "repeat no number" in (await asked("logs", "words", "--plot", "loss")).err


@pytest.mark.parametrize(
    "words",
    [
        ["--plot", ","],
        ["--plot", "a,b,c,d,e"],
        ["--plot", "loss", "-f"],
        ["--runs", "2"],
        ["--plot", "l", "--runs", "9"],
    ],
)
async def test_what_does_not_go_together(words: list[str]) -> None:
    done = await asked("logs", "sft-r3", *words)
    assert (done.code, done.out) == (2, b"")


async def test_the_recorded_cluster_in_plain_text() -> None:
    """Without a terminal `demo --replay` prints its tables and the curve of a log; no Ray is started."""
    done = await here("demo", "--replay")
    assert done.code == 0
    assert "REPLAY: lab-h100, a recorded cluster." in done.err
    for text in ("jobs, the first 12 of 212", "mistral-sft-r41", "worker-1", "H100 80GB", "loss  min 2.8"):
        assert text in done.text
