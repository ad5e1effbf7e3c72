"""Whether a job is about to be sent without the code that it names."""

from pathlib import Path

import pytest

from cockpit.operations.jobs.local_code import forgotten_file
from cockpit.operations.jobs.submit import SubmitForm


@pytest.fixture
def here(tmp_path: Path) -> Path:
    for name in ("train.py", "run.sh", "conf.yaml", "pkg/__main__.py", "tool/job.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("entrypoint", "name"),
    [
        ("python train.py --epochs 3", "train.py"),
        ("CUDA_VISIBLE_DEVICES=0 python -u ./train.py", "./train.py"),
        ("./run.sh", "./run.sh"),
        ("python -m train", "train.py"),
        ("python -m pkg", "pkg/__main__.py"),
        ("python -m tool.job", "tool/job.py"),
        ("bash -c 'python train.py && echo done'", "train.py"),
        ("echo hi; python train.py", "train.py"),
        ("echo hi&&python train.py", "train.py"),
        ("python -m torch --config=conf.yaml", "conf.yaml"),
        ("torchrun --nproc 2 train.py", "train.py"),
        ("python /app/train.py", None),
        ("cd /app && python train.py", None),
        ("python other.py", None),
        ("python -c 'print(1)'", None),
        ("echo s3://bucket/train.py", None),
        ("python 'unbalanced", None),
        ("python " + "x" * 5000 + ".py", None),
        ("python a\0.py", None),
        ("", None),
    ],
)
def test_a_file_that_stays_behind_is_found(here: Path, entrypoint: str, name: str | None) -> None:
    assert forgotten_file(SubmitForm(entrypoint=entrypoint), here) == name


@pytest.mark.parametrize(
    "form",
    [
        SubmitForm(entrypoint="python train.py", working_dir="."),
        SubmitForm(entrypoint="python train.py", runtime_env={"working_dir": "s3://b/x.zip"}),
        SubmitForm(entrypoint="python train.py", runtime_env={"image_uri": "lab/train:1"}),
    ],
)
def test_code_that_comes_another_way_is_not_missed(here: Path, form: SubmitForm) -> None:
    assert forgotten_file(form, here) is None
