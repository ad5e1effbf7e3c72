"""Where the corpus of real files is; it is not part of the project, and tests that need it skip without."""

import os
from pathlib import Path

import pytest

from tests.small_sdl import PLAIN

ROOT = Path(__file__).parents[3]


@pytest.fixture
def base() -> str:
    """A small SDL that both parsers take."""
    return PLAIN


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The corpus of real SDLs with the verdicts of both parsers."""
    shared = Path(os.environ.get("RAYAKASH_SHARED", ROOT.parent / "shared"))
    folder = shared / "corpus"
    if not folder.is_dir():
        pytest.skip(f"no corpus at {folder}; set RAYAKASH_SHARED")
    return folder


@pytest.fixture(scope="session")
def corpus_texts(corpus: Path) -> dict[str, str]:
    """Every YAML file of the corpus by its path, decoded but with its line breaks and byte order mark."""
    files = sorted(path for path in corpus.rglob("*") if path.suffix in (".yaml", ".yml"))
    return {str(path.relative_to(corpus)): path.read_bytes().decode() for path in files}
