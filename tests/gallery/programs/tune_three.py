"""A sweep of three trials that go on for as long as they are let."""

import time

import ray
from ray import tune


def objective(config: dict[str, float]) -> None:
    for step in range(600):
        time.sleep(1)
        tune.report({"loss": config["rate"] / (step + 1)})


ray.init(address="auto")
tune.Tuner(
    tune.with_resources(objective, {"cpu": 0.5}),
    param_space={"rate": tune.loguniform(1e-4, 1.0)},
    tune_config=tune.TuneConfig(metric="loss", mode="min", num_samples=3),
).fit()
