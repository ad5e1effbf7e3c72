"""Run one command and write what it took: `python -S -I launch.py FILE COMMAND…`; nothing else of ours is imported.

A process starts with the peak memory of the one that it was forked from, so that one has to be small.
"""

import json
import os
import sys
import time

if __name__ == "__main__":
    begun = time.monotonic()
    child = os.fork()
    if child == 0:
        os.execvp(sys.argv[2], sys.argv[2:])
    _, status, usage = os.wait4(child, 0)
    taken = {
        "wall": time.monotonic() - begun,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak": usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2),
        "code": os.waitstatus_to_exitcode(status),
    }
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(taken, file)
