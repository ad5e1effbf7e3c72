"""Single values: what each parser takes for a text, a number, a flag, a size, a price."""

import re
from collections.abc import Callable
from urllib.parse import unquote

from cockpit.sdl import quantities
from cockpit.sdl.findings import BOTH, GO, TS, Report, Side, to_insert, to_remove, to_set
from cockpit.sdl.grammar import NEXT_CASES
from cockpit.sdl.nodes import Mapping, Node, Scalar, Sequence, pairs_of, resolved
from cockpit.sdl.paths import Path, spelled
from cockpit.sdl.scalars import go_meaning, is_null, is_object, meaning


def _name(path: Path) -> str:
    return spelled(path[-2:]) if path and isinstance(path[-1], int) else spelled(path[-1:])


def _scalar(report: Report, node: Node, path: Path) -> Scalar | None:
    """The node where it is a single value; anything else is refused by both."""
    if isinstance(node, Scalar):
        return node
    report.add("wrong-type", node, f"{_name(path)} must be a single value, not a {node.kind}; both refuse it.", BOTH)
    return None


def _is_text(report: Report, node: Scalar, path: Path) -> bool:
    """Whether TypeScript reads the scalar as text; notes the refusal where it does not."""
    value = meaning(node)
    if isinstance(value, str) and not is_object(node):
        return True
    if value is None:
        report.add("empty-key", node, f"{_name(path)} is empty; TypeScript requires text here.", (TS,))
        return False
    kind = "a truth value" if isinstance(value, bool) else "a date" if isinstance(value, str) else "a number"
    message = f"{_name(path)} is {kind} without quotes; TypeScript takes only text here and refuses it."
    report.add("not-text", node, message, (TS,), fix=to_set("put the value in quotes", path, node.value))
    return False


def text(
    report: Report, node: Node, path: Path, *, least: int = 0, choices: tuple[str, ...] = (), pattern: str = ""
) -> None:
    """A text, for TypeScript of a minimal length, from a set, or of a form."""
    scalar = _scalar(report, node, path)
    if scalar is None or not _is_text(report, scalar, path):
        return
    value = scalar.value
    if len(value) < least:
        message = f"{_name(path)} must have {least} or more characters; TypeScript refuses fewer."
        report.add("too-short", node, message, (TS,))
    if choices and value not in choices:
        near = next((choice for choice in choices if choice.lower() == value.lower()), None)
        fix = to_set(f"write {near}", path, near) if near else None
        message = f"{value!r} is none of {', '.join(choices)}; TypeScript refuses it."
        report.add("bad-choice", node, message, (TS,), fix=fix)
    if pattern and not re.search(pattern, value):
        report.add("bad-form", node, f"{_name(path)} has a form that TypeScript refuses ({pattern}).", (TS,))


def whole(report: Report, node: Node, path: Path, least: int, most: int) -> None:
    """A whole number: within limits for TypeScript, of 32 bits for Go."""
    scalar = _scalar(report, node, path)
    if scalar is None:
        return
    value, go_value = meaning(scalar), go_meaning(scalar)
    sides: list[Side] = []
    if not (isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1):
        sides.append(TS)
    elif not least <= value <= most:
        message = f"{_name(path)} must be from {least} to {most}; TypeScript refuses {scalar.value}."
        report.add("out-of-range", node, message, (TS,))
    if go_value is not None and not _is_uint(go_value):
        sides.append(GO)
    if sides:
        _not_whole(report, scalar, path, sides)


def _is_uint(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**32


def _not_whole(report: Report, node: Scalar, path: Path, sides: list[Side]) -> None:
    fix = to_set(f"write {int(node.value)} without quotes", path, int(node.value)) if node.value.isdecimal() else None
    who = "both parsers refuse" if len(sides) > 1 else "TypeScript refuses" if TS in sides else "Go refuses"
    shown = repr(node.value) if node.value else "nothing"
    report.add("not-whole", node, f"{_name(path)} must be a whole number; {who} {shown}.", sides, fix=fix)


_GO_FLAGS = {"y", "yes", "on", "n", "no", "off"}


def flag(report: Report, node: Node, path: Path) -> None:
    """true or false; Go takes the words of YAML 1.1 as well."""
    scalar = _scalar(report, node, path)
    if scalar is None or isinstance(meaning(scalar), bool):
        return
    word = scalar.value.lower()
    go_takes = is_null(scalar) or (word in _GO_FLAGS and scalar.value in (word, word.capitalize(), word.upper()))
    fix = None
    if word in _GO_FLAGS | {"true", "false"}:
        truth = word in ("y", "yes", "on", "true")
        fix = to_set(f"write {str(truth).lower()}", path, truth)
    message = f"{_name(path)} must be true or false, without quotes; {'TypeScript' if go_takes else 'both'} refuse it."
    report.add("not-flag", node, message, (TS,) if go_takes else BOTH, fix=fix)


# --- values with a grammar of their own ------------------------------------------------------------------------------


def _version(report: Report, node: Node, path: Path) -> None:
    scalar = node if isinstance(node, Scalar) else None
    if scalar is None or quantities.go_version(scalar.value) is None:
        report.add("bad-version", node, "The version must be 2.0 or 2.1 in quotes; both parsers refuse others.", BOTH)
    elif not isinstance(meaning(scalar), str):
        quoted = scalar.value if "." in scalar.value else f"{scalar.value}.0"
        message = "The version must be in quotes; TypeScript refuses a number."
        report.add("not-text", node, message, (TS,), fix=to_set("put the version in quotes", path, quoted))
    elif scalar.value not in ("2.0", "2.1"):
        version = quantities.go_version(scalar.value)
        fix = to_set('write "2.0"', path, "2.0") if version == (2, 0, 0) else None
        report.add("bad-version", node, 'TypeScript takes only "2.0" and "2.1" for the version.', (TS,), fix=fix)


def _cpu(report: Report, node: Node, path: Path) -> None:
    scalar = _scalar(report, node, path)
    if scalar is None:
        return
    if not quantities.ts_takes_cpu(meaning(scalar)):
        report.add("bad-cpu", node, f"{scalar.value!r} is refused as CPU units: write 0.5, 2 or 500m.", (TS,))
    if not is_null(scalar) and quantities.go_cpu(scalar.value) is None:
        message = f"{scalar.value!r} is refused as CPU units: a number of cores, or whole thousandths as in 500m."
        report.add("bad-cpu", node, message, (GO,))


def _size(report: Report, node: Node, path: Path) -> None:
    scalar = _scalar(report, node, path)
    if scalar is None:
        return
    portable = quantities.portable_size(scalar.value)
    fix = to_set(f"write {portable}", path, portable) if portable and portable != scalar.value else None
    if not isinstance(meaning(scalar), str):
        message = f"{_name(path)} needs a text with a unit such as Mi or Gi; TypeScript refuses it without."
        report.add("size-unit", node, message, (TS,), fix=fix)
    if not is_null(scalar) and quantities.go_bytes(scalar.value) is None:
        message = f"Go refuses {scalar.value!r}: a size ends in exactly Ki, Mi, Gi or Ti (upper case, no b)."
        report.add("size-suffix", node, message, (GO,), fix=fix)


def _gpu_units(report: Report, node: Node, path: Path) -> None:
    scalar = _scalar(report, node, path)
    if scalar is None:
        return
    if is_object(scalar) or not quantities.ts_takes_gpus(meaning(scalar)):
        report.add("bad-gpu-units", node, "gpu units must be a whole number; this is refused.", (TS,))
    if not is_null(scalar) and quantities.go_units(scalar.value) is None:
        message = f"gpu units must be a whole number; {scalar.value!r} is refused."
        report.add("bad-gpu-units", node, message, (GO,))


def _gpu_ram(report: Report, node: Node, path: Path) -> None:
    scalar = _scalar(report, node, path)
    if scalar is None:
        return
    _is_text(report, scalar, path)
    if not is_null(scalar) and quantities.go_bytes(scalar.value, quantities.BINARY_SUFFIXES) is None:
        portable = quantities.portable_size(scalar.value)
        fix = to_set(f"write {portable}", path, portable) if portable else None
        message = f"Go refuses {scalar.value!r} as GPU memory: write it as in 80Gi."
        report.add("size-suffix", node, message, (GO,), fix=fix)


def _gpu_interface(report: Report, node: Node, path: Path) -> None:
    text(report, node, path, choices=("pcie", "sxm"))
    if isinstance(node, Scalar) and not is_null(node) and node.value not in ("pcie", "sxm"):
        report.add("bad-choice", node, f"{node.value!r} is none of pcie, sxm; both parsers refuse it.", (GO,))


_DENOM = re.compile(r"[a-zA-Z][a-zA-Z0-9/:._-]{2,127}")


def _denom(report: Report, node: Node, path: Path) -> None:
    scalar = _scalar(report, node, path)
    if scalar is None:
        return
    if meaning(scalar) not in ("uakt", "uact"):
        fix = to_set("write uact", path, "uact") if scalar.value.lower() in ("uact", "act") else None
        message = f"The currency {scalar.value!r} is refused: prices are in uact."
        report.add("bad-denom", node, message, (TS,), fix=fix)
    if is_null(scalar) or not _DENOM.fullmatch(scalar.value):
        report.add("bad-denom", node, "Go crashes on an invalid denomination: write uact.", (GO,))


def _amount(report: Report, node: Node, path: Path) -> None:
    scalar = _scalar(report, node, path)
    if scalar is None:
        return
    if not quantities.ts_takes_amount(meaning(scalar)):
        message = f"The price {scalar.value!r} is refused: a number without sign or separators."
        report.add("bad-amount", node, message, (TS,))
    if is_null(scalar) or quantities.go_amount(scalar.value) is None:
        message = f"The price {scalar.value!r} is refused: above 0, no exponent, at most 18 decimals."
        report.add("bad-amount", node, message, (GO,))


def _next_cases(report: Report, node: Node, path: Path) -> None:
    if isinstance(node, Scalar) and is_null(node):
        report.add("empty-key", node, "next_cases is empty; TypeScript refuses it.", (TS,))
        return
    if not isinstance(node, Sequence):
        report.add("wrong-type", node, f"next_cases must be a list, not a {node.kind}; both parsers refuse it.", BOTH)
        return
    words = []
    for index, item in enumerate(node.items):
        text(report, resolved(item) or item, (*path, index), choices=NEXT_CASES)
        words.append(getattr(resolved(item), "value", ""))
    if "off" in words and len(words) > 1:
        report.add("next-cases", node, "`off` excludes every other next case; both parsers refuse the mix.", (TS,))


_BAD_HOST_CHARACTER = re.compile(r"[\x00-\x20\x7f\\^`{|}]")


def _host(report: Report, node: Node, path: Path) -> None:
    text(report, node, path)
    if isinstance(node, Scalar) and not is_null(node) and not _is_url_host(node.value):
        report.add("bad-host", node, f"Go refuses {node.value!r} as a host name.", (GO,))


def _is_url_host(value: str) -> bool:
    """Whether Go's url.ParseRequestURI takes the value behind `http://`; the stricter test comes with the manifest."""
    host = re.split(r"[/?#]", value, maxsplit=1)[0].rpartition("@")[2]
    port = host.rpartition(":")[2] if ":" in host else ""
    if _BAD_HOST_CHARACTER.search(value) or not (port == "" or port.isdecimal() or port.endswith("]")):
        return False
    return "%" not in host or unquote(host) != host


_CLASSES = ("default", "beta1", "beta2", "beta3", "ram")
_GO_TRUE = ("true", "on", "yes")
_GO_FALSE = ("false", "off", "no")


def _volume_attributes(report: Report, node: Node, path: Path) -> None:
    """Source: go/sdl/storage.go (v2StorageAttributes) and the schema's storageAttributesValidation."""
    if isinstance(node, Scalar) and is_null(node):
        report.add("empty-key", node, "The volume's attributes are empty; TypeScript refuses that.", (TS,))
        return
    if not isinstance(node, Mapping):
        report.add("wrong-type", node, f"attributes must be a mapping, not a {node.kind}; both refuse it.", BOTH)
        return
    found = {name: resolved(value) or value for name, (_, value) in pairs_of(node).items()}
    for name, (key, value) in pairs_of(node).items():
        if name not in ("persistent", "class"):
            report.add("unknown-key", key, f"A volume has no attribute {name!r}; both parsers refuse it.", BOTH)
        elif not isinstance(resolved(value), Scalar):
            report.add("wrong-type", value, f"{name} must be a single value; both parsers refuse it.", BOTH)
    persistent, cls = found.get("persistent"), found.get("class")
    _go_volume(report, node, persistent, cls)
    _ts_volume(report, node, path, persistent, cls)


def _go_volume(report: Report, node: Node, persistent: Node | None, cls: Node | None) -> None:
    word = "false" if persistent is None else _word(persistent)
    name = _word(cls)
    if word not in _GO_TRUE + _GO_FALSE:
        message = f"persistent: {word} is refused; write true or false."
        report.add("bad-persistent", persistent or node, message, (GO,))
    if name == "ram" and word != "false":
        report.add("ram-persistent", node, "A ram volume cannot be persistent; both parsers refuse it.", (GO,))
    elif name not in ("", "ram") and word == "false":
        message = f"A volume of class {name} must be persistent: true; both parsers refuse it otherwise."
        report.add("class-persistent", node, message, (GO,))
    if (name and name not in _CLASSES) or (cls is not None and not name and word != "true"):
        message = f"Go knows the storage classes {', '.join(_CLASSES)} and refuses {name or 'an empty one'!r}."
        report.add("bad-class", cls or node, message, (GO,))


def _ts_volume(report: Report, node: Node, path: Path, persistent: Node | None, cls: Node | None) -> None:
    value = meaning(persistent) if isinstance(persistent, Scalar) else None
    kind = meaning(cls) if isinstance(cls, Scalar) else None
    true = value is True or value == "true"
    if persistent is None or cls is None:
        _ts_volume_incomplete(report, node, path, persistent, cls)
        return
    if not isinstance(value, bool | str):
        report.add("bad-persistent", persistent, "persistent must be true or false; this is refused.", (TS,))
    if not isinstance(kind, str) or (isinstance(cls, Scalar) and is_object(cls)):
        report.add("not-text", cls, "class must be a text; TypeScript refuses it.", (TS,))
    if kind == "ram" and true:
        report.add("ram-persistent", node, "A ram volume cannot be persistent; both parsers refuse it.", (TS,))
    if kind in ("beta1", "beta2", "beta3", "default") and not true:
        fix = to_set("write persistent: true", (*path, "persistent"), True) if _word(persistent) in _GO_TRUE else None
        message = f"A volume of class {kind} must be persistent: true; TypeScript refuses {_word(persistent)!r}."
        report.add("class-persistent", node, message, (TS,), fix=fix)


def _ts_volume_incomplete(report: Report, node: Node, path: Path, persistent: Node | None, cls: Node | None) -> None:
    missing = "persistent" if persistent is None else "class"
    fix = None
    if cls is not None and _word(cls) == "ram":
        fix = to_insert("add persistent: false", (*path, "persistent"), False)
    elif cls is None and persistent is not None and _word(persistent) in _GO_TRUE:
        fix = to_insert("add class: default", (*path, "class"), "default")
    elif cls is None and persistent is not None and _word(persistent) in _GO_FALSE:
        fix = to_remove("remove the attributes of a volume that is not kept", path)
    message = f"The volume's attributes have no {missing!r}; TypeScript requires both class and persistent."
    report.add(f"missing-{missing}", node, message, (TS,), fix=fix)


def _word(node: Node | None) -> str:
    return node.value if isinstance(node, Scalar) and not is_null(node) else ""


RULES: dict[str, Callable[[Report, Node, Path], None]] = {
    "version": _version,
    "cpu-units": _cpu,
    "size": _size,
    "gpu-units": _gpu_units,
    "gpu-ram": _gpu_ram,
    "gpu-interface": _gpu_interface,
    "denom": _denom,
    "amount": _amount,
    "next-cases": _next_cases,
    "host": _host,
    "volume-attributes": _volume_attributes,
}
