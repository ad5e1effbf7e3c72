"""A simulated Ray dashboard: a cluster with jobs, nodes and GPUs that never existed, served over HTTP.

    async with SimServer(SimCluster(Plan(nodes=12, gpus=8, jobs=212, seed=7))) as server:
        client = RayClient.at(Endpoint(address=parse_address(server.url)))

or as a process of its own: `python -m tests.sim --nodes 12 --gpus 8 --jobs 212 --seed 7 --port 0`, which prints its
address. The same plan and the same time give the same bytes. With the defaults a node of 8 GPUs makes 17 kB of
`/nodes?view=summary`, and a job 0.8 kB of `/api/jobs/`.
"""

from tests.sim.clock import SimClock
from tests.sim.cluster import SimCluster
from tests.sim.faults import Fault
from tests.sim.plan import NOON, Plan
from tests.sim.server import SimServer

__all__ = ["NOON", "Fault", "Plan", "SimClock", "SimCluster", "SimServer"]
