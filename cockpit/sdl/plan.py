"""What an SDL of ours is made of, before it is text: services with their resources, and where they may run."""

from decimal import Decimal

import msgspec

from cockpit.sdl.quantities import GI, MI

PLACEMENT = "akash"
SHM = "/dev/shm"


class DiskPlan(msgspec.Struct, frozen=True):
    """A volume: bytes, Akash's class of storage (`ram` takes memory), and where it is mounted."""

    name: str
    size: int
    storage_class: str
    mount: str

    @property
    def is_persistent(self) -> bool:
        """Whether it outlives the container."""
        return self.storage_class != "ram"


class PortPlan(msgspec.Struct, frozen=True):
    """A port: `to` are the services that it is for; none means the internet."""

    port: int
    to: tuple[str, ...] = ()
    proto: str = "tcp"
    comment: str = ""


class GpuPlan(msgspec.Struct, frozen=True):
    """Cards of one replica; an empty model takes any of the vendor."""

    units: int
    models: tuple[tuple[str, str, str], ...] = ()


class ServicePlan(msgspec.Struct, frozen=True, kw_only=True):
    """One service; `cpu` in thousandths of a core, sizes in bytes, `price` in uact per block and replica."""

    name: str
    image: str
    env: tuple[tuple[str, str], ...] = ()
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    ports: tuple[PortPlan, ...] = ()
    cpu: int = 500
    memory: int = 256 * MI
    disk: int = GI // 2
    volumes: tuple[DiskPlan, ...] = ()
    gpu: GpuPlan | None = None
    count: int = 1
    price: Decimal = Decimal(20)
    comment: str = ""
    notes: dict[str, str] = {}


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A whole SDL: `title` and `notes` stand at its top as comments."""

    title: str
    services: tuple[ServicePlan, ...]
    notes: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    signed_by: tuple[str, ...] = ()
