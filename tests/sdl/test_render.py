"""`sdl render`: values only where they were asked for, and nothing at all where one is missing."""

import base64
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.sdl.conftest import SMALL, Sdl
from tests.secrets.machine import Machine

VALUE = "canary-5f20"
TEXT = SMALL.replace(
    "      - MODE=fast\n",
    '      - API_TOKEN=ac-secret://API_TOKEN # keep\n      - "OTHER=ac-secret://OTHER"\n      - AGAIN=ac-secret://OTHER\n',
)


@pytest.fixture
def referring(small: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An SDL with references, and their values in the environment."""
    small.write_text(TEXT)
    monkeypatch.setenv("RAYAKASH_SECRET_API_TOKEN", VALUE)
    monkeypatch.setenv("RAYAKASH_SECRET_OTHER", "other")
    return small


def test_into_a_file_for_its_owner_alone(sdl: Sdl, referring: Path, tmp_path: Path) -> None:
    out = tmp_path / "rendered.yaml"
    done = sdl("render", referring, "-o", out)
    assert done.code == 0
    assert done.out == ""
    assert "2 values: API_TOKEN, OTHER" in done.err
    assert VALUE not in done.err
    assert out.stat().st_mode & 0o777 == 0o600
    wanted = TEXT.replace("ac-secret://API_TOKEN", VALUE).replace("ac-secret://OTHER", "other")
    assert out.read_text() == wanted
    assert referring.read_text() == TEXT
    assert sdl("lint", out).code == 0


def test_an_open_file_is_closed_to_others(sdl: Sdl, referring: Path, tmp_path: Path) -> None:
    out = tmp_path / "rendered.yaml"
    out.write_text("old")
    out.chmod(0o644)
    assert sdl("render", referring, "-o", out).code == 0
    assert out.stat().st_mode & 0o777 == 0o600


def test_revealed(sdl: Sdl, referring: Path) -> None:
    done = sdl("render", referring, "--reveal")
    assert done.code == 0
    assert done.out == TEXT.replace("ac-secret://API_TOKEN", VALUE).replace("ac-secret://OTHER", "other")
    assert done.err == ""


def test_without_an_option_only_places_are_told(sdl: Sdl, referring: Path) -> None:
    done = sdl("render", referring)
    assert done.code == 0
    assert done.out == "API_TOKEN  environment\nOTHER  environment\n"
    assert "Nothing was rendered" in done.err


def test_every_missing_value_is_named_before_anything_is_rendered(
    sdl: Sdl, referring: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("API_TOKEN", "OTHER"):
        monkeypatch.delenv(f"RAYAKASH_SECRET_{name}")
    out = tmp_path / "rendered.yaml"
    for way in (["-o", out], ["--reveal"], ["--copy"], []):
        done = sdl("render", referring, *way)
        assert done.code == 2
        assert "The secrets API_TOKEN, OTHER have no value." in done.err
        ways = (f"`rayakash-tui secrets set {name} --scope {referring.stem}`" for name in ("API_TOKEN", "OTHER"))
        assert f"Give {' and '.join(ways)}." in done.err
        assert done.out == ""
    assert not out.exists()


@pytest.mark.parametrize(
    "value",
    ["a b", "x: y # z", "tab\there", "quote\"s'", "line\nbreak\n", "é😀", "\x07bell", "  led", "$(HOME)", "a=b"],
)
@pytest.mark.parametrize("quote", ["", '"', "'"])
def test_any_value_arrives_as_it_is(
    sdl: Sdl, small: Path, monkeypatch: pytest.MonkeyPatch, value: str, quote: str
) -> None:
    small.write_text(SMALL.replace("MODE=fast", f"{quote}MODE=ac-secret://V{quote}"))
    monkeypatch.setenv("RAYAKASH_SECRET_V", value)
    done = sdl("render", small, "--reveal")
    assert yaml.safe_load(done.out)["services"]["web"]["env"] == [f"MODE={value}", "LEVEL=3"]


def test_a_reference_outside_of_env_is_resolved_when_it_is_a_whole_value(
    sdl: Sdl, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SMALL.replace("    env:\n", "    credentials: {host: h, username: u, password: ac-secret://V}\n    env:\n")
    small.write_text(text.replace("MODE=fast", "MODE=see ac-secret://V"))
    monkeypatch.setenv("RAYAKASH_SECRET_V", VALUE)
    done = sdl("render", small, "--reveal")
    assert f"password: {VALUE}" in done.out
    assert "warning" in done.err
    assert f"{small}:8: a reference inside another text" in done.err


@pytest.mark.parametrize("reference", ["ac-secret://", "ac-secret://9X", "ac-secret://A B"])
def test_a_malformed_reference_is_refused(sdl: Sdl, small: Path, reference: str) -> None:
    small.write_text(SMALL.replace("MODE=fast", f"MODE={reference}"))
    done = sdl("render", small, "--reveal")
    assert done.code == 2
    assert "is not a secret reference" in done.err


def test_where_values_are_not_written(sdl: Sdl, referring: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.yaml"
    link.symlink_to(tmp_path / "elsewhere.yaml")
    for out, words in (
        (referring, "That is the SDL itself"),
        (link, "not a regular file"),
        (tmp_path, "not a regular file"),
        (tmp_path / "no" / "a.yaml", "does not exist"),
    ):
        done = sdl("render", referring, "-o", out)
        assert done.code == 2
        assert words in done.err
    assert referring.read_text() == TEXT
    assert not (tmp_path / "elsewhere.yaml").exists()


def test_a_full_disk_leaves_no_part_of_a_value(
    sdl: Sdl, referring: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert sdl("render", referring, "-o", tmp_path / "out.yaml").code == 2
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and VALUE in path.read_text()]


@pytest.mark.lengthy
def test_scopes(small: Path, machine: Machine) -> None:
    small.write_text(SMALL.replace("MODE=fast", "MODE=ac-secret://V"))
    environment = {"RAYAKASH_VAULT_PASSPHRASE": "correct horse"}
    for scope, value in (("web", "near"), ("default", "far"), ("lab", "other")):
        assert machine.secrets("set", "V", "--scope", scope, stdin=value, **environment).code == 0
    render = ("-m", "cockpit", "sdl", "render", str(small))
    assert "MODE=near" in machine.python(*render, "--reveal", **environment).out
    assert "MODE=other" in machine.python(*render, "--reveal", "--scope", "lab", **environment).out
    assert machine.python(*render, **environment).out == "V  vault, scope web\n"
    assert machine.secrets("delete", "V", "--scope", "web", **environment).code == 0
    assert "MODE=far" in machine.python(*render, "--reveal", **environment).out


_ON_A_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "cockpit", "sdl", "render", sys.argv[1], "--copy"])
"""


def test_into_the_clipboard_of_the_terminal(referring: Path, machine: Machine) -> None:
    master, slave = pty.openpty()
    environment = {**machine.environment, "RAYAKASH_SECRET_API_TOKEN": VALUE, "RAYAKASH_SECRET_OTHER": "other"}
    process = subprocess.Popen(
        [sys.executable, "-c", _ON_A_TERMINAL, str(referring)],
        env=environment,
        stdin=slave,
        stdout=slave,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    os.close(slave)
    shown = b""
    try:
        while b"\x07" not in shown:
            shown += os.read(master, 4096)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
        os.close(master)
    assert process.returncode == 0
    assert shown.startswith(b"\x1b]52;c;")
    copied = base64.b64decode(shown.removeprefix(b"\x1b]52;c;").partition(b"\x07")[0]).decode()
    assert f"API_TOKEN={VALUE} # keep" in copied
    assert b"clipboard" in said
    assert VALUE.encode() not in said


def test_without_a_terminal_nothing_is_copied(machine: Machine, small: Path) -> None:
    done = machine.python("-m", "cockpit", "sdl", "render", str(small), "--copy")
    assert done.code == 2
    assert "not a terminal" in done.err
