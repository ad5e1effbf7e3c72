"""A lenient reading of an SDL: what is there, as the Go parser would take it, with the nodes it came from.

Nothing here refuses anything: a value of the wrong type is None or absent, so that rules and screens can work on a
document that is half written.
"""

from decimal import Decimal
from functools import cached_property

import msgspec

from cockpit.sdl import quantities
from cockpit.sdl.nodes import Mapping, Node, Scalar, Sequence, child, elements, fields, pairs_of, resolved
from cockpit.sdl.scalars import go_meaning, is_null


class Target(msgspec.Struct, frozen=True):
    """One item of `to:`."""

    node: Node
    service: str
    is_global: bool
    ip: str


class Expose(msgspec.Struct, frozen=True):
    """One exposed port; `external` is `as` where it is given."""

    node: Node
    index: int
    port: int | None
    given_as: int | None
    proto: str
    targets: tuple[Target, ...]
    hosts: tuple[Scalar, ...]
    http_options: Node | None

    @property
    def external(self) -> int | None:
        """The port as it is seen from outside: `as`, or `port`."""
        return self.given_as or self.port

    @property
    def is_global(self) -> bool:
        """Whether anyone outside of the deployment reaches it."""
        return any(target.is_global for target in self.targets)

    @property
    def is_ingress(self) -> bool:
        """Whether it gets a host name: global, TCP and port 80 (provider: ServiceExpose.IsIngress)."""
        return self.is_global and self.proto.upper() in ("", "TCP") and self.external == 80


class Service(msgspec.Struct, frozen=True):
    """One entry of `services`."""

    name: str
    key: Node
    node: Node
    image: str
    env: tuple[tuple[str, str, Scalar, int], ...]
    command: tuple[Scalar, ...]
    args: tuple[Scalar, ...]
    exposes: tuple[Expose, ...]
    mounts: dict[str, Node]

    def env_value(self, name: str) -> str | None:
        """The value of an env variable; the last one of that name counts."""
        return next((value for key, value, _, _ in reversed(self.env) if key == name), None)


class Volume(msgspec.Struct, frozen=True):
    """One volume of a compute profile; size in bytes."""

    name: str
    node: Node
    size: int | None
    persistent: bool
    storage_class: str


class GpuModel(msgspec.Struct, frozen=True):
    """One accepted GPU model; an empty `model` accepts any of the vendor."""

    node: Node
    model: str
    ram: str
    interface: str


class Compute(msgspec.Struct, frozen=True):
    """One compute profile: thousandths of a core, bytes, GPUs."""

    name: str
    key: Node
    node: Node
    resources: Node | None
    cpu: int | None
    memory: int | None
    gpu: int
    models: tuple[GpuModel, ...]
    volumes: tuple[Volume, ...]


class Price(msgspec.Struct, frozen=True):
    """The most that one replica may cost per block."""

    node: Node
    denom: str
    amount: Decimal | None


class Row(msgspec.Struct, frozen=True):
    """One line of `deployment`: a service in a placement."""

    service: str
    placement: str
    key: Node
    node: Node
    profile: str
    count: int | None


class Placement(msgspec.Struct, frozen=True):
    """One placement group."""

    name: str
    key: Node
    node: Node
    prices: dict[str, Price]
    attributes: dict[str, str]


class View:
    """The document by its sections; made once per text and shared by all rules."""

    def __init__(self, root: Node | None) -> None:
        self.root = resolved(root)

    def section(self, *keys: str) -> dict[str, tuple[Node, Node]]:
        """Key and value nodes of a section by name."""
        return pairs_of(child(self.root, *keys))

    @cached_property
    def version(self) -> tuple[int, int, int]:
        """The version as Go reads it, 2.0.0 where it cannot."""
        node = child(self.root, "version")
        return (quantities.go_version(node.value) if isinstance(node, Scalar) else None) or (2, 0, 0)

    @cached_property
    def services(self) -> dict[str, Service]:
        """The services by name."""
        return {name: _service(name, *pair) for name, pair in self.section("services").items()}

    @cached_property
    def computes(self) -> dict[str, Compute]:
        """The compute profiles by name."""
        return {name: _compute(name, *pair) for name, pair in self.section("profiles", "compute").items()}

    @cached_property
    def placements(self) -> dict[str, Placement]:
        """The placements by name."""
        return {name: _placement(name, *pair) for name, pair in self.section("profiles", "placement").items()}

    @cached_property
    def endpoints(self) -> dict[str, tuple[Node, Node]]:
        """The ip endpoints by name."""
        return self.section("endpoints")

    @cached_property
    def rows(self) -> list[Row]:
        """What is deployed where, in the order of the names, as Go goes through it."""
        rows = [
            _row(service, placement, *pair)
            for service, (_, placed) in self.section("deployment").items()
            for placement, pair in pairs_of(placed).items()
        ]
        return sorted(rows, key=lambda row: (row.service, row.placement))

    @cached_property
    def deployed(self) -> dict[str, Service]:
        """The services that have a row in `deployment`."""
        named = {row.service for row in self.rows}
        return {name: service for name, service in self.services.items() if name in named}

    def price(self, row: Row) -> Price | None:
        """The price that the row's placement sets for its profile."""
        placement = self.placements.get(row.placement)
        return placement.prices.get(row.profile) if placement else None


def string(node: Node | None) -> str:
    """The node as Go's string: empty for null and for anything but a scalar."""
    node = resolved(node)
    return node.value if isinstance(node, Scalar) and not is_null(node) else ""


def number(node: Node | None) -> int | None:
    """The node as Go's uint32, or None."""
    node = resolved(node)
    value = go_meaning(node) if isinstance(node, Scalar) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**32:
        return None
    return int(value)


_TRUE_WORDS = frozenset(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"))


def truth(node: Node | None) -> bool:
    """The node as Go's bool; yes and on count."""
    node = resolved(node)
    if not isinstance(node, Scalar):
        return False
    value = go_meaning(node)
    return value if isinstance(value, bool) else node.value in _TRUE_WORDS


def scalars(node: Node | None) -> tuple[Scalar, ...]:
    """The items of a list of texts; null items are dropped as Go drops them."""
    return tuple(item for item in elements(node) if isinstance(item, Scalar) and not is_null(item))


def items(node: Node | None) -> list[tuple[int, Node]]:
    """The items of a list of mappings with their index, null items dropped."""
    return [(index, item) for index, item in enumerate(elements(node)) if not is_null(item)]


def _service(name: str, key: Node, written: Node) -> Service:
    node = resolved(written) or written
    env = [(index, item) for index, item in enumerate(elements(child(node, "env"))) if isinstance(item, Scalar)]
    return Service(
        name=name,
        key=key,
        node=node,
        image=string(child(node, "image")),
        env=tuple((*_split(item.value), item, index) for index, item in env if not is_null(item)),
        command=scalars(child(node, "command")),
        args=scalars(child(node, "args")),
        exposes=tuple(_expose(index, item) for index, item in items(child(node, "expose"))),
        mounts=fields(child(node, "params", "storage")),
    )


def _split(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def shown_name(item: Scalar) -> str:
    """The name that an env item sets, for others to see; without a `=` all of it may be a secret."""
    name, equals, _ = item.value.partition("=")
    return name if equals else "(without =)"


def _expose(index: int, node: Node) -> Expose:
    return Expose(
        node=node,
        index=index,
        port=number(child(node, "port")),
        given_as=number(child(node, "as")),
        proto=string(child(node, "proto")),
        targets=tuple(_target(item) for _, item in items(child(node, "to"))),
        hosts=scalars(child(node, "accept")),
        http_options=child(node, "http_options"),
    )


def _target(node: Node) -> Target:
    return Target(node, string(child(node, "service")), truth(child(node, "global")), string(child(node, "ip")))


def _compute(name: str, key: Node, written: Node) -> Compute:
    node = resolved(written) or written
    resources = child(node, "resources")
    cpu, memory = child(resources, "cpu", "units"), child(resources, "memory", "size")
    return Compute(
        name=name,
        key=key,
        node=node,
        resources=resources,
        cpu=quantities.go_cpu(cpu.value) if isinstance(cpu, Scalar) and not is_null(cpu) else None,
        memory=_bytes(memory),
        gpu=quantities.go_units(string(child(resources, "gpu", "units"))) or 0,
        models=tuple(map(_model, elements(child(resources, "gpu", "attributes", "vendor", "nvidia")))),
        volumes=_volumes(child(resources, "storage")),
    )


def _bytes(node: Node | None) -> int | None:
    if not isinstance(node, Scalar) or is_null(node):
        return None
    size = quantities.go_bytes(node.value)
    return quantities.ts_bytes(node.value) if size is None else size


def _model(node: Node) -> GpuModel:
    return GpuModel(node, string(child(node, "model")), string(child(node, "ram")), string(child(node, "interface")))


def _volumes(storage: Node | None) -> tuple[Volume, ...]:
    if isinstance(storage, Sequence):
        return tuple(_volume(item, string(child(item, "name")) or "default") for item in elements(storage))
    # Source: go/sdl/storage.go: a volume in mapping form is always called default, whatever its name says.
    return (_volume(storage, "default"),) if isinstance(storage, Mapping) else ()


def _volume(node: Node, name: str) -> Volume:
    attributes = child(node, "attributes")
    persistent = string(child(attributes, "persistent")) in ("true", "on", "yes")
    storage_class = string(child(attributes, "class")) or ("default" if persistent else "")
    return Volume(name, node, _bytes(child(node, "size")), persistent, storage_class)


def _placement(name: str, key: Node, written: Node) -> Placement:
    node = resolved(written) or written
    prices = {profile: _price(price) for profile, price in fields(child(node, "pricing")).items()}
    labels = {label: string(value) for label, value in fields(child(node, "attributes")).items()}
    return Placement(name, key, node, prices, labels)


def _price(node: Node) -> Price:
    return Price(node, string(child(node, "denom")), quantities.go_amount(string(child(node, "amount"))))


def _row(service: str, placement: str, key: Node, written: Node) -> Row:
    node = resolved(written) or written
    return Row(service, placement, key, node, string(child(node, "profile")), number(child(node, "count")))
