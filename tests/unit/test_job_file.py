"""Job files: what they mean, and what is wrong with them."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.errors import UsageError
from cockpit.operations.jobs.capacity import Capacity
from cockpit.operations.jobs.job_file import dump, load
from cockpit.operations.jobs.submit import SubmitForm

WHOLE = """\
entrypoint: python train.py --epochs 3
submission_id: train-1
working_dir: code
runtime_env:
  pip: [torch]
num_cpus: 1
num_gpus: 0.5
memory: 16Gi
resources: {chips: 2}
label_selector: {ray.io/accelerator-type: H100}
env: {MODE: fast, HF_TOKEN: ac-secret://HF_TOKEN}
metadata: {owner: ann}
wait_for: {gpus: 8, nodes: 2, labels: {tier: gold}, timeout: 45m}
"""


def job_file(directory: Path, text: str) -> Path:
    """A job file in a directory."""
    path = directory / "job.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_key(tmp_path: Path) -> None:
    found = load(job_file(tmp_path, WHOLE))
    assert found.form == SubmitForm(
        entrypoint="python train.py --epochs 3",
        submission_id="train-1",
        working_dir=str(tmp_path / "code"),
        runtime_env={"pip": ["torch"]},
        num_cpus=1,
        num_gpus=0.5,
        memory=16 * 2**30,
        resources={"chips": 2},
        label_selector={"ray.io/accelerator-type": "H100"},
        environment={"MODE": "fast", "HF_TOKEN": "ac-secret://HF_TOKEN"},
        metadata={"owner": "ann"},
    )
    assert found.wait_for == Capacity(gpus=8, nodes=2, labels={"tier": "gold"}, timeout_s=2700)


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "env.yaml").write_text("working_dir: src\npip: requirements.txt\n", encoding="utf-8")
    (tmp_path / "requirements.txt").write_text("numpy\n", encoding="utf-8")
    form = load(job_file(tmp_path, "runtime_env: env.yaml\n")).form
    assert form.runtime_env == {"working_dir": str(tmp_path / "src"), "pip": ["numpy"]}
    assert load(job_file(tmp_path, "working_dir: s3://bucket/code.zip\n")).form.working_dir == "s3://bucket/code.zip"
    assert load(job_file(tmp_path, "working_dir: .\n")).form.working_dir == str(tmp_path)


@pytest.mark.parametrize(
    ("text", "title", "hint"),
    [
        ("entry_point: x", "Unknown key 'entry_point'", "Did you mean entrypoint?"),
        ("num_gpu: 1", "Unknown key 'num_gpu'", "Did you mean num_gpus?"),
        ("wait_for: {gpu: 1}", "Unknown key 'gpu' in wait_for", "Did you mean gpus?"),
        ("zzz: 1", "Unknown key 'zzz'", "Known keys: entrypoint"),
        ("- a", "is not a mapping", "entrypoint"),
        ("", "is not a mapping", "entrypoint"),
        ("a: [", "is not valid YAML", ""),
        ("entrypoint: 3", "entrypoint in", "Quote the value"),
        ("num_gpus: two", "num_gpus in", ""),
        ("num_gpus: true", "num_gpus in", ""),
        ("memory: [1]", "memory in", "16Gi"),
        ("memory: lots", "Invalid size: 'lots'", "16Gi"),
        ("env: {LR: 0.1}", "env.LR in", 'LR: "…"'),
        ("env: [A=1]", "env in", ""),
        ("resources: {chips: many}", "resources.chips in", ""),
        ("runtime_env: {pipp: []}", "pipp", "pip"),
        ("wait_for: {timeout: soon}", "Invalid time: 'soon'", "Write 30s"),
        ("wait_for: {timeout: true}", "wait_for.timeout in", "30m"),
        ("wait_for: {nodes: 1.5}", "wait_for.nodes in", ""),
        ("wait_for: {free: maybe}", "wait_for.free in", ""),
        ("{1: 2}", "Unknown key 1", ""),
        ("when: 2026-99-99", "is not valid YAML", ""),
        ("[" * 5000, "is not valid YAML", ""),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, title: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(job_file(tmp_path, text))
    assert title in caught.value.title
    assert hint in caught.value.hint


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "latin1").write_bytes(b"entrypoint: \xff")
    (tmp_path / "big").write_bytes(b"#" * (1024 * 1024 + 1))
    for name in ("absent", "fifo", "latin1", "big", "."):
        with pytest.raises(UsageError, match="Cannot read the job file"):
            load(tmp_path / name)


names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)
numbers = st.one_of(st.none(), st.floats(0.25, 1e6))


@st.composite
def jobs(draw: st.DrawFn) -> tuple[SubmitForm, Capacity | None]:
    """Forms and what to wait for."""
    form = SubmitForm(
        entrypoint=draw(texts.filter(bool)),
        num_cpus=draw(numbers),
        num_gpus=draw(numbers),
        memory=draw(st.one_of(st.none(), st.integers(1, 2**50))),
        resources=draw(st.dictionaries(names, st.floats(0.5, 1e6), max_size=2)),
        label_selector=draw(st.dictionaries(names, texts, max_size=2)),
        environment=draw(st.dictionaries(names, texts, max_size=2)),
        metadata=draw(st.dictionaries(names, texts, max_size=2)),
    )
    timeout: Any = st.one_of(st.none(), st.integers(1, 86400).map(float))
    wanted = st.builds(Capacity, gpus=st.integers(1, 999).map(float), nodes=st.integers(0, 99), timeout_s=timeout)
    return form, draw(st.one_of(st.none(), wanted))


@given(jobs())
def test_what_is_written_means_the_same(tmp_path_factory: pytest.TempPathFactory, job: tuple[SubmitForm, Any]) -> None:
    form, wanted = job
    found = load(job_file(tmp_path_factory.getbasetemp(), dump(form, wanted)))
    assert (found.form, found.wait_for) == (form, wanted)
