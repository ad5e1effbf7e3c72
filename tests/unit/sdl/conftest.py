"""Where the corpus of real files is; it is not part of the project, and tests that need it skip without."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

BASE = """\
version: "2.0"
services:
  web:
    image: nginx:1.27
    expose:
      - port: 80
        as: 80
        to:
          - global: true
profiles:
  compute:
    web:
      resources:
        cpu:
          units: 0.5
        memory:
          size: 512Mi
        storage:
          size: 512Mi
  placement:
    dc:
      pricing:
        web:
          denom: uact
          amount: 1000
deployment:
  web:
    dc:
      profile: web
      count: 1
"""


@pytest.fixture
def base() -> str:
    """A small SDL that both parsers take."""
    return BASE


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
