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
_RAY = 240  # uv does not see the packages of the image, and installs Ray of the same release again
_CUDA = 3_700  # what torch's build for CUDA takes more, NVIDIA's libraries included: measured with 2.11 for CUDA 13.0
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

# uv's option for which build of torch is installed: `auto` asks the driver of each node.
_BACKEND = "--torch-backend="
_AUTO, _CPU = f"{_BACKEND}auto", f"{_BACKEND}cpu"

# Files that a sample takes from another one, by their name in its working directory.
_STORAGE = {"storage.py": "train-cnn/storage.py"}
_SHARED = {
    "check-cluster": {"all_reduce.py": "all-reduce/main.py"},
    "deepspeed-zero": _STORAGE,
    "finetune-lora": _STORAGE,
    "tune-sweep": _STORAGE,
}

# Options of main.py that scale a sample, where it has them.
_WORKERS, _GPUS = "--workers", "--gpus-per-worker"


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One sample. `packages_mb` is what its packages take per node once installed, torch in its build for CPUs."""

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
    def uses_torch(self) -> bool:
        """Whether torch is installed for it, which has a small build for CPUs and a big one for CUDA."""
        return any(_name(package) == "torch" for package in self.packages)

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
    form = load(FOLDER / name / "job.yaml").form
    packages = _packages(form)
    return Sample(
        name=name,
        title=page.partition("\n")[0].removeprefix("# "),
        needs=_found(r"^- Needs: (.*)\.$", page),
        packages=packages,
        packages_mb=_megabytes(packages) + (_RAY if "uv" in form.runtime_env and _has_ray(packages) else 0),
        seconds=_SECONDS[name],
    )


def read_page(name: str) -> str:
    """The page of text of a sample."""
    return (FOLDER / name / "README.md").read_text(encoding="utf-8")


def copy(name: str, target: Path, *, force: bool = False) -> list[Path]:
    """Copy a sample into a directory to edit; returns the files. Raises UsageError for one that already exists."""
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
    cuda: bool | None = None,
    options: Sequence[str] = (),
) -> SubmitForm:
    """What submits the sample from a directory that `copy` made.

    Without `install` the packages are those of the image. `cuda` is whether GPUs are used: without, every node gets
    torch's CPU build; else, and where it is unknown, each node gets the build for its driver. Raises UsageError where
    the sample takes no workers.
    """
    if (workers is not None or gpus_per_worker is not None) and not chosen.scales:
        raise UsageError(f"The sample {chosen.name} does not take workers.", hint=f"See gallery show {chosen.name}.")
    form = load(directory / "job.yaml").form
    words = [*shlex.split(form.entrypoint)]
    words += [_WORKERS, str(workers)] if workers is not None else []
    words += [_GPUS, f"{gpus_per_worker:g}"] if gpus_per_worker is not None else []
    environment = {key: value for key, value in form.runtime_env.items() if install or key not in _INSTALLERS}
    if cuda is False and "uv" in environment:
        given = environment["uv"]["uv_pip_install_options"]
        chosen_build = [_CPU if option == _AUTO else option for option in given]
        environment["uv"] = {**environment["uv"], "uv_pip_install_options": chosen_build}
    return msgspec.structs.replace(form, entrypoint=shlex.join([*words, *options]), runtime_env=environment)


def gpus_needed(workers: int | None, gpus_per_worker: float | None) -> float:
    """GPUs that the cluster must have for what was asked; 0 where the sample takes what there is."""
    return (workers or 1) * gpus_per_worker if gpus_per_worker else 0.0


def installed_mb(chosen: Sample, *, cuda: bool) -> int:
    """MB that the packages take on a node, with torch's build for CUDA or for CPUs."""
    return chosen.packages_mb + (_CUDA if cuda and chosen.uses_torch else 0)


def installation(chosen: Sample, *, cuda: bool | None = None) -> str:
    """A sentence about what is installed on each node before the sample starts; empty where nothing is.

    `cuda` is whether GPUs are used; None where that is unknown.
    """
    if not chosen.packages:
        return ""
    size = _size(chosen, cuda=bool(cuda))
    if chosen.uses_torch:
        size += f" with torch's build for {'CUDA' if cuda else 'CPUs'}"
        size += f", {_size(chosen, cuda=True)} with the one for CUDA" if cuda is None else ""
    return (
        f"Ray installs {', '.join(chosen.packages)} on each node first: {size}. "
        "With an image that has them, add --installed."
    )


def _size(chosen: Sample, *, cuda: bool) -> str:
    size = installed_mb(chosen, cuda=cuda)
    return f"about {size:,} MB and {max(1, round(size / MB_PER_MINUTE))} min or more"


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


_INSTALLERS = ("pip", "uv")


def _packages(form: SubmitForm) -> tuple[str, ...]:
    """What the job file of a sample installs: a list for pip, or `packages` of uv, which has the build of torch."""
    given = form.runtime_env
    return tuple(given["uv"]["packages"] if "uv" in given else given.get("pip", ()))


def _megabytes(packages: Sequence[str]) -> int:
    """Sizes once installed; libraries that several bring are counted once."""
    names = [_name(package) for package in packages]
    total = sum(_INSTALLED_MB[name] for name in names)
    shared = sum(name in ("ray[data]", "ray[train]", "ray[tune]", "ray[rllib]") for name in names)
    return total - max(0, shared - 1) * _LIBRARIES


def _has_ray(packages: Sequence[str]) -> bool:
    return any(package.startswith("ray[") for package in packages)


def _name(package: str) -> str:
    return re.split(r"[=<>~]", package)[0]


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.MULTILINE)
    return match[1] if match else ""
