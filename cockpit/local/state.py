"""The local Ray that is up, as the state file remembers it and as the process table confirms it."""

from pathlib import Path

import msgspec

from cockpit import settings
from cockpit.errors import LocalRayError
from cockpit.local import processes


class LocalCluster(msgspec.Struct, frozen=True, kw_only=True):
    """One running local Ray; `repr` keeps the token to itself."""

    address: str  # http://127.0.0.1:PORT, the dashboard
    token: str
    gcs_address: str
    temp_dir: str
    supervisor_pid: int
    supervisor_identity: str  # tells it from every other process that had or will have this pid
    ray_version: str

    def __repr__(self) -> str:
        return f"LocalCluster(address={self.address!r}, token='***', temp_dir={self.temp_dir!r})"


def state_path() -> Path:
    """The file that remembers the detached local Ray; it is absent while none is up."""
    return settings.state_directory() / "local.json"


def farewell_path() -> Path:
    """The file that says why the last detached local Ray ended by itself, if it did."""
    return settings.state_directory() / "local.log"


def lock_path() -> Path:
    """The file whose lock `local up` and `local down` hold while they work."""
    return settings.state_directory() / "local.lock"


def save(cluster: LocalCluster) -> None:
    """Remember a local Ray, with its token, in a file of mode 0600. Raises UsageError."""
    settings.write_private(state_path(), msgspec.json.encode(cluster))


def saved() -> LocalCluster | None:
    """What the state file says, believed or not; None where there is none.

    Raises LocalRayError where it cannot be read or is not ours.
    """
    try:
        cluster = msgspec.json.decode(settings.read_file(state_path()), type=LocalCluster)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError, RecursionError) as error:
        raise unreadable(str(error)) from error
    from cockpit.local.launch import is_ours  # most clusters are not local, and every command looks here

    if not is_ours(cluster.temp_dir):
        raise unreadable(f"{cluster.temp_dir} is not a directory of a local Ray.")
    return cluster


def unreadable(detail: str) -> LocalRayError:
    """The error for a state file that says nothing to be believed."""
    return LocalRayError(
        f"The state of the local Ray in {state_path()} cannot be read.",
        detail=detail,
        hint="Remove the file. Its Ray, if it is up, ends when its supervisor gets a SIGTERM.",
    )


def is_running(cluster: LocalCluster) -> bool:
    """Whether the supervisor of this local Ray lives: the same process, not just the same pid."""
    return processes.identity(cluster.supervisor_pid) == cluster.supervisor_identity


def local_status() -> LocalCluster | None:
    """The detached local Ray that is up, or None. Raises LocalRayError for an unreadable state file."""
    cluster = saved()
    return cluster if cluster is not None and is_running(cluster) else None


def stale_state() -> LocalCluster | None:
    """A local Ray that the state file knows and that is gone: the machine was restarted, or it was killed.

    Raises LocalRayError for an unreadable state file.
    """
    cluster = saved()
    return cluster if cluster is not None and not is_running(cluster) else None
