"""What is known of a cluster while something waits: nodes with what they have, and who holds it."""

import re
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

Resources = dict[str, float]
BundleKey = tuple[tuple[tuple[str, float], ...], ...]

# Inside a placement group Ray renames resources: `CPU_group_0_<id>` is of bundle 0, `CPU_group_<id>` of any of them.
_IN_GROUP = re.compile(r"(?P<name>.+)_group_(?:(?P<bundle>\d+)_)?(?P<group>[0-9a-f]{36})")
MARKER = "bundle"  # a resource of Ray's own that only says which bundles are on a node


def bundle_key(bundles: Iterable[Resources]) -> BundleKey:
    """What identifies a placement group where Ray does not give its ID: what its bundles need."""
    return tuple(sorted(tuple(sorted(bundle.items())) for bundle in bundles))


class InGroup(NamedTuple):
    """A resource inside a placement group; `bundle` is None where any bundle will do."""

    name: str
    bundle: int | None
    group_id: str


def in_group(resource: str) -> InGroup | None:
    """What a resource's name says of a placement group; None for one that is outside of all."""
    found = _IN_GROUP.fullmatch(resource)
    if found is None:
        return None
    return InGroup(found["name"], int(found["bundle"]) if found["bundle"] else None, found["group"])


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """What must be free on one node; `labels` is a selector of Ray, `other_labels` those to try next."""

    resources: Resources = {}
    labels: dict[str, str] = {}
    other_labels: tuple[dict[str, str], ...] = ()

    @property
    def needs(self) -> Resources:
        """The resources without Ray's own marker of bundles, which repeats what the others say."""
        return {
            name: amount
            for name, amount in self.resources.items()
            if amount > 0 and ((place := in_group(name)) is None or place.name != MARKER)
        }

    @property
    def group_id(self) -> str | None:
        """The placement group inside which it must be placed."""
        return next((place.group_id for name in self.resources if (place := in_group(name))), None)


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """A process that holds resources of a node, or a placement group that reserves them.

    `since` is in seconds since the epoch. Fields that Ray did not tell are None.
    """

    submission_id: str | None = None
    job_id: str | None = None
    actor_id: str | None = None
    name: str | None = None
    pid: int | None = None
    resources: Resources = {}
    since: float | None = None

    @property
    def label(self) -> str:
        """How to call it in a sentence."""
        if self.name or self.submission_id:
            return self.name or self.submission_id or ""
        return f"job {self.job_id}" if self.job_id else f"process {self.pid}" if self.pid else "an unknown process"


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A living node: what it has, what is taken, and by whom; `used` may lag 5 seconds, `held` 15."""

    node_id: str | None = None
    hostname: str | None = None
    is_alone: bool = True
    """Whether no other node has this host name."""
    labels: dict[str, str] = {}
    total: Resources = {}
    used: Resources = {}
    held: tuple[Holder, ...] = ()

    def free(self, name: str) -> float:
        """The free amount of a resource."""
        return max(0.0, self.total.get(name, 0.0) - self.used.get(name, 0.0))

    @property
    def label(self) -> str:
        """How to call it in a sentence."""
        short = (self.node_id or "")[:8]
        if self.hostname and (self.is_alone or not short):
            return self.hostname
        return f"{self.hostname} ({short})" if self.hostname else short or "a node without a name"


class RuntimeEnv(msgspec.Struct, frozen=True, kw_only=True):
    """What must be set up on a node before a worker starts there: the plugins by Ray's names, and what they fetch."""

    plugins: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What an actor or a task asked for: room on a node, and then an environment."""

    demand: Demand = Demand()
    env: RuntimeEnv = RuntimeEnv()


class SetupLine(msgspec.Struct, frozen=True):
    """The last line of a log of runtime environments, and the node that wrote it."""

    text: str
    node_id: str | None = None
