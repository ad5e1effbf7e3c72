"""Why a sample could not run, in one line taken from what installers and stores print."""

import re

# What pip and uv print last; uv names causes below an error, and draws a tree for what cannot be resolved.
_PIP = re.compile(r"ERROR: (.+)")
_UV = re.compile(r"^(?:error|×): *(.+)|^× (.+)")
_CAUSE = re.compile(r"^(?:cause|Caused by): *(.+)|^╰─▶ (.+)")
_SETUP = ("runtime_env", "runtime environment")

# How a sample words it before it begins, and how pyarrow does, through which Ray writes checkpoints, later.
_STORE = (
    re.compile(r"Cannot write to \S+: (?:[A-Za-z]*Error: )?(.+)"),
    re.compile(r"OSError: (When [^:]*: AWS Error .*)"),
)


def installation_failure(message: str) -> str | None:
    """The one line that says why packages could not be installed; None for another failure."""
    if not any(word in message.lower() for word in _SETUP):
        return None
    lines = [line.strip() for line in message.replace("\\n", "\n").splitlines()]
    if any(re.search(r"'-m', 'uv', 'pip', 'install'", line) for line in lines):
        return _uv_failure(lines)
    found = _matches(_PIP, lines) if "pip" in message else []
    return found[-1] if found else None


def store_failure(log: str) -> str | None:
    """The one line that says why the object store could not be reached or used; None where the log names none."""
    for pattern in _STORE:
        if found := _matches(pattern, log.splitlines()):
            return found[-1].split("; Details")[0].rstrip(". ")
    return None


def _uv_failure(lines: list[str]) -> str | None:
    """What failed and its deepest cause: the causes between repeat both."""
    errors, causes = _matches(_UV, lines), _matches(_CAUSE, lines)
    if not errors:
        return None
    if not causes:
        return errors[-1]
    return causes[0] if len(causes) == 1 else f"{causes[0]}: {causes[-1]}"


def _matches(pattern: re.Pattern[str], lines: list[str]) -> list[str]:
    found = (pattern.search(line) for line in lines)
    return [next(part for part in match.groups() if part).strip() for match in found if match]
