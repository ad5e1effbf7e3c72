"""Where things live on this machine, and the cluster contexts that the user wrote down."""

import os
import re
import shlex
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal

import msgspec
from msgspec import Meta

from cockpit.errors import UsageError
from cockpit.file_saving import FULL, MORE_SPACE
from cockpit.toml_text import Fault, readable

APP_NAME = "rayakash-tui"
LARGEST_FILE = 4 * 1024 * 1024

_ELSEWHERE = "Look at its owner and mode; XDG_CONFIG_HOME, XDG_STATE_HOME and XDG_DATA_HOME name other places."


def config_directory() -> Path:
    """The user's configuration directory (`~/.config/rayakash-tui` on Linux); it may not exist yet."""
    import platformdirs

    return Path(platformdirs.user_config_dir(APP_NAME, appauthor=False))


def state_directory() -> Path:
    """The directory for what the program itself remembers; it may not exist yet."""
    import platformdirs

    return Path(platformdirs.user_state_dir(APP_NAME, appauthor=False))


def data_directory() -> Path:
    """The directory for what the user would miss, such as the vault; it may not exist yet."""
    import platformdirs

    return Path(platformdirs.user_data_dir(APP_NAME, appauthor=False))


def private_directory(path: Path) -> Path:
    """Create `path` with mode 0700 where it is missing, and return it.

    Raises UsageError where it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise UsageError(f"The directory {path} cannot be created.", detail=str(error), hint=_ELSEWHERE) from error
    return path


def write_private(path: Path, data: bytes) -> None:
    """Replace the file at `path` by `data` with mode 0600: whole or not at all.

    Raises UsageError where it cannot be written; the old file then stays as it was.
    """
    path = Path(os.path.realpath(path))  # a link, such as to a synced folder, goes on leading there
    private_directory(path.parent)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise unwritable(path, error) from error


def unwritable(path: Path, error: OSError) -> UsageError:
    """The error of a file that cannot be written, with the hint that its cause asks for."""
    hint = MORE_SPACE if error.errno in FULL else _ELSEWHERE
    return UsageError(f"The file {path} cannot be written.", detail=str(error), hint=hint)


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading. Raises OSError, also for anything else that has this name.

    Opened without waiting: a FIFO without a writer would block every command, and /dev/zero never ends.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    raise OSError(f"{path} is not a regular file")


def read_file(path: Path, largest: int = LARGEST_FILE) -> bytes:
    """The bytes of a regular file. Raises OSError, also for anything else that has this name, and beyond `largest`."""
    with open_regular(path) as file:
        data = file.read(largest + 1)
    if len(data) > largest:
        raise OSError(f"{path} is larger than {largest:,} bytes")
    return data


def writable_by_others(path: Path) -> str:
    """What lets other users replace the file, as a sentence with the command that mends it; empty where nothing does.

    As ssh judges its own files: the file and its directory belong to this user or root, and only they may write.
    """
    for one in dict.fromkeys((path, path.parent, path.resolve().parent)):
        try:
            found = one.stat()
        except OSError:  # absent or unreadable: the reader reports it
            continue
        if found.st_uid not in (os.getuid(), 0):
            return f"{one} belongs to another user, who can change what runs as you."
        # A group of one's own, as Debian gives each user, admits no one else.
        others = 0o002 if found.st_gid == os.getgid() == os.getuid() else 0o022
        if found.st_mode & others and not found.st_mode & stat.S_ISVTX:
            return f"Other users can write {one}, and so change what runs as you: chmod go-w {shlex.quote(str(one))}"
    return ""


def require_own(path: Path, hint: str = "") -> None:
    """Raises UsageError for a file that other users can replace: what it says is not this user's word."""
    if path.exists() and (words := writable_by_others(path)):
        raise UsageError(f"{path} is not used.", detail=words, hint=hint)


_UNKNOWN_KEY = re.compile(r"unknown field `([^`]*)`(?! - at `\$\.)")


class Basic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a proxy in front of the cluster asks for."""

    user: Annotated[str, Meta(description="the user name")]
    password: Annotated[str, Meta(description="the password, as a reference `ac-secret://NAME`")]


class Context(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A saved cluster, `[contexts.NAME]` in `config.toml`."""

    address: Annotated[str, Meta(description="the URL of Ray's dashboard; with `ssh` as the bastion reaches it")]
    token: Annotated[str | None, Meta(description="Ray's token, as a reference `ac-secret://NAME`")] = None
    token_file: Annotated[str | None, Meta(description="a file that holds Ray's token")] = None
    authorization: Annotated[
        Literal["bearer", "x-ray"] | None,
        Meta(description="the header of the token: `x-ray` behind a proxy that uses Authorization itself"),
    ] = None
    headers: Annotated[
        dict[str, str], Meta(description="headers for a proxy, by name; secrets as references `ac-secret://NAME`")
    ] = {}
    cookies: Annotated[
        dict[str, str], Meta(description="cookies for a proxy, by name; secrets as references `ac-secret://NAME`")
    ] = {}
    basic: Annotated[Basic | None, Meta(description="`{ user, password }` for a proxy's HTTP basic authentication")] = (
        None
    )
    pin: Annotated[str | None, Meta(description="the fingerprint of the only certificate to accept, `sha256:…`")] = None
    ca: Annotated[str | None, Meta(description="a PEM file of authorities to trust instead of the system's")] = None
    client_cert: Annotated[str | None, Meta(description="a PEM file with a client certificate")] = None
    client_key: Annotated[str | None, Meta(description="a PEM file with the key of `client_cert`")] = None
    verify: Annotated[bool, Meta(description="`false` accepts any certificate")] = True
    proxy: Annotated[bool, Meta(description="`true` connects through the proxy that the environment names")] = False
    read_only: Annotated[bool, Meta(description="`true` refuses whatever would change the cluster")] = False
    ssh: Annotated[str | None, Meta(description="a bastion, written as after `ssh`")] = None
    ssh_port: Annotated[int | None, Meta(description="a TCP port of this machine that also leads to the cluster")] = (
        None
    )
    scope: Annotated[
        str | None, Meta(description="where to look for secrets before the context's own scope, such as its SDL's")
    ] = None
    cost: Annotated[float | None, Meta(description="what the cluster costs, in USD per hour")] = None


class Ui(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the cockpit looks and which keys it has, `[ui]`."""

    theme: Annotated[str, Meta(description="`dark`, `light`, `high-contrast`, or another theme of `ctrl+p`")] = "dark"
    start: Annotated[str, Meta(description="the pane that opens first, such as `jobs`")] = "overview"
    idle_minutes: Annotated[float, Meta(description="how long a held GPU is unused before it counts as idle")] = 5.0
    ascii: Annotated[bool | None, Meta(description="`true` draws without Unicode; if not set, the locale decides")] = (
        None
    )
    keys: Annotated[dict[str, str], Meta(description="keys by the names of actions (`help keys`)")] = {}


class Notify(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to notify when a followed job ends, `[notify]`."""

    bell: Annotated[bool, Meta(description="ring the terminal's bell")] = True
    osc: Annotated[
        Literal[9, 777] | None, Meta(description="the sequence by which the terminal shows a notification")
    ] = None
    command: Annotated[
        str | None,
        Meta(description='a command to run without a shell, such as `notify-send Ray "{job} {status}"`'),
    ] = None
    idle: Annotated[
        bool, Meta(description="`true` also notifies when a job's GPUs fall idle, with the status IDLE")
    ] = False


class OwnCommand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A command of the user's on a key, one of `[[commands]]`."""

    scope: Annotated[str, Meta(description="the pane it works in, such as `jobs`, or `all`")]
    key: Annotated[str, Meta(description="its key")]
    label: Annotated[str, Meta(description="its name in the footer, `?` and `ctrl+p`")]
    command: Annotated[
        str, Meta(description="a line for `sh`; `{id}` and the like are fields of the row under the cursor")
    ]
    confirm: Annotated[bool, Meta(description="`true` asks first")] = False
    background: Annotated[bool, Meta(description="`true` runs it without the terminal and reports how it ended")] = (
        False
    )


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What `config.toml` says, and what of it could not be used.

    `has_notify` is whether the user chose how to be notified when a job ends. `problems` are sentences; `left_out`
    names the contexts that are in the file and could not be understood.
    """

    contexts: Annotated[dict[str, Context], Meta(description="saved clusters by name")] = {}
    ui: Annotated[Ui, Meta(description="how the cockpit looks")] = Ui()
    notify: Annotated[Notify, Meta(description="how to notify when a followed job ends")] = Notify()
    has_notify: bool = False
    commands: Annotated[tuple[OwnCommand, ...], Meta(description="your own commands on keys")] = ()
    secret_command: Annotated[
        str | None, Meta(description="prints the value of a secret from another store, such as `pass show {name}`")
    ] = None
    console: Annotated[str | None, Meta(description="the address of another Akash Console")] = None
    problems: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def config_file() -> Path:
    """The file that the user edits."""
    return config_directory() / "config.toml"


def load_settings() -> Settings:
    """Read `config.toml`; a missing file is an empty one, and what cannot be read of it does not hide the rest.

    Raises UsageError where the file cannot be read at all.
    """
    path = config_file()
    try:
        text = read_file(path).decode()
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read.", detail=str(error)) from error
    document, faults = readable(text)
    problems = [f"{path}:{fault.line}:{fault.column}: {_sentence(fault)}" for fault in faults]
    problems += [sentence] if (sentence := writable_by_others(path)) else []
    left_out = [fault.path[1] for fault in faults if fault.path[:1] == ("contexts",) and len(fault.path) > 1]
    return _settings_from(path, document, problems, left_out)


def _sentence(fault: Fault) -> str:
    """What is wrong and what follows; the parser's own words behind ours."""
    name = ".".join(fault.path)
    if fault.first is not None and fault.path:
        what = f"two contexts are called {fault.path[1]!r}" if fault.path[:1] == ("contexts",) else f"two are [{name}]"
        return f"{what}; the one at line {fault.first} is used"
    rest = f"[{name}] is left out" if fault.path and "?" not in fault.path else "it is left out"
    return f"this is not valid TOML, and {rest}: {fault.words}"


def _settings_from(path: Path, document: Mapping[str, Any], problems: list[str], left_out: list[str]) -> Settings:
    contexts: dict[str, Context] = {}
    known = ("commands", "console", "contexts", "notify", "secret_command", "ui")
    problems += [f"{path}: {key!r} is not a known setting" for key in document if key not in known]
    secret_command = document.get("secret_command")
    if not isinstance(secret_command, str | None):
        problems.append(f"{path}: secret_command is not text")
        secret_command = None
    console = document.get("console")
    if not isinstance(console, str | None):
        problems.append(f"{path}: console is not text")
        console = None
    tables = document.get("contexts", {})
    if not isinstance(tables, dict):
        problems.append(f"{path}: contexts is not a table")
        tables = {}
    for name, table in tables.items():
        try:
            contexts[name] = msgspec.convert(table, Context)
        except msgspec.ValidationError as error:
            problems.append(f"{path}: context {name!r} is left out: {_unfit(error, Context)}")
            left_out.append(name)
    ui = Ui()
    try:
        ui = msgspec.convert(document.get("ui", {}), Ui)
    except msgspec.ValidationError as error:
        problems.append(f"{path}: [ui] is left out: {_unfit(error, Ui)}")
    notify = Notify()
    try:
        notify = msgspec.convert(document.get("notify", {}), Notify)
    except msgspec.ValidationError as error:
        problems.append(f"{path}: [notify] is left out: {_unfit(error, Notify)}")
    commands = _own_commands(path, document.get("commands", []), problems)
    gone = tuple(dict.fromkeys(name for name in left_out if name not in contexts))
    return Settings(
        contexts=contexts,
        ui=ui,
        notify=notify,
        has_notify="notify" in document,
        commands=commands,
        secret_command=secret_command,
        console=console,
        problems=tuple(problems),
        left_out=gone,
    )


def _own_commands(path: Path, tables: Any, problems: list[str]) -> tuple[OwnCommand, ...]:
    if not isinstance(tables, list):
        problems.append(f"{path}: commands is not a list of tables; begin each with [[commands]]")
        return ()
    found = []
    for number, table in enumerate(tables, 1):
        try:
            found.append(msgspec.convert(table, OwnCommand))
        except msgspec.ValidationError as error:
            problems.append(f"{path}: command {number} is left out: {_unfit(error, OwnCommand)}")
    return tuple(found)


def _unfit(error: msgspec.ValidationError, kind: type[msgspec.Struct]) -> str:
    """Why a table cannot be used; a key that is not known may be one that was mistyped."""
    found = _UNKNOWN_KEY.search(str(error))
    if found is None:
        return str(error)
    from difflib import get_close_matches

    near = get_close_matches(found[1], [field.name for field in msgspec.structs.fields(kind)], 1)
    return f"`{found[1]}` is not a known setting" + (f"; did you mean `{near[0]}`?" if near else "")


def current_context() -> str | None:
    """The name of the context in use; None where none was chosen."""
    try:
        return read_file(state_directory() / "current-context").decode().strip() or None
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("Which context is in use cannot be read.", detail=str(error), hint=_ELSEWHERE) from error


def use_context(name: str | None) -> None:
    """Choose the context in use; None for none. Raises UsageError where it cannot be remembered."""
    write_private(state_directory() / "current-context", (name or "").encode())


class Consents(msgspec.Struct, frozen=True):
    """What the user agreed to for each origin (scheme, host and port).

    `certificates` are fingerprints by origin, `plain_secrets` names of secrets that may be sent there unencrypted.
    """

    ray_token: frozenset[str] = frozenset()
    plain_http: frozenset[str] = frozenset()
    certificates: dict[str, str] = {}
    plain_secrets: dict[str, frozenset[str]] = {}


def load_consents() -> Consents:
    """What the user agreed to so far. Raises UsageError where the file is unreadable, or others can write it."""
    path = consents_file()
    require_own(path, hint="Or remove the file, to be asked again.")
    try:
        return msgspec.json.decode(read_file(path), type=Consents)
    except FileNotFoundError:
        return Consents()
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path} cannot be read.", detail=str(error), hint="Remove it to be asked again.") from error


def save_consents(consents: Consents) -> None:
    """Remember what the user agreed to. Raises UsageError."""
    write_private(consents_file(), msgspec.json.encode(consents))


def consents_file() -> Path:
    """What the user agreed to. Write access to it decides where tokens and secrets go."""
    return state_directory() / "consents.json"
