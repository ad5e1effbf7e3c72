"""Secrets that are known by how they look, whatever the name in front of them: the one table of such shapes.

The prefixes are those that their issuers publish. The part of a match that is the secret is its group `it`.
"""

import re
from collections.abc import Iterator
from typing import Any

from msgspec.structs import force_setattr

WITHHELD = "<withheld>"

_SHAPES = (
    # user:password@ of a URL; the user may be missing, as for Redis.
    r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s/@:\"'<>]*:(?P<it>[^\s/@\"'<>]{3,})@(?=[\w\[$])",
    # The value of an option, also those of mysql, curl and redis.
    r"(?<![\w-])--?(?:auth-?token|access-?token|api-?key|api-?token|token|password|passwd|secret(?:-key)?)"
    r"(?:=|\s+)[\"']?(?P<it>[^\s\"'\\;|&<>()-][^\s\"'\\;|&<>()]{5,})",
    r"\bmysql(?:dump|admin|import)?\b[^\n|;&]{0,200}?\s-p[\"']?(?P<it>[^\s\"';|&-][^\s\"';|&]{2,})",
    r"\bcurl\b[^\n|;&]{0,200}?\s(?:-u|--user)\s+[\"']?[^\s:\"']+:(?P<it>[^\s\"';|&]{3,})",
    r"(?i:\bauthorization[\"']?\s*[:=]\s*[\"']?(?:bearer|basic|token))\s+(?P<it>[A-Za-z0-9._~+/=-]{8,})",
    r"\b[Bb]earer\s+(?P<it>(?=[A-Za-z._~+/=-]*\d)[A-Za-z0-9._~+/=-]{16,})",
    r"(?i:[\"'](?:password|passwd|secret|client_secret|private_key|api_?key|access_?token)\\?[\"'])\s*:\s*"
    r"\\?\"(?P<it>[^\"\\]{3,})",
    # Hugging Face, GitHub, GitLab, Amazon, Google, Slack, Discord, OpenAI and those who write keys as it does.
    r"\b(?P<it>hf_[A-Za-z0-9]{30,})\b",
    r"\b(?P<it>(?:gh[opsur]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,}))\b",
    r"\b(?P<it>glpat-[A-Za-z0-9_-]{20,})",
    r"\b(?P<it>(?:AKIA|ASIA)[A-Z0-9]{16})\b",
    r"\b(?P<it>AIza[A-Za-z0-9_-]{35})",
    r"\b(?P<it>xox[abeoprs]-[A-Za-z0-9-]{10,})",
    r"\bhttps://hooks\.slack\.com/(?:services|workflows)/(?P<it>[A-Za-z0-9_/-]{20,})",
    r"\bhttps://(?:\w+\.)?discord(?:app)?\.com/api/webhooks/(?P<it>\d+/[A-Za-z0-9_-]{20,})",
    r"(?<![\w-])(?P<it>sk-(?=[A-Za-z_-]*\d)(?:[a-z]+-)*[A-Za-z0-9_]{20,})",
    r"(?P<it>-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?:[\s\S]*?-----END [A-Z0-9 ]*PRIVATE KEY-----|[\s\S]*))",
)
_PATTERNS = tuple(re.compile(shape) for shape in _SHAPES)
# Without one of these no shape can match: most texts are through after one look.
_HINTS = re.compile(
    r"://[^\s/@]*:|(?i:token|passw|secret|key|authorization|bearer|mysql|curl)|hf_|gh[opsur]_|github_pat_|glpat-|A[KS]IA|AIza|xox"
    r"|hooks\.slack|discord|sk-|-----BEGIN"
)
# Comes from elsewhere, or is to be filled in.
_STAND_IN = re.compile(
    r"[$%{<*]|\(|ac-secret:|.*(?:\$[{(\w]|\{\{|<)|(?i:x+|\.+|none|null|true|false|changeme|change[-_]?me|(?:your|my|the)[-_].*"
    r"|pass(?:word)?|secret|token|.*example.*|.*placeholder.*|.*withheld.*)(?:[@:]|$)"
)


def secret_parts(text: str) -> Iterator[tuple[int, int]]:
    """Where a text contains secrets of a known shape, unordered; not references and placeholders."""
    if not _HINTS.search(text):
        return
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            if not _STAND_IN.match(match["it"]):
                yield match.span("it")


def holds_secret(text: str) -> bool:
    """Whether a text contains a secret of a known shape."""
    return next(secret_parts(text), None) is not None


def without_secrets(text: str) -> str:
    """The text with `WITHHELD` in the place of each secret of a known shape."""
    shown, end = [], 0
    for start, stop in sorted(secret_parts(text)):
        if start >= end:
            shown += [text[end:start], WITHHELD]
        end = max(end, stop)
    return "".join((*shown, text[end:]))


def withhold_in(facts: Any, *fields: str) -> None:
    """Take secrets of a known shape out of texts of a struct as it is made, frozen or not.

    For texts that a cluster writes about what failed: they quote commands, addresses and variables of its users.
    """
    for field in fields:
        text = getattr(facts, field)
        if text and (shown := without_secrets(text)) != text:
            force_setattr(facts, field, shown)
