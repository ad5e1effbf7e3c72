"""Job files: everything that `submit` needs, kept in YAML beside the code."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Never

import msgspec

from cockpit import settings
from cockpit.errors import UsageError
from cockpit.model.quantities import bytes_text, parse_bytes, parse_seconds
from cockpit.operations.jobs import runtime_env
from cockpit.operations.jobs.capacity import Capacity
from cockpit.operations.jobs.submit import SubmitForm

LARGEST_BYTES = 1024 * 1024

KEYS = (
    "entrypoint",
    "submission_id",
    "working_dir",
    "runtime_env",
    "num_cpus",
    "num_gpus",
    "memory",
    "resources",
    "label_selector",
    "env",
    "metadata",
    "wait_for",
)
CAPACITY_KEYS = ("gpus", "nodes", "labels", "free", "timeout")


class JobFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a job file says; `form.entrypoint` is empty where the file leaves it to the command line."""

    form: SubmitForm
    wait_for: Capacity | None = None


def load(path: Path) -> JobFile:
    """Read a job file; paths in it are relative to its directory.

    Raises UsageError for a file that cannot be read, an unknown key (with the nearest known one) or a wrong value.
    """
    values = _mapping(path)
    return _Reader(path, values).job_file()


def dump(form: SubmitForm, wait_for: Capacity | None = None) -> str:
    """The job file that means the form, as YAML in the order of `KEYS`; empty values are left out."""
    import yaml

    values: dict[str, Any] = {
        "entrypoint": form.entrypoint,
        "submission_id": form.submission_id,
        "working_dir": form.working_dir,
        "runtime_env": form.runtime_env,
        "num_cpus": _short(form.num_cpus),
        "num_gpus": _short(form.num_gpus),
        "memory": None if form.memory is None else bytes_text(form.memory),
        "resources": {name: _short(amount) for name, amount in form.resources.items()},
        "label_selector": form.label_selector,
        "env": form.environment,
        "metadata": form.metadata,
        "wait_for": None if wait_for is None else _dumped_capacity(wait_for),
    }
    given = {key: value for key, value in values.items() if value not in (None, "", {})}
    return yaml.safe_dump(given, sort_keys=False, allow_unicode=True, width=100)


def _dumped_capacity(wanted: Capacity) -> dict[str, Any]:
    values = {"gpus": wanted.gpus, "nodes": wanted.nodes, "labels": wanted.labels, "free": wanted.free}
    given = {key: value for key, value in values.items() if value}
    return given | ({"timeout": f"{wanted.timeout_s:g}s"} if wanted.timeout_s is not None else {})


def _short(number: float | None) -> float | int | None:
    return int(number) if number is not None and number == int(number) else number


def _mapping(path: Path) -> dict[str, Any]:
    import yaml

    try:
        text = settings.read_file(path, LARGEST_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"Cannot read the job file {path}.", detail=str(error)) from error
    try:
        value = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not valid YAML.", detail=str(error)) from error
    if not isinstance(value, dict):
        raise UsageError(f"{path} is not a mapping.", hint="A job file begins like this: entrypoint: python train.py")
    check_keys(value, KEYS, str(path))
    return value


def check_keys(values: Mapping[Any, Any], known: tuple[str, ...], where: str) -> None:
    """Raise UsageError with the nearest known key for the first one that is unknown."""
    for key in values:
        if key not in known:
            close = difflib.get_close_matches(str(key), known, n=1)
            raise UsageError(
                f"Unknown key {key!r} in {where}.",
                hint=f"Did you mean {close[0]}?" if close else f"Known keys: {', '.join(known)}.",
            )


class _Reader:
    """The values of one file, each checked when it is asked for."""

    def __init__(self, path: Path, values: Mapping[str, Any]) -> None:
        self._path = path
        self._values = {key: value for key, value in values.items() if value is not None}

    def job_file(self) -> JobFile:
        return JobFile(
            form=SubmitForm(
                entrypoint=self._text("entrypoint") or "",
                submission_id=self._text("submission_id"),
                working_dir=self._working_dir(),
                runtime_env=self._runtime_env(),
                num_cpus=self._number("num_cpus"),
                num_gpus=self._number("num_gpus"),
                memory=self._memory(),
                resources={name: self._amount("resources", name, one) for name, one in self._map("resources").items()},
                label_selector=self._texts("label_selector"),
                environment=self._texts("env"),
                metadata=self._texts("metadata"),
            ),
            wait_for=self._wait_for(),
        )

    def _wrong(self, key: str, what: str, hint: str = "") -> Never:
        raise UsageError(f"{key} in {self._path} is not {what}.", hint=hint)

    def _text(self, key: str) -> str | None:
        value = self._values.get(key)
        if value is not None and not isinstance(value, str):
            self._wrong(key, "text", f'Quote the value: {key}: "…"')
        return value

    def _number(self, key: str) -> float | None:
        value = self._values.get(key)
        return None if value is None else self._amount(key, "", value)

    def _amount(self, key: str, name: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._wrong(f"{key}.{name}" if name else key, "a number")
        return float(value)

    def _memory(self) -> int | None:
        value = self._values.get("memory")
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        if not isinstance(value, str):
            self._wrong("memory", "a size", "Write 16Gi, 512Mi or a number of bytes.")
        return parse_bytes(value)

    def _map(self, key: str) -> dict[str, Any]:
        value = self._values.get(key, {})
        if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
            self._wrong(key, "a mapping of names to values")
        return value

    def _texts(self, key: str) -> dict[str, str]:
        for name, value in self._map(key).items():
            if not isinstance(value, str):
                self._wrong(f"{key}.{name}", "text", f'Quote the value: {name}: "…"')
        return self._map(key)

    def _runtime_env(self) -> runtime_env.RuntimeEnv:
        value = self._values.get("runtime_env", {})
        if isinstance(value, str):
            file = self._path.parent / value
            return _relative_to(file.parent, runtime_env.load_file(file))
        base = self._path.parent
        return _relative_to(base, runtime_env.checked(value, f"runtime_env of {self._path}", base=base))

    def _working_dir(self) -> str | None:
        value = self._text("working_dir")
        return None if not value else _resolved(self._path.parent, value)

    def _wait_for(self) -> Capacity | None:
        if "wait_for" not in self._values:
            return None
        given = self._map("wait_for")
        check_keys(given, CAPACITY_KEYS, f"wait_for of {self._path}")
        inner = _Reader(self._path, given)
        timeout = given.get("timeout")
        if timeout is not None and (isinstance(timeout, bool) or not isinstance(timeout, str | int | float)):
            self._wrong("wait_for.timeout", "a time", "Write 90s, 30m or 2h.")
        if not isinstance(given.get("free", False), bool):
            self._wrong("wait_for.free", "true or false")
        return Capacity(
            gpus=inner._number("gpus") or 0,
            nodes=self._whole(given.get("nodes")),
            labels=inner._texts("labels"),
            free=bool(given.get("free")),
            timeout_s=None if timeout is None else parse_seconds(str(timeout)),
        )

    def _whole(self, value: object) -> int:
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            self._wrong("wait_for.nodes", "a whole number")
        return value or 0


def _relative_to(base: Path, environment: runtime_env.RuntimeEnv) -> runtime_env.RuntimeEnv:
    """The environment with a local working directory that no longer depends on where the command is run."""
    source = environment.get("working_dir")
    return environment if not source else {**environment, "working_dir": _resolved(base, source)}


def _resolved(base: Path, source: str) -> str:
    return source if "://" in source else str(base / Path(source).expanduser())
