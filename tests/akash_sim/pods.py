"""What becomes of the pods of a service: a schedule by the time since the manifest came, so that nothing has to run."""

import msgspec

INFINITE = float("inf")


class PodPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How the pods of a service start; times in seconds since the manifest came.

    `trouble` names why the last `stuck` replicas never become ready: `pulling`, `pull-error`, `crash-loop`, `pending`,
    `oom` or `evicted`; the last two become unready at `fails_at`, and are back `back_after` seconds later, if ever.
    """

    pull_s: float = 25.0
    start_s: float = 10.0
    trouble: str = ""
    stuck: int | None = None
    fails_at: float = 600.0
    back_after: float = INFINITE

    def available(self, count: int, at: float) -> int:
        """Replicas that are available so many seconds after the manifest came."""
        if at < self.pull_s + self.start_s:
            return 0
        stuck = min(count, self.stuck if self.stuck is not None else count) if self.trouble else 0
        if self.trouble in ("oom", "evicted"):
            return count - stuck if self.fails_at <= at < self.fails_at + self.back_after else count
        return count - stuck

    def unready_until(self, at: float) -> float:
        """From `at`, at which not all replicas are available: when they are."""
        if self.trouble in ("oom", "evicted"):
            ready = self.pull_s + self.start_s
            return ready if at < ready else self.fails_at + self.back_after
        return INFINITE if self.trouble else self.pull_s + self.start_s

    def next_unready(self, at: float) -> float:
        """From `at`, at which all replicas are available: when one of them is not any more."""
        return self.fails_at if self.trouble in ("oom", "evicted") and at <= self.fails_at else INFINITE

    def events(self, image: str, at: float) -> list[tuple[float, str, str]]:
        """Kubernetes' events of one pod so far: seconds, reason, note."""
        found = [(0.0, "Scheduled", "Successfully assigned"), (1.0, "Pulling", f'Pulling image "{image}"')]
        if self.trouble == "pending":
            found = [(0.0, "FailedScheduling", "0/5 nodes are available: 5 Insufficient nvidia.com/gpu.")]
        elif self.trouble == "pull-error":
            found += [(5.0, "Failed", "Error: ErrImagePull"), (15.0, "BackOff", f'Back-off pulling image "{image}"')]
        elif self.trouble != "pulling":
            found += self._started(image)
        return [event for event in found if event[0] <= at]

    def _started(self, image: str) -> list[tuple[float, str, str]]:
        found = [
            (self.pull_s, "Pulled", f'Successfully pulled image "{image}" in {self.pull_s:g}s'),
            (self.pull_s + 1, "Started", "Started container"),
        ]
        if self.trouble == "crash-loop":
            found += [(self.pull_s + 4, "BackOff", "Back-off restarting failed container")]
            found += [(self.pull_s + 20, "Started", "Started container")]
        if self.trouble == "oom":
            found += [(self.fails_at, "OOMKilling", "Memory cgroup out of memory: Killed process 7 (raylet)")]
        if self.trouble == "evicted":
            found += [(self.fails_at, "Evicted", "The node was low on resource: ephemeral-storage.")]
        return found

    def has_started(self, at: float) -> bool:
        """Whether the first pod runs, so that Kubernetes has a log of it."""
        return at >= self.pull_s and self.trouble not in ("pulling", "pull-error", "pending")
