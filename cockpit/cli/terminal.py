"""Questions on the terminal whose answers are not shown, and the passphrase of the vault among them."""

import os
import select
import signal
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cockpit.cli import output
from cockpit.errors import UsageError
from cockpit.model.secret import Secret
from cockpit.render.text import visible
from cockpit.secrets.passphrase import PassphraseRequest, ask_with

# The controlling terminal: stdin may be a pipe that brings the value.
TERMINAL = "/dev/tty"
LINE_BYTES = 65536
ENDS = (signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP)


def install() -> None:
    """Let the library ask for passphrases here, where there is a terminal to ask on."""
    ask_with(ask_passphrase if has_terminal() else None)


def has_terminal() -> bool:
    """Whether the user can be asked."""
    try:
        os.close(os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def ask_passphrase(request: PassphraseRequest) -> Secret | None:
    """Ask for the passphrase of the vault; one that is new is asked for twice. None for an empty answer."""
    if request.problem:
        output.message(request.problem)
    if request.is_new:
        output.message(
            f"The vault {request.vault} will be created. Without its passphrase its secrets cannot be recovered."
        )
        return ask_twice("New passphrase: ")
    return ask_hidden(f"Passphrase of the vault {request.vault}: ")


def ask_twice(question: str) -> Secret | None:
    """An answer that is typed the same way twice. Raises UsageError where it is not."""
    first = ask_hidden(question)
    if first is not None and ask_hidden("Once more: ") != first:
        raise UsageError("The two answers differ.", hint="Nothing was stored.")
    return first


def ask_hidden(question: str) -> Secret | None:
    """A line typed without echo; None where it is empty.

    Raises UsageError without a terminal, or for control characters, which a mangled paste leaves.
    """
    with _terminal() as descriptor, _interruptible() as signaled, _without_echo(descriptor):
        return _answer(descriptor, signaled, question)


def ask_shown(question: str) -> Secret | None:
    """A line typed so that it can be seen; None where it is empty. Raises UsageError as `ask_hidden` does."""
    with _terminal() as descriptor, _interruptible() as signaled:
        return _answer(descriptor, signaled, question)


def _answer(descriptor: int, signaled: int | None, question: str) -> Secret | None:
    os.write(descriptor, visible(question).encode())
    line = _line(descriptor, signaled)
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise UsageError("The input is not valid UTF-8.") from None
    if text and not text.isprintable():
        raise UsageError("The input contains control characters.", hint="Pipe such a value in.")
    return Secret(text) if text else None


@contextmanager
def _terminal() -> Iterator[int]:
    try:
        descriptor = os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(
            "stdin is not a terminal, so rayakash-tui cannot ask.", detail=error.strerror or str(error)
        ) from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _without_echo(descriptor: int) -> Iterator[None]:
    before = termios.tcgetattr(descriptor)
    silent = list(before)
    silent[3] &= ~termios.ECHO
    termios.tcsetattr(descriptor, termios.TCSAFLUSH, silent)
    try:
        with restored_at_an_end(descriptor, before, silent):
            yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)
        os.write(descriptor, b"\n")


@contextmanager
def restored_at_an_end(descriptor: int, before: list[Any], silent: list[Any]) -> Iterator[None]:
    """Restore the terminal before a signal ends or suspends this process."""

    def give_back(number: int, _: object) -> None:
        termios.tcsetattr(descriptor, termios.TCSANOW, before)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        # It goes on: it was only suspended.
        signal.signal(number, give_back)
        termios.tcsetattr(descriptor, termios.TCSANOW, silent)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # Who ignores them, as under nohup, or has something to do at them, keeps to that.
    ours = [number for number in ENDS if signal.getsignal(number) is signal.SIG_DFL]
    for number in ours:
        signal.signal(number, give_back)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def _interruptible() -> Iterator[int | None]:
    """Ctrl-C ends the wait: asyncio would only note it, and the read go on.

    Yields a descriptor that a signal makes readable, None outside of the main thread. Python runs a signal's handler
    between two steps of its own: one that came just before a read blocks would wait for the next key.
    """
    if threading.current_thread() is not threading.main_thread():
        yield None
        return
    signaled, signals = os.pipe()
    os.set_blocking(signals, False)
    waker = signal.set_wakeup_fd(signals, warn_on_full_buffer=False)
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield signaled
    finally:
        signal.signal(signal.SIGINT, handler)
        signal.set_wakeup_fd(waker)
        os.close(signaled)
        os.close(signals)


def _line(descriptor: int, signaled: int | None) -> bytes:
    watched = [descriptor] if signaled is None else [descriptor, signaled]
    line = b""
    while not line.endswith(b"\n") and len(line) < LINE_BYTES:
        ready, _, _ = select.select(watched, [], [])
        if signaled is not None and signaled in ready:
            os.read(signaled, LINE_BYTES)
        if descriptor not in ready:
            continue
        piece = os.read(descriptor, LINE_BYTES)
        if not piece:
            break
        line += piece
    return line.removesuffix(b"\n")
