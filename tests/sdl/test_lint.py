"""`sdl lint`: rows, verdicts and exit codes, for good files, bad ones, and what is no SDL at all."""

import os
from pathlib import Path

import pytest

from cockpit.sdl.document import SdlDocument
from cockpit.sdl.rules import problems
from tests.sdl.conftest import SMALL, Sdl
from tests.secrets.machine import Machine

PROBLEM = ["line", "column", "severity", "code", "message", "refused_by", "fixable"]
BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))


def test_a_good_file(sdl: Sdl, small: Path) -> None:
    done = sdl("lint", small)
    assert (done.code, done.out, done.err) == (0, f"{small}: portable, no problems\n", "")
    row = {"file": str(small), "portable": True, "go": True, "typescript": True, "problems": []}
    assert sdl("lint", "--json", small).json() == {"files": [row]}


def test_rows_are_in_the_order_given_and_have_the_documented_shape(sdl: Sdl, small: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(SMALL.replace("512Mi", "512mb", 1))
    done = sdl("lint", bad, small, bad, "--json")
    assert done.code == 1
    assert list(done.json()) == ["files"]
    rows = done.json()["files"]
    assert [row["file"] for row in rows] == [str(bad), str(small), str(bad)]
    assert list(rows[0]) == ["file", "portable", "go", "typescript", "problems"]
    assert (rows[0]["portable"], rows[0]["go"], rows[0]["typescript"]) == (False, False, True)
    (problem,) = rows[0]["problems"]
    assert list(problem) == PROBLEM
    assert problem["line"] == 21
    assert (problem["severity"], problem["code"], problem["fixable"]) == ("error", "size-suffix", True)
    assert problem["refused_by"] == ["go"]


@pytest.mark.parametrize(
    ("old", "new", "portable", "code"),
    [
        ("nginx:1.27 # pinned", "nginx", True, 0),  # a warning
        ("uact", "uakt", True, 1),  # the chain
        ("    env:\n", "    env:\n      - RAY_AUTH_MODE=tokn\n      - RAY_X=1\n", True, 0),  # no Ray cluster
        ("port: 80\n", "port: 70000\n", False, 1),
    ],
)
def test_errors_of_the_chain_count_and_warnings_do_not(
    sdl: Sdl, small: Path, old: str, new: str, portable: bool, code: int
) -> None:
    small.write_text(SMALL.replace(old, new))
    done = sdl("lint", small, "--json")
    assert done.json()["files"][0]["portable"] == portable
    assert done.code == code


def test_an_error_of_ray_makes_it_fail(sdl: Sdl, small: Path) -> None:
    text = SMALL.replace("nginx:1.27 # pinned", "rayproject/ray:2.60.0\n    args: [ray start --head]")
    small.write_text(text.replace("port: 80\n        as: 80", "port: 8265"))
    done = sdl("lint", small)
    assert done.code == 1
    assert f"{small}:11:9: error ray-open-port: Port 8265" in done.out
    assert "portable, 1 error" in done.out


def test_stdin(sdl: Sdl) -> None:
    done = sdl("lint", "-", "--json", stdin=SMALL.encode())
    assert done.code == 0
    assert done.json()["files"][0]["file"] == "-"


@pytest.mark.parametrize(
    ("data", "words", "line"),
    [
        (b"a: [1,\nb: 2", "Not YAML at line 2, column 5", 2),
        (b"services:\n\tweb: 1\n", "a tab, and YAML is indented with blanks only", 2),
        (b"\x7fELF\x02\x01\x00\xff", "not valid UTF-8", 1),
        (b"a: 1\nb: \x00", "control character", 2),
        (b"x" * (10 << 20), "larger than 8 MB", 1),
        (b"a: 1\n" * 300_000, "limit 1 MiB", 1),
        (BOMB.encode(), "100,000 values", 6),
        ("a: é".encode("utf-16"), "UTF-16", 1),
    ],
)
def test_what_is_no_yaml_is_listed_as_refused(sdl: Sdl, tmp_path: Path, data: bytes, words: str, line: int) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(data)
    done = sdl("lint", path, "--json")
    (row,) = done.json()["files"]
    assert (done.code, row["portable"], row["go"], row["typescript"]) == (1, False, False, False)
    (problem,) = row["problems"]
    assert problem["code"] == "not-yaml"
    assert problem["refused_by"] == ["go", "typescript"]
    assert words in problem["message"]
    assert problem["line"] == line


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        ("# nothing\n", "empty"),
        ("just words", "wrong-type"),
        (SMALL.replace("    image: nginx:1.27 # pinned\n", "    image: a:1\n    image: b:1\n"), "duplicate-key"),
        (SMALL.replace("nginx:1.27 # pinned", "!!python/object/apply:os.system [true]"), "unknown-tag"),
    ],
)
def test_what_is_yaml_and_no_sdl(sdl: Sdl, small: Path, text: str, code: str) -> None:
    small.write_text(text)
    done = sdl("lint", small, "--json")
    assert done.code == 1
    assert code in [problem["code"] for problem in done.json()["files"][0]["problems"]]


def test_files_that_cannot_be_read_do_not_hide_the_others(sdl: Sdl, small: Path, tmp_path: Path) -> None:
    done = sdl("lint", tmp_path / "missing.yaml", small, tmp_path, "--json")
    assert done.code == 2
    assert [row["file"] for row in done.json()["files"]] == [str(small)]
    assert f"error: The file {tmp_path / 'missing.yaml'} cannot be read." in done.err
    assert "No such file" in done.err


def test_names_of_files_drive_no_terminal(sdl: Sdl, tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[2Jb.yaml"
    path.write_text("")
    done = sdl("lint", path)
    assert "\x1b" not in done.out
    raw = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.yaml")
    Path(raw).write_text("")
    assert sdl("lint", raw).code == 1
    assert sdl("lint", raw, "--json").json()["files"][0]["file"] == raw


def test_the_gallerys_ray_template_of_today(sdl: Sdl, corpus: Path) -> None:
    done = sdl("lint", corpus / "awesome" / "ray" / "deploy.yaml", "--json")
    (row,) = done.json()["files"]
    assert (done.code, row["go"], row["typescript"]) == (1, False, True)
    found = [(problem["code"], problem["message"]) for problem in row["problems"]]
    assert len([code for code, _ in found if code == "size-suffix"]) == 2
    assert [code for code, _ in found].count("comma-list") == 1
    ports = [message.split()[1] for code, message in found if code == "ray-open-port"]
    assert ports == ["8265", "6380"]


def test_in_a_process_of_its_own(machine: Machine, small: Path) -> None:
    done = machine.python("-m", "cockpit", "sdl", "lint", "-", "--json", stdin=SMALL.replace("512Mi", "1Gb"))
    assert done.code == 1
    assert '"code":"size-suffix"' in done.out
    assert machine.python("-m", "cockpit", "sdl", "lint", str(small)).code == 0
    assert machine.python("-m", "cockpit", "sdl", "lint").code == 2


def test_a_reference_inside_a_value_is_an_error() -> None:
    env = "    env:\n      - DB=postgres://u:ac-secret://PW@h\n      - A=ac-secret://A\n"
    text = f"services:\n  web:\n    image: nginx:1.27\n{env}"
    found = [problem for problem in problems(SdlDocument(text)) if problem.code == "reference-inside"]
    assert [(problem.line, problem.severity) for problem in found] == [(5, "error")]
