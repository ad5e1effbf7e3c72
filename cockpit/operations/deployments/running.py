"""The SDL that a deployment runs: as the Console keeps it, else the file that it was made of, else our masked copy."""

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from cockpit.errors import CockpitError, UsageError
from cockpit.model.akash.deployments import Deployment
from cockpit.model.secret import REFERENCE_PREFIX
from cockpit.operations.deployments.journal import Attempt
from cockpit.operations.secrets.references import is_env_item, references_in
from cockpit.sdl.document import SdlDocument, paths_of, plain
from cockpit.sdl.files import read_document
from cockpit.sdl.masking import MASK, masked_lines, shown_value
from cockpit.sdl.paths import Path as Steps
from cockpit.sdl.paths import spelled
from cockpit.secrets.references import resolve_reference
from cockpit.settings import read_file, write_private

LARGEST_COPY = 1 << 20
_DIGEST = "digest:"


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """The SDL that runs, and where it was read from."""

    document: SdlDocument
    source: str


def keep_copy(journal: Path, document: SdlDocument) -> None:
    """Keep what is deployed beside its journal, without values of secrets. Raises UsageError."""
    write_private(_copy_of(journal), json.dumps(_masked(document), default=str).encode())


def _masked(document: SdlDocument) -> object:
    """The document's data without values of secrets; JSON of it is YAML too.

    A script in which one may stand is kept as a salted digest: equal or not is all that is asked of it.
    """
    copy = SdlDocument(document.text)
    for path, node in list(paths_of(copy.tree)):
        if (shown := shown_value(path, node)) is not None:
            copy.set(path, shown)
        elif path[2:3] in (("command",), ("args",)) and masked_lines(node.value) != node.value.splitlines():
            copy.set(path, _digest(node.value, os.urandom(8).hex()))
    return plain(copy.tree.root)


def _digest(text: str, salt: str) -> str:
    return f"{_DIGEST}{salt}:{hashlib.sha256((salt + text).encode()).hexdigest()}"


def _copy_of(journal: Path) -> Path:
    return journal.with_suffix(".sdl")


def running_sdl(found: Deployment, attempt: Attempt | None, *, prefers_file: bool = False) -> Running:
    """What a deployment runs; `prefers_file` where references are wanted, since a Console may keep values.

    Raises UsageError if it is stored nowhere.
    """
    own = _unchanged(attempt) if attempt is not None else None
    if found.sdl is not None and not (own and prefers_file):
        return Running(document=SdlDocument(found.sdl), source="Akash Console")
    if attempt is not None:
        if own is not None:
            return Running(document=own, source=str(attempt.last.file))
        if (copy := _kept_copy(attempt)) is not None:
            return Running(document=copy, source="the copy that was kept here")
    raise UsageError(
        f"The SDL of deployment {found.dseq} is not known: the Console does not keep it, and it was not made here.",
        hint="Compare two files: rayakash-tui sdl diff A B",
        fault="sdl-unknown",
    )


def known_sdl(attempt: Attempt) -> SdlDocument | None:
    """The SDL as this machine knows it: the file if it is unchanged, else the copy without values of secrets."""
    return _unchanged(attempt) or _kept_copy(attempt)


def _kept_copy(attempt: Attempt) -> SdlDocument | None:
    with suppress(OSError, ValueError):
        return SdlDocument(read_file(_copy_of(attempt.path), LARGEST_COPY).decode())
    return None


def _unchanged(attempt: Attempt) -> SdlDocument | None:
    """The file that the deployment was made of; None where it is gone or has changed since."""
    if attempt.last.file is None:
        return None
    try:
        document = read_document(Path(attempt.last.file))
    except CockpitError:
        return None
    return document if hashlib.sha256(document.text.encode()).hexdigest() == attempt.last.sha256 else None


def scope_of(attempt: Attempt | None, given: str | None = None) -> str | None:
    """Where the secrets of a deployment are: as given, else where they were when it was deployed."""
    return given or (attempt.last.scope if attempt else None)


def not_compared_words(names: Sequence[str]) -> str:
    """The warning about variables that were assumed equal."""
    return f"Values that are not known here were not compared: {', '.join(names)}."


class Aligned(msgspec.Struct, frozen=True, kw_only=True):
    """The SDL that runs as the other file would say the same; `not_compared` are variables whose values are unknown."""

    document: SdlDocument
    not_compared: tuple[str, ...] = ()


def aligned(running: SdlDocument, other: SdlDocument, scopes: Sequence[str]) -> Aligned:
    """Let a value that travelled inside the SDL be no difference from the other file's reference to it.

    What was masked, and what this machine cannot resolve, is taken for the same and named.
    """
    references = {(one.path[1], one.before): one.reference for one in references_in(other) if is_env_item(one.path)}
    values = {(path[1], f"{name}="): value for path, name, value in _env(other)}
    copy, unknown = SdlDocument(running.text), list[str]()
    for path, name, value in list(_env(running)):
        key = (path[1], f"{name}=")
        wanted = values.get(key)
        if wanted is None or wanted == value or value.startswith(REFERENCE_PREFIX):
            continue
        reference = references.get(key)
        is_same = None if value == MASK else _is_value_of(reference, value, scopes) if reference else False
        if is_same is not False:
            unknown += [name] if is_same is None else []
            copy.set(path, f"{name}={wanted}")
    unknown += _align_masked(copy, running, other)
    return Aligned(document=copy, not_compared=tuple(dict.fromkeys(unknown)))


def _align_masked(copy: SdlDocument, running: SdlDocument, other: SdlDocument) -> list[str]:
    """Replace masked values by those of the other file; returns the places that cannot be compared."""
    texts, unknown = {path: node.value for path, node in paths_of(other.tree)}, []
    for path, node in paths_of(running.tree):
        wanted = texts.get(path)
        if wanted is None:
            continue
        if node.value == MASK:
            copy.set(path, wanted)
            unknown.append(spelled(path))
        elif node.value.startswith(_DIGEST):
            salt = node.value.removeprefix(_DIGEST).partition(":")[0]
            if node.value == _digest(wanted, salt):
                copy.set(path, wanted)
    return unknown


def _env(document: SdlDocument) -> list[tuple[Steps, str, str]]:
    """Path, name and value of every env variable."""
    found = []
    for path, node in paths_of(document.tree):
        name, equals, value = node.value.partition("=")
        if is_env_item(path) and equals:
            found.append((path, name, value))
    return found


def _is_value_of(reference: str, value: str, scopes: Sequence[str]) -> bool | None:
    """Whether a reference resolves to this value; None where it cannot be resolved here."""
    try:
        return resolve_reference(reference, scopes=scopes).reveal() == value
    except CockpitError:
        return None
