"""An SDL for other machines than Akash's: what every format makes of it, and what none can carry over."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeGuard

import msgspec
import yaml

from cockpit.model.secret import REFERENCE_PREFIX, reference_name
from cockpit.model.secret_values import holds_secret
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.nodes import Node, Scalar, child
from cockpit.sdl.paths import Path, spelled
from cockpit.sdl.scalars import is_plain_text
from cockpit.sdl.secret_names import is_named_secret, is_plain_secret
from cockpit.sdl.secret_spans import GIVEN, TELLING
from cockpit.sdl.view import Compute, Row, Service, View, Volume, string

LONGEST_LABEL = 63
SHM = "/dev/shm"

# Not a value but what becomes one: by the shell, or by resolving a reference.
_COMPUTED = re.compile(r"[$`(]|ac-secret:")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Loss(msgspec.Struct, frozen=True):
    """Something that the other format lacks or means otherwise: where it stands, and what becomes of it."""

    path: str
    line: int
    sentence: str


class Export(msgspec.Struct, frozen=True):
    """The text in the other format, what is not in it, and the names of the secrets that it refers to."""

    text: str
    losses: tuple[Loss, ...]
    secrets: tuple[str, ...]


class Variable(msgspec.Struct, frozen=True):
    """An env variable: its value, or the name of the secret that holds it."""

    name: str
    value: str = ""
    secret: str = ""


class Mount(msgspec.Struct, frozen=True):
    """A volume of a service and the path that it is mounted at; empty for the disk of the container itself."""

    volume: Volume
    path: str

    @property
    def is_memory(self) -> bool:
        """Whether it takes memory instead of a disk."""
        return self.volume.storage_class == "ram"


class Part(msgspec.Struct, frozen=True):
    """A service in one of its placements, which is what runs: `name` is unique, as a label of DNS."""

    name: str
    service: Service
    row: Row
    compute: Compute | None
    mounts: tuple[Mount, ...]

    @property
    def count(self) -> int:
        """How many replicas run."""
        return 1 if self.row.count is None else self.row.count

    @property
    def memory(self) -> int | None:
        """The limit of the container in bytes: volumes in memory are part of it here, and come on top on Akash."""
        if self.compute is None or self.compute.memory is None:
            return None
        return self.compute.memory + sum(mount.volume.size or 0 for mount in self.mounts if mount.is_memory)


class Losses:
    """Collects what is lost, each once."""

    def __init__(self, document: SdlDocument) -> None:
        self._lines = document.tree.lines
        self._found: dict[Loss, None] = {}

    def add(self, path: Path, node: Node | None, sentence: str) -> None:
        """Note a loss at a node."""
        line = self._lines.position(node.start)[0] if node is not None else 1
        self._found[Loss(spelled(path), line, sentence)] = None

    def all(self) -> tuple[Loss, ...]:
        """Every loss, by line."""
        return tuple(sorted(self._found, key=lambda loss: (loss.line, loss.path)))


def label(text: str, longest: int = LONGEST_LABEL) -> str:
    """The text as a label of DNS: lower-case letters, digits and hyphens."""
    bare = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:longest].strip("-")
    return bare if bare[:1].isalpha() else f"ray-{bare}"[:longest].strip("-")


def is_port(number: int | None) -> TypeGuard[int]:
    """Whether it is the number of a port."""
    return number is not None and 0 < number < 2**16


def parts_of(view: View, losses: Losses) -> list[Part]:
    """What runs, in the order of the file."""
    for name, service in view.services.items():
        if name not in view.deployed:
            losses.add(("services", name), service.key, "is not deployed, and left out.")
    rows = [row for name in view.deployed for row in view.rows if row.service == name]
    several = {row.service for row in rows if sum(one.service == row.service for one in rows) > 1}
    taken: set[str] = set()
    return [_part(view, row, _name(row, row.service in several, taken), losses) for row in rows]


def _name(row: Row, is_one_of_several: bool, taken: set[str]) -> str:
    wanted = name = label(f"{row.service}-{row.placement}" if is_one_of_several else row.service)
    number = 2
    while name in taken:
        name, number = f"{wanted[: LONGEST_LABEL - 4]}-{number}", number + 1
    taken.add(name)
    return name


def _part(view: View, row: Row, name: str, losses: Losses) -> Part:
    service, compute = view.services[row.service], view.computes.get(row.profile)
    if compute is None:
        path = ("deployment", row.service, row.placement, "profile")
        losses.add(path, row.node, "names no profile, so limits are unknown.")
    if row.count is None:
        path = ("deployment", row.service, row.placement, "count")
        losses.add(path, row.node, "is not a number; one replica runs.")
    if name != row.service:
        losses.add(("deployment", row.service, row.placement), row.node, f"is called {name} there.")
    return Part(name, service, row, compute, _mounts(service, compute, losses))


def _mounts(service: Service, compute: Compute | None, losses: Losses) -> tuple[Mount, ...]:
    volumes = compute.volumes if compute else ()
    paths = {name: string(child(params, "mount")) for name, params in service.mounts.items()}
    for name, params in service.mounts.items():
        if name not in {volume.name for volume in volumes}:
            losses.add(("services", service.name, "params", "storage", name), params, "names no volume.")
    return tuple(Mount(volume, paths.get(volume.name, "")) for volume in volumes)


# --- env -------------------------------------------------------------------------------------------------------------


def variables(service: Service, losses: Losses) -> list[Variable]:
    """The env of a service, each name once; no value that is a secret."""
    return list(dict(_variables(service, losses)).values())


def _variables(service: Service, losses: Losses) -> Iterator[tuple[str, Variable]]:
    for name, value, node, index in service.env:
        path = ("services", service.name, "env", index)
        if "=" not in node.value or not _VARIABLE.fullmatch(name):
            losses.add(path, node, "is not of the form NAME=VALUE, and left out.")
        elif secret := reference_name(value):
            yield name, Variable(name, secret=secret)
        elif value.startswith(REFERENCE_PREFIX):
            losses.add(path, node, f"{name}: the reference names no secret; it is left out.")
        elif is_plain_secret(name, value):
            losses.add(path, node, f"{name} is there in plain text; a reference replaces it.")
            yield name, Variable(name, secret=name[:64])
        else:
            if REFERENCE_PREFIX in value:
                losses.add(path, node, f"{name}: nothing resolves a reference inside another text.")
            yield name, Variable(name, value)


def words(nodes: Iterable[Scalar], path: Path, losses: Losses) -> list[str]:
    """The words of a command; a secret in one of them stays and is reported."""
    found = []
    for index, node in enumerate(nodes):
        if any(map(_tells, node.value.splitlines())):
            losses.add((*path, index), node, "seems to hold a secret in plain text, and so does the export.")
        if REFERENCE_PREFIX in node.value:
            losses.add((*path, index), node, "holds a reference, which nothing resolves in a command.")
        found.append(node.value)
    return found


def _tells(line: str) -> bool:
    """Whether a line of a script gives a value of its own to what sounds like a secret."""
    scheme = REFERENCE_PREFIX.partition(":")[0]
    given = ((match[1], line[match.end() :].split()) for match in GIVEN.finditer(line) if match[1] != scheme)
    return holds_secret(line) or any(
        len(rest[0]) >= TELLING and not _COMPUTED.search(rest[0]) and is_named_secret(name, rest[0].strip("\"';"))
        for name, rest in given
        if rest
    )


# --- text ------------------------------------------------------------------------------------------------------------


class _Dumper(yaml.SafeDumper):
    """Quotes whatever some reader of YAML would not take for text, and never repeats by reference."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    style = "|" if "\n" in value else None if is_plain_text(value) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def dumped(head: list[str], value: dict[str, Any]) -> str:
    """YAML below lines of comment."""
    comment = "".join(f"# {line}".rstrip() + "\n" for line in head)
    return comment + yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2**20)
