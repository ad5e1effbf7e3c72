"""Pending demand: tasks that no node can take now, for a while; look at them with `why` and in the job's page."""

import argparse
import json
import sys
import time

import ray


@ray.remote(max_retries=0)
def wait() -> str:
    """What would run if there were room."""
    return ray.get_runtime_context().get_node_id()


def main() -> None:
    """Ask for more than there is, wait, and say what was placed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--gpus", type=float, default=0.0, help="GPUs of each task; default: more CPUs than any node has"
    )
    parser.add_argument("--tasks", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to wait before giving up")
    args = parser.parse_args()

    ray.init(address="auto", log_to_driver=False)
    nodes = [node for node in ray.nodes() if node["Alive"]]
    largest = max(node["Resources"].get("CPU", 0) for node in nodes)
    asked = {"num_gpus": args.gpus, "num_cpus": 0} if args.gpus else {"num_cpus": largest + 1}
    tasks = [wait.options(**asked).remote() for _ in range(args.tasks)]
    print(f"{args.tasks} tasks ask for {asked}; the largest of {len(nodes)} nodes has {largest:g} CPUs.", flush=True)
    deadline, placed = time.monotonic() + args.seconds, 0
    while placed < args.tasks and time.monotonic() < deadline:
        done, _ = ray.wait(tasks, num_returns=args.tasks, timeout=min(10, max(0.1, deadline - time.monotonic())))
        placed = len(done)
        print(f"{placed} of {args.tasks} placed", flush=True)
    for task in tasks:
        ray.cancel(task, force=True)
    result = {"ok": True, "asked": asked, "tasks": args.tasks, "placed": placed, "largest_node_cpus": largest}
    print("RESULT " + json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
    sys.exit()
