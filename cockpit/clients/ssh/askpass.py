"""What ssh runs to ask for something: passes the question on to the cockpit, and its answer back to ssh.

The standard library only: `python -I -S askpass.py SOCKET QUESTION`. The question goes as a line of JSON, and so does
the answer: a text, or null where there is none. The line stays open meanwhile, so that the cockpit sees us end.
"""

import json
import os
import socket
import sys


def main(path: str, question: str) -> int:
    """Ask at the socket; 0 where there is an answer."""
    kind = os.environ.get("SSH_ASKPASS_PROMPT", "")
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(path)
        line.sendall(json.dumps({"question": question, "kind": kind}).encode() + b"\n")
        answer = json.loads(line.makefile().readline() or "null")
    if answer is None:
        return 1
    sys.stdout.write(answer + "\n")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1], " ".join(sys.argv[2:])))
    except (OSError, ValueError):  # the asking process has gone
        sys.exit(1)
