"""Rows of `--json`: Ray's field names in snake_case, times in ISO 8601 UTC, sizes in bytes, unknown is null."""

from typing import Any

import msgspec

from cockpit.model.jobs import Job
from cockpit.model.nodes import Gpu, Node
from cockpit.render.times import iso, iso_ms

Record = dict[str, Any]


def job_record(job: Job) -> Record:
    """A job; env values are masked already."""
    record: Record = msgspec.to_builtins(job)
    record["start_time"] = iso_ms(job.start_time)
    record["end_time"] = iso_ms(job.end_time)
    return record


def node_record(node: Node) -> Record:
    """A node with its GPUs; `mem` is Ray's [total, available, percent, used], `cpus` [logical, physical]."""
    record: Record = msgspec.to_builtins(node)
    record["now"], record["boot_time"] = iso(node.now), iso(node.boot_time)
    record["cpus"] = [node.cpus_logical, node.cpus_physical]
    record["mem"] = [node.mem_total, node.mem_available, node.mem_percent, node.mem_used]
    return record


def gpu_record(node: Node, gpu: Gpu) -> Record:
    """A GPU with the node it is in: one flat row."""
    place: Record = {
        "node_id": node.node_id,
        "hostname": node.hostname,
        "ip": node.ip,
        "is_head_node": node.is_head_node,
        "now": iso(node.now),
    }
    place.update(msgspec.to_builtins(gpu))
    return place
