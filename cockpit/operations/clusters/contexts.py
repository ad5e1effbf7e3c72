"""The clusters that the user named: listed, added, chosen and removed, in a file that stays the user's own."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from cockpit import settings
from cockpit.clients.address import DEFAULT_PORT, Address, parse_address
from cockpit.clients.endpoint import Endpoint
from cockpit.clients.transport import Transport
from cockpit.errors import NotRayError, UnreachableError, UntrustedError, UsageError
from cockpit.file_saving import save_bytes
from cockpit.local.containers.state import container_contexts
from cockpit.local.state import local_status
from cockpit.model.cluster_rows import ClusterRow, Source
from cockpit.model.nearest import nearest_hint
from cockpit.operations.clusters.bastion import bastion_of
from cockpit.operations.clusters.connect import LOCAL_CONTEXT
from cockpit.render.text import last_word
from cockpit.secrets.files import exclusive
from cockpit.secrets.names import checked_scope
from cockpit.settings import Context
from cockpit.toml_text import with_table, with_value, without_table

if TYPE_CHECKING:
    from cockpit.operations.clusters.sdl_access import SdlAccess

# A user with a password, or a query: neither belongs in an address, and it may be secret, so it is not shown.
_WITHIN_ADDRESS = re.compile(r"(?<=//)[^/]*(?=@)|^[^/]*(?=@)|(?<=[?#]).+")

KNOWN_SCHEMES = ("http://", "https://")


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster that has a name: where it is written down, and what of it may be shown."""

    name: str
    address: str
    source: Source
    is_current: bool = False
    ssh: str | None = None
    cost: float | None = None
    is_read_only: bool = False

    def as_row(self) -> ClusterRow:
        """The cluster before anybody has asked it."""
        return ClusterRow(
            name=self.name,
            address=self.address,
            health="asking",
            ssh=self.ssh,
            source=self.source,
            is_read_only=self.is_read_only,
            cost=self.cost,
            is_current=self.is_current,
        )


class KnownList(msgspec.Struct, frozen=True):
    """The clusters in the order of the file, and sentences about what could not be understood."""

    rows: tuple[Known, ...]
    problems: tuple[str, ...] = ()

    def row(self, name: str) -> Known | None:
        """The cluster of that name."""
        return next((row for row in self.rows if row.name == name), None)


class Added(msgspec.Struct, frozen=True):
    """A context as it was written down."""

    name: str
    context: Context
    is_current: bool


def known_clusters() -> KnownList:
    """Every cluster that has a name here. Nothing is asked. Raises UsageError where a file cannot be read."""
    found = settings.load_settings()
    current = settings.current_context()
    rows = [_known(name, context, "config", current) for name, context in found.contexts.items()]
    kept = {name: one.context for name, one in container_contexts().items() if name not in found.contexts}
    rows += [_known(name, context, "containers", current) for name, context in kept.items()]
    local = local_status()
    if local is not None and all(row.name != LOCAL_CONTEXT for row in rows):
        is_current = current == LOCAL_CONTEXT
        rows.append(Known(name=LOCAL_CONTEXT, address=local.address, source="local", is_current=is_current))
    return KnownList(tuple(rows), found.problems)


def _known(name: str, context: Context, source: Source, current: str | None) -> Known:
    return Known(
        name=name,
        address=_WITHIN_ADDRESS.sub("…", context.address),
        source=source,
        is_current=name == current,
        ssh=context.ssh,
        cost=context.cost,
        is_read_only=context.read_only,
    )


# --- where -----------------------------------------------------------------------------------------------------------


async def find_address(text: str, *, expects_tls: bool = False, is_far: bool = False) -> Address:
    """The address that people mean by what they have: a URL, the name of a host on Akash, or `host:port`.

    Where no scheme is given the host is asked which one it speaks; nothing but a TLS handshake is sent. `expects_tls`
    and `is_far` (only a bastion can ask it) make that unnecessary. Raises UsageError for another kind of
    address and UnreachableError where no server answers.
    """
    text = text.strip()
    if text.startswith("ray://"):
        raise _ray_client(text)
    if text.startswith(KNOWN_SCHEMES):
        return parse_address(text)
    plain = parse_address(text)
    if not _has_port(text) and not plain.is_loopback and not expects_tls:
        # A host name alone is an ingress of Akash, which listens at 443.
        return parse_address(f"https://{text}")
    encrypted = msgspec.structs.replace(plain, scheme="https")
    if expects_tls:
        return encrypted if _has_port(text) else parse_address(f"https://{text}")
    if is_far or plain.is_loopback:
        return plain
    return encrypted if await _speaks_tls(encrypted) else plain


def _has_port(text: str) -> bool:
    return text.partition("/")[0].rpartition("]")[2].rpartition(":")[1] == ":"


def _ray_client(text: str) -> UsageError:
    host = text.removeprefix("ray://").partition("/")[0].rpartition("@")[2].rpartition(":")[0]
    return UsageError(
        "ray:// is the port of Ray Client: Python programs connect there; it does not speak HTTP.",
        hint=f"Use the dashboard address of the same head, for example http://{host or 'HOST'}:"
        f"{DEFAULT_PORT}, or the https address of the gateway in front of it.",
    )


async def _speaks_tls(address: Address) -> bool:
    try:
        await Transport(Endpoint(address=address)).meet(verify=False)
    except UntrustedError:
        return True
    except NotRayError:
        return False
    except UnreachableError as error:
        if "does not speak TLS" in error.title or "hung up" in error.title:
            return False
        raise UnreachableError(
            f"Nobody answers at {address.host}:{address.port}, so it is not known whether it is http or https.",
            detail=error.detail,
            hint=f"Write http://{address.host}:{address.port} or https://{address.host}:{address.port}.",
        ) from error
    return True


# --- changes ---------------------------------------------------------------------------------------------------------


def add_context(name: str, context: Context, *, use: bool = False) -> Added:
    """Write a context at the end of `config.toml`; the first one known is the one in use from then on.

    Raises UsageError for a name that is taken or cannot be one, and where the file cannot be changed.
    """
    check_new_name(name)
    is_first = not known_clusters().rows
    values = {key: value for key, value in msgspec.to_builtins(context).items() if value != _DEFAULTS.get(key)}
    change_config(lambda text: with_table(text, ("contexts", name), values))
    if use or is_first:
        settings.use_context(name)
    return Added(name, context, use or is_first)


_DEFAULTS: dict[str, Any] = msgspec.to_builtins(Context(address=""))


def check_new_name(name: str) -> None:
    """Raise UsageError where a context cannot be called so."""
    try:
        checked_scope(name)
    except UsageError as error:
        raise UsageError(f"{name[:100]!r} cannot be the name of a cluster.", hint="Use letters and digits.") from error
    if name == LOCAL_CONTEXT:
        raise UsageError(f"{LOCAL_CONTEXT} is the Ray of `local up`.", hint="Choose another name.")
    known = known_clusters()
    if (taken := known.row(name)) is not None:
        raise UsageError(
            f"There is a cluster {name} already: {taken.address}.",
            hint=f"Choose another name, or remove it first: rayakash-tui clusters remove {last_word(name)}",
        )


def remove_context(name: str) -> None:
    """Take a context out of `config.toml`; comments elsewhere stay. Its secrets are kept. Raises UsageError."""
    known = known_clusters().row(name)
    if known is not None and known.source != "config":
        end = "local down" if known.source == "local" else f"sdl down {name}"
        raise UsageError(f"{name} runs on this machine.", hint=f"`rayakash-tui {end}` ends it.")
    if known is None and name not in settings.load_settings().left_out:
        raise unknown(name)
    change_config(lambda text: without_table(text, ("contexts", name)))
    if settings.current_context() == name:
        settings.use_context(None)


def use_context(name: str) -> Known:
    """Make a cluster the one in use. Raises UsageError where there is none of that name."""
    known = known_clusters().row(name)
    if known is None:
        raise unknown(name)
    settings.use_context(name)
    return known


def set_in_context(name: str, key: str, value: str) -> None:
    """Write one value into a context, in its place or below the header. Raises UsageError."""
    change_config(lambda text: with_value(text, ("contexts", name), key, value))


def unknown(name: str) -> UsageError:
    """The error for a name that no cluster has."""
    found = known_clusters()
    names = [row.name for row in found.rows]
    known = f"Known clusters: {', '.join(names)}." if names else "Add one: rayakash-tui clusters add NAME ADDRESS"
    return UsageError(
        f"No cluster named {name!r}.",
        detail="\n".join(found.problems),
        hint=nearest_hint(name, names, known),
    )


def change_config(edit: Callable[[str], str]) -> None:
    """Replace `config.toml` by its edited text: whole or not at all, where a link leads, with all else that it has.

    Raises UsageError.
    """
    path = settings.config_file()
    with exclusive(settings.state_directory() / "config"):
        target = path.resolve()
        try:
            data: bytes | None = settings.read_file(target)
        except FileNotFoundError:
            data = None
        except OSError as error:
            raise UsageError(f"{path} cannot be read.", detail=str(error)) from error
        try:
            text = (data or b"").decode()
        except UnicodeDecodeError as error:
            raise UsageError(f"{path} is not valid UTF-8.", detail=str(error)) from error
        try:
            changed = edit(text)
        except UsageError as error:
            raise UsageError(f"{path} was not changed. {error.title}", detail=error.detail, hint=error.hint) from error
        settings.private_directory(target.parent)
        try:
            save_bytes(target, changed.encode(), new_mode=0o600)
        except OSError as error:
            raise settings.unwritable(path, error) from error


async def make_context(
    where: str,
    *,
    ssh: str | None = None,
    access: "dict[str, Any] | None" = None,
    **values: Any,
) -> Context:
    """A context from what the user has; `access` are values that something else knows, such as an SDL.

    Raises what `find_address` raises, and UsageError for values that no context can have.
    """
    bastion_of(ssh, None)  # refuses what ssh would misread
    known = {**(access or {}), **{key: value for key, value in values.items() if value is not None}}
    address = await find_address(where, expects_tls=known.get("pin") is not None, is_far=ssh is not None)
    given = {key: value for key, value in {**known, "ssh": ssh}.items() if value is not None}
    try:
        return msgspec.convert({"address": str(address), **given}, Context)
    except msgspec.ValidationError as error:
        raise UsageError("The context cannot be written down so.", detail=str(error)) from error


async def add_cluster(
    name: str,
    where: str,
    *,
    sdl: Path | None = None,
    access: "SdlAccess | None" = None,
    use: bool = False,
    **values: Any,
) -> Added:
    """Add a cluster by name, with the token and the certificate of an SDL: a file, or what an open one gave access to.

    Raises what `make_context`, `add_context` and `access_from_file` raise.
    """
    from cockpit.operations.clusters.sdl_access import access_from_file

    check_new_name(name)
    if sdl is not None:
        access = await asyncio.to_thread(access_from_file, sdl)
    known = access.values() if access else {}
    context = await make_context(where, access=known, **values)
    return await asyncio.to_thread(add_context, name, context, use=use)
