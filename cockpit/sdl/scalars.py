"""Scalars: what a plain one means to each parser, and how a value is written down again."""

import math
import re
from typing import TypeAlias

from cockpit.sdl.nodes import CORE_TAG, Node, Scalar

Simple: TypeAlias = str | int | float | bool | None
Value: TypeAlias = "Simple | list[Value] | dict[str, Value]"

_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE = frozenset(("true", "True", "TRUE"))
_FALSE = frozenset(("false", "False", "FALSE"))
_SPECIAL_START = frozenset("+-.0123456789~tTfFnN")
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_OCTAL = re.compile(r"[-+]?0[0-7]+")
_PREFIXED = re.compile(r"[-+]?0(x[0-9a-fA-F]+|o[0-7]+|b[01]+)")
# Words and forms that some YAML 1.1 reader takes for something else than text.
_AMBIGUOUS = re.compile(
    r"(?i:y|n|yes|no|on|off|true|false|null|~|<<|=)|[-+]?[0-9][0-9_:,.]*|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*"
)
_NOT_PLAIN_START = re.compile(r"[-?:](?:\s|$)|[\s,\[\]{}#&*!|>'\"%@`]|---|\.\.\.")
_FLOW_PLAIN = re.compile(r"[^-?:,\[\]{}][^,\[\]{}]*")
_PRINTABLE = re.compile("[\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*")


def meaning(scalar: Scalar) -> Simple:
    """The value by YAML's core schema, as the TypeScript parser reads it (no octal, no underscores)."""
    if _is_text(scalar):
        return scalar.value
    return None if scalar.tag == CORE_TAG + "null" else plain_meaning(scalar.value)


def go_meaning(scalar: Scalar) -> Simple:
    """The value as Go's yaml.v3 resolves it: underscores in numbers are skipped, `010` is eight."""
    if scalar.tag and not scalar.tag.startswith(CORE_TAG):
        return scalar.value
    if _is_text(scalar) or scalar.value[:1] not in tuple("+-.0123456789"):
        return meaning(scalar)
    digits = scalar.value.replace("_", "")
    number = int(digits, 8) if _OCTAL.fullmatch(digits) else plain_meaning(digits)
    return scalar.value if isinstance(number, str) else number


_DATE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(\.[0-9]*)?"
    r"([ \t]*(Z|[-+][0-9]{1,2}(:[0-9]{2})?))?"
)


def is_object(scalar: Scalar) -> bool:
    """Whether TypeScript's YAML reader makes an object of the scalar: a date without quotes, or bytes."""
    tag = scalar.tag.removeprefix(CORE_TAG)
    return tag in ("timestamp", "binary") or (not tag and not scalar.style and bool(_DATE.fullmatch(scalar.value)))


def _is_text(scalar: Scalar) -> bool:
    tag = scalar.tag.removeprefix(CORE_TAG)
    return tag in ("str", "!") or (bool(scalar.style) and not tag)


def plain_meaning(text: str) -> Simple:
    """What unquoted text means: null, a truth value, a number, or itself."""
    if text and text[0] not in _SPECIAL_START:
        return text
    if text in _NULLS:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INT.fullmatch(text):
        return int(text) if len(text) < 400 else math.inf
    if _FLOAT.fullmatch(text):
        return float(text)
    if _SPECIAL.fullmatch(text):
        return float(text.replace(".", ""))
    if _PREFIXED.fullmatch(text):
        return int(text, 0)
    return text


def is_null(node: Node | None) -> bool:
    """Whether the node is absent or an empty or null scalar."""
    return node is None or (isinstance(node, Scalar) and meaning(node) is None)


def is_plain_text(value: str, *, flow: bool = False) -> bool:
    """Whether `value` written without quotes is read back as that very text by every YAML reader."""
    if not value or value != value.strip() or _NOT_PLAIN_START.match(value) or not _PRINTABLE.fullmatch(value):
        return False
    if ": " in value or " #" in value or value.endswith(":") or (flow and not _FLOW_PLAIN.fullmatch(value)):
        return False
    return not _AMBIGUOUS.fullmatch(value) and isinstance(plain_meaning(value), str)


def single_quoted(value: str) -> str | None:
    """The value in single quotes, or None where only double quotes can hold it."""
    return "'" + value.replace("'", "''") + "'" if _PRINTABLE.fullmatch(value) else None


_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}


def double_quoted(value: str) -> str:
    """The value in double quotes, everything escaped that is not printable."""
    return '"' + "".join(_escaped(character) for character in value) + '"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if _PRINTABLE.fullmatch(character):
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def written(value: Simple, *, flow: bool = False) -> str:
    """The shortest safe way to write a value that was not in the text before."""
    if isinstance(value, str):
        return value if is_plain_text(value, flow=flow) else double_quoted(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    return repr(value)


def rewritten(old: Scalar, value: Simple, *, flow: bool, indent: int, source: str, newline: str = "\n") -> list[str]:
    """Ways to write `value` in place of `old`, its own way of quoting first; the caller takes the first that fits.

    `source` is the old text (without anchor and tag), `indent` the column that the lines of a block need, `newline`
    the line break of the file.
    """
    if not isinstance(value, str):
        return [written(value)]
    ways: list[str | None] = []
    if old.style == "|":
        ways.append(literal(value, indent, source))
    elif old.style == ">":
        ways += [folded(value, indent, source), literal(value, indent, "|" + source[1:])]
    elif "\n" in value and not flow:
        ways.append(literal(value, indent, f"|{newline}"))
    elif old.style == "'":
        ways.append(single_quoted(value))
    elif not old.style and is_plain_text(value, flow=flow):
        ways.append(value)
    return [way for way in (*ways, double_quoted(value)) if way is not None]


_HEADER = re.compile(r"[|>][-+0-9]*([ \t]+#[^\r\n]*|)")


def literal(value: str, indent: int, source: str) -> str | None:
    """The value as a literal block with the header comment and line breaks of `source`, or None."""
    return _block("|", value, value.rstrip("\n").split("\n"), indent, source)


def folded(value: str, indent: int, source: str) -> str | None:
    """The value as a folded block, or None where folding would change it."""
    lines = value.rstrip("\n").split("\n")
    if any(not line or line[0] in " \t" for line in lines):
        return None
    width = max((len(line.strip()) for line in re.split(r"\r\n|\r|\n", source)[1:]), default=0)
    parts = [part for line in lines for part in (*_wrapped(line, width), "")][:-1]
    return _block(">", value, parts, indent, source)


_FOLD = re.compile(r"(?<=[^ \t]) (?=[^ \t])")


def _wrapped(line: str, width: int) -> list[str]:
    """The line in parts of at most `width` characters, broken where YAML makes one space of the break again."""
    parts: list[str] = []
    for word in _FOLD.split(line):
        if parts and len(parts[-1]) + 1 + len(word) <= width:
            parts[-1] += " " + word
        else:
            parts.append(word)
    return parts


def _block(style: str, value: str, lines: list[str], indent: int, source: str) -> str | None:
    # A first line that begins with a space would need an indentation indicator; quotes say it more plainly.
    if lines[0][:1] in (" ", "\t", "") or not all(_PRINTABLE.fullmatch(line.replace("\t", " ")) for line in lines):
        return None
    header = _HEADER.match(source)
    newline = next(iter(re.findall(r"\r\n|\r|\n", source)), "\n")
    trailing = len(value) - len(value.rstrip("\n"))
    chomp = "-" if not trailing else "" if trailing == 1 else "+"
    text = newline.join(" " * indent + line if line else "" for line in lines) + newline * max(0, trailing - 1)
    comment = header.group(1) if header else ""
    return f"{style}{chomp}{comment}{newline}{text}"
