"""Tasks, an actor, and a failure that is caught: pi by throwing darts."""

import argparse
import json
import random
import sys

import ray


@ray.remote
def count_hits(throws: int, seed: int) -> int:
    """Throw darts at a square; return how many land in the quarter circle."""
    chance = random.Random(seed)
    return sum(chance.random() ** 2 + chance.random() ** 2 <= 1 for _ in range(throws))


@ray.remote
class Tally:
    """An actor keeps state between calls; every task reports to the same one."""

    def __init__(self) -> None:
        self.hits = 0
        self.throws = 0

    def add(self, hits: int, throws: int) -> float:
        """Add a result; return pi as it is known by now."""
        self.hits += hits
        self.throws += throws
        return 4 * self.hits / self.throws


@ray.remote(max_retries=0)
def fail() -> None:
    """Fail on purpose: the exception reaches the caller of ray.get."""
    raise ValueError("on purpose")


def caught_failure() -> str:
    """The exception of a task, caught where its result is asked for."""
    try:
        ray.get(fail.remote())
    except ray.exceptions.RayTaskError as error:
        return type(error.cause).__name__
    return "nothing was raised"


def main() -> None:
    """Run the tasks and print the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=20)
    parser.add_argument("--throws", type=int, default=200_000, help="darts of each task")
    args = parser.parse_args()

    ray.init(address="auto", log_to_driver=False)
    tally = Tally.remote()
    pi = 0.0
    waiting = [count_hits.remote(args.throws, seed) for seed in range(args.tasks)]
    while waiting:
        (done,), waiting = ray.wait(waiting)
        pi = ray.get(tally.add.remote(done, args.throws))
        print(f"{args.tasks - len(waiting)}/{args.tasks} tasks, pi is about {pi:.5f}", flush=True)
    caught = caught_failure()
    print(f"A task failed with {caught}, and the driver goes on.")
    ok = abs(pi - 3.14159) < 0.01 and caught == "ValueError"
    print("RESULT " + json.dumps({"ok": ok, "pi": round(pi, 5), "tasks": args.tasks, "caught": caught}), flush=True)
    sys.exit(not ok)


if __name__ == "__main__":
    main()
