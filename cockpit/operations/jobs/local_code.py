"""Whether an entrypoint names code that is on this machine, while nothing of it is sent along."""

import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from cockpit.errors import UsageError
from cockpit.operations.jobs.submit import SubmitForm

_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_ENDS = re.compile(r"[;&|<>()]+")
# The code may be in the image there; a user who names one knows what it contains.
_BRINGS_CODE = ("working_dir", "py_modules", "image_uri", "container")


def forgotten_file(form: SubmitForm, here: Path | None = None) -> str | None:
    """The first file of this directory that the entrypoint names, where the job is sent without a directory.

    None where a directory is sent, the code is elsewhere by the looks of it (an image, `cd`), or nothing named is here.
    """
    if form.working_dir or any(form.runtime_env.get(key) for key in _BRINGS_CODE):
        return None
    return next(_files_here(form.entrypoint, here or Path.cwd()), None)


def forgotten(name: str, *, how: str) -> UsageError:
    """The error of a job that was about to be sent without its code; `how` says what sends it."""
    return UsageError(f"{name} is a file in this directory, but the job is sent without a directory.", hint=how)


def _files_here(command: str, here: Path, depth: int = 0) -> Iterator[str]:
    try:
        words = [word for part in shlex.split(command) for word in (_ENDS.split(part) if " " not in part else [part])]
    except ValueError:
        return
    if "cd" in words:
        return
    for at, word in enumerate(words):
        if " " in word.strip() and depth == 0:  # as in bash -c 'python train.py'
            yield from _files_here(word, here, depth + 1)
        else:
            yield from _named_files(words, at, here)


def _named_files(words: Sequence[str], at: int, here: Path) -> Iterator[str]:
    word = words[at]
    if at and words[at - 1] == "-m":
        module = word.replace(".", "/")
        candidates = [f"{module}.py", f"{module}/__main__.py"]
    elif _ASSIGNMENT.match(word) or word.startswith("-") or not ("." in word or "/" in word):
        candidates = [word.partition("=")[2]] if word.startswith("--") and "=" in word else []
    else:
        candidates = [word]
    yield from (name for name in candidates if _is_relative_file(name, here))


def _is_relative_file(name: str, here: Path) -> bool:
    if not name or name.startswith(("/", "~")) or "://" in name or "\0" in name:
        return False
    try:
        return (here / name).is_file()
    except OSError:  # such as a name that is too long to be one
        return False
