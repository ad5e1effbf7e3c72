"""DeepSpeed on Ray Train: ZeRO shards optimizer state (1), gradients (2) and parameters (3) over the workers."""

import argparse
import json
import os
import sys
import tempfile
import time

import torch
from torch import nn

FEATURES, CLASSES = 64, 10


def examples(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Points around ten centers."""
    centers = torch.randn(CLASSES, FEATURES, generator=torch.Generator().manual_seed(0))
    chance = torch.Generator().manual_seed(seed)
    labels = torch.randint(CLASSES, (count,), generator=chance)
    return centers[labels] + 1.2 * torch.randn(count, FEATURES, generator=chance), labels


def worker(config: dict) -> None:
    """What every worker runs."""
    if not torch.cuda.is_available():
        os.environ["DS_ACCELERATOR"] = "cpu"
    import deepspeed
    from ray import train

    context = train.get_context()
    model = nn.Sequential(nn.Linear(FEATURES, 256), nn.ReLU(), nn.Linear(256, CLASSES))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    engine, *_ = deepspeed.initialize(
        model=model,
        optimizer=optimizer,
        config={
            "train_micro_batch_size_per_gpu": 64,
            "zero_optimization": {"stage": config["stage"]},
            "zero_allow_untested_optimizer": True,
            "bf16": {"enabled": torch.cuda.is_available()},
        },
    )
    kind = next(engine.parameters()).dtype
    inputs, labels = (part.to(engine.device) for part in examples(2048, 1 + context.get_world_rank()))
    tests, answers = (part.to(engine.device) for part in examples(1000, 99))
    for epoch in range(config["epochs"]):
        for at in range(0, len(inputs), 64):
            loss = nn.functional.cross_entropy(engine(inputs[at : at + 64].to(kind)).float(), labels[at : at + 64])
            engine.backward(loss)
            engine.step()
        with torch.no_grad():
            right = float((engine(tests.to(kind)).argmax(1) == answers).float().mean())
        if context.get_world_rank() == 0:
            print(f"epoch {epoch} loss {float(loss):.3f} accuracy {right:.3f} zero stage {config['stage']}", flush=True)
        metrics = {"epoch": epoch, "loss": round(float(loss), 4), "accuracy": round(right, 4)}
        with tempfile.TemporaryDirectory() as folder:  # every worker saves its shard
            is_last = epoch == config["epochs"] - 1
            if is_last:
                engine.save_checkpoint(folder)
            train.report(metrics, checkpoint=train.Checkpoint.from_directory(folder) if is_last else None)


def main() -> None:
    """Train on the cluster and print the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, help="default: one per GPU, or 2 without GPUs")
    parser.add_argument("--gpus-per-worker", type=float, help="default: 1 where there are GPUs")
    parser.add_argument("--stage", type=int, choices=(0, 1, 2, 3), default=1, help="ZeRO stage")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--storage", default="/tmp/ray-train", help="a path that all nodes share, or s3://BUCKET/PATH")
    args = parser.parse_args()

    import ray
    from ray.train import RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer
    from storage import tried

    ray.init(address="auto")
    have = int(ray.cluster_resources().get("GPU", 0))
    gpus = args.gpus_per_worker if args.gpus_per_worker is not None else float(have > 0)
    workers = args.workers or have or 2
    accelerator = {} if gpus else {"env_vars": {"DS_ACCELERATOR": "cpu"}}
    begun = time.monotonic()
    result = TorchTrainer(
        worker,
        train_loop_config={"stage": args.stage, "epochs": args.epochs},
        scaling_config=ScalingConfig(
            num_workers=workers, use_gpu=gpus > 0, resources_per_worker={"GPU": gpus} if gpus else {"CPU": 1}
        ),
        run_config=RunConfig(storage_path=tried(args.storage), name="deepspeed-zero", worker_runtime_env=accelerator),
    ).fit()
    ok = result.metrics["accuracy"] > 0.8
    found = {"ok": ok, **result.metrics, "workers": workers, "stage": args.stage}
    print("RESULT " + json.dumps({**found, "seconds": round(time.monotonic() - begun, 1)}), flush=True)
    sys.exit(not ok)


if __name__ == "__main__":
    main()
