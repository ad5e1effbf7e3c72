"""Two workers that report a loss each second for as long as they are let."""

import tempfile
import time

import ray
from ray import train
from ray.train import RunConfig, ScalingConfig
from ray.train.v2.api.data_parallel_trainer import DataParallelTrainer


def loop() -> None:
    rank = train.get_context().get_world_rank()
    for epoch in range(600):
        time.sleep(1)
        print(f"rank {rank} epoch {epoch}", flush=True)
        train.report({"epoch": epoch, "loss": 1 / (epoch + 1)})


ray.init(address="auto")
DataParallelTrainer(
    loop,
    scaling_config=ScalingConfig(num_workers=2, resources_per_worker={"CPU": 0.5}),
    run_config=RunConfig(name="two", storage_path=tempfile.mkdtemp()),
).fit()
