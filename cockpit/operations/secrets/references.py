"""References of an SDL to secrets: found, resolved into a copy, and put in the place of plain values."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from cockpit.errors import UsageError
from cockpit.model.secret import REFERENCE_PREFIX, Secret
from cockpit.render.text import shell_word
from cockpit.sdl.document import SdlDocument, paths_of
from cockpit.sdl.paths import Path as Steps
from cockpit.secrets.names import CERTIFICATE_NAME, KEY_NAME, TOKEN_NAME, Place
from cockpit.secrets.references import process_store, resolve_references
from cockpit.secrets.store import NoValueError, SecretStore
from cockpit.settings import write_private


class Reference(msgspec.Struct, frozen=True):
    """A reference in an SDL: `before` is the text before it, `NAME=` in an env list."""

    path: Steps
    before: str
    reference: str
    line: int

    @property
    def name(self) -> str:
        """The name of the secret, as far as it is one."""
        return self.reference.removeprefix(REFERENCE_PREFIX)


def references_in(document: SdlDocument) -> list[Reference]:
    """Every value that is a reference, env items without their names. Raises UnreadableSdlError."""
    return list(_references(document))


def _references(document: SdlDocument) -> Iterator[Reference]:
    lines = document.tree.lines
    for path, node in paths_of(document.tree):
        name, equals, value = node.value.partition("=") if is_env_item(path) else ("", "", node.value)
        if value.startswith(REFERENCE_PREFIX):
            yield Reference(path, name + equals, value, lines.position(node.start)[0])


def is_env_item(path: Steps) -> bool:
    """Whether the path names an item of a service's env list."""
    return len(path) == 4 and path[0] == "services" and path[2] == "env" and isinstance(path[3], int)


# --- render ----------------------------------------------------------------------------------------------------------


class Rendered(msgspec.Struct, frozen=True):
    """An SDL with its values, the names of its secrets, and the lines where a reference is only part of a text."""

    text: Secret
    names: tuple[str, ...]
    partial: tuple[int, ...]


def render(document: SdlDocument, scopes: Sequence[str], *, store: SecretStore | None = None) -> Rendered:
    """The document with every reference replaced by its value; the document itself stays as it is.

    Raises NoValueError, which names all references without a value, StoreUnavailableError, and UnsafeEditError.
    """
    references = references_in(document)
    values = _values(references, scopes, store)
    copy = SdlDocument(document.text)
    for one in references:
        copy.set(one.path, one.before + values[one.reference].reveal())
    names = tuple(dict.fromkeys(one.name for one in references))
    return Rendered(Secret(copy.text), names, tuple(_partial(document)))


def _values(references: Sequence[Reference], scopes: Sequence[str], store: SecretStore | None) -> dict[str, Secret]:
    try:
        return resolve_references([one.reference for one in references], scopes=scopes, store=store)
    except NoValueError as error:
        error.hint = _ways_to(error.names, scopes[0])
        raise


# What `secrets generate` makes, by the name of the secret.
_MADE = {TOKEN_NAME: TOKEN_NAME, CERTIFICATE_NAME: "tls", KEY_NAME: "tls"}


def _ways_to(names: Sequence[str], scope: str) -> str:
    """The commands that create or ask for missing values."""
    kinds = dict.fromkeys(f"generate {_MADE[name]}" if name in _MADE else f"set {name}" for name in names)
    return "Give " + " and ".join(f"`rayakash-tui secrets {kind} --scope {shell_word(scope)}`" for kind in kinds) + "."


def _partial(document: SdlDocument) -> Iterator[int]:
    """Lines of values that hold a reference among other text, which nothing resolves."""
    whole = {one.path for one in _references(document)}
    for path, node in paths_of(document.tree):
        if REFERENCE_PREFIX in node.value and path not in whole:
            yield document.tree.lines.position(node.start)[0]


def places_of(
    document: SdlDocument, scopes: Sequence[str], *, store: SecretStore | None = None
) -> list[tuple[str, Place, str | None]]:
    """Where the value of every reference is: name, place and scope. Raises as `render` does; no value is kept."""
    references = references_in(document)
    _values(references, scopes, store)
    chosen = store or process_store()
    found = {name: chosen.resolve(name, scopes) for name in dict.fromkeys(one.name for one in references)}
    return [(name, one.place, one.scope) for name, one in found.items()]


def write_rendered(path: Path, rendered: Rendered, source: Path | None) -> None:
    """Write the values to a file of mode 0600, whole or not at all.

    Raises UsageError where it cannot be written, is the SDL itself, or is not a regular file.
    """
    if source is not None and os.path.realpath(path) == os.path.realpath(source):
        raise UsageError("That is the SDL itself; its references would be lost.", hint="Give another name with -o.")
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise UsageError(f"{path} is not a regular file, so secret values are not written to it.")
    if not path.parent.is_dir():
        raise UsageError(f"Directory {path.parent} does not exist.")
    data = rendered.text.reveal().encode()
    if not _write_unseen(path, data):
        write_private(path, data)


def _write_unseen(path: Path, data: bytes) -> bool:
    """Replace the file by one that is unnamed until it is complete, so that a crash leaves no part of it.

    Returns whether the system can do that: Linux, on most file systems. Source: open(2), O_TMPFILE.
    """
    draft = f".{path.name}.tmp"
    directory = unnamed = -1
    try:
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        unnamed = os.open(path.parent, os.O_TMPFILE | os.O_WRONLY, 0o600)
        with os.fdopen(os.dup(unnamed), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            os.unlink(draft, dir_fd=directory)
        os.link(f"/proc/self/fd/{unnamed}", draft, dst_dir_fd=directory, follow_symlinks=True)
        os.replace(draft, path.name, src_dir_fd=directory, dst_dir_fd=directory)
    except (OSError, AttributeError):  # write_private tries again, and says what is wrong
        return False
    finally:
        for descriptor in (directory, unnamed):
            if descriptor >= 0:
                os.close(descriptor)
    return True
