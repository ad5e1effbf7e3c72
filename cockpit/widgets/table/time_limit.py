"""A limit on how long a computation may hold the screen."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TimeIsUpError(Exception):
    """The computation took longer than it was given."""


class _Bell:
    """The handler of the timer's signal.

    It stays installed: a signal that arrives late would otherwise meet the system's own handler, which ends the
    process.
    """

    armed = False

    def __call__(self, _signal: int, _frame: FrameType | None) -> None:
        if self.armed:
            raise TimeIsUpError


_bell = _Bell()


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeIsUpError inside the block once it has computed for `seconds`, in the middle of a regex search too.

    A search holds the interpreter, so that no thread and no task could end it; but it looks for signals.
    Outside the main thread no signal arrives, so the limit does not apply.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    if signal.getsignal(signal.SIGVTALRM) is not _bell:
        signal.signal(signal.SIGVTALRM, _bell)
    _bell.armed = True
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        _bell.armed = False
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
