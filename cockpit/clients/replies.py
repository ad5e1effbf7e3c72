"""What a reply that is not a success means, in words."""

import re

from cockpit.errors import (
    AuthenticationError,
    CockpitError,
    NotFoundError,
    NotRayError,
    RejectedError,
    ServerError,
    UnreachableError,
)

_ERROR_LINE = re.compile(r"^[\w.]*(?:Error|Exception): (.*)$", re.MULTILINE)
# Not `<[^>]*>`, which takes the square of the time over a page of nothing but "<".
_MARKUP = re.compile(r"<[^<>]*>")
# How Ray answers 404 for what it does not hold (job_head.py); anybody may answer 404.
_ABSENT = re.compile(r"\s*(?:Job|Package) .* does not exist\.?\s*", re.DOTALL)

LONGEST_REASON = 400
EXCERPT = 10_000

_GATEWAY = {502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}


def last_reason(text: str) -> str:
    """The sentence inside one of Ray's error bodies.

    Ray answers with text/plain tracebacks, nested where the head passes on what its agent said, and a nested one
    ends with a lone `.` line (ray-api section 1, measured on 2.60): the last line that names an exception counts.
    """
    found = _ERROR_LINE.findall(text) or [line for line in text.splitlines() if line.strip() not in ("", ".")]
    reason = str(found[-1]).strip() if found else ""
    return reason if len(reason) <= LONGEST_REASON else reason[:LONGEST_REASON] + "…"


def _excerpt(text: str) -> str:
    """The beginning of a foreign page as one short line."""
    return " ".join(_MARKUP.sub(" ", text[:EXCERPT]).split())[:200]


def _is_page(text: str) -> bool:
    return text.lstrip()[:15].lower().startswith(("<!doctype", "<html", "<head", "<?xml"))


def error_for_status(
    *, address: str, path: str, status: int, text: str, location: str, sent_token: bool
) -> CockpitError:
    """The error that a status of 300 and more stands for; `text` is the body, cut at 1 MB."""
    if status in (401, 403):
        return _unauthenticated(address, status, text, sent_token)
    if status < 400:
        return NotRayError(
            f"{address} redirects to {location or 'another address'} instead of answering.",
            hint="A login page or a proxy stands in front of it; give the address that it leads to.",
        )
    if status == 407:
        return UnreachableError("The proxy on the way asks for a login (407).", detail=_excerpt(text))
    if status in _GATEWAY:
        return UnreachableError(
            f"A gateway at {address} answers {status} {_GATEWAY[status]}: there is no cluster behind it now.",
            detail=_excerpt(text),
            hint="The head may still be starting, or be gone.",
        )
    if status == 429:
        return ServerError(f"{address} is busy and asks to be left alone for a while (429).", detail=_excerpt(text))
    if _is_page(text):
        return NotRayError(
            f"{address} answers {status} with a web page: it is not a Ray dashboard.", detail=_excerpt(text)
        )
    return _from_ray(address, path, status, text)


def _unauthenticated(address: str, status: int, text: str, sent_token: bool) -> AuthenticationError:
    if status == 403 and sent_token:
        title, hint = f"{address} does not accept the token (403).", "Use the token of this cluster's head."
    elif status == 403:
        title, hint = (
            f"{address} refuses access (403).",
            "The cluster, or a proxy in front of it, wants credentials.",
        )
    elif sent_token:
        title, hint = (
            f"{address} wants other credentials than a Ray token (401).",
            "Is there a proxy in front of it?",
        )
    else:
        title = f"{address} wants a token, and none was sent (401)."
        hint = "Set RAY_AUTH_TOKEN, or name the token in a context."
    return AuthenticationError(title, status=status, detail=_excerpt(text), hint=hint)


def _from_ray(address: str, path: str, status: int, text: str) -> CockpitError:
    reason = last_reason(text)
    if status == 404 and _ABSENT.fullmatch(text):
        return NotFoundError(reason + ("" if reason.endswith(".") else "."), detail=text)
    if status == 404:
        return NotRayError(
            f"{address} knows no {path}: it is not a Ray dashboard, or a much older one.",
            detail=_excerpt(text),
        )
    if status < 500:
        return RejectedError(f"Ray refused the request: {reason or status}", detail=text)
    return ServerError(f"Ray failed to answer: {reason or status}", detail=text)
