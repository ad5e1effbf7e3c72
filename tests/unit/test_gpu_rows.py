"""Who is on a GPU, in the words of a cell."""

import pytest

from cockpit.model.nodes import Gpu, GpuHolder, GpuProcess, Node
from cockpit.render.gpus import GPU_COLUMNS, gpu_row
from cockpit.render.table import RowContext, text_of

HELD_BY = [column.key for column in GPU_COLUMNS].index("holder")
OUTSIDE = [column.key for column in GPU_COLUMNS].index("outside")
HOLDER = GpuHolder(pid=7, submission_id="train", allocation=0.5)


def cells(gpu: Gpu) -> tuple[str, str]:
    row = gpu_row((Node(node_id="n"), gpu), RowContext())
    return text_of(row.cells[HELD_BY]), text_of(row.cells[OUTSIDE])


def on(*pids: int) -> tuple[GpuProcess, ...]:
    return tuple(GpuProcess(pid=pid, gpu_memory_usage=2**30) for pid in pids)


@pytest.mark.parametrize(
    ("holders", "pids", "held", "outside"),
    [
        ((), (), "free", ""),
        ((), (9,), "not Ray: pid 9 1.0 GiB", "pid 9 1.0 GiB"),
        ((HOLDER,), (7,), "train ×0.5 pid 7", ""),
        ((HOLDER,), (7, 9), "train ×0.5 pid 7, 1 other process", "pid 9 1.0 GiB"),
        ((HOLDER,), (7, 9, 10), "train ×0.5 pid 7, 2 other processes", "pid 9 1.0 GiB, pid 10 1.0 GiB"),
        # Its process is known under another id, that of the host: nobody else need be there.
        ((HOLDER,), (4007,), "train ×0.5 pid 7", "pid 4007 1.0 GiB"),
    ],
)
def test_who_else_is_on_a_gpu_is_told_where_it_is_known(
    holders: tuple[GpuHolder, ...], pids: tuple[int, ...], held: str, outside: str
) -> None:
    assert cells(Gpu(index=0, holders=holders, processes_pids=on(*pids))) == (held, outside)
