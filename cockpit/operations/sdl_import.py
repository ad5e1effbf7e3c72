"""Moving secrets out of an SDL: values into the store, references into the file, nothing left in its history."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from cockpit.errors import UsageError
from cockpit.model.secret import REFERENCE_PREFIX, Secret
from cockpit.operations.sdl_secrets import is_env_item
from cockpit.sdl.document import SdlDocument, paths_of
from cockpit.sdl.files import save_document
from cockpit.sdl.masking import lines_with
from cockpit.sdl.paths import Path as Steps
from cockpit.sdl.secret_names import is_plain_secret
from cockpit.secrets.names import Place
from cockpit.secrets.references import process_store
from cockpit.secrets.store import LASTING, NoValueError, SecretStore, Stored

LONGEST_NAME = 64
TELLING = 6  # characters; a shorter value may stand anywhere by chance


class Move(msgspec.Struct, frozen=True):
    """A value that stands in the file, and the name that it gets in the store."""

    path: Steps
    variable: str
    name: str
    value: Secret
    source: Secret  # as it is written, quotes and escapes included

    @property
    def service(self) -> str:
        """The service whose env it is."""
        return str(self.path[1])


class Imported(msgspec.Struct, frozen=True):
    """What was moved, by name: where each secret is now, who refers to it, and where a value still stands."""

    stored: dict[str, Stored]
    services: dict[str, tuple[str, ...]]
    lines: tuple[int, ...]
    forgotten: int


def planned(document: SdlDocument) -> list[Move]:
    """Every env value that looks like a secret in plain text, with a name for it. Raises UnreadableSdlError."""
    moves: list[Move] = []
    for path, node in paths_of(document.tree):
        variable, equals, text = node.value.partition("=")
        if not (is_env_item(path) and equals and is_plain_secret(variable, text)):
            continue
        value, source = Secret(text), Secret(document.text[node.start : node.end])
        taken = {move.name: move.value for move in moves}
        name = next(name for name in _names(variable, str(path[1])) if taken.get(name, value) == value)
        moves.append(Move(path, variable, name, value, source))
    return moves


def _names(variable: str, service: str) -> Iterator[str]:
    """Names for a secret: the variable's, then the service's in front, then with a number."""
    plain = _as_name(variable)
    yield plain
    both = _as_name(f"{service.upper()}_{variable}")
    yield both
    for number in range(2, 10_000):
        yield f"{both[: LONGEST_NAME - 5]}_{number}"


def _as_name(text: str) -> str:
    name = re.sub(r"[^A-Za-z0-9_]", "_", text)[:LONGEST_NAME]
    return name if re.match(r"[A-Za-z_]", name) else f"_{name}"[:LONGEST_NAME]


def import_secrets(
    path: Path,
    document: SdlDocument,
    *,
    scope: str,
    places: Sequence[Place] = LASTING,
    replace: bool = False,
    store: SecretStore | None = None,
) -> Imported:
    """Store the secrets of an SDL, put references in their place in one edit, save it, and forget the old texts.

    Raises UsageError where the store holds another value under a name (unless told to replace it) or the file cannot
    be written, UnsafeEditError where the text cannot be edited, and what the store raises.
    """
    chosen = store or process_store()
    moves = planned(document)
    values = {move.name: move.value for move in moves}
    kept = SecretStore(keyring=chosen.keyring, vault=chosen.vault, index=chosen.index, environment={})
    new = [name for name in values if _is_new(kept, name, values[name], scope, replace=replace)]
    with document.one_step("import secrets"):
        for move in moves:
            document.set(move.path, f"{move.variable}={REFERENCE_PREFIX}{move.name}")
    stored = {name: chosen.put(name, values[name], scope=scope, places=places) for name in new}
    if moves:
        _save(path, document)
    traces = {trace.reveal() for move in moves for trace in (move.value, move.source)}
    return Imported(
        stored=stored,
        services={name: tuple(dict.fromkeys(one.service for one in moves if one.name == name)) for name in values},
        lines=tuple(lines_with(document.text, (trace for trace in traces if len(trace) >= TELLING))),
        forgotten=document.forget(lambda text: any(trace in text for trace in traces)),
    )


def _save(path: Path, document: SdlDocument) -> None:
    try:
        save_document(path, document)
    except UsageError as error:
        hint = "It is as it was; the values are in the store already, so that nothing is lost by trying again."
        raise UsageError(error.title, detail=error.detail, hint=hint) from None


def _is_new(store: SecretStore, name: str, value: Secret, scope: str, *, replace: bool) -> bool:
    """Whether the value must be stored; a value that is there already stays. Raises UsageError for another one."""
    try:
        found = store.resolve(name, (scope,))
    except NoValueError:
        return True
    if found.value == value or replace:
        return found.value != value
    raise UsageError(
        f"The secret {name} is there already in the scope {scope}, with another value.",
        hint="Use --replace for the value of the file, or --scope for another scope. Nothing was changed.",
    )
