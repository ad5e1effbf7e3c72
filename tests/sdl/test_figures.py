"""The figures that the library must reach; `python -m tests.sdl.figures` prints them, over every value."""

from pathlib import Path

import pytest

from tests.sdl.figures import agreements, corpus_files, edits, identical


@pytest.mark.lengthy
def test_verdicts(corpus: Path) -> None:
    figures = agreements(corpus)
    for found in figures:
        assert found.agreed >= 0.99 * found.total, found
    assert figures[-1].differing == ()


def test_bytes(corpus: Path) -> None:
    assert identical(corpus_files(corpus)).differing == ()


@pytest.mark.lengthy
def test_edits(corpus: Path) -> None:
    found = edits(corpus_files(corpus), every=5)
    assert found.wrong == ()
    assert found.done > 2_000
    assert found.refused < 0.01 * found.done
