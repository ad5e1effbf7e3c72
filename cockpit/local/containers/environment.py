"""Env values on their way into a container: never in an argument, and exactly as they are."""

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cockpit.errors import UsageError
from cockpit.local.containers.engine import Engine
from cockpit.model.secret import Secret

# Releases of podman differ in what they make of quotes in an env file, and no line holds a line break.
_ODD = re.compile(r"[\r\n\"'\\]")
_LONGEST_LINE = 60_000
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


@contextmanager
def given(engine: Engine, prefix: str, env: Mapping[str, Secret]) -> Iterator[list[str]]:
    """The options that hand the variables to one container; their file is gone afterwards.

    Plain values go by a file of mode 0600, others by secrets of podman, named `prefix` and the variable, which live
    until `forget`. Raises UsageError for what cannot be handed over.
    """
    for name, value in env.items():
        _check(name, value)
    odd = {name: value for name, value in env.items() if _is_odd(value)}
    if odd and not engine.is_podman:
        raise UsageError(
            f"env: {', '.join(odd)}: docker takes no line break, quote or backslash from a file.",
            hint="Install podman, which takes any value.",
        )
    with tempfile.TemporaryDirectory(prefix="rayakash-") as folder:
        file = Path(folder) / "env"
        lines = "".join(f"{name}={value.reveal()}\n" for name, value in env.items() if name not in odd)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
            stream.write(lines)
        options = ["--env-file", str(file)]
        for name, value in odd.items():
            engine.run("secret", "create", prefix + name, "-", stdin=value.reveal().encode())
            options += ["--secret", f"{prefix}{name},type=env,target={name}"]
        yield options


def forget(engine: Engine, prefix: str) -> None:
    """Remove the secrets whose names begin so. Raises ContainerError."""
    if not engine.is_podman:
        return
    names = engine.run("secret", "ls", "--format", "{{.Name}}").split()
    if ours := [name for name in names if name.startswith(prefix)]:
        engine.run("secret", "rm", *ours)


def _is_odd(value: Secret) -> bool:
    text = value.reveal()
    return bool(_ODD.search(text)) or len(text) > _LONGEST_LINE


def _check(name: str, value: Secret) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError(f"env: {name[:60]!r} is not a valid variable name.")
    if "\0" in value.reveal():
        raise UsageError(f"env: {name} holds a NUL, which no variable can.")
