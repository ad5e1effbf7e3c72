"""One recorded session for each test."""

from pathlib import Path

import pytest

from tests.unit.recording.session import Session


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(tmp_path / "session.rec")
