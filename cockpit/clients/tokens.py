"""Ray's own places for a token, and where one found there may go."""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from cockpit.clients.address import Address, parse_address
from cockpit.errors import UsageError
from cockpit.model.secret import Secret
from cockpit.settings import read_file

LARGEST_TOKEN_FILE = 64 * 1024

OUR_VARIABLE = "RAYAKASH_ADDRESS"
ADDRESS_VARIABLES = ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS")


class FoundToken(msgspec.Struct, frozen=True):
    """A token and the words that tell where it was found."""

    value: Secret
    source: str


def checked_token(text: str, source: str) -> Secret:
    """`text` without white space around it. Raises UsageError where it cannot be a token."""
    token = text.strip()
    if not token:
        raise UsageError(f"The token in {source} is empty.")
    if not token.isascii() or any(character.isspace() or not character.isprintable() for character in token):
        raise UsageError(f"The token in {source} contains invalid characters.")
    return Secret(token)


def read_token_file(path: Path) -> Secret:
    """The token in a file; a newline at its end does no harm. Raises UsageError."""
    try:
        text = read_file(path, LARGEST_TOKEN_FILE).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The token file {path} cannot be read.", detail=str(error)) from error
    return checked_token(text, str(path))


def find_ray_token(environment: Mapping[str, str] = os.environ, home: Path | None = None) -> FoundToken | None:
    """The token where Ray itself looks: `RAY_AUTH_TOKEN`, the file of `RAY_AUTH_TOKEN_PATH`, `~/.ray/auth_token`.

    The order is Ray's (ray-api section 7). Raises UsageError where a named file cannot be read.
    """
    if environment.get("RAY_AUTH_TOKEN"):
        return FoundToken(checked_token(environment["RAY_AUTH_TOKEN"], "RAY_AUTH_TOKEN"), "RAY_AUTH_TOKEN")
    if environment.get("RAY_AUTH_TOKEN_PATH"):
        path = Path(os.path.expanduser(environment["RAY_AUTH_TOKEN_PATH"]))
        return FoundToken(read_token_file(path), f"RAY_AUTH_TOKEN_PATH ({path})")
    path = (home or Path(os.path.expanduser("~"))) / ".ray" / "auth_token"  # Path.home() fails without a home
    if os.path.isfile(path):
        return FoundToken(read_token_file(path), str(path))
    return None


def address_in(environment: Mapping[str, str], name: str) -> Address:
    """The address in a variable. Raises UsageError that names the variable."""
    try:
        return parse_address(environment[name])
    except UsageError as error:
        error.hint = f"It is set in the environment variable {name}. {error.hint}"
        raise


def variable_with_address(environment: Mapping[str, str] = os.environ) -> str | None:
    """The environment variable that names the cluster where no flag does, Ray's own by Ray's order of preference."""
    return OUR_VARIABLE if environment.get(OUR_VARIABLE) else next(_variables_with_url(environment), None)


def origins_named_by_ray(environment: Mapping[str, str] = os.environ) -> set[str]:
    """Scheme, host and port of every http(s) address in Ray's own environment variables; what is none is none."""
    origins = set()
    for name in _variables_with_url(environment):
        with suppress(UsageError):
            origins.add(parse_address(environment[name]).origin)
    return origins


def _variables_with_url(environment: Mapping[str, str]) -> Iterator[str]:
    """Ray's variables that hold a URL of HTTP: they may also hold the address of a GCS, or `auto`."""
    return (name for name in ADDRESS_VARIABLES if environment.get(name, "").startswith(("http://", "https://")))
