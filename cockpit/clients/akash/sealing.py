"""Sealing secret values for the Console: a compact JWE that only it opens, for one SDL and a few minutes.

RSA-OAEP-256 with A256GCM; the protected header binds the seal to key, account, time and the SDL's exact bytes. With
it the Console's readers cannot see the values; the provider still gets them in the manifest.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cockpit.clients.akash.console import SealContext
from cockpit.errors import ServerError, UsageError
from cockpit.model.secret import Secret

ALGORITHM, ENCRYPTION = "RSA-OAEP-256", "A256GCM"
VALID_S = 5 * 60  # the Console takes 15 minutes at most, and clocks differ
MOST_VALUES = 100
LARGEST_VALUE = 16 * 1024  # as JSON
_CLAIMS = {"kid", "sub", "exp", "sdlHash"}
_KEY_BITS = range(2048, 8193)


def sdl_hash(sdl: str) -> str:
    """The claim that binds a seal to an SDL: base64url, without padding, of the SHA-256 of its bytes."""
    return base64.urlsafe_b64encode(hashlib.sha256(sdl.encode()).digest()).rstrip(b"=").decode()


def seal(context: SealContext, values: Mapping[str, Secret], *, sdl: str | None, now: float) -> str:
    """The values by name, sealed; `now` in seconds since the epoch. Without an `sdl` the seal fits any, for a patch.

    Raises UsageError for values that the Console would refuse, ServerError for a key that is not fit for sealing.
    """
    _check_values(values)
    _check_context(context)
    from joserfc import jwe
    from joserfc.errors import JoseError
    from joserfc.jwk import RSAKey

    header: dict[str, Any] = {"alg": ALGORITHM, "enc": ENCRYPTION, "kid": context.kid, "sub": context.sub}
    header["exp"] = int(now) + VALID_S
    if sdl is not None:
        header["sdlHash"] = sdl_hash(sdl)
    text = json.dumps({name: value.reveal() for name, value in values.items()})
    registry = jwe.JWERegistry(algorithms=[ALGORITHM, ENCRYPTION], strict_check_header=False)
    try:
        key = RSAKey.import_key({name: str(context.jwk[name]) for name in ("kty", "n", "e")})
        if key.public_key.key_size not in _KEY_BITS:
            raise _unfit(f"it has {key.public_key.key_size} bits")
        return str(jwe.encrypt_compact(header, text.encode(), key, registry=registry))
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise _unfit(type(error).__name__) from None  # its words could hold what was to be sealed


def _check_values(values: Mapping[str, Secret]) -> None:
    if len(values) > MOST_VALUES:
        raise UsageError(f"Akash Console seals at most {MOST_VALUES} secrets for a deployment; got {len(values)}.")
    for name, value in values.items():
        if len(json.dumps(value.reveal())) > LARGEST_VALUE:
            raise UsageError(
                f"Secret {name} is larger than {LARGEST_VALUE // 1024} KiB, which Akash Console does not seal."
            )


def _check_context(context: SealContext) -> None:
    jwk = context.jwk
    if not context.kid or not context.sub:
        raise _unfit("it does not say whose it is")
    if jwk.get("kty") != "RSA" or jwk.get("use", "enc") != "enc" or jwk.get("alg", ALGORITHM) != ALGORITHM:
        raise _unfit(f"it is not an RSA key for {ALGORITHM}")
    if jwk.get("kid", context.kid) != context.kid:
        raise _unfit("it names two key IDs")
    if unknown := set(context.required_claims) - _CLAIMS:
        raise _unfit(f"it asks for claims that are not known here: {', '.join(sorted(unknown))}")


def _unfit(why: str) -> ServerError:
    return ServerError(
        f"Akash Console's sealing key cannot be used: {why}. No secret was sent.",
        hint="Update rayakash-tui, or deploy with the values inside the SDL.",
        fault="seal-key",
    )
