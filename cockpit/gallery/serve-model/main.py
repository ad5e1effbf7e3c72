"""Ray Serve: a model behind HTTP, one replica or several; it is asked questions whose answers are known."""

import argparse
import collections
import json
import os
import sys
import time
import urllib.request

import ray
from ray import serve

APP, ROUTE = "gallery-model", "/gallery-model"


@serve.deployment(ray_actor_options={"num_cpus": 0.5})
class Model:
    """A linear model; replace __init__ by loading yours, and __call__ by asking it."""

    def __init__(self) -> None:
        self.weights = (2.0, -1.0, 0.5)
        self.name = f"{ray.get_runtime_context().get_actor_id()[:8]}:{os.getpid()}"

    async def __call__(self, request) -> dict:
        inputs = (await request.json())["inputs"]
        return {
            "output": sum(weight * value for weight, value in zip(self.weights, inputs, strict=True)),
            "replica": self.name,
        }


def ask(port: int, inputs: list[float]) -> dict:
    """One request over HTTP."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{ROUTE}",
        data=json.dumps({"inputs": inputs}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.load(reply)


def main() -> None:
    """Deploy, ask, and take the application away again unless --keep is given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2, help="replicas")
    parser.add_argument("--gpus-per-worker", type=float, default=0.0)
    parser.add_argument("--spread", action="store_true", help="at most one replica per node, by a placement group each")
    parser.add_argument("--requests", type=int, default=40)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--keep", action="store_true", help="leave the application running")
    args = parser.parse_args()

    ray.init(address="auto", log_to_driver=False)
    serve.start(http_options={"host": "127.0.0.1", "port": args.port})
    options = {"num_replicas": args.workers, "ray_actor_options": {"num_cpus": 0.5, "num_gpus": args.gpus_per_worker}}
    if args.spread:
        options |= {
            "placement_group_bundles": [{"CPU": 0.5, "GPU": args.gpus_per_worker}],
            "placement_group_strategy": "STRICT_PACK",
            "max_replicas_per_node": 1,
        }
    serve.run(Model.options(**options).bind(), name=APP, route_prefix=ROUTE)
    begun = time.monotonic()
    answers = [ask(args.port, [float(number), 1.0, 2.0]) for number in range(args.requests)]
    seconds = time.monotonic() - begun
    right = sum(answer["output"] == 2.0 * number for number, answer in enumerate(answers))
    replicas = collections.Counter(answer["replica"] for answer in answers)
    for replica, count in sorted(replicas.items()):
        print(f"replica {replica} answered {count}")
    if not args.keep:
        serve.delete(APP)
    ok = right == args.requests
    result = {"ok": ok, "requests": args.requests, "right": right, "replicas": len(replicas)}
    print("RESULT " + json.dumps({**result, "requests_per_second": round(args.requests / seconds)}), flush=True)
    sys.exit(not ok)


if __name__ == "__main__":
    main()
