"""The Console's side of sealed secrets: the key that it hands out, and the checks with which it opens a seal."""

import base64
import functools
import hashlib
import json
from typing import Any

LONGEST_SEAL_S = 15 * 60


class SealError(Exception):
    """The Console does not take a seal."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


@functools.cache
def _key() -> Any:
    """One key for all: to make one takes a tenth of a second."""
    from joserfc.jwk import RSAKey

    return RSAKey.generate_key(2048, {"use": "enc", "alg": "RSA-OAEP-256", "kid": "sim-1"}, auto_kid=False)


class SealBox:
    """Opens what was sealed for one user; `opened` are the values of the last seal."""

    def __init__(self, user: str) -> None:
        self.user = user
        self.kid = "sim-1"
        self.opened: dict[str, str] = {}

    def context(self) -> dict[str, Any]:
        """What `/v1/sdl-secrets-context` answers."""
        public = _key().as_dict(private=False)
        jwk = {name: public[name] for name in ("kty", "n", "e")} | {"use": "enc", "alg": "RSA-OAEP-256"}
        return {"kid": self.kid, "sub": self.user, "jwk": jwk, "requiredClaims": ["kid", "sub", "exp", "sdlHash"]}

    def open(self, seal: str, sdl: str | None, now: float) -> dict[str, str]:
        """The values of a seal for an SDL; None for a patch, whose seal names none. Raises SealError."""
        from joserfc import jwe
        from joserfc.errors import JoseError

        registry = jwe.JWERegistry(algorithms=["RSA-OAEP-256", "A256GCM"], strict_check_header=False)
        try:
            found = jwe.decrypt_compact(seal, _key(), registry=registry)
            values = json.loads(found.plaintext or b"")
        except (JoseError, ValueError) as error:
            raise SealError(400, f"sealedSecrets is malformed: {error}") from error
        header: dict[str, Any] = found.protected
        digest = None
        if sdl is not None:
            digest = base64.urlsafe_b64encode(hashlib.sha256(sdl.encode()).digest()).rstrip(b"=").decode()
        if header.get("kid") != self.kid:
            raise SealError(409, "the sealing key is retired")
        if header.get("sub") != self.user or header.get("sdlHash") != digest:
            raise SealError(403, "sealed for another user or another SDL")
        if not now < header.get("exp", 0) <= now + LONGEST_SEAL_S:
            raise SealError(400, "the seal has expired")
        wanted = _references(sdl) if sdl is not None else set(values)
        if set(values) != wanted:
            raise SealError(400, "every reference needs a value, and every value a reference")
        self.opened = values
        return self.opened


def _references(sdl: str) -> set[str]:
    import re

    return set(re.findall(r"(?:=|(?:username|password): )ac-secret://([A-Za-z_][A-Za-z0-9_]{0,63})", sdl))
