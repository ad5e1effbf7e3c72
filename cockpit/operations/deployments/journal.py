"""What is on disk about each deployment: written before and after every step, so that no kill leaves an unseen cost.

One file per attempt, a line of JSON per entry, appended and synced before the next call goes out. It holds no key, no
secret, no manifest and no SDL: those can hold values.
"""

import fcntl
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from cockpit import settings
from cockpit.errors import UsageError
from cockpit.settings import private_directory, read_file

Step: TypeAlias = Literal[
    "plan",
    "creating",
    "created",
    "refused",
    "absent",
    "bidding",
    "leasing",
    "unleased",
    "leased",
    "starting",
    "failed",
    "reachable",
    "context",
    "submitting",
    "submitted",
    "ran",
    "copying",
    "copied",
    "fetched",
    "closing",
    "closed",
]
"""`absent`: a create without an answer that was proven not to have happened; `unleased`: a bid that led to no lease;
`copied`: one of the results is on this machine; `fetched`: all of them are."""

NOTHING_EXISTS: frozenset[str] = frozenset(("plan", "refused", "absent", "closed"))
ENDED_LEASES: frozenset[str] = frozenset(("failed", "closing", "closed"))


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line; what a step does not know stays as the lines before it said. `at` in seconds since the epoch."""

    step: Step
    at: float
    file: str | None = None
    scope: str | None = None
    sha256: str | None = None
    console: str | None = None
    name: str | None = None
    token: str | None = None
    runtime_hours: int | None = None
    runtime_at_create: int | None = None
    max_usd_per_hour: Decimal | None = None
    sent_at: float | None = None
    known_dseqs: tuple[str, ...] | None = None
    hash: str | None = None
    dseq: str | None = None
    providers: tuple[str, ...] | None = None
    uact_per_block: Decimal | None = None
    height: int | None = None
    reason: str | None = None
    address: str | None = None
    pin: str | None = None
    context: str | None = None
    nodes: int | None = None
    job_file: str | None = None
    close_when: str | None = None
    fetch: tuple[str, ...] | None = None
    into: str | None = None
    job_id: str | None = None
    job_status: str | None = None
    result: str | None = None
    copied_to: str | None = None
    refund_usd: Decimal | None = None


class Failure(msgspec.Struct, frozen=True):
    """A provider that did not keep its bid, and why."""

    provider: str
    reason: str
    at: float


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment's state by its journal: the newest value of each field, and what went before.

    `leased_at` is when the lease was read first, at chain height `leased_height`.
    """

    path: Path
    last: Entry
    began: float
    step: Step
    leased_at: float | None = None
    leased_height: int | None = None
    was_reachable: bool = False
    was_fetched: bool = False
    failures: tuple[Failure, ...] = ()
    excluded: tuple[str, ...] = ()

    @property
    def dseq(self) -> str | None:
        """The deployment's number, once it is known."""
        return self.last.dseq

    @property
    def title(self) -> str:
        """What to call it: the stem of its file."""
        return Path(self.last.file).stem if self.last.file else self.last.name or self.path.stem

    @property
    def may_cost(self) -> bool:
        """Whether something may exist that holds or takes money."""
        return self.step not in NOTHING_EXISTS

    @property
    def is_unfinished(self) -> bool:
        """Whether something is left to be done: a cluster to be reached, or a job to be run and closed behind."""
        if not self.may_cost:
            return False
        if self.last.close_when is not None:
            return True
        if self.last.job_file is not None or self.last.fetch:
            return not self.was_fetched
        return self.step != "context"

    @property
    def had_lease(self) -> bool:
        """Whether a lease was read back."""
        return self.leased_at is not None


def directory() -> Path:
    """Where the journals are; it may not exist yet."""
    return settings.state_directory() / "deployments"


class BusyError(UsageError):
    """Another process works on the attempt."""


class Journal:
    """One attempt's file, locked for as long as this process works on it."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self.entries: list[Entry] = []

    @classmethod
    def begin(cls, entry: Entry) -> "Journal":
        """Start the journal of a new attempt with its plan. Raises UsageError where nothing can be written."""
        assert entry.token
        folder = private_directory(directory())
        path = folder / f"{int(entry.at * 1000)}-{entry.token}.jsonl"
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _unwritable(path, error) from error
        journal = cls(path, descriptor)
        journal._lock()
        journal.write(entry)
        _sync_directory(folder)
        return journal

    @classmethod
    def resume(cls, path: Path) -> "Journal":
        """Continue an attempt. Raises BusyError, and UsageError where the file cannot be used."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        except OSError as error:
            raise _unwritable(path, error) from error
        journal = cls(path, descriptor)
        journal._lock()
        journal.entries = _entries(path)
        return journal

    @classmethod
    def is_busy(cls, path: Path) -> bool:
        """Whether another process works on the attempt. Raises UsageError where the file cannot be used."""
        try:
            cls.resume(path).close()
        except BusyError:
            return True
        return False

    @property
    def attempt(self) -> Attempt:
        """Its current step."""
        return folded(self.path, self.entries)

    def write(self, entry: Entry) -> None:
        """Append an entry and sync it. Raises UsageError; the call that it announces must not go out then."""
        line = msgspec.json.encode(entry) + b"\n"
        if self._is_torn():
            line = b"\n" + line
        try:
            written = os.write(self._descriptor, line)
            os.fsync(self._descriptor)
        except OSError as error:
            raise _unwritable(self.path, error) from error
        if written != len(line):
            raise UsageError(f"The journal {self.path} cannot be written.", detail="The disk is full.")
        self.entries.append(entry)

    def close(self) -> None:
        """Let others work on it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _lock(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise BusyError(
                "Another rayakash-tui is working on this deployment.",
                hint="Wait until it ends, or stop it; the deployment goes on either way.",
            ) from None

    def _is_torn(self) -> bool:
        """Whether a killed process left a line without its end."""
        size = os.fstat(self._descriptor).st_size
        return size > 0 and os.pread(self._descriptor, 1, size - 1) != b"\n"


def attempts() -> list[Attempt]:
    """Every attempt on this machine, the newest first; what cannot be read raises UsageError, naming the file."""
    folder = directory()
    if not folder.is_dir():
        return []
    found = (_attempt(path) for path in folder.glob("*.jsonl"))
    return sorted((one for one in found if one is not None), key=lambda one: one.began, reverse=True)


def attempt_at(path: Path) -> Attempt:
    """Where an attempt stands by its file now, which another may write. Raises UsageError where it is unreadable."""
    return folded(path, _entries(path))


def attempt_of(dseq: str) -> Attempt | None:
    """The attempt that made this deployment, or None."""
    return next((one for one in attempts() if one.dseq == dseq), None)


def unfinished() -> list[Attempt]:
    """The attempts that may hold or take money, the newest first."""
    return [one for one in attempts() if one.may_cost]


def left_behind() -> list[Attempt]:
    """The attempts that were not finished, and that no process works on. Raises UsageError."""
    return [one for one in unfinished() if one.is_unfinished and not Journal.is_busy(one.path)]


def folded(path: Path, entries: list[Entry]) -> Attempt:
    """Where an attempt stands after these entries, of which there is at least one."""
    values: dict[str, object] = {}
    leased: Entry | None = None
    failures: list[Failure] = []
    excluded: list[str] = []
    for entry in entries:
        values |= {name: value for name, value in msgspec.structs.asdict(entry).items() if value is not None}
        leased = entry if entry.step == "leased" and leased is None else leased
        if entry.step in ("failed", "unleased"):
            blamed = entry.providers or ()
            failures += [Failure(one, entry.reason or "", entry.at) for one in blamed]
            excluded += blamed
    last = entries[-1]
    return Attempt(
        path=path,
        last=msgspec.convert(values, Entry),
        began=entries[0].at,
        step=last.step,
        leased_at=leased.at if leased else None,
        leased_height=leased.height if leased else None,
        was_reachable=any(entry.step == "reachable" for entry in entries),
        was_fetched=any(entry.step == "fetched" for entry in entries),
        failures=tuple(failures),
        excluded=tuple(dict.fromkeys(excluded)),
    )


def _attempt(path: Path) -> Attempt | None:
    entries = _entries(path)
    return folded(path, entries) if entries else None


def _entries(path: Path) -> list[Entry]:
    """The entries of a file; a last line that a kill cut off announces nothing that was done."""
    try:
        data = read_file(path)
    except OSError as error:
        raise UsageError(f"The journal {path} cannot be read.", detail=str(error)) from error
    return list(_decoded(path, data))


def _decoded(path: Path, data: bytes) -> Iterator[Entry]:
    for line in data.splitlines():
        try:
            yield msgspec.json.decode(line, type=Entry)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if _is_cut_off(line):
                continue
            raise UsageError(
                f"The journal {path} cannot be read.",
                detail=str(error),
                hint="Move the file away: `rayakash-tui deployments` then lists its deployment as one not made here.",
            ) from None


def _is_cut_off(line: bytes) -> bool:
    """Whether the line is the beginning of an entry that a kill cut off, or nothing."""
    return not line.strip() or not line.endswith(b"}")


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"The journal {path} cannot be written.",
        detail=error.strerror or str(error),
        hint="Nothing was sent: without a journal a crash could leave a deployment that costs unseen.",
    )


class ProviderRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Our own results with a provider: leases that were read back, those that became reachable, and failures."""

    leases: int = 0
    reached: int = 0
    failures: tuple[Failure, ...] = ()

    @property
    def words(self) -> str:
        """Such as `2 of 3 reached`."""
        return f"{self.reached} of {self.leases} reached" if self.leases or self.failures else "–"


def provider_records() -> dict[str, ProviderRecord]:
    """Our own record with every provider that a journal names. Raises UsageError."""
    found: dict[str, ProviderRecord] = {}
    for attempt in attempts():
        for provider in dict.fromkeys((*(attempt.last.providers or ()), *attempt.excluded)):
            one = found.get(provider, ProviderRecord())
            failures = tuple(failure for failure in attempt.failures if failure.provider == provider)
            # One that is still on its way has neither kept its word nor broken it.
            is_settled = attempt.was_reachable or not attempt.is_unfinished
            holds = is_settled and provider in (attempt.last.providers or ())
            is_lease = attempt.had_lease and (holds or bool(failures))
            found[provider] = ProviderRecord(
                leases=one.leases + is_lease,
                reached=one.reached + (is_lease and attempt.was_reachable and not failures),
                failures=(*one.failures, *failures),
            )
    return found
