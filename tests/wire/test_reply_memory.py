"""No reply takes much memory, whatever it becomes once it is unpacked and decoded: the peak of a whole process."""

import asyncio
import gzip
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

pytestmark = pytest.mark.lengthy

MIB = 1024 * 1024
MOST = 200 * MIB

# The peak of the process itself: VmHWM, and where there is no /proc, what getrusage says in the system's unit.
ASK = """
import asyncio, resource, sys
from cockpit.clients.address import parse_address
from cockpit.clients.endpoint import Endpoint
from cockpit.clients.ray import RayClient
from cockpit.errors import CockpitError

async def main():
    async with RayClient.at(Endpoint(address=parse_address(sys.argv[1]))) as client:
        try:
            found = await eval("client." + sys.argv[2])
            print(len(getattr(found, "rows", found)), getattr(found, "unreadable", 0))
        except CockpitError as error:
            print(type(error).__name__, error.fault)

asyncio.run(main())
unit = 1 if sys.platform == "darwin" else 1024
try:
    peak = next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
except OSError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
print(peak)
"""
CALLS = (
    "jobs.list()",
    "nodes.list()",
    "nodes.usage()",
    "state.actors_of('01000000')",
    "state.tasks_of('01000000')",
    "state.supervisor_of('x')",
    "logs.files('ab')",
    "jobs.get('x')",
)


@asynccontextmanager
async def answering(body: bytes, *, packed: bool = False, endless: bool = False) -> AsyncIterator[str]:
    """A server that gives every request this body; an endless one sends it chunked, again and again."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            kind = b"Content-Encoding: gzip\r\n" if packed else b""
            if endless:
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                while True:
                    writer.write(b"%x\r\n%s\r\n" % (len(body), body))
                    await writer.drain()
            writer.write(b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n" % (kind, len(body)) + body)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def asked(url: str, call: str) -> tuple[str, int]:
    """What a process of its own gets for this call, and its peak in bytes."""
    command = [sys.executable, "-c", ASK, url, call]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=120)
    assert not done.stderr, done.stderr
    found, peak = done.stdout.splitlines()
    return found, int(peak)


def filled(before: bytes, part: bytes, after: bytes, size: int) -> bytes:
    return before + part * ((size - len(before) - len(after)) // len(part)) + after


NODES = b'{"result":true,"msg":"","data":{"summary":['
STATE = b'{"result":true,"msg":"","data":{"result":{"result":['
HOSTILE = {
    "zeros": filled(b"[0", b",0", b"]", 120_000_000),
    "zeros within bounds": filled(b"[0", b",0", b"]", 47 * MIB),
    "empty objects": filled(b"[{}", b",{}", b"]", 47 * MIB),
    "small objects": filled(b"[{}", b',{"metadata":{"a":"bc"}}', b"]", 40 * MIB),
    "one wide row": filled(b'[{"runtime_env":{"a":[0', b",{}", b"]}}]", 40 * MIB),
    "wide rows": filled(b"[{}", b',{"runtime_env":{"a":[' + b"[]," * 3000 + b"[]]}}", b"]", 40 * MIB),
    "wide text": filled(b'[{"message":"\xf0\x9f\x98\x80', b"x", b'"}]', 47 * MIB),
    "rows of wide text": filled(b"[{}", b',{"message":"\xf0\x9f\x98\x80' + b"x" * 20_000 + b'"}', b"]", 47 * MIB),
    "nodes of zeros": filled(NODES + b"0", b",0", b"]}}", 47 * MIB),
    "nodes of GPUs": filled(NODES + b'{"gpus":[{}', b",{}", b"]}]}}", 40 * MIB),
    "small nodes": filled(NODES + b"{}", b',{"gpus":[{},{}]}', b"]}}", 40 * MIB),
    "state of zeros": filled(STATE + b"0", b",0", b"]}}}", 47 * MIB),
    "state of objects": filled(STATE + b"{}", b",{}", b"]}}}", 47 * MIB),
    "many fields": filled(b'{"result":true,"data":{"result":{"a":["b"]', b',"ab":["cd"]', b"}}}", 47 * MIB),
    "usage": filled(
        b'{"result":true,"data":{"clusterStatus":{"loadMetricsReport":{"usage":{"a":[0,1]',
        b',"b":[0,1]',
        b"}}}}}",
        MIB * 40,
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_packed_reply_stays_small(name: str) -> None:
    async with answering(gzip.compress(HOSTILE[name], 1), packed=True) as url:
        for call in (
            ("jobs.list()", "nodes.list()", "state.tasks_of('01')")
            if name in ("zeros", "empty objects")
            else (call_for(name),)
        ):
            found, peak = await asked(url, call)
            assert peak < MOST, f"{call}: {peak / MIB:.0f} MiB, {found}"


def call_for(name: str) -> str:
    if "nodes" in name:
        return "nodes.list()"
    if "state" in name:
        return "state.tasks_of('01000000')"
    return {"usage": "nodes.usage()", "many fields": "logs.files('ab')"}.get(name, "jobs.list()")


@pytest.mark.parametrize("call", CALLS)
async def test_every_call_refuses_what_unpacks_to_millions_of_values(call: str) -> None:
    async with answering(gzip.compress(HOSTILE["zeros"], 1), packed=True) as url:
        found, peak = await asked(url, call)
    assert found.split()[0] == "NotRayError"
    assert peak < MOST


async def test_nesting_without_an_end_is_refused() -> None:
    async with answering(b"[1," * 5000, endless=True) as url:
        found, peak = await asked(url, "jobs.list()")
    assert found.split()[0] == "NotRayError"
    assert peak < MOST


async def test_fifty_thousand_honest_jobs_are_listed() -> None:
    job = {
        "type": "SUBMISSION", "job_id": None, "status": "SUCCEEDED", "message": "Job finished successfully.",
        "entrypoint": "python train.py --epochs 3", "start_time": 1700000000000, "end_time": 1700000001000,
        "driver_info": {"id": "01000000", "node_ip_address": "10.0.0.1", "pid": "1234"}, "driver_exit_code": 0,
        "metadata": {"owner": "ann"}, "driver_node_id": "a" * 56, "driver_agent_http_address": "http://10.0.0.1:52365",
        "runtime_env": {"working_dir": "gcs://_ray_pkg_0123456789abcdef.zip", "env_vars": {"A": "1", "B": "2"}},
    }  # fmt: skip
    body = msgspec.json.encode([job | {"submission_id": f"raysubmit_{number:016}"} for number in range(50_000)])
    async with answering(body) as url:
        found, peak = await asked(url, "jobs.list()")
    assert found == "50000 0"
    assert peak < MOST


async def test_a_thousand_honest_nodes_are_listed() -> None:
    worker = {"pid": 7, "jobId": "01000000", "cmdline": ["ray::IDLE", *[""] * 850]}
    node = {"hostname": "h", "raylet": {"state": "ALIVE", "coreWorkersStats": [worker] * 8}, "gpus": [{"index": 0}]}
    rows = [node | {"ip": f"10.0.{number // 256}.{number % 256}"} for number in range(1000)]
    body = msgspec.json.encode({"result": True, "msg": "", "data": {"summary": rows, "nodeLogicalResources": {}}})
    async with answering(body) as url:
        found, peak = await asked(url, "nodes.list()")
    assert found == "1000 0"
    assert peak < MOST
