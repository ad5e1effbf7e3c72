"""Paths while they are typed: folders and YAML files, as they are spelled."""

from pathlib import Path

import pytest

from cockpit.operations.sdl_editor.paths import completed, paths_beginning


def test_folders_and_yaml_files_that_begin_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("lab.yaml", "lab-2.yml", "lab.txt", ".hidden.yaml", "other.yaml"):
        (tmp_path / name).touch()
    (tmp_path / "labs").mkdir()
    (tmp_path / "labs" / "one.yaml").touch()
    monkeypatch.chdir(tmp_path)
    assert paths_beginning("la") == ["lab-2.yml", "lab.yaml", "labs/"]
    assert paths_beginning("labs/") == ["labs/one.yaml"]
    assert paths_beginning(".h") == [".hidden.yaml"]
    assert ".hidden.yaml" not in paths_beginning("")
    assert paths_beginning(f"{tmp_path}/o") == [f"{tmp_path}/other.yaml"]
    monkeypatch.setenv("HOME", str(tmp_path))
    assert paths_beginning("~/labs/o") == ["~/labs/one.yaml"]
    assert paths_beginning("none/x") == paths_beginning("a\0b") == paths_beginning("zz") == []
    assert completed("l", paths_beginning("l")) == "lab"
    assert completed("zz", []) == "zz"
