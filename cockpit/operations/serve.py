"""Deploying and deleting Serve applications: what would change, said before it does."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from cockpit import settings
from cockpit.clients.ray import RayClient
from cockpit.errors import NotFoundError, RejectedError, UsageError
from cockpit.model.nearest import nearest_hint

LARGEST_CONFIG = 1024 * 1024
SECRET_SCHEME = "ac-secret:"  # a reference, which Ray would pass on as it stands

Config = dict[str, Any]


class ServePlan(msgspec.Struct, frozen=True):
    """A whole config for Ray, and what it changes as lines that begin with `+`, `-` or `~`."""

    config: Config
    changes: tuple[str, ...]


def read_config(path: Path) -> Config:
    """A Serve config file, as `serve build` writes it. Raises UsageError for anything else."""
    try:
        text = settings.read_file(path, LARGEST_CONFIG).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"Cannot read {path}.", detail=str(error)) from error
    try:
        config = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not valid YAML.", detail=str(error)) from error
    if not isinstance(config, dict) or not _is_list_of_named(config.get("applications")):
        raise UsageError(
            f"{path} is not a Serve config: it needs a list of applications, each with a name.",
            hint="Write one with: serve build MODULE:APP -o config.yaml",
        )
    for key, value in _leaves("", config):
        if isinstance(value, str) and value.startswith(SECRET_SCHEME):
            raise UsageError(
                f"{key.lstrip('.')} of {path} is a secret reference, which Serve would not replace.",
                hint="Set the variable in the image of the cluster, or in the file that you deploy.",
            )
    return config


def _is_list_of_named(applications: object) -> bool:
    return isinstance(applications, list) and all(
        isinstance(one, dict) and isinstance(one.get("name", "default"), str) for one in applications
    )


async def plan_deploy(client: RayClient, wanted: Config) -> ServePlan:
    """What this config changes; applications from files that it leaves out would be deleted by Ray."""
    return ServePlan(wanted, tuple(changes(await client.serve.configs(), _by_name(wanted))))


async def plan_delete(client: RayClient, name: str) -> ServePlan:
    """The config without one application. Raises NotFoundError, and RejectedError for one that code deployed."""
    configs = await client.serve.configs()
    if name not in configs:
        known = {one.name: one.source for one in (await client.serve.list()).rows}
        if name in known:
            raise RejectedError(
                f"Application {name} was deployed from code, not from a config.",
                hint=f'Delete it where it was deployed: ray.serve.delete("{name}")',
            )
        hint = nearest_hint(name, (*configs, *(one for one in known if one)), "`rayakash-tui serve` lists them.")
        raise NotFoundError(f"Application {name} not found.", hint=hint)
    rest = {key: config for key, config in configs.items() if key != name}
    return ServePlan({"applications": [*rest.values()]}, tuple(changes(configs, rest)))


def _by_name(config: Config) -> dict[str, Config]:
    return {one.get("name", "default"): one for one in config["applications"]}


def changes(before: Mapping[str, Config], after: Mapping[str, Config]) -> Iterator[str]:
    """Lines of a diff by application; values of environment variables are never shown."""
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            yield f"+ {name}: {after[name].get('import_path', 'no import path')}"
        elif name not in after:
            yield f"- {name}: deleted"
        else:
            yield from _changed(name, dict(_leaves("", before[name])), dict(_leaves("", after[name])))


def _changed(name: str, before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[str]:
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key, _ABSENT), after.get(key, _ABSENT)
        if old == new:
            continue
        if ".env_vars." in f"{key}.":
            yield f"~ {name}{key}: {'set' if old is _ABSENT else 'removed' if new is _ABSENT else 'changed'}"
        else:
            yield f"~ {name}{key}: {_shown(old)} → {_shown(new)}"


_ABSENT: Any = object()


def _shown(value: object) -> str:
    return "(default)" if value is _ABSENT else msgspec.json.encode(value).decode()


def _leaves(path: str, value: object) -> Iterator[tuple[str, object]]:
    """Every value with its path; members of a list of named things go by their names."""
    if isinstance(value, dict) and value:
        for key, part in value.items():
            yield from _leaves(f"{path}.{key}", part)
    elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
        for index, one in enumerate(value):
            name = one.get("name", index) if isinstance(one, dict) else index
            yield from _leaves(f"{path}.{name}", one)
    else:
        yield path, value
