"""The language of the product: plain English, American spelling, none of the phrases that once made it odd."""

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Odd more often than right: "the job has no log" is English, "x is told" is not.
DOUBTFUL = re.compile(
    r"\b(is|are|was|were|has|have) no [a-z]|\b(told|tells of|anew|whoever|somebody|nobody|in vain|stands for|stand in|"
    r"as far as that|for certain|the other way round|what is (held|wanted|meant|asked))\b"
)
FORBIDDEN = re.compile(
    r"(?<!there )\b(is|are|was|were) no (?!longer\b|one\b)[a-z]|"
    r"\b(tells of|anew|whoever|somebody|in vain|the other way round)\b",
    re.IGNORECASE,
)
BRITISH = re.compile(
    r"\b(?:un)?(?:colour|behaviour|honour|favour|neighbour|labell|cancelling|licence|centre|catalogue|"
    r"(?:recogni|organi|normali|summari|seriali|initiali|synchroni|optimi|minimi|maximi|authori|daemoni|customi)s(?:e|ing|ation))",
    re.IGNORECASE,
)


@cache
def texts() -> dict[str, str]:
    """What users and developers read, by file."""
    files = [ROOT / "README.md", ROOT / "CHANGELOG.md"]
    files += [path for path in (ROOT / "cockpit").rglob("*") if path.suffix in {".py", ".md", ".tcss", ".yaml"}]
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in files}


def found(pattern: re.Pattern[str]) -> list[str]:
    """Each line with a match, with where it is."""
    hits = ((name, text, match) for name, text in texts().items() for match in pattern.finditer(text))
    lines = ((name, text.count("\n", 0, match.start()), text) for name, text, match in hits)
    return list(dict.fromkeys(f"{name}:{row + 1}: {text.splitlines()[row].strip()}" for name, row, text in lines))


def test_no_forbidden_phrase_is_left() -> None:
    assert found(FORBIDDEN) == []


def test_at_most_one_doubtful_phrase_in_a_thousand_lines() -> None:
    assert len(found(DOUBTFUL)) <= sum(text.count("\n") for text in texts().values()) // 1000


def test_the_spelling_is_american() -> None:
    assert found(BRITISH) == []
