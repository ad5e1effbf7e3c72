"""The figures that the library must reach, over the whole corpus; `python -m tests.sdl.figures` prints them."""

from pathlib import Path

from tests.sdl.figures import agreements, corpus_files, edits, identical


def test_verdicts(corpus: Path) -> None:
    for found in agreements(corpus):
        assert found.agreed >= 0.99 * found.total, found
    assert agreements(corpus)[-1].differing == ()


def test_bytes(corpus: Path) -> None:
    assert identical(corpus_files(corpus)).differing == ()


def test_edits(corpus: Path) -> None:
    found = edits(corpus_files(corpus))
    assert found.wrong == ()
    assert found.done > 10_000
    assert found.refused < 0.01 * found.done
