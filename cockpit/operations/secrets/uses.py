"""Every secret there is or should be: where its value lives, and which SDLs and contexts refer to it."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from cockpit import settings
from cockpit.errors import UsageError
from cockpit.model.secret import reference_name
from cockpit.model.secret_rows import Presence, SecretRow, Use
from cockpit.operations.sdl_editor.files import OpenFile
from cockpit.operations.sdl_editor.recent import recent
from cockpit.operations.secrets.references import references_in
from cockpit.sdl.document import SdlDocument
from cockpit.secrets.names import Place, scopes_for
from cockpit.secrets.overview import Entry, Status, entries, status
from cockpit.secrets.store import SecretStore


class SecretList(msgspec.Struct, frozen=True):
    """The rows, missing ones first; what the store is made of; sentences about what could not be read."""

    rows: tuple[SecretRow, ...]
    status: Status
    problems: tuple[str, ...]


def secret_list(store: SecretStore) -> SecretList:
    """Everything about every secret but its value. Nobody is asked for a passphrase; a keyring may take its time.

    Raises UsageError where the index or the settings cannot be read.
    """
    listing = entries(store)
    problems = list(listing.problems)
    found = status(store)
    used: dict[int, list[Use]] = {}
    lacking: dict[tuple[str, str], list[Use]] = {}
    for name, use in [*_of_contexts(), *_of_sdls(problems)]:
        index = _resolved(listing.entries, name, use.scopes)
        if index is None:
            lacking.setdefault((name, use.scopes[0]), []).append(use)
        else:
            used.setdefault(index, []).append(use)
    rows = [_row(entry, used.get(index, ())) for index, entry in enumerate(listing.entries)]
    rows += [_lacking(name, scope, uses, found) for (name, scope), uses in lacking.items()]
    return SecretList(tuple(_marked(sorted(rows, key=_order))), found, tuple(dict.fromkeys(problems)))


def _marked(rows: Iterable[SecretRow]) -> Iterator[SecretRow]:
    """The rows; of those with one name and scope, the ones that no reference comes to are marked."""
    seen: set[tuple[str, str | None]] = set()
    for row in rows:
        pair = (row.name, row.scope)
        yield msgspec.structs.replace(row, is_leftover=True) if pair in seen else row
        seen.add(pair)


def _order(row: SecretRow) -> tuple[bool, str, str, bool]:
    return (row.presence != "missing", row.name, row.scope or "", not row.uses)


def _row(entry: Entry, uses: Iterable[Use]) -> SecretRow:
    presence: Presence = "unseen" if entry.present is None else "stored" if entry.present else "missing"
    return SecretRow(
        name=entry.name,
        scope=entry.scope,
        place=entry.place,
        presence=presence,
        uses=tuple(uses),
        created=entry.created,
        changed=entry.changed,
    )


def _lacking(name: str, scope: str, uses: Sequence[Use], found: Status) -> SecretRow:
    """A name that is referred to and that no place holds; only asking would say whether the user's command knows it."""
    by_command = found.secret_command is not None
    return SecretRow(
        name=name,
        scope=scope,
        place=Place.COMMAND if by_command else None,
        presence="unseen" if by_command else "missing",
        uses=tuple(uses),
    )


def _resolved(listed: Sequence[Entry], name: str, scopes: Sequence[str]) -> int | None:
    """The entry that a reference comes to, as `SecretStore.resolve` would: the environment, then scope by scope."""
    for scope in (None, *scopes):
        matching = [index for index, entry in enumerate(listed) if (entry.name, entry.scope) == (name, scope)]
        if matching:
            # What only this process holds is newer than what could not be reached.
            return min(matching, key=lambda index: listed[index].place != Place.SESSION)
    return None


def _of_contexts() -> Iterator[tuple[str, Use]]:
    for name, context in settings.load_settings().contexts.items():
        for secret in dict.fromkeys(_references(msgspec.to_builtins(context))):
            yield secret, Use("context", name, scopes_for(scope=context.scope, context=name))


def _references(value: Any) -> Iterator[str]:
    """Names of secrets anywhere in the settings of a context."""
    if isinstance(value, str):
        name = reference_name(value)
        if name is not None:
            yield name
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _references(inner)


def _of_sdls(problems: list[str]) -> Iterator[tuple[str, Use]]:
    for path in _known_sdls(problems):
        try:
            document = SdlDocument(OpenFile.read(path).text)
            names = dict.fromkeys(reference_name(one.reference) for one in references_in(document))
            scopes = scopes_for(sdl=path)
        except UsageError as error:
            problems.append(f"{path.name}: {error.title}")
            continue
        for name in names:
            if name is not None:
                yield name, Use("SDL", str(path), scopes)


def _known_sdls(problems: list[str]) -> list[Path]:
    try:
        return recent()
    except UsageError as error:
        problems.append(error.title)
        return []
