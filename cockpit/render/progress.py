"""How far a job is, by the last lines of its log: tqdm, `step 5/100`, `epoch 3 of 10`, Ray Tune's trials."""

import re
from collections.abc import Sequence

import msgspec

from cockpit.model.jobs import Job
from cockpit.render.units import duration

MOST_LINES = 200

_TQDM = re.compile(
    r"\d{1,3} ?%\|[^|]{0,400}\|\s*(?P<done>[\d.]+)(?P<scale>[kMG]?)/(?P<total>[\d.]+)(?P<of>[kMG]?)"
    r"(?:[^\[]{0,20}\[[\d:]+<(?P<left>[\d:?]+))?"
)
_COUNTED = re.compile(
    r"(?P<unit>global[_ ]step|step|iteration|iter|batch|round|episode|file|shard|chunk|sample|item|row|epoch|trial)s?"
    r"[\"']?\s{0,4}[=:#]?\s{0,8}[\[\"']?\s{0,8}(?P<done>\d{1,12})\]?"
    r"\s{0,4}(?:/|out of|of)\s{0,4}(?P<total>\d{1,12})(?![\d/])",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"[\[(]\s{0,8}(?P<done>\d{1,12})\s?/\s?(?P<total>\d{1,12})\s?[\])]")
_PERCENT = re.compile(
    r"(?:progress|completed?|done)\W{0,4}(?P<before>\d{1,3}(?:\.\d{1,4})?)\s?%"
    r"|(?<![\d.])(?P<after>\d{1,3}(?:\.\d{1,4})?)\s?%\s(?:done|complete)",
    re.IGNORECASE,
)
_EPOCH = re.compile(r"epoch[\"']?\s{0,4}[=:#]?\s{0,4}(\d{1,9})(?![\d/])", re.IGNORECASE)
_TRIALS = re.compile(r"(?:Trial status|Number of trials):(?P<counts>[^\n]{1,200})")
_TRIAL = re.compile(r"(\d{1,6}) ([A-Z]{3,20})")
_SEQUENCES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_SCALES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}


class Progress(msgspec.Struct, frozen=True):
    """`done` of `total` in a unit such as `step`; `share` from 0 to 1 counts outer epochs too. `left` is in seconds."""

    unit: str
    done: float
    total: float
    share: float
    left: float | None = None


def progress_of(lines: Sequence[str], *, elapsed: float | None = None) -> Progress | None:
    """What the last lines say; None where they say nothing.

    `elapsed`, the seconds since the job began, gives the time left where no bar of tqdm does. An epoch around it is
    counted: step 50 of 100 in epoch 2 of 10 is 15 %.
    """
    inner: Progress | None = None
    epoch: Progress | None = None
    for line in reversed(lines[-MOST_LINES:]):
        text = _SEQUENCES.sub("", line).rstrip("\r\n").rsplit("\r", 1)[-1]
        for found in _found_in(text):
            if found.unit == "epoch":
                epoch = epoch or found
            else:
                inner = inner or found
        if epoch is not None:
            break
    return _with_time(_nested(inner, epoch), elapsed)


def _nested(inner: Progress | None, epoch: Progress | None) -> Progress | None:
    if inner is None or epoch is None:
        return inner or epoch
    share = (max(0.0, epoch.done - 1) + inner.share) / epoch.total
    return Progress("epoch", epoch.done, epoch.total, min(1.0, share))


def _with_time(progress: Progress | None, elapsed: float | None) -> Progress | None:
    if progress is None or not elapsed or not 0 < progress.share < 1:
        return progress
    if progress.left is not None or progress.unit.endswith(":"):
        return progress
    return msgspec.structs.replace(progress, left=elapsed * (1 - progress.share) / progress.share)


def _found_in(text: str) -> list[Progress]:
    found: list[Progress] = []
    if bar := _TQDM.search(text):
        done = float(bar["done"]) * _SCALES[bar["scale"]]
        total = float(bar["total"]) * _SCALES[bar["of"]]
        # A bar that begins again with each epoch says nothing of the end of the job.
        epoch = _EPOCH.search(text[: bar.start()])
        left = None if epoch else _seconds(bar["left"])
        found += _counted(f"epoch {epoch[1]}:" if epoch else "", done, total, left=left)
    for match in _COUNTED.finditer(text):
        unit = {"iter": "iteration", "global_step": "step", "global step": "step"}.get(match["unit"].lower())
        found += _counted(unit or match["unit"].lower(), float(match["done"]), float(match["total"]))
    if not found and (trials := _TRIALS.search(text)):
        counts = {state: int(number) for number, state in _TRIAL.findall(trials["counts"])}
        found += _counted("trial", counts.get("TERMINATED", 0) + counts.get("ERROR", 0), sum(counts.values()))
    if not found and (share := _PERCENT.search(text)):
        found += _counted("%", float(share["before"] or share["after"]), 100.0)
    if not found and (pair := _BRACKETS.search(text)):
        found += _counted("", float(pair["done"]), float(pair["total"]))
    return found


def _counted(unit: str, done: float, total: float, *, left: float | None = None) -> list[Progress]:
    """Nothing where it cannot be: more than all, or of nothing."""
    return [Progress(unit, done, total, done / total, left)] if 0 <= done <= total and total > 0 else []


def _seconds(text: str | None) -> float | None:
    """tqdm's `1:02:03`; None for `?`."""
    if text is None or "?" in text or not all(text.split(":")):
        return None
    seconds = 0
    for part in text.split(":"):
        seconds = seconds * 60 + int(part)
    return float(seconds)


def progress_text(progress: Progress) -> str:
    """`step 45/100 · 45 % · 12m left`, in one line."""
    counted = "" if progress.unit == "%" else f"{progress.unit} {progress.done:g}/{progress.total:g}".strip()
    parts = [counted, f"{int(progress.share * 100)} %"]
    if progress.left is not None:
        parts.append(f"{duration(progress.left)} left")
    return " · ".join(part for part in parts if part)


def job_progress(job: Job | None, lines: Sequence[str], *, now: float) -> str:
    """What the last lines of a job's log say, with the time left; empty for nothing, and once the job has ended.

    `now` is in seconds since the epoch.
    """
    if job is None or job.is_terminal:
        return ""
    progress = progress_of(lines, elapsed=now - job.start_time / 1000 if job.start_time else None)
    return progress_text(progress) if progress else ""
