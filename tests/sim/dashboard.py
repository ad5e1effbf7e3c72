"""What the simulated dashboard answers: routes, refusals and faults; texts and codes as recorded from Ray 2.60."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from fnmatch import fnmatchcase
from typing import Any

from tests.sim.cluster import RAYLET, SimCluster
from tests.sim.faults import Fault, Faults, nulled
from tests.sim.jobs import SimJob
from tests.sim.logs import last_lines
from tests.sim.machines import camel
from tests.sim.wire import Reply, Request, Stream
from tests.sim.workloads import listed

RAY_VERSION = "2.60.0"
RAY_COMMIT = "b7f4259e944bf6959f721b106adc366ddfa0c356"
LARGEST_PACKAGE = 104_857_600

STATE_LISTS = ("actors", "tasks", "placement_groups", "workers", "cluster_events", "nodes")

PUBLIC = ("/api/authentication_mode", "/api/gcs_healthz")
BROWSER_HEADERS = ("referer", "origin", "sec-fetch-mode", "sec-fetch-dest", "sec-fetch-site", "sec-fetch-user")

_FIELDS: dict[str, tuple[type, ...]] = {
    "entrypoint": (str,),
    "submission_id": (str,),
    "runtime_env": (dict,),
    "metadata": (dict,),
    "entrypoint_num_cpus": (int, float),
    "entrypoint_num_gpus": (int, float),
    "entrypoint_memory": (int,),
    "entrypoint_resources": (dict,),
    "entrypoint_label_selector": (dict,),
    "job_id": (str,),
}
_NOUNS: dict[type, str] = {str: "a string", dict: "a dict", int: "a number"}

Answer = Reply | Stream


class Dashboard:
    """Answers requests about a cluster; `faults` befall them first. With a `token` it wants that.

    Without `redacts` it shows env values to everybody, as a Ray before 2.60 does.
    """

    def __init__(self, cluster: SimCluster, *, token: str | None = None, redacts: bool = True) -> None:
        self.cluster = cluster
        self.token = token
        self.redacts = redacts
        self.faults = Faults()
        self.requests = 0
        self._routes: dict[tuple[str, str], Callable[[Request], Awaitable[Answer]]] = {
            ("GET", "/api/version"): self._version,
            ("GET", "/api/authentication_mode"): self._authentication_mode,
            ("GET", "/api/gcs_healthz"): self._healthz,
            ("GET", "/api/jobs/"): self._jobs,
            ("POST", "/api/jobs/"): self._submit,
            ("GET", "/nodes"): self._nodes,
            ("GET", "/api/cluster_status"): self._cluster_status,
            ("GET", "/worker/traceback"): self._stack,
            ("GET", "/worker/cpu_profile"): self._profile,
            ("GET", "/memory_profile"): self._memory_profile,
            ("GET", "/timezone"): self._timezone,
            ("GET", "/api/serve/applications/"): self._serve,
            ("PUT", "/api/serve/applications/"): self._serve_deploy,
            ("GET", "/api/train/v2/runs/v1"): self._train,
            ("GET", "/api/v0/logs"): self._log_list,
            ("GET", "/api/v0/logs/file"): self._log_file,
            ("GET", "/api/v0/logs/stream"): self._log_stream,
        }

    async def handle(self, request: Request) -> Answer:
        """The answer to a request, after what befalls it."""
        self.requests += 1
        fault = self.faults.take(request.path)
        if fault is not None and fault.kind == "hang":
            await self.faults.cleared()
        if fault is not None and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        if fault is not None and fault.kind == "error":
            return _text(f"{fault.status} {_traceback('RuntimeError: ordered by the test')}", fault.status)
        answer = self._refused(request) or await self._routed(request)
        return _spoilt(answer, fault) if fault is not None and isinstance(answer, Reply) else answer

    def _refused(self, request: Request) -> Reply | None:
        """Tokens and browsers (ray-api section 7)."""
        if self.token is not None and request.path not in PUBLIC:
            sent = request.headers.get("authorization")
            if sent is None:
                return _text("Unauthorized: Missing authentication token", 401)
            if sent != f"Bearer {self.token}":
                return _text("Forbidden: Invalid authentication token", 403)
        if request.method not in ("GET", "HEAD", "OPTIONS") and _is_browser(request):
            return _text(f"'{request.method}' method not allowed for browser traffic.", 405)
        return None

    async def _routed(self, request: Request) -> Answer:
        route = self._routes.get((request.method, request.path))
        if route is not None:
            return await route(request)
        if request.path.startswith("/api/jobs/"):
            return self._one_job(request)
        if request.path.startswith("/api/packages/gcs/"):
            return self._package(request)
        if request.path.startswith("/api/data/datasets/"):
            return self._datasets(request)
        if request.path.startswith("/api/v0/"):
            return self._state_list(request)
        if request.path.startswith("/nodes/"):
            return self._node_detail(request.path.removeprefix("/nodes/"))
        return _text("404: Not Found", 404)

    async def _version(self, _: Request) -> Reply:
        return Reply({"version": "4", "ray_version": RAY_VERSION, "ray_commit": RAY_COMMIT,
                      "session_name": self.cluster.session})  # fmt: skip

    async def _authentication_mode(self, _: Request) -> Reply:
        return Reply({"authentication_mode": "token" if self.token is not None else "disabled"})

    async def _healthz(self, _: Request) -> Reply:
        return _text("success", 200)

    async def _jobs(self, request: Request) -> Reply:
        redact = self.redacts and _is_browser(request)
        return Reply([self.cluster.details(job, redact=redact) for job in self.cluster.jobs])

    async def _submit(self, request: Request) -> Reply:
        try:
            fields = json.loads(request.body)
        except ValueError:
            fields = None
        if not isinstance(fields, dict):
            return _text("500 Internal Server Error\n\nServer got itself in trouble", 500)
        if wrong := _wrong_fields(fields):
            return _text(_traceback(wrong), 400)
        if self.cluster.find(fields.get("submission_id") or "") is not None:
            words = f"Job with submission_id {fields['submission_id']} already exists."
            return _text(_nested(400, f"ValueError: {words} Please use a different submission_id."), 500)
        job = self.cluster.submit(fields)
        return Reply({"job_id": job.id, "submission_id": job.id})

    def _one_job(self, request: Request) -> Reply:
        name, _, verb = request.path.removeprefix("/api/jobs/").partition("/")
        job = self.cluster.find(name)
        if job is None:
            return _text(f"Job {name} does not exist", 404)
        if (request.method, verb) == ("GET", ""):
            return Reply(self.cluster.details(job, redact=self.redacts and _is_browser(request)))
        if (request.method, verb) == ("POST", "stop"):
            return self._stop(job)
        if (request.method, verb) == ("DELETE", ""):
            return self._delete(job)
        return _text("404: Not Found", 404)

    def _stop(self, job: SimJob) -> Reply:
        if job.is_driver:
            return _text("Can only stop submission type jobs", 400)
        return Reply({"stopped": job.stop(self.cluster.clock.now())})

    def _delete(self, job: SimJob) -> Reply:
        now = self.cluster.clock.now()
        if job.is_driver:
            return _text("Can only delete submission type jobs", 400)
        if not job.is_terminal(now):
            words = f"Attempted to delete job '{job.id}', but it is in a non-terminal state {job.status(now)}."
            return _text(_nested(500, f"RuntimeError: {words}"), 500)
        self.cluster.delete(job)
        return Reply({"deleted": True})

    def _package(self, request: Request) -> Reply:
        name = request.path.removeprefix("/api/packages/gcs/")
        if request.method == "PUT" and len(request.body) > LARGEST_PACKAGE:
            return _text(f"Maximum request body size {LARGEST_PACKAGE} exceeded.", 413)
        if request.method == "PUT":
            self.cluster.packages[name] = request.body
        elif name not in self.cluster.packages:
            return _text(f"Package gcs://{name} does not exist", 404)
        return Reply()

    async def _nodes(self, request: Request) -> Reply:
        if request.get("view") != "summary":
            return Reply(_envelope({}, f"Unknown view {request.get('view') or None}", result=False), 500)
        return Reply(_envelope(self.cluster.nodes(), "Node summary fetched."))

    def _node_detail(self, node_id: str) -> Reply:
        machine = next((one for one in self.cluster.machines if one.node_id == node_id), None)
        titles = () if machine is None else ("ray::IDLE", "ray::Trainer.step", "ray::Loader")
        workers = [
            {"pid": 900 + at, "cpuPercent": 10.0 * at, "cmdline": [title, "", ""], "jobId": "01000000",
             "memoryInfo": {"rss": (at + 1) * 2**30}}
            for at, title in enumerate(titles)
        ]  # fmt: skip
        return Reply(_envelope({"detail": {"workers": workers}}, "Node details fetched."))

    async def _cluster_status(self, _: Request) -> Reply:
        return Reply(_envelope(_status(self.cluster), "Got cluster status."))

    async def _stack(self, request: Request) -> Reply:
        return _text(
            f"Process {request.get('pid')}: ray::Trainer\n    step (train.py:88)\n    main (train.py:120)\n", 200
        )

    async def _profile(self, _: Request) -> Reply:
        return _text("main (train.py:120);step (train.py:88) 70\nmain (train.py:120);load (data.py:5) 30\n", 200)

    async def _memory_profile(self, _: Request) -> Reply:
        return _text("memray is not installed", 500)

    async def _timezone(self, _: Request) -> Reply:
        return Reply({"offset": "+00:00", "value": "Etc/UTC"})

    async def _serve(self, _: Request) -> Reply:
        return self._missing("Serve") or Reply(self.cluster.libraries.serve())

    async def _serve_deploy(self, request: Request) -> Reply:
        wrong = self.cluster.libraries.deploy(json.loads(request.body))
        return Reply() if wrong is None else _text(wrong, 400)

    async def _train(self, _: Request) -> Reply:
        if (runs := self.cluster.libraries.runs) and "Train" not in self.cluster.libraries.absent:
            return Reply({"train_runs": runs})
        return self._missing("Train") or _text("Train state data is not available. Please make sure Train runs.", 500)

    def _missing(self, library: str) -> Reply | None:
        if library not in self.cluster.libraries.absent:
            return None
        return _text(f"{library} is not installed. Please run `pip install ray[{library.lower()}]` when …", 500)

    def _datasets(self, request: Request) -> Reply:
        if "Data" in self.cluster.libraries.absent:
            return _text("No module named 'pandas'", 503)
        job_id = request.path.rpartition("/")[2]
        return Reply({"datasets": self.cluster.libraries.datasets.get(job_id, [])})

    def _state_list(self, request: Request) -> Reply:
        """A list of the state API, or of what an older Ray does not have."""
        kind, workloads = request.path.removeprefix("/api/v0/"), self.cluster.workloads
        if kind not in STATE_LISTS or kind in workloads.absent:
            return _text("404: Not Found", 404)
        found = listed(kind, workloads.rows(kind), list(request.query))
        if isinstance(found, str):
            return Reply(_envelope(None, found, result=False), 400)
        return Reply(_envelope({"result": found}, ""))

    async def _log_list(self, request: Request) -> Reply:
        if all(machine.node_id != request.get("node_id") for machine in self.cluster.machines if not machine.is_dead):
            return _text(f"Agent for node id: {request.get('node_id')} doesn't exist.", 500)
        names = {"internal": self.cluster.log_names(request.get("node_id")), "raylet": [RAYLET],
                 "worker_out": self.cluster.worker_log_names(request.get("node_id"))}  # fmt: skip
        glob = request.get("glob", "*").replace("**/*", "*")
        found = {kind: [name for name in files if fnmatchcase(name, glob)] for kind, files in names.items()}
        return Reply(_envelope({"result": found}, ""))

    async def _log_file(self, request: Request) -> Answer:
        log = self.cluster.log_file(request.get("node_id"), request.get("filename"))
        if log is None:
            return self._no_log(request)
        text = last_lines(log.until(self.cluster.clock.now()), int(request.get("lines", "1000")))
        return Stream(_once(text))

    async def _log_stream(self, request: Request) -> Answer:
        log = self.cluster.log_file(request.get("node_id"), request.get("filename"))
        if log is None:
            return self._no_log(request)
        return Stream(self._followed(request))

    async def _followed(self, request: Request) -> AsyncIterator[bytes]:
        """A log from its last lines on, for ever: Ray never ends a stream by itself."""
        clock = self.cluster.clock
        log = self.cluster.log_file(request.get("node_id"), request.get("filename"))
        assert log is not None
        text = log.until(clock.now())
        sent = len(text)
        if first := last_lines(text, int(request.get("lines", "1000"))):
            yield first
        while (moment := log.next_at(clock.now())) is not None:
            await clock.until(moment)
            text = log.until(clock.now())
            if text[sent:]:
                yield text[sent:]
            sent = len(text)
        await asyncio.Event().wait()

    def _no_log(self, request: Request) -> Reply:
        node_id, filename = request.get("node_id"), request.get("filename")
        if all(machine.node_id != node_id for machine in self.cluster.machines):
            return _text(f"Agent for node id: {node_id} doesn't exist.", 500)
        return _text(f"A file is not found at: /tmp/ray/{self.cluster.session}/logs/{filename}", 500)


async def _once(text: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(text), 64 * 1024):
        yield text[start : start + 64 * 1024]


def _status(cluster: SimCluster) -> dict[str, Any]:
    """`data` of `/api/cluster_status`: keys of resources camel-cased, numbers as used and total."""
    by_node = {
        node: {camel(name): pair for name, pair in usage.items()} for node, usage in cluster.usage_by_node().items()
    }
    total: dict[str, list[float]] = {}
    for usage in by_node.values():
        for name, (used, whole) in usage.items():
            known = total.setdefault(name, [0.0, 0.0])
            total[name] = [known[0] + used, known[1] + whole]
    names = {node: f"node_{node}" for node in by_node}
    report = {"usage": total, "resourceDemand": [], "pgDemand": [], "requestDemand": [],
              "nodeTypes": [[cluster.head.resources(), len(by_node)]], "headIp": None, "usageByNode": by_node,
              "nodeTypeMapping": None, "idleTimeMap": None}  # fmt: skip
    autoscaler: dict[str, Any] = {
                  "activeNodes": {camel(name): 1 for name in names.values()}, "idleNodes": None, "pendingNodes": [],
                  "pendingLaunches": {}, "failedNodes": [], "nodeAvailabilitySummary": {"nodeAvailabilities": {}},
                  "nodeActivities": None, "pendingResources": {}, "nodeTypeMapping": names, "legacy": True}  # fmt: skip
    status = {"gcsRequestTime": 0.0016, "time": cluster.clock.now(), "monitorPid": 20_290,
              "autoscalerUpdateTime": 0.0011, "autoscalerReport": autoscaler, "nonTerminatedNodesTime": 5e-06,
              "loadMetricsReport": report}  # fmt: skip
    # Ray says so of healthy clusters too.
    return {"autoscalingStatus": "Cluster status: 0 nodes", "autoscalingError": None, "clusterStatus": status}


def _wrong_fields(fields: dict[str, Any]) -> str | None:
    """Ray's complaint about the fields of a submission (validate_request_type, common.py)."""
    unknown = next((name for name in fields if name not in _FIELDS), None)
    if unknown is not None:
        return f"TypeError: JobSubmitRequest.__init__() got an unexpected keyword argument '{unknown}'"
    if "entrypoint" not in fields:
        return "TypeError: JobSubmitRequest.__init__() missing 1 required positional argument: 'entrypoint'"
    for name, kinds in _FIELDS.items():
        value = fields.get(name)
        if value is not None and not isinstance(value, kinds):
            return f"TypeError: {name} must be {_NOUNS[kinds[0]]}, got {type(value)}"
    return None


def _is_browser(request: Request) -> bool:
    looks = any(name in request.headers for name in BROWSER_HEADERS)
    return looks or request.headers.get("user-agent", "").startswith("Mozilla")


def _envelope(data: Any, msg: str, *, result: bool = True) -> dict[str, Any]:
    return {"result": result, "msg": msg, "data": data}


def _text(text: str, status: int) -> Reply:
    return Reply(text.encode(), status, "text/plain")


def _traceback(error: str) -> str:
    return f'Traceback (most recent call last):\n  File "job_head.py", line 419, in submit_job\n{error}\n'


def _nested(status: int, error: str) -> str:
    """The head's traceback around its agent's; it ends with a lone dot."""
    inner = f"Request failed with status code {status}: {_traceback(error)}"
    return f"{_traceback(f'RuntimeError: {inner}')}.\n"


def _spoilt(reply: Reply, fault: Fault) -> Reply:
    """The reply with what a fault does to its body."""
    if fault.kind == "empty":
        return Reply(b"", reply.status, reply.content_type)
    if fault.kind == "cut":
        body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        return Reply(body, reply.status, reply.content_type or "application/json", cut_at=len(body) // 2)
    if fault.kind != "null" or (isinstance(reply.body, bytes) and reply.content_type != "application/json"):
        return reply
    body = json.loads(reply.body) if isinstance(reply.body, bytes) else reply.body
    if isinstance(body, dict) and "data" in body:
        return Reply({**body, "data": nulled(body["data"])})
    return Reply(nulled(body))
