"""What of a directory goes to the cluster, what stays, and how a scan fails."""

import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.clients import working_dir
from cockpit.clients.working_dir import PackageRules, package_rules, scan
from cockpit.errors import UsageError
from cockpit.model.uploads import Excluded, LeftOut, Reason, SecretKind, WorkingDirectory


def write(root: Path, path: str, content: str | None = "") -> None:
    """A file, or a directory where the content is None."""
    full = root / path
    (full if content is None else full.parent).mkdir(parents=True, exist_ok=True)
    if content is not None:
        full.write_text(content)


def paths(directory: WorkingDirectory) -> set[str]:
    return {file.path for file in directory.files}


def reasons(directory: WorkingDirectory) -> dict[str, tuple[Reason, str]]:
    return {one.path: (one.reason, one.origin) for one in directory.excluded}


def test_files_directories_and_sizes(tmp_path: Path) -> None:
    write(tmp_path, "train.py", "print()")
    write(tmp_path, "data/deep/vocab.json", "{}")
    write(tmp_path, "empty", None)
    found = scan(tmp_path)
    assert [(file.path, file.size) for file in found.files] == [("train.py", 7), ("data/deep/vocab.json", 2)]
    assert set(found.directories) == {".", "data", "data/deep", "empty"}
    assert found.empty_directories == ("empty",)
    assert (found.total_bytes, found.root) == (9, str(tmp_path))
    assert found.biggest(1)[0].path == "train.py"


def test_default_excludes_and_their_size(tmp_path: Path) -> None:
    write(tmp_path, ".git/objects/pack", "x" * 1000)
    write(tmp_path, "pkg/__pycache__/a.pyc", "y" * 10)
    write(tmp_path, "pkg/a.py")
    found = scan(tmp_path)
    assert paths(found) == {"pkg/a.py"}
    assert set(found.excluded) == {
        Excluded(".git", 1000, Reason.DEFAULT, "", ".git", is_directory=True),
        Excluded("pkg/__pycache__", 10, Reason.DEFAULT, "", "__pycache__", is_directory=True),
    }


def test_each_reason_is_told(tmp_path: Path) -> None:
    write(tmp_path, ".gitignore", "*.log\n")
    write(tmp_path, "sub/.rayignore", "/data\n")
    for path in ("a.log", "sub/data/x", "out/model.bin", "venv/x", "keep.py"):
        write(tmp_path, path, "12345")
    found = scan(tmp_path, PackageRules(excludes=("out/model.bin",)))
    assert reasons(found) == {
        "a.log": (Reason.GITIGNORE, ".gitignore"),
        "sub/data": (Reason.RAYIGNORE, "sub/.rayignore"),
        "out": (Reason.OPTION, ""),
        "venv": (Reason.DEFAULT, ""),
    }
    assert {one.size for one in found.excluded} == {5}


def test_a_directory_emptied_by_one_pattern_is_told_as_one(tmp_path: Path) -> None:
    write(tmp_path, ".gitignore", "node_modules/\n")
    for name in ("a", "b", "c"):
        write(tmp_path, f"node_modules/{name}/index.js", "1234")
    found = scan(tmp_path)
    assert [(one.path, one.size, one.pattern) for one in found.excluded] == [("node_modules", 12, "node_modules/")]
    # Ray counts the directory in the package's name all the same.
    assert "node_modules" in found.directories
    assert found.empty_directories == ()


def test_a_large_excluded_directory_is_not_counted_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working_dir, "WEIGHED_ENTRIES", 3)
    for name in "abcdef":
        write(tmp_path, f".git/{name}", "x")
    assert [(one.path, one.size) for one in scan(tmp_path).excluded] == [(".git", None)]


def test_the_excludes_option_can_take_back_a_default(tmp_path: Path) -> None:
    write(tmp_path, "venv", "a file that happens to be called so")
    assert paths(scan(tmp_path)) == set()
    assert paths(scan(tmp_path, PackageRules(excludes=("!venv",)))) == {"venv"}


def test_an_ignore_file_that_matches_its_own_directory_removes_it(tmp_path: Path) -> None:
    write(tmp_path, "cache/.gitignore", "*\n!.gitignore\n")
    write(tmp_path, "cache/x")
    write(tmp_path, "a.py")
    found = scan(tmp_path)
    assert paths(found) == {"a.py"}
    assert reasons(found) == {"cache": (Reason.GITIGNORE, "cache/.gitignore")}


def test_a_pattern_for_hidden_files_at_the_top_removes_everything(tmp_path: Path) -> None:
    write(tmp_path, ".gitignore", ".*\n")
    write(tmp_path, "train.py")
    found = scan(tmp_path)
    assert (found.files, found.directories) == ((), ())
    assert found.excluded == (Excluded(".", None, Reason.GITIGNORE, ".gitignore", ".*", is_directory=True),)


def test_rays_environment_variables() -> None:
    assert package_rules(["a"], {}) == PackageRules(("a",), (".git", ".venv", "venv", "__pycache__"), True)
    assert package_rules([], {"RAY_OVERRIDE_RUNTIME_ENV_DEFAULT_EXCLUDES": " x , ,y"}).default_excludes == ("x", "y")
    assert package_rules([], {"RAY_OVERRIDE_RUNTIME_ENV_DEFAULT_EXCLUDES": ""}).default_excludes == ()
    assert package_rules([], {"RAY_RUNTIME_ENV_IGNORE_GITIGNORE": "1"}).gitignore is False
    assert package_rules([], {"RAY_RUNTIME_ENV_IGNORE_GITIGNORE": "true"}).gitignore is True


def test_gitignore_can_be_switched_off_alone(tmp_path: Path) -> None:
    write(tmp_path, ".gitignore", "a\n")
    write(tmp_path, ".rayignore", "b\n")
    write(tmp_path, "a")
    write(tmp_path, "b")
    assert paths(scan(tmp_path, PackageRules(gitignore=False))) == {".gitignore", ".rayignore", "a"}


def test_ignore_file_with_windows_line_ends(tmp_path: Path) -> None:
    (tmp_path / ".rayignore").write_bytes(b"a\r\nb\r\n")
    write(tmp_path, "a")
    write(tmp_path, "b")
    assert paths(scan(tmp_path)) == {".rayignore"}


def test_an_ignore_file_that_is_no_file_is_none(tmp_path: Path) -> None:
    write(tmp_path, ".gitignore", None)
    write(tmp_path, "a")
    assert paths(scan(tmp_path)) == {"a"}


def test_an_undecodable_ignore_file_is_named(tmp_path: Path) -> None:
    (tmp_path / ".rayignore").write_bytes(b"caf\xe9\n")
    with pytest.raises(UsageError, match=r"\.rayignore is not UTF-8"):
        scan(tmp_path)


def test_sockets_pipes_and_broken_links_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path may have about 100 characters
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("run.sock")
        os.mkfifo("pipe")
        Path("gone").symlink_to("nowhere")
        Path("self").symlink_to("self")
        Path("through").symlink_to("a.py/x")
        Path("null").symlink_to("/dev/null")
        Path("a.py").touch()
        found = scan(".")
    assert paths(found) == {"a.py"}
    assert set(found.left_out) == {
        LeftOut("run.sock", "socket"),
        LeftOut("pipe", "named pipe"),
        LeftOut("gone", "broken link"),
        LeftOut("self", "broken link"),
        LeftOut("through", "broken link"),
        LeftOut("null", "device"),
    }


def test_links_are_followed_and_those_that_lead_out_are_told(tmp_path: Path) -> None:
    root = tmp_path / "project"
    write(tmp_path, "elsewhere/secret.txt", "1")
    write(root, "real/a", "2")
    (root / "inside").symlink_to("real")
    (root / "outside").symlink_to(tmp_path / "elsewhere")
    (root / "file").symlink_to("../elsewhere/secret.txt")
    found = scan(root)
    assert paths(found) == {"real/a", "inside/a", "outside/secret.txt", "file"}
    assert set(found.outside_links) == {"outside", "file"}


def test_the_working_directory_may_be_a_link(tmp_path: Path) -> None:
    write(tmp_path, "real/a")
    (tmp_path / "link").symlink_to("real")
    found = scan(tmp_path / "link")
    assert (paths(found), found.outside_links) == ({"a"}, ())


@pytest.mark.parametrize("target", [".", "..", "../..", "../../.."])
def test_a_link_to_a_directory_around_it_is_left_out(tmp_path: Path, target: str) -> None:
    write(tmp_path, "project/sub/a")
    write(tmp_path, "beside/of another project")
    (tmp_path / "project/sub/again").symlink_to(target)
    found = scan(tmp_path / "project")
    assert paths(found) == {"sub/a"}
    assert found.left_out == (LeftOut("sub/again", "link to a directory that contains it"),)
    assert found.outside_links == ()


def test_of_two_links_to_each_other_the_ones_back_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, "a", None)
    write(tmp_path, "b/file")
    (tmp_path / "a/to_b").symlink_to("../b")
    (tmp_path / "b/to_a").symlink_to("../a")
    found = scan(tmp_path)
    assert paths(found) == {"a/to_b/file", "b/file"}
    assert {one.path for one in found.left_out} == {"a/to_b/to_a", "b/to_a/to_b"}


def test_an_ignore_file_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".rayignore").write_bytes(b"#" * (working_dir.LARGEST_IGNORE_FILE + 1))
    with pytest.raises(UsageError, match=r"rayignore cannot be read: .* larger than"):
        scan(tmp_path)


def test_an_ignore_file_that_is_a_pipe_holds_nothing_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".rayignore")
    assert scan(tmp_path).left_out == (LeftOut(".rayignore", "named pipe"),)


def test_an_excluded_loop_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "again").symlink_to(".")
    assert paths(scan(tmp_path, PackageRules(excludes=("again",)))) == set()


def test_links_that_multiply_end_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working_dir, "MAX_ENTRIES", 1000)
    for level in range(20):
        write(tmp_path, f"level{level}", None)
        for name in "ab":
            (tmp_path / f"level{level}" / name).symlink_to(f"../level{level + 1}")
    write(tmp_path, "level20", None)
    with pytest.raises(UsageError, match="more than 1,000 files"):
        scan(tmp_path)


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no paths that long")
def test_depth_costs_no_stack(tmp_path: Path) -> None:
    depth = sys.getrecursionlimit() + 100
    levels = ["/".join([str(tmp_path), *"d" * level]) for level in range(1, depth + 1)]
    for level in levels:
        os.mkdir(level)
    try:
        assert len(scan(tmp_path).directories) == depth + 1
    finally:
        # Whoever clears the temporary directory goes down by recursion, and fails.
        for level in reversed(levels):
            os.rmdir(level)


def test_suspicious_names(tmp_path: Path) -> None:
    for name in (".env", "certs/server.key", "id_rsa", ".aws/credentials", ".kube/config", "config", "id_rsa.pub",
                 ".env.example", "secrets.py", "a.py"):  # fmt: skip
        write(tmp_path, name)
    assert {one.path: one.kind for one in scan(tmp_path).secrets} == {
        ".env": SecretKind.ENVIRONMENT,
        "certs/server.key": SecretKind.KEY,
        "id_rsa": SecretKind.KEY,
        ".aws/credentials": SecretKind.CREDENTIALS,
        ".kube/config": SecretKind.CREDENTIALS,
    }


def test_names_that_ray_skips_when_it_unpacks(tmp_path: Path) -> None:
    for name in ("a\\b", "c:d", "sub/c:d", "ab:c"):
        write(tmp_path, name)
    write(tmp_path, "e:", None)
    assert set(scan(tmp_path).dropped) == {"a\\b", "c:d", "e:"}


def test_names_with_control_characters_are_kept_as_they_are(tmp_path: Path) -> None:
    for name in ("new\nline", "esc\x1b[31m", "blank end ", "é ü 文", "\u202ecod.exe"):
        write(tmp_path, name)
    assert paths(scan(tmp_path)) == {"new\nline", "esc\x1b[31m", "blank end ", "é ü 文", "\u202ecod.exe"}


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS refuses names that are not UTF-8")
def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9")).touch()
    with pytest.raises(UsageError, match=r"The name caf\\udce9 is not valid UTF-8"):
        scan(tmp_path)
    assert paths(scan(tmp_path, PackageRules(excludes=("caf*",)))) == set()


def test_missing_directory(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\\x1b cannot be read: No such file"):
        scan(tmp_path / "nowhere\x1b")
    with pytest.raises(UsageError, match="null"):
        scan("null\0byte")


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    write(tmp_path, "a")
    with pytest.raises(UsageError, match="is not a directory"):
        scan(tmp_path / "a")


def test_a_scan_can_be_stopped(tmp_path: Path) -> None:
    def stop(count: int) -> None:
        raise KeyError(count)

    with pytest.raises(KeyError):
        scan(tmp_path, tick=stop)


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A directory, seen by a user whom permissions stop: root becomes nobody for the test."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o777)
        if os.getuid() != 0:
            yield Path(name)
            return
        if not hasattr(os, "setresuid"):
            pytest.skip("runs as root, whom permissions do not stop")
        os.setresuid(65534, 65534, 0)
        try:
            if not os.access(name, os.R_OK | os.W_OK | os.X_OK):
                pytest.skip("runs as root, and the temporary directory is for root alone")
            yield Path(name)
        finally:
            os.setresuid(0, 0, 0)


def test_unreadable_files_are_listed(unprivileged: Path) -> None:
    write(unprivileged, "open", "1")
    write(unprivileged, "closed", "2")
    (unprivileged / "closed").chmod(0)
    assert scan(unprivileged).unreadable == ("closed",)


def test_an_unreadable_directory_is_named(unprivileged: Path) -> None:
    write(unprivileged, "closed", None)
    (unprivileged / "closed").chmod(0)
    with pytest.raises(UsageError, match="closed cannot be read: Permission denied"):
        scan(unprivileged)
    assert reasons(scan(unprivileged, PackageRules(excludes=("closed",)))) == {"closed": (Reason.OPTION, "")}


def test_an_unreadable_ignore_file_is_named(unprivileged: Path) -> None:
    write(unprivileged, ".gitignore", "a\n")
    (unprivileged / ".gitignore").chmod(0)
    with pytest.raises(UsageError, match=r"\.gitignore cannot be read: Permission denied"):
        scan(unprivileged)
