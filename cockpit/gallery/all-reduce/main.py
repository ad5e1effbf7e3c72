"""All-reduce over every GPU by NCCL, or over CPU workers by gloo: is the sum right, and how fast is the network."""

import argparse
import json
import os
import socket
import sys
import time

import torch
import torch.distributed as dist


def measure(sizes_mib: list[int], rounds: int) -> list[dict]:
    """Time all-reduce of each size in a process group that exists; every rank checks the sum."""
    rank, world = dist.get_rank(), dist.get_world_size()
    device = torch.device("cuda", torch.cuda.current_device()) if dist.get_backend() == "nccl" else torch.device("cpu")
    found = []
    for mib in sizes_mib:
        data = torch.full((mib * 1024 * 1024 // 4,), float(rank + 1), device=device)
        dist.all_reduce(data)  # the first one opens connections
        ok = bool((data == world * (world + 1) / 2).all())
        _finish(device)
        begun = time.perf_counter()
        for _ in range(rounds):
            dist.all_reduce(data)
        _finish(device)
        seconds = (time.perf_counter() - begun) / rounds
        # The bus bandwidth of nccl-tests: what each link carries, whatever the number of ranks.
        bus = round(mib * 1024 * 1024 / seconds * 2 * (world - 1) / world / 1e9, 3) if world > 1 else None
        found.append({"mib": mib, "ok": ok, "ms": round(seconds * 1000, 2), "bus_gb_per_s": bus})
    return found


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()
    dist.barrier()


class Worker:
    """One rank; a Ray actor with its GPU, if there is one."""

    def address(self) -> str:
        """Where rank 0 can be reached."""
        import ray

        with socket.socket() as listener:
            listener.bind(("", 0))
            return f"{ray.util.get_node_ip_address()}:{listener.getsockname()[1]}"

    def run(self, address: str, rank: int, world: int, sizes: list[int], rounds: int) -> list[dict]:
        """Join the group, measure, leave."""
        has_gpu = torch.cuda.is_available()
        if not has_gpu:
            torch.set_num_threads(1)
        host, port = address.rsplit(":", 1)
        os.environ |= {"MASTER_ADDR": host, "MASTER_PORT": port, "RANK": str(rank), "WORLD_SIZE": str(world)}
        dist.init_process_group("nccl" if has_gpu else "gloo", rank=rank, world_size=world)
        try:
            return measure(sizes, rounds)
        finally:
            dist.destroy_process_group()


def on_ray(args: argparse.Namespace) -> dict:
    """One worker per GPU, or --workers on CPUs."""
    import ray

    ray.init(address="auto", log_to_driver=False, ignore_reinit_error=True)
    gpus = int(ray.cluster_resources().get("GPU", 0))
    world = args.workers or gpus or 2
    actor = ray.remote(num_gpus=1 if gpus else 0, num_cpus=0.5)(Worker)
    workers = [actor.options(scheduling_strategy="SPREAD").remote() for _ in range(world)]
    address = ray.get(workers[0].address.remote())
    results = ray.get([one.run.remote(address, rank, world, args.mib, args.rounds) for rank, one in enumerate(workers)])
    slowest = [max((ranks[at] for ranks in results), key=lambda row: row["ms"]) for at in range(len(args.mib))]
    ok = all(row["ok"] for ranks in results for row in ranks)
    return {"ok": ok, "backend": "nccl" if gpus else "gloo", "world": world, "sizes": slowest}


def locally(args: argparse.Namespace) -> dict:
    """A group of one in this process: the library initializes and the sum is right."""
    backend = "nccl" if torch.cuda.is_available() else "gloo"
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(args.port), "RANK": "0", "WORLD_SIZE": "1"}
    dist.init_process_group(backend, rank=0, world_size=1)
    sizes = measure(args.mib, args.rounds)
    dist.destroy_process_group()
    return {"ok": all(row["ok"] for row in sizes), "backend": backend, "world": 1, "sizes": sizes}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, help="default: one per GPU, or 2 without GPUs")
    parser.add_argument("--mib", type=int, nargs="+", default=[1, 16, 64], help="sizes to reduce, in MiB")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--port", type=int, default=29517, help="with --local")
    parser.add_argument("--local", action="store_true", help="one process, no Ray")
    options = parser.parse_args()
    outcome = locally(options) if options.local else on_ray(options)
    for one in outcome["sizes"]:
        speed = f"{one['ms']:>9.2f} ms" + (f"  {one['bus_gb_per_s']:>8.3f} GB/s" if outcome["world"] > 1 else "")
        print(f"{outcome['backend']} x {outcome['world']}  {one['mib']:>5} MiB  {speed}")
    print("RESULT " + json.dumps(outcome), flush=True)
    sys.exit(not outcome["ok"])
