"""JSON in a line of a log, laid out for reading."""

import json
import re

# Longer lines stay as they are, and so does what would fill many screens.
LONGEST = 64 * 1024
_MOST_LINES = 400

KEY = re.compile(r'\s*"(?:[^"\\]|\\.)*":')


def pretty(text: str) -> list[str] | None:
    """The lines of a JSON object or list that ends the line, behind what stands before it; None where there is none."""
    place = re.search(r"[{\[]", text) if len(text) <= LONGEST else None
    if place is None or not text.rstrip().endswith(("}", "]")):
        return None
    head, body = text[: place.start()], text[place.start() :]
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not value:
        return None
    lines = json.dumps(value, indent=2, ensure_ascii=False).split("\n")
    if len(lines) > _MOST_LINES:
        return None
    return [head.rstrip(), *lines] if head.strip() else lines
