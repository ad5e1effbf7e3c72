"""Commands of the user's on keys: what a row holds never becomes a part of the line that the shell reads."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.errors import UsageError
from cockpit.operations.own_commands import environment_of, line_of, problems, run_in_background, words_of
from cockpit.render.text import visible
from cockpit.settings import OwnCommand, config_file, load_settings

FIELDS = {"jobs": ("id", "entrypoint"), "nodes": ("node",)}


def own(command: str, **more: object) -> OwnCommand:
    return OwnCommand(**{"scope": "jobs", "key": "ctrl+g", "label": "mine", "command": command, **more})  # type: ignore[arg-type]


def printed(command: str, **values: str) -> str:
    line = line_of(own(command), values)
    return subprocess.run(words_of(line), env=environment_of(line), capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    "value", ["$(touch bad)", "`touch bad`", '"; touch bad; "', "a'b", "a b  c", "*", "\\", "${HOME}", "&& x"]
)
def test_no_byte_of_a_row_is_read_by_the_shell(value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert printed("printf '%s|' {entrypoint} x{entrypoint}y", entrypoint=value) == f"{value}|x{value}y|"
    assert list(tmp_path.iterdir()) == []


@given(st.text(min_size=1, max_size=30).filter(lambda text: not visible(text).startswith("-")))
def test_whatever_stands_in_a_field_arrives_as_it_is_shown(text: str) -> None:
    line = line_of(own("x {entrypoint}"), {"entrypoint": text})
    assert line.text == 'x "${ROW_ENTRYPOINT}"'
    assert line.variables == {"ROW_ENTRYPOINT": visible(text)}
    assert "\0" not in "".join(environment_of(line, {}).values())


def test_what_a_program_would_take_for_an_option_is_refused_unless_two_dashes_stand_before() -> None:
    with pytest.raises(UsageError, match="read as an option"):
        line_of(own("stop {id}"), {"id": "--all"})
    assert line_of(own("stop -- {id}"), {"id": "--all"}).variables == {"ROW_ID": "--all"}
    assert line_of(own("stop --id={id}"), {"id": "-1"}).variables == {"ROW_ID": "-1"}


def test_a_field_without_a_value_is_refused() -> None:
    with pytest.raises(UsageError, match="the row has no id"):
        line_of(own("stop {id}"), {})


@pytest.mark.parametrize(
    ("command", "what"),
    [
        (own("sh -c '{id}'"), "inside quotes"),
        (own('echo "job {id}"'), "inside quotes"),
        (own("echo {idd}"), "unknown field {idd}; fields: id, entrypoint, cluster, address"),
        (own("echo {id}", scope="jbos"), "unknown pane 'jbos'; panes: jobs, nodes, or all"),
        (own("no-such-program {id}"), "the program no-such-program is not found"),
        (own("  "), "its command is empty"),
        (own("echo", key=""), "it needs a key and a label"),
    ],
)
def test_what_is_wrong_is_said(command: OwnCommand, what: str) -> None:
    assert any(what in sentence for sentence in problems(command, FIELDS))


@pytest.mark.parametrize(
    "command", [own("echo {id} | awk '{print $1}'"), own("echo ${HOME} \\'{id}"), own("echo {address}", scope="all")]
)
def test_good_ones_are_good(command: OwnCommand) -> None:
    assert list(problems(command, FIELDS)) == []


async def test_in_the_background_its_end_and_its_last_word_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "secret")
    line = line_of(own("echo one >&2; echo token=$RAY_AUTH_TOKEN {id} >&2; exit 3"), {"id": "a b"})
    assert await run_in_background(line) == (3, "token= a b")


def test_they_are_read_from_the_settings_and_a_bad_one_does_not_hide_the_others() -> None:
    config_file().parent.mkdir(parents=True)
    config_file().write_text(
        '[[commands]]\nscope = "jobs"\nkey = "ctrl+g"\nlabel = "grep"\ncommand = "grep {id}"\n'
        '[[commands]]\nscope = "jobs"\nkey = "ctrl+g"\nlable = "grep"\ncommand = "x"\n'
    )
    found = load_settings()
    assert [one.label for one in found.commands] == ["grep"]
    assert "command 2 is left out: `lable` is not a known setting; did you mean `label`?" in found.problems[0]
