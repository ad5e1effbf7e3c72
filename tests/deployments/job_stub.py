"""A cluster that runs one job, kept in a file, so that processes that are killed share it."""

from pathlib import Path

from cockpit.errors import UnreachableError
from cockpit.operations.deployments.run_to_end import JobEnd


class StubCluster:
    """A `Runner`: each submission is a line of the file, a repeated one none."""

    def __init__(self, file: Path, *, status: str = "SUCCEEDED", busy: tuple[bool | None, ...] = ()) -> None:
        self._file = file
        self._status = status
        self._busy = list(busy)
        self.did: list[str] = []
        self.fetch_error: UnreachableError | None = None

    @property
    def submissions(self) -> list[str]:
        """The IDs of the jobs that were run."""
        return self._file.read_text().split() if self._file.exists() else []

    async def submit(self, job_id: str) -> None:
        """Run the job once."""
        if job_id not in self.submissions:
            with self._file.open("a") as out:
                out.write(f"{job_id}\n")
        self.did.append("submit")

    async def follow(self, job_id: str) -> JobEnd:
        """Tell how it ended."""
        assert job_id in self.submissions
        self.did.append("follow")
        return JobEnd(status=self._status, is_success=self._status == "SUCCEEDED")

    async def is_busy(self) -> bool:
        """As the test says; None for a cluster that does not answer."""
        busy = self._busy.pop(0) if self._busy else False
        if busy is None:
            raise UnreachableError("It does not answer.")
        return busy

    async def fetch(self, dseq: str, place: str, into: Path) -> str:
        """Fetch, or fail as the test says."""
        self.did.append(f"fetch {place}")
        if self.fetch_error is not None:
            raise self.fetch_error
        return str(into / place)

    async def save_log(self, job_id: str, into: Path) -> str:
        """Save."""
        self.did.append("log")
        return str(into / f"{job_id}.tar")
