"""Flags of `ray start` from another file: those that our start scripts take over, and those that they set."""

import re
import shlex
from collections.abc import Mapping

from cockpit.sdl.foreign.losses import Losses
from cockpit.sdl.secret_names import is_plain_secret

Flags = tuple[tuple[str, str], ...]

# Of the script, or of Ray's own counting; equal everywhere, so nothing is lost.
_SILENT = frozenset(("head", "address", "block", "disable-usage-stats", "object-store-memory"))
_SET = {
    "port": "6379", "dashboard-host": "0.0.0.0", "dashboard-port": "8265", "object-manager-port": "8076",
    "node-manager-port": "8077", "dashboard-agent-grpc-port": "8078", "dashboard-agent-listen-port": "8079",
    "min-worker-port": "10002", "max-worker-port": "19999",
}  # fmt: skip
_DROPPED = {
    "include-dashboard": "The gateway leads to the dashboard, which always runs.",
    "worker-port-list": "The start script sets the range of worker ports.",
    "node-ip-address": "Each node finds its own address.",
    "redis-password": "The cluster does not run Redis, and secrets do not belong in a command.",
    "redis-username": "The cluster does not run Redis, and secrets do not belong in a command.",
    "ray-client-server-port": "The gateway does not pass ray://.",
}
_NAME = re.compile(r"[a-z][a-z0-9-]*")
_START = re.compile(r"\bray\s+start\b(?P<flags>[^\n;&|]*)")
_FLAG = re.compile(
    r"--(?P<name>[a-z][a-z0-9-]+)(?:(?:=|\s+)(?P<value>\"(?:\\.|[^\"\\])*\"|'[^']*'|[^\s\"'&|;-][^\s\"'&|;]*|(?<==)-?\d+))?"
)


def flags_of_params(params: Mapping[str, str], path: str, losses: Losses) -> Flags:
    """The flags that are carried over from `rayStartParams`, whose values KubeRay puts into a shell command."""
    found = []
    for name, value in params.items():
        word = _unquoted(value)
        if name in _SILENT or _SET.get(name) == word:
            continue
        if name in _SET:
            losses.add(f"{path}.{name}", f"The start script uses {_SET[name]}.")
        elif name in _DROPPED:
            losses.add(f"{path}.{name}", _DROPPED[name])
        elif not _NAME.fullmatch(name):
            losses.add(f"{path}.{name}", "It is not a flag of ray start.")
        elif is_plain_secret(name, word):
            losses.add(f"{path}.{name}", "It is a secret in a command, and left out.")
        elif "$" in word or "`" in word or "\n" in word:
            losses.add(f"{path}.{name}", "It is computed there, and left out.")
        else:
            found.append((name, "" if word == "true" else word))
    return tuple(found)


def flags_of_script(script: str, path: str, losses: Losses) -> Flags:
    """The flags of the `ray start` in a command."""
    started = _START.search(script.replace("\\\n", " "))
    if started is None:
        return ()
    params = {one["name"]: one["value"] or "true" for one in _FLAG.finditer(started["flags"])}
    return flags_of_params(params, path, losses)


def _unquoted(value: str) -> str:
    """What the shell would make of a value, where that is one word."""
    try:
        words = shlex.split(value)
    except ValueError:
        return value
    return words[0] if len(words) == 1 and value[:1] in "\"'" else value
