"""The sample jobs of the demo."""

from pathlib import Path

import cockpit
from cockpit.clients.ray import RayClient
from cockpit.operations.jobs.submit import SubmitForm, prepare, submit

SAMPLES = Path(cockpit.__file__).parent / "local" / "samples"

SUCCEEDS, FAILS, RUNS, WAITS = "demo-hello", "demo-crash", "demo-train", "demo-needs-gpu"


def sample_forms() -> tuple[SubmitForm, ...]:
    """One job that succeeds, one that fails with a traceback, a long one, and one that waits for a GPU."""
    directory = str(SAMPLES)
    owner = {"owner": "demo"}
    return (
        SubmitForm(entrypoint="python hello.py", submission_id=SUCCEEDS, working_dir=directory, metadata=owner),
        SubmitForm(entrypoint="python crash.py", submission_id=FAILS, working_dir=directory, metadata=owner),
        SubmitForm(entrypoint="python train.py", submission_id=RUNS, working_dir=directory, metadata=owner),
        SubmitForm(
            entrypoint="python train.py --gpu", submission_id=WAITS, working_dir=directory, num_gpus=1, metadata=owner
        ),
    )


async def submit_samples(client: RayClient) -> list[str]:
    """Submit the sample jobs; returns their ids."""
    return [await submit(client, await prepare(form)) for form in sample_forms()]
