"""Applications of Serve in the four states that people meet."""

import time

from ray import serve

LITTLE = {"num_cpus": 0.1}


class Fine:
    def __init__(self) -> None:
        print("the replica is here", flush=True)

    async def __call__(self) -> str:
        return "fine"


class Bad:
    def __init__(self) -> None:
        raise ValueError("no weights at /models")


class Big:
    pass


class Slow:
    def __init__(self) -> None:
        while True:
            time.sleep(1)


healthy = serve.deployment(ray_actor_options=LITTLE)(Fine).bind()
failing = serve.deployment(ray_actor_options=LITTLE)(Bad).bind()
unplaceable = serve.deployment(ray_actor_options={"num_gpus": 8})(Big).bind()
deploying = serve.deployment(ray_actor_options=LITTLE)(Slow).bind()
