"""How a place for secrets can fail."""

from cockpit.errors import UsageError


class StoreUnavailableError(UsageError):
    """A place for secrets that cannot be used now; the next one may be tried."""


class LockedError(StoreUnavailableError):
    """The vault is locked, and no passphrase was given."""


class WrongPassphraseError(UsageError):
    """The passphrase does not open the vault."""


class DamagedVaultError(UsageError):
    """The vault is not what we wrote: changed, cut short, or written by a newer version."""
