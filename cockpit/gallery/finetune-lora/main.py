"""LoRA: adapt a small language model with a few thousand parameters, on every worker of Ray Train."""

import argparse
import json
import os
import sys
import tempfile
import time

TEXT = "the cluster trains a small model and the adapter learns this sentence by heart . "


def load(model: str):
    """A model and its tokenizer from a path or the hub; a sentence and exit code 2 where it cannot be had."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        return AutoModelForCausalLM.from_pretrained(model), AutoTokenizer.from_pretrained(model)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0][:200]
        sys.exit(
            f"Cannot load {model}: {reason}\nWithout a way to the hub, put it on every node: --model /path/to/model"
        )


def worker(config: dict) -> None:
    """What every worker runs: the frozen model, a trained adapter, gradients averaged by DDP."""
    import torch
    from peft import LoraConfig, get_peft_model
    from ray import train
    from ray.train.torch import get_device, prepare_model

    model, tokenizer = load(config["model"])
    adapted = get_peft_model(model, LoraConfig(r=config["rank"], target_modules="all-linear", task_type="CAUSAL_LM"))
    trained, total = adapted.get_nb_trainable_parameters()
    ready = prepare_model(adapted)
    optimizer = torch.optim.AdamW((part for part in ready.parameters() if part.requires_grad), lr=5e-3)
    batch = tokenizer([TEXT * 4] * 4, return_tensors="pt")["input_ids"].to(get_device())
    first = value = 0.0
    for step in range(config["steps"]):
        loss = ready(input_ids=batch, labels=batch).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        value = round(float(loss), 4)
        if train.get_context().get_world_rank() == 0 and step % 5 == 0:
            print(f"step {step} loss {value}", flush=True)
        first = value if step == 0 else first
    with tempfile.TemporaryDirectory() as folder:
        adapted.save_pretrained(os.path.join(folder, "adapter"))
        metrics = {"first_loss": first, "loss": value, "trained": trained, "parameters": total}
        train.report(metrics, checkpoint=train.Checkpoint.from_directory(folder))


def main() -> None:
    """Train the adapter and print how the loss fell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="sshleifer/tiny-gpt2", help="a path on every node, or a name of the hub")
    parser.add_argument("--workers", type=int, help="default: one per GPU, or 1 without GPUs")
    parser.add_argument("--gpus-per-worker", type=float, help="default: 1 where there are GPUs")
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--storage", default="/tmp/ray-train", help="a path that all nodes share, or s3://BUCKET/PATH")
    args = parser.parse_args()

    import ray
    from ray.train import RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer
    from storage import tried

    load(args.model)  # says what is missing before workers are started
    ray.init(address="auto")
    have = int(ray.cluster_resources().get("GPU", 0))
    gpus = args.gpus_per_worker if args.gpus_per_worker is not None else float(have > 0)
    workers = args.workers or have or 1
    begun = time.monotonic()
    result = TorchTrainer(
        worker,
        train_loop_config={"model": args.model, "rank": args.rank, "steps": args.steps},
        scaling_config=ScalingConfig(
            num_workers=workers, use_gpu=gpus > 0, resources_per_worker={"GPU": gpus} if gpus else {"CPU": 1}
        ),
        run_config=RunConfig(storage_path=tried(args.storage), name="finetune-lora"),
    ).fit()
    ok = result.metrics["loss"] < result.metrics["first_loss"]
    found = {"ok": ok, **result.metrics, "workers": workers}
    print("RESULT " + json.dumps({**found, "seconds": round(time.monotonic() - begun, 1)}), flush=True)
    sys.exit(not ok)


if __name__ == "__main__":
    main()
