"""What a deployment is rented for: a job to run, results to fetch, and when to close it."""

import os
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Literal

import msgspec

from cockpit.errors import UsageError
from cockpit.local.containers.plan import doors_of
from cockpit.model.quantities import parse_seconds
from cockpit.operations.clusters.sdl_access import access_of_document
from cockpit.sdl.document import SdlDocument

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
        if self.job is None and self.close_when is None and self.fetch:
            raise UsageError(
                "Results are fetched after a job, or before the deployment is closed.",
                hint="Add --run JOB.yaml, or --close-when idle:30m.",
            )
        for place in self.fetch:
            service, colon, path = place.partition(":")
            if not colon or not service or PurePosixPath(path).name in ("", ".."):
                raise UsageError(f"{place!r} is not a path of a service.", hint="For example: ray-head:/root/out")
        self._check_targets()

    def _check_targets(self) -> None:
        """Raise UsageError where the results could not be written on this machine."""
        targets = Counter(target_of(place, self.into) for place in self.fetch)
        for target, count in targets.items():
            if count > 1:
                raise UsageError(
                    f"{count} results would be copied to {target}.",
                    hint="Name the folder above them, or copy one yourself: rayakash-tui deployments cp",
                )
            if target.exists():
                raise exists_already(target)
        if self.job is not None or self.fetch:
            _require_writable(self.into)

    def check_cluster(self, document: SdlDocument, scope: str) -> None:
        """Raise UsageError where the SDL makes no cluster that is reached from here, or lacks a service to copy from.

        `scope` is where its secrets are.
        """
        access_of_document(document, scope)
        if not any(doors_of(document.cluster)):
            raise UsageError(
                "No public port of this SDL leads to its Ray dashboard, so a job could not be submitted or followed.",
                hint="Give the head's dashboard a gateway, as `rayakash-tui sdl new` does, or deploy without --run.",
            )
        services = dict.fromkeys(row.service for row in document.cluster.view.rows)
        for place in self.fetch:
            if (service := place.partition(":")[0]) not in services:
                raise UsageError(
                    f"This SDL does not deploy a service {service!r}, from which {place} would be copied.",
                    hint=f"It deploys {', '.join(services)}.",
                )

    @property
    def lines(self) -> list[str]:
        """What will happen, for the question that is asked before."""
        end = self.close_when
        found = [f"Then runs {self.job.name} and follows it."] if self.job else []
        found += [f"Then copies {', '.join(self.fetch)} to {self.into}."] if self.fetch else []
        found += [f"Closes the deployment when {end.words}: its data is lost then."] if end else []
        return found


def target_of(place: str, into: Path) -> Path:
    """Where SERVICE:PATH is copied to."""
    return into / PurePosixPath(place.partition(":")[2]).name


def exists_already(target: Path) -> UsageError:
    """For a copy that would replace what is there."""
    return UsageError(f"{target} already exists.", hint="Move it away, or copy to another folder: --into DIR")


def _require_writable(folder: Path) -> None:
    """Raise UsageError for a folder that cannot be written to, or made."""
    nearest = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())
    if not nearest.is_dir():
        raise UsageError(f"{nearest} is not a folder.", hint="Copy to another folder: --into DIR")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise UsageError(f"The folder {nearest} cannot be written to.", hint="Copy to another folder: --into DIR")
