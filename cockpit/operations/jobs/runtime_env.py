"""Runtime environments as users write them, made into what Ray's jobs API expects.

Ray reads requirement files and uploads directories on the side of the client; its server ignores keys that it does not
know and fails a job late where a value is malformed, so both are checked here first.
"""

import difflib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from cockpit.errors import UsageError
from cockpit.settings import read_file

RuntimeEnv = dict[str, Any]

# Ray 2.60, ray/runtime_env/runtime_env.py; a test holds it against the installed Ray.
KNOWN_KEYS = frozenset(
    {
        "py_modules",
        "py_executable",
        "java_jars",
        "working_dir",
        "conda",
        "pip",
        "uv",
        "container",
        "excludes",
        "env_vars",
        "_ray_release",
        "_ray_commit",
        "_inject_current_ray",
        "config",
        "worker_process_setup_hook",
        "_nsight",
        "nsight",
        "_rocprof_sys",
        "rocprof_sys",
        "mpi",
        "image_uri",
    }
)

MAX_FILE_BYTES = 1024 * 1024


def load_file(path: Path) -> RuntimeEnv:
    """Read a runtime environment from YAML (or JSON, which is YAML). Raises UsageError with line and column."""
    import yaml

    text = read_text(path)
    try:
        value = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date such as 2026-99-99
        raise UsageError(f"{path} is not valid YAML.", detail=str(error)) from error
    return checked(value, str(path), base=path.parent)


def load_json(text: str) -> RuntimeEnv:
    """Read a runtime environment from JSON text. Raises UsageError."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise UsageError("The runtime environment is not valid JSON.", detail=str(error)) from error
    return checked(value, "the runtime environment", base=Path())


def checked(value: object, source: str, *, base: Path) -> RuntimeEnv:
    """`value` with files that it names read in, relative to `base`; None is an empty one.

    A key without a value counts as missing, as it does on the cluster. Raises UsageError that names what is wrong: not
    a mapping, an unknown key, env values that are not text.
    """
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise UsageError(f"{source} is not a mapping of names to values.")
    for key in value:
        _check_key(key, source)
    environment = {key: part for key, part in value.items() if part is not None}
    for key, inline in _INLINE.items():
        if key in environment:
            environment[key] = inline(environment[key], base)
    _check_environment_variables(environment, source)
    _check_shapes(environment, source)
    _check_modules(environment)
    return environment


def _check_shapes(environment: RuntimeEnv, source: str) -> None:
    if not isinstance(environment.get("working_dir", ""), str):
        raise UsageError(f"working_dir of {source} is not text.")
    for key in ("excludes", "py_modules"):
        entries = environment.get(key, [])
        if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
            raise UsageError(f"{key} of {source} is not a list of texts.")


def _check_key(key: str, source: str) -> None:
    if key in KNOWN_KEYS:
        return
    close = difflib.get_close_matches(key, KNOWN_KEYS, n=1)
    raise UsageError(
        f"{source} has the key {key!r}, which Ray does not know and would ignore.",
        hint=f"Did you mean {close[0]}?" if close else f"Ray knows {', '.join(sorted(KNOWN_KEYS))}.",
    )


def _check_environment_variables(environment: RuntimeEnv, source: str) -> None:
    variables = environment.get("env_vars", {})
    if not isinstance(variables, dict):
        raise UsageError(f"env_vars of {source} is not a mapping of names to values.")
    for name, value in variables.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise UsageError(
                f"The environment variable {name} of {source} is not text, and Ray would fail the job for it.",
                hint=f'Quote its value: {name}: "…"',
            )


def _check_modules(environment: RuntimeEnv) -> None:
    local = [entry for entry in environment.get("py_modules", []) if "://" not in entry]
    if local:
        raise UsageError(
            f"py_modules names the local path {local[0]}, which is not uploaded.",
            hint="Put the module into the working directory, or name a remote URI.",
        )


def _requirements(value: Any, base: Path) -> Any:
    """A requirements file, named as such or as `packages`, as the list of its lines, comments left out."""
    if isinstance(value, dict) and isinstance(value.get("packages"), str):
        return {**value, "packages": _requirements(value["packages"], base)}
    if not isinstance(value, str):
        return value
    lines = (line.strip() for line in read_text(base / value).splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _conda(value: Any, base: Path) -> Any:
    """A conda environment file as a mapping; any other text is the name of an environment on the cluster."""
    if not isinstance(value, str) or not value.endswith((".yaml", ".yml")):
        return value
    import yaml

    try:
        return yaml.safe_load(read_text(base / value))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"{base / value} is not valid YAML.", detail=str(error)) from error


_INLINE: dict[str, Callable[[Any, Path], Any]] = {"pip": _requirements, "uv": _requirements, "conda": _conda}


def read_text(path: Path) -> str:
    """A small text file. Raises UsageError where it is missing, unreadable, not text or over 1 MiB."""
    try:
        return read_file(path, MAX_FILE_BYTES).decode("utf-8")
    except (OSError, ValueError) as error:  # not UTF-8, or a name with a NUL in it
        raise UsageError(f"{path} cannot be read.", detail=str(error)) from error
