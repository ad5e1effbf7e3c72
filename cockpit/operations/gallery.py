"""The gallery: samples that show what Ray is for, each a folder with a program, a job file and a page of text."""

import difflib
import re
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

import cockpit
from cockpit.errors import NotFoundError, UsageError
from cockpit.operations.jobs.job_file import load
from cockpit.operations.jobs.submit import SubmitForm

FOLDER = Path(cockpit.__file__).parent / "gallery"
RAY_RELEASE = "2.60.0"
"""The release for which the samples pin Ray's libraries."""

RESULT_PREFIX = "RESULT "

# In the order of a first look: what a newcomer runs, then what an expert checks.
NAMES = (
    "hello",
    "check-cluster",
    "all-reduce",
    "data-pipeline",
    "batch-inference",
    "train-cnn",
    "finetune-lora",
    "tune-sweep",
    "serve-model",
    "rllib-ppo",
    "deepspeed-zero",
    "fault-tolerance",
    "autoscale-demand",
)

# From submit to end on 2 CPU cores, the packages being there.
_SECONDS = {
    "hello": 9,
    "check-cluster": 8,
    "all-reduce": 12,
    "data-pipeline": 22,
    "batch-inference": 35,
    "train-cnn": 45,
    "finetune-lora": 34,
    "tune-sweep": 21,
    "serve-model": 14,
    "rllib-ppo": 40,
    "deepspeed-zero": 50,
    "fault-tolerance": 10,
    "autoscale-demand": 65,
}

# MB that a package takes once it is installed, with what it brings; torch without CUDA.
_LIBRARIES = 255  # pandas and pyarrow, for Data, Train and Tune
_INSTALLED_MB = {
    "torch": 860,
    "ray[data]": _LIBRARIES,
    "ray[train]": _LIBRARIES,
    "ray[tune]": _LIBRARIES,
    "ray[serve]": 25,
    "ray[rllib]": _LIBRARIES + 125,
    "transformers": 150,
    "peft": 12,
    "deepspeed": 21,
    "gymnasium": 5,
}
MB_PER_MINUTE = 500
"""What a node installs per minute, measured with torch on a fast line: 860 MB in 96 s."""

# How pyarrow, through which Ray Train writes checkpoints, words what a store of the S3 kind answered.
_STORE_ERROR = re.compile(r"OSError: (When [^:]*): (AWS Error .*)")

# Files that a sample takes from another one, by their name in its working directory.
_SHARED = {"check-cluster": {"all_reduce.py": "all-reduce/main.py"}}

# Options of main.py that scale a sample, where it has them.
_WORKERS, _GPUS = "--workers", "--gpus-per-worker"


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One sample. `packages_mb` is what its packages take per node once installed, 0 where it needs none."""

    name: str
    title: str
    needs: str
    packages: tuple[str, ...]
    packages_mb: int
    seconds: int

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return FOLDER / self.name

    @property
    def scales(self) -> bool:
        """Whether it takes a number of workers."""
        return _WORKERS in (self.folder / "main.py").read_text(encoding="utf-8")


def samples() -> list[Sample]:
    """Every sample."""
    return [sample(name) for name in NAMES]


def sample(name: str) -> Sample:
    """The sample of that name. Raises NotFoundError with the nearest one."""
    if name not in NAMES:
        near = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.5)
        hint = f"Did you mean {near[0]}?" if near else f"Samples: {', '.join(NAMES)}."
        raise NotFoundError(f"Sample {name!r} not found.", hint=hint)
    page = read_page(name)
    packages = _packages(load(FOLDER / name / "job.yaml").form)
    return Sample(
        name=name,
        title=page.partition("\n")[0].removeprefix("# "),
        needs=_found(r"^- Needs: (.*)\.$", page),
        packages=packages,
        packages_mb=_megabytes(packages),
        seconds=_SECONDS[name],
    )


def read_page(name: str) -> str:
    """The page of text of a sample."""
    return (FOLDER / name / "README.md").read_text(encoding="utf-8")


def copy(name: str, target: Path, *, force: bool = False) -> list[Path]:
    """Copy a sample into a directory to edit; returns the files. Raises UsageError for one that is there already."""
    source = sample(name).folder
    try:
        target.mkdir(parents=True, exist_ok=force)
        for path in sorted(source.iterdir()):
            if path.is_file():
                shutil.copyfile(path, target / path.name)
        for own, other in _SHARED.get(name, {}).items():
            shutil.copyfile(FOLDER / other, target / own)
    except FileExistsError as error:
        raise UsageError(
            f"{target} exists already.", hint="Name another directory, or add --force to write into it."
        ) from error
    except OSError as error:
        raise UsageError(f"Cannot copy the sample to {target}.", detail=str(error)) from error
    return sorted(path for path in target.iterdir() if path.is_file())


def form_of(
    chosen: Sample,
    directory: Path,
    *,
    workers: int | None = None,
    gpus_per_worker: float | None = None,
    install: bool = True,
    options: Sequence[str] = (),
) -> SubmitForm:
    """What submits the sample from a directory that `copy` made.

    Without `install` the packages are those of the image. Raises UsageError where the sample takes no workers.
    """
    if (workers is not None or gpus_per_worker is not None) and not chosen.scales:
        raise UsageError(f"The sample {chosen.name} does not take workers.", hint=f"See gallery show {chosen.name}.")
    form = load(directory / "job.yaml").form
    words = [*shlex.split(form.entrypoint)]
    words += [_WORKERS, str(workers)] if workers is not None else []
    words += [_GPUS, f"{gpus_per_worker:g}"] if gpus_per_worker is not None else []
    environment = {key: value for key, value in form.runtime_env.items() if install or key not in ("pip", "uv")}
    return msgspec.structs.replace(form, entrypoint=shlex.join([*words, *options]), runtime_env=environment)


def gpus_needed(workers: int | None, gpus_per_worker: float | None) -> float:
    """GPUs that the cluster must have for what was asked; 0 where the sample takes what there is."""
    return (workers or 1) * gpus_per_worker if gpus_per_worker else 0.0


def installation(chosen: Sample) -> str:
    """A sentence about what is installed on each node before the sample starts; empty where nothing is."""
    if not chosen.packages:
        return ""
    minutes = max(1, round(chosen.packages_mb / MB_PER_MINUTE))
    more = ", several times that with CUDA" if any(package.startswith("torch") for package in chosen.packages) else ""
    return (
        f"Ray installs {', '.join(chosen.packages)} on each node first: about {chosen.packages_mb:,} MB{more}, "
        f"{minutes} min or more. With an image that has them, add --installed."
    )


def result_in(log: str) -> dict[str, Any] | None:
    """The machine-readable result that a sample prints last; None where there is none."""
    for line in reversed(log.splitlines()):
        at = line.find(RESULT_PREFIX)
        if at >= 0:
            try:
                return msgspec.json.decode(line[at + len(RESULT_PREFIX) :], type=dict[str, Any])
            except msgspec.DecodeError:
                return None
    return None


def installation_failure(message: str) -> str | None:
    """The one line that says why packages could not be installed; None for another failure."""
    if "pip" not in message or ("runtime_env" not in message and "runtime environment" not in message.lower()):
        return None
    errors = [line.strip() for line in message.replace("\\n", "\n").splitlines() if "ERROR:" in line]
    return errors[-1].partition("ERROR:")[2].strip() if errors else None


def store_failure(log: str) -> str | None:
    """The one line that says why the object store could not be reached or used; None where the log names none."""
    found = [line for line in log.splitlines() if _STORE_ERROR.search(line)]
    if not found:
        return None
    match = _STORE_ERROR.search(found[-1])
    return None if match is None else f"{match[1].rstrip('. ')}: {match[2].split('; Details')[0].rstrip('. ')}"


def _packages(form: SubmitForm) -> tuple[str, ...]:
    given = form.runtime_env.get("pip", [])
    return tuple(given if isinstance(given, list) else given.get("packages", []))


def _megabytes(packages: Sequence[str]) -> int:
    """Sizes once installed; libraries that several bring are counted once."""
    names = [re.split(r"[=<>~]", package)[0] for package in packages]
    total = sum(_INSTALLED_MB[name] for name in names)
    shared = sum(name in ("ray[data]", "ray[train]", "ray[tune]", "ray[rllib]") for name in names)
    return total - max(0, shared - 1) * _LIBRARIES


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.MULTILINE)
    return match[1] if match else ""
