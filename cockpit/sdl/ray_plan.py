"""The services that every Ray cluster of ours has: a gateway that ends TLS, a head, and groups of workers."""

from decimal import Decimal
from typing import Any

from cockpit.model.akash.money import BLOCKS_PER_HOUR, UACT_PER_USD
from cockpit.model.secret import REFERENCE_PREFIX
from cockpit.sdl.plan import SHM, DiskPlan, GpuPlan, PortPlan, ServicePlan
from cockpit.sdl.quantities import GI, MI
from cockpit.sdl.ray_cluster import DASHBOARD_PORT, GCS_PORT
from cockpit.sdl.ray_images import GATEWAY
from cockpit.sdl.scripts import SERVE_PORT, gateway_script, node_script

GATEWAY_NAME, HEAD_NAME, WORKER_NAME = "gateway", "ray-head", "ray-worker"
GATEWAY_PORT = 8443
OWN_SECRETS = ("RAY_AUTH_TOKEN", "GATEWAY_TLS_CERTIFICATE", "GATEWAY_TLS_KEY")
UACT_PER_USD_HOUR = UACT_PER_USD / BLOCKS_PER_HOUR

Env = tuple[tuple[str, str], ...]
SHELL = ("/bin/sh", "-c")

_TOKEN = ("RAY_AUTH_TOKEN", f"{REFERENCE_PREFIX}RAY_AUTH_TOKEN")
_GATEWAY = "The only port open to the internet. It terminates TLS for the dashboard, which does not use TLS."
_PORT = (
    "Not `as: 80`: there the provider would end TLS, cut uploads at 1 MB and break quiet logs off after a minute. Any "
    "other number becomes a random port of the provider's host; the lease tells which."
)
_HEAD = "Schedules the work and runs the drivers of jobs. None of its ports is global."
_RESOLVES = (
    "An exposed port is what makes the name `ray-head` resolve; all other ports are open between the pods anyway."
)
_WORKERS = "One service for all workers: `count`, at the end of the file, says how many run."
NOTES = {
    "image": "Ray and Python must be the same in head and workers; a -gpu image carries CUDA.",
    "RAY_AUTH_MODE": "`token` exactly: Ray runs open, without an error, in a mode that it does not know.",
}


def gateway(*, serve: bool = False, guard: bool = False) -> ServicePlan:
    """The gateway; `guard` makes it ask for the token, for a Ray that cannot."""
    names = ("GATEWAY_TLS_CERTIFICATE", "GATEWAY_TLS_KEY")
    env = tuple((name, REFERENCE_PREFIX + name) for name in names)
    return ServicePlan(
        name=GATEWAY_NAME,
        image=GATEWAY,
        env=(*env, _TOKEN) if serve or guard else env,
        ports=(PortPlan(GATEWAY_PORT, comment=_PORT),),
        command=SHELL,
        args=(gateway_script(serve=serve, guard=guard),),
        comment=_GATEWAY,
    )


class Size:
    """Resources of one node: thousandths of a core, bytes, cards, and what it may cost."""

    def __init__(
        self, cpu: int, memory: int, *, shm: int, disk: int, price: Decimal, gpu: GpuPlan | None = None,
        volumes: tuple[DiskPlan, ...] = (),
    ) -> None:  # fmt: skip
        self.cpu, self.memory, self.shm, self.disk, self.price, self.gpu = cpu, memory, shm, disk, price, gpu
        self.volumes = (DiskPlan("shm", max(shm, GI), "ram", SHM), *volumes)


def head(
    size: Size, image: str, *, env: Env = (), workers: tuple[str, ...], serve: bool = False,
    flags: tuple[tuple[str, str], ...] = (), notes: dict[str, str] | None = None,
) -> ServicePlan:  # fmt: skip
    """The head; `env` comes after the token."""
    ports = [PortPlan(DASHBOARD_PORT, (GATEWAY_NAME,))]
    if workers:
        ports.insert(0, PortPlan(GCS_PORT, workers, comment=_RESOLVES))
    if serve:
        ports.append(PortPlan(SERVE_PORT, (GATEWAY_NAME,), comment="Ray Serve, which the gateway opens as /serve/."))
    return ServicePlan(
        name=HEAD_NAME, image=image, env=(("RAY_AUTH_MODE", "token"), _TOKEN, *_serving(serve, env), *env),
        ports=tuple(ports), command=SHELL, args=(node_script("head", flags),), comment=_HEAD,
        notes={**NOTES, **(notes or {})}, **_resources(size),
    )  # fmt: skip


def worker(
    size: Size, image: str, *, name: str = WORKER_NAME, env: Env = (), count: int, serve: bool = False,
    flags: tuple[tuple[str, str], ...] = (), comment: str = _WORKERS, notes: dict[str, str] | None = None,
) -> ServicePlan:  # fmt: skip
    """One group of workers."""
    own = (("RAY_ADDRESS_HOST", HEAD_NAME), ("RAY_AUTH_MODE", "token"), _TOKEN)
    return ServicePlan(
        name=name, image=image, env=(*own, *_serving(serve, env), *env), command=SHELL,
        args=(node_script("worker", flags),), count=count, comment=comment, notes={**NOTES, **(notes or {})},
        **_resources(size),
    )  # fmt: skip


def _serving(serve: bool, env: Env) -> Env:
    """Serve listens on 127.0.0.1 by default."""
    name = "RAY_SERVE_DEFAULT_HTTP_HOST"
    return ((name, "0.0.0.0"),) if serve and name not in dict(env) else ()


def _resources(size: Size) -> dict[str, Any]:
    return {
        "cpu": size.cpu, "memory": max(size.memory, MI), "disk": size.disk, "volumes": size.volumes, "gpu": size.gpu,
        "price": size.price,
    }  # fmt: skip
