"""The recorded cluster that ships with the program."""

import lzma
import re
from pathlib import Path

import pytest

from cockpit.clients.recording_file import FORMAT, VERSION, Header, Past, Recording, read_recording, write_packed
from cockpit.errors import UsageError
from cockpit.feeds.recording import replay
from cockpit.model.past import PERCENT
from cockpit.operations.clusters.recording import Recording as History
from cockpit.operations.clusters.replay import DEMO_FILE, samples_of
from cockpit.operations.job_past import job_past

LARGEST = 300_000
DAY = 86_400.0


@pytest.fixture(scope="module")
def recording() -> Recording:
    """What ships."""
    return read_recording(DEMO_FILE)


def test_it_is_small_whole_and_a_quarter_of_an_hour_long(recording: Recording) -> None:
    assert DEMO_FILE.stat().st_size <= LARGEST
    assert recording.is_whole
    assert 880 <= recording.seconds <= 900
    assert recording.has_past


def test_nothing_in_it_belongs_to_anybody() -> None:
    """Made-up names and addresses only, and values of env variables withheld."""
    text = lzma.decompress(DEMO_FILE.read_bytes()).decode()
    assert "sim-secret" not in text
    assert set(re.findall(r"https?://([^/:\"\\ ]+)", text)) <= {"head.lab.example"} | set(
        re.findall(r"10\.0\.3\.\d+", text)
    )
    assert set(re.findall(r"/(?:home|Users)/(\w+)", text)) <= {"ray"}


async def test_its_past_fills_the_curves_of_a_day_and_no_file(recording: Recording) -> None:
    """The history is in memory: none of a real cluster is touched."""
    replayed = replay(DEMO_FILE)
    async with replayed.client as client:
        nodes, jobs = (await client.nodes.list()).rows, (await client.jobs.list()).rows
    now = recording.header.recorded_at
    assert sum(len(node.gpus) for node in nodes if node.is_alive) == 96
    history = History(None)
    history.fill(samples_of(recording, nodes), jobs)
    found = await history.ask(lambda known: known.past.cluster(since=now - DAY, until=now), now=now)
    gpu = next(curve for curve in found if curve.name == "gpu")
    values = [point.value for point in gpu.points if point.value is not None]
    assert (gpu.unit, len(values)) == (PERCENT, 198)
    first = next(entry for entry in recording.entries if isinstance(entry, Past))
    told = [use for node in first.use[:12] for use in node if use is not None and use >= 0]
    assert values[0] == pytest.approx(sum(told) / len(told), abs=0.5)
    curve = await history.ask(lambda known: known.recorder.curves.samples("gpu", since=now - DAY), now=now)
    assert all(value is not None for _, value in curve), "ten minutes between two samples are no gap"
    training = next(job for job in jobs if job.submission_id == "mistral-sft-r13")
    of_job = await history.ask(lambda known: job_past(known.past, training, now=now, cost_per_hour=41.6), now=now)
    assert of_job.use is not None
    assert of_job.use.gpu_hours == pytest.approx(8 * 0.68, rel=0.05)
    assert of_job.use.cost == pytest.approx(of_job.use.gpu_hours * 41.6 / 96)
    assert of_job.curve is not None
    assert len(of_job.curve.points) > 30
    await history.close(now)


def test_a_packed_recording_that_was_cut_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    header = Header(format=FORMAT, version=VERSION, recorded_at=1.0)
    past = Past(at=-1.0, cpu=(1,), memory=(2,), network=(3,), use=((4,),), filled=((5,),), held=(("",),))
    path = tmp_path / "a.xz"
    write_packed(path, [header, past])
    assert read_recording(path).entries == (past,)
    path.write_bytes(DEMO_FILE.read_bytes()[:100_000])
    cut = read_recording(path)
    assert not cut.is_whole
    assert cut.entries
    path.write_bytes(b"\xfd7zXZ" + b"x" * 100)
    with pytest.raises(UsageError, match="not a recording"):
        read_recording(path)
