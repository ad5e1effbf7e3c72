"""The spans of plain secrets in a text, in valid YAML and in text that is being typed.

It errs on the side of too much: a draft or a diff that lacks a word is a smaller loss than one that reveals a secret.
"""

import re
from collections.abc import Iterator

import msgspec

from cockpit.model.secret_values import secret_parts
from cockpit.sdl.failures import UnreadableSdlError
from cockpit.sdl.nodes import Mapping, Node, Scalar, Sequence, key_of
from cockpit.sdl.parser import parse
from cockpit.sdl.secret_names import is_named_secret, is_plain_secret

TELLING = 6  # characters; a shorter value may stand anywhere by chance
LONG = 16

# A name to which something is given: in comments, scripts, and lists other than env. A reference is not a name.
GIVEN = re.compile(r"""(?!(?:a?c?-)?secret://)([A-Za-z_][A-Za-z0-9_-]*)["']?\s*[=:]\s*""")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")


class Span(msgspec.Struct, frozen=True):
    """A piece of the text that is a secret, as it is written there, and what it is given to."""

    start: int
    end: int
    name: str
    text: str

    def __repr__(self) -> str:
        # Never the text.
        return f"<Span {self.start}:{self.end} of {self.name}>"


def secret_spans(text: str) -> list[Span]:
    """Every secret that stands in the text in the clear, in order and without overlaps; fast enough for a timer."""
    found: list[tuple[int, int, str]] = []
    try:
        found += _in_tree(text, parse(text).root)
        is_yaml = True
    except UnreadableSdlError:
        is_yaml = False
    found += ((start, end, "SECRET") for start, end in secret_parts(text))
    found += _in_lines(text, found, is_yaml=is_yaml)
    found += _repeated(text, found)
    return _joined(text, found)


def values_gone(before: str, after: str) -> bool:
    """Whether a secret that stood in the clear in the one text stands nowhere in the other."""
    return any(span.text not in after for span in secret_spans(before) if span.text.strip())


def _in_tree(text: str, root: Node | None) -> Iterator[tuple[int, int, str]]:
    """Scalars of every mapping and list, by the nearest key; items of `env` by their own names."""
    stack: list[tuple[Node, str]] = [] if root is None else [(root, "")]
    while stack:
        node, name = stack.pop()
        if isinstance(node, Mapping):
            stack += ((value, key_of(key) or name) for key, value in node.pairs)
        elif isinstance(node, Sequence):
            stack += ((item, name) for item in node.items)
        elif isinstance(node, Scalar):
            yield from _in_scalar(text, node, name)


def _in_scalar(text: str, node: Scalar, name: str) -> Iterator[tuple[int, int, str]]:
    variable, equals, value = node.value.partition("=")
    if name == "env" and equals:
        if is_plain_secret(variable, value):
            yield (*_written(text, node, f"{variable}="), variable)
    elif name == "env" and node.value.strip() and not _NAME.fullmatch(node.value):
        yield (*_written(text, node, ""), "env")  # without a name all of it may be the secret
    elif is_named_secret(name, node.value):
        yield (*_written(text, node, ""), name)


def _written(text: str, node: Scalar, before: str) -> tuple[int, int]:
    """Where the value is written: behind `before`, within its quotes."""
    start, end = node.start, node.end
    while end > start and text[end - 1] in "\r\n":
        end -= 1
    if node.style in ("'", '"') and text[end - 1] == node.style:
        end -= 1
        start = text.index(node.style, start) + 1
    at = text.find(before, start, end) if before else text.find(node.value, start, end)
    return (at + len(before) if at >= 0 else start), end


def _in_lines(text: str, known: list[tuple[int, int, str]], *, is_yaml: bool) -> Iterator[tuple[int, int, str]]:
    """What is given to a secret name on a line, to the end of the line; while the YAML is broken, further."""
    covered = sorted(known)
    for match in _LINE.finditer(text):
        body = match.group().rstrip("\r\n")
        for given in GIVEN.finditer(body):
            start = match.start() + given.end()
            rest = body[given.end() :]
            if _is_in(covered, start) or not is_named_secret(given[1], rest.strip("\"'")) or _is_code(body, given):
                continue
            yield start, match.start() + len(body) if is_yaml else _end_of_broken(text, match), given[1]
            break


# `- NAME=value` and `name: value` at the beginning of a line are YAML, where a dollar sign is a dollar sign.
_IS_YAML = re.compile(r"""\s*(?:(?:-\s+)+["']?[\w.-]+=|(?:-\s+)*["']?[\w.-]+["']?:(?:\s|$))""")
_EXPANSION = re.compile(r"""[-=+?]?(?:\$[^}]*)?["']?}""")
_COMPUTED = re.compile(r"""["']?\$|[A-Za-z_][\w.]*[(\[]""")


def _is_code(body: str, given: re.Match[str]) -> bool:
    """Whether what is given comes from elsewhere: `"$KEY"`, `${KEY:-}`, `os.environ["KEY"]`, or is a reference."""
    if given[1].lower() == "ac-secret":
        return True
    found = _IS_YAML.match(body)
    if found is not None and found.end() >= given.end(1):
        return False
    rest = body[given.end() :]
    if body[: given.start()].endswith("${"):
        return bool(_EXPANSION.match(rest))
    return bool(_COMPUTED.match(rest))


def _is_in(spans: list[tuple[int, int, str]], offset: int) -> bool:
    # An opening quote may stand between what was found here and the value that the parser found.
    return any(start <= offset + 1 and offset < end for start, end, _ in spans)


def _end_of_broken(text: str, line: re.Match[str]) -> int:
    """The end of a value that may go on over lines that are indented further."""
    indent = _indent(line.group())
    end = line.start() + len(line.group().rstrip("\r\n"))
    at = line.end()
    while at < len(text) and (following := _LINE.match(text, at)) is not None:
        body = following.group().rstrip("\r\n")
        if body.strip() and _indent(body) <= indent:
            break
        end = at + len(body) if body.strip() else end
        at = following.end()
    return end


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _repeated(text: str, found: list[tuple[int, int, str]]) -> Iterator[tuple[int, int, str]]:
    """The same values where they stand a second time, such as in a comment."""
    values = {text[start:end].strip("\"'"): name for start, end, name in found}
    for value, name in values.items():
        at = text.find(value) if _is_telling(value) else -1
        while at >= 0:
            yield at, at + len(value), name
            at = text.find(value, at + len(value))


def _is_telling(value: str) -> bool:
    """Whether a value that stands elsewhere is surely the same one: a password may be a word, or a service's name."""
    return len(value) >= LONG or (len(value) >= TELLING and any(character.isdecimal() for character in value))


def _joined(text: str, found: list[tuple[int, int, str]]) -> list[Span]:
    spans: list[Span] = []
    for start, end, name in sorted((one for one in found if one[0] < one[1]), key=lambda one: (one[0], -one[1])):
        if spans and start < spans[-1].end:
            if end > spans[-1].end:
                before = spans.pop()
                spans.append(Span(before.start, end, before.name, text[before.start : end]))
            continue
        spans.append(Span(start, end, name, text[start:end]))
    return spans
