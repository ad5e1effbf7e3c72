"""Ray Train: a small CNN over several workers, with checkpoints; the pictures are generated, not downloaded."""

import argparse
import json
import os
import sys
import tempfile
import time

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

CLASSES, SIZE = 10, 28


def pictures(count: int, seed: int) -> TensorDataset:
    """28x28 pictures of ten kinds of stripes, shifted and noisy: the shape of FashionMNIST without its 30 MB."""
    chance = torch.Generator().manual_seed(seed)
    labels = torch.randint(CLASSES, (count,), generator=chance)
    angle = labels * torch.pi / CLASSES
    line = torch.linspace(-1, 1, SIZE)
    across = angle.cos()[:, None, None] * line[None, None, :] + angle.sin()[:, None, None] * line[None, :, None]
    shift = torch.rand(count, 1, 1, generator=chance) * 6
    noise = torch.randn(count, SIZE, SIZE, generator=chance)
    return TensorDataset((torch.sin(across * 8 + shift) + 1.1 * noise)[:, None], labels)


def network() -> nn.Module:
    """Two convolutions and a classifier."""
    return nn.Sequential(
        *(nn.Conv2d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(32 * 7 * 7, CLASSES)),
    )


def step(model: nn.Module, optimizer: torch.optim.Optimizer, batch: list[torch.Tensor]) -> float:
    """One step of gradient descent; returns the loss."""
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(batch[0]), batch[1])
    loss.backward()
    optimizer.step()
    return float(loss.detach())


def accuracy(model: nn.Module, loader: DataLoader) -> float:
    """The share of pictures that are recognized."""
    model.eval()
    with torch.no_grad():
        right = sum(int((model(inputs).argmax(1) == labels).sum()) for inputs, labels in loader)
    model.train()
    return right / len(loader.dataset)


def worker(config: dict) -> None:
    """What every worker runs: its share of the data, gradients averaged by DDP, a checkpoint per epoch."""
    from ray import train
    from ray.train.torch import prepare_data_loader, prepare_model

    model = prepare_model(network())
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    loader = prepare_data_loader(DataLoader(pictures(config["pictures"], 1), batch_size=64, shuffle=True))
    test = prepare_data_loader(DataLoader(pictures(1000, 2), batch_size=250), add_dist_sampler=False)
    for epoch in range(config["epochs"]):
        loss = sum(step(model, optimizer, batch) for batch in loader) / len(loader)
        metrics = {"epoch": epoch, "loss": round(loss, 4), "accuracy": round(accuracy(model, test), 4)}
        with tempfile.TemporaryDirectory() as folder:
            if train.get_context().get_world_rank() == 0:
                print(f"epoch {epoch} loss {metrics['loss']:.3f} accuracy {metrics['accuracy']:.3f}", flush=True)
                torch.save(getattr(model, "module", model).state_dict(), os.path.join(folder, "model.pt"))
            train.report(metrics, checkpoint=train.Checkpoint.from_directory(folder))


def on_ray(args: argparse.Namespace) -> dict:
    """Train on the cluster."""
    import ray
    from ray.train import CheckpointConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer
    from storage import tried

    ray.init(address="auto")
    have = ray.cluster_resources()
    gpus = args.gpus_per_worker if args.gpus_per_worker is not None else float(have.get("GPU", 0) >= 1)
    workers = args.workers or max(1, int(have["GPU"] // gpus) if gpus else min(4, int(have.get("CPU", 1)) - 1))
    share = {"GPU": gpus} if gpus else {"CPU": 1}
    result = TorchTrainer(
        worker,
        train_loop_config={"epochs": args.epochs, "pictures": args.pictures},
        scaling_config=ScalingConfig(num_workers=workers, use_gpu=gpus > 0, resources_per_worker=share),
        run_config=RunConfig(storage_path=tried(args.storage), name="train-cnn", checkpoint_config=CheckpointConfig(1)),
    ).fit()
    return {**result.metrics, "workers": workers, "gpus_per_worker": gpus, "checkpoint": result.checkpoint.path}


def locally(args: argparse.Namespace) -> dict:
    """The same steps in this process, without Ray."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model, data = network().to(device), pictures(args.pictures, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for _ in range(args.epochs):
        for batch in DataLoader(data, batch_size=64, shuffle=True):
            step(model, optimizer, [part.to(device) for part in batch])
    return {"accuracy": accuracy(model.to("cpu"), DataLoader(pictures(1000, 2), batch_size=250)), "device": device}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, help="default: one per GPU, or up to 4 without GPUs")
    parser.add_argument("--gpus-per-worker", type=float, help="default: 1 where there are GPUs")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--pictures", type=int, default=6000)
    parser.add_argument("--storage", default="/tmp/ray-train", help="a path that all nodes share, or s3://BUCKET/PATH")
    parser.add_argument("--local", action="store_true", help="one process, no Ray")
    options = parser.parse_args()
    started = time.monotonic()
    found = locally(options) if options.local else on_ray(options)
    outcome = {"ok": found["accuracy"] > 0.8, **found, "seconds": round(time.monotonic() - started, 1)}
    print("RESULT " + json.dumps(outcome), flush=True)
    sys.exit(not outcome["ok"])
