"""The one gate between resolved secrets and the network: whether their values may cross the way to an address."""

from collections.abc import Sequence
from contextlib import suppress

import msgspec

from cockpit import settings
from cockpit.clients.endpoint import Endpoint
from cockpit.errors import UsageError
from cockpit.operations.question import Ask, Question


class Consent(msgspec.Struct, frozen=True):
    """How a face lets its user agree: by `ask`, or beforehand by an option. Without either the answer is no."""

    ask: Ask | None = None
    given: bool = False


NO_CONSENT = Consent()


def open_secrets(endpoint: Endpoint, names: Sequence[str], consents: settings.Consents) -> list[str]:
    """The secrets, by name, whose values would cross plain http to this address without the user's consent."""
    if endpoint.address.is_encrypted or endpoint.address.is_loopback:
        return []
    agreed = consents.plain_secrets.get(endpoint.place, frozenset())
    return [name for name in dict.fromkeys(names) if name not in agreed]


async def agree_to_secrets(endpoint: Endpoint, names: Sequence[str], consent: Consent) -> None:
    """Ask, once for each address and secret, before values are sent unencrypted, and remember the answer.

    Call it before anything that carries a resolved reference. Raises UsageError without consent.
    """
    consents = settings.load_consents()
    wanted = open_secrets(endpoint, names, consents)
    if not wanted:
        return
    named = f"the secret {wanted[0]}" if len(wanted) == 1 else f"the secrets {', '.join(wanted)}"
    question = Question(
        f"Send {named} to {endpoint.place} unencrypted, readable to anyone on the network path?", "secrets"
    )
    if not consent.given and (consent.ask is None or not await consent.ask(question)):
        verb = "was" if len(wanted) == 1 else "were"
        raise UsageError(
            f"{endpoint.place} uses plain http, so {named} {verb} not sent.",
            hint="Use https or --ssh, or agree once with --send-secrets; it is remembered for this address.",
        )
    agreed = consents.plain_secrets.get(endpoint.place, frozenset()) | set(wanted)
    places = {**consents.plain_secrets, endpoint.place: agreed}
    with suppress(UsageError):  # where nothing can be written the same is asked again: no reason to fail now
        settings.save_consents(msgspec.structs.replace(consents, plain_secrets=places))
