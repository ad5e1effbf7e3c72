"""The ignore patterns of Ray's packages: an old dialect of .gitignore, which no library speaks any more.

Ray 2.60 carries an old copy of pathspec (`ray/_private/thirdparty/pathspec`). Git and pathspec 1.x
decide otherwise on patterns in daily use (`*` with `!src`, `foo` with `!foo/keep`, `[^a]`, leading spaces),
and a file more or less is another package. So the dialect is written down here:

- blanks around a pattern are dropped, even escaped ones; `#` opens a comment; `/` alone means nothing;
- the last matching pattern decides, `!` keeps a path; `!dir` keeps the directory, not what is below it;
- `\\` before the first character is dropped, so `\\#` is a hash, but `\\*` is still a wildcard;
- a slash at the start or in the middle anchors the pattern, else it matches at any depth;
- `dir/` matches what is below `dir`, never `dir` itself; `dir` matches both; `dir/*` the direct children;
- `**` crosses directories as the first, a middle or the last segment;
- in brackets `!` negates, `^` is a plain character, a backslash too, and a slash may match;
- case matters everywhere, and no wildcard but `[...]` and `*` or `?` in a name matches a newline.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from cockpit.errors import UsageError
from cockpit.render.text import visible


class Rule(NamedTuple):
    """One effective pattern: `keep` is true for a `!` pattern; `line` counts from 0 the lines it came with."""

    line: int
    text: str
    keep: bool
    regex: re.Pattern[str]


class IgnoreRules:
    """The patterns of one ignore file or option, in order."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        # Most paths match nothing: one joined expression answers for them.
        dropping = "|".join(f"(?:{rule.regex.pattern})" for rule in rules if not rule.keep)
        self._any = re.compile(dropping) if dropping else None

    def decide(self, path: str) -> Rule | None:
        """The rule that excludes a path, None where it is kept; the path is relative, `.` the directory itself."""
        if self._any is None or not self._any.match(path):
            return None
        last = next((rule for rule in reversed(self._rules) if rule.regex.match(path)), None)
        return None if last is None or last.keep else last


def parse_rules(lines: Iterable[str], origin: str) -> IgnoreRules:
    """Rules from pattern lines; `origin` names them in errors.

    Raises UsageError for a pattern on which Ray itself fails, such as a lone `!` or the range `[z-a]`.
    """
    rules = (_rule(index, line, origin) for index, line in enumerate(lines))
    return IgnoreRules([rule for rule in rules if rule is not None])


def _rule(index: int, line: str, origin: str) -> Rule | None:
    text = line.strip()
    if text in ("", "/") or text.startswith("#"):
        return None
    keep = text.startswith("!")
    body = text[keep:].removeprefix("\\")
    try:
        return Rule(index, text, keep, re.compile(_path_regex(body, keep)))
    except (ValueError, re.error) as error:
        raise UsageError(
            f"Ray cannot read the pattern {visible(text)} in {visible(origin)}.", detail=str(error)
        ) from None


def _path_regex(body: str, keep: bool) -> str:
    segments = _segments(body)
    if segments == ["**"]:
        return ".+$"
    parts = []
    for place, segment in enumerate(segments):
        last = place == len(segments) - 1
        if segment == "**":
            parts.append("/.*" if last else "(?:.+/)?" if place == 0 else "(?:/.+)?")
            continue
        # A leading `**` has taken the slash already.
        slash = "" if place == 0 or (place == 1 and segments[0] == "**") else "/"
        below = "(?:/.*)?" if last and segment != "*" and not keep else ""
        parts.append(slash + _segment_regex(segment) + below)
    return "".join(parts) + "$"


def _segments(body: str) -> list[str]:
    segments = body.split("/")
    if segments[0] == "":
        segments = segments[1:]
    elif segments[0] != "**" and "/" not in body[:-1]:
        segments = ["**", *segments]
    if not segments:
        raise ValueError("the pattern is empty")
    if segments[-1] == "" and len(segments) > 1:
        segments[-1] = "**"
    return segments


_TOKEN = re.compile(
    r"""  \\(?P<escaped>.)            # the next character as it is
        | (?P<loose>\\)$              # nothing to escape: dropped
        | (?P<many>\*)
        | (?P<one>\?)
        | \[(?P<not>!?+)(?P<set>\]?+[^\]]*+)\]
        | (?P<plain>.)
    """,
    re.VERBOSE | re.DOTALL,
)


def _segment_regex(segment: str) -> str:
    if segment == "*":
        return "[^/]+"
    return "".join(_token_regex(token) for token in _TOKEN.finditer(segment))


def _token_regex(token: re.Match[str]) -> str:
    match token.lastgroup:
        case "many":
            return "[^/]*"
        case "one":
            return "[^/]"
        case "set":
            return f"[{'^' if token['not'] else ''}{_set_regex(token['set'])}]"
        case "loose":
            return ""
        case _:
            return re.escape(token["escaped"] or token["plain"])


def _set_regex(content: str) -> str:
    """The inside of a bracket expression, each character escaped so that only ranges keep a meaning."""
    parts = []
    for item in re.finditer(r"(.)-(.)|(.)", content, re.DOTALL):
        low, high, single = item.groups()
        parts.append(re.escape(single) if single else f"{re.escape(low)}-{re.escape(high)}")
    return "".join(parts)
