"""What ssh says when it fails, and what that means; its words are those of OpenSSH 7.6 to 10."""

import re
from collections.abc import Callable

from cockpit.clients.ssh.route import Route
from cockpit.errors import AuthenticationError, CockpitError, UnreachableError, UntrustedError, UsageError

MISSING = 127  # what a shell says of a program that is not there, and our keeper of ssh too

_FORWARDING_FORBIDDEN = re.compile(r"open failed: administratively prohibited")
_FORWARDING_FAILED = re.compile(r"open failed: (?:connect failed: )?(.*)")


def ssh_failure(route: Route, code: int, words: str, *, may_ask: bool) -> CockpitError:
    """The error for an ssh that ended with `code` and said `words`."""
    if code == MISSING:
        return UsageError(
            "`ssh` is not installed, and this cluster is reached through it.",
            detail=words,
            hint="Install OpenSSH's client (openssh-client), or take `ssh` out of the context.",
            fault="ssh-missing",
        )
    for pattern, make in _KINDS:
        if re.search(pattern, words):
            return make(route, words, may_ask)
    return UnreachableError(
        f"ssh to {route.destination} ended with {code}.", detail=words, hint=_try_yourself(route), fault="ssh"
    )


def channel_failure(route: Route, line: str) -> UnreachableError | None:
    """The error for a connection that the bastion did not make for us; None where the line says no such thing."""
    if _FORWARDING_FORBIDDEN.search(line):
        failure = UnreachableError(
            f"{route.destination} accepts the login but forbids port forwarding.",
            detail=line,
            hint="Set AllowTcpForwarding yes (or local) in its sshd_config, and PermitOpen for this host and port.",
            fault="ssh-forwarding",
        )
    elif found := _FORWARDING_FAILED.search(line):
        failure = UnreachableError(
            f"From {route.destination}, nothing answers at {route.target}.",
            detail=found[1] or line,
            hint="The bastion resolves host and port. Is the cluster up?",
            fault="ssh-target",
        )
    else:
        return None
    failure.was_sent = False
    return failure


def _try_yourself(route: Route) -> str:
    return f"Run `ssh {route.destination}` to see why."


def _changed(route: Route, words: str, _: bool) -> CockpitError:
    return UntrustedError(
        f"The host key of {route.destination} has changed; nothing was sent there.",
        detail=words,
        hint="If its owner confirms the new key, remove the old one with `ssh-keygen -R HOST` and connect again.",
        fault="ssh-host-key-changed",
    )


def _unknown_key(route: Route, words: str, may_ask: bool) -> CockpitError:
    return UntrustedError(
        f"The host key of {route.destination} was not agreed to."
        if may_ask
        else f"{route.destination} is not known yet.",
        detail=words,
        hint=f"Run `ssh {route.destination}` once and compare the fingerprint with its owner's.",
        fault="ssh-host-unknown",
    )


def _denied(route: Route, words: str, may_ask: bool) -> CockpitError:
    hint = _try_yourself(route) if may_ask else "ssh cannot ask for a password or passphrase here: use ssh-agent."
    return AuthenticationError(
        f"{route.destination} refused the login.", status=401, detail=words, hint=hint, fault="ssh-not-let-in"
    )


def _port_taken(route: Route, words: str, _: bool) -> CockpitError:
    return UsageError(
        f"ssh to {route.destination} cannot listen on its local socket.",
        detail=words,
        hint="Another program may have the port of `ssh_port`, or of a LocalForward in your ssh configuration.",
        fault="ssh-port",
    )


def _configuration(route: Route, words: str, _: bool) -> CockpitError:
    return UsageError(
        "ssh does not accept its configuration.", detail=words, hint=_try_yourself(route), fault="ssh-config"
    )


def _no_name(route: Route, words: str, _: bool) -> CockpitError:
    return UnreachableError(
        f"No host is called as in {route.destination}.",
        detail=words,
        hint=_try_yourself(route),
        fault="ssh-name-unknown",
    )


def _no_answer(route: Route, words: str, _: bool) -> CockpitError:
    return UnreachableError(
        f"{route.destination} does not answer.", detail=words, hint="Is it up, and its sshd?", fault="ssh-away"
    )


def _hung_up(route: Route, words: str, _: bool) -> CockpitError:
    return UnreachableError(
        f"The connection to {route.destination} broke.", detail=words, hint=_try_yourself(route), fault="ssh-broken"
    )


Make = Callable[[Route, str, bool], CockpitError]

# The first that fits: ssh says of a changed key also that verification failed, of a closed port also that it closed.
_KINDS: tuple[tuple[str, Make], ...] = (
    (r"HOST IDENTIFICATION HAS CHANGED|differs from the key for the IP", _changed),
    (r"Host key verification failed|host key is known for", _unknown_key),
    (
        r"Permission denied|Too many authentication failures|No more authentication methods|incorrect passphrase",
        _denied,
    ),
    (r"cannot listen to port|Could not request local forwarding|unix_listener|Address already in use", _port_taken),
    (
        r"[Bb]ad configuration option|Bad owner or permissions|no argument after keyword|Bad local forwarding",
        _configuration,
    ),
    (r"Could not resolve hostname", _no_name),
    (r"Connection refused|timed out|No route to host|Network is unreachable|not responding", _no_answer),
    (r"[Cc]losed by|reset by|kex_exchange_identification|Broken pipe|[Dd]isconnect", _hung_up),
)
