"""What Go refuses of services and their ports: names, images, env, hosts, proxy options, leased addresses.

Source: chain-sdk `go/manifest` (manifest.go, service.go, serviceexpose.go; the provider runs this again on what it is
sent) and `go/sdl/v2.go`.
"""

import re
from collections.abc import Iterator

from cockpit.sdl import grammar
from cockpit.sdl.findings import GO, Report, refuser, to_set
from cockpit.sdl.nodes import Node, child, elements, fields
from cockpit.sdl.scalars import is_null
from cockpit.sdl.view import Expose, Row, Service, View, number, string

_refuse = refuser(GO)

_SERVICE = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_ENV = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*")


def service(report: Report, service: Service) -> None:
    """Note what Go refuses of a deployed service."""
    if not _SERVICE.fullmatch(service.name):
        message = f"The service name {service.name!r} is refused by Go: a-z, 0-9 and -, a letter first, no - last."
        _refuse(report, "service-name", service.key, message)
    if not service.image:
        node = child(service.node, "image") or service.node
        _refuse(
            report,
            "missing-image",
            service.node if is_null(node) else node,
            f"{service.name} has no image; it is refused.",
        )
    for name, _, node, _ in service.env:
        if not _ENV.fullmatch(name) or name == "." or name.startswith(".."):
            # A text without `=` may be a secret, so only a name is shown.
            shown = repr(name) if "=" in node.value else "this text"
            message = f"Go refuses {shown} as the name of an env variable: letters, digits, - . _, no digit first."
            _refuse(report, "env-name", node, message)
    for index, expose in enumerate(service.exposes):
        _expose(report, service, index, expose)
    _credentials(report, service)


def _expose(report: Report, service: Service, index: int, expose: Expose) -> None:
    port = child(expose.node, "port")
    if is_null(port):
        message = f"Port {index + 1} of {service.name} has no `port`; both parsers refuse that."
        _refuse(report, "missing-port", expose.node, message)
    elif port is not None and expose.port is not None and not 1 <= expose.port <= 65535:
        _refuse(report, "out-of-range", port, f"A port is from 1 to 65535; both parsers refuse {expose.port}.")
    if expose.proto.upper() not in ("", "TCP", "UDP"):
        node = child(expose.node, "proto") or expose.node
        _refuse(report, "bad-choice", node, f"{expose.proto!r} is none of tcp, udp; both parsers refuse it.")
    _http_options(report, expose.http_options)


_HTTP_LIMITS = {
    "max_body_size": grammar.MAX_BODY,
    "read_timeout": grammar.MAX_TIMEOUT,
    "send_timeout": grammar.MAX_TIMEOUT,
    "proxy_buffer_size": grammar.MAX_PROXY_BUFFER,
}


def _http_options(report: Report, options: Node | None) -> None:
    for name, node in fields(options).items():
        value = number(node)
        if name in _HTTP_LIMITS and value is not None and value > _HTTP_LIMITS[name]:
            message = f"{name} must be from 0 to {_HTTP_LIMITS[name]}; both parsers refuse {value}."
            _refuse(report, "out-of-range", node, message)
    cases = child(options, "next_cases")
    words = [case for case in elements(cases) if not is_null(case)]
    for case in words:
        if string(case) not in grammar.NEXT_CASES:
            _refuse(
                report, "bad-choice", case, f"{string(case)!r} is not a valid next_cases value; both parsers refuse it."
            )
        if string(case) == "off" and len(words) > 1 and cases is not None:
            message = "`off` excludes every other next case; both parsers refuse the mix."
            _refuse(report, "next-cases", cases, message)


def _credentials(report: Report, service: Service) -> None:
    credentials = child(service.node, "credentials")
    if credentials is None or is_null(credentials):
        return
    for name in ("host", "username", "password"):
        node = child(credentials, name)
        if not string(node).strip():
            place = credentials if node is None else node
            message = f"The credentials of {service.name} have no {name}; they are refused."
            _refuse(report, f"missing-{name}", place, message)


# --- the manifest ----------------------------------------------------------------------------------------------------


def _manifest(view: View) -> Iterator[tuple[Service, Expose, bool]]:
    """The exposes as Go lists them: one per row and item of `to`, one internal without an item."""
    for row in view.rows:
        service = view.services.get(row.service)
        for expose in service.exposes if service else ():
            for target in expose.targets or (None,):
                yield service, expose, target is not None and target.is_global  # type: ignore[misc]


def manifest(report: Report, view: View) -> None:
    """Note what Go refuses of all ports together: host names, and no way in."""
    some_global = False
    hosts: set[str] = set()
    for _, expose, is_global in _manifest(view):
        some_global = some_global or is_global
        for host in expose.hosts:
            if len(host.value) > 253 or not _HOST.fullmatch(host.value):
                message = f"Go refuses the host name {host.value!r}: lower case, no scheme, no port, no wildcard."
                report.add("bad-host", host, message, (GO,))
            if host.value in hosts:
                message = (
                    f"The host name {host.value!r} is used more than once (each item of `to` counts); Go refuses it."
                )
                _refuse(report, "same-host", host, message)
            hosts.add(host.value)
    if not some_global:
        _no_global(report, view)


def _no_global(report: Report, view: View) -> None:
    node = child(view.root, "services") or view.root
    key = view.section().get("services")
    if node is not None:
        message = (
            "No port is `global: true`: Go refuses the file, and the provider refuses the manifest after you paid."
        )
        _refuse(report, "no-global", key[0] if key else node, message)


def endpoints(report: Report, view: View) -> None:
    """Note what Go refuses of leased addresses."""
    used: set[str] = set()
    ports: dict[tuple[str, int, str], str] = {}
    for row in view.rows:
        service = view.services.get(row.service)
        for expose in service.exposes if service else ():
            for target in (target for target in expose.targets if target.ip):
                used.add(target.ip)
                _leased(report, view, row, expose, ports, target.node, target.ip, target.is_global)
    for name, (key, value) in view.endpoints.items():
        if not re.search(grammar.ENDPOINT_NAME, name):
            _refuse(
                report,
                "bad-name",
                key,
                f"The name {name!r} is refused: two or more of a-z, 0-9, - and _, a letter first.",
            )
        kind = string(child(value, "kind"))
        if kind != "ip":
            place = child(value, "kind") or key
            code = "bad-choice" if kind else "missing-kind"
            _refuse(report, code, place, f"Endpoint {name!r} must be of kind ip; both parsers refuse others.")
        if name not in used:
            _refuse(report, "unused-endpoint", key, f"Endpoint {name!r} is used by no port; both parsers refuse that.")


def _leased(
    report: Report,
    view: View,
    row: Row,
    expose: Expose,
    ports: dict[tuple[str, int, str], str],
    node: Node,
    ip: str,
    is_global: bool,
) -> None:
    place = child(node, "ip") or node
    if not is_global:
        _refuse(report, "ip-not-global", node, "An ip needs `global: true` in the same item; both parsers refuse that.")
    if ip not in view.endpoints:
        _refuse(report, "unknown-endpoint", place, f"Unknown endpoint {ip!r}; both parsers refuse that.")
    # Go compares `as` as it is written, so two ports without one collide (both are 0).
    key = (ip, expose.given_as or 0, expose.proto)
    if key in ports:
        message = f"Endpoint {ip!r} already has this port for {ports[key]!r}; Go compares `as`, which is 0 if absent."
        fix = None
        if not expose.given_as and expose.port:
            fix = to_set(
                f"write as: {expose.port}", ("services", row.service, "expose", expose.index, "as"), expose.port
            )
        report.add("ip-port", place, message, (GO,), fix=fix)
    ports[key] = row.service
