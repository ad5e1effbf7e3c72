"""Moving secrets out of an SDL: values into the store, references into the file."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from cockpit.errors import UsageError
from cockpit.model.secret import REFERENCE_PREFIX, Secret
from cockpit.operations.secrets.references import is_env_item
from cockpit.sdl.document import SdlDocument, paths_of
from cockpit.sdl.files import save_document
from cockpit.sdl.masking import lines_with
from cockpit.sdl.paths import Path as Steps
from cockpit.sdl.secret_names import is_plain_secret
from cockpit.sdl.secret_spans import TELLING, secret_spans
from cockpit.secrets.names import Place
from cockpit.secrets.references import process_store
from cockpit.secrets.store import LASTING, NoValueError, SecretStore, Stored

LONGEST_NAME = 64
REGISTRY_PASSWORD = "REGISTRY_PASSWORD"


class NameTakenError(UsageError):
    """The store holds another value under a name that an SDL's secret would get; nothing was changed."""

    def __init__(self, name: str, scope: str) -> None:
        super().__init__(
            f"The secret {name} already exists in scope {scope}, with another value.",
            hint="Use --replace for the value of the file, or --scope for another scope. Nothing was changed.",
        )
        self.name = name


class Move(msgspec.Struct, frozen=True):
    """A value in the file, and its new name in the store."""

    path: Steps
    variable: str
    name: str
    value: Secret
    source: Secret  # as it is written, quotes and escapes included
    line: int

    @property
    def service(self) -> str:
        """The service that uses it."""
        return str(self.path[1])

    @property
    def replacement(self) -> str:
        """What stands in the file afterwards: of an env item all of it."""
        reference = f"{REFERENCE_PREFIX}{self.name}"
        return f"{self.variable}={reference}" if is_env_item(self.path) else reference


class Imported(msgspec.Struct, frozen=True):
    """What was moved, by name: where each secret is now, who refers to it, and where a value still stands.

    `others` are lines that seem to hold a secret where the SDL takes no reference: commands, comments, odd keys.
    """

    stored: dict[str, Stored]
    services: dict[str, tuple[str, ...]]
    lines: tuple[int, ...]
    others: tuple[int, ...] = ()


def planned(document: SdlDocument) -> list[Move]:
    """Every secret in plain text that can be a reference, with a name for it: env values, and passwords of registries.

    Raises UnreadableSdlError. Source of what Akash resolves: whole env values, and `credentials.password`; the user
    name is not a secret and stays.
    """
    moves: list[Move] = []
    for path, node in paths_of(document.tree):
        variable, text = _candidate(path, node.value)
        if not is_plain_secret(variable, text):
            continue
        value, source = Secret(text), Secret(document.text[node.start : node.end])
        taken = {move.name: move.value for move in moves}
        name = next(name for name in _names(variable, str(path[1])) if taken.get(name, value) == value)
        moves.append(Move(path, variable, name, value, source, document.tree.lines.position(node.start)[0]))
    return moves


def _candidate(path: Steps, text: str) -> tuple[str, str]:
    """The variable and the value of a place that takes references; two empty texts of any other."""
    if is_env_item(path):
        variable, equals, value = text.partition("=")
        return (variable, value) if equals else ("", "")
    is_password = len(path) == 4 and path[0] == "services" and path[2:] == ("credentials", "password")
    return (REGISTRY_PASSWORD, text) if is_password else ("", "")


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
    """Store the secrets of an SDL, put references in their place in one edit, and save it.

    Raises UsageError where the store holds another value under a name (unless `replace` is set) or the file cannot
    be written, UnsafeEditError where the text cannot be edited, and what the store raises.
    """
    chosen = store or process_store()
    moves = planned(document)
    values = {move.name: move.value for move in moves}
    kept = SecretStore(keyring=chosen.keyring, vault=chosen.vault, index=chosen.index, environment={})
    new = [name for name in values if _is_new(kept, name, values[name], scope, replace=replace)]
    with document.all_or_none():
        for move in moves:
            document.set(move.path, move.replacement)
    stored = {name: chosen.put(name, values[name], scope=scope, places=places) for name in new}
    if moves:
        _save(path, document)
    traces = {trace.reveal() for move in moves for trace in (move.value, move.source)}
    lines = lines_with(document.text, (trace for trace in traces if len(trace) >= TELLING))
    return Imported(
        stored=stored,
        services={name: tuple(dict.fromkeys(one.service for one in moves if one.name == name)) for name in values},
        lines=tuple(lines),
        others=tuple(line for line in lines_of_secrets(document) if line not in lines),
    )


def lines_of_secrets(document: SdlDocument) -> list[int]:
    """Lines that hold what looks like a secret in plain text and cannot be a reference. Raises UnreadableSdlError."""
    movable = {move.line for move in planned(document)}
    lines = (document.tree.lines.position(span.start)[0] for span in secret_spans(document.text))
    return sorted(set(lines) - movable)


def _save(path: Path, document: SdlDocument) -> None:
    try:
        save_document(path, document)
    except UsageError as error:
        hint = "It is unchanged. The values are already in the store, so you can try again."
        raise UsageError(error.title, detail=error.detail, hint=hint) from None


def _is_new(store: SecretStore, name: str, value: Secret, scope: str, *, replace: bool) -> bool:
    """Whether the value must be stored; a value that is there already stays. Raises UsageError for another one."""
    try:
        found = store.resolve(name, (scope,))
    except NoValueError:
        return True
    if found.value == value or replace:
        return found.value != value
    raise NameTakenError(name, scope)
