"""A job that succeeds: a few tasks on whatever CPUs there are."""

import ray


@ray.remote
def square(number: int) -> int:
    return number * number


ray.init(log_to_driver=False)
print("connected to a cluster of", len(ray.nodes()), "node(s)", flush=True)
for number, result in enumerate(ray.get([square.remote(number) for number in range(5)])):
    print(f"{number} squared is {result}", flush=True)
print("done", flush=True)
