"""A scripted Ray dashboard: jobs, their logs, packages, and the faults that a test orders.

Shapes, status codes and texts are those recorded from Ray 2.60 (ray-samples) or read in its source: a log stream sends
nothing, not even headers, before the first byte, and never ends; an error is a traceback in plain text.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.wire.server import Exchange, WireServer

NODE = "cc148317b01f29e8d783f469b24fbd29d54d4bf757d303d8026f0ea1"
CHUNK = 64 * 1024
TRACEBACK = 'Traceback (most recent call last):\n  File "job_head.py", line 419, in submit_job\n'

Job = dict[str, Any]


def nested(status: int, error: str) -> str:
    """What the head answers where its agent failed: a traceback around a traceback, and a lone dot."""
    return f"{TRACEBACK}RuntimeError: Request failed with status code {status}: {TRACEBACK}{error}\n.\n"


class LogFile:
    """A file that grows; whoever opened it keeps it when another one takes its name."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = bytearray(data)
        self._changed = asyncio.Event()

    def write(self, data: bytes) -> None:
        """Append, and wake who follows."""
        self.data += data
        self.wake()

    def wake(self) -> None:
        """Let followers look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def change(self) -> None:
        """Wait for the next `wake`."""
        await self._changed.wait()

    def start_of_last(self, lines: int) -> int:
        """Where the last `lines` lines begin (-1: all, and Ray takes 0 for 1000)."""
        if lines == -1:
            return 0
        return start_of_last(self.data, lines or 1000)


def start_of_last(data: bytearray, lines: int) -> int:
    """Where the last so many lines begin as Ray counts them: by newline alone, block by block from the end."""
    wanted, end = lines + data.endswith(b"\n"), len(data)
    while end > 0:
        begin = max(0, end - CHUNK)
        found = data.count(b"\n", begin, end)
        if found >= wanted:
            for _ in range(wanted):
                end = data.rfind(b"\n", begin, end)
            return end + 1
        wanted, end = wanted - found, begin
    return 0


class FakeRay:
    """The dashboard's state; `handle` answers requests. Faults are attributes that a test sets."""

    def __init__(self) -> None:
        self.session = "session_2026-11-20_21-39-24_775059_20033"
        self.token: str | None = None
        self.knows_authentication = True
        self.jobs: dict[str, Job] = {}
        self.logs: dict[str, LogFile] = {}
        self.packages: dict[str, bytes] = {}
        self.nodes: dict[str, Any] = {"summary": [], "nodeLogicalResources": {}}
        self.overrides: dict[tuple[str, str], Callable[[Exchange], Any]] = {}
        self.cuts: list[int] = []
        """Each stream or read to come is broken after so many bytes, in this order."""
        self.streams_dead = 0
        """So many streams to come stay open and bring nothing: connections that died without a word."""
        self.streams_end = False
        """Streams are closed properly where they should wait for more."""
        self.slowness = 0.0
        """Seconds between pieces of a log of 1 KiB each: a slow line."""
        self.log_error: str | None = None
        """The log endpoints answer 500 with this text."""
        self.streams = 0
        self._streaming: set[Exchange] = set()
        self.stops: list[str] = []
        self.supervisors: dict[str, int] = {}
        """Jobs whose supervisor actor is still alive, for so many looks at the actors."""
        self.supervisor_state = "ALIVE"
        self.reborn: set[str] = set()
        """Jobs whose record is written again, though their supervisor is dead."""

    # What happens on the cluster

    def add(self, name: str, /, status: str = "RUNNING", *, log: bytes | None = b"", **fields: Any) -> LogFile:
        """A submitted job, and its log file unless `log` is None."""
        started = status != "PENDING"
        self.jobs[name] = {
            "type": "SUBMISSION",
            "job_id": None,
            "submission_id": name,
            "driver_info": None,
            "status": status,
            "entrypoint": "python train.py",
            "message": f"Job is currently {status.lower()}.",
            "error_type": None,
            "start_time": 1795210829782 + len(self.jobs),
            "end_time": None,
            "metadata": None,
            "runtime_env": None,
            "driver_agent_http_address": "http://192.0.2.2:18079" if started else None,
            "driver_node_id": NODE if started else None,
            "driver_exit_code": None,
            **fields,
        }
        file = LogFile(log or b"")
        if log is not None:
            self.logs[f"job-driver-{name}.log"] = file
        return file

    def run(self, job_id: str) -> None:
        """A pending job begins to run."""
        self.jobs[job_id].update(status="RUNNING", driver_node_id=NODE)

    def end(self, job_id: str, status: str = "SUCCEEDED", exit_code: int | None = 0, message: str = "") -> None:
        """A job ends."""
        job = self.jobs[job_id]
        job.update(status=status, end_time=job["start_time"] + 4000, driver_exit_code=exit_code)
        job["message"] = message or f"Job {status.lower()}."

    def log(self, job_id: str) -> LogFile:
        """The log file of a job."""
        return self.logs[f"job-driver-{job_id}.log"]

    def replace_log(self, job_id: str, data: bytes = b"") -> LogFile:
        """Another file takes the name; who follows the old one goes on with that."""
        self.logs[f"job-driver-{job_id}.log"] = LogFile(data)
        return self.log(job_id)

    def break_streams(self) -> None:
        """Every open log stream is cut, and nothing else."""
        while self._streaming:
            self._streaming.pop().cut()

    def restart(self) -> None:
        """The head starts anew and has forgotten everything."""
        self.session += "-again"
        self.jobs.clear()
        self.logs.clear()

    # What it answers

    async def handle(self, exchange: Exchange) -> None:
        """Answer one request."""
        request = exchange.request
        override = self.overrides.get((request.method, request.path))
        if override is not None:
            await override(exchange)
            return
        if request.method != "GET" and any(name.startswith("sec-fetch-") for name in request.headers):
            await exchange.reply(f"'{request.method}' method not allowed for browser traffic.", status=405)
            return
        if request.path == "/api/authentication_mode" and self.knows_authentication:
            await exchange.reply({"authentication_mode": "token" if self.token else "disabled"})
            return
        if self.token is not None and not await self._admitted(exchange):
            return
        await self._route(exchange)

    async def _admitted(self, exchange: Exchange) -> bool:
        headers = exchange.request.headers
        given = headers.get("authorization", headers.get("x-ray-authorization"))
        if given == f"Bearer {self.token}":
            return True
        if given is None:
            await exchange.reply("Unauthorized: Missing authentication token", status=401)
        else:
            await exchange.reply("Forbidden: Invalid authentication token", status=403)
        return False

    async def _route(self, exchange: Exchange) -> None:
        method, path = exchange.request.method, exchange.request.path
        if path == "/api/version":
            names = {"version": "4", "ray_version": "2.60.0", "ray_commit": "b7", "session_name": self.session}
            await exchange.reply(names)
        elif path == "/nodes":
            await exchange.reply({"result": True, "msg": "Node summary fetched.", "data": self.nodes})
        elif path == "/api/jobs/":
            await (self._submit(exchange) if method == "POST" else self._list(exchange))
        elif path.startswith("/api/jobs/"):
            await self._one_job(exchange, method, path.split("/")[3:])
        elif path == "/api/v0/actors":
            await self._actors(exchange)
        elif path.startswith("/api/v0/logs/"):
            await self._log(exchange, path.rpartition("/")[2])
        elif path.startswith("/api/packages/gcs/"):
            await self._package(exchange, path.rpartition("/")[2])
        else:
            await exchange.reply("404: Not Found", status=404)

    async def _actors(self, exchange: Exchange) -> None:
        """The supervisors that are alive; nothing else is asked for here."""
        query = parse_qs(urlsplit(exchange.request.target).query)
        filters = dict(zip(query["filter_keys"], query["filter_values"], strict=True))
        is_asked = filters.get("state", self.supervisor_state) == self.supervisor_state
        alive = [name for name, looks in self.supervisors.items() if looks > 0 and is_asked]
        self.supervisors = {name: looks - is_asked for name, looks in self.supervisors.items() if looks > is_asked}
        rows = [{"actor_id": name.encode().hex(), "name": f"_ray_internal_job_actor_{name}"} for name in alive]
        if "actor_id" in filters:
            rows = [row for row in rows if row["actor_id"] == filters["actor_id"]]
        counts = {"total": len(rows), "num_after_truncation": len(rows), "num_filtered": len(rows)}
        await exchange.reply({"result": True, "msg": "", "data": {"result": {"result": rows, **counts}}})

    def _shown(self, exchange: Exchange, job: Job) -> Job:
        """The job; env values are withheld from what looks like a browser."""
        environment = (job["runtime_env"] or {}).get("env_vars")
        if environment is None or "sec-fetch-mode" not in exchange.request.headers:
            return job
        hidden = dict.fromkeys(environment, "<redacted>")
        return {**job, "runtime_env": {**job["runtime_env"], "env_vars": hidden}}

    async def _list(self, exchange: Exchange) -> None:
        # Ray lists in hash order; any order that is not the one of time will do.
        jobs = sorted(self.jobs.values(), key=lambda job: str(job["submission_id"])[::-1])
        await exchange.reply([self._shown(exchange, job) for job in jobs])

    async def _submit(self, exchange: Exchange) -> None:
        try:
            body = json.loads(exchange.request.body)
        except ValueError:
            await exchange.reply("500 Internal Server Error\n\nServer got itself in trouble", status=500)
            return
        job_id = body.get("submission_id") or "raysubmit_1rPyVS5fANWQt25c"
        if "entrypoint" not in body:
            error = "TypeError: JobSubmitRequest.__init__() missing 1 required positional argument: 'entrypoint'\n"
            await exchange.reply(TRACEBACK + error, status=400)
        elif job_id in self.jobs:
            error = f"ValueError: Job with submission_id {job_id} already exists. Please use a different submission_id."
            await exchange.reply(nested(400, error), status=500)
        else:
            given = {key: body[key] for key in ("entrypoint", "metadata", "runtime_env") if key in body}
            self.add(job_id, **given)
            await exchange.reply({"job_id": job_id, "submission_id": job_id})

    async def _one_job(self, exchange: Exchange, method: str, parts: list[str]) -> None:
        name = unquote(parts[0])
        job = next((job for job in self.jobs.values() if name in (job["submission_id"], job["job_id"])), None)
        if job is None:
            await exchange.reply(f"Job {name} does not exist", status=404)
        elif method == "GET":
            await exchange.reply(self._shown(exchange, job))
        elif job["type"] != "SUBMISSION":
            verb = "delete" if method == "DELETE" else "stop"
            await exchange.reply(f"Can only {verb} submission type jobs", status=400)
        elif method == "POST":
            await self._stop(exchange, job)
        elif job["status"] in ("PENDING", "RUNNING"):
            state = f"but it is in a non-terminal state {job['status']}."
            await exchange.reply(nested(500, f"RuntimeError: Attempted to delete job '{name}', {state}"), status=500)
        else:
            del self.jobs[job["submission_id"]]
            submission_id = job["submission_id"]
            if submission_id in self.reborn or self.supervisors.get(submission_id):  # its monitor writes it again
                self.add(submission_id, "FAILED", message="Entrypoint not found")
            await exchange.reply({"deleted": True})

    async def _stop(self, exchange: Exchange, job: Job) -> None:
        """A pending job is said to be stopped and stays as it is; an ended one is not stopped."""
        self.stops.append(job["submission_id"])
        if job["status"] == "RUNNING":
            self.end(job["submission_id"], "STOPPED", exit_code=None)
            await exchange.reply({"stopped": True})
        else:
            await exchange.reply({"stopped": job["status"] == "PENDING"})

    async def _package(self, exchange: Exchange, name: str) -> None:
        if exchange.request.method == "PUT":
            self.packages[name] = exchange.request.body
            await exchange.reply(b"")
        elif name in self.packages:
            await exchange.reply(b"")
        else:
            await exchange.reply(f"Package gcs://{name} does not exist", status=404)

    async def _log(self, exchange: Exchange, kind: str) -> None:
        query = {key: values[-1] for key, values in parse_qs(exchange.request.target.partition("?")[2]).items()}
        file = self.logs.get(query["filename"])
        if self.log_error is not None:
            await exchange.reply(self.log_error, status=500)
        elif query["node_id"] != NODE:
            await exchange.reply(f"Agent for node id: {query['node_id']} doesn't exist.", status=500)
        elif file is None:
            await exchange.reply(f"A file is not found at: /tmp/ray/session/logs/{query['filename']}", status=500)
        else:
            await self._send_log(exchange, file, file.start_of_last(int(query["lines"])), follow=kind == "stream")

    async def _send_log(self, exchange: Exchange, file: LogFile, at: int, *, follow: bool) -> None:
        if follow:
            self.streams += 1
            self._streaming.add(exchange)
        cut = self.cuts.pop(0) if self.cuts else None
        if follow and self.streams_dead:
            self.streams_dead -= 1
            await exchange.never()
        begun, sent, end = False, 0, len(file.data)
        piece = 1024 if self.slowness else CHUNK
        while follow or at < end:
            await asyncio.sleep(self.slowness)
            part = bytes(file.data[at : at + piece] if follow else file.data[at : min(end, at + piece)])
            if not part and self.streams_end:
                break
            if not part:
                await file.change()
                continue
            if not begun:
                await exchange.start_chunked()
                begun = True
            if cut is not None and sent + len(part) >= cut:
                if part := part[: cut - sent]:
                    await exchange.chunk(part)
                exchange.cut()
                return
            await exchange.chunk(part)
            at, sent = at + len(part), sent + len(part)
        if not begun:
            await exchange.start_chunked()
        await exchange.end()


def serve(ray: FakeRay) -> WireServer:
    """The dashboard on a port of its own; use as an async context manager."""
    return WireServer(ray.handle)
