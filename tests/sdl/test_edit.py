"""`sdl new`, `sdl fix` and `sdl set`: what they write, what they leave alone, and what they say."""

import os
from pathlib import Path

import pytest

from tests.sdl.conftest import SMALL, Sdl

BROKEN = SMALL.replace("512Mi", "512mb", 1).replace("- global: true", "- global: true\n          - service: web,")


# --- new -------------------------------------------------------------------------------------------------------------


def test_new_writes_a_template_and_replaces_nothing(sdl: Sdl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = sdl("new", "ray-cpu")
    assert done.code == 0
    assert "Wrote ray-cpu.yaml" in done.err
    assert "RAY_AUTH_TOKEN" in done.err
    assert sdl("lint", "ray-cpu.yaml").code == 0
    Path("ray-cpu.yaml").write_text("mine")
    again = sdl("new", "ray-cpu")
    assert again.code == 2
    assert "already exists" in again.err
    assert Path("ray-cpu.yaml").read_text() == "mine"
    assert sdl("new", "ray-cpu", "--force").code == 0
    assert Path("ray-cpu.yaml").read_text() != "mine"
    assert sdl("new", "ray-gpu", "-o", "mine.yaml").code == 0
    assert sdl("lint", "mine.yaml").code == 0


def test_new_names_the_templates_there_are(sdl: Sdl, tmp_path: Path) -> None:
    done = sdl("new", "ray-tpu", "-o", tmp_path / "a.yaml")
    assert done.code == 2
    assert "ray-cpu, ray-gpu, ray-gpu-1x6, ray-gpu-storage" in done.err
    assert sdl("new", "ray-cpu", "-o", tmp_path / "no" / "a.yaml").code == 2


# --- fix -------------------------------------------------------------------------------------------------------------


def test_fix_shows_what_it_changes_and_keeps_the_rest(sdl: Sdl, small: Path) -> None:
    small.write_text(BROKEN)
    done = sdl("fix", small)
    assert done.code == 0
    assert "-          size: 512mb" in done.out
    assert "+          size: 512Mi" in done.out
    assert "mended 2 problems" in done.err
    assert small.read_text() == SMALL.replace("- global: true", "- global: true\n          - service: web")
    assert "nothing to mend" in sdl("fix", small).err


def test_a_dry_run_changes_nothing(sdl: Sdl, small: Path) -> None:
    small.write_text(BROKEN)
    before = small.stat().st_mtime_ns
    done = sdl("fix", small, "--dry-run")
    assert done.code == 0
    assert "+          size: 512Mi" in done.out
    assert "would mend 2 problems" in done.err
    assert (small.read_text(), small.stat().st_mtime_ns) == (BROKEN, before)


def test_fix_as_a_filter(sdl: Sdl) -> None:
    done = sdl("fix", "-", stdin=BROKEN.replace("\n", "\r\n").encode())
    assert done.code == 0
    assert "size: 512Mi\r\n" in done.out
    assert done.out.count("\n") == done.out.count("\r\n")


def test_the_gallerys_ray_template_is_made_portable(sdl: Sdl, corpus: Path, tmp_path: Path) -> None:
    path = tmp_path / "deploy.yaml"
    path.write_bytes((corpus / "awesome" / "ray" / "deploy.yaml").read_bytes())
    done = sdl("fix", path)
    assert done.code == 0
    left = done.err.partition("Left for you to decide:")[2]
    for words in ("Port 8265", "Port 6380", "not pinned", "No GPU model is named", "$590.2 an hour"):
        assert words in left
    assert "size-suffix" not in left
    (row,) = sdl("lint", path, "--json").json()["files"]
    assert row["portable"]


def test_secrets_in_the_file_are_not_shown(sdl: Sdl, small: Path) -> None:
    secret = "canary-7d1c"
    text = BROKEN.replace("      - MODE=fast\n", f"      - API_TOKEN={secret}\n      - {secret}\n")
    text = text.replace("        memory:\n", f"        # old: DB_PASSWORD={secret}\n        memory:\n")
    small.write_text(text)
    for arguments in (
        ["fix", small, "--dry-run"],
        ["fix", small],
        ["lint", small, "--json"],
        ["show", small, "--json"],
    ):
        done = sdl(*arguments)
        assert secret not in done.out + done.err
    assert "DB_PASSWORD=***" in sdl("fix", "--dry-run", "-", stdin=text.encode()).out


# --- set -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        ("services.web.image", "nginx:1.28", "nginx:1.27 # pinned", "nginx:1.28 # pinned"),
        ("services.web.expose.0.port", "8080", "port: 80", "port: 8080"),
        ("services.web.env.MODE", "slow", "- MODE=fast", "- MODE=slow"),
        ("services.web.env.MODE", "true", "- MODE=fast", "- MODE=true"),
        ("services.web.env.LEVEL", "4", '- "LEVEL=3"', '- "LEVEL=4"'),
        ("services.web.env.MODE", "", "- MODE=fast", "- MODE="),
        ("services.web.expose.0.to.0.global", "false", "global: true", "global: false"),
        ("deployment.web.dc.count", "3", "count: 1", "count: 3"),
        ("services.web.image", '"3"', "nginx:1.27 # pinned", '"3" # pinned'),
        ("version", '"2.1"', '"2.0"', '"2.1"'),
    ],
)
def test_set_changes_one_value(sdl: Sdl, small: Path, path: str, value: str, old: str, new: str) -> None:
    done = sdl("set", small, path, value)
    assert done.code == 0, done.err
    assert small.read_text() == SMALL.replace(old, new, 1)


def test_set_raw_takes_a_text(sdl: Sdl, small: Path) -> None:
    assert sdl("set", small, "services.web.image", "3", "--raw").code == 0
    assert 'image: "3" # pinned' in small.read_text() or "image: '3' # pinned" in small.read_text()
    assert sdl("set", small, "services.web.env.MODE", "[a, b]", "--raw").code == 0
    assert "MODE=[a, b]" in small.read_text()


def test_set_adds_what_is_missing_and_says_what_it_brings(sdl: Sdl, small: Path) -> None:
    done = sdl("set", small, "services.web.imgae", "nginx")
    assert done.code == 0
    assert "services.web.imgae added" in done.err
    assert "unknown-key" in done.err
    assert "services.web.image was that already" in sdl("set", small, "services.web.image", "nginx:1.27").err
    assert "env.NEW added" in sdl("set", small, "services.web.env.NEW", "1").err
    assert "      - NEW=1\n" in small.read_text()


def test_set_of_a_secret_points_to_the_store(sdl: Sdl, small: Path) -> None:
    done = sdl("set", small, "services.web.env.API_TOKEN", "canary-19")
    assert done.code == 0
    assert "secrets set" in done.err
    assert "canary-19" not in done.out + done.err


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("services.nope.image", "a", "There is no 'nope' in services (line 4)"),
        ("services.web.expose.7.port", "1", "There is no '7'"),
        ("services.web.image", "[a, b]", "A single value is wanted"),
        ("services.web.image", "{a: b}", "A single value is wanted"),
        ("services.web.image", "'a", "Not YAML"),
        ("", "a", "The path is empty"),
        ("services..image", "a", "empty or badly quoted step"),
    ],
)
def test_what_cannot_be_set(sdl: Sdl, small: Path, path: str, value: str, words: str) -> None:
    done = sdl("set", small, path, value)
    assert done.code == 2
    assert words in done.err
    assert str(small) in done.err
    assert small.read_text() == SMALL


def test_an_edit_that_would_reach_further_is_refused(sdl: Sdl, small: Path) -> None:
    text = SMALL.replace("size: 512Mi", "size: &s 512Mi", 1).replace("size: 512Mi", "size: *s")
    small.write_text(text)
    done = sdl("set", small, "profiles.compute.web.resources.storage.size", "1Gi")
    assert done.code == 2
    assert "Line 23" in done.err
    assert "Nothing was changed" in done.err
    assert small.read_text() == text


# --- files that cannot be read or written ----------------------------------------------------------------------------


@pytest.mark.parametrize("command", [("fix",), ("set", "version", "2.1")])
@pytest.mark.parametrize(
    ("data", "words"),
    [(b"a: [1,\nb: 2", "Not YAML at line 2"), (b"\xff\xfe\x00", "UTF-16"), (b"x" * (10 << 20), "larger than 8 MB")],
)
def test_what_is_no_yaml_stays_as_it_is(
    sdl: Sdl, tmp_path: Path, command: tuple[str, ...], data: bytes, words: str
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(data)
    name, *rest = command
    done = sdl(name, path, *rest)
    assert done.code == 2
    assert f"{path}: " in done.err
    assert words in done.err
    assert path.read_bytes() == data


@pytest.mark.parametrize("command", [("fix",), ("set", "services.web.image", "a:1")])
def test_a_full_disk_leaves_the_old_file_whole(
    sdl: Sdl, small: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    small.write_text(BROKEN)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    name, *rest = command
    done = sdl(name, small, *rest)
    assert done.code == 2
    assert "No space left on device" in done.err
    assert small.read_text() == BROKEN
    assert [entry.name for entry in small.parent.iterdir() if entry.is_file()] == [small.name]


def test_a_read_only_file_stays(sdl: Sdl, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write to any file
    done = sdl("set", small, "services.web.image", "a:1")
    assert done.code == 2
    assert "read-only" in done.err
    assert small.read_text() == SMALL
