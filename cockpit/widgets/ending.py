"""Ends that come from outside: a signal, or a terminal that is gone; what was begun is let go first."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable

# Writing to a terminal that is gone may block forever.
PATIENCE_S = 3.0
SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class Ending:
    """Calls `leave` with an exit code, once, when the process should end; it does end, a moment later at the latest."""

    def __init__(self, leave: Callable[[int], None]) -> None:
        self._leave = leave
        self._is_watching = False
        self._has_terminal = False
        self._parent = 0

    def begin(self) -> None:
        """Watch from now on; only the main thread hears signals."""
        if threading.current_thread() is not threading.main_thread():
            return
        self._is_watching = True
        self._has_terminal = _is_terminal()
        self._parent = os.getppid()
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._end, number)

    def end(self) -> None:
        """Watch no longer."""
        if self._is_watching:
            self._is_watching = False
            for number in SIGNALS:
                asyncio.get_running_loop().remove_signal_handler(number)

    def look(self) -> None:
        """Check whether the terminal, or the browser's page, is still there."""
        if not self._is_watching:
            return
        if not _is_terminal() if self._has_terminal else os.getppid() != self._parent:
            self._end(signal.SIGHUP)

    def _end(self, number: signal.Signals) -> None:
        if self._is_watching:
            code = 128 + number
            self.end()
            for further in SIGNALS:
                signal.signal(further, signal.SIG_IGN)
            deadline = threading.Timer(PATIENCE_S, os._exit, (code,))
            deadline.daemon = True
            deadline.start()
            self._leave(code)


def _is_terminal() -> bool:
    return sys.__stdin__ is not None and os.isatty(sys.__stdin__.fileno())
