"""Which Akash Console to ask, with which key: by flag, environment, configuration; the key from the secret store."""

import os
from collections.abc import Mapping

from cockpit import settings
from cockpit.clients.akash.console import CONSOLE, ConsoleClient, console_endpoint
from cockpit.errors import AuthenticationError
from cockpit.model.secret import Secret
from cockpit.secrets.references import process_store
from cockpit.secrets.store import NoValueError, SecretStore

KEY_NAME = "AKASH_API_KEY"
KEY_VARIABLES = (KEY_NAME, "AKT_CONSOLE_API_KEY")
URL_VARIABLE = "AKASH_CONSOLE_URL"


def console_url(given: str | None = None, environment: Mapping[str, str] = os.environ) -> str:
    """The Console's address: as given, else by the environment, else `console` in config.toml, else Akash's own."""
    return given or environment.get(URL_VARIABLE) or settings.load_settings().console or CONSOLE


def api_key(store: SecretStore | None = None, environment: Mapping[str, str] = os.environ) -> Secret | None:
    """The key, or None where there is none: from the secret store, else from the environment.

    Raises StoreUnavailableError where the store has one and cannot give it now.
    """
    try:
        return (store or process_store()).resolve(KEY_NAME).value
    except NoValueError:
        value = next((found for name in KEY_VARIABLES if (found := environment.get(name, "").strip())), None)
        return Secret(value) if value else None


def required_key() -> Secret:
    """The key. Raises AuthenticationError where there is none."""
    if (key := api_key()) is None:
        raise AuthenticationError(
            "No API key for Akash Console.",
            status=401,
            hint=f"Make one at https://console.akash.network (Settings, API keys), then store it: "
            f"rayakash-tui secrets set {KEY_NAME}",
            fault="no-api-key",
        )
    return key


def open_console(url: str | None = None, *, with_key: bool = True) -> ConsoleClient:
    """A client of the Console; nothing is sent yet. Raises AuthenticationError and UsageError."""
    return ConsoleClient.at(console_endpoint(console_url(url), required_key() if with_key else None))
