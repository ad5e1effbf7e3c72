"""The kinds of work that people run on such clusters, and the ways in which it goes wrong."""

import msgspec


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of job: what it is called, who its workers are, and how it uses GPUs and time.

    `share` is the part of a GPU that a worker holds, `load` its utilisation in percent, `memory` the part of the GPU's
    memory in use. `{n}` in names and entrypoints stands for a number.
    """

    name: str
    entrypoint: str
    submission_id: str = ""
    actor: str = ""
    share: float = 0.0
    cpus: float = 1.0
    load: tuple[int, int] = (0, 0)
    memory: float = 0.0
    minutes: tuple[int, int] = (5, 60)
    line_seconds: float = 5.0


PRETRAIN = Kind(
    name="llama8b-pretrain",
    entrypoint="python train.py --config configs/llama3-8b.yaml --fsdp full --seq-len 8192",
    actor="RayTrainWorker",
    share=1.0,
    load=(88, 99),
    memory=0.89,
    minutes=(90, 2000),
)
FINETUNE = Kind(
    name="mistral-sft",
    entrypoint="python finetune.py --base mistral-7b --data s3://datasets/sft-v{n} --lora-r 64",
    submission_id="mistral-sft-r{n}",
    actor="RayTrainWorker",
    share=1.0,
    load=(74, 96),
    memory=0.71,
    minutes=(30, 400),
)
SWEEP = Kind(
    name="sweep",
    entrypoint="python tune.py --search optuna --trials 64 --study lr-wd-{n}",
    submission_id="sweep-{n:03d}",
    actor="ImplicitFunc",
    share=1.0,
    load=(38, 82),
    memory=0.46,
    minutes=(20, 300),
)
EVALUATE = Kind(
    name="eval",
    entrypoint="python eval.py --suite mmlu,gsm8k --ckpt s3://ckpt/step-{n}000 --shard {n}/8",
    submission_id="eval-nightly-{n}",
    share=1.0,
    load=(22, 91),
    memory=0.52,
    minutes=(4, 45),
)
SERVE = Kind(
    name="chat-serving",
    entrypoint="serve run serving.chat:app --route-prefix /chat",
    submission_id="chat-serving",
    actor="ServeReplica:chat:LLM",
    share=0.5,
    load=(6, 58),
    memory=0.62,
    minutes=(3000, 9000),
)
EMBED = Kind(
    name="embed",
    entrypoint="python embed.py --input s3://crawl/2026-11/part-{n:05d}.parquet --model e5-large --batch 512",
    actor="MapWorker(MapBatches(Embedder))",
    share=0.25,
    load=(35, 77),
    memory=0.2,
    minutes=(10, 90),
)
PREPARE = Kind(
    name="prepare",
    entrypoint="python prepare.py --shards 512 --tokenizer llama3 --out s3://datasets/v{n}",
    cpus=16.0,
    minutes=(15, 120),
)
NOTEBOOK = Kind(
    name="notebook",
    entrypoint="python -m ipykernel_launcher -f /home/ray/.local/share/jupyter/runtime/kernel-{n}.json",
    actor="Scratch",
    share=1.0,
    load=(0, 2),
    memory=0.55,
    minutes=(60, 900),
)
FORGOTTEN = Kind(
    name="sweep",
    entrypoint="python tune.py --search bohb --trials 16 --study warmup-{n}",
    submission_id="sweep-{n:03d}",
    actor="ImplicitFunc",
    share=1.0,
    load=(0, 3),
    memory=0.55,
    minutes=(200, 900),
)
SMOKE = Kind(name="smoke", entrypoint="python -m pytest -q tests/smoke --maxfail 1", submission_id="ci-smoke-{n}",
             cpus=2.0, minutes=(1, 6))  # fmt: skip
EXPORT = Kind(name="export", entrypoint="python export.py --format safetensors --step {n}000 && aws s3 sync out s3://ckpt",
              cpus=4.0, minutes=(3, 20))  # fmt: skip

# What has run in the last days, the usual things more often.
PAST = (PRETRAIN, FINETUNE, FINETUNE, SWEEP, SWEEP, SWEEP, EVALUATE, EVALUATE, EVALUATE, EVALUATE, EMBED, EMBED, EMBED,
        PREPARE, PREPARE, SMOKE, SMOKE, SMOKE, EXPORT)  # fmt: skip

OWNERS = ("mia", "mia", "mia", "jo", "jo", "ravi", "ravi", "ana", "ci")
TEAMS = ("pretraining", "alignment", "retrieval", "platform")

PACKAGES = ("torch==2.9.1", "transformers==4.57.1", "datasets==4.4.1", "optuna==4.6.0", "vllm==0.11.2")


class Mishap(msgspec.Struct, frozen=True, kw_only=True):
    """How a job fails: its exit code, Ray's word for it, and the last lines of its log.

    One without an exit code never ran: the reason is in its message only.
    """

    exit_code: int | None = 1
    error_type: str = "JOB_ENTRYPOINT_COMMAND_ERROR"
    lines: tuple[str, ...] = ()
    message: str = ""
    needs_gpu: bool = False


OUT_OF_MEMORY = Mishap(
    needs_gpu=True,
    lines=(
        "Traceback (most recent call last):",
        '  File "{dir}/{script}", line 318, in <module>',
        "    main()",
        '  File "{dir}/{script}", line 266, in main',
        "    loss = step(model, batch)",
        '  File "{dir}/{script}", line 212, in step',
        "    loss.backward()",
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU {gpu} has a total capacity of"
        " 79.11 GiB of which 611.19 MiB is free. Process {pid} has 78.51 GiB memory in use. Of the allocated memory"
        " 76.02 GiB is allocated by PyTorch, and 1.34 GiB is reserved by PyTorch but unallocated.",
    ),
)
BROKEN_TEST = Mishap(
    lines=(
        "=========================== short test summary info ============================",
        "FAILED tests/smoke/test_train.py::test_loss_falls - assert 2.31 < 2.3",
        "!!!!!!!!!!!!!!!!!!!!!!!!!! stopping after 1 failures !!!!!!!!!!!!!!!!!!!!!!!!!!!",
    )
)
NO_DATA = Mishap(
    lines=(
        "Traceback (most recent call last):",
        '  File "{dir}/data.py", line 48, in open_shard',
        "    return pq.read_table(path, filesystem=fs)",
        "FileNotFoundError: s3://datasets/sft-v12/part-00317.parquet",
    )
)
MISHAPS = (
    OUT_OF_MEMORY,
    OUT_OF_MEMORY,
    OUT_OF_MEMORY,
    Mishap(
        needs_gpu=True,
        lines=(
            "[rank3]:[E1120 ProcessGroupNCCL.cpp:632] [Rank 3] Watchdog caught collective operation timeout:"
            " WorkNCCL(SeqNum=18240, OpType=ALLREDUCE, NumelIn=58724352, Timeout(ms)=600000) ran for 600041 ms.",
            "ray.exceptions.RayTaskError(DistBackendError): torch.distributed.DistBackendError: NCCL communicator"
            " was aborted on rank 3.",
        ),
    ),
    NO_DATA,
    Mishap(
        lines=(
            "Traceback (most recent call last):",
            '  File "{dir}/config.py", line 17, in load',
            "    raise KeyError(name)",
            "KeyError: 'warmup_steps'",
        )
    ),
    Mishap(exit_code=2, lines=("{script}: error: unrecognized arguments: --grad-acum 8",)),
    Mishap(exit_code=-9, lines=("step 4410 | loss 2.2071 | 38.0k tok/s | lr 2.85e-04",)),
    Mishap(exit_code=127, lines=("/bin/sh: 1: accelerate: not found",)),
    Mishap(
        exit_code=None,
        error_type="RUNTIME_ENV_SETUP_FAILURE",
        message="runtime_env setup failed: Failed to set up runtime environment.\n"
        "Could not create the actor because its associated runtime env failed to be created.\n"
        "ERROR: Could not find a version that satisfies the requirement flash-attn==2.9.9 (from versions: 2.8.3)",
    ),
    Mishap(
        exit_code=None,
        error_type="JOB_SUPERVISOR_ACTOR_START_TIMEOUT",
        message="Job supervisor actor failed to start within 900.0 seconds. This timeout can be configured by setting"
        " the environment variable RAY_JOB_START_TIMEOUT_SECONDS. This can happen if the job entrypoint has a"
        " specified resource requirement that cannot be satisfied, e.g. entrypoint_num_gpus=64.",
    ),
)
