"""Planning and sending an upload, against a cluster that is a dictionary."""

import asyncio
import os
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cockpit.clients import packages
from cockpit.clients.working_dir import Tick
from cockpit.errors import NotFoundError, UnreachableError, UsageError
from cockpit.model.uploads import (
    Excluded,
    PackedFile,
    Reason,
    Secret,
    SecretKind,
    SourceKind,
    UploadPlan,
    UploadProgress,
    UploadResult,
    UploadStage,
)
from cockpit.operations.jobs import upload as operation
from cockpit.operations.jobs.upload import plan_upload, upload


class Cluster:
    """What a head does with packages, and what it was asked."""

    def __init__(self, *held: str) -> None:
        self.packages: dict[str, bytes] = dict.fromkeys(held, b"")
        self.calls: list[str] = []
        self.sent_from: Path | None = None

    async def exists(self, name: str) -> bool:
        self.calls.append(f"GET {name}")
        return name in self.packages

    async def put(self, name: str, path: Path) -> None:
        self.calls.append(f"PUT {name}")
        self.sent_from = path
        self.packages[name] = await asyncio.to_thread(path.read_bytes)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    (root / ".git/HEAD").write_text("ref")
    (root / "train.py").write_text("print()")
    (root / ".env").write_text("TOKEN=1")
    return root


async def test_a_directory_is_planned(project: Path) -> None:
    plan = await plan_upload(str(project), ["*.md"])
    assert (plan.kind, plan.source) == (SourceKind.DIRECTORY, str(project))
    assert plan.uri == f"gcs://{plan.name}"
    assert (plan.file_count, plan.total_bytes, plan.zip_bytes) == (2, 14, None)
    assert [file.path for file in plan.biggest] == [".env", "train.py"]
    assert plan.excluded == (Excluded(".git", 3, Reason.DEFAULT, "", ".git", is_directory=True),)
    assert plan.secrets == (Secret(".env", SecretKind.ENVIRONMENT),)


async def test_an_upload_sends_what_was_planned(project: Path) -> None:
    cluster, plan = Cluster(), await plan_upload(str(project))
    done = await upload(cluster, plan)
    assert cluster.calls == [f"GET {plan.name}", f"PUT {plan.name}"]
    sent = cluster.packages[plan.name]
    assert done == UploadResult(plan.uri, already_there=False, zip_bytes=len(sent))
    assert cluster.sent_from is not None
    assert not cluster.sent_from.exists()


async def test_nothing_is_sent_twice(project: Path) -> None:
    plan = await plan_upload(str(project))
    cluster = Cluster(plan.name)
    done = await upload(cluster, plan)
    assert done == UploadResult(plan.uri, already_there=True)
    assert cluster.calls == [f"GET {plan.name}"]


async def test_the_content_arrives(project: Path, tmp_path: Path) -> None:
    cluster = Cluster()
    plan = await plan_upload(str(project))
    await upload(cluster, plan)
    target = tmp_path / "sent.zip"
    target.write_bytes(cluster.packages[plan.name])
    with zipfile.ZipFile(target) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {".env": b"TOKEN=1", "train.py": b"print()"}


async def test_progress_is_told_on_the_loop(project: Path) -> None:
    (project / "data").write_bytes(bytes(5 << 20))
    here = threading.get_ident()
    events: list[UploadProgress] = []

    def note(event: UploadProgress) -> None:
        assert threading.get_ident() == here
        events.append(event)

    done = await upload(Cluster(), await plan_upload(str(project)), progress=note)
    stages = [event.stage for event in events]
    assert stages == sorted(stages, key=list(UploadStage).index)
    assert set(stages) == set(UploadStage)
    packing = [event.done for event in events if event.stage is UploadStage.PACKING]
    assert packing == sorted(packing)
    assert len(packing) <= 101
    assert events[-1] == UploadProgress(UploadStage.DONE, done.zip_bytes or 0, done.zip_bytes)


async def test_the_environment_variables_of_ray_count(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_OVERRIDE_RUNTIME_ENV_DEFAULT_EXCLUDES", "train.py")
    plan = await plan_upload(str(project))
    assert [one.path for one in plan.excluded] == ["train.py"]


async def test_a_home_directory_is_understood(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(project.parent))
    assert (await plan_upload("~/project")).source == str(project)


async def test_work_is_done_in_a_thread(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []
    for name in ("classify", "directory_uri", "write_package"):
        monkeypatch.setattr(packages, name, noting(getattr(packages, name), threads))
    await upload(Cluster(), await plan_upload(str(project)))
    assert len(threads) == 3
    assert threading.get_ident() not in threads


def noting(work: Callable[..., object], threads: list[int]) -> Callable[..., object]:
    def noted(*arguments: object) -> object:
        threads.append(threading.get_ident())
        return work(*arguments)

    return noted


async def test_a_directory_over_the_limit_is_refused_before_it_is_hashed(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "PACKAGE_LIMIT", 1 << 20)
    (project / "weights.bin").write_bytes(os.urandom(2 << 20))
    with pytest.raises(UsageError, match=r"is over 1\.0 MiB, the most that Ray accepts") as caught:
        await plan_upload(str(project))
    assert "weights.bin" in caught.value.detail
    assert ".rayignore" in caught.value.hint


async def test_a_directory_that_fits_once_zipped_knows_its_zip(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "PACKAGE_LIMIT", 1 << 20)
    (project / "zeros").write_bytes(bytes(2 << 20))
    plan = await plan_upload(str(project))
    assert plan.zip_bytes is not None
    done = await upload(Cluster(), plan)
    assert done.zip_bytes == plan.zip_bytes < 1 << 20


def refuse(*arguments: object) -> bool:
    del arguments
    return False


async def test_unreadable_files_are_named_together(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", refuse)
    with pytest.raises(UsageError, match=r"project/\.env and 1 more file cannot be read") as caught:
        await plan_upload(str(project))
    assert caught.value.detail == ".env\ntrain.py"


async def test_a_change_between_plan_and_upload_sends_nothing(project: Path) -> None:
    plan = await plan_upload(str(project))
    (project / "train.py").write_text("print(1)")
    cluster = Cluster()
    with pytest.raises(UsageError, match=r"train\.py changed"):
        await upload(cluster, plan)
    assert cluster.packages == {}


async def test_a_change_that_leaves_size_and_time_is_noticed(project: Path) -> None:
    path = project / "train.py"
    plan = await plan_upload(str(project))
    times = path.stat()
    path.write_text("print)(")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    cluster = Cluster()
    with pytest.raises(UsageError, match="project changed since it was looked at"):
        await upload(cluster, plan)
    assert cluster.packages == {}


async def test_a_failed_put_leaves_no_temporary_file(project: Path) -> None:
    class Broken(Cluster):
        async def put(self, name: str, path: Path) -> None:
            del name
            self.sent_from = path
            raise UnreachableError("The cluster did not answer.")

    cluster = Broken()
    with pytest.raises(UnreachableError):
        await upload(cluster, await plan_upload(str(project)))
    assert cluster.sent_from is not None
    assert not cluster.sent_from.exists()


async def test_a_cancelled_upload_stops_its_thread(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    loop = asyncio.get_running_loop()
    started, ended = asyncio.Event(), threading.Event()

    def endless(directory: object, out: object, tick: Tick) -> str:
        del directory, out
        loop.call_soon_threadsafe(started.set)
        try:
            while True:
                tick(1)
        finally:
            ended.set()

    monkeypatch.setattr(packages, "write_package", endless)
    task = asyncio.create_task(upload(Cluster(), await plan_upload(str(project))))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
    assert [name for name in os.listdir(tmp_path) if name.endswith(".zip")] == []


async def test_a_cancelled_plan_stops_too(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    started, ended = asyncio.Event(), threading.Event()

    def endless(source: object, rules: object, tick: Tick) -> None:
        del source, rules
        loop.call_soon_threadsafe(started.set)
        try:
            while True:
                tick(0)
        finally:
            ended.set()

    monkeypatch.setattr(operation, "scan", endless)
    task = asyncio.create_task(plan_upload(str(project)))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


def make_archive(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("app/train.py", "print()")
        archive.writestr("app/id_rsa", "-----BEGIN")
        archive.writestr("app/", "")
    return path


async def test_an_archive_is_sent_as_it_is(tmp_path: Path) -> None:
    path = make_archive(tmp_path / "code.zip")
    plan = await plan_upload(str(path), ["*.md"])
    assert (plan.kind, plan.file_count, plan.total_bytes) == (SourceKind.ARCHIVE, 2, 17)
    assert plan.zip_bytes == path.stat().st_size
    assert plan.biggest == (PackedFile("app/id_rsa", 10), PackedFile("app/train.py", 7))
    assert plan.secrets == (Secret("app/id_rsa", SecretKind.KEY),)
    assert plan.ignored_excludes == ("*.md",)
    cluster = Cluster()
    done = await upload(cluster, plan)
    assert done == UploadResult(plan.uri, already_there=False, zip_bytes=path.stat().st_size)
    assert cluster.packages == {plan.name: path.read_bytes()}
    assert path.exists()


async def test_an_archive_that_changes_is_not_sent(tmp_path: Path) -> None:
    path = make_archive(tmp_path / "code.zip")
    plan = await plan_upload(str(path))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("more", "1")
    cluster = Cluster()
    with pytest.raises(UsageError, match=r"code\.zip changed since"):
        await upload(cluster, plan)
    assert cluster.packages == {}


@pytest.mark.parametrize("uri", ["s3://bucket/code.zip", "https://host/code.zip?sig=1", "local:///opt/app"])
async def test_a_remote_uri_passes_through(uri: str) -> None:
    cluster, plan = Cluster(), await plan_upload(uri)
    assert plan == UploadPlan(uri, SourceKind.REMOTE, uri)
    assert await upload(cluster, plan) == UploadResult(uri, already_there=True)
    assert cluster.calls == []


async def test_a_package_named_by_its_uri_must_be_there() -> None:
    plan = await plan_upload("gcs://_ray_pkg_0123456789abcdef.zip")
    held = Cluster(plan.name)
    assert (await upload(held, plan)).already_there
    # The question is what keeps the package on the head until the job starts.
    assert held.calls == [f"GET {plan.name}"]
    with pytest.raises(NotFoundError, match="does not have the package gcs://_ray_pkg_0123456789abcdef"):
        await upload(Cluster(), plan)


@pytest.mark.parametrize("excludes", ["*.py", [1], ["a", None]])
async def test_excludes_are_a_list_of_patterns(project: Path, excludes: list[str]) -> None:
    with pytest.raises(UsageError, match="not a list of patterns"):
        await plan_upload(str(project), excludes)


async def test_a_bad_pattern_is_named(project: Path) -> None:
    with pytest.raises(UsageError, match=r"Ray cannot read the pattern \[z-a\] in the excludes"):
        await plan_upload(str(project), ["[z-a]"])


async def test_missing_path(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere cannot be read"):
        await plan_upload(str(tmp_path / "nowhere"))
