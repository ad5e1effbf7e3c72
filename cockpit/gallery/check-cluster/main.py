"""Check rented machines: memory and disk speed, each GPU under load, the network between all pairs of nodes."""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

QUERY = (
    "name,driver_version,memory.total,temperature.gpu,"
    "clocks_throttle_reasons.hw_slowdown,ecc.errors.uncorrected.volatile.total"
)


def write_speed(folder: str, mib: int = 128) -> float | None:
    """MiB/s of writing and syncing a file; None if the folder is full."""
    if not os.path.isdir(folder) or shutil.disk_usage(folder).free < 4 * mib * 2**20:
        return None
    block, begun = os.urandom(2**20), time.perf_counter()
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(mib):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    return round(mib / (time.perf_counter() - begun), 1)


def nvidia_smi(index: int) -> dict:
    """Driver, temperature, throttling and ECC errors of a GPU; empty without nvidia-smi."""
    command = ["nvidia-smi", f"--id={index}", f"--query-gpu={QUERY}", "--format=csv,noheader,nounits"]
    try:
        text = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return {}
    name, driver, memory, celsius, slowdown, ecc = (part.strip() for part in text.split(",", 5))
    throttled = {"Active": True, "Not Active": False}.get(slowdown)
    return {
        "name": name,
        "driver": driver,
        "memory_mib": int(memory),
        "celsius": int(celsius),
        "throttled": throttled,
        "ecc": ecc,
    }


def burn(seconds: float, size: int | None = None) -> dict:
    """Multiply matrices for so long; TFLOP/s, and whether every product was the same."""
    try:
        import torch
    except ImportError:
        return {"device": "GPU", "tflops": None, "errors": 0, "problem": "torch is not installed on this node"}

    device = "cuda" if torch.cuda.is_available() else "cpu"
    size = size or (8192 if device == "cuda" else 1024)
    kind = torch.float32
    if device == "cuda":  # before Ampere the tensor cores take FP16 only
        kind = torch.bfloat16 if torch.cuda.get_device_capability() >= (8, 0) else torch.float16
    left, right = (torch.randn(size, size, device=device, dtype=kind) for _ in range(2))
    first, count, errors = left @ right, 0, 0
    begun = time.perf_counter()
    while time.perf_counter() - begun < seconds:
        for _ in range(10):
            product = left @ right
        count += 10
        errors += not bool(torch.equal(product, first))  # waits for the device, too
    tflops = 2 * size**3 * count / (time.perf_counter() - begun) / 1e12
    return {"device": device, "tflops": round(tflops, 3), "errors": errors}


class Probe:
    """On each node, and on each GPU: an actor that measures."""

    def node(self) -> dict:
        """CPU, memory, disk and /dev/shm."""
        import ray

        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        shared = shutil.disk_usage("/dev/shm").total if os.path.isdir("/dev/shm") else 0
        return {
            "node": ray.util.get_node_ip_address(), "cpus": os.cpu_count(), "memory_gib": round(memory / 2**30, 1),
            "disk_mib_s": write_speed(tempfile.gettempdir()), "shm_mib_s": write_speed("/dev/shm"),
            "shm_gib": round(shared / 2**30, 1),
        }  # fmt: skip

    def gpu(self, seconds: float) -> dict:
        """A burn-in of the GPU that Ray gave to this actor, with what nvidia-smi says afterwards."""
        import ray

        index = int(ray.get_gpu_ids()[0])
        return {"node": ray.util.get_node_ip_address(), "index": index, **burn(seconds), **nvidia_smi(index)}

    def take(self, data: bytes) -> int:
        """Receive; the sender takes the time."""
        return len(data)

    def send(self, other: object, mib: int) -> tuple[float, float]:
        """Milliseconds of an empty call to another node, and MiB/s of a big one."""
        import ray

        ray.get(other.take.remote(b""))
        trips = []
        for _ in range(10):
            begun = time.perf_counter()
            ray.get(other.take.remote(b""))
            trips.append(1000 * (time.perf_counter() - begun))
        begun = time.perf_counter()
        ray.get(other.take.remote(os.urandom(mib * 2**20)))
        return round(statistics.median(trips), 2), round(mib / (time.perf_counter() - begun), 1)


if __name__ == "__main__":
    from check import main

    sys.exit(main(argparse.ArgumentParser(description=__doc__)))
