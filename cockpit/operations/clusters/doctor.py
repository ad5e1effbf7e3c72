"""This machine and every cluster that has a name, examined; nothing secret is part of what is found."""

import asyncio
import os
import platform
import shutil
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import msgspec

from cockpit import __version__, settings
from cockpit.clients.tokens import variable_with_address
from cockpit.errors import CockpitError, UsageError
from cockpit.operations.background import aside
from cockpit.operations.clusters.connect import Selection
from cockpit.operations.clusters.contexts import KnownList, known_clusters
from cockpit.operations.clusters.diagnosis import Check, Diagnosis, diagnose, failed
from cockpit.secrets.overview import status
from cockpit.secrets.references import process_store
from cockpit.settings import writable_by_others

AT_ONCE = 4
NOT_A_SCREEN = ("", "dumb", "unknown")
PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


class Report(msgspec.Struct, frozen=True):
    """What was found of the machine, and of each cluster."""

    checks: tuple[Check, ...]
    clusters: tuple[Diagnosis, ...]

    @property
    def is_well(self) -> bool:
        """Whether nothing has failed; what only needs a look does not count."""
        every = [*self.checks, *(check for one in self.clusters for check in one.checks)]
        return all(check.state != "fail" for check in every)

    @property
    def faults(self) -> list[str]:
        """Every fault, those of a cluster with its name in front."""
        own = [check.fault for check in self.checks if check.fault]
        return [*own, *(f"{one.name}:{fault}" for one in self.clusters for fault in one.faults)]


async def examine(selections: dict[str, Selection] | None = None) -> Report:
    """Examine the machine, and these clusters by name, or all that are known."""
    checks = await aside(lambda: machine_checks(os.environ))
    return Report(tuple(checks), tuple(await examine_clusters(selections or known_selections())))


def known_selections(environment: Mapping[str, str] = os.environ) -> dict[str, Selection]:
    """Every cluster that has a name, and the one that the environment names."""
    try:
        known = known_clusters()
    except UsageError:  # reported among the checks of the machine
        known = KnownList(())
    found = {row.name: Selection(context=row.name) for row in known.rows}
    if (variable := variable_with_address(environment)) is not None:
        found[variable] = Selection(address=environment[variable])
    return found


async def examine_clusters(selections: Mapping[str, Selection]) -> list[Diagnosis]:
    """Examine several clusters side by side."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(name: str, selection: Selection) -> Diagnosis:
        async with turn:
            return await diagnose(selection, name)

    return list(await asyncio.gather(*(one(name, selection) for name, selection in selections.items())))


def machine_checks(environment: Mapping[str, str]) -> list[Check]:
    """What of this machine matters to the cockpit. The keyring may take its time."""
    found = [_python(), _terminal(environment), _colors(environment), *_config(), *_directories(), *_own_files()]
    return [*found, *_secrets(), _ssh(), _local_ray(), _proxies(environment)]


def _python() -> Check:
    words = f"Python {platform.python_version()} at {sys.executable}; rayakash-tui {__version__}"
    return Check(name="python", state="ok", words=words)


def _terminal(environment: Mapping[str, str]) -> Check:
    term = environment.get("TERM", "")
    if not sys.stdout.isatty():
        return Check(name="terminal", state="skip", words="stdout is not a terminal")
    if term in NOT_A_SCREEN:
        words = f"TERM={term or 'is not set'}: it cannot draw a screen"
        hint = "Use the commands, or set TERM to what the terminal is."
        return Check(name="terminal", state="warn", words=words, hint=hint, fault="terminal-dumb")
    size = shutil.get_terminal_size()
    over = ", over ssh" if "SSH_CONNECTION" in environment else ""
    return Check(name="terminal", state="ok", words=f"{term}, {size.columns}x{size.lines}{over}")


def _colors(environment: Mapping[str, str]) -> Check:
    encoding = (sys.stdout.encoding or "ascii").lower()
    text = f"text is {encoding}"
    if environment.get("NO_COLOR"):
        return Check(name="colors", state="ok", words=f"none, since NO_COLOR is set; {text}")
    term = environment.get("TERM", "")
    many = "truecolor" in environment.get("COLORTERM", "") or "24bit" in environment.get("COLORTERM", "")
    words = "16 million" if many else "256" if "256" in term else "16, by TERM and COLORTERM"
    if encoding.replace("-", "") not in ("utf8", "utf16", "utf32"):
        hint = "Set a UTF-8 locale, such as LANG=C.UTF-8, for the better glyphs."
        return Check(name="colors", state="warn", words=f"{words}; {text}", hint=hint, fault="no-unicode")
    return Check(name="colors", state="ok", words=f"{words}; {text}")


def _config() -> list[Check]:
    path = settings.config_file()
    try:
        found = settings.load_settings()
        current = settings.current_context()
    except CockpitError as error:
        return [msgspec.structs.replace(failed("config", error), fault="config-unreadable")]
    problems = [
        Check(name="config", state="fail", words=problem, hint="The rest of the file is used.", fault="config")
        for problem in found.problems
    ]
    if current is not None and known_clusters().row(current) is None:
        words = f"The cluster in use is {current}, which is no longer saved."
        hint = "Choose one with `rayakash-tui clusters use NAME`."
        problems.append(Check(name="config", state="fail", words=words, hint=hint, fault="current-unknown"))
    if problems:
        return problems
    count = len(found.contexts)
    words = (
        f"{path}, {count} cluster{'' if count == 1 else 's'}"
        if path.exists()
        else f"{path} is not there; none is needed"
    )
    return [Check(name="config", state="ok", words=words)]


def _directories() -> list[Check]:
    places = {settings.config_directory(), settings.state_directory(), settings.data_directory()}
    bad = [path for path in sorted(places) if not _is_writable(path)]
    if not bad:
        return [Check(name="directories", state="ok", words="can be written to")]
    return [
        Check(
            name="directories",
            state="fail",
            words=f"{path} cannot be written to.",
            hint="The cockpit cannot write there: check its owner and mode.",
            fault="directory-unwritable",
        )
        for path in bad
    ]


def _own_files() -> list[Check]:
    """Files that decide whom to trust and where secrets are; config.toml is examined with its contents."""
    data = settings.data_directory()
    paths = (settings.consents_file(), data / "vault", data / "secrets.json")
    open_to_others = dict.fromkeys(words for path in paths if path.exists() and (words := writable_by_others(path)))
    return [Check(name="files", state="fail", words=words, fault="file-open-to-others") for words in open_to_others]


def _is_writable(path: Path) -> bool:
    """Whether files can be made there, or the directory itself where it is missing."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path.is_dir() and os.access(path, os.W_OK | os.X_OK)


def _secrets() -> list[Check]:
    try:
        found = status(process_store())
    except CockpitError as error:
        return [msgspec.structs.replace(failed("secrets", error), fault="secrets-unreadable")]
    keyring, vault = found.keyring, found.vault
    words = f"{keyring.backend}" if keyring.is_usable else f"none: {keyring.reason}"
    rows = [Check(name="keyring", state="ok" if keyring.is_usable else "skip", words=words)]
    if vault.exists:
        state = "unlocked" if vault.is_unlocked else "locked"
        rows.append(Check(name="vault", state="ok", words=f"{vault.path}, {state}"))
    if found.place == "session":
        hint = "Use a keyring, or a vault: `rayakash-tui secrets status` explains why it is missing."
        words = "New secrets live in memory only."
        rows.append(Check(name="secrets", state="warn", words=words, hint=hint, fault="secrets-in-memory"))
    return rows


def _ssh() -> Check:
    path = shutil.which("ssh")
    if path is None:
        return Check(name="ssh", state="skip", words="not found; it is needed for clusters behind a bastion only")
    return Check(name="ssh", state="ok", words=path)


def _local_ray() -> Check:
    try:
        return Check(name="local ray", state="ok", words=f"Ray {metadata.version('ray')} is installed")
    except metadata.PackageNotFoundError:
        return Check(name="local ray", state="skip", words="not installed; only `demo` and `local up` need it")


def _proxies(environment: Mapping[str, str]) -> Check:
    # Their values may hold a password.
    named = [name for name in PROXY_VARIABLES if environment.get(name)]
    words = f"{', '.join(named)} set; used where a context says proxy = true" if named else "none is named"
    return Check(name="proxies", state="ok", words=words)
