"""Edits of whole services: clone a group of workers, rename a service, set how many replicas run."""

import re
from collections.abc import Iterator

from cockpit.sdl.document import SdlDocument, paths_of
from cockpit.sdl.edits import Change, Edit, holds_anchor
from cockpit.sdl.failures import MissingNodeError, UnsafeEditError
from cockpit.sdl.nodes import Event, Scalar, fields
from cockpit.sdl.parser import Tree
from cockpit.sdl.paths import Path, spelled
from cockpit.sdl.places import Place, locate, refusal, require_editable
from cockpit.sdl.scalars import rewritten

SERVICE_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")


def set_count(document: SdlDocument, service: str, count: int, *, placement: str | None = None) -> None:
    """Set how many replicas of `service` run, in `placement` or in the only one it has.

    Raises MissingNodeError where it is not deployed, UnsafeEditError where the placement is not clear.
    """
    rows = list(fields(locate(document.tree, ("deployment", service)).node))
    if placement is None and len(rows) != 1:
        raise UnsafeEditError(f"{service} runs in {len(rows)} placements ({', '.join(rows)}); name one of them.")
    document.set(("deployment", service, placement or rows[0], "count"), count)


def add_worker_group(document: SdlDocument, like: str, name: str, *, count: int | None = None) -> None:
    """Clone the service `like` under a new name, with its compute profiles, prices and deployment rows.

    Raises MissingNodeError, UnsafeEditError; nothing has changed then.
    """
    _require_new_name(document, name)
    with document.all_or_none():
        clone(document, ("services", like), name)
        clone(document, ("deployment", like), name)
        for placement, row in fields(locate(document.tree, ("deployment", name)).node).items():
            profile = fields(row).get("profile")
            if isinstance(profile, Scalar):
                _clone_profile(document, placement, profile.value, name)
                document.set(("deployment", name, placement, "profile"), name)
            if count is not None:
                document.set(("deployment", name, placement, "count"), count)


def _clone_profile(document: SdlDocument, placement: str, profile: str, name: str) -> None:
    if not document.has(("profiles", "compute", name)):
        clone(document, ("profiles", "compute", profile), name)
    pricing: Path = ("profiles", "placement", placement, "pricing")
    if document.has((*pricing, profile)) and not document.has((*pricing, name)):
        clone(document, (*pricing, profile), name)


def _require_new_name(document: SdlDocument, name: str) -> None:
    if not SERVICE_NAME.fullmatch(name):
        raise UnsafeEditError(
            f"{name!r} is not a valid service name: use lower-case letters, digits and hyphens, starting with a letter."
        )
    for path in (("services", name), ("deployment", name), ("profiles", "compute", name)):
        if document.has(path):
            line, column = document.position(path)
            raise UnsafeEditError(f"{spelled(path)} exists already (line {line}).", line=line, column=column)


def clone(document: SdlDocument, path: Path, name: str) -> None:
    """Repeat the pair at `path`, comments and all, right below itself under another key.

    Raises MissingNodeError, UnsafeEditError (also for a pair with anchors, which would be defined twice).
    """
    tree = document.tree
    place = locate(tree, path)
    require_editable(tree, place)
    if not isinstance(place.key, Scalar) or holds_anchor(place.node):
        raise refusal(tree, place.node.start, f"{spelled(path)} holds an anchor or alias and cannot be repeated")
    document.apply(_cloning(tree, place, place.key, name), f"clone {spelled(path)}")


def _cloning(tree: Tree, place: Place, key: Scalar, name: str) -> Edit:
    text, lines = tree.lines.text, tree.lines
    word = rewritten(key, name, flow=place.in_flow, indent=0, source=text[key.start : key.end])[0]
    end = max(key.end, place.node.end)
    if place.in_flow:
        at, addition = end, ", " + word + text[key.end : end]
    else:
        at = lines.end(end)
        blank = lines.newline() if _blank_above(tree, key.start) else ""
        indent = " " * lines.column(key.start)
        addition = blank + lines.newline() + indent + word + text[key.end : at]
    expected: list[Event] = [
        ("scalar", name, *tree.events[key.first][2:]),
        *tree.events[place.node.first : place.node.last],
    ]
    return Edit((Change(at, at, addition),), place.node.last, place.node.last, lambda events: events == expected)


def _blank_above(tree: Tree, offset: int) -> bool:
    above = tree.lines.text[: tree.lines.begin(offset)]
    return bool(re.search(r"(\r\n|\r|\n)[ \t]*(\r\n|\r|\n)\Z", above))


def rename_service(document: SdlDocument, old: str, new: str) -> list[int]:
    """Rename a service wherever it is named: services, deployment, `to:`, dependencies, and `name:port` addresses.

    Returns the lines that were changed. Raises MissingNodeError, UnsafeEditError; nothing has changed then.
    """
    if not document.has(("services", old)):
        raise MissingNodeError(f"Unknown service {old!r}.")
    if not SERVICE_NAME.fullmatch(new):
        raise UnsafeEditError(
            f"{new!r} is not a valid service name: use lower-case letters, digits and hyphens, starting with a letter."
        )
    changed: list[Path] = []
    with document.all_or_none():
        for path, value in list(_mentions(document.tree, old, new)):
            document.set(path, value)
            changed.append(path)
        for section in ("deployment", "services"):
            if document.has((section, old)):
                document.rename_key((section, old), new)
                changed.append((section, new))
    return sorted({document.position(_moved(path, old, new))[0] for path in changed})


def _moved(path: Path, old: str, new: str) -> Path:
    return (path[0], new, *path[2:]) if path[:2] == ("services", old) else path


def _mentions(tree: Tree, old: str, new: str) -> Iterator[tuple[Path, str]]:
    for path, node in paths_of(tree):
        if path[:1] != ("services",) or len(path) < 4:
            continue
        value = _renamed(node.value, path, old, new)
        if value != node.value:
            yield path, value


def _renamed(value: str, path: Path, old: str, new: str) -> str:
    if path[-1] == "service":
        return ",".join(
            re.sub(rf"^(\s*){re.escape(old)}(\s*)$", rf"\g<1>{new}\g<2>", name) for name in value.split(",")
        )
    if path[2] not in ("env", "args", "command"):
        return value
    value = re.sub(rf"(?<![\w.-]){re.escape(old)}(?=:\d)", new, value)
    return re.sub(rf"^([^=]+=){re.escape(old)}$", rf"\g<1>{new}", value) if path[2] == "env" else value
