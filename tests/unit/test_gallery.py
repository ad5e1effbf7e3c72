"""The gallery as data, and what its commands do without a cluster."""

import ast
import runpy
import sys
from pathlib import Path

import pytest

from cockpit.errors import NotFoundError, UsageError
from cockpit.operations import gallery
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
    assert "torch==2.13.0" in form.runtime_env["pip"]
    assert "pip" not in gallery.form_of(chosen, tmp_path / "x", install=False).runtime_env
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


def test_why_packages_could_not_be_installed_is_one_line() -> None:
    pip = "runtime_env setup failed: Failed to install pip requirements:\\nCollecting torch\\nERROR: No matching x\\n"
    assert gallery.installation_failure(pip) == "No matching x"
    assert gallery.installation_failure("Job failed with ERROR: x") is None


def test_a_gpu_on_a_node_without_torch_is_a_row_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    found = runpy.run_path(str(gallery.FOLDER / "check-cluster" / "main.py"))["burn"](1.0)
    assert (found["tflops"], found["problem"]) == (None, "torch is not installed on this node")


# The commands


@pytest.mark.usefixtures("home")
async def test_the_list() -> None:
    done = await here("gallery", "list", "--json")
    assert [row["name"] for row in done.data["samples"]] == list(gallery.NAMES)
    assert set(done.data["samples"][0]) == {"name", "title", "needs", "packages_mb", "seconds"}
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
        (["hello", "--workers", "2"], 2, "does not take workers"),
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
    assert "about 1,115 MB" in done.err
