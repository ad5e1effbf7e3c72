"""Runtime environments as users write them."""

from pathlib import Path
from typing import Any

import pytest

from cockpit.errors import UsageError
from cockpit.operations.jobs import runtime_env


def loaded(directory: Path, text: str) -> dict[str, Any]:
    """The runtime environment that this YAML is."""
    file = directory / "env.yaml"
    file.write_text(text, encoding="utf-8")
    return runtime_env.load_file(file)


def test_known_keys_are_those_of_the_installed_ray() -> None:
    ray = pytest.importorskip("ray.runtime_env", reason="install ray[default] to compare with it")
    theirs = ray.RuntimeEnv.known_fields | ray.RuntimeEnv.extensions_fields
    assert theirs
    assert theirs <= runtime_env.KNOWN_KEYS


def test_yaml_and_json_mean_the_same(tmp_path: Path) -> None:
    value = {"env_vars": {"A": "1"}, "pip": ["torch"], "excludes": ["*.bin"]}
    assert loaded(tmp_path, "env_vars: {A: '1'}\npip: [torch]\nexcludes: ['*.bin']\n") == value
    assert loaded(tmp_path, '{"env_vars": {"A": "1"}, "pip": ["torch"], "excludes": ["*.bin"]}') == value
    assert runtime_env.load_json('{"env_vars": {"A": "1"}, "pip": ["torch"], "excludes": ["*.bin"]}') == value


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}", "env_vars:\npip:\nexcludes:\n"])
def test_what_is_left_empty_is_not_there(tmp_path: Path, text: str) -> None:
    assert loaded(tmp_path, text) == {}


@pytest.mark.parametrize("key", ["pip", "uv"])
@pytest.mark.parametrize("form", ["{key}: needs.txt", "{key}: {{packages: needs.txt}}"])
def test_requirement_files_are_read_in(tmp_path: Path, key: str, form: str) -> None:
    (tmp_path / "needs.txt").write_text("# comment\ntorch==2.9\n\n  numpy  \n", encoding="utf-8")
    found = loaded(tmp_path, form.format(key=key))[key]
    assert (found["packages"] if isinstance(found, dict) else found) == ["torch==2.9", "numpy"]


def test_requirements_given_as_such_stay(tmp_path: Path) -> None:
    value = {"pip": {"packages": ["torch"], "pip_check": False}, "uv": ["numpy"]}
    assert loaded(tmp_path, "pip: {packages: [torch], pip_check: false}\nuv: [numpy]") == value


def test_conda_file_is_read_in_and_a_name_stays_a_name(tmp_path: Path) -> None:
    (tmp_path / "conda.yml").write_text("dependencies: [python=3.11]", encoding="utf-8")
    assert loaded(tmp_path, "conda: conda.yml") == {"conda": {"dependencies": ["python=3.11"]}}
    assert loaded(tmp_path, "conda: base") == {"conda": "base"}


@pytest.mark.parametrize("text", ["pip: none.txt", "uv: none.txt", "conda: none.yaml"])
def test_missing_file_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"none\.(txt|yaml) cannot be read"):
        loaded(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[a, b]", "is not a mapping"),
        ("7", "is not a mapping"),
        ("1: 2", "is not a mapping"),
        ("enviroment: {}", "has the key 'enviroment'"),
        ("env_vars: [A]", "env_vars of"),
        ("env_vars: {A: 1}", "The environment variable A"),
        ("env_vars: {A: true}", "The environment variable A"),
        ("env_vars: {A: 2026-01-01}", "The environment variable A"),
        ("env_vars: {1: a}", "The environment variable 1"),
        ("py_modules: [./local]", "local path ./local"),
        ("py_modules: ./local", "py_modules of"),
        ("excludes: '*.bin'", "excludes of"),
        ("excludes: [1]", "excludes of"),
        ("working_dir: [a]", "working_dir of"),
        ("a: [", "is not valid YAML"),
        ("a: !!python/object:os.system x", "is not valid YAML"),
        ("env_vars: {A: 2026-99-99}", "is not valid YAML"),
        ("a: &a [*b]", "is not valid YAML"),
        ("\x00", "is not valid YAML"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        loaded(tmp_path, text)
    assert words in caught.value.title


def test_unknown_key_close_to_a_known_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        loaded(tmp_path, "env_var: {}")
    assert caught.value.hint == "Did you mean env_vars?"


@pytest.mark.parametrize("text", ["{", "[1]", '"text"', "", "\udcff", "[" * 9999, '{"env_vars": {"A": 1}}'])
def test_json_that_will_not_do(text: str) -> None:
    with pytest.raises(UsageError):
        runtime_env.load_json(text)


def test_file_that_will_not_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        runtime_env.load_file(tmp_path / "none.yaml")
    with pytest.raises(UsageError, match="cannot be read"):
        runtime_env.load_file(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"a: \xff")
    with pytest.raises(UsageError, match="cannot be read"):
        runtime_env.load_file(tmp_path / "latin.yaml")
    (tmp_path / "big.yaml").write_bytes(b"#" * (runtime_env.MAX_FILE_BYTES + 1))
    with pytest.raises(UsageError, match="cannot be read") as caught:
        runtime_env.load_file(tmp_path / "big.yaml")
    assert "larger than 1,048,576 bytes" in caught.value.detail


def test_value_of_a_variable_is_in_no_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        loaded(tmp_path, "env_vars: {TOKEN: [hunter2]}")
    assert "hunter2" not in caught.value.title + caught.value.detail + caught.value.hint
