"""Recording a session, and running everything from a recording, with its own clock."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from cockpit.clients.ray import RayClient
from cockpit.clients.recording_file import Recorder, Recording, read_recording
from cockpit.clients.recording_transport import RecordingTransport, ReplayTransport
from cockpit.errors import UsageError
from cockpit.feeds.clock import Clock, ManualClock, SystemClock, Timer
from cockpit.model.snapshot import Moment


class ReplayClock:
    """The time of a recording as it runs: the steady clock begins at 0, the wall clock when it was recorded.

    With `speed` 2 an hour of the recording takes half an hour.
    """

    def __init__(self, recorded_at: float, *, speed: float = 1.0, clock: Clock | None = None) -> None:
        self._recorded_at = recorded_at
        self._speed = speed
        self._clock: Clock = clock or SystemClock()
        self._begun = self._clock.now().steady

    def now(self) -> Moment:
        """The time of the recording."""
        passed = (self._clock.now().steady - self._begun) * self._speed
        return Moment(self._recorded_at + passed, passed)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call back after so many of the recording's seconds."""
        return self._clock.call_later(seconds / self._speed, callback)

    async def sleep(self, seconds: float) -> None:
        """Wait for so many of the recording's seconds."""
        await self._clock.sleep(seconds / self._speed)


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded cluster: a client that answers as it did, and the clock that tells when that is."""

    client: RayClient
    clock: Clock
    recording: Recording


def record(
    client: RayClient, path: Path, *, failed: Callable[[UsageError], None], clock: Clock | None = None
) -> tuple[RayClient, Recorder]:
    """A client that does what `client` does and records it to a new file at `path`; close the recorder at the end.

    With every pane open, 12 nodes of 8 GPUs and 200 jobs make about 0.6 MB a minute.
    Raises UsageError where the file cannot be made; `failed` hears when it cannot be written any more.
    """
    clock = clock or SystemClock()
    begun = clock.now()
    recorder = Recorder(path, address=client.address, recorded_at=begun.wall, failed=failed)

    def elapsed() -> float:
        return clock.now().steady - begun.steady

    return RayClient(RecordingTransport(client.transport, recorder, elapsed)), recorder


def replay(path: Path, *, speed: float = 1.0) -> Replay:
    """A recording that runs from its beginning, `speed` times as fast. Raises UsageError as `read_recording` does."""
    recording = read_recording(path)
    return _replay(recording, ReplayClock(recording.header.recorded_at, speed=speed))


def still(path: Path, *, at: float | None = None) -> tuple[Replay, ManualClock]:
    """A recording that stands still at `at` seconds (default: its end), and its clock, to be moved by hand.

    Raises UsageError as `read_recording` does.
    """
    recording = read_recording(path)
    offset = recording.seconds if at is None else at
    clock = ManualClock(recording.header.recorded_at + offset, steady=offset)
    return _replay(recording, clock), clock


def _replay(recording: Recording, clock: Clock) -> Replay:
    transport = ReplayTransport(recording, offset=lambda: clock.now().steady, sleep=clock.sleep)
    return Replay(client=RayClient(transport), clock=clock, recording=recording)
