"""The language of the product: plain English, American spelling, none of the phrases that once made it odd."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Odd more often than right: "the job has no log" is English, "x is told" is not.
DOUBTFUL = re.compile(
    r"\b(is|are|was|were|has|have) no [a-z]|\b(told|tells of|anew|whoever|somebody|nobody|in vain|stands for|stand in|"
    r"as far as that|for certain|the other way round|what is (held|wanted|meant|asked))\b"
)
FORBIDDEN = re.compile(
    r"\b(is|are|was|were) no (?!longer\b|one\b)[a-z]|\b(tells of|anew|whoever|somebody|in vain|the other way round)\b",
    re.IGNORECASE,
)
BRITISH = re.compile(
    r"\b(?:un)?(?:colour|behaviour|honour|favour|neighbour|labell|cancelling|licence|centre|catalogue|"
    r"(?:recogni|organi|normali|summari|seriali|initiali|synchroni|optimi|minimi|maximi|authori|daemoni|customi)s(?:e|ing|ation))",
    re.IGNORECASE,
)


def lines() -> Iterator[tuple[str, str]]:
    """Each line of what users and developers read, with where it is."""
    files = [ROOT / "README.md", ROOT / "CHANGELOG.md"]
    files += [
        path for path in (ROOT / "cockpit").rglob("*") if path.suffix in {".py", ".md", ".tcss", ".toml", ".yaml"}
    ]
    for path in files:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            yield f"{path.relative_to(ROOT)}:{number}", line


def found(pattern: re.Pattern[str]) -> list[str]:
    return [f"{place}: {line.strip()}" for place, line in lines() if pattern.search(line)]


def test_no_forbidden_phrase_is_left() -> None:
    assert found(FORBIDDEN) == []


def test_at_most_one_doubtful_phrase_in_a_thousand_lines() -> None:
    assert len(found(DOUBTFUL)) <= sum(1 for _ in lines()) // 1000


def test_the_spelling_is_american() -> None:
    assert found(BRITISH) == []
