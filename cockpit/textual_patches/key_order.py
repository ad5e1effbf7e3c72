"""Keys one after the other: each has done what it does before the next is looked at.

Textual gives each key to the widget that has the focus, and does what is bound to it only when it has come back up to
the app. Of keys that arrive together, as on a slow line, all are under way then: what `/` opens would get none of the
letters behind it, and they would act on rows.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from textual import events
from textual.app import App
from textual.dom import DOMNode
from textual.message_pump import MessagePump

# What a key makes a widget say goes up to the app too, and may make another say something: the line of a filter tells
# its bar, and the bar its pane, which moves the focus.
ROUNDS = 3
LONGEST_STEP_S = 1.0  # a widget that was taken away meanwhile does not answer


class KeyOrder:
    """Has the keys of an app wait for one another; `handle` is what Textual's app does with an event."""

    def __init__(self, app: App[int], handle: Callable[[events.Event], Awaitable[None]]) -> None:
        self._app = app
        self._handle = handle
        self._waiting_keys: deque[events.Key] = deque()
        self._key_task: asyncio.Task[None] | None = None

    async def on_event(self, event: events.Event) -> None:
        """Keep keys in order; all else as ever."""
        if not isinstance(event, events.Key) or event.is_forwarded:
            await self._handle(event)
        elif self._key_task is not None and not self._key_task.done():
            self._waiting_keys.append(event)
        else:
            await self._begin_key(event)

    async def _begin_key(self, event: events.Key) -> None:
        while True:
            target = self._app.focused or self._app.screen
            await self._handle(event)
            if event.is_forwarded:
                self._key_task = asyncio.create_task(self._follow_key(target))
                self._key_task.add_done_callback(self._key_followed)
                return
            if not self._waiting_keys:  # it had priority, and is done
                return
            event = self._waiting_keys.popleft()

    async def _follow_key(self, target: DOMNode) -> None:
        """Wait until all that the key led to has passed from the widget up to the app, then let the next one come."""
        for _ in range(ROUNDS):
            for node in target.ancestors_with_self:
                await _caught_up(node)
        self._key_task = None
        if self._waiting_keys:
            with self._app._context():
                await self._begin_key(self._waiting_keys.popleft())

    def _key_followed(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None and isinstance(error, Exception):
            self._app._handle_exception(error)


async def _caught_up(node: MessagePump) -> None:
    """Wait until a widget has read the messages that it has by now."""
    done = asyncio.Event()

    async def tell() -> None:
        done.set()

    if node.is_running and node.post_message(events.Callback(callback=tell)):
        try:
            async with asyncio.timeout(LONGEST_STEP_S):
                await done.wait()
        except TimeoutError:
            return
