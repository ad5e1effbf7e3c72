"""What ssh asks while it connects, and who answers: a face says how it asks, the library never touches a terminal."""

import asyncio
import os
import shlex
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import msgspec

from cockpit.model.secret import Secret

HELPER = Path(__file__).with_name("askpass.py")


class SshQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A question of ssh's, in its own words: a password, a passphrase, a code, or whether a host key is right.

    `is_shown`: the answer is not a secret. `is_notice`: no answer is needed, ssh waits for a touch of a key, say, and
    takes the question back by itself.
    """

    destination: str
    text: str
    is_shown: bool = False
    is_notice: bool = False


# None where the user gave up. Cancelled when ssh does not wait any more.
AskSsh = Callable[[SshQuestion], Awaitable[Secret | None]]

_ask: AskSsh | None = None
_is_unasked: ContextVar[bool] = ContextVar("ssh_is_unasked", default=False)


def answer_ssh_with(ask: AskSsh | None) -> None:
    """Say how this process asks; None for not at all."""
    global _ask
    _ask = ask


@contextmanager
def ssh_unasked() -> Iterator[None]:
    """Nobody is asked for the tunnels that are made meanwhile, for as long as these live: no person began them."""
    token = _is_unasked.set(True)
    try:
        yield
    finally:
        _is_unasked.reset(token)


class _Sent(msgspec.Struct):
    question: str
    kind: str = ""


class Questions:
    """Listens in a directory for the helper that ssh runs; `was_refused` tells that the user gave up."""

    def __init__(self, directory: Path, destination: str) -> None:
        self.was_refused = False
        self._is_unasked = _is_unasked.get()
        self._socket = directory / "ask"
        self._program = directory / "askpass"
        self._destination = destination
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Begin to listen, for one attempt."""
        self.was_refused = False
        words = [sys.executable, "-I", "-S", str(HELPER), str(self._socket)]
        self._program.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
        self._program.chmod(0o700)
        self._server = await asyncio.start_unix_server(self._answer, self._socket)

    @property
    def may_ask(self) -> bool:
        """Whether the user can be asked."""
        return _ask is not None and not self._is_unasked

    @property
    def environment(self) -> dict[str, str]:
        """What ssh must know to ask here, and nowhere else."""
        return {"SSH_ASKPASS": str(self._program), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": _display()}

    async def close(self) -> None:
        """Listen no more; a question that is still open is taken back."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            sent = msgspec.json.decode(await reader.readline(), type=_Sent)
            answer = await self._asked(sent, reader)
            writer.write(msgspec.json.encode(answer.reveal() if answer is not None else None) + b"\n")
            await writer.drain()
        except (ValueError, ConnectionError):  # nothing that our helper sent, or it has gone
            pass
        finally:
            writer.close()

    async def _asked(self, sent: _Sent, reader: asyncio.StreamReader) -> Secret | None:
        if _ask is None or not self.may_ask or self.was_refused:  # ssh asks three times
            return None
        question = _question(self._destination, sent)
        asking = asyncio.ensure_future(_ask(question))
        gone = asyncio.ensure_future(reader.read())  # it sends no more, so this ends with the helper
        both: set[asyncio.Future[Any]] = {asking, gone}
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            is_answered = asking.done()
            asking.cancel()
        if not is_answered:
            return None
        answer = asking.result()
        self.was_refused = answer is None and not question.is_notice
        return answer


def _question(destination: str, sent: _Sent) -> SshQuestion:
    asks_yes = sent.kind == "confirm"
    return SshQuestion(
        destination=destination,
        text=f"{sent.question} (yes/no)" if asks_yes else sent.question,
        is_shown=asks_yes or "(yes/no" in sent.question,
        is_notice=sent.kind == "none",
    )


def _display() -> str:
    # OpenSSH before 8.4 does not know SSH_ASKPASS_REQUIRE, and asks by the helper where there is a DISPLAY.
    return os.environ.get("DISPLAY") or ":0"
