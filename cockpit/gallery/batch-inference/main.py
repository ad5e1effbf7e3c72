"""Batch inference: Ray Data feeds a pool of actors that each hold the model."""

import argparse
import json
import sys
import time

import numpy
import ray
import torch


class Predictor:
    """Loads the model once per actor; replace the network by yours."""

    def __init__(self) -> None:
        torch.manual_seed(1)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        layers = (torch.nn.Linear(32, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))
        self.model = torch.nn.Sequential(*layers).to(self.device).eval()

    def __call__(self, batch: dict[str, numpy.ndarray]) -> dict[str, numpy.ndarray]:
        """Predict a batch."""
        generator = numpy.random.default_rng(0)
        mixing = generator.standard_normal(32)
        inputs = torch.tensor(numpy.sin(batch["id"][:, None] * mixing), dtype=torch.float32, device=self.device)
        with torch.no_grad():
            labels = self.model(inputs).argmax(1).cpu().numpy()
        return {"id": batch["id"], "label": labels}


def main() -> None:
    """Predict every row, and compare a few with a prediction in this process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, help="actors; default: one per GPU, or 2 without GPUs")
    parser.add_argument("--gpus-per-worker", type=float, help="default: 1 where there are GPUs")
    parser.add_argument("--rows", type=int, default=50_000)
    args = parser.parse_args()

    ray.init(address="auto", log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    have = int(ray.cluster_resources().get("GPU", 0))
    gpus = args.gpus_per_worker if args.gpus_per_worker is not None else float(have > 0)
    workers = args.workers or have or 2
    begun = time.monotonic()
    rows = (
        ray.data.range(args.rows, override_num_blocks=16)
        .map_batches(Predictor, batch_size=2048, concurrency=workers, num_gpus=gpus)
        .take_all()
    )
    seconds = time.monotonic() - begun
    labels = {row["id"]: int(row["label"]) for row in rows}
    here = Predictor()({"id": numpy.arange(100)})["label"]
    right = sum(labels[number] == int(here[number]) for number in range(100))
    ok = len(labels) == args.rows and right >= 99  # one may lie on a border, where devices round differently
    print(f"{len(labels):,} rows by {workers} actors, {len(labels) / seconds:,.0f} rows/s")
    result = {"ok": ok, "rows": len(labels), "workers": workers, "gpus_per_worker": gpus, "seconds": round(seconds, 1)}
    print("RESULT " + json.dumps(result), flush=True)
    sys.exit(not ok)


if __name__ == "__main__":
    main()
