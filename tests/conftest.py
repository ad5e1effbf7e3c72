"""Rules for every test: a home of its own, and under RAYAKASH_STRICT=1 no skip that is not on the list."""

import compileall
import os
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

ALLOWED_SKIPS = Path(__file__).parent / "allowed_skips.txt"
PROGRAM = Path(__file__).parent.parent / "cockpit"
ONE_WORKER = {"live", "compat", "depth"}
STRICT = os.environ.get("RAYAKASH_STRICT") == "1"

_unexpected: list[str] = []

# How long an example takes is the machine's affair.
hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.load_profile("here")


@pytest.fixture(autouse=True)
def _own_home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test sees the settings, the state or the clusters of whoever runs it."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name in [name for name in os.environ if name.startswith(("XDG_", "RAY_", "RAYAKASH_SECRET_"))]:
        monkeypatch.delenv(name)
    # Nor does any test reach the keyring of whoever runs it.
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    # Nor Akash Console.
    monkeypatch.setenv("AKASH_CONSOLE_URL", "http://127.0.0.1:9")
    for name in (
        "DBUS_SESSION_BUS_ADDRESS",
        "RAYAKASH_VAULT_PASSPHRASE",
        "RAYAKASH_ADDRESS",
        "AKASH_API_KEY",
        "AKT_CONSOLE_API_KEY",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
        "SSH_CONNECTION",
        "NO_COLOR",
        "COLUMNS",
        "LINES",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session", autouse=True)
def _no_image_registry() -> Iterator[None]:
    """No test asks the registries of the world; those of an image say what it is to hear."""
    from cockpit.errors import UnreachableError

    async def silent(*_: object) -> None:
        raise UnreachableError("No registry in tests.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cockpit.operations.deployments.images.LOOKUP", silent)
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with recorded replies and real files, which is not part of the project."""
    path = Path(os.environ.get("RAYAKASH_SHARED", Path(__file__).parent.parent.parent / "shared"))
    if not path.is_dir():
        pytest.skip("needs the folder of recorded replies: set RAYAKASH_SHARED")
    return path.resolve()


def pytest_configure(config: pytest.Config) -> None:
    """Declare a marker beside those of pyproject.toml, and compile the program.

    Where Python is told to keep no bytecode, each process of a test would compile it anew: 0.2 s of every start.
    """
    if sys.dont_write_bytecode and not hasattr(config, "workerinput"):
        compileall.compile_dir(PROGRAM, quiet=1)
    words = "holds the simulated Console against its document with Prism; by `make test-prism`"
    config.addinivalue_line("markers", f"prism: {words}")


class _ByFile(LoadScopeScheduling):  # type: ignore[misc]
    """With several workers, a file stays with one of them, and so do all tests that share one real Ray.

    By the test's ID: xdist 3.8 writes its groups into an attribute that pytest 9.2 no longer has.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = PurePosixPath(nodeid.partition("::")[0])
        return path.parent.name if path.parent.name in ONE_WORKER else str(path)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """The scheduler above, whatever `--dist` says."""
    return _ByFile(config, log)


def _is_allowed(nodeid: str) -> bool:
    lines = ALLOWED_SKIPS.read_text().splitlines()
    return any(line and not line.startswith("#") and nodeid.startswith(line.split(maxsplit=1)[0]) for line in lines)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note what was skipped."""
    if STRICT and report.skipped and not hasattr(report, "wasxfail") and not _is_allowed(report.nodeid):
        _unexpected.append(f"{report.nodeid}: {report.longrepr[-1] if isinstance(report.longrepr, tuple) else ''}")


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """A whole module that skips itself counts too."""
    if STRICT and report.skipped and not _is_allowed(report.nodeid):
        _unexpected.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a strict run that skipped what it should have run."""
    if _unexpected and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the skips that are not allowed."""
    for line in _unexpected:
        terminalreporter.write_line(f"skip that is not in {ALLOWED_SKIPS.name}: {line}", red=True)
