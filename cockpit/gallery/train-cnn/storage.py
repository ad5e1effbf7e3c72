"""Whether checkpoints can be written to an object store: Ray itself tries for minutes, and says it in 80 lines."""

import subprocess
import sys
import urllib.parse

SECONDS = 20


def tried(address: str) -> str:
    """The same address; leaves with one sentence where the store does not take a file in time."""
    if "://" not in address:
        return address
    try:
        # In a process of its own: a call that hangs in the store's library cannot be ended otherwise.
        done = subprocess.run([sys.executable, __file__, address], capture_output=True, text=True, timeout=SECONDS)
        reason = done.stderr.strip().rpartition("\n")[2] if done.returncode else ""
    except subprocess.TimeoutExpired:
        reason = f"no answer in {SECONDS} s"
    if reason:
        sys.exit(f"Cannot write to {public(address)}: {reason}")
    return address


def public(address: str) -> str:
    """The address without keys."""
    parts = urllib.parse.urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


if __name__ == "__main__":
    from pyarrow import fs

    store, folder = fs.FileSystem.from_uri(sys.argv[1])
    store.create_dir(folder)
    with store.open_output_stream(f"{folder}/.writable") as file:
        file.write(b"")
    store.delete_file(f"{folder}/.writable")
