"""What an SDL says about its cluster: the token that it accepts, and the certificate that it presents."""

from pathlib import Path
from typing import Any

import msgspec

from cockpit.errors import UsageError
from cockpit.model.secret import REFERENCE_PREFIX
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.files import read_document
from cockpit.sdl.ray_cluster import Cluster
from cockpit.sdl.view import View
from cockpit.secrets.names import CERTIFICATE_NAME, scopes_for
from cockpit.secrets.tls import certificate_of

TOKEN_NAME = "RAY_AUTH_TOKEN"


class SdlAccess(msgspec.Struct, frozen=True, kw_only=True):
    """The reference to the token, the fingerprint of the gateway's certificate, and the scope both are known from.

    `notes` are sentences about what is not known.
    """

    scope: str
    token: str | None = None
    pin: str | None = None
    notes: tuple[str, ...] = ()

    def values(self) -> dict[str, Any]:
        """What of it goes into a context."""
        return {"scope": self.scope, "token": self.token, "pin": self.pin}


def access_from_file(path: Path) -> SdlAccess:
    """The access to the cluster of an SDL file; its scope is the file's name. Raises UsageError."""
    return access_of_document(read_document(path), scopes_for(sdl=path)[0])


def access_of_document(document: SdlDocument, scope: str) -> SdlAccess:
    """The access to the cluster of a document whose secrets are in this scope.

    Raises UsageError where the document holds no Ray, or its token stands there in plain text.
    """
    view = View(document.tree.root)
    members = Cluster(view).members
    if not members:
        raise UsageError("The SDL does not start Ray, so it does not describe a cluster.")
    values = [member.service.env_value(TOKEN_NAME) for member in members]
    reference = next((value for value in values if value and value.startswith(REFERENCE_PREFIX)), None)
    if reference is None and any(values):
        raise UsageError(
            f"{TOKEN_NAME} is in the SDL in plain text.",
            hint="`rayakash-tui secrets import FILE` keeps it, and writes a reference in its place.",
        )
    notes = [] if reference else [f"The SDL names no {TOKEN_NAME}; Ray starts without a token."]
    needs_certificate = any(one.env_value(CERTIFICATE_NAME) for one in view.services.values())
    made = certificate_of(scope) if needs_certificate else None
    if needs_certificate and made is None:
        notes.append(
            f"No certificate was made in the scope {scope}; the cockpit asks once about the gateway's certificate."
        )
    return SdlAccess(scope=scope, token=reference, pin=made.fingerprint if made else None, notes=tuple(notes))
