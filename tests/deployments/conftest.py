"""A user of the test's own, whose journals are empty."""

from pathlib import Path

import pytest

from tests.wire.commands import DIRECTORIES


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Directories of the test's own."""
    # No question to a keyring of whoever runs the tests.
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    for name in DIRECTORIES:
        monkeypatch.setenv(name, str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def session_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The secrets of the templates come from the environment."""
    for name in ("RAY_AUTH_TOKEN", "GATEWAY_TLS_CERTIFICATE", "GATEWAY_TLS_KEY"):
        monkeypatch.setenv(f"RAYAKASH_SECRET_{name}", "canary-" + "x" * 40)
