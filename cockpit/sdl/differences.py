"""What differs in meaning between two SDLs, and whether a running deployment can follow without a new one.

Source: provider and chain: an update may change the manifest only (image, command, args, env, host names, internal
ports); resources, replicas, prices, placements and the number of public ports are in the group on the chain, which
cannot be changed (Console: 422 `deployment_resources_changed`; provider: "under-utilized PORT endpoints").
"""

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from cockpit.sdl import quantities
from cockpit.sdl.document import SdlDocument, plain
from cockpit.sdl.nodes import Node, child, fields
from cockpit.sdl.view import Compute, Row, Service, View, shown_name, string


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One difference; values of env variables and credentials are never shown."""

    subject: str
    what: str
    before: str | None
    after: str | None
    in_place: bool

    @property
    def sentence(self) -> str:
        """The difference in words."""
        how = "can be updated in place" if self.in_place else "needs a new deployment"
        if self.before is None or self.after is None:
            change = f"{'are' if self._is_plural else 'is'} {'added' if self.before is None else 'removed'}"
            value = self.after if self.before is None else self.before
            shown = f" ({value})" if value else ""
            return f"{self.subject}: {self.what}{shown} {change}; {how}."
        values = f" from {self.before} to {self.after}" if self.before or self.after else ""
        return f"{self.subject}: {self.what} change{'' if self._is_plural else 's'}{values}; {how}."

    @property
    def _is_plural(self) -> bool:
        return self.what in ("args", "GPUs", "CPU attributes", "credentials", "params")


class _Fact(msgspec.Struct, frozen=True):
    """A value to compare, how to show it, and whether an update can change it."""

    value: object
    shown: str
    in_place: bool


def diff(before: SdlDocument, after: SdlDocument) -> list[Difference]:
    """The differences in meaning, those that need a new deployment first.

    Order, quoting, comments and units that mean the same make none. Raises UnreadableSdlError.
    """
    old, new = View(before.tree.root), View(after.tree.root)
    found = [*_services(old, new), *_groups(old, new)]
    return sorted(found, key=lambda one: (one.in_place, one.subject, one.what))


def _services(old: View, new: View) -> Iterator[Difference]:
    for name in [*old.services, *(name for name in new.services if name not in old.services)]:
        one, other = old.services.get(name), new.services.get(name)
        if one is None or other is None:
            image = (one or other or next(iter(old.services.values()))).image
            yield Difference(
                subject=name, what="the service", before=image if one else None, after=image if other else None,
                in_place=False,
            )  # fmt: skip
            continue
        yield from _compare(name, _service_facts(one), _service_facts(other))
        yield from _rows(name, old, new)
        yield from _ports(name, one, other)


def _compare(subject: str, old: dict[str, _Fact], new: dict[str, _Fact]) -> Iterator[Difference]:
    for what in [*old, *(what for what in new if what not in old)]:
        one, other = old.get(what), new.get(what)
        if one is None or other is None or one.value != other.value:
            fact = one or other
            assert fact is not None
            yield Difference(
                subject=subject,
                what=what,
                before=one.shown if one else None,
                after=other.shown if other else None,
                in_place=fact.in_place,
            )


# --- the manifest ----------------------------------------------------------------------------------------------------


def _service_facts(service: Service) -> dict[str, _Fact]:
    node = service.node
    facts = {"image": _Fact(service.image, service.image, True)}
    for name in ("command", "args"):
        words = tuple(item.value for item in getattr(service, name))
        if words:
            facts[name] = _Fact(words, "", True)
    for name, value, item, _ in service.env:
        facts[f"env {shown_name(item)}"] = _Fact((name, value), "", True)
    for name in ("credentials", "params"):
        section = child(node, name)
        if section is not None and fields(section):
            facts[name] = _Fact(_comparable(plain(section)), "", name == "credentials" or not _tee(section))
    return facts


def _tee(params: Node) -> bool:
    """A tee type is a requirement of the group."""
    return bool(string(child(params, "tee")))


def _comparable(value: object) -> object:
    return repr(sorted(value.items(), key=repr)) if isinstance(value, dict) else value


def _ports(name: str, old: Service, new: Service) -> Iterator[Difference]:
    one, other = _reach(old), _reach(new)
    same_endpoints = _endpoints(old) == _endpoints(new)
    for port in [*one, *(port for port in other if port not in one)]:
        before, after = one.get(port), other.get(port)
        if before == after:
            continue
        in_place = same_endpoints or not any(side and side.is_public for side in (before, after))
        yield Difference(
            subject=name,
            what=f"port {port}",
            before=before.shown if before else None,
            after=after.shown if after else None,
            in_place=in_place,
        )


class _Reach(msgspec.Struct, frozen=True):
    """Who reaches a port, how, and the options of the proxy."""

    shown: str
    is_public: bool
    options: object


def _reach(service: Service) -> dict[str, _Reach]:
    reach: dict[str, list[str]] = {}
    public: set[str] = set()
    options: dict[str, object] = {}
    for expose in service.exposes:
        name = f"{expose.port}/{expose.proto.upper() or 'TCP'}"
        hosts = [host.value for host in expose.hosts]
        for target in expose.targets or (None,):
            is_public = target is not None and target.is_global
            where = f"ip {target.ip}" if target and target.ip else "the internet" if is_public else "services"
            reach.setdefault(name, []).append(f"{where} as {expose.external}")
            public.update([name] if is_public else [])
        reach[name] += hosts
        options.setdefault(name, _comparable(plain(expose.http_options) if expose.http_options else {}))
    return {name: _Reach(", ".join(sorted(set(ways))), name in public, options[name]) for name, ways in reach.items()}


def _endpoints(service: Service) -> Counter[str]:
    """The public endpoints by kind: their number is in the group."""
    kinds: Counter[str] = Counter()
    for expose in service.exposes:
        for target in (target for target in expose.targets if target.is_global):
            kinds["http" if expose.is_ingress else "port"] += 1
            kinds[f"ip {target.ip}"] += 1 if target.ip else 0
    return +kinds


# --- the groups ------------------------------------------------------------------------------------------------------


def _rows(name: str, old: View, new: View) -> Iterator[Difference]:
    one = {row.placement: row for row in old.rows if row.service == name}
    other = {row.placement: row for row in new.rows if row.service == name}
    for placement in [*one, *(placement for placement in other if placement not in one)]:
        before, after = one.get(placement), other.get(placement)
        if before is None or after is None:
            count = (before or after or one[placement]).count
            shown = f"{count} replica{'' if count == 1 else 's'}"
            yield Difference(
                subject=name,
                what=f"placement {placement}",
                before=shown if before else None,
                after=shown if after else None,
                in_place=False,
            )
        else:
            yield from _compare(name, _row_facts(old, before), _row_facts(new, after))


def _row_facts(view: View, row: Row) -> dict[str, _Fact]:
    facts = {"count": _Fact(row.count, str(row.count), False)}
    price, compute = view.price(row), view.computes.get(row.profile)
    if price is not None:
        facts["price"] = _Fact((price.denom, price.amount), f"{price.amount} {price.denom}", False)
    if compute is not None:
        facts.update(_compute_facts(compute))
    return facts


def _compute_facts(compute: Compute) -> dict[str, _Fact]:
    cores = "?" if compute.cpu is None else f"{compute.cpu / 1000:g}"
    models = sorted({"/".join(filter(None, (one.model, one.ram, one.interface))) for one in compute.models})
    facts = {
        "CPU": _Fact(compute.cpu, cores, False),
        "memory": _Fact(compute.memory, _bytes(compute.memory), False),
        "GPUs": _Fact((compute.gpu, tuple(models)), f"{compute.gpu} × {', '.join(models) or 'any'}", False),
        "CPU attributes": _Fact(_labels(child(compute.resources, "cpu", "attributes")), "", False),
    }
    for volume in compute.volumes:
        kind = f"{volume.storage_class}, kept" if volume.persistent else volume.storage_class or "not kept"
        value = (volume.size, volume.persistent, volume.storage_class)
        facts[f"volume {volume.name}"] = _Fact(value, f"{_bytes(volume.size)}, {kind}", False)
    return facts


def _bytes(size: int | None) -> str:
    return "?" if size is None else quantities.shown_bytes(size)


def _labels(node: Node | None) -> object:
    return tuple(sorted((name, string(value)) for name, value in fields(node).items()))


def _groups(old: View, new: View) -> Iterator[Difference]:
    for name in [*old.placements, *(name for name in new.placements if name not in old.placements)]:
        yield from _compare(f"placement {name}", _group_facts(old, name), _group_facts(new, name))
    yield from _compare("deployment", _window(old), _window(new))


def _group_facts(view: View, name: str) -> dict[str, _Fact]:
    """What a placement asks of providers; nothing where no service is placed there."""
    placement = view.placements.get(name)
    if placement is None or not any(row.placement == name for row in view.rows):
        return {}
    facts = {f"attribute {key}": _Fact(value, value, False) for key, value in sorted(placement.attributes.items())}
    for kind, signer in _signers(child(placement.node, "signedBy")):
        facts[f"signer {signer} in {kind}"] = _Fact(True, "", False)
    return facts


def _window(view: View) -> dict[str, _Fact]:
    window = string(child(view.root, "reclamation", "min_window"))
    return {"reclamation window": _Fact(quantities.go_seconds(window), window, False)} if window else {}


def _signers(node: Node | None) -> tuple[tuple[str, str], ...]:
    lists: Iterable[tuple[str, Node]] = fields(node).items()
    return tuple(sorted((kind, str(name)) for kind, values in lists for name in _list(plain(values))))


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
