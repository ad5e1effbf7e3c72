"""The recorded cluster that ships with the program, and the past of any recording that has one."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from cockpit.clients.recording_file import Past, Recording
from cockpit.model.board_power import board_power_w
from cockpit.model.nodes import Gpu, GpuHolder, Node

DEMO_FILE = Path(__file__).parents[2] / "recorded" / "cluster.jsonl.xz"
DEMO_NAME = "lab-h100"
DEMO_USD_PER_HOUR = 41.6
MARK = "REPLAY"


def samples_of(recording: Recording, nodes: Sequence[Node]) -> Iterator[tuple[float, list[Node]]]:
    """The nodes as they were before the recording, with the time of each in seconds since the epoch.

    `nodes` are those of its first answer, which lend what does not change.
    """
    for entry in recording.entries:
        if isinstance(entry, Past):
            yield recording.header.recorded_at + entry.at, [_then(node, entry, at) for at, node in enumerate(nodes)]


def _then(node: Node, past: Past, number: int) -> Node:
    if number >= len(past.cpu) or not node.is_alive:
        return node
    network = past.network[number]
    figures = zip(node.gpus, past.use[number], past.filled[number], past.held[number], strict=False)
    return msgspec.structs.replace(
        node,
        cpu=past.cpu[number],
        mem_percent=past.memory[number],
        mem_used=_share(node.mem_total, past.memory[number]),
        network_speed=() if network is None else (network * 1e6, 0.0),
        gpus=tuple(_gpu_then(*figure) for figure in figures),
    )


def _share(total: int | None, percent: int | None) -> int | None:
    return None if total is None or percent is None else total * percent // 100


def _gpu_then(gpu: Gpu, use: int | None, filled: int | None, job: str) -> Gpu:
    watts = board_power_w(gpu.name)
    return msgspec.structs.replace(
        gpu,
        utilization_gpu=use if use is None or use >= 0 else None,
        memory_used=_share(gpu.memory_total, filled),
        power_mw=None if watts is None or use is None else round(watts * (0.1 + 0.009 * max(0, use)) * 1000),
        holders=(GpuHolder(submission_id=job, allocation=1.0),) if job else (),
    )
