"""The figures that the SDL library must reach, over the corpus: `python -m tests.sdl.figures`.

Verdicts against those of the real parsers; files that open and save to the same bytes; edits of single values that
change their span and nothing else, and are undone to the last byte; how long the lint of all real files takes beside
node with the official package; and where a secret is found that went through every command.
"""

import csv
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from cockpit.operations.sdl_editor.editing import EditingSession
from cockpit.sdl.document import SdlDocument, paths_of
from cockpit.sdl.failures import SdlError
from cockpit.sdl.files import read_document, save_document
from cockpit.sdl.nodes import Scalar
from cockpit.sdl.paths import Path as Steps
from cockpit.sdl.rules import accepted_by_go, accepted_by_typescript
from cockpit.sdl.scalars import Simple, meaning
from tests.bench import bench_sdl

SIDES = {"go_parser": accepted_by_go, "ts_head": accepted_by_typescript}
FIXTURES = {"valid": (True, True), "invalid": (False, False), "schema-only-invalid": (True, False)}


class Agreement(NamedTuple):
    """How often we say of files what a real parser says, and of which we do not."""

    what: str
    agreed: int
    total: int
    differing: tuple[str, ...]


class Edits(NamedTuple):
    """What became of setting values: done as it should, refused with a reason, and done wrongly."""

    done: int
    refused: int
    wrong: tuple[str, ...]


def corpus_folder() -> Path | None:
    """Where the corpus is; None where there is none."""
    root = Path(__file__).parents[2]
    folder = Path(os.environ.get("RAYAKASH_SHARED", root.parent / "shared")) / "corpus"
    return folder if folder.is_dir() else None


def corpus_files(corpus: Path) -> list[Path]:
    """Every YAML file of the corpus."""
    return sorted(path for path in corpus.rglob("*") if path.suffix in (".yaml", ".yml"))


# --- verdicts --------------------------------------------------------------------------------------------------------


def agreements(corpus: Path) -> list[Agreement]:
    """Verdicts on real files, on one-rule probes, and on the official fixtures."""
    tables = (("awesome", "awesome-verdicts.tsv", ""), ("edge", "edge-verdicts.tsv", "edge/"))
    found = [_table(corpus, name, table, folder, side) for name, table, folder in tables for side in SIDES]
    return [*found, _fixtures(corpus)]


def _table(corpus: Path, name: str, table: str, folder: str, side: str) -> Agreement:
    with (corpus / table).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    differing = tuple(
        row["file"]
        for row in rows
        if SIDES[side](_document(corpus / (folder + row["file"]))) != (row[side] == "accept")
    )
    return Agreement(f"{name}, {side}", len(rows) - len(differing), len(rows), differing)


def _fixtures(corpus: Path) -> Agreement:
    files = [
        (path, wanted) for folder, wanted in FIXTURES.items() for path in (corpus / "chain-sdk" / folder).iterdir()
    ]
    differing = tuple(path.name for path, wanted in files if _verdicts(_document(path)) != wanted)
    return Agreement("official fixtures, both", len(files) - len(differing), len(files), differing)


def _verdicts(document: SdlDocument) -> tuple[bool, bool]:
    return accepted_by_go(document), accepted_by_typescript(document)


def _document(path: Path) -> SdlDocument:
    return SdlDocument(path.read_bytes().decode())


# --- bytes -----------------------------------------------------------------------------------------------------------


def identical(files: list[Path]) -> Agreement:
    """Files that are the same bytes after they were opened and saved."""
    differing = []
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.yaml"
        for path in files:
            save_document(copy, read_document(path))
            if copy.read_bytes() != path.read_bytes():
                differing.append(path.name)
    return Agreement("opened and saved", len(files) - len(differing), len(files), tuple(differing))


def edits(files: list[Path], *, every: int = 1) -> Edits:
    """Set each value of each file (or one of `every`) to another of its kind, look at the bytes, and undo."""
    done, refused, wrong, count = 0, 0, [], 0
    for path in files:
        session = EditingSession(_document(path).text)
        for steps, node in _values(session.document):
            count += 1
            if count % every:
                continue
            outcome = _edited(session, steps, node)
            done, refused = done + (outcome == "done"), refused + (outcome == "refused")
            if outcome == "wrong":
                wrong.append(f"{path.name}: {steps}")
    return Edits(done, refused, tuple(wrong))


def _values(document: SdlDocument) -> Iterator[tuple[Steps, Scalar]]:
    try:
        yield from list(paths_of(document.tree))
    except SdlError:
        return


def _edited(session: EditingSession, steps: Steps, node: Scalar) -> str:
    before, value = session.text, other(meaning(node))
    try:
        session.apply("set", lambda document: document.set(steps, value))
    except SdlError:
        return "refused" if session.text == before else "wrong"
    after = session.text
    kept = after.startswith(before[: node.start]) and after.endswith(before[node.end :])
    read = session.document.get(steps) == value
    undone = session.undo() is not None and session.text == before
    return "done" if kept and read and undone else "wrong"


def other(value: Simple) -> Simple:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return "other" if value is None else f"{value}x"


# --- beside node, and a secret ---------------------------------------------------------------------------------------

CANARIES = ("tests/sdl/test_canary.py", "tests/secrets/test_canary.py")


def speed() -> tuple[str, bool]:
    """How long the lint takes beside node, in words, and whether it is no slower; True where node is not here."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            result: Any = bench_sdl.compare(3, Path(folder))
    except bench_sdl.SkippedError as reason:
        return f"skipped: {reason}", True
    cpu = result["cpu_s"]
    words = f"{cpu['ours']:.2f} s of the processor, node {cpu['node']:.2f} s ({bench_sdl.PACKAGE})"
    return words, bool(result["ratio"]["cpu"] <= 1)


def canary() -> tuple[str, bool]:
    """What became of the tests that look for a secret everywhere, in words, and whether all passed."""
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", *CANARIES]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    found = re.search(r"^(\d+ (?:passed|failed|error).*?)(?: in [\d.]+s.*)?$", done.stdout, re.MULTILINE)
    return found.group(1) if found else f"pytest ended with {done.returncode}", done.returncode == 0


def main() -> int:
    """Print the figures; 1 where one is not reached."""
    corpus = corpus_folder()
    if corpus is None:
        print("skipped: there is no corpus; set RAYAKASH_SHARED")
        return 0
    rows = agreements(corpus)
    rows.append(identical(corpus_files(corpus)))
    for row in rows:
        print(
            f"{row.what:28} {row.agreed:>4} of {row.total:>4}  {row.agreed / row.total:.1%}  {' '.join(row.differing)}"
        )
    found = edits(corpus_files(corpus))
    print(f"{'values set and undone':28} {found.done:>6}, {found.refused} refused, {len(found.wrong)} wrong")
    reached = not found.wrong and all(row.agreed >= 0.99 * row.total for row in rows)
    for what, measure in (("lint of the real files", speed), ("a secret, looked for", canary)):
        words, good = measure()
        print(f"{what:28} {words}")
        reached = reached and good
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
