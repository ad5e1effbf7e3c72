"""The samples' own functions without Ray, `main.py --local`: on a GPU against nvidia-smi, and the same on CPUs."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cockpit.operations import gallery
from tests.gallery.pythons import HAS_CUDA, HAS_PEFT, HAS_TORCH, LONG, python_that


def locally(python: str, name: str, folder: Path, *options: str) -> dict[str, Any]:
    """The RESULT of a copied sample that ran without Ray."""
    gallery.copy(name, folder)
    words = [python, "main.py", "--local", *options]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=LONG)
    assert done.returncode == 0, done.stdout + done.stderr
    found = gallery.result_in(done.stdout)
    assert found is not None
    assert found["ok"] is True
    return found


@pytest.fixture(scope="module")
def cuda() -> str:
    """A Python whose torch sees a GPU."""
    if shutil.which("nvidia-smi") is None:
        pytest.skip("needs nvidia-smi, which comes with NVIDIA's driver (nvidia-utils)")
    listed = subprocess.run(["nvidia-smi", "--list-gpus"], capture_output=True, text=True, timeout=LONG)
    if listed.returncode or "GPU 0" not in listed.stdout:
        pytest.skip(f"needs a GPU: nvidia-smi says {(listed.stdout + listed.stderr).strip() or 'nothing'}")
    return python_that(HAS_CUDA, "CUDA torch")


@pytest.fixture(scope="module")
def cpu() -> str:
    """A Python with torch on a machine without GPUs."""
    return python_that(HAS_TORCH, "torch")


@pytest.mark.gpu
def test_burn_in_agrees_with_nvidia_smi(cuda: str, tmp_path: Path) -> None:
    (gpu,) = locally(cuda, "check-cluster", tmp_path / "check", "--seconds", "8")["gpus"]
    words = ["nvidia-smi", "--id=0", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader,nounits"]
    name, driver, memory = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split(", ")
    assert (gpu["name"], gpu["driver"], gpu["memory_mib"]) == (name, driver, int(memory))
    assert (gpu["device"], gpu["errors"]) == ("cuda", 0)
    assert gpu["celsius"] > 0
    if gpu["published_tflops"] is not None:  # a product of 8192 x 8192 comes near the figure, and never beyond it
        assert 0.3 < gpu["tflops"] / gpu["published_tflops"] < 1.1


@pytest.mark.gpu
def test_the_cnn_learns_on_the_gpu(cuda: str, tmp_path: Path) -> None:
    found = locally(cuda, "train-cnn", tmp_path / "cnn", "--epochs", "2")
    assert found["device"] == "cuda"
    assert found["accuracy"] > 0.8


@pytest.mark.gpu
def test_nccl_initializes_with_one_rank(cuda: str, tmp_path: Path) -> None:
    found = locally(cuda, "all-reduce", tmp_path / "sum", "--mib", "1", "64")
    assert (found["backend"], found["world"], len(found["sizes"])) == ("nccl", 1, 2)


@pytest.mark.gallery
def test_the_same_functions_on_cpus(cpu: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    (burned,) = locally(cpu, "check-cluster", tmp_path / "check", "--seconds", "1")["gpus"]
    assert (burned["device"], burned["errors"]) == ("cpu", 0)
    assert burned["tflops"] > 0
    assert locally(cpu, "train-cnn", tmp_path / "cnn", "--epochs", "3")["device"] == "cpu"
    reduced = locally(cpu, "all-reduce", tmp_path / "sum", "--mib", "1")
    assert (reduced["backend"], reduced["sizes"][0]["ok"]) == ("gloo", True)
    assert reduced["sizes"][0]["bus_gb_per_s"] is None  # no link is used by one process


@pytest.mark.gallery
@pytest.mark.slow
def test_lora_loads_a_model_from_a_path_and_says_what_is_missing_offline(
    tiny_model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery.copy("finetune-lora", tmp_path / "lora")
    python = python_that(HAS_PEFT, "transformers and peft")

    def load(model: str) -> subprocess.CompletedProcess[str]:
        program = "import sys, main; print(type(main.load(sys.argv[1])[0]).__name__)"
        words = [python, "-c", program, model]
        return subprocess.run(words, cwd=tmp_path / "lora", capture_output=True, text=True, timeout=LONG)

    assert load(tiny_model).stdout.splitlines()[-1] == "GPT2LMHeadModel"
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    done = load("nobody/nothing")
    assert done.returncode == 1
    assert "Cannot load nobody/nothing" in done.stderr
    assert "--model /path/to/model" in done.stderr
    assert "Traceback" not in done.stderr
