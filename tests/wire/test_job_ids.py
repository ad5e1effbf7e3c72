"""Jobs named by the start of their ID, by `--last`, or by an ID with a typing error."""

import pytest

from tests.wire.commands import Done, here, home
from tests.wire.fake_ray import FakeRay, serve
from tests.wire.following import brisk

__all__ = ["brisk", "home"]

pytestmark = pytest.mark.usefixtures("home", "brisk")


def ended(*ids: str) -> FakeRay:
    """A dashboard with jobs that succeeded, the last one newest."""
    ray = FakeRay()
    for position, name in enumerate(ids):
        ray.add(name)
        ray.end(name)
        ray.jobs[name]["start_time"] = 1_700_000_000_000 + position * 60_000
    return ray


async def asked(ray: FakeRay, *argv: str) -> Done:
    """Run a command against a scripted dashboard."""
    async with serve(ray) as server:
        return await here(*argv, "--address", server.url)


@pytest.mark.parametrize("command", ["wait", "delete", "stop"])
async def test_the_start_of_a_generated_id_is_enough(command: str) -> None:
    done = await asked(ended("raysubmit_aaa", "raysubmit_bbb"), command, "raysubmit_b")
    assert done.code == 0
    assert done.text.split()[0] == "raysubmit_bbb"


async def test_waiting_for_no_time_takes_the_start_too() -> None:
    assert (await asked(ended("raysubmit_aaa"), "wait", "--timeout", "0", "raysubmit_a")).code == 0


async def test_an_ambiguous_start_lists_the_matches() -> None:
    ray = ended("raysubmit_aaa", "raysubmit_aab")
    done = await asked(ray, "delete", "raysubmit_a")
    assert done.code == 1
    assert "2 jobs start with raysubmit_a: raysubmit_aab, raysubmit_aaa." in done.err
    assert len(ray.jobs) == 2


async def test_a_chosen_id_is_never_completed_to_delete_another_job() -> None:
    ray = ended("train-2")
    done = await asked(ray, "delete", "train")
    assert done.code == 1
    assert "Job train not found." in done.err
    assert "Did you mean train-2?" in done.err
    assert "train-2" in ray.jobs


async def test_last_takes_the_newest_submission() -> None:
    ray = ended("raysubmit_old", "raysubmit_new")
    done = await asked(ray, "delete", "--last")
    assert done.code == 0
    assert list(ray.jobs) == ["raysubmit_old"]


@pytest.mark.parametrize("words", [["--last"], ["raysubmit_n"], ["-f", "--last"]])
async def test_the_log_of_the_newest_and_by_the_start_of_an_id(words: list[str]) -> None:
    ray = ended("raysubmit_old", "raysubmit_new")
    ray.log("raysubmit_new").write(b"its log\n")
    done = await asked(ray, "logs", *words)
    assert (done.code, done.out) == (0, b"its log\n")


async def test_the_log_of_a_job_that_nobody_knows_names_the_nearest() -> None:
    done = await asked(ended("train-2"), "logs", "train-3")
    assert done.code == 1
    assert "Did you mean train-2?" in done.err


@pytest.mark.parametrize("words", [(), ("raysubmit_aaa", "--last")])
async def test_an_id_or_last_is_required(words: tuple[str, ...]) -> None:
    ray = ended("raysubmit_aaa")
    done = await asked(ray, "delete", *words)
    assert done.code == 2
    assert "Give at least one job ID, or --last." in done.err
    assert ray.jobs


async def test_an_empty_list_is_said_on_stderr() -> None:
    done = await asked(FakeRay(), "jobs")
    assert (done.code, done.out) == (0, b"")
    assert "No jobs." in done.err
