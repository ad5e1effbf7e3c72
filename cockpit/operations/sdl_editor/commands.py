"""What is done with an SDL: lint, fix, set, compare, describe. No printing; rows are what `--json` prints."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from cockpit.errors import UsageError
from cockpit.operations.sdl_editor.spellings import Spellings
from cockpit.sdl import rules
from cockpit.sdl.differences import Difference
from cockpit.sdl.document import SdlDocument, read_value
from cockpit.sdl.failures import MissingNodeError, UnreadableSdlError
from cockpit.sdl.files import decoded, save_document
from cockpit.sdl.findings import Problem
from cockpit.sdl.fixes import fix_all
from cockpit.sdl.meaning import Meaning, Port, Replicas, ServiceMeaning
from cockpit.sdl.paths import spelled, to_path
from cockpit.sdl.secret_names import is_plain_secret
from cockpit.sdl.templates import Template

Record = dict[str, Any]


def lint_bytes(data: bytes) -> rules.Lint:
    """Verdicts and problems of a file's bytes; bytes that are not text are refused, not raised."""
    try:
        return rules.lint(SdlDocument(decoded(data)))
    except UnreadableSdlError as error:
        return rules.unreadable(error)


def lint_record(file: str, lint: rules.Lint) -> Record:
    """One row of `sdl lint --json`."""
    return {
        "file": file,
        "portable": lint.portable,
        "go": lint.go,
        "typescript": lint.typescript,
        "problems": [problem.row() for problem in lint.problems],
    }


# --- fix -------------------------------------------------------------------------------------------------------------


class Fixed(msgspec.Struct, frozen=True):
    """What was done to a document, in words with the line it had, and what is left for the user to decide."""

    before: str
    done: tuple[tuple[int, str], ...]
    left: tuple[Problem, ...]
    portable: bool


def fix(document: SdlDocument) -> Fixed:
    """Apply every fix. Raises UnreadableSdlError if the text is not YAML."""
    _ = document.tree
    before = document.text
    done = fix_all(document)
    lint = rules.lint(document)
    steps = tuple((problem.line, title) for problem, title in done)
    return Fixed(before, steps, tuple(lint.problems), lint.portable)


# --- set -------------------------------------------------------------------------------------------------------------


class Change(msgspec.Struct, frozen=True):
    """A value that was set: whether it is new, the problems that it brought, and whether it is a secret."""

    path: str
    added: bool
    problems: tuple[Problem, ...]
    is_secret: bool


def set_value(
    document: SdlDocument, path: str, text: str, *, raw: bool = False, spelling: Spellings | None = None
) -> Change:
    """Give the value at a path another one: a YAML scalar, or the text as it is; of an env variable always text.

    `spelling` knows how a value was written here before. Raises MissingNodeError, UnsafeEditError, and SdlError where
    the text is not a single value.
    """
    steps = to_path(path)
    if not steps:
        raise MissingNodeError("The path is empty.", hint="Write it with dots: services.ray-head.image")
    is_env = steps[-2:-1] == ("env",) and not str(steps[-1]).isdecimal()
    value = text if raw else read_value(text)
    if is_env and not isinstance(value, str):
        value = text
    added = not document.has(steps)
    before = {(problem.code, problem.message) for problem in rules.problems(document)}
    document.set(steps, value, spelling=spelling)
    problems = tuple(one for one in rules.problems(document) if (one.code, one.message) not in before)
    return Change(spelled(steps), added, problems, is_env and is_plain_secret(str(steps[-1]), str(value)))


# --- new -------------------------------------------------------------------------------------------------------------


def write_new(path: Path, template: Template, *, force: bool = False) -> None:
    """Write a template to a file. Raises UsageError where that is impossible, or the file already exists."""
    if not force and (path.exists() or path.is_symlink()):
        raise UsageError(f"The file {path} already exists.", hint="Give another name with -o, or --force.")
    save_document(path, SdlDocument(template.text))


def template_record(template: Template, meaning: Meaning) -> Record:
    """One row of `sdl templates --json`."""
    return {
        "name": template.name,
        "title": template.title,
        "services": {service.name: _replica_count(service) for service in meaning.services},
        "gpus": meaning.gpus,
        "usd_per_hour": _rounded(meaning.usd_per_hour),
    }


# --- diff, show ------------------------------------------------------------------------------------------------------


def difference_record(difference: Difference) -> Record:
    """One row of `sdl diff --json`."""
    return {**msgspec.structs.asdict(difference), "sentence": difference.sentence}


def meaning_record(file: str, meaning: Meaning, lint: rules.Lint) -> Record:
    """What `sdl show --json` prints; sizes in bytes, CPU in cores, what is unknown is null."""
    return {
        "file": file,
        "portable": lint.portable,
        "services": [_service(service) for service in meaning.services],
        "gpus": meaning.gpus,
        "usd_per_hour": _rounded(meaning.usd_per_hour),
    }


def _service(service: ServiceMeaning) -> Record:
    return {
        "name": service.name,
        "role": service.role or None,
        "image": service.image or None,
        "count": _replica_count(service),
        "resolves": service.resolves,
        "env": list(service.env),
        "mounts": service.mounts,
        "replicas": [_replicas(one) for one in service.replicas],
        "ports": [_port(one) for one in service.ports],
        "line": service.line,
    }


def _replica_count(service: ServiceMeaning) -> int | None:
    counts = [one.count for one in service.replicas]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _replicas(replicas: Replicas) -> Record:
    models = [
        {"model": one.model, "ram": one.ram or None, "interface": one.interface or None} for one in replicas.models
    ]
    record = msgspec.structs.asdict(replicas)
    return {**record, "models": models, "usd_per_hour": _rounded(replicas.usd_per_hour)}


def _port(port: Port) -> Record:
    record: Mapping[str, Any] = msgspec.structs.asdict(port)
    empty_is_null = {name: record[name] or None for name in ("endpoint", "target")}
    return {**record, "hosts": list(port.hosts), **empty_is_null, "becomes": port.sentence}


def _rounded(usd: float | None) -> float | None:
    return None if usd is None else round(usd, 6)
