"""Results out and data in: which side of a copy is a container, and the copy itself, by a shell of the lease."""

import re
from collections.abc import Callable
from pathlib import Path

import msgspec

from cockpit.clients.akash.console import ConsoleClient
from cockpit.clients.akash.copying import Container, Copied, Copier
from cockpit.errors import UsageError
from cockpit.operations.deployments.inside import inside

_PLACE = re.compile(r"(?P<dseq>\d+):(?P<service>[a-z0-9]([a-z0-9.-]*[a-z0-9])?)?:(?P<path>.+)", re.DOTALL)
EXAMPLE = "deployments cp 1790294703677:ray-head:/tmp/results ./results"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A file or folder in a container; without a service the deployment has only one."""

    dseq: str
    service: str | None
    path: str


class Copy(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be copied: out of a container to `local`, or the other way with `is_upload`."""

    place: Place
    local: Path
    is_upload: bool


def parse_place(text: str) -> Place | None:
    """A place such as `1790294703677:ray-head:/tmp/results`; None for a path of this machine."""
    match = _PLACE.fullmatch(text)
    return Place(dseq=match["dseq"], service=match["service"], path=match["path"]) if match else None


def parse_copy(source: str, destination: str) -> Copy:
    """What a command's two arguments mean. Raises UsageError unless one of them is a container's."""
    out, into = parse_place(source), parse_place(destination)
    if (out is None) == (into is None):
        which = "Both arguments name" if out else "Neither argument names"
        raise UsageError(f"{which} a container: DSEQ:SERVICE:PATH.", hint=f"For example: rayakash-tui {EXAMPLE}")
    if into is not None:
        return Copy(place=into, local=Path(source), is_upload=True)
    assert out is not None
    return Copy(place=out, local=Path(destination), is_upload=False)


async def copy(
    console: ConsoleClient, wanted: Copy, *, pod: int = 0, on_progress: Callable[[int, int | None], None]
) -> Copied:
    """Copy, resumed where the connection breaks and compared by checksum; see `clients.akash.copying`."""
    if wanted.is_upload and not wanted.local.exists():
        raise UsageError(f"{wanted.local} does not exist.")
    async with inside(console, wanted.place.dseq, wanted.place.service, ("shell",)) as one:
        container = Container(lease=one.lease, service=one.service, pod=pod)
        copier = Copier(one.gateway, container, on_progress=on_progress)
        if wanted.is_upload:
            return await copier.upload(wanted.local, wanted.place.path)
        return await copier.download(wanted.place.path, wanted.local)
