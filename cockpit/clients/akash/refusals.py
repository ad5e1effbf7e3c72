"""What a reply of the Console that is not a success means, in words.

Branch on status and `code`, never on `message`: a body may be JSON of the API, a proxy's page, or empty.
"""

import re
from email.utils import parsedate_to_datetime

from cockpit.clients.akash.reading import fields, loads, rows, text
from cockpit.clients.masking import Masker
from cockpit.clients.transport import Reply
from cockpit.errors import (
    AuthenticationError,
    CockpitError,
    NotFoundError,
    NotRayError,
    PaymentError,
    RejectedError,
    ServerError,
    UnreachableError,
)

BILLING = "https://console.akash.network/billing"
LONGEST_MESSAGE = 400
LONGEST_WAIT_S = 120.0
_MARKUP = re.compile(r"<[^<>]*>")
_CODE = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_UNCLEAR = (408, 425, 429, 499)
"""4xx after which the request may have been carried out, or a proxy gave up on it; every other 4xx is clear."""

_HINTS = {
    "insufficient_balance": f"Add credits at {BILLING}.",
    "payment_required": f"Add credits at {BILLING}; a trial account cannot rent this GPU.",
    "balance_top_up_pending": "Your payment is being processed; try again in a minute.",
    "fair_use_policy_required": "Accept the fair use policy in the Console's web page, then try again.",
    "deployment_resources_changed": "This change needs a new deployment.",
    "deployment_definition_mismatch": "This change needs a new deployment.",
    "deployment_definition_changed": "The deployment changed in the meantime; look at it and try again.",
    "provider_unreachable": "No lease was made. Choose another bid.",
    "manifest_not_delivered": "The lease exists and costs money. Send the manifest again, or close the deployment.",
}


def refusal(
    reply: Reply, *, host: str, what: str, masker: Masker | None = None, is_secret: bool = False
) -> CockpitError:
    """The error for a reply of status 300 and more to a request that is to do `what` (an infinitive).

    With `is_secret` nothing of the body is repeated, since it may hold values that the request carried; what the
    `masker` knows is masked in any case, since the other side may repeat the key.
    """
    code, message = (masker.text(part) if masker else part for part in _said(reply))
    detail = f"{reply.status} {code}".strip() if is_secret else message[:LONGEST_MESSAGE]
    error = _by_status(reply.status, code, detail, host=host, what=what)
    if isinstance(error, UnreachableError):
        error.retry_after_s = retry_after(reply)
    return error


def retry_after(reply: Reply) -> float | None:
    """The wait in seconds that a reply asks for, at most two minutes; None where it asks for none."""
    if not (asked := reply.retry_after.strip()):
        return None
    try:
        return min(max(float(asked), 0.0), LONGEST_WAIT_S)
    except ValueError:
        pass
    try:
        until, now = parsedate_to_datetime(asked), parsedate_to_datetime(reply.date)
        return min(max((until - now).total_seconds(), 0.0), LONGEST_WAIT_S)
    except (ValueError, TypeError):  # no date, or one without its zone beside one with
        return None


def _by_status(status: int, code: str, detail: str, *, host: str, what: str) -> CockpitError:
    fault, hint = code or f"http-{status}", _HINTS.get(code, "")
    title = f"Akash Console could not {what} ({status})."
    if status < 400:
        return NotRayError(
            f"{host} redirects instead of answering ({status}); the API key was not sent on.",
            hint="Give the address of the Console's API itself.",
            fault="redirect",
        )
    if status == 401:
        return AuthenticationError(
            "Akash Console does not accept the API key (401).",
            status=status,
            detail=detail,
            hint="It may be wrong, revoked, expired, or of another environment. Make one in the Console's settings and "
            "store it: rayakash-tui secrets set AKASH_API_KEY",
            fault=fault,
        )
    if status == 402:
        return PaymentError(
            f"Akash Console refused to {what}: not enough money (402).",
            detail=detail,
            hint=hint or _HINTS["payment_required"],
            fault=fault,
        )
    if status == 403:
        return AuthenticationError(
            f"Akash Console refused to {what} (403).", status=status, detail=detail, hint=hint, fault=fault
        )
    if status == 404:
        return NotFoundError(f"Akash Console could not {what}: not found (404).", detail=detail, hint=hint, fault=fault)
    if status == 429:
        return ServerError(
            "Akash Console limits the rate of requests (429).",
            detail=detail,
            hint="Wait a minute, then try again.",
            fault="rate_limited",
        )
    if status in _UNCLEAR or status >= 500:
        return ServerError(title, detail=detail, hint=hint or "Try again in a minute.", fault=fault)
    if status == 409:
        hint = hint or "Your account may still be in setup, or something changed; try again in a minute."
    return RejectedError(f"Akash Console refused to {what} ({status}).", detail=detail, hint=hint, fault=fault)


def _said(reply: Reply) -> tuple[str, str]:
    """Code and message of the body, or its first words where it is not the API's JSON."""
    try:
        body = fields(loads(reply.body))
    except ValueError:
        body = {}
    message = text(body.get("message")) or text(body.get("error"))
    if not message:
        page = _MARKUP.sub(" ", reply.body[:10_000].decode("utf-8", "replace"))
        message = " ".join(page.split())[:200]
    issues = [
        f"{'.'.join(map(str, path))}: {text(issue.get('message'))}"
        for issue in rows(body.get("data"))
        if isinstance(path := issue.get("path"), list)
    ]
    code = text(body.get("code"))
    return code if _CODE.fullmatch(code) else "", "; ".join([message, *issues])
