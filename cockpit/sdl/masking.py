"""The text of an SDL as it may be shown: values that are secrets in plain text are left out."""

import re
from collections.abc import Iterable

from cockpit.model.secret_values import secret_parts
from cockpit.sdl.document import SdlDocument, paths_of
from cockpit.sdl.nodes import Scalar
from cockpit.sdl.paths import Path
from cockpit.sdl.secret_names import is_named_secret, is_plain_secret
from cockpit.sdl.secret_spans import GIVEN, secret_spans

MASK = "***"


def masked_text(document: SdlDocument) -> str:
    """The text with `***` for secrets; it need not be valid any more. Raises UnreadableSdlError."""
    text = document.text
    for path, node in sorted(paths_of(document.tree), key=lambda one: one[1].start, reverse=True):
        shown = shown_value(path, node)
        if shown is not None:
            tail = re.search(r"[\r\n]*\Z", text[node.start : node.end])
            text = text[: node.start] + shown + (tail.group() if tail else "") + text[node.end :]
    return "".join(_masked_line(line) for line in _without_parts(text).splitlines(keepends=True))


def _without_parts(text: str) -> str:
    """The text without what is a secret by its own shape, in commands and comments as well."""
    for start, end in sorted(secret_parts(text), reverse=True):
        text = text[:start] + re.sub(r"[^\r\n]+", MASK, text[start:end]) + text[end:]
    return text


def shown_value(path: Path, node: Scalar) -> str | None:
    """What to show in the place of a scalar that is a secret; None where it may be shown."""
    if "env" in path[2:3] and path[:1] == ("services",) and isinstance(path[-1], int):
        name, equals, value = node.value.partition("=")
        if not equals:
            return MASK if name.strip() else None
        return f"{name}={MASK}" if is_plain_secret(name, value) else None
    name = next((str(step) for step in reversed(path) if isinstance(step, str)), "")
    return MASK if is_named_secret(name, node.value) else None


def _masked_line(line: str) -> str:
    """The line up to the first secret that is given in it; what follows may be part of its value."""
    body = line.rstrip("\r\n")
    for found in GIVEN.finditer(body):
        rest = body[found.end() :]
        if rest.strip("\"'") != MASK and is_named_secret(found[1], rest.strip("\"'")):
            return body[: found.end()] + MASK + line[len(body) :]
    return line


def masked_lines(text: str) -> list[str]:
    """The lines of a text as they may be shown, one for each and whether or not it is YAML; without line breaks."""
    for span in reversed(secret_spans(text)):
        text = text[: span.start] + re.sub(r"[^\r\n]+", MASK, span.text) + text[span.end :]
    return text.removeprefix("\ufeff").splitlines()


def lines_with(text: str, values: Iterable[str]) -> list[int]:
    """The lines, from 1, in which one of the values stands."""
    wanted = [value for value in values if value]
    return [number for number, line in enumerate(text.splitlines(), 1) if any(value in line for value in wanted)]
