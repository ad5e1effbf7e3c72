"""Nodes of the simulated cluster as `/nodes?view=summary` tells of them; shapes as recorded from Ray 2.60."""

import math
from collections.abc import Sequence
from typing import Any

from tests.sim.gpus import A100, H100, gpu_rows, held_on
from tests.sim.jobs import SimJob
from tests.sim.plan import Plan
from tests.sim.workers import worker_rows

GIB = 1024**3
SAMPLE_SECONDS = 5.0  # how often Ray takes a sample of a node
UP_SECONDS = 6.1 * 86_400
DEAD_FOR = 214.0

# setproctitle leaves these behind, and Ray sends them (ray-api section 3).
_TITLE_REST = [""] * 1000


class Machine:
    """A node: what it is, and how it fares at a time."""

    def __init__(self, plan: Plan, number: int, *, session: str, is_dead: bool = False) -> None:
        self.plan = plan
        self.number = number
        self.session = session
        self.is_dead = is_dead
        self.node_id = plan.hex_id(56, "node", session, number)
        self.ip = f"10.0.3.{2 + number}"
        self.hostname = "head" if number == 0 else f"worker-{number}"
        self.model = H100 if number * 3 < plan.nodes * 2 else A100
        self.cpus = 96 if plan.gpus else 32
        self.memory = (1536 if plan.gpus else 256) * GIB

    @property
    def is_head(self) -> bool:
        """Whether the dashboard runs here."""
        return self.number == 0

    def resources(self) -> dict[str, float]:
        """What it brings, by Ray's own names."""
        gpus = {"GPU": float(self.plan.gpus), f"accelerator_type:{self.model.accelerator}": 1.0}
        return {
            "object_store_memory": float(self.memory // 10),
            **(gpus if self.plan.gpus else {}),
            **({"node:__internal_head__": 1.0} if self.is_head else {}),
            "memory": float(self.memory * 8 // 10),
            f"node:{self.ip}": 1.0,
            "CPU": float(self.cpus),
        }

    def used(self, jobs: Sequence[SimJob]) -> dict[str, float]:
        """What of it is taken by running jobs."""
        mine = [share for job in jobs for share in job.shares if share.node == self.number]
        workers = len(mine) + sum(job.kind.cpus for job in jobs if job.node == self.number)
        gpus = {"GPU": sum(share.part for share in mine)} if self.plan.gpus else {}
        return {"CPU": min(float(self.cpus), workers), **gpus}

    def summary(self, jobs: Sequence[SimJob], now: float) -> dict[str, Any]:
        """The entry in `data.summary`; `jobs` are those that run."""
        if self.is_dead:
            now = self.plan.origin - DEAD_FOR - 60
        tick = math.floor(now / SAMPLE_SECONDS)
        moment = tick * SAMPLE_SECONDS - 2 * self.wave("sampled", 0)
        share = 0.1 + 0.75 * self.wave("memory", tick // 40) * bool(jobs)
        used = int(self.memory * share)
        cpu = round(100 * min(1.0, self.used(jobs)["CPU"] / self.cpus) * 0.8 + 9 * self.wave("cpu", tick), 1)
        disk, mine = self._disk(tick), held_on(self.number, jobs)
        return {
            "now": moment,
            "hostname": self.hostname,
            "ip": self.ip,
            "cpu": cpu,
            "cpus": [self.cpus, self.cpus // 2],
            "mem": [self.memory, self.memory - used, round(100 * share, 1), used],
            "hostMem": [used + GIB, self.memory],
            "cgroupMem": [used, self.memory],
            "shm": int(self.memory * 0.01),
            "raylet": self._dead_raylet() if self.is_dead else self._raylet(jobs, now, tick),
            "agent": self._process("ray::DashboardAgent", 21_225),
            "bootTime": self.plan.origin - UP_SECONDS,
            "loadAvg": [[round(cpu * self.cpus / 100 * k, 2) for k in (1.04, 0.99, 0.93)], [0.81, 0.77, 0.72]],
            "disk": {"/": disk, "/tmp/ray": disk},
            "diskIo": [14_031_840_256, 7_454_363_648, 487_569, 97_352],
            "diskIoSpeed": [2.4e8 * self.wave("read", tick), 9e7 * self.wave("write", tick), 216.8, 44.1],
            "gpus": gpu_rows(self, mine, tick),
            "tpus": [],
            "network": [2_263_635_114, 754_611_988_230],
            "networkSpeed": [3.1e8 * self.wave("sent", tick), 4.4e8 * self.wave("received", tick)],
            "cmdline": [
                "/usr/lib/python3/site-packages/ray/core/src/ray/raylet/raylet",
                f"--raylet_socket_name=/tmp/ray/{self.session}/sockets/raylet",
                *[""] * 34,
            ],
            "gcs": self._process("/usr/lib/python3/site-packages/ray/core/src/ray/gcs/gcs_server", 20_257)
            if self.is_head
            else None,
        }

    def logical(self, jobs: Sequence[SimJob]) -> str:
        """The entry in `data.nodeLogicalResources`."""
        used, total = self.used(jobs), self.resources()
        lines = [f"{used['CPU']}/{total['CPU']} CPU"]
        if self.plan.gpus:
            lines += [f"{used['GPU']}/{total['GPU']} GPU", f"0.0/1.0 accelerator_type:{self.model.accelerator}"]
        lines += [f"0B/{total[name] / GIB:.2f}GiB {name}" for name in ("memory", "object_store_memory")]
        return "\n".join(lines)

    def wave(self, what: object, tick: int) -> float:
        """Chance between 0 and 1 that belongs to a sample."""
        return self.plan.wave(self.number, what, tick)

    def _disk(self, tick: int) -> dict[str, Any]:
        total = 3584 * GIB
        used = int(total * (0.31 + 0.4 * self.wave("disk", 0))) + tick % 1000 * 4096
        return {"total": total, "used": used, "free": total - used, "percent": round(100 * used / total, 1)}

    def _process(self, title: str, pid: int) -> dict[str, Any]:
        return {
            "pid": pid,
            "createTime": self.plan.origin - UP_SECONDS + 9,
            "cpuPercent": 1.6,
            "cpuTimes": {"user": 25.23, "system": 14.93, "childrenUser": 0.0, "childrenSystem": 0.0},
            "cmdline": [title, *_TITLE_REST],
            "memoryInfo": {"rss": 158_855_168.0, "vms": 1_795_117_056.0, "pfaults": None, "pageins": None},
            "memoryFullInfo": None,
            "numFds": 86,
            "gpuMemoryUsage": None,
            "gpuUtilization": None,
        }

    def _raylet(self, jobs: Sequence[SimJob], now: float, tick: int) -> dict[str, Any]:
        workers = worker_rows(self, jobs)
        store = self.memory // 10
        used = int(store * 0.4 * self.wave("store", tick // 6))
        return {
            "coreWorkersStats": workers,
            "numWorkers": len(workers),
            "storeStats": {
                "objectStoreBytesUsed": str(used),
                "objectStoreBytesAvail": str(store),
                "objectStoreBytesPrimaryCopy": str(used),
                "numLocalObjects": "214",
                "numObjectStorePrimaryCopies": "190",
                "cumulativeCreatedObjects": "51842",
                "cumulativeCreatedBytes": "883120004390",
            },
            "objectStoreUsedMemory": used,
            "objectStoreAvailableMemory": store - used,
            **self._place(),
            "resourcesTotal": {camel(name): value for name, value in self.resources().items()},
            "startTimeMs": str(round((self.plan.origin - UP_SECONDS + 10) * 1000)),
            "labels": self._labels(),
            "stateSnapshot": {"state": "ACTIVE", "idleDurationMs": "0", "nodeActivity": []},
            "state": "ALIVE",
            "endTimeMs": "0",
            "stateMessage": None,
        }

    def _place(self) -> dict[str, Any]:
        return {
            "nodeId": self.node_id,
            "nodeManagerAddress": self.ip,
            "rayletSocketName": f"/tmp/ray/{self.session}/sockets/raylet",
            "objectStoreSocketName": f"/tmp/ray/{self.session}/sockets/plasma_store",
            "nodeManagerPort": 8077,
            "objectManagerPort": 8076,
            "nodeManagerHostname": self.hostname,
            "metricsExportPort": 8080,
            "nodeName": self.ip,
            "isHeadNode": self.is_head,
            "runtimeEnvAgentPort": 8081,
            "metricsAgentPort": 8078,
            "dashboardAgentListenPort": 52_365,
            "tempDir": "/tmp/ray",
            "sessionDir": f"/tmp/ray/{self.session}",
            "instanceId": "",
            "nodeTypeName": "",
            "instanceTypeName": "",
        }

    def _dead_raylet(self) -> dict[str, Any]:
        """What is left of a node that died: its id, and why."""
        emptied = {key: type(value)() for key, value in self._place().items()}
        return {
            **emptied,
            "storeStats": {"objectStoreBytesAvail": str(self.memory // 10)},
            "coreWorkersStats": [],
            "objectStoreUsedMemory": 0,
            "objectStoreAvailableMemory": self.memory // 10,
            "nodeId": self.node_id,
            "state": "DEAD",
            "endTimeMs": str(round((self.plan.origin - DEAD_FOR) * 1000)),
            "deathInfo": {
                "reason": "UNEXPECTED_TERMINATION",
                "reasonMessage": "health check failed due to missing too many heartbeats",
            },
            "resourcesTotal": {},
            "startTimeMs": "0",
            "labels": {},
            "stateMessage": "Unexpected termination: health check failed due to missing too many heartbeats",
        }

    def _labels(self) -> dict[str, str]:
        accelerator = {"ray.io/accelerator-type": self.model.accelerator} if self.plan.gpus else {}
        return {**accelerator, "ray.io/node-id": self.node_id}


def camel(name: str) -> str:
    """A resource's name as the dashboard mangles it: `accelerator_type:A100` becomes `acceleratorType:A100`."""
    if name == "node:__internal_head__":
        return "node:InternalHead"
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)
