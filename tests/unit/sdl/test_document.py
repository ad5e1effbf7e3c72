"""Edits change what they name and nothing else; an editor's undo brings every byte back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.operations.sdl_editor.editing import EditingSession
from cockpit.sdl.document import SdlDocument, paths_of
from cockpit.sdl.failures import MissingNodeError, SdlError, UnsafeEditError
from cockpit.sdl.parser import parse
from cockpit.sdl.scalars import Simple, meaning

ODD = (
    "\ufeff# head\r\nversion: '2.0'   # quoted\r\nservices:\r\n   web:  # odd\r\n"
    "      image:   nginx:1.27 # tag\r\n"
    '      env: [A=1,  "B=2 😀"]\r\n      args:\r\n'
    '      - |+ # script\r\n         echo "ü"\r\n\r\n      - >-\r\n         one\r\n         two\r\n'
    "      expose:\r\n      - {port: 80, to: [{global: true}]}\r\n      credentials:\r\n"
    "      # last"
)


@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        ("version", "2.1", "'2.0'", "'2.1'"),
        ("services.web.image", "ray:2", "nginx:1.27", "ray:2"),
        ("services.web.image", "a: b", "nginx:1.27", '"a: b"'),
        ("services.web.env.A", "22", "A=1", "A=22"),
        ("services.web.env.B", "x\ny", '"B=2 😀"', '"B=x\\ny"'),
        ("services.web.env.0", "A=1,2", "A=1", '"A=1,2"'),
        (
            "services.web.args.0",
            "exit 1\n",
            '|+ # script\r\n         echo "ü"\r\n',
            "| # script\r\n         exit 1",
        ),
        ("services.web.args.1", "three", ">-\r\n         one\r\n         two", ">-\r\n         three"),
        ("services.web.expose.0.port", 8080, "port: 80", "port: 8080"),
        ("services.web.expose.0.to.0.global", False, "global: true", "global: false"),
        ("services.web.credentials", "none", "credentials:", "credentials: none"),
    ],
)
def test_set_replaces_one_span(path: str, value: Simple, old: str, new: str) -> None:
    session = EditingSession(ODD)
    session.apply("set", lambda document: document.set(path, value))
    assert session.text == ODD.replace(old, new, 1)
    assert session.undo()
    assert session.text == ODD


def test_positions_survive_a_byte_order_mark_and_odd_line_breaks() -> None:
    document = SdlDocument(ODD)
    assert document.position("version") == (2, 10)
    assert document.get("services.web.env.B") == "2 😀"
    assert document.position("services.web.expose.0.port") == (15, 16)
    assert SdlDocument("\ufeffa: 1").position("a") == (1, 4)


def test_line_separators_inside_a_value_are_no_lines() -> None:
    document = SdlDocument("a: 'x\u2028y'\nb: 1\n")
    assert document.position("b") == (2, 4)
    document.set("b", 2)
    assert document.text == "a: 'x\u2028y'\nb: 2\n"


def test_set_adds_a_missing_key_and_env_entry(base: str) -> None:
    document = SdlDocument(base)
    document.set("services.web.env.TOKEN", "ac-secret://TOKEN")
    document.set("services.web.expose.0.proto", "tcp")
    assert document.get("services.web.env") == ["TOKEN=ac-secret://TOKEN"]
    assert "        proto: tcp\n    env:\n      - TOKEN=ac-secret://TOKEN\nprofiles:" in document.text
    document.set("services.web.env.TOKEN", "x")
    assert document.get("services.web.env.TOKEN") == "x"


def test_insert_lays_out_blocks_as_the_document_does() -> None:
    document = SdlDocument("a:\n    b:\n    - x\n    c:\n        d: 1 # one\n# end")
    document.insert("a.c.e", {"f": [1, {"g": "h"}], "i": {}})
    assert document.text == (
        "a:\n    b:\n    - x\n    c:\n        d: 1 # one\n        e:\n            f:\n            - 1\n"
        "            - g: h\n            i: {}\n# end"
    )


def test_insert_keeps_a_json_document_json() -> None:
    document = SdlDocument('{"a": {"b": [1]}, "c": []}')
    document.insert("a.d", {"x": "y"})
    document.append("a.b", 2)
    document.append("c", "z")
    assert document.text == '{"a": {"b": [1, 2], "d": {"x": "y"}}, "c": ["z"]}'


def test_insert_after_a_key_and_in_front_of_an_item() -> None:
    document = SdlDocument("a: 1\nc: 3\nl:\n  - y\n")
    document.insert("b", 2, after="a")
    document.insert("l.0", "x")
    assert document.text == "a: 1\nb: 2\nc: 3\nl:\n  - x\n  - y\n"


def test_remove_takes_whole_lines_and_leaves_comments() -> None:
    document = SdlDocument("a:\n  # keep\n  - x # own\n  # keep too\nb: 1")
    document.remove("a.0")
    assert document.text == "a: []\n  # keep\n  # keep too\nb: 1"
    document.remove("b")
    assert document.text == "a: []\n  # keep\n  # keep too"


def test_remove_the_first_key_behind_a_dash() -> None:
    document = SdlDocument("a:\n- k: 1\n  # why\n  l: 2\n- {m: 1, n: 2}\n")
    document.remove("a.0.k")
    document.remove("a.1.m")
    assert document.text == "a:\n- # why\n  l: 2\n- {n: 2}\n"


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ("a: &x 1\nb: *x\n", "b", 2),
        ("a: &x 1\nb: *x\n", "a", 1),
        ("a: &x {k: 1}\nb: *x\n", "b.k", 2),
        ("a: &x {k: 1}\nb: {<<: *x}\n", "b.k", 2),
        ("a: 1\n---\nb: 2\n", "a", 2),
        ("a: 1\na: 2\n", "a", 2),
        ("a: {b: 1}\n", "a", 1),
    ],
)
def test_an_edit_that_reaches_further_is_refused_with_its_line(text: str, path: str, line: int) -> None:
    document = SdlDocument(text)
    with pytest.raises(UnsafeEditError) as refused:
        document.set(path, "new")
    assert refused.value.line == line
    assert document.text == text


def test_a_missing_path_names_what_is_there(base: str) -> None:
    with pytest.raises(MissingNodeError, match=r"'nope' in services.web \(line 4\)") as missing:
        SdlDocument(base).get("services.web.nope")
    assert "image" in missing.value.hint
    for path in ("a..b", '"a', "a."):
        with pytest.raises(MissingNodeError):
            SdlDocument(base).get(path)


def test_a_key_with_a_dot_is_quoted() -> None:
    document = SdlDocument("a: {x.y: 1}\n")
    document.set('a."x.y"', 2)
    assert document.text == "a: {x.y: 2}\n"


def test_undo_redo_and_steps(base: str) -> None:
    def both(document: SdlDocument) -> None:
        document.set("services.web.image", "a:1")
        document.set("deployment.web.dc.count", 3)

    session = EditingSession(base)
    session.apply("both", both)
    assert session.undo_label == "both"
    changed = session.text
    assert session.undo()
    assert session.text == base
    assert session.redo_label == "both"
    assert session.redo()
    assert session.text == changed
    assert session.redo() is None


def test_edits_of_which_one_fails_leave_nothing_behind(base: str) -> None:
    document = SdlDocument(base)
    document.set("deployment.web.dc.count", 2)
    before = document.text

    def half() -> None:
        with document.all_or_none():
            document.set("services.web.image", "a:1")
            document.remove("nope")

    with pytest.raises(MissingNodeError):
        half()
    assert document.text == before
    assert document.get("services.web.image") != "a:1"
    document.set("services.web.image", "b:1")
    assert document.text != before


def test_broken_text_is_kept_and_refuses_edits(base: str) -> None:
    session = EditingSession(base)
    session.replace(base + "  : [", "typing")
    with pytest.raises(SdlError):
        session.apply("set", lambda document: document.set("version", "2.1"))
    assert session.undo_label == "typing"
    assert session.undo()
    assert session.document.get("version") == "2.0"


@pytest.mark.lengthy
def test_every_corpus_file_keeps_its_bytes_and_each_value_its_neighbors(corpus_texts: dict[str, str]) -> None:
    """Every tenth value of every file; the stride walks over the values from file to file."""
    for number, (name, text) in enumerate(corpus_texts.items()):
        session = EditingSession(text)
        assert session.text.encode() == text.encode()
        try:
            values = list(paths_of(session.document.tree))
        except SdlError:
            continue
        for path, node in values[number % 10 :: 10]:
            _set_and_undo(session, path, other(meaning(node)), (node.start, node.end), name)


def _set_and_undo(
    session: EditingSession, path: tuple[str | int, ...], value: Simple, span: tuple[int, int], name: str
) -> None:
    text = session.text
    try:
        session.apply("set", lambda document: document.set(path, value))
    except SdlError:
        assert name.startswith("edge/"), f"{name} {path} is refused"
    else:
        assert session.document.get(path) == value, (name, path)
        assert session.text.startswith(text[: span[0]]), (name, path)
        assert session.text.endswith(text[span[1] :]), (name, path)
        assert session.undo()
    assert session.text == text


def other(value: Simple) -> Simple:
    """Another value of the same kind."""
    if value is None:
        return "filled"
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return value[:-1] + "x: # \n" if value.endswith("\n") else value + "-x"


@given(
    st.text(max_size=40),
    st.sampled_from(["services.web.image", "services.web.env.B", "services.web.args.0", "version"]),
)
def test_any_text_can_be_set_anywhere(value: str, path: str) -> None:
    session = EditingSession(ODD)
    try:
        session.apply("set", lambda document: document.set(path, value))
    except SdlError:
        assert any(0xD800 <= ord(character) < 0xE000 for character in value)
        return
    assert session.document.get(path) == value
    if session.text != ODD:
        assert session.undo()
    assert session.text == ODD


@pytest.mark.lengthy
@settings(max_examples=100, database=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(), st.lists))
def test_any_value_can_be_inserted(value: object) -> None:
    document = SdlDocument("a:\n  b: 1 # c\nd: [x]\n")
    try:
        document.insert("a.new", value)  # type: ignore[arg-type]
        document.append("d", value)  # type: ignore[arg-type]
    except UnsafeEditError:
        assert any(0xD800 <= ord(character) < 0xE000 for character in repr(value))
        return
    assert document.get("a.new") == value
    assert document.get("d.1") == value
    assert parse(document.text).documents == 1
