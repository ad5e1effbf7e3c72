"""Logs of the simulated jobs: what each has printed by a time."""

import math
from datetime import UTC, datetime

from tests.sim.jobs import SimJob
from tests.sim.plan import Plan

MOST_LINES = 20_000
ENDLESS_SECONDS = 30 * 86_400.0  # as long as anybody will look at a job without an end
GOLDEN = 2_654_435_761  # Knuth's multiplier: scatters line numbers


def log_name(job: SimJob) -> str:
    """The name of a job's log file (ray-api section 2b)."""
    return f"job-driver-{job.submission_id}.log"


class JobLog:
    """A job's log as a function of time: two lines of Ray's, one line per period, and the last words of a failure."""

    def __init__(self, plan: Plan, job: SimJob, session: str) -> None:
        self._plan = plan
        self._job = job
        self._session = session
        self._seed = plan.chance("log", job.id).randrange(2**32)
        self._text = bytearray()
        self._written = 0

    def until(self, now: float) -> bytes:
        """What is in the file at a time."""
        count = self._count(now)
        for number in range(self._written, count):
            self._text += self._line(number).encode()
        self._written = max(self._written, count)
        return bytes(self._text)

    def tail(self, now: float, count: int) -> str:
        """Its last so many entries at a time, without writing the rest."""
        end = self._count(now)
        return "".join(self._line(number) for number in range(max(0, end - count), end))

    def next_at(self, now: float) -> float | None:
        """When something is added after a time; None when nothing will be."""
        number = self._count(now)
        return self._moment(number) if number < self._total() else None

    @property
    def _period(self) -> float:
        is_endless = self._job.ends is None
        return max(self._job.kind.line_seconds, 0.0 if is_endless else self._life() / MOST_LINES)

    def _life(self) -> float:
        """Seconds between the first line and the last that could be."""
        job = self._job
        if job.started is None or job.ends is None:
            return ENDLESS_SECONDS
        return max(0.0, job.ends - job.started - 0.2)

    @property
    def _has_last_words(self) -> bool:
        job = self._job
        return job.mishap is not None and job.mishap.exit_code is not None and job.stop_at is None

    def _lines_of_progress(self) -> int:
        """The number of entries before the last words, once everything is written."""
        job = self._job
        if job.started is None:
            return 0
        if job.mishap is not None and job.mishap.exit_code is None:
            return 1
        life = self._life() if job.stop_at is None else max(0.0, job.stop_at - job.started - 0.2)
        return 2 + int(life / self._period)

    def _total(self) -> int:
        return self._lines_of_progress() + self._has_last_words

    def _is_last_word(self, number: int) -> bool:
        return self._has_last_words and number == self._lines_of_progress()

    def _moment(self, number: int) -> float:
        job = self._job
        started = job.started or 0.0
        if number == 0:
            return job.created + 0.2
        if self._is_last_word(number):
            return (job.ends or started) - 0.1
        return started + (number - 1) * self._period

    def _count(self, now: float) -> int:
        most = self._lines_of_progress()
        if most == 0 or now < self._moment(0):
            return 0
        count = min(most, max(1, 2 + math.floor((now - self._moment(1)) / self._period)))
        return count + (self._has_last_words and count == most and now >= self._moment(most))

    def _line(self, number: int) -> str:
        job, moment = self._job, self._moment(number)
        if number == 0:
            return f"{_stamp(moment)}\tINFO job_manager.py:581 -- Runtime env is setting up.\n"
        if number == 1:
            return f"Running entrypoint for job {job.submission_id}: {job.entrypoint}\n"
        if self._is_last_word(number):
            return "".join(f"{line}\n" for line in self._last_words())
        return self._progress(number - 1, moment)

    def _progress(self, number: int, moment: float) -> str:
        noise = ((number * GOLDEN) ^ self._seed) % 1000 / 1000
        step, rate = number * 10, 38 + noise * 5
        if not self._job.kind.share:
            return f"{_stamp(moment)}\tINFO {self._job.kind.name}.py:88 -- shard {number} done, {rate:.1f}k rows/s\n"
        if step % 400 == 0:
            return f"\x1b[36m(RayTrainWorker pid={self._job.pid})\x1b[0m saved checkpoint step-{step}\n"
        if step % 150 == 0:
            done = step % 2980
            return f"\repoch {step // 2980}: {done / 29.8:3.0f} %|{'█' * (done // 373):8}| {done}/2980\n"
        loss = 1.9 + 7.1 * math.exp(-step / 2500) + noise * 0.04
        return f"step {step} | loss {loss:.4f} | {rate:.1f}k tok/s | lr {3e-4 / (1 + step / 9000):.2e}\n"

    def _last_words(self) -> list[str]:
        job = self._job
        assert job.mishap is not None
        package = self._plan.hex_id(16, "package", job.id)
        directory = f"/tmp/ray/{self._session}/runtime_resources/working_dir_files/_ray_pkg_{package}"
        script = next((word for word in job.entrypoint.split() if word.endswith(".py")), "main.py")
        known = {"{dir}": directory, "{gpu}": str(job.pid % max(1, self._plan.gpus)), "{pid}": str(job.pid),
                 "{script}": script}  # fmt: skip
        return [_filled(line, known) for line in job.mishap.lines]


def _filled(line: str, known: dict[str, str]) -> str:
    for name, value in known.items():
        line = line.replace(name, value)
    return line


class NodeFile:
    """The log of a node's raylet, or of a worker: a line a minute since the cluster began."""

    PERIOD = 60.0

    def __init__(self, begun: float, text: str = "raylet: alive") -> None:
        self._begun = begun
        self._text = text

    def until(self, now: float) -> bytes:
        """What is in the file at a time."""
        moments = (self._begun + number * self.PERIOD for number in range(self._count(now)))
        return b"".join(f"{_stamp(moment)} {self._text}\n".encode() for moment in moments)

    def next_at(self, now: float) -> float:
        """When something is added after a time."""
        return self._begun + self._count(now) * self.PERIOD

    def _count(self, now: float) -> int:
        return 1 + max(0, math.floor((now - self._begun) / self.PERIOD))


def last_lines(text: bytes, count: int) -> bytes:
    """The last so many lines; all for -1, and 1000 for 0; only a newline ends one (ray-api section 2b)."""
    if count < 0:
        return text
    wanted, end = (count or 1000) + text.endswith(b"\n"), len(text)
    for _ in range(wanted):
        end = text.rfind(b"\n", 0, end)
        if end < 0:
            return text
    return text[end + 1 :]


def _stamp(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S},{int(moment * 1000) % 1000:03d}"
