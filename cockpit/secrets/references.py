"""From `ac-secret://NAME` to values, with the one store of this process."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from cockpit import settings
from cockpit.errors import UsageError
from cockpit.model.secret import REFERENCE_PREFIX, Secret, reference_name
from cockpit.secrets.command import SecretCommand
from cockpit.secrets.index import Index
from cockpit.secrets.names import DEFAULT_SCOPE
from cockpit.secrets.store import NoValueError, SecretStore
from cockpit.secrets.system_keyring import SystemKeyring
from cockpit.secrets.vault import Vault


def process_store() -> SecretStore:
    """The store of the user who runs this process; a vault opened once stays open until it was idle for long."""
    return _store_in(settings.data_directory())


@lru_cache(maxsize=1)
def _store_in(directory: Path) -> SecretStore:
    return SecretStore(
        keyring=SystemKeyring(),
        vault=Vault(directory / "vault"),
        index=Index(directory / "secrets.json"),
        command=_command,
    )


def _command() -> SecretCommand | None:
    template = settings.load_settings().secret_command
    return SecretCommand(template) if template else None


def resolve_reference(
    reference: str, *, scopes: Sequence[str] = (DEFAULT_SCOPE,), store: SecretStore | None = None
) -> Secret:
    """The value of a reference, looked up in the scopes in their order (`names.scopes_for`).

    Raises UsageError where the reference is malformed, and what `SecretStore.resolve` raises.
    """
    return resolve_references([reference], scopes=scopes, store=store)[reference]


def resolve_references(
    references: Iterable[str], *, scopes: Sequence[str] = (DEFAULT_SCOPE,), store: SecretStore | None = None
) -> dict[str, Secret]:
    """The values of references, each by its reference. Raises as for one; all without a value are named at once."""
    names = {reference: _name_in(reference) for reference in references}
    chosen = store or process_store()
    found: dict[str, Secret] = {}
    failures: list[NoValueError] = []
    for reference, name in names.items():
        try:
            found[reference] = chosen.resolve(name, scopes).value
        except NoValueError as error:
            failures.append(error)
    if failures:
        details = dict.fromkeys(failure.detail for failure in failures if failure.detail)
        raise NoValueError([name for failure in failures for name in failure.names], detail="\n".join(details))
    return found


def _name_in(reference: str) -> str:
    name = reference_name(reference)
    if name is None:
        raise UsageError(
            f"{reference[:80]!r} is not a secret reference.",
            hint=f"Write {REFERENCE_PREFIX}NAME; NAME is made of letters, digits and _, at most 64 of them.",
        )
    return name
