"""Starting a process that ends with its owner: the one line between a keeper and the cockpit.

What a keeper then keeps is its own matter: `cockpit.clients.ssh.keeper` one command, `cockpit.local.supervisor` a tree
of processes that leave their parents.
"""

import socket
import subprocess
from collections.abc import Mapping, Sequence


def start_kept(
    command: Sequence[str], environment: Mapping[str, str]
) -> "tuple[subprocess.Popen[bytes], socket.socket]":
    """Start a keeper; its end of the line is its stdin and stderr. Raises OSError.

    Nothing but this process holds the other end: it is closed on exec, and when this process dies, at whatever moment,
    the keeper reads the end of the line.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            process = subprocess.Popen(
                command,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=theirs.fileno(),
                env=environment,
                cwd="/",
                start_new_session=True,
            )
        except OSError:
            ours.close()
            raise
    return process, ours
