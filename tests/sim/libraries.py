"""Serve, Train and Data of the simulated cluster."""

from typing import Any, Protocol

from tests.sim.machines import Machine
from tests.sim.plan import Plan

Row = dict[str, Any]

TRACEBACK = (
    "\x1b[36mray::ServeReplica:sick:Bad.initialize()\x1b[39m\nTraceback (most recent call last):\n"
    '  File "serving.py", line 12, in __init__\n    raise ValueError("no weights at /models")\n'
    "ValueError: no weights at /models"
)


class Host(Protocol):
    """What the libraries need of their cluster."""

    plan: Plan
    machines: list[Machine]


class Libraries:
    """What each library would tell; `absent` holds those that the head does not have."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.absent: set[str] = set()
        self.configs: dict[str, Row] = {
            "chat": {"name": "chat", "route_prefix": "/chat", "import_path": "serving.chat:app",
                     "runtime_env": {"env_vars": {"HF_TOKEN": "sim-secret-hf"}},
                     "deployments": [{"name": "LLM", "num_replicas": 2}]},
            "sick": {"name": "sick", "route_prefix": "/sick", "import_path": "serving:bad"},
        }  # fmt: skip
        self.broken = {"sick"}
        """Applications whose constructor raises."""
        self.runs: list[Row] = []
        self.datasets: dict[str, list[Row]] = {}

    def serve(self) -> Row:
        """The body of `GET /api/serve/applications/`."""
        applications = {name: self._application(name, config) for name, config in self.configs.items()}
        return {"controller_info": {}, "proxies": {}, "applications": applications, "target_capacity": None}

    def deploy(self, config: Row) -> str | None:
        """Make this the whole config; returns Serve's complaint about one of another form."""
        wrong = [one for one in config.get("applications", []) if "import_path" not in one]
        if wrong:
            return "1 validation error for ServeDeploySchema\napplications.0.import_path\n  Field required"
        self.configs = {one.get("name", "default"): one for one in config["applications"]}
        return None

    def _application(self, name: str, config: Row) -> Row:
        is_broken = name in self.broken
        deployments = {
            one["name"]: self._deployment(name, one, is_broken=is_broken)
            for one in config.get("deployments", [{"name": "App", "num_replicas": 1}])
        }
        return {
            "name": name, "route_prefix": config.get("route_prefix"), "docs_path": None,
            "status": "DEPLOY_FAILED" if is_broken else "RUNNING",
            "message": "Failed to update the deployments ['App']." if is_broken else "",
            "last_deployed_time_s": self._host.plan.origin - 7200, "deployed_app_config": config,
            "source": "declarative", "deployments": deployments,
        }  # fmt: skip

    def _deployment(self, application: str, config: Row, *, is_broken: bool) -> Row:
        name, count = config["name"], config.get("num_replicas", 1)
        replicas = [] if is_broken else [self._replica(application, name, number) for number in range(count)]
        return {
            "name": name, "status": "DEPLOY_FAILED" if is_broken else "HEALTHY",
            "status_trigger": "REPLICA_STARTUP_FAILED" if is_broken else "CONFIG_UPDATE_COMPLETED",
            "message": TRACEBACK if is_broken else "", "target_num_replicas": count,
            "required_resources": {"GPU": 0.5, "CPU": 1.0}, "replicas": replicas, "recent_dead_replicas": [],
        }  # fmt: skip

    def _replica(self, application: str, deployment: str, number: int) -> Row:
        replica_id = self._host.plan.hex_id(8, "replica", application, deployment, number)
        return {
            "node_id": self._host.machines[0].node_id, "node_ip": "10.0.0.1",
            "actor_id": self._host.plan.hex_id(32, "replica", application, deployment, number),
            "actor_name": f"SERVE_REPLICA::{application}#{deployment}#{replica_id}", "replica_id": replica_id,
            "worker_id": self._host.plan.hex_id(56, "replica", application, deployment, number), "pid": 7_000 + number,
            "log_file_path": f"/serve/replica_{application}_{deployment}_{replica_id}.log", "state": "RUNNING",
            "start_time_s": self._host.plan.origin - 7_100,
        }  # fmt: skip
