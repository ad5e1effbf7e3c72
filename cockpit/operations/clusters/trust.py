"""Whether what answers at an address is the cluster: by its certificate, before anything is sent.

A certificate that no authority vouches for is trusted on first use, as ssh does with the key of a host, and pinned from
then on. What we made ourselves is known before the first use.
"""

from contextlib import suppress

import msgspec

from cockpit import settings
from cockpit.clients.endpoint import Endpoint
from cockpit.clients.tls import Tls
from cockpit.clients.tls_failures import changed
from cockpit.clients.transport import Transport
from cockpit.errors import UnreachableError, UntrustedError, UsageError
from cockpit.model.certificates import parse_fingerprint
from cockpit.operations.question import Ask, Question
from cockpit.secrets.certificates import made_certificates

# In the place of a fingerprint: an authority signed it once, so no weaker trust is offered there.
VOUCHED = "authorities"


async def settle(
    endpoint: Endpoint, *, scopes: tuple[str, ...], ask: Ask | None = None, accept: str | None = None
) -> Tls:
    """Whom to trust at this endpoint from now on.

    `scopes` are where a certificate of ours may be known from; `accept` is a fingerprint that the user names. Where
    no server answers the trust stays as it is until the first request. Raises UntrustedError where the certificate is
    refused, UsageError where `accept` contradicts the context.
    """
    tls, place = endpoint.tls, endpoint.place
    if accept is not None:
        return await _accepted(endpoint, parse_fingerprint(accept))
    if not endpoint.address.is_encrypted or tls.pin or tls.ca or not tls.verify:
        return tls
    if place in settings.load_consents().certificates:
        return trusted_so_far(endpoint)
    try:
        await Transport(endpoint).meet(verify=True)
        _remember(endpoint, VOUCHED)
        return tls
    except UntrustedError as error:
        return await _first_use(endpoint, error, scopes, ask)
    except UnreachableError:
        return tls


def trusted_so_far(endpoint: Endpoint) -> Tls:
    """The trust of the endpoint, with the certificate that was accepted there before, if one was."""
    tls = endpoint.tls
    if not endpoint.address.is_encrypted or tls.pin or tls.ca or not tls.verify:
        return tls
    known = settings.load_consents().certificates.get(endpoint.place)
    return tls if known in (None, VOUCHED) else msgspec.structs.replace(tls, pin=known)


def accept_change(endpoint: Endpoint, fingerprint: str) -> Tls:
    """Trust a certificate in the place of the one before, since the user said so. Raises UsageError.

    Where the context holds the pin, it is the caller who changes it there.
    """
    consents = settings.load_consents()
    if endpoint.place in consents.certificates:
        certificates = {**consents.certificates, endpoint.place: fingerprint}
        settings.save_consents(msgspec.structs.replace(consents, certificates=certificates))
    return msgspec.structs.replace(endpoint.tls, pin=fingerprint)


async def _accepted(endpoint: Endpoint, wanted: str) -> Tls:
    """The trust in a certificate that the user named, if it is the one that is shown."""
    tls = endpoint.tls
    if tls.pin not in (None, wanted):
        raise UsageError(f"The context pins another certificate: {tls.pin}.", hint="Change `pin` in the context.")
    if tls.pin is None and (tls.ca is not None or not tls.verify):
        says = "ca" if tls.ca is not None else "verify = false"
        raise UsageError(
            f"The context contains another trust setting: {says}.", hint=f'Write pin = "{wanted}" there instead.'
        )
    pinned = msgspec.structs.replace(tls, pin=wanted)
    found = await Transport(endpoint).meet(verify=False)
    if found != wanted:
        raise changed(msgspec.structs.replace(endpoint, tls=pinned), found)
    _remember(endpoint, found)
    return pinned


async def _first_use(endpoint: Endpoint, error: UntrustedError, scopes: tuple[str, ...], ask: Ask | None) -> Tls:
    """Trust what was made here, or what the user says yes to."""
    found = await Transport(endpoint).meet(verify=False)
    if any(made.fingerprint == found for made in made_certificates(scopes)):
        _remember(endpoint, found)
        return msgspec.structs.replace(endpoint.tls, pin=found)
    question = Question(f"{error.title} Trust this certificate from now on?", "certificate", lines=(found,))
    if ask is None or not await ask(question):
        raise UntrustedError(
            error.title,
            detail=f"{error.detail}\nIt is {found}.".lstrip(),
            hint=f"Compare that with the server's; if it is the same: --accept-certificate {found}",
        )
    _remember(endpoint, found)
    return msgspec.structs.replace(endpoint.tls, pin=found)


def _remember(endpoint: Endpoint, fingerprint: str) -> None:
    consents = settings.load_consents()
    if endpoint.tls.pin is None and consents.certificates.get(endpoint.place) != fingerprint:
        certificates = {**consents.certificates, endpoint.place: fingerprint}
        with suppress(UsageError):  # where nothing can be written the same is asked again: no reason to fail now
            settings.save_consents(msgspec.structs.replace(consents, certificates=certificates))
