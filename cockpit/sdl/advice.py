"""Warnings about what both parsers accept: the chain's rules, traps of the network, prices, secrets."""

import re
from decimal import Decimal

from cockpit.model.akash.money import usd_per_hour
from cockpit.model.secret_values import holds_secret
from cockpit.sdl.findings import CHAIN, Fix, Operation, Report, advise, to_set
from cockpit.sdl.image_sizes import known_bytes, may_outlast, slow_pull_words
from cockpit.sdl.nodes import Node, Scalar, Sequence, child, fields, pairs_of
from cockpit.sdl.scalars import is_null
from cockpit.sdl.secret_names import REFERENCE, WITHHELD, is_plain_secret
from cockpit.sdl.view import Expose, Service, Target, View

USD_PER_HOUR = float(usd_per_hour(Decimal(1)))
"""What one uact per block costs by the hour; the deploy plan counts with the same block."""
MAX_NAME = 60
DEAREST_GPU, DEAREST = 25.0, 50.0
CHEAPEST_GPU = 0.02


def check(report: Report, view: View) -> None:
    """Note what is refused later, or does something else than it says."""
    _prices(report, view)
    _gpus(report, view)
    for service in view.services.values():
        _image(report, service)
        _names(report, service)
        _env(report, service)
        _words(report, service)
        _exposes(report, view, service)
        _dependencies(report, service)


# --- prices ----------------------------------------------------------------------------------------------------------


def _prices(report: Report, view: View) -> None:
    """The chain takes only uact. Source: node x/deployment/handler/server.go."""
    seen: set[int] = set()
    for row in view.rows:
        price, compute = view.price(row), view.computes.get(row.profile)
        if price is None or price.node.start in seen:
            continue
        seen.add(price.node.start)
        denom, amount = child(price.node, "denom"), child(price.node, "amount")
        if denom is not None and price.denom and price.denom != "uact":
            message = f"The chain refuses {price.denom}: prices are in uact, a millionth of a US dollar."
            report.add("bad-denom", denom, message, (CHAIN,))
        elif price.denom == "uact" and price.amount is not None and amount is not None:
            _amount(report, amount, float(price.amount), compute.gpu if compute else 0)


def _amount(report: Report, node: Node, amount: float, gpus: int) -> None:
    hourly = amount * USD_PER_HOUR
    shown = f"{amount:,.10g} uact per block is ${hourly:,.4g} an hour for each replica"
    if amount < 1 or (gpus and hourly < CHEAPEST_GPU * gpus):
        message = f"{shown}: no provider will bid. The amount is in uact per block, not in dollars."
        advise(report, "price-unit", node, message)
    elif hourly > (DEAREST_GPU * gpus or DEAREST):
        message = f"{shown}: a bid up to that much can be accepted. The amount is in uact per block."
        advise(report, "price-unit", node, message)


def _gpus(report: Report, view: View) -> None:
    for compute in view.computes.values():
        models = [model for model in compute.models if model.model not in ("", "*")]
        if compute.gpu and not models:
            node = pairs_of(compute.resources).get("gpu", (compute.key,))[0]
            message = "No GPU model is named: any card may come, and the price is that of the dearest."
            advise(report, "gpu-any-model", node, message)


# --- services --------------------------------------------------------------------------------------------------------


def _image(report: Report, service: Service) -> None:
    size = known_bytes(service.image)
    if size is not None and may_outlast(size):
        node = child(service.node, "image") or service.key
        advise(report, "image-slow", node, slow_pull_words(service.image, size), severity="info")
    if not service.image or "@sha256:" in service.image:
        return
    tag = service.image.rpartition("/")[2].partition(":")[2]
    if tag in ("", "latest") or tag.startswith(("nightly", "latest-")):
        message = f"The image {service.image} is not pinned: an update pulls nothing new, two nodes may differ."
        advise(report, "image-unpinned", child(service.node, "image") or service.key, message)


def _names(report: Report, service: Service) -> None:
    if len(service.name) > MAX_NAME:
        message = f"A name of {len(service.name)} characters may be too long: Kubernetes takes 63 with suffix."
        advise(report, "long-name", service.key, message)


def _env(report: Report, service: Service) -> None:
    for name, value, node, _ in service.env:
        if "=" not in node.value:
            # Not its text: without a name in front, all of it may be the secret.
            message = "This env item has no `=`: the container gets an empty variable of that whole name."
            advise(report, "env-no-value", node, message)
        elif WITHHELD.search(value):
            message = f"{name} lacks its value: the draft that this text comes from left it out; put it in again."
            advise(report, "value-withheld", node, message, severity="error")
        elif REFERENCE in value[1:]:
            message = f"{name} holds a secret reference inside its value, where nothing replaces it: store it whole."
            advise(report, "reference-inside", node, message, severity="error")
        elif is_plain_secret(name, value):
            message = f"{name} looks like a secret in plain text: the provider and anyone with a shell can read it."
            advise(report, "plain-secret", node, message)


def _words(report: Report, service: Service) -> None:
    for key in ("command", "args"):
        node = child(service.node, key)
        for word in node.items if isinstance(node, Sequence) else ():
            if isinstance(word, Scalar) and holds_secret(word.value):
                message = f"{key} holds a secret in plain text: the provider and anyone with a shell can read it."
                advise(report, "plain-secret", word, message)


def _dependencies(report: Report, service: Service) -> None:
    node = child(service.node, "dependencies")
    if node is not None and not is_null(node):
        message = "dependencies have no effect: nothing waits for another service; loop in the start command instead."
        advise(report, "no-effect", node, message, severity="info")


# --- ports -----------------------------------------------------------------------------------------------------------


def _exposes(report: Report, view: View, service: Service) -> None:
    http = [expose for expose in service.exposes if expose.is_ingress]
    for expose in http[1:]:
        message = f"Only one port of {service.name} gets the host name; this second `as: 80` leads to the first."
        advise(report, "second-http-port", expose.node, message)
    seen: dict[int, str] = {}
    for expose in service.exposes:
        _without_to(report, view, service, expose)
        _twice(report, expose, seen)
        for index, target in enumerate(expose.targets):
            _target(report, view, service, expose, target, index)


def _twice(report: Report, expose: Expose, seen: dict[int, str]) -> None:
    proto, port = expose.proto.upper() or "TCP", expose.external
    if port is not None and expose.is_global and seen.setdefault(port, proto) != proto:
        message = f"Port {port} is exposed as TCP and UDP: the provider opens only the first of them."
        advise(report, "tcp-and-udp", expose.node, message)


def _without_to(report: Report, view: View, service: Service, expose: Expose) -> None:
    to = fields(expose.node).get("to")
    if expose.targets or not (to is None or (isinstance(to, Sequence) and not to.items)):
        return
    others = [name for name in view.services if name != service.name]
    name = others[0] if len(others) == 1 else service.name
    path = ("services", service.name, "expose", expose.index)
    operation = Operation("insert", (*path, "to"), [{"service": name}])
    if to is not None:
        operation = Operation("append", (*path, "to"), {"service": name})
    message = "A port without `to` is internal for Go and missing in Console's manifest: say to whom it is open."
    advise(report, "no-to", expose.node, message, fix=Fix(f"open it to {name}", (operation,)))


def _target(report: Report, view: View, service: Service, expose: Expose, target: Target, index: int) -> None:
    if "," in target.service:
        path = ("services", service.name, "expose", expose.index, "to", index)
        _comma_list(report, view, expose, target, path)
    elif target.service and target.service not in view.services:
        node = child(target.node, "service") or target.node
        message = f"No service is called {target.service!r}; the port is open to every service of the placement anyway."
        advise(report, "unknown-target", node, message, severity="info")


def _comma_list(report: Report, view: View, expose: Expose, target: Target, path: tuple[str | int, ...]) -> None:
    names = [name for name in re.split(r"[,\s]+", target.service) if name]
    unknown = [name for name in names if name not in view.services]
    message = f"{target.service!r} is one name, not a list: write one item for each; the name is not enforced anyway."
    if unknown:
        message += f" There is no {', '.join(unknown)}."
    known = [name for name in names if name in view.services] or names
    taken = {other.service for other in expose.targets if other is not target}
    first, *rest = known or [""]
    operations = [Operation("set", (*path, "service"), first)]
    for offset, name in enumerate(name for name in rest if name not in taken):
        operations.append(Operation("insert", (*path[:-1], int(path[-1]) + 1 + offset), {"service": name}))
    fix = Fix(f"write {', '.join(known)} as items", tuple(operations)) if first else None
    if len(known) == 1:
        fix = to_set(f"write {first}", (*path, "service"), first)
    advise(report, "comma-list", child(target.node, "service") or target.node, message, fix=fix)
