"""Something to be done a moment from now, however busy the process is until then."""

import asyncio
from collections.abc import Callable

from textual.message_pump import MessagePump


def after(seconds: float, pump: MessagePump, callback: Callable[[], None]) -> asyncio.TimerHandle:
    """Have a widget do something once, unless it is gone by then; the handle takes it back, due as it may be.

    Not `set_timer`: a process that is held up for that long just when Textual begins a timer makes it late, and Textual
    skips what is late, the only time too (`Timer._run`).
    """

    def unless_taken_back() -> None:
        if not handle.cancelled():
            callback()

    handle = asyncio.get_running_loop().call_later(seconds, pump.call_later, unless_taken_back)
    return handle
