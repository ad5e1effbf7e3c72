"""Brings about what keeps Ray waiting, and prints the IDs by name; runs in a driver on the cluster of the tests.

The head has 4 GPUs, the other node 2 and the label tier=gold.
"""

import json
import time

import ray
from ray.util.placement_group import placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

ray.init(address="auto")
ids = {}
kept = []


@ray.remote(num_cpus=0)
class Holder:
    def ping(self):
        return 1

    def hold(self):
        while True:
            time.sleep(1)


@ray.remote(num_cpus=0)
class SlowStart:
    def __init__(self, *_):
        while True:
            time.sleep(1)


@ray.remote(num_cpus=0)
def hang():
    while True:
        time.sleep(1)  # the line that a stack names


@ray.remote(num_cpus=0)
def spin():
    while True:
        sum(range(1000))


@ray.remote(num_cpus=0)
def take(value):
    return value


def actor(name, handle):
    kept.append(handle)
    ids[name] = handle._actor_id.hex()
    return handle


def task(name, reference):
    kept.append(reference)
    ids[name] = reference.task_id().hex()
    return reference


def group(name, bundles, **options):
    made = placement_group(bundles, name=name, **options)
    kept.append(made)
    ids[name] = made.id.hex()
    return made


def inside(made):
    return PlacementGroupSchedulingStrategy(made)


holders = [Holder.options(name=f"hold{n}", num_gpus=1, label_selector={"tier": "!gold"}).remote() for n in range(2)]
full = group("group-full", [{"GPU": 1}], bundle_label_selector=[{"tier": "gold"}])
ray.get([full.ready(), *(one.ping.remote() for one in holders)])
actor("actor-alive", holders[0])
hanging = task("task-running", hang.options(name="hang").remote())
task("task-spinning", spin.options(name="spin").remote())
task("task-in-bundle", hang.options(name="inner", num_gpus=1, scheduling_strategy=inside(full)).remote())

actor("actor-8-gpus", Holder.options(num_gpus=8).remote())
actor("actor-3-gpus", Holder.options(num_gpus=3).remote())
actor("actor-no-label", Holder.options(label_selector={"tier": "platinum"}).remote())
actor("actor-label-and-gpus", Holder.options(label_selector={"tier": "gold"}, num_gpus=4).remote())
fallback = [{"label_selector": {"tier": "!gold"}}]
other = Holder.options(label_selector={"tier": "platinum"}, fallback_strategy=fallback, num_gpus=4)
actor("actor-other-labels", other.remote())
actor("actor-in-init", SlowStart.remote())
actor("actor-argument", SlowStart.remote(hanging))

task("task-argument", take.remote(hanging))
task("task-resource", hang.options(resources={"my_own": 1}).remote())
task("task-full-bundle", hang.options(num_gpus=1, scheduling_strategy=inside(full)).remote())
kept.append(holders[1].hold.remote())
task("task-behind-actor", holders[1].ping.remote())
task(
    "task-of-waiting-actor", kept[-1] and actor("actor-again-8-gpus", Holder.options(num_gpus=8).remote()).ping.remote()
)

big = group("group-8-gpus", [{"GPU": 8}])
group("group-spread", [{"CPU": 0.1}] * 3, strategy="STRICT_SPREAD")
group("group-pack", [{"GPU": 1}] * 5, strategy="STRICT_PACK")
group("group-3-gpus", [{"GPU": 3}])
actor("actor-in-waiting-group", Holder.options(num_gpus=1, scheduling_strategy=inside(big)).remote())

actor("actor-named", Holder.options(name="o'victim").remote())

dead = actor("actor-dead", Holder.options(name="short-lived").remote())
ray.get(dead.ping.remote())
ray.kill(dead)

print("SITUATIONS " + json.dumps(ids), flush=True)
while True:
    time.sleep(1)
