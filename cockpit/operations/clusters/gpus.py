"""GPUs with the jobs that hold them."""

from collections.abc import Sequence

import msgspec

from cockpit.clients.ray import RayClient
from cockpit.model.cluster import Rows
from cockpit.model.jobs import Job
from cockpit.model.nodes import Gpu, GpuHolder, Node, NodeGpu


async def list_gpus(client: RayClient) -> Rows[NodeGpu]:
    """Every GPU of the living nodes, with the jobs that hold them."""
    return await gpus_of(client, await client.nodes.list())


async def gpus_of(client: RayClient, found: Rows[Node], jobs: Sequence[Job] | None = None) -> Rows[NodeGpu]:
    """Every GPU of the living among these nodes, by node and index; holders carry the submission ID of their job.

    Asks for the jobs, unless they are given, only where a GPU is held, and for their supervisors only where a job does
    not name its holder.
    """
    unreadable = found.unreadable
    pairs = [(node, gpu) for node in found.rows if node.is_alive for gpu in node.gpus]
    pairs.sort(key=lambda pair: (not pair[0].is_head_node, pair[0].node_id or "", pair[1].index or 0))
    if any(gpu.holders for _, gpu in pairs):
        jobs = (await client.jobs.list()).rows if jobs is None else jobs
        names = submission_ids(jobs)
        known = {job.job_id for job in jobs}
        holders = [held for _, gpu in pairs for held in gpu.holders]
        for job_id in sorted({held.job_id for held in holders if held.job_id and held.actor_id} - known):
            supervisors = await client.state.supervisors(job_id)
            names |= supervisors.jobs
            unreadable += supervisors.unreadable  # else a GPU would silently be held by an unknown job
        pairs = [(node, named(gpu, names)) for node, gpu in pairs]
    return Rows(rows=tuple(pairs), unreadable=unreadable)


def submission_ids(jobs: Sequence[Job]) -> dict[str, str]:
    """Submission ids by the job id that their driver was given."""
    return {job.job_id: job.submission_id for job in jobs if job.job_id and job.submission_id}


def named(gpu: Gpu, names: dict[str, str]) -> Gpu:
    """The GPU with submission ids put beside its holders, found by their job id or their actor's id.

    What was asked for an entrypoint is held by an actor of Ray's job server, which has a job id of its own.
    """
    if not gpu.holders or not names:
        return gpu
    holders = (msgspec.structs.replace(held, submission_id=_name_of(held, names)) for held in gpu.holders)
    return msgspec.structs.replace(gpu, holders=tuple(holders))


def _name_of(held: GpuHolder, names: dict[str, str]) -> str | None:
    return names.get(held.job_id or "") or names.get(held.actor_id or "")
