"""Names and zips of packages: Ray's own packaging is the reference where it is installed."""

import hashlib
import logging
import os
import random
import tempfile
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.clients import packages
from cockpit.clients.packages import directory_uri, temporary_file, write_package
from cockpit.clients.working_dir import DEFAULT_EXCLUDES, PackageRules, scan
from cockpit.errors import UsageError
from cockpit.model.uploads import WorkingDirectory


@pytest.fixture(scope="module")
def ray_packaging() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        packaging = pytest.importorskip(
            "ray._private.runtime_env.packaging", reason="needs ray: pip install 'rayakash-tui[local]'"
        )
    logging.getLogger(packaging.__name__).setLevel(logging.CRITICAL)
    return packaging


def packed(directory: WorkingDirectory) -> tuple[str, list[zipfile.ZipInfo], dict[str, bytes]]:
    """The URI, entries and contents of a directory's zip."""
    with temporary_file() as out:
        uri = write_package(directory, out)
        with zipfile.ZipFile(out.name) as archive:
            return uri, archive.infolist(), {name: archive.read(name) for name in archive.namelist()}


def facts(entries: list[zipfile.ZipInfo]) -> list[tuple[object, ...]]:
    return sorted((one.filename, one.date_time, one.external_attr, one.file_size, one.CRC) for one in entries)


def assert_as_ray(packaging: Any, root: Path, excludes: list[str], *, gitignore: bool) -> None:
    rules = PackageRules(tuple(excludes), gitignore=gitignore)
    given_to_ray = [*DEFAULT_EXCLUDES.split(","), *excludes]
    with warnings.catch_warnings():
        # Python warns of sets such as `[[a]`; Ray lets it.
        warnings.simplefilter("ignore", FutureWarning)
        ray_uri = packaging.get_uri_for_directory(str(root), gitignore, given_to_ray)
        with tempfile.TemporaryDirectory() as other:
            target = Path(other, "ray.zip")
            packaging.create_package(str(root), target, gitignore, excludes=given_to_ray)
            with zipfile.ZipFile(target) as archive:
                ray_entries = archive.infolist()
                ray_contents = {name: archive.read(name) for name in archive.namelist()}
    found = scan(root, rules)
    uri, entries, contents = packed(found)
    assert directory_uri(found) == uri == ray_uri
    assert facts(entries) == facts(ray_entries)
    assert contents == ray_contents


def write(root: Path, path: str, content: bytes | None = b"") -> Path:
    full = root / path
    (full if content is None else full.parent).mkdir(parents=True, exist_ok=True)
    if content is not None:
        full.write_bytes(content)
    return full


# Trees whose names, ignore files and contents are chosen to collide.
_PATTERNS = ("*", "a", "a/", "/a", "!a", "*.py", "!*.py", ".*", "**/b", "b/**", "a/*", "[!a]*", "# a", " b ", "é*", "")
_name = st.one_of(
    st.sampled_from(("a", "b", "a.py", ".git", "venv", "__pycache__", ".hidden", "é", "文 x", " ", "a b")),
    st.text("ab.\n\x1b é:\\", min_size=1, max_size=3).filter(lambda name: name not in (".", "..")),
)
_ignore = st.lists(st.sampled_from(_PATTERNS), max_size=4).map(lambda lines: "\n".join(lines).encode())
_directory: st.SearchStrategy[dict[str, Any]] = st.deferred(
    lambda: st.builds(
        lambda entries, ignores: {**entries, **ignores},
        st.dictionaries(_name, st.one_of(st.binary(max_size=20), _directory), max_size=4),
        st.dictionaries(st.sampled_from((".gitignore", ".rayignore")), _ignore, max_size=2),
    )
)


def build(root: Path, tree: dict[str, Any]) -> None:
    for name, content in tree.items():
        if isinstance(content, bytes):
            (root / name).write_bytes(content)
        else:
            (root / name).mkdir()
            build(root / name, content)


@pytest.mark.lengthy
@settings(max_examples=100)
@given(tree=_directory, excludes=st.lists(st.sampled_from(_PATTERNS), max_size=2), gitignore=st.booleans())
def test_any_tree_is_named_and_packed_as_by_ray(
    ray_packaging: Any, tree: dict[str, Any], excludes: list[str], gitignore: bool
) -> None:
    with tempfile.TemporaryDirectory() as name:
        build(Path(name), tree)
        assert_as_ray(ray_packaging, Path(name), excludes, gitignore=gitignore)


def test_links_and_what_is_no_file_as_by_ray(ray_packaging: Any, tmp_path: Path) -> None:
    write(tmp_path, "real/a", b"1")
    write(tmp_path, "real/empty", None)
    (tmp_path / "directory").symlink_to("real")
    (tmp_path / "file").symlink_to("real/a")
    (tmp_path / "gone").symlink_to("nowhere")
    (tmp_path / "self").symlink_to("self")
    assert_as_ray(ray_packaging, tmp_path, [], gitignore=True)


@pytest.mark.parametrize("seconds", [0, -86400 * 365, 4_400_000_000])
def test_times_that_a_zip_cannot_hold_as_by_ray(ray_packaging: Any, tmp_path: Path, seconds: int) -> None:
    os.utime(write(tmp_path, "old", b"x"), (seconds, seconds))
    assert_as_ray(ray_packaging, tmp_path, [], gitignore=True)


def test_modes_as_by_ray(ray_packaging: Any, tmp_path: Path) -> None:
    write(tmp_path, "run.sh", b"#!/bin/sh\n").chmod(0o755)
    write(tmp_path, "private", b"").chmod(0o600)
    assert_as_ray(ray_packaging, tmp_path, [], gitignore=True)


def test_an_empty_directory_as_by_ray(ray_packaging: Any, tmp_path: Path) -> None:
    assert_as_ray(ray_packaging, tmp_path, [], gitignore=True)
    assert packed(scan(tmp_path))[2] == {"./": b""}


def test_a_wholly_excluded_directory_as_by_ray(ray_packaging: Any, tmp_path: Path) -> None:
    write(tmp_path, "a", b"1")
    assert_as_ray(ray_packaging, tmp_path, ["*"], gitignore=True)
    uri, entries, _ = packed(scan(tmp_path, PackageRules(("*",))))
    # Eight ASCII zeros, since nothing was added to them.
    assert (uri, entries) == ("gcs://_ray_pkg_3030303030303030.zip", [])


def test_ray_unpacks_what_is_packed_here(ray_packaging: Any, tmp_path: Path) -> None:
    write(tmp_path, "project/run.sh", b"#!/bin/sh\n" * 100).chmod(0o750)
    write(tmp_path, "project/data/a\nb", bytes(1000))
    write(tmp_path, "project/empty", None)
    target = tmp_path / "node"
    with temporary_file() as out:
        write_package(scan(tmp_path / "project"), out)
        ray_packaging.unzip_package(out.name, str(target), remove_top_level_directory=False, unlink_zip=False)
    assert {str(path.relative_to(target)) for path in target.rglob("*")} == {
        "run.sh",
        "data",
        "data/a\nb",
        "empty",
    }
    assert (target / "run.sh").read_bytes() == b"#!/bin/sh\n" * 100
    assert (target / "run.sh").stat().st_mode & 0o777 == 0o750


def test_names_reported_as_dropped_are_dropped_by_ray(ray_packaging: Any, tmp_path: Path) -> None:
    for name in ("a\\b", "c:d", "sub/c:d", "ab:c", "\\x", "é:x", "plain"):
        write(tmp_path, f"project/{name}")
    found = scan(tmp_path / "project")
    target = tmp_path / "node"
    with temporary_file() as out:
        write_package(found, out)
        ray_packaging.unzip_package(out.name, str(target), remove_top_level_directory=False, unlink_zip=False)
    arrived = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}
    assert {file.path for file in found.files} - arrived == set(found.dropped) == {"a\\b", "c:d", "\\x", "é:x"}


def test_a_named_pipe_counts_as_a_socket_does(tmp_path: Path) -> None:
    # Ray waits forever for a pipe, so that only its own rule for sockets can be the measure: the name counts.
    write(tmp_path, "a", b"1")
    empty = directory_uri(scan(tmp_path))
    os.mkfifo(tmp_path / "pipe")
    uri, entries, _ = packed(scan(tmp_path))
    assert [one.filename for one in entries] == ["a"]
    name_alone = int.from_bytes(hashlib.sha1(b"pipe").digest()[:8])
    assert f"{number(empty) ^ name_alone:x}" == f"{number(uri):x}"


def number(uri: str) -> int:
    return int(uri.removeprefix("gcs://_ray_pkg_").removesuffix(".zip"), 16)


def test_a_known_tree_keeps_its_name(tmp_path: Path) -> None:
    """Holds without Ray at hand; the name was computed by Ray 2.60."""
    write(tmp_path, "train.py", b"print('hello')\n")
    write(tmp_path, "data/é x.bin", bytes(range(256)))
    write(tmp_path, "empty", None)
    write(tmp_path, ".git/HEAD", b"ref")
    assert directory_uri(scan(tmp_path)) == "gcs://_ray_pkg_61287fd12f5c9826.zip"


def test_the_zip_is_compressed_and_private(tmp_path: Path) -> None:
    write(tmp_path, "zeros", bytes(1_000_000))
    found = scan(tmp_path)
    with temporary_file() as out:
        write_package(found, out)
        assert out.tell() < 10_000
        assert os.stat(out.name).st_mode & 0o777 == 0o600
        path = out.name
    assert not os.path.exists(path)


def test_the_same_directory_gives_the_same_zip(tmp_path: Path) -> None:
    for name in ("b", "a", "c/d"):
        write(tmp_path, name, name.encode())
    with temporary_file() as one, temporary_file() as other:
        for out in (one, other):
            write_package(scan(tmp_path), out)
            out.seek(0)
        assert one.read() == other.read()


def test_the_limit_is_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "small", b"1")
    write(tmp_path, "data/big\x1b", random.Random(1).randbytes(5000))
    found = scan(tmp_path)
    uri, bytes_needed = packages.measure_package(found)
    monkeypatch.setattr(packages, "PACKAGE_LIMIT", bytes_needed)
    assert packages.measure_package(found) == (uri, bytes_needed)
    monkeypatch.setattr(packages, "PACKAGE_LIMIT", bytes_needed - 1)
    with pytest.raises(UsageError, match=r"is over 5\.1 KiB, the most that Ray accepts") as caught:
        packages.measure_package(found)
    assert caught.value.detail.splitlines() == [
        "The biggest files:",
        "   4.9 KiB  data/big\\x1b",
        "       1 B  small",
    ]


def test_a_package_over_the_limit_is_given_up_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "PACKAGE_LIMIT", 3 << 20)
    block = random.Random(1).randbytes(1 << 20)
    for name in "abcdefgh":
        write(tmp_path, name, block)
    read: list[int] = []
    with temporary_file() as out, pytest.raises(UsageError, match=r"over 3\.0 MiB"):
        write_package(scan(tmp_path), out, read.append)
    assert sum(read) <= 4 << 20


def test_many_names_alone_can_be_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "PACKAGE_LIMIT", 1000)
    for index in range(20):
        write(tmp_path, f"{index}")
    with pytest.raises(UsageError, match="the most that Ray accepts"):
        packages.measure_package(scan(tmp_path))


def test_a_large_file_is_never_whole_in_memory(tmp_path: Path) -> None:
    with open(tmp_path / "sparse", "wb") as file:
        file.truncate(64 << 20)
    found = scan(tmp_path)
    with temporary_file() as out:
        assert peak(lambda: write_package(found, out)) < 8 << 20


@pytest.mark.lengthy
def test_fifty_thousand_files_stay_within_bounds(tmp_path: Path) -> None:
    # One directory behind a hundred links: as many files for Ray, and fewer to create.
    for index in range(500):
        write(tmp_path, f"real/{index:03}", b"x")
    for index in range(100):
        (tmp_path / f"link{index}").symlink_to("real")
    found: list[WorkingDirectory] = []
    assert peak(lambda: found.append(scan(tmp_path))) < 50 << 20
    assert len(found[0].files) == 50_500
    # The zip's list of names is what grows; parts of the files tell how fast.
    few, more = (msgspec.structs.replace(found[0], files=found[0].files[:count]) for count in (100, 1100))
    growth = peak(lambda: packages.measure_package(more)) - peak(lambda: packages.measure_package(few))
    assert growth < 1000 * 2000


def peak(work: Callable[[], object]) -> int:
    """The most bytes that Python held at once during some work."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def vanish(path: Path) -> None:
    path.unlink()


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def rewrite(path: Path) -> None:
    path.write_bytes(b"other")
    os.utime(path, ns=(1, 1))


def become_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def become_a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("change", [vanish, grow, rewrite, become_a_pipe, become_a_directory])
@pytest.mark.parametrize("work", [directory_uri, packages.measure_package])
def test_a_file_that_changes_after_the_scan_is_named(
    tmp_path: Path, change: Callable[[Path], None], work: Callable[[WorkingDirectory], object]
) -> None:
    write(tmp_path, "before", b"1")
    path = write(tmp_path, "model.bin", b"12345")
    found = scan(tmp_path)
    change(path)
    with pytest.raises(UsageError, match=r"model\.bin changed while it was being packed"):
        work(found)


@pytest.mark.parametrize("longer", [True, False])
def test_a_file_that_changes_while_it_is_read_is_named(tmp_path: Path, longer: bool) -> None:
    size = 3 << 20
    path = write(tmp_path, "log.txt", bytes(size))
    found = scan(tmp_path)

    def write_on(count: int) -> None:
        os.truncate(path, size + 1 if longer else count)

    with pytest.raises(UsageError, match=r"log\.txt changed while it was being packed: its size"):
        directory_uri(found, write_on)


def test_an_empty_directory_that_vanishes_is_named(tmp_path: Path) -> None:
    gone = write(tmp_path, "gone", None)
    found = scan(tmp_path)
    gone.rmdir()
    with pytest.raises(UsageError, match="gone changed while it was being packed"):
        packages.measure_package(found)


def test_an_unreadable_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "closed", b"1")
    found = scan(tmp_path)

    def refuse(path: str, flags: int) -> int:
        del flags
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(UsageError, match="closed cannot be read: Permission denied"):
        directory_uri(found)


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    write(tmp_path, "a", random.Random(1).randbytes(1 << 20))
    found = scan(tmp_path)
    if not os.path.exists("/dev/full"):
        pytest.skip("needs /dev/full")
    with (
        open("/dev/full", "r+b", buffering=0) as out,
        pytest.raises(UsageError, match=r"cannot be written to .*No space"),
    ):
        write_package(found, out)


def test_no_place_for_a_temporary_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match="No temporary file can be made"), temporary_file():
        pass
