"""A Ray cluster between a foreign file and an SDL: head, groups of workers, and services beside them."""

from decimal import Decimal

import msgspec

from cockpit.sdl import ray_plan
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.export import label
from cockpit.sdl.foreign.flags import Flags
from cockpit.sdl.foreign.losses import CannotRunError, ImportLoss, Losses
from cockpit.sdl.foreign.sizes import Demand
from cockpit.sdl.plan import Plan, PortPlan, ServicePlan
from cockpit.sdl.ray_cluster import image_version
from cockpit.sdl.ray_images import FIRST_WITH_TOKENS, release, stock_image
from cockpit.sdl.rules import lint
from cockpit.sdl.wish import notes_for
from cockpit.sdl.writer import sdl_text, secret_names

# Room for the endings that Kubernetes adds.
LONGEST_NAME = 40
# What ours sets by itself.
OWN_ENV = frozenset(("RAY_AUTH_MODE", "RAY_ADDRESS_HOST", "RAY_ADDRESS", "RAY_IP", "FQ_RAY_IP", "RAY_PORT"))


_WORKERS = "Workers: `count`, at the end of the file, says how many run."


class Node:
    """A head or a group of workers."""

    def __init__(self, name: str, demand: Demand) -> None:
        self.name = name
        self.demand = demand
        self.image = ""
        self.env: dict[str, str] = {}
        self.flags: Flags = ()
        self.ports: list[int] = []
        self.count = 1


class Draft:
    """A cluster whose sizes are not fitted yet."""

    def __init__(
        self, *, head: Node, workers: list[Node], version: str, version_path: str, serve: bool = False,
        others: tuple[ServicePlan, ...] = (),
    ) -> None:  # fmt: skip
        self.head, self.workers, self.others = head, workers, others
        self.version, self.version_path, self.serve = version, version_path, serve


class Imported(msgspec.Struct, frozen=True):
    """An SDL from a foreign file, and what is not in it; `title` says where it is from."""

    text: str
    name: str
    title: str
    losses: tuple[ImportLoss, ...]


def finished(draft: Draft, name: str, source: str, losses: Losses) -> Imported:
    """The SDL of a draft. Raises CannotRunError."""
    guard = _needs_guard(draft, losses)
    taken = {ray_plan.GATEWAY_NAME, ray_plan.HEAD_NAME, *(one.name for one in draft.others)}
    names = [_free(one.name, taken) for one in draft.workers]
    _images(draft, losses)
    head = ray_plan.head(
        draft.head.demand.size(losses), draft.head.image, env=_env(draft.head), workers=tuple(names),
        serve=draft.serve, flags=draft.head.flags,
    )  # fmt: skip
    ports = tuple(PortPlan(port, (name,)) for port in draft.head.ports for name in names[:1])
    services = [
        ray_plan.gateway(serve=draft.serve, guard=guard),
        msgspec.structs.replace(head, ports=(*head.ports, *ports)),
    ]
    for worker, own in zip(draft.workers, names, strict=True):
        made = ray_plan.worker(
            worker.demand.size(losses), worker.image, name=own, env=_env(worker), count=worker.count,
            serve=draft.serve, flags=worker.flags, comment="" if services[2:] else _WORKERS,
        )  # fmt: skip
        services.append(
            msgspec.structs.replace(made, ports=tuple(PortPlan(port, (ray_plan.HEAD_NAME,)) for port in worker.ports))
        )
    services += draft.others
    title = f"The Ray cluster {name}, imported from a {source}."
    secrets = [one for one in secret_names(services) if one not in ray_plan.OWN_SECRETS]
    plan = Plan(title=title, notes=notes_for(name, secrets), services=tuple(services))
    text = sdl_text(plan)
    found = lint(SdlDocument(text))
    if not found.portable:
        words = next((one.message for one in found.problems if one.severity == "error"), "")
        raise CannotRunError(f"Akash does not take this cluster. {words}".strip())
    return Imported(text, name, title, losses.all())


def _needs_guard(draft: Draft, losses: Losses) -> bool:
    """Ray supports tokens since 2.52; an unknown release is treated as older."""
    found = image_version(draft.head.image)
    version = draft.version or (found[0] if found else "")
    number = release(version)
    if number is not None and number >= FIRST_WITH_TOKENS:
        return False
    what = f"Ray {version} does not support token authentication" if number else "The release of Ray is not known"
    losses.add(draft.version_path, f"{what}: the gateway checks the token itself.")
    return True


def _images(draft: Draft, losses: Losses) -> None:
    number = release(draft.version)
    for node in (draft.head, *draft.workers):
        if not node.image:
            node.image = (
                stock_image(draft.version, gpu=bool(node.demand.gpus))
                if number
                else stock_image(gpu=bool(node.demand.gpus))
            )
            losses.add(f"{node.demand.path}.image", f"No image is named: {node.image}.")


def _free(wanted: str, taken: set[str]) -> str:
    stem = name = label(wanted, LONGEST_NAME)
    number = 2
    while name in taken:
        name, number = f"{stem}-{number}", number + 1
    taken.add(name)
    return name


def _env(node: Node) -> ray_plan.Env:
    return tuple((name, value) for name, value in node.env.items() if name not in OWN_ENV and name != "RAY_AUTH_TOKEN")


def plain_price() -> Decimal:
    """The ceiling of a small service beside the cluster, in uact per block."""
    return Decimal(100)
