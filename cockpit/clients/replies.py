"""What a reply that is not a success means, in words."""

import re

from cockpit.clients.endpoint import Endpoint
from cockpit.errors import (
    AuthenticationError,
    CockpitError,
    NotFoundError,
    NotRayError,
    RejectedError,
    ServerError,
    UnreachableError,
)
from cockpit.model.secret_values import without_secrets

_ERROR_LINE = re.compile(r"^[\w.]*(?:Error|Exception): (.*)$", re.MULTILINE)
# Not `<[^>]*>`, which takes the square of the time over a page of nothing but "<".
_MARKUP = re.compile(r"<[^<>]*>")
# How Ray answers 404 for what it does not hold (job_head.py); anybody may answer 404.
_ABSENT = re.compile(r"\s*(?:Job|Package) .* does not exist\.?\s*", re.DOTALL)

# How Ray answers 401 (ray-api section 7); a proxy has words of its own.
_MISSING = "Missing authentication token"

LONGEST_REASON = 400
EXCERPT = 10_000

# What proxies answer where the same request may pass a moment later; HAProxy sends 408 on a time-out of its own, nginx
# writes 499 where its client went first. Ray answers none of them.
_AGAIN = {408: "Request Timeout", 421: "Misdirected Request", 425: "Too Early", 499: "Client Closed Request"}
_RAYS_LIMIT = "Maximum request body size"  # of aiohttp, in front of Ray's own packages

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


def error_for_status(*, endpoint: Endpoint, path: str, status: int, text: str, location: str) -> CockpitError:
    """The error for a status of 300 and more; `text` is the body, cut at 1 MB."""
    address, text = str(endpoint.address), without_secrets(text)
    if status == 401:
        return _unknown(endpoint, text)
    if status == 403:
        return _forbidden(endpoint, text)
    if status < 400:
        return NotRayError(
            f"{address} redirects to {location or 'another address'} instead of answering.",
            hint="A login page or a proxy is in front of it; use the address behind it.",
            fault="redirect",
        )
    if status == 407:
        return UnreachableError(
            "The proxy on the way asks for a login (407).",
            detail=_excerpt(text),
            hint="Write user and password into HTTPS_PROXY, or leave `proxy` out of the context.",
            fault="proxy-login",
        )
    if status in _GATEWAY:
        return UnreachableError(
            f"A gateway at {address} answers {status} {_GATEWAY[status]}: the cluster behind it is down.",
            detail=_excerpt(text),
            hint="The head may still be starting, or be gone.",
            fault=f"gateway-{status}",
        )
    if status in _AGAIN:
        return UnreachableError(
            f"A proxy on the way to {address} gave up on the request ({status} {_AGAIN[status]}).",
            detail=_excerpt(text),
            hint="It may pass at the next try.",
            fault=f"proxy-{status}",
        )
    if status == 413 and _RAYS_LIMIT not in text:
        return RejectedError(
            f"A proxy on the way to {address} does not accept a request of this size (413).",
            detail=_excerpt(text),
            hint="Raise its limit (client_max_body_size in nginx, request_body in Caddy), or send less.",
            fault="proxy-limit",
        )
    if status == 429:
        return ServerError(f"{address} is busy; try again later (429).", detail=_excerpt(text))
    if _is_page(text):
        return NotRayError(
            f"{address} answers {status} with a web page: it is not a Ray dashboard.",
            detail=_excerpt(text),
            fault="not-ray",
        )
    return _from_ray(address, path, status, text)


def _unknown(endpoint: Endpoint, text: str) -> AuthenticationError:
    """401: the request was not authenticated."""
    address = endpoint.address
    if endpoint.token is None:
        fault = "token-wanted"
        title = f"{address} requires a token, and none was sent (401)."
        hint = 'Set RAY_AUTH_TOKEN, or name the token in a context: token = "ac-secret://NAME".'
    elif _MISSING in text:
        fault = "token-lost"
        title = f"The token did not reach {address} (401)."
        hint = 'A proxy on the way takes Authorization away; write authorization = "x-ray" in the context.'
        if endpoint.authorization == "x-ray":
            hint = "A proxy on the way takes X-Ray-Authorization away; let it pass that header."
    else:
        fault = "credentials-wanted"
        title = f"{address} requires credentials other than a Ray token (401)."
        hint = (
            "There is a proxy in front of it: set what it asks for as `basic`, `headers` or `cookies` in the context."
        )
    return AuthenticationError(title, status=401, detail=_excerpt(text), hint=hint, fault=fault)


def _forbidden(endpoint: Endpoint, text: str) -> AuthenticationError:
    """403: authenticated, or possibly so, but not permitted."""
    address = endpoint.address
    if endpoint.token is None:
        title = f"{address} refuses access (403)."
        hint = "The cluster, or a proxy in front of it, requires credentials."
    else:
        title = f"{address} does not accept the token (403)."
        hint = "It may be another cluster's, or an old one: use the token that this cluster's head was started with."
        if endpoint.authorization == "x-ray":
            hint += " Ray looks at Authorization first: the proxy must take its own away."
    fault = "access-refused" if endpoint.token is None else "token-refused"
    return AuthenticationError(title, status=403, detail=_excerpt(text), hint=hint, fault=fault)


def _from_ray(address: str, path: str, status: int, text: str) -> CockpitError:
    reason = last_reason(text)
    if status == 404 and _ABSENT.fullmatch(text):
        return NotFoundError(reason + ("" if reason.endswith(".") else "."), detail=text)
    if status == 404:
        return NotRayError(
            f"{address} does not serve {path}: it is not a Ray dashboard, or a much older one.",
            detail=_excerpt(text),
            fault="no-such-path",
        )
    if status < 500:
        return RejectedError(f"Ray refused the request: {reason or status}", detail=text)
    return ServerError(f"Ray failed to answer: {reason or status}", detail=text)
