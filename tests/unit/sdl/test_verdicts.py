"""The verdicts of both parsers, against those of the real ones for real files and one-rule probes."""

import csv
from pathlib import Path

import pytest

from cockpit.sdl.document import SdlDocument
from cockpit.sdl.rules import accepted_by_go, accepted_by_typescript

# Files on which we disagree with a real parser, and why. Empty: none is known.
DISAGREEMENTS: dict[tuple[str, str], str] = {}


def _rows(corpus: Path, table: str, folder: str) -> list[tuple[str, bool, bool]]:
    with (corpus / table).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [(folder + row["file"], row["go_parser"] == "accept", row["ts_head"] == "accept") for row in rows]


def _verdicts(corpus: Path, name: str) -> tuple[bool, bool]:
    document = SdlDocument((corpus / name).read_bytes().decode())
    return accepted_by_go(document), accepted_by_typescript(document)


@pytest.mark.parametrize(("table", "folder"), [("awesome-verdicts.tsv", ""), ("edge-verdicts.tsv", "edge/")])
def test_verdicts_equal_those_of_the_real_parsers(corpus: Path, table: str, folder: str) -> None:
    rows = _rows(corpus, table, folder)
    wrong = []
    for name, go, typescript in rows:
        for side, ours, theirs in zip(("go", "typescript"), _verdicts(corpus, name), (go, typescript), strict=True):
            if ours != theirs and (name, side) not in DISAGREEMENTS:
                wrong.append((name, side, ours))
    assert len(rows) > 200
    assert not wrong
    assert len(DISAGREEMENTS) <= len(rows) / 100


@pytest.mark.parametrize(
    ("folder", "go", "typescript"),
    [("valid", True, True), ("invalid", False, False), ("schema-only-invalid", True, False)],
)
def test_official_fixtures(corpus: Path, folder: str, go: bool, typescript: bool) -> None:
    files = sorted((corpus / "chain-sdk" / folder).iterdir())
    assert files
    found = {path.name: _verdicts(corpus, str(path.relative_to(corpus))) for path in files}
    assert found == {path.name: (go, typescript) for path in files}
