"""SDLs that were used lately: paths alone, the last one first, and no more than are of use."""

from pathlib import Path

import pytest

from cockpit.errors import UsageError
from cockpit.operations.sdl_editor.recent import MOST, recent, remember


def test_the_last_one_is_first_and_those_that_are_gone_are_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    paths = [tmp_path / f"{number}.yaml" for number in range(MOST + 5)]
    for path in paths:
        path.write_text("a: secret-text\n")
        remember(path, directory=folder)
    assert recent(directory=folder) == paths[::-1][:MOST]
    remember(paths[10], directory=folder)
    paths[-1].unlink()
    assert recent(directory=folder)[:2] == [paths[10], paths[-2]]
    (note,) = folder.glob("*.json")
    assert note.stat().st_mode & 0o777 == 0o600
    assert "secret-text" not in note.read_text()


def test_an_unreadable_list_is_told_and_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    assert recent(directory=folder) == []
    path = tmp_path / "a.yaml"
    path.write_text("a: 1\n")
    remember(path, directory=folder)
    (note,) = folder.glob("*.json")
    note.write_text("{half")
    with pytest.raises(UsageError, match="cannot be read"):
        recent(directory=folder)
    remember(path, directory=folder)
    assert recent(directory=folder) == [path]
