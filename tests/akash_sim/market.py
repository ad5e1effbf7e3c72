"""Providers of the simulated network, and what they bid."""

from decimal import Decimal

import msgspec

from tests.akash_sim.pods import PodPlan
from tests.akash_sim.sdl import SimGroup

BLOCKED_FOR_TRIALS = (
    "b300", "b200", "h200", "h100", "pro6000se", "pro6000we", "a100", "rtx5090", "rtx4090", "rtx3090",
)  # fmt: skip


class SimProvider(msgspec.Struct, kw_only=True):
    """A provider; `nodes` are the free GPUs of each node, prices are uact a block, `host_uri` is its gateway's.

    `forwards` are real places that a service's container port leads to, as (service, port) to (host, port).
    Ports are told `ports_after_s` after the manifest. `replicas` are those of each service that really run, where
    something does; else the plans tell. `manifest` is `takes`, `refuses` (422) or `loses`: then `losses` sendings are
    lost before one arrives.
    """

    address: str
    host: str
    host_uri: str = ""
    region: str = "us-west"
    country: str = "US"
    model: str = "rtx4090"
    ram: str = "24Gi"
    interface: str = "pcie"
    nodes: list[int]
    gpu_price: Decimal = Decimal(600)
    base_price: Decimal = Decimal("12.5")
    bid_delay_s: float = 3.0
    is_audited: bool = True
    is_online: bool = True
    uptime_7d: float = 0.9991
    is_reachable: bool = True
    port_answers: bool = True
    manifest: str = "takes"
    losses: int = 0
    unready_s: float = 475.0
    plans: dict[str, PodPlan] = {}
    forwards: dict[tuple[str, int], tuple[str, int]] = {}
    replicas: dict[str, int] | None = None
    ports_after_s: float = 0.0

    def plan(self, service: str) -> PodPlan:
        """How the pods of a service start here."""
        return self.plans.get(service) or self.plans.get("*") or PodPlan()

    def can_serve(self, group: SimGroup) -> bool:
        """Whether it would bid: each replica needs one node with its GPUs free, of a model that is wanted."""
        if not self.is_online or not all(self._has_model(service.gpu_attributes) for service in group.services):
            return False
        nodes = list(self.nodes)
        for service in sorted(group.services, key=lambda service: -service.gpus):
            for _ in range(service.count if service.gpus else 0):
                best = max(range(len(nodes)), key=nodes.__getitem__, default=None)
                if best is None or nodes[best] < service.gpus:
                    return False
                nodes[best] -= service.gpus
        return self.price(group) <= Decimal(group.ceiling if group.ceiling != float("inf") else "Infinity")

    def _has_model(self, wanted: tuple[str, ...]) -> bool:
        key = f"vendor/nvidia/model/{self.model}/ram/{self.ram}/interface/{self.interface}"
        wild = "vendor/nvidia/model/*"
        return not wanted or any(key.startswith(attribute) or attribute == wild for attribute in wanted)

    def price(self, group: SimGroup) -> Decimal:
        """What it asks for a group, a block."""
        return group.gpus * self.gpu_price + self.base_price * sum(service.count for service in group.services)


def providers(count: int = 6) -> list[SimProvider]:
    """Providers of some kinds: the cheapest first, the last without an audit."""
    models = [("rtx4090", "24Gi", "pcie"), ("h100", "80Gi", "sxm5"), ("a100", "80Gi", "sxm4"), ("t4", "16Gi", "pcie")]
    regions = [("us-west", "US"), ("eu-central", "DE"), ("us-east", "US"), ("ca-central", "CA")]
    found = []
    for number in range(count):
        model, ram, interface = models[number % 2 if number < 4 else number % len(models)]
        region, country = regions[number % len(regions)]
        found.append(
            SimProvider(
                address=f"akash1{'qpzry9x8gf2tvdw0s3jn54khce6mua7l'[number] * 38}",
                host=f"provider-{number}.sim.example",
                region=region,
                country=country,
                model=model,
                ram=ram,
                interface=interface,
                nodes=[8, 4, 2],
                gpu_price=Decimal(520 + 140 * number) if model != "h100" else Decimal(3800 + 100 * number),
                bid_delay_s=2.0 + 3 * number,
                is_audited=number < count - 1 or count == 1,
            )
        )
    return found
