"""What `--working-dir` may be besides a directory: archives and URIs, against Ray's own rules."""

import os
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cockpit.clients import packages
from cockpit.clients.packages import classify, read_archive
from cockpit.errors import UsageError
from cockpit.model.uploads import PackedFile, SourceKind

LIMIT = 104_857_600


@pytest.fixture(scope="module")
def ray_packaging() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(
            "ray._private.runtime_env.packaging", reason="needs ray: pip install 'rayakash-tui[local]'"
        )


def write(root: Path, path: str, content: bytes | None = b"") -> Path:
    full = root / path
    (full if content is None else full.parent).mkdir(parents=True, exist_ok=True)
    if content is not None:
        full.write_bytes(content)
    return full


def archive(path: Path, content: bytes = b"content", compression: int = zipfile.ZIP_STORED) -> Path:
    """A small archive of the kind that its name says."""
    inner = path.with_name("inner")
    inner.write_bytes(content)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", compression) as target:
            target.write(inner, "dir/inner")
    else:
        with tarfile.open(path, "w:xz" if path.suffix == ".xz" else "w:gz") as tar:
            tar.add(inner, "inner")
    return path


def test_an_archive_is_named_as_by_ray(ray_packaging: Any, tmp_path: Path) -> None:
    for name in ("a.zip", "a.tar.gz", "a.tgz", "a.tar.xz"):
        path = archive(tmp_path / name)
        assert read_archive(str(path)).uri == ray_packaging.get_uri_for_package(path)


def test_an_archive_tells_its_files_where_it_is_a_zip(tmp_path: Path) -> None:
    found = read_archive(str(archive(tmp_path / "a.zip")))
    assert found.files == (PackedFile("dir/inner", 7),)
    assert found.size == (tmp_path / "a.zip").stat().st_size
    assert len(found.uri) == len("gcs://_ray_pkg_.zip") + 40
    tar = read_archive(str(archive(tmp_path / "a.tgz")))
    assert (tar.files, tar.uri.endswith(".tar.gz")) == (None, True)


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "a.tar.xz"])
@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x05\x06", b"\x1f\x8b\x08\x00", b"\xfd7zXZ\x00"])
def test_an_archive_that_is_none_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    path = write(tmp_path, name, content)
    with pytest.raises(UsageError, match=r"is not a (zip|tar) archive"):
        read_archive(str(path))


@pytest.mark.parametrize("over", [0, 1])
def test_the_real_limit_of_an_archive(tmp_path: Path, over: int) -> None:
    path = archive(tmp_path / "a.zip")
    small = path.stat().st_size
    with open(path, "rb") as source:
        content = source.read()
    # A zip may follow anything: a hole of the right length in front costs nothing.
    with open(path, "wb") as target:
        target.truncate(LIMIT - small + over)
        target.seek(0, os.SEEK_END)
        target.write(content)
    assert path.stat().st_size == LIMIT + over
    if over:
        with pytest.raises(UsageError, match=r"a\.zip has 104,857,601 bytes, and Ray accepts 104,857,600\."):
            read_archive(str(path))
    else:
        assert read_archive(str(path)).size == LIMIT == packages.PACKAGE_LIMIT


def test_paths_are_classified(tmp_path: Path) -> None:
    write(tmp_path, "a.zip")
    write(tmp_path, "a.tar.xz")
    write(tmp_path, "dir.zip", None)
    assert classify(str(tmp_path)) is SourceKind.DIRECTORY
    assert classify(str(tmp_path / "dir.zip")) is SourceKind.DIRECTORY
    assert classify(str(tmp_path / "a.zip")) is SourceKind.ARCHIVE
    assert classify(str(tmp_path / "a.tar.xz")) is SourceKind.ARCHIVE


@pytest.mark.parametrize(
    "uri",
    [
        "gcs://_ray_pkg_0123456789abcdef.zip",
        "s3://bucket/dir/code.zip",
        "https://user:word@host/code.tar.gz?token=x",
        "HTTPS://host/code.zip",
        "s3://code.zip",
        "file:///srv/code.tgz",
        "local:///opt/app",
    ],
)
def test_uris_are_remote(uri: str) -> None:
    assert classify(uri) is SourceKind.REMOTE


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("", "is an empty string"),
        ("ftp://host/a.zip", "Ray does not support a working directory at ftp://"),
        ("conda://env", "Ray does not support a working directory at conda://"),
        ("https://user:hunter2@host/repo?token=hunter2.zip", "The https:// working directory is not an archive"),
        ("s3://bucket/code.whl", "is not an archive"),
        ("gcs://name", "is not an archive"),
        ("local://relative", "is an absolute path"),
        ("local:///opt/app.zip", "is an absolute path"),
        ("http://[broken/a.zip", "is not a valid URI"),
    ],
)
def test_other_uris_are_refused_without_their_secrets(uri: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        classify(uri)
    assert "hunter2" not in f"{caught.value.title}{caught.value.detail}{caught.value.hint}"


@pytest.mark.parametrize("uri", ["gcs://a.zip", "gcs://a", "s3://b/c.zip", "s3://b/c", "https://h/a.tgz?x=y.zip",
                                 "https://h/a?x=y.zip", "local:///a", "local://a", "local:///a.zip", "file:///a.tar.xz",
                                 "gs://b/c.tar.bz2", "abfss://c@a.dfs.core.windows.net/x.zip"])  # fmt: skip
def test_ray_takes_and_refuses_the_same_uris(ray_packaging: Any, uri: str) -> None:
    del ray_packaging  # skips where there is none
    from ray._private.runtime_env.validation import parse_and_validate_working_dir

    def accepts(work: Callable[[str], object], error: type[Exception]) -> bool:
        try:
            work(uri)
        except error:
            return False
        return True

    assert accepts(classify, UsageError) == accepts(parse_and_validate_working_dir, ValueError)


def test_other_paths_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "train.py")
    os.mkfifo(tmp_path / "pipe.zip")
    with pytest.raises(UsageError, match=r"train\.py is neither a directory nor an archive"):
        classify(str(tmp_path / "train.py"))
    with pytest.raises(UsageError, match=r"pipe\.zip is neither"):
        classify(str(tmp_path / "pipe.zip"))
    with pytest.raises(UsageError, match=r"nowhere\\x0a cannot be read: No such file"):
        classify(str(tmp_path / "nowhere\n"))
    with pytest.raises(UsageError, match=r"cannot be read: .*null"):
        classify("a\0b")
