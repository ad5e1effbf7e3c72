"""A job that fails, with a traceback that names the reason."""

import json


def load_config(text: str) -> dict[str, int]:
    return json.loads(text)


print("loading the configuration", flush=True)
load_config('{"learning_rate": 3e-4, "epochs": }')
