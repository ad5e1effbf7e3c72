"""TOML that somebody wrote by hand: what is read of it when it is broken, and edits that leave the rest alone."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.errors import UsageError
from cockpit.toml_text import readable, tables, with_table, with_value, without_table

WRITTEN = '''\
# mine
secret_command = "pass show {name}"   # keep

# the lab
[contexts.lab]     # here
address = "https://h:1"  # where
token = 'ac-secret://T'
ca = """
[contexts.no]
"""

[contexts.lab.headers]
X-Team = "a # b"

# the other
[contexts."a b"]
address = "h:2"

[ui]  # looks
theme = "dark"
'''


def test_tables_are_found_where_they_stand() -> None:
    found = [(table.path, table.start) for table in tables(WRITTEN)]
    assert found == [
        ((), 0),
        (("contexts", "lab"), 4),
        (("contexts", "lab", "headers"), 11),
        (("contexts", "a b"), 15),
        (("ui",), 18),
    ]


def test_a_table_is_added_at_the_end_and_nothing_else_changes() -> None:
    text = with_table(WRITTEN, ("contexts", "new one"), {"address": 'x"y', "cost": 1.5, "basic": {"user": "u"}})
    assert text.startswith(WRITTEN)
    assert text.removeprefix(WRITTEN) == (
        '\n[contexts."new one"]\naddress = "x\\"y"\ncost = 1.5\nbasic = { user = "u" }\n'
    )


def test_the_first_table_of_an_empty_file() -> None:
    assert with_table("", ("contexts", "lab"), {"address": "h"}) == '[contexts.lab]\naddress = "h"\n'
    assert with_table("# c", ("contexts", "lab"), {"address": "h"}) == '# c\n\n[contexts.lab]\naddress = "h"\n'


def test_a_table_goes_with_what_is_in_it_and_comments_outside_stay() -> None:
    text = without_table(WRITTEN, ("contexts", "lab"))
    assert text == (
        '# mine\nsecret_command = "pass show {name}"   # keep\n\n# the lab\n\n# the other\n[contexts."a b"]\n'
        'address = "h:2"\n\n[ui]  # looks\ntheme = "dark"\n'
    )


def test_the_last_table_goes_from_the_end() -> None:
    assert without_table('a = 1\n\n[contexts.x]\naddress = "h"\n', ("contexts", "x")) == "a = 1\n\n"


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ('[c.x]\npin = "old" # why\nb = 1\n', '[c.x]\npin = "new" # why\nb = 1\n'),
        ("[c.x]\n  pin='old'\n", '[c.x]\n  pin="new"\n'),
        ("[c.x] # head\nb = 1\n", '[c.x] # head\npin = "new"\nb = 1\n'),
    ],
)
def test_a_value_is_set_where_it_stands(text: str, after: str) -> None:
    assert with_value(text, ("c", "x"), "pin", "new") == after


@pytest.mark.parametrize(
    "text",
    [
        'contexts = { lab = { address = "h" } }\n',
        'contexts.lab.address = "h"\n',
        '[contexts]\nlab = { address = "h" }\n',
        '[contexts]\nlab.address = "h"\n',
        "[[contexts]]\n",
    ],
)
def test_what_is_laid_out_in_another_way_is_refused_and_not_damaged(text: str) -> None:
    with pytest.raises(UsageError, match="in a way that this cannot change"):
        without_table(text, ("contexts", "lab"))
    with pytest.raises(UsageError):
        with_value(text, ("contexts", "lab"), "pin", "new")


def test_a_broken_file_is_not_edited() -> None:
    with pytest.raises(UsageError, match="not valid TOML"):
        with_table("a = [", ("contexts", "x"), {"address": "h"})


def test_a_name_that_is_there_is_not_added_again() -> None:
    with pytest.raises(UsageError):
        with_table(WRITTEN, ("contexts", "lab"), {"address": "h"})


NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)


@given(NAMES, NAMES)
def test_adding_and_removing_is_as_if_nothing_had_been(name: str, value: str) -> None:
    if name in ("lab", "a b"):
        return
    added = with_table(WRITTEN, ("contexts", name), {"address": value})
    assert tomllib.loads(added)["contexts"][name] == {"address": value}
    assert tomllib.loads(without_table(added, ("contexts", name))) == tomllib.loads(WRITTEN)


@given(st.integers(0, len(WRITTEN)), st.sampled_from(['"', "[", "]", "=", "\n", '"""', "\x00", "{", "#"]))
def test_whatever_is_typed_into_a_file_something_is_read_and_told(at: int, typed: str) -> None:
    text = WRITTEN[:at] + typed + WRITTEN[at:]
    document, faults = readable(text)
    assert isinstance(document, dict)
    lines = text.count("\n") + 1
    assert all(1 <= fault.line <= lines and fault.column >= 1 for fault in faults)
    try:
        assert (document, faults) == (tomllib.loads(text), [])
    except tomllib.TOMLDecodeError:
        assert faults
