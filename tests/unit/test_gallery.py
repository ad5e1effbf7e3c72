"""The gallery as data, and what its commands do without a cluster."""

import argparse
import ast
import json
import runpy
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from cockpit.errors import NotFoundError, UsageError
from cockpit.operations import gallery, gallery_failures
from cockpit.operations.jobs.job_file import load
from tests.wire.commands import here, home
from tests.wire.fake_ray import FakeRay, serve

__all__ = ["home"]


def test_every_folder_is_a_sample_and_every_sample_a_folder() -> None:
    folders = {path.name for path in gallery.FOLDER.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == set(gallery.NAMES)


@pytest.mark.parametrize("name", gallery.NAMES)
def test_a_sample_is_short_and_says_what_it_is(name: str, tmp_path: Path) -> None:
    sample = gallery.sample(name)
    assert sample.title
    assert sample.needs
    program = (sample.folder / "main.py").read_text()
    assert len(program.splitlines()) <= 120
    assert "RESULT " in program + "".join(path.read_text() for path in sample.folder.glob("check.py"))
    assert ast.get_docstring(ast.parse(program))
    assert len(gallery.read_page(name).splitlines()) <= 10
    files = {path.name for path in gallery.copy(name, tmp_path / name)}
    assert files >= {"main.py", "job.yaml", "README.md"}
    form = load(tmp_path / name / "job.yaml").form
    assert form.entrypoint == "python main.py"
    assert form.working_dir == str(tmp_path / name)
    assert form.metadata == {"gallery": name}


@pytest.mark.parametrize("name", gallery.NAMES)
def test_packages_are_pinned_and_their_size_is_known(name: str) -> None:
    sample = gallery.sample(name)
    assert all("==" in package for package in sample.packages)
    assert all(p.endswith(f"=={gallery.RAY_RELEASE}") for p in sample.packages if p.startswith("ray["))
    assert bool(sample.packages_mb) == bool(sample.packages) == bool(gallery.installation(sample))


def test_libraries_that_several_packages_bring_are_counted_once() -> None:
    assert gallery._megabytes(["ray[data]==1", "ray[train]==1"]) == gallery._megabytes(["ray[data]==1"])


def test_options_and_numbers_reach_the_program(tmp_path: Path) -> None:
    chosen = gallery.sample("train-cnn")
    gallery.copy("train-cnn", tmp_path / "x")
    form = gallery.form_of(chosen, tmp_path / "x", workers=4, gpus_per_worker=0.5, options=["--epochs", "9"])
    assert form.entrypoint == "python main.py --workers 4 --gpus-per-worker 0.5 --epochs 9"
    assert "torch==2.13.0" in form.runtime_env["uv"]["packages"]
    assert gallery.form_of(chosen, tmp_path / "x", install=False, cuda=False).runtime_env == {}
    gallery.copy("hello", tmp_path / "y")
    with pytest.raises(UsageError, match="does not take workers"):
        gallery.form_of(gallery.sample("hello"), tmp_path / "y", workers=2)


def test_a_name_that_is_not_there_gives_the_nearest() -> None:
    with pytest.raises(NotFoundError) as caught:
        gallery.sample("train-cn")
    assert caught.value.hint == "Did you mean train-cnn?"


def test_a_directory_that_exists_is_not_written_into(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="exists already"):
        gallery.copy("hello", tmp_path)
    assert list(tmp_path.iterdir()) == []
    gallery.copy("check-cluster", tmp_path, force=True)
    assert (tmp_path / "all_reduce.py").read_text() == (gallery.FOLDER / "all-reduce" / "main.py").read_text()


@pytest.mark.parametrize(
    ("log", "result"),
    [
        ('x\nRESULT {"ok": true}\nlater', {"ok": True}),
        ('(pid=1) RESULT {"ok": false}', {"ok": False}),
        ("RESULT {", None),
        ("RESULT [1]", None),
        ("", None),
    ],
)
def test_the_result_is_the_last_line_that_says_so(log: str, result: object) -> None:
    assert gallery.result_in(log) == result


def check_program(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names of check-cluster's program, loaded as on a machine without Ray: `--local` needs none."""
    folder = gallery.FOLDER / "check-cluster"
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "main", raising=False)
    return runpy.run_path(str(folder / "check.py"))


def test_why_packages_could_not_be_installed_is_one_line() -> None:
    pip = "runtime_env setup failed: Failed to install pip requirements:\\nCollecting torch\\nERROR: No matching x\\n"
    assert gallery_failures.installation_failure(pip) == "No matching x"
    assert gallery_failures.installation_failure("Job failed with ERROR: x") is None


UV = (
    "runtime_env setup failed: Failed to set up runtime environment.\nTraceback (most recent call last):\n"
    "Command '['/v/bin/python', '-m', 'uv', 'pip', 'install', '-r', 'r.txt']' returned non-zero exit status 1.\n"
    "Last 50 lines of stdout:\n    Using Python 3.11.7 environment at: /v\n"
)


@pytest.mark.parametrize(
    ("printed", "reason"),
    [
        (
            "    error: Request failed after 3 retries in 10.1s\n      cause: Failed to fetch: https://h/whl/cpu/torch/\n"
            "      cause: client error (Connect)\n      cause: failed to lookup address information\n",
            "Failed to fetch: https://h/whl/cpu/torch/: failed to lookup address information",
        ),
        (
            "    error: No solution found\n      cause: Because torch was not found\n\n    hint: x",
            "Because torch was not found",
        ),
        (
            "      × No solution found:\n      ╰─▶ Because x==1 was not found\n",
            "Because x==1 was not found",
        ),
        ("    error: Failed to spawn\n", "Failed to spawn"),
        ("    Killed\n", None),
    ],
)
def test_why_uv_could_not_install_is_one_line(printed: str, reason: str | None) -> None:
    assert gallery_failures.installation_failure(UV + printed) == reason


UNREACHABLE = (
    "Traceback (most recent call last):\n"
    "OSError: When getting information for key 'x' in bucket 'b': AWS Error NETWORK_CONNECTION during HeadObject "
    "operation: curlCode: 7, Could not connect to server; Details: Failed to connect\n"
)


def test_a_store_that_cannot_be_reached_is_one_line() -> None:
    assert gallery_failures.store_failure(UNREACHABLE) == (
        "When getting information for key 'x' in bucket 'b': AWS Error NETWORK_CONNECTION during HeadObject operation: "
        "curlCode: 7, Could not connect to server"
    )
    assert gallery_failures.store_failure("OSError: no such file") is None
    assert gallery_failures.store_failure("Cannot write to s3://b/x: no answer in 20 s") == "no answer in 20 s"
    assert gallery_failures.store_failure("Cannot write to s3://b/x: OSError: When: AWS; Details: y") == "When: AWS"


def test_what_is_said_of_a_store_has_no_keys() -> None:
    storage = runpy.run_path(str(gallery.FOLDER / "train-cnn" / "storage.py"))
    assert storage["public"]("s3://ID:KEY@bucket/x?endpoint_override=h") == "s3://bucket/x"
    assert storage["tried"]("/tmp/shared") == "/tmp/shared"


def test_the_check_says_whether_the_store_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    check = check_program(monkeypatch)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))  # bound and not listening: refused
        found = check["reach"](f"http://127.0.0.1:{listener.getsockname()[1]}/bucket")
    assert (found["ok"], "refused" in found["error"]) == (False, True)


def test_the_check_of_one_machine_names_its_gpu(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    check = check_program(monkeypatch)
    seen = {"name": "NVIDIA H100 80GB HBM3", "driver": "580.159.04", "memory_mib": 81559, "celsius": 50}
    monkeypatch.setitem(check["main"].__globals__, "burn", lambda _: {"device": "cuda", "tflops": 700.0, "errors": 0})
    monkeypatch.setitem(check["main"].__globals__, "nvidia_smi", lambda _: seen)
    monkeypatch.setattr(sys, "argv", ["main.py", "--local"])
    assert check["main"](argparse.ArgumentParser()) == 0
    (gpu,) = (gallery.result_in(capsys.readouterr().out) or {})["gpus"]
    assert gpu == {"device": "cuda", "tflops": 700.0, "errors": 0, **seen, "published_tflops": 989, "ok": True}


def test_a_row_far_below_its_peers_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[dict[str, object]] = [{"tflops": value, "ok": True} for value in (100, 98, 60)]
    check = check_program(monkeypatch)
    check["mark"](rows, "tflops")
    assert [row["ok"] for row in rows] == [True, True, False]
    assert check["verdict"](rows[2]) == "  ! tflops"


def test_a_gpu_on_a_node_without_torch_is_a_row_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    found = runpy.run_path(str(gallery.FOLDER / "check-cluster" / "main.py"))["burn"](1.0)
    assert (found["tflops"], found["problem"]) == (None, "torch is not installed on this node")


@pytest.mark.parametrize(
    ("name", "tflops"),
    [
        ("NVIDIA H100 80GB HBM3", 989),
        ("NVIDIA H100 PCIe", 756),
        ("NVIDIA H100 NVL", 835),
        ("NVIDIA A100-SXM4-80GB", 312),
        ("Tesla V100-PCIE-16GB", 112),
        ("Tesla V100-SXM2-32GB", 125),
        ("NVIDIA L40", 181),
        ("NVIDIA A10G", 70),
        ("NVIDIA GeForce RTX 3090 Ti", 80),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", None),
        ("NVIDIA A100-SXM4-80GB MIG 1g.10gb", None),
        ("NVIDIA RTX A4000", None),
        ("NVIDIA T400", None),
        ("NVIDIA GeForce GTX 1080 Ti", None),
        ("", None),
    ],
)
def test_a_published_figure_is_that_of_the_very_model(
    name: str, tflops: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    row: dict[str, object] = {"name": name, "errors": 0}
    check_program(monkeypatch)["judge"](row)
    assert (row["published_tflops"], row["ok"]) == (tflops, True)


# The commands


@pytest.mark.usefixtures("home")
async def test_the_list() -> None:
    done = await here("gallery", "list", "--json")
    assert [row["name"] for row in done.data["samples"]] == list(gallery.NAMES)
    assert list(done.data) == ["samples"]
    for row in done.data["samples"]:
        kinds = {name: type(value) for name, value in row.items()}
        assert kinds == {"name": str, "title": str, "needs": str, "packages_mb": int, "seconds": int}
    assert (await here("gallery", "list")).text.startswith("NAME")


@pytest.mark.usefixtures("home")
async def test_show_prints_page_and_program() -> None:
    done = await here("gallery", "show", "hello")
    assert done.text.startswith("# Tasks, an actor")
    assert "import ray" in done.text
    assert "Did you mean hello?" in (await here("gallery", "show", "helo")).err


@pytest.mark.usefixtures("home")
async def test_copy_says_how_to_submit(tmp_path: Path) -> None:
    done = await here("gallery", "copy", "hello", str(tmp_path / "mine"))
    assert done.code == 0
    assert f"submit -f {tmp_path}/mine/job.yaml" in done.err


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["train-cnn", "--workers", "4", "--gpus-per-worker", "1"], 1, "The cluster has 0 of 4 GPUs."),
        (["train-cnn", "--workers", "4", "--gpus-per-worker", "1"], 1, "--gpus-per-worker 0 to run on CPUs"),
        (["train-cnn", "--workers", "4", "--gpus-per-worker", "1"], 1, "Add --wait to wait for them"),
        (["hello", "--workers", "2"], 2, "does not take workers"),
        (["tune-swep"], 1, "Did you mean tune-sweep?"),
        (["nothing"], 1, "Samples: hello"),
    ],
)
async def test_what_cannot_run_sends_nothing(words: list[str], code: int, said: str) -> None:
    async with serve(FakeRay()) as server:
        done = await here("gallery", "run", *words, "--address", server.url)
        assert (done.code, server.seen("POST", "/api/jobs/")) == (code, [])
    assert said in done.err


@pytest.mark.usefixtures("home")
async def test_another_release_of_ray_is_refused_unless_the_image_has_the_packages() -> None:
    ray = FakeRay()

    async def answer(exchange: object) -> None:
        await exchange.reply({"version": "4", "ray_version": "2.52.1", "session_name": "s"})  # type: ignore[attr-defined]

    ray.overrides["GET", "/api/version"] = answer
    async with serve(ray) as server:
        done = await here("gallery", "run", "tune-sweep", "--no-wait", "--address", server.url)
        assert (done.code, server.seen("POST", "/api/jobs/")) == (2, [])
        assert "pins Ray 2.60.0" in done.err
        done = await here("gallery", "run", "tune-sweep", "--installed", "--no-wait", "--address", server.url)
        assert (done.code, len(server.seen("POST", "/api/jobs/"))) == (0, 1)


@pytest.mark.usefixtures("home")
async def test_the_size_of_the_packages_is_said_before() -> None:
    async with serve(FakeRay()) as server:
        done = await here("gallery", "run", "train-cnn", "--no-wait", "--address", server.url)
    assert done.code == 0
    assert "about 1,355 MB and 3 min or more with torch's build for CPUs" in done.err


NODE = {"raylet": {"nodeId": "a" * 56, "state": "ALIVE", "resourcesTotal": {"CPU": 8, "GPU": 2}}, "ip": "10.0.0.1"}


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("nodes", "words", "build", "said"),
    [
        ([], (), "cpu", "for CPUs"),
        ([NODE], (), "auto", "for CUDA"),
        ([NODE], ("--gpus-per-worker", "0"), "cpu", "for CPUs"),
    ],
)
async def test_torch_is_the_build_for_cpus_where_no_gpu_is_used(
    nodes: list[object], words: tuple[str, ...], build: str, said: str
) -> None:
    ray = FakeRay()
    ray.nodes = {"summary": nodes, "nodeLogicalResources": {}}
    async with serve(ray) as server:
        done = await here("gallery", "run", "train-cnn", *words, "--no-wait", "--address", server.url)
        (sent,) = server.seen("POST", "/api/jobs/")
    assert f"torch's build {said}" in done.err
    environment = json.loads(sent.body)["runtime_env"]["uv"]
    assert environment["packages"] == ["ray[train]==2.60.0", "torch==2.13.0"]
    assert environment["uv_pip_install_options"] == ["--no-cache", f"--torch-backend={build}"]


@pytest.mark.parametrize("name", gallery.NAMES)
def test_a_job_file_takes_the_build_of_torch_for_each_node(name: str) -> None:
    chosen = gallery.sample(name)
    environment = load(chosen.folder / "job.yaml").form.runtime_env
    assert chosen.uses_torch == ("uv" in environment)
    if chosen.uses_torch:
        assert "--torch-backend=auto" in environment["uv"]["uv_pip_install_options"]
        both = gallery.installation(chosen)
        assert f"{chosen.packages_mb:,} MB" in both
        assert f"{gallery.installed_mb(chosen, cuda=True):,} MB" in both
