"""Noticing that the cluster on the screen has begun to turn us away."""

from cockpit.errors import AuthenticationError, UntrustedError
from cockpit.operations.clusters.live import LiveCluster


class Refusals:
    """Which refusal was reported, so that the user is asked about each once."""

    def __init__(self) -> None:
        self._reported: tuple[int, str] | None = None

    def forget(self) -> None:
        """Report again what is still refused."""
        self._reported = None

    def look(self, cluster: LiveCluster | None) -> AuthenticationError | UntrustedError | None:
        """A refusal that was not reported yet."""
        from cockpit.operations.clusters.renewal import refusal_of  # no first frame waits for it

        error = refusal_of(cluster) if cluster is not None else None
        now = None if error is None else (id(cluster), error.title)
        reported, self._reported = self._reported, now
        return error if now != reported else None
