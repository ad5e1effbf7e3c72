"""The check itself: place the probes, ask them, print one table."""

import argparse
import json
import re
import statistics
import time
import urllib.error
import urllib.request

from main import Probe, burn, nvidia_smi

# Dense FP16/BF16 tensor-core TFLOP/s with FP32 sums, by the words that the driver's name must have. From NVIDIA's data
# sheets and architecture papers (half of the figure "with sparsity"), compared with published tables in November 2026.
PUBLISHED = {"GB200": 2500, "B200": 2250, "H200 NVL": 835, "H200": 989, "H100 NVL": 835, "H100 PCIE": 756, "H100": 989,
             "A100": 312, "A800": 312, "L40S": 362, "L40": 181, "L4": 121, "A40": 150, "A10G": 70, "A10": 125,
             "A6000": 155, "6000 ADA": 364, "V100 PCIE": 112, "V100": 125, "T4": 65, "5090": 210, "4090 D": 147,
             "4090": 165, "3090 TI": 80, "3090": 71}  # fmt: skip
SLOWER = {"LAPTOP", "MAX", "MOBILE", "MIG"}  # another chip, or a part of one, under the same name
OUT_OF_LINE = 0.7  # of the median of its peers


def main(parser: argparse.ArgumentParser) -> int:
    """Check, print, and return 1 where something is out of line with its peers."""
    parser.add_argument("--seconds", type=float, default=10.0, help="of the burn-in of each GPU")
    parser.add_argument("--mib", type=int, default=64, help="to send between each pair of nodes")
    parser.add_argument("--store", default="", help="address of the object store to reach, https://…")
    parser.add_argument("--all-reduce", action="store_true", help="all-reduce over all GPUs, too; needs torch")
    parser.add_argument("--local", action="store_true", help="burn in this machine, no Ray")
    args = parser.parse_args()
    if args.local:
        found = {**burn(args.seconds), **nvidia_smi(0)}
        judge(found)
        print("RESULT " + json.dumps({"ok": found["ok"], "gpus": [found]}), flush=True)
        return int(not found["ok"])
    result = check(args)
    show(result)
    print("RESULT " + json.dumps(result), flush=True)
    return int(not result["ok"])


def check(args: argparse.Namespace) -> dict:
    """Measure everything."""
    import ray

    ray.init(address="auto", log_to_driver=False)
    alive = [node for node in ray.nodes() if node["Alive"]]
    probe = ray.remote(num_cpus=0)(Probe)
    probes = {node["NodeID"]: probe.options(scheduling_strategy=on(node)).remote() for node in alive}
    nodes = ray.get([one.node.remote() for one in probes.values()])
    for row in nodes:
        row["ok"] = True
    print(f"{len(nodes)} nodes answer", flush=True)
    holder = ray.remote(num_cpus=0, num_gpus=1)(Probe)
    burners = [
        holder.options(scheduling_strategy=on(node)).remote()
        for node in alive
        for _ in range(int(node["Resources"].get("GPU", 0)))
    ]
    gpus = ray.get([burner.gpu.remote(args.seconds) for burner in burners])
    pairs = []
    names = dict(zip(probes, (row["node"] for row in nodes), strict=True))
    for source, sender in probes.items():
        for target, receiver in probes.items():
            if source < target:
                ms, speed = ray.get(sender.send.remote(receiver, args.mib))
                pairs.append({"from": names[source], "to": names[target], "ms": ms, "mib_s": speed, "ok": True})
    for rows, columns in ((nodes, ("disk_mib_s", "shm_mib_s")), (gpus, ("tflops",)), (pairs, ("mib_s",))):
        for column in columns:
            mark(rows, column)
    for row in gpus:
        judge(row)
    burners.clear()  # gives their GPUs back
    together = reduce_over(len(gpus)) if args.all_reduce else None
    store = reach(args.store) if args.store else None
    ok = all(row["ok"] for row in [*nodes, *gpus, *pairs, *filter(None, (together, store))])
    return {"ok": ok, "nodes": nodes, "gpus": gpus, "pairs": pairs, "all_reduce": together, "store": store}


def judge(gpu: dict) -> None:
    """Add what the model's data sheet says, and whether the GPU is well."""
    gpu["published_tflops"] = published(gpu.get("name", ""))
    gpu["ok"] = not (gpu["errors"] or gpu.get("throttled") or gpu.get("problem"))


def published(name: str) -> int | None:
    """The data sheet's figure for a name such as `NVIDIA H100 80GB HBM3`; None for a model that is not listed."""
    words = set(re.findall(r"[A-Z0-9]+", name.upper()))
    if words & SLOWER:
        return None
    return next((value for wanted, value in PUBLISHED.items() if words.issuperset(wanted.split())), None)


def reduce_over(gpus: int) -> dict:
    """All-reduce over every GPU, or two workers per cluster without GPUs."""
    import all_reduce

    return all_reduce.on_ray(argparse.Namespace(workers=gpus or 2, mib=[1, 64], rounds=5))


def on(node: dict) -> object:
    """Exactly there."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)


def reach(address: str) -> dict:
    """Whether the object store answers: any HTTP answer will do."""
    begun = time.perf_counter()
    try:
        with urllib.request.urlopen(address, timeout=15):
            pass
    except urllib.error.HTTPError:
        pass  # it answers
    except OSError as error:
        return {"address": address, "ok": False, "error": str(error)}
    return {"address": address, "ok": True, "ms": round(1000 * (time.perf_counter() - begun))}


def show(result: dict) -> None:
    """One table of everything."""
    for row in result["nodes"]:
        print(f"{row['node']:<16} {row['cpus']} CPUs  {row['memory_gib']} GiB  disk {row['disk_mib_s']} MiB/s  "
              f"shm {row['shm_gib']} GiB at {row['shm_mib_s']} MiB/s{verdict(row)}")  # fmt: skip
    for row in result["gpus"]:
        print(f"{row['node']:<16} GPU {row['index']} {row.get('name', row['device'])}  {row['tflops'] or '?'} TFLOP/s "
              f"of {row['published_tflops'] or '?'}  {row.get('celsius', '?')} °C{verdict(row)}")  # fmt: skip
    for row in result["pairs"]:
        print(f"{row['from']:<16} to {row['to']:<16} {row['ms']} ms  {row['mib_s']} MiB/s{verdict(row)}")
    for row in result["all_reduce"]["sizes"] if result["all_reduce"] else ():
        kind = f"{result['all_reduce']['backend']} x {result['all_reduce']['world']}"
        bus = "" if row["bus_gb_per_s"] is None else f"  {row['bus_gb_per_s']} GB/s"
        print(f"all-reduce {kind}  {row['mib']} MiB  {row['ms']} ms{bus}")
    if result["store"]:
        print(f"store {result['store']['address']}  {'reached' if result['store']['ok'] else result['store']['error']}")


def verdict(row: dict) -> str:
    """What is wrong with a row."""
    if row["ok"]:
        return ""
    return "  ! " + (row.get("problem") or ", ".join(row.get("out_of_line", [])) or "errors or throttled")


def mark(rows: list[dict], name: str) -> None:
    """A row is not ok where its value is far below that of its peers."""
    values = [row[name] for row in rows if row.get(name) is not None]
    for row in rows:
        if len(values) > 1 and (row.get(name) or 0) < OUT_OF_LINE * statistics.median(values):
            row["ok"] = False
            row.setdefault("out_of_line", []).append(name)
