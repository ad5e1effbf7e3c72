"""Walks a document along the grammar and notes what each parser refuses about types, keys and null."""

import difflib
import re
from collections.abc import Callable
from typing import Any

from cockpit.sdl import leaves
from cockpit.sdl.findings import BOTH, GO, TS, Fix, Operation, Report, to_remove
from cockpit.sdl.grammar import HABITS, NEWER, VOLUME, Flag, Items, Labels, Named, Record, Spec, Special, Text, Whole
from cockpit.sdl.nodes import Mapping, Node, Scalar, Sequence, is_merge, key_of, pairs_of, resolved
from cockpit.sdl.parser import is_core_tag
from cockpit.sdl.paths import Path, spelled
from cockpit.sdl.scalars import is_null, meaning


def check(report: Report, spec: Spec, written: Node, path: Path) -> None:
    """Note everything about the node at `path` that does not fit the grammar of `spec`."""
    node = resolved(written) or written
    _CHECKS[type(spec)](report, spec, node, path)


def _text(report: Report, spec: Text, node: Node, path: Path) -> None:
    leaves.text(report, node, path, least=spec.least, choices=spec.choices, pattern=spec.pattern)


def _whole(report: Report, spec: Whole, node: Node, path: Path) -> None:
    leaves.whole(report, node, path, spec.least, spec.most)


def _flag(report: Report, _spec: Flag, node: Node, path: Path) -> None:
    leaves.flag(report, node, path)


def _special(report: Report, spec: Special, node: Node, path: Path) -> None:
    if spec.rule == "storage":
        _storage(report, node, path)
    else:
        if spec.rule == "volume-attributes" and isinstance(node, Mapping):
            _keys(report, node)
        leaves.RULES[spec.rule](report, node, path)


def _items(report: Report, spec: Items, node: Node, path: Path) -> None:
    if not _is_kind(report, node, path, Sequence, nullable=spec.nullable, fix=_as_item(spec, node, path)):
        return
    assert isinstance(node, Sequence)
    for index, item in enumerate(node.items):
        check(report, spec.of, item, (*path, index))


def _as_item(spec: Items, node: Node, path: Path) -> Fix | None:
    """Where one item stands in place of the list of it, a dash makes it right."""
    if not isinstance(node, Mapping) or not isinstance(spec.of, Record) or not _fits(spec.of, node):
        return None
    return Fix(f"make {_last(path)} a list", (Operation("wrap", path),))


def _named(report: Report, spec: Named, node: Node, path: Path) -> None:
    if not _is_kind(report, node, path, Mapping):
        return
    assert isinstance(node, Mapping)
    _keys(report, node)
    for name, (key, value) in pairs_of(node).items():
        if spec.pattern and not re.search(spec.pattern, name):
            message = f"The name {name!r} is refused: two or more of a-z, 0-9, - and _, beginning with a letter."
            report.add("bad-name", key, message, BOTH)
        check(report, spec.of, value, (*path, name))


def _labels(report: Report, spec: Labels, node: Node, path: Path) -> None:
    if spec.known and _is_walked_over(node):
        report.add("wrong-type", node, f"{_last(path)} must be a mapping; TypeScript refuses anything else.", (TS,))
        return
    if not _is_kind(report, node, path, Mapping):
        return
    assert isinstance(node, Mapping)
    if spec.known:
        _merge_keys(report, node)
    else:
        _keys(report, node)
    for name, (key, value) in pairs_of(node).items():
        if not isinstance(resolved(value), Scalar):
            report.add("wrong-type", value, f"{name} must be a single value; Go refuses a {value.kind} here.", (GO,))
        if spec.known and name not in spec.known:
            known = ", ".join(spec.known)
            report.add("unknown-key", key, f"Go knows only {known} here and refuses {name!r}.", (GO,))


def _record(report: Report, spec: Record, node: Node, path: Path) -> None:
    if spec.go == "custom" and _is_walked_over(node):
        report.add("wrong-type", node, f"{_last(path)} must be a mapping; TypeScript refuses anything else.", (TS,))
        return
    if not _is_kind(report, node, path, Mapping):
        return
    assert isinstance(node, Mapping)
    if spec.go != "custom":
        _keys(report, node)
    else:
        _merge_keys(report, node)
    present = pairs_of(node)
    for name, (key, value) in present.items():
        if name in spec.keys:
            check(report, spec.keys[name], value, (*path, name))
        else:
            _unknown(report, spec, key, name, (*path, name), present)
    _missing(report, spec, node, path, present)


def _missing(report: Report, spec: Record, node: Mapping, path: Path, present: dict[str, tuple[Node, Node]]) -> None:
    for name in spec.required:
        if name not in present:
            report.add(
                f"missing-{name}",
                node,
                f"{_last(path)} has no {name!r}; TypeScript refuses the file without it.",
                (TS,),
            )
    if len(present) < spec.least:
        report.add("empty", node, f"{_last(path)} needs at least one entry; TypeScript refuses an empty one.", (TS,))


def _is_walked_over(node: Node) -> bool:
    """Whether Go, where it walks over keys itself, finds none: in a single value, and in an empty list."""
    return (isinstance(node, Scalar) and not is_null(node)) or (isinstance(node, Sequence) and not node.items)


def _merge_keys(report: Report, node: Mapping) -> None:
    for key, _ in node.pairs:
        if is_merge(key):
            report.add("merge-key", key, "Go does not apply merge keys here and refuses `<<`.", (GO,))


def _keys(report: Report, node: Mapping) -> None:
    """Note what Go refuses of the keys of a mapping that it reads as a whole."""
    for key in _repeated(node, key_of):
        report.add("duplicate-key", key, f"The key {key_of(key)!r} is written twice; both parsers refuse that.", (GO,))
    for key, value in node.pairs:
        if key_of(key) is None:
            report.add("wrong-type", key, "A key must be a single value; Go refuses others.", (GO,))
        elif is_merge(key) and not _is_merged(value):
            report.add("merge-key", key, _BAD_MERGE, (GO,))


_BAD_MERGE = "A merge key needs a mapping, or a list of mappings; both parsers refuse others."


def _is_merged(value: Node) -> bool:
    target = resolved(value)
    if isinstance(target, Sequence):
        return all(isinstance(resolved(item), Mapping) for item in target.items)
    return isinstance(target, Mapping)


def _repeated(node: Mapping, name_of: Callable[[Node], str | None]) -> list[Node]:
    if len({name_of(key) for key, _ in node.pairs}) == len(node.pairs):
        return []
    seen: set[str] = set()
    repeated = []
    for key, _ in node.pairs:
        name = name_of(key)
        if name in seen:
            repeated.append(key)
        elif name is not None:
            seen.add(name)
    return repeated


def _property(key: Node) -> str | None:
    """The key as a property of JavaScript, where `1.0` and `1` are the same; None for a merge key."""
    target = resolved(key)
    if is_merge(key) or not isinstance(target, Scalar):
        return None
    value = meaning(target)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def whole_tree(report: Report, nodes: list[Node]) -> None:
    """Note what TypeScript's YAML reader refuses anywhere: duplicate keys and tags that it does not know."""
    for node in nodes:
        if isinstance(node, Mapping):
            _properties(report, node)
        if node.tag and not is_core_tag(node.tag):
            message = f"The tag {node.tag} is unknown; TypeScript refuses the file and nothing is ever constructed."
            report.add("unknown-tag", node, message, (TS,))


def _properties(report: Report, node: Mapping) -> None:
    for key in _repeated(node, _property):
        message = f"The key {key_of(key)!r} is written twice; both parsers refuse that."
        report.add("duplicate-key", key, message, (TS,))
    for key, value in node.pairs:
        if is_merge(key) and not _is_merged(value):
            report.add("merge-key", key, _BAD_MERGE, (TS,))


# --- keys that do not exist ------------------------------------------------------------------------------------------


def _unknown(
    report: Report, spec: Record, key: Node, name: str, path: Path, present: dict[str, tuple[Node, Node]]
) -> None:
    sides = BOTH if spec.go != "open" else (TS,)
    what = "both parsers refuse it" if len(sides) > 1 else "TypeScript refuses it and Go drops it without a word"
    meant, fix = _meant(spec, name, path, present)
    if name in NEWER:
        meant = " It is newer than this version of the parsers."
    report.add("unknown-key", key, f"Unknown key {name!r} in {_last(path[:-1])}: {what}.{meant}", sides, fix=fix)


def _meant(spec: Record, name: str, path: Path, present: dict[str, tuple[Node, Node]]) -> tuple[str, Fix | None]:
    habit, same_shape = HABITS.get(name, ("", False))
    if habit in spec.keys or (habit and "image" in spec.keys):
        target = habit
    else:
        near = difflib.get_close_matches(name.lower(), spec.keys, 1, 0.7)
        target, same_shape = (near[0], True) if near else ("", False)
    if not target:
        return "", None
    fix = None
    if same_shape and target in spec.keys and target not in present and _fits(spec.keys[target], present[name][1]):
        fix = Fix(f"rename {name} to {target}", (Operation("rename", path, target),))
    return f" Probably meant: {target}.", fix


def _fits(spec: Spec, value: Node) -> bool:
    """Whether the value has the shape of what the right key holds, so that a rename makes it work."""
    probe = Report()
    check(probe, spec, value, ())
    return not probe.refused_by(GO) and not probe.refused_by(TS)


# --- shapes ----------------------------------------------------------------------------------------------------------


def _is_kind(
    report: Report, node: Node, path: Path, kind: type[Node], *, nullable: bool = False, fix: Fix | None = None
) -> bool:
    if isinstance(node, kind):
        return True
    if isinstance(node, Scalar) and is_null(node):
        if not nullable:
            message = f"{_last(path)} is empty: Go takes that for absent, TypeScript refuses it."
            report.add("empty-key", node, message, (TS,), fix=_without(path))
        return False
    wanted = "list" if kind is Sequence else "mapping"
    report.add(
        "wrong-type", node, f"{_last(path)} must be a {wanted}, not a {_shape(node)}; both refuse it.", BOTH, fix=fix
    )
    return False


# Keys that a document needs, and sections whose entries are the user's own: a fix never takes those out.
_NEEDED = frozenset(
    ("services", "profiles", "deployment", "compute", "placement", "pricing", "resources", "cpu", "memory", "vendor")
)
_NAMED = frozenset(("services", "compute", "placement", "pricing", "deployment", "endpoints", "storage", "gpu"))


def _without(path: Path) -> Fix | None:
    if not path or path[-1] in _NEEDED or isinstance(path[-1], int):
        return None
    if (len(path) > 1 and path[-2] in _NAMED) or path[:1] == ("deployment",):
        return None
    return to_remove(f"remove the empty {path[-1]}", path)


def _shape(node: Node) -> str:
    return "single value" if isinstance(node, Scalar) else node.kind


def _last(path: Path) -> str:
    return spelled(path[-2:]) if path and isinstance(path[-1], int) else spelled(path[-1:])


# --- storage: one volume or a list of them ---------------------------------------------------------------------------


def _storage(report: Report, node: Node, path: Path) -> None:
    if isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            check(report, VOLUME, item, (*path, index))
    elif isinstance(node, Mapping):
        check(report, VOLUME, node, path)
    else:
        message = "storage must be a volume or a list of volumes; TypeScript refuses a single value, Go sees none."
        report.add("wrong-type", node, message, (TS,))


_CHECKS: dict[type, Callable[[Report, Any, Node, Path], None]] = {
    Text: _text,
    Whole: _whole,
    Flag: _flag,
    Items: _items,
    Named: _named,
    Record: _record,
    Labels: _labels,
    Special: _special,
}
