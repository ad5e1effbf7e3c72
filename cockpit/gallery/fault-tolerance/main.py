"""Fault tolerance: workers are killed on purpose; tasks are retried, an actor restarts, and the sum is still right."""

import argparse
import json
import os
import signal
import sys
import tempfile
import time

import ray


def is_first_attempt(marks: str, name: str) -> bool:
    """Whether this is the first time; the mark is left before the process dies."""
    try:
        os.close(os.open(os.path.join(marks, name), os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


@ray.remote(max_retries=3)
def square(number: int, marks: str, dies: bool) -> int:
    """Square a number; one that dies kills its own worker process the first time."""
    if dies and is_first_attempt(marks, f"task-{number}"):
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


@ray.remote(max_restarts=2, max_task_retries=2)
class Counter:
    """An actor that writes down what it counted, dies once, and goes on from there."""

    def __init__(self, marks: str) -> None:
        self.marks = marks
        self.path = os.path.join(marks, "counter")
        self.count = int(open(self.path).read()) if os.path.exists(self.path) else 0  # noqa: SIM115

    def add(self, number: int) -> tuple[int, int]:
        """Count; return the count and the process."""
        if number == 5 and is_first_attempt(self.marks, "actor"):
            os.kill(os.getpid(), signal.SIGKILL)
        self.count += 1
        with open(self.path, "w") as file:
            file.write(str(self.count))
        return self.count, os.getpid()


def main() -> None:
    """Kill workers and check that nothing is lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=20)
    parser.add_argument("--kills", type=int, default=4, help="tasks that kill their worker")
    args = parser.parse_args()

    ray.init(address="auto", log_to_driver=False)
    here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
        ray.get_runtime_context().get_node_id(), soft=False
    )
    with tempfile.TemporaryDirectory() as marks:  # on this node, and so are those that look at it
        begun = time.monotonic()
        found = ray.get(
            [square.options(scheduling_strategy=here).remote(n, marks, n < args.kills) for n in range(args.tasks)]
        )
        counter = Counter.options(scheduling_strategy=here).remote(marks)
        counts = [ray.get(counter.add.remote(number)) for number in range(10)]
        died = sum(name.startswith("task-") for name in os.listdir(marks))
        ray.kill(counter)
    processes = len({process for _, process in counts})
    print(f"{died} of {args.tasks} tasks killed their worker and ran again; the actor lived in {processes} processes.")
    ok = found == [n * n for n in range(args.tasks)] and died == args.kills and processes == 2 and counts[-1][0] == 10
    result = {"ok": ok, "tasks": args.tasks, "killed": died, "actor_processes": processes, "count": counts[-1][0]}
    print("RESULT " + json.dumps({**result, "seconds": round(time.monotonic() - begun, 1)}), flush=True)
    sys.exit(not ok)


if __name__ == "__main__":
    main()
