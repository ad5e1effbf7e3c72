"""The supervisor of one local Ray: it owns the whole process tree and leaves nothing of it behind.

It runs as a process of its own, in its own session, without site-packages and without threads:

    owner (the cockpit, `local up`)
      └─ outer: waits for the inner one and does the work again if that was killed
          └─ inner: starts Ray, talks to the owner, tears down
              └─ `ray start --head --block` and all that it starts

On Linux both are subreapers: whatever is orphaned anywhere below is re-parented to them, so a process cannot
leave the tree by daemonizing, and "no child is left" proves that nothing is left. The inner one is recognized by
the kernel when the outer one dies, Ray is killed by the kernel when the inner one dies, and the outer one
inherits what then remains. The tree ends when

- the channel to the owner reports its end (the owner let go, or is dead in whatever way),
- the owner's process is gone (a fork of the owner may hold the channel open),
- SIGTERM, SIGINT or SIGHUP arrives,
- Ray ends by itself.

A detached tree (`local up`, once it is ready) is without an owner and ends by the last two alone.

macOS has neither subreapers nor parent-death signals, so there it is weaker: the tree is found by walking
parents and by an environment variable that everything inherits. A process that has both cleared its
environment and daemonized is missed, and one that forks faster than `ps` answers is not caught. Killing inner
and outer at the same moment with SIGKILL leaves the tree to Ray's own fate sharing on Linux, and what remains
to the owner, or to the next `local up` or `local down`, everywhere.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import sys
import time
from collections import deque
from typing import NoReturn

from cockpit.local import processes, shared_memory
from cockpit.local.plan import Plan
from cockpit.local.private import make_private, parent_name
from cockpit.local.teardown import reap, remove_directories, tear_down

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
PR_SET_CHILD_SUBREAPER = 36
ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
WATCHED = (*ENDING, signal.SIGCHLD)

TICK_S = 1.0
JOB_GRACE_S = 3.0  # what Ray itself grants a job that is stopped
TAKE_OVER_S = 20.0
SAID_CHUNKS = 64
SAID_CHARACTERS = 8_000

DETACH = b"detach\n"
READY = b"ready\n"


class Signals:
    """The watched signals as readable bytes; `descriptor` is for `select`."""

    def __init__(self) -> None:
        self.descriptor, self._write = os.pipe()
        os.set_blocking(self.descriptor, False)
        os.set_blocking(self._write, False)
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in WATCHED:
            signal.signal(number, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)

    def ending(self) -> bool:
        """Whether one of the signals that end the tree has arrived since the last call."""
        try:
            return bool(set(os.read(self.descriptor, 4096)) & set(ENDING))
        except BlockingIOError:
            return False


class Channel:
    """The owner's end of the line: one JSON object a line to it, one word a line from it."""

    def __init__(self) -> None:
        self.socket: socket.socket | None = socket.socket(fileno=0)
        self.socket.setblocking(False)

    def tell(self, **event: object) -> None:
        """Send one event; an owner that is gone is the business of `listen`."""
        if self.socket is not None:
            with contextlib.suppress(OSError):
                self.socket.send(json.dumps(event).encode() + b"\n")

    def listen(self) -> bytes:
        """The words that have arrived; raises EOFError once the owner has let go."""
        if self.socket is None:
            return b""
        try:
            words = self.socket.recv(4096)
        except BlockingIOError:
            return b""
        except OSError as error:  # reset: the owner died with unread events
            raise EOFError from error
        if not words:
            raise EOFError
        return words

    def close(self) -> None:
        """Forget the owner, and let go of its end of the line."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None
            null = os.open(os.devnull, os.O_RDWR)  # takes the place of descriptor 0
            os.dup2(null, 2)


class Ray:
    """The started Ray: its pid, its last words, and its exit once it has ended."""

    def __init__(self, plan: Plan) -> None:
        self.output, write = os.pipe()
        os.set_blocking(self.output, False)
        self.code: int | None = None
        self._said: deque[bytes] = deque(maxlen=SAID_CHUNKS)
        supervisor = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            become(plan, write, supervisor)
        os.close(write)

    def hear(self) -> bool:
        """Take what Ray has printed; False once no process can print any more."""
        try:
            chunk = os.read(self.output, 4096)
        except BlockingIOError:
            return True
        self._said.append(chunk)
        return bool(chunk)

    def hear_out(self) -> None:
        """Take what Ray has printed before it ended; others may still be printing."""
        for _ in range(SAID_CHUNKS):
            if not (select.select([self.output], [], [], 0.0)[0] and self.hear()):
                return

    def said(self) -> str:
        """The last that Ray has printed."""
        return b"".join(self._said).decode(errors="replace")[-SAID_CHARACTERS:].strip()


def become(plan: Plan, output: int, supervisor: int) -> NoReturn:
    """In the forked child: turn into Ray, or say on its output why not."""
    try:
        die_with_parent(supervisor, signal.SIGKILL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.chdir(plan.directories[0])
        os.execv(plan.command[0], plan.command)
    except OSError as error:
        os.write(output, f"{plan.command[0]} cannot be started: {error}".encode())
    os._exit(127)


def main(text: str) -> int:
    """Run one local Ray from beginning to end; `text` is the plan as JSON, descriptor 0 the channel."""
    plan = Plan(**json.loads(text))
    signal.pthread_sigmask(signal.SIG_SETMASK, WATCHED)
    os.umask(0o077)  # for Ray and for all that its jobs start
    adopt_orphans()
    before = shared_memory.present()
    made: list[str] = []
    outer = os.getpid()
    try:
        for directory in plan.directories:
            if os.path.basename(os.path.dirname(directory)) == parent_name():
                make_private(os.path.dirname(directory))  # another's end may have removed it meanwhile
            os.mkdir(directory, 0o700)
            made.append(directory)
        inner = os.fork()
    except OSError as error:
        remove_directories(made)
        Channel().tell(event="ended", why="system", said=str(error))
        return 0
    if inner == 0:
        die_with_parent(outer, signal.SIGTERM)
        adopt_orphans()
        supervise(plan, outer, before)
        os._exit(0)
    outlive(inner)
    tear_down(plan, before)
    return 0


def supervise(plan: Plan, outer: int, before: frozenset[tuple[str, int]]) -> None:
    """The inner supervisor's life."""
    signals, channel = Signals(), Channel()
    ray = Ray(plan)
    channel.tell(event="started", pid=outer, identity=processes.identity(outer))
    watch = Watch(plan, outer, ray, channel, signals)
    why = watch.until_the_end()
    ray.hear_out()
    channel.tell(event="ended", why=why, code=ray.code, said=ray.said())
    if channel.socket is None and why == "ray":
        bid_farewell(plan, ray)
    # Before Ray was ready no job can have started, so no grace period is due.
    tear_down(plan, before, grace=JOB_GRACE_S if watch.ready else 0.0)


class Watch:
    """The inner supervisor's wait for one of the reasons to end."""

    def __init__(self, plan: Plan, outer: int, ray: Ray, channel: Channel, signals: Signals) -> None:
        self.plan, self.outer, self.ray, self.channel, self.signals = plan, outer, ray, channel, signals
        self.ready = False
        self._output_open = True
        self._next_look = 0.0

    def until_the_end(self) -> str:
        """Wait; returns `owner`, `signal`, `supervisor` or `ray`: who brought the end about."""
        while True:
            self._sleep()
            reason = self._reason()
            if reason:
                return reason

    def _sleep(self) -> None:
        sources: list[int | socket.socket] = [self.signals.descriptor]
        if self.channel.socket is not None:
            sources.append(self.channel.socket)
        if self._output_open:
            sources.append(self.ray.output)
        select.select(sources, [], [], TICK_S)

    def _reason(self) -> str:
        if self.signals.ending():
            return "signal"
        if os.getppid() != self.outer:
            return "supervisor"
        if self._ray_ended():
            return "ray"
        self._output_open = self._output_open and self.ray.hear()
        return "" if self._has_owner() else "owner"

    def _ray_ended(self) -> bool:
        reap(self._note)
        return self.ray.code is not None

    def _note(self, pid: int, status: int) -> None:
        if pid == self.ray.pid:
            self.ray.code = os.waitstatus_to_exitcode(status)

    def _has_owner(self) -> bool:
        """Whether its owner is still there; a detached tree does not need one."""
        try:
            words = self.channel.listen()
        except EOFError:
            return False
        self.ready = self.ready or READY in words or DETACH in words
        if DETACH in words:
            self.channel.tell(event="detached")
            self.channel.close()
        return self.channel.socket is None or self._owner_lives()

    def _owner_lives(self) -> bool:
        # At most once a tick: on macOS the look starts a process, whose end wakes this loop.
        if time.monotonic() < self._next_look:
            return True
        self._next_look = time.monotonic() + TICK_S
        return processes.identity(self.plan.owner) == self.plan.owner_identity


def outlive(inner: int) -> None:
    """The outer supervisor's life: pass signals on, until the inner one has ended or takes too long to."""
    signals = Signals()
    deadline = float("inf")
    gone: list[int] = []
    while time.monotonic() < deadline:
        reap(lambda pid, _: gone.append(pid))
        if inner in gone:
            return
        if signals.ending():
            os.kill(inner, signal.SIGTERM)  # our own unreaped child: its pid cannot be another's
            deadline = min(deadline, time.monotonic() + TAKE_OVER_S)
        select.select([signals.descriptor], [], [], TICK_S)


def bid_farewell(plan: Plan, ray: Ray) -> None:
    """Write down why a detached Ray ended by itself: no owner is listening."""
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    with contextlib.suppress(OSError):  # a full disk may be the very reason
        descriptor = os.open(plan.farewell, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{when} Ray ended by itself with exit code {ray.code}.\n{ray.said()}\n")


def adopt_orphans() -> None:
    """Become the parent of every orphan below (Linux >= 3.4; elsewhere it does nothing). Raises OSError."""
    if sys.platform == "linux":
        prctl(PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(parent: int, number: signal.Signals) -> None:
    """Have the kernel send `number` when the parent dies (Linux); at once if it is dead already."""
    if sys.platform == "linux":
        prctl(PR_SET_PDEATHSIG, int(number))
    if os.getppid() != parent:
        os.kill(os.getpid(), number)


def prctl(option: int, argument: int) -> None:
    """prctl(2). Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    none = ctypes.c_ulong(0)
    if libc.prctl(option, ctypes.c_ulong(argument), none, none, none) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}, {argument}) failed")
