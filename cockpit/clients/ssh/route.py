"""What is asked of ssh: through which host, to which host and port, and where it comes out on this machine."""

import re

import msgspec

from cockpit.errors import UsageError

# A host name, an address, or `[::1]` without its brackets; what else an address may hold means something to ssh.
_HOST = re.compile(r"[A-Za-z0-9._:-]+")
HIGHEST_PORT = 65535


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Through `destination` (as one writes it after `ssh`) to `host` and `port`, as they are reached from there.

    `local_port` opens a TCP port on this machine too, which everybody on it can reach.
    """

    destination: str
    host: str
    port: int
    local_port: int | None = None

    @property
    def target(self) -> str:
        """Host and port as ssh writes them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def checked_destination(text: str) -> str:
    """A destination that ssh cannot take for an option. Raises UsageError."""
    if not text or text.startswith("-") or not text.isprintable() or any(letter.isspace() for letter in text):
        raise UsageError(
            f"{text!r} is not a valid SSH destination.",
            hint="Write what follows `ssh`: HOST, USER@HOST or ssh://USER@HOST:PORT.",
        )
    return text


def route_to(host: str, port: int, *, through: str, local_port: int | None = None) -> Route:
    """The route to a dashboard. Raises UsageError for what ssh would not understand."""
    if not _HOST.fullmatch(host):
        raise UsageError(f"ssh cannot forward to the host {host!r}.", hint="Write its address, or its name in ASCII.")
    if local_port is not None and not 0 < local_port <= HIGHEST_PORT:
        raise UsageError(f"Invalid TCP port: {local_port}.")
    return Route(destination=checked_destination(through), host=host, port=port, local_port=local_port)


def ssh_command(route: Route, socket: str, *, may_ask: bool, program: str = "ssh") -> list[str]:
    """The command line: the user's configuration holds, but for what a tunnel of our own needs otherwise."""
    options = {
        "BatchMode": "no" if may_ask else "yes",
        # A connection that is shared with others would keep our forwarding when we are gone.
        "ControlMaster": "no",
        "ControlPath": "none",
        "ConnectTimeout": "15",
        "ExitOnForwardFailure": "yes",
        "LogLevel": "INFO",  # the words by which we know what is wrong
        "RemoteCommand": "none",
        "ServerAliveCountMax": "3",
        "ServerAliveInterval": "5",
        "StreamLocalBindMask": "0177",
        "StreamLocalBindUnlink": "yes",
    }
    command = [program, "-N", "-T", "-a", "-x"]
    for name, value in options.items():
        command += ["-o", f"{name}={value}"]
    command += ["-L", f"{socket}:{route.target}"]
    if route.local_port is not None:
        command += ["-L", f"127.0.0.1:{route.local_port}:{route.target}"]
    return [*command, "--", route.destination]
