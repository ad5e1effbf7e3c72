"""RLlib: PPO learns to balance a pole; the return rises with every iteration."""

import argparse
import json
import sys
import time

import ray
from ray.rllib.algorithms.ppo import PPOConfig


def main() -> None:
    """Train and print the returns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=1, help="environment runners")
    parser.add_argument("--gpus-per-worker", type=float, default=0.0, help="GPUs of the learner")
    parser.add_argument("--iterations", type=int, default=4)
    parser.add_argument("--environment", default="CartPole-v1")
    args = parser.parse_args()

    ray.init(address="auto", log_to_driver=False)
    config = (
        PPOConfig()
        .environment(args.environment)
        .env_runners(num_env_runners=args.workers)
        .learners(num_learners=0, num_gpus_per_learner=args.gpus_per_worker)
        .training(train_batch_size_per_learner=2000, num_epochs=6, lr=3e-4)
    )
    begun = time.monotonic()
    algorithm = config.build_algo()
    returns = []
    for iteration in range(args.iterations):
        found = algorithm.train()["env_runners"]["episode_return_mean"]
        returns.append(round(float(found), 1))
        print(f"iteration {iteration} return {returns[-1]}", flush=True)
    algorithm.stop()
    ok = max(returns[1:]) > returns[0]
    result = {"ok": ok, "returns": returns, "seconds": round(time.monotonic() - begun, 1)}
    print("RESULT " + json.dumps(result), flush=True)
    sys.exit(not ok)


if __name__ == "__main__":
    main()
