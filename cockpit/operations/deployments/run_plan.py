"""What a deployment is rented for: a job to run, results to fetch, and when to close it."""

from pathlib import Path
from typing import Literal

import msgspec

from cockpit.errors import UsageError
from cockpit.model.quantities import parse_seconds

SHORTEST_IDLE_S = 60.0


class CloseWhen(msgspec.Struct, frozen=True, kw_only=True):
    """When to close: once the job is `done`, or once no job has run or waited for `idle_s` seconds."""

    kind: Literal["done", "idle"]
    idle_s: float = 0.0

    @property
    def text(self) -> str:
        """As it is given on the command line, `done` or `idle:1800s`."""
        return "done" if self.kind == "done" else f"idle:{self.idle_s:g}s"

    @property
    def words(self) -> str:
        """For a sentence that ends with it."""
        return "the job is done" if self.kind == "done" else f"no job has run for {self.idle_s / 60:g} min"


def close_when_of(text: str) -> CloseWhen:
    """`done` or `idle:30m`. Raises UsageError."""
    if text == "done":
        return CloseWhen(kind="done")
    kind, colon, time = text.partition(":")
    seconds = parse_seconds(time) if kind == "idle" and colon else 0.0
    if seconds < SHORTEST_IDLE_S:
        raise UsageError(f"Invalid time to close: {text!r}.", hint="Give done, or idle:30m with at least one minute.")
    return CloseWhen(kind="idle", idle_s=seconds)


class RunPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What follows once the cluster is there. `fetch` are SERVICE:PATH, copied `into` a folder of this machine.

    `job` is a job file, absolute, or None where others submit.
    """

    job: Path | None = None
    close_when: CloseWhen | None = None
    fetch: tuple[str, ...] = ()
    into: Path = Path()

    def check(self) -> None:
        """Raise UsageError for what means nothing together, or cannot be carried out."""
        if self.job is None and self.close_when is not None and self.close_when.kind == "done":
            raise UsageError(
                "--close-when done needs a job.", hint="Add --run JOB.yaml, or close with --close-when idle:30m."
            )
        for place in self.fetch:
            service, colon, path = place.partition(":")
            if not colon or not service or not path:
                raise UsageError(f"{place!r} is not a path of a service.", hint="For example: ray-head:/root/out")

    @property
    def lines(self) -> list[str]:
        """What will happen, for the question that is asked before."""
        end = self.close_when
        found = [f"Then runs {self.job.name} and follows it."] if self.job else []
        found += [f"Then copies {', '.join(self.fetch)} to {self.into}."] if self.fetch else []
        found += [f"Closes the deployment when {end.words}: its data is lost then."] if end else []
        return found
