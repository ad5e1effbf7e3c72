"""What a context says about trust and access, checked, with its references resolved for the moment of use."""

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from cockpit.clients.endpoint import Authorization, Basic
from cockpit.clients.tls import Tls
from cockpit.errors import UsageError
from cockpit.model.certificates import parse_fingerprint
from cockpit.model.env_names import is_secret_looking
from cockpit.model.secret import REFERENCE_PREFIX, Secret
from cockpit.secrets.references import resolve_references
from cockpit.settings import Context

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_CARRIES_SECRETS = frozenset(("authorization", "proxy-authorization", "cookie"))
# The connection's own, and those by which Ray knows a browser, to which it answers 405 (ray-api section 7).
_NOT_YOURS = re.compile(
    r"connection|content-.*|transfer-encoding|host|te|upgrade|x-ray-authorization"
    r"|origin|referer|sec-.*|access-control-.*"
)


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """What a context brings along beside the token: values for a proxy in front of the cluster."""

    authorization: Authorization = "bearer"
    headers: dict[str, Secret] = {}
    cookies: dict[str, Secret] = {}
    basic: Basic | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing that a stranger must not read."""
        return not (self.headers or self.cookies or self.basic)


def tls_of(name: str, context: Context) -> Tls:
    """Whom the context trusts, and what it shows. Raises UsageError for what contradicts itself."""
    if not context.verify and (context.pin or context.ca):
        both = "pin" if context.pin else "ca"
        raise UsageError(f"The context {name} has both {both} and verify = false.", hint="Remove one of them.")
    if context.client_key and not context.client_cert:
        raise UsageError(f"The context {name} has a client_key without a client_cert.")
    try:
        pin = parse_fingerprint(context.pin) if context.pin else None
    except UsageError as error:
        raise UsageError(f"The pin of context {name} is not usable: {error.title}", hint=error.hint) from None
    return Tls(
        pin=pin,
        ca=_file(context.ca),
        verify=context.verify,
        client_cert=_file(context.client_cert),
        client_key=_file(context.client_key),
    )


def _file(text: str | None) -> Path | None:
    return Path(text).expanduser() if text else None


def access_of(name: str, context: Context, scopes: tuple[str, ...]) -> Access:
    """The values for what stands in front of the cluster.

    Raises UsageError for a secret in plain text and for what no header can carry, and what resolving references raises.
    """
    texts = {f"headers.{key}": text for key, text in context.headers.items()}
    texts |= {f"cookies.{key}": text for key, text in context.cookies.items()}
    if context.basic is not None:
        texts["basic.password"] = context.basic.password
    for place, text in texts.items():
        _check_text(name, place, text)
    values = _resolved(name, texts, scopes)
    authorization = _authorization(name, context)
    return Access(
        authorization=authorization,
        headers={key: values[f"headers.{key}"] for key in context.headers},
        cookies={key: values[f"cookies.{key}"] for key in context.cookies},
        basic=Basic(context.basic.user, values["basic.password"]) if context.basic else None,
    )


def _authorization(name: str, context: Context) -> Authorization:
    """Where the token goes: not in Authorization where that is taken."""
    taken = context.basic is not None or any(key.lower() == "authorization" for key in context.headers)
    if context.basic is not None and any(key.lower() == "authorization" for key in context.headers):
        raise UsageError(f"The context {name} has both basic and an Authorization header.", hint="Remove one of them.")
    if taken and context.authorization == "bearer":
        raise UsageError(
            f"The context {name} fills Authorization twice: with the token and for a proxy.",
            hint='Write authorization = "x-ray", which sends the token as X-Ray-Authorization.',
        )
    return context.authorization or ("x-ray" if taken else "bearer")


def _check_text(name: str, place: str, text: str) -> None:
    kind, _, key = place.partition(".")
    if kind != "basic" and not _HEADER_NAME.fullmatch(key):
        raise UsageError(f"The context {name} has {kind} with a name that cannot be sent.")
    if kind == "headers" and _NOT_YOURS.fullmatch(key.lower()):
        raise UsageError(f"The context {name} must not set the header {key}.")
    may_be_plain = kind == "headers" and key.lower() not in _CARRIES_SECRETS and not is_secret_looking(key)
    if REFERENCE_PREFIX not in text and not may_be_plain:
        raise plain_secret(name, place)


def plain_secret(name: str, place: str) -> UsageError:
    """The error for a value that should be a reference; it is not repeated."""
    return UsageError(
        f"The context {name} has a secret in plain text: {place}.",
        hint=f"Keep it with `rayakash-tui secrets set NAME`, and write {REFERENCE_PREFIX}NAME there.",
    )


def _resolved(name: str, texts: Mapping[str, str], scopes: tuple[str, ...]) -> dict[str, Secret]:
    """Texts with the reference at their end replaced by its value, as in `Bearer ac-secret://NAME`."""
    parts = {place: text.partition(REFERENCE_PREFIX) for place, text in texts.items()}
    references = {place: mark + rest for place, (_, mark, rest) in parts.items() if mark}
    values = resolve_references(references.values(), scopes=scopes)
    found = {}
    for place, (before, _, _) in parts.items():
        value = values[references[place]].reveal() if place in references else ""
        found[place] = Secret(_checked(name, place, before + value.strip()))
    return found


def _checked(name: str, place: str, value: str) -> str:
    """A value that a header can carry; the error does not repeat it."""
    if place == "basic.password":
        return value
    forbidden = ";, " if place.startswith("cookies.") else ""
    if not value.isascii() or not value.isprintable() or any(character in value for character in forbidden):
        raise UsageError(f"The value of {place} in the context {name} contains characters that cannot be sent.")
    return value
