"""A process of its own that keeps a command for as long as its owner lives.

It runs as `python -I -S keeper.py DIRECTORY MARK COMMAND…`, with the standard library only. The command's end is sent
as a line `MARK CODE` on standard error, behind the command's own words there, which cannot know the mark. When standard
input ends, which it does also when the owner is killed, the command ends with all that it started. In either case
DIRECTORY is removed.
"""

import os
import select
import shutil
import signal
import subprocess
import sys
from contextlib import suppress

GRACE_S = 2.0
MISSING = 127
BROKEN = 126


def main(directory: str, mark: str, command: list[str]) -> None:
    """Start the command, and wait for its end or the owner's."""
    awake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # which passes through `finally`
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    process: subprocess.Popen[bytes] | None = None
    try:
        # A group of its own, so that what ssh starts (ProxyCommand, questions) ends with it.
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, process_group=0)
        # The last line of the command may lack a newline.
        say(f"\n{mark} {wait(process, awake)}")
    except OSError as error:
        say(f"{command[0]}: {error.strerror}\n{mark} {MISSING if isinstance(error, FileNotFoundError) else BROKEN}")
    finally:
        if process is not None:
            end(process)
        shutil.rmtree(directory, ignore_errors=True)


def wait(process: subprocess.Popen[bytes], awake: int) -> int:
    """The exit code of the process; leaves by SystemExit where the owner ends first."""
    while (code := process.poll()) is None:
        ready, _, _ = select.select([0, awake], [], [])
        if awake in ready:
            os.read(awake, 4096)
        if 0 in ready and not os.read(0, 4096):
            sys.exit(0)
    return code


def end(process: subprocess.Popen[bytes]) -> None:
    """Have it end now, with its group."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_S)
            return


def say(words: str) -> None:
    """A line for the owner, as far as there still is one."""
    with suppress(OSError):
        os.write(2, words.encode() + b"\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
