"""The literal text that every match of a regex holds: searching it first is many times faster.

Everything here errs on the safe side: None, or empty, where a pattern is not understood.
"""

import re

_SPECIAL = frozenset(r".^$*+?{}[]\|()")
_IGNORING = "(?i)"
# Pieces of a pattern outside of groups; groups are skipped by their brackets.
_PIECE = re.compile(
    r"(?P<plain>[^.^$*+?{}\[\]\\|()])|\\(?P<escaped>[^0-9A-Za-z])|(?P<set>\[\^?\]?(?:[^\]\\]|\\.)*\])"
    r"|(?P<optional>[*?]|\{[^}]*\}?)|(?P<more>\+)|(?P<open>\()|(?P<close>\))"
    # An escape with digits is one character, whose digits are not text.
    r"|(?P<other>\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}]*\}|[0-9]{1,3})|\\.|.)",
    re.DOTALL,
)
_SHORTEST = 2


def without_flag(pattern: str) -> tuple[str, bool]:
    """A regex without its `(?i)` at the beginning, and whether there was one."""
    return (pattern[len(_IGNORING) :], True) if pattern.startswith(_IGNORING) else (pattern, False)


def alternatives(pattern: str) -> tuple[str, ...]:
    """The texts of which a regex matches any as it stands, such as those of `warn|error`; empty for other regexes."""
    texts = tuple(pattern.split("|"))
    return () if any(not text or _SPECIAL & set(text) for text in texts) else texts


def required(pattern: str) -> str:
    """The longest text found in every match of a regex; empty where there is none."""
    if "|" in pattern or "(?" in pattern.replace("(?:", ""):
        return ""
    runs, depth = [""], 0
    for piece in _PIECE.finditer(pattern):
        kind = piece.lastgroup
        depth += (kind == "open") - (kind == "close")
        if kind in ("plain", "escaped") and depth == 0:
            runs[-1] += piece[kind]
            continue
        if kind == "optional":
            runs[-1] = runs[-1][:-1]
        runs.append("")
    longest = max(runs, key=len)
    return longest if len(longest) >= _SHORTEST and longest.isprintable() else ""
