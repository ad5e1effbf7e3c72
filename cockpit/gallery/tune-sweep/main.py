"""Ray Tune: a sweep with ASHA, which stops bad trials early; the best point is known, so it is checked."""

import argparse
import json
import math
import sys
import tempfile

import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from storage import tried

BEST_RATE, BEST_WIDTH = 0.01, 64


def objective(config: dict) -> None:
    """A loss that falls with every step, faster and lower near the best point, as a training would."""
    distance = abs(math.log10(config["rate"] / BEST_RATE)) + abs(math.log2(config["width"] / BEST_WIDTH)) / 4
    for step in range(1, config["steps"] + 1):
        tune.report({"loss": distance + math.exp(-step / (2 + distance)), "steps": step})


def main() -> None:
    """Run the sweep and print the best trial."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--steps", type=int, default=16, help="of a trial that is not stopped early")
    parser.add_argument("--gpus-per-worker", type=float, default=0.0, help="GPUs of each trial")
    parser.add_argument("--storage", default="", help="a path that all nodes share, or s3://BUCKET/PATH")
    args = parser.parse_args()

    ray.init(address="auto")
    with tempfile.TemporaryDirectory() as scratch:
        tuner = tune.Tuner(
            tune.with_resources(objective, {"cpu": 1, "gpu": args.gpus_per_worker}),
            param_space={
                "rate": tune.loguniform(1e-4, 1.0),
                "width": tune.choice([16, 32, 64, 128, 256]),
                "steps": args.steps,
            },
            tune_config=tune.TuneConfig(
                metric="loss",
                mode="min",
                num_samples=args.trials,
                scheduler=ASHAScheduler(time_attr="steps", max_t=args.steps, grace_period=2),
            ),
            run_config=tune.RunConfig(storage_path=tried(args.storage) or scratch, name="tune-sweep", verbose=1),
        )
        results = tuner.fit()
        best = results.get_best_result()
    losses = [trial.metrics["loss"] for trial in results]
    stopped = sum(trial.metrics["steps"] < args.steps for trial in results)
    print(f"Best of {len(losses)}: rate {best.config['rate']:.4f}, width {best.config['width']}")
    ok = not results.errors and len(losses) == args.trials and best.metrics["loss"] == min(losses)
    result = {
        "ok": ok,
        "trials": len(losses),
        "stopped_early": stopped,
        "loss": round(best.metrics["loss"], 4),
        "rate": round(best.config["rate"], 5),
        "width": best.config["width"],
    }
    print("RESULT " + json.dumps(result), flush=True)
    sys.exit(not ok)


if __name__ == "__main__":
    main()
