"""Edits change what they name and nothing else; undo brings every byte back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    document = SdlDocument(ODD)
    document.set(path, value)
    assert document.text == ODD.replace(old, new, 1)
    assert document.undo()
    assert document.text == ODD


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
    assert not document.undo_labels


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
    document = SdlDocument(base)
    with document.one_step("both"):
        document.set("services.web.image", "a:1")
        document.set("deployment.web.dc.count", 3)
    assert document.undo_labels == ["both"]
    changed = document.text
    assert document.undo()
    assert document.text == base
    assert document.redo()
    assert document.text == changed
    assert not document.redo()


def test_a_failing_step_leaves_nothing_behind(base: str) -> None:
    document = SdlDocument(base)
    document.set("deployment.web.dc.count", 2)
    before = document.text

    def half() -> None:
        with document.one_step("half"):
            document.set("services.web.image", "a:1")
            document.remove("nope")

    with pytest.raises(MissingNodeError):
        half()
    assert document.text == before
    assert document.undo_labels == ["set deployment.web.dc.count"]


def test_forget_drops_the_texts_that_held_a_secret(base: str) -> None:
    document = SdlDocument(base)
    document.set("services.web.env.KEY", "hunter2")
    document.set("services.web.env.KEY", "ac-secret://KEY")
    assert document.forget(lambda text: "hunter2" in text) == 1
    assert document.undo()
    assert document.text == base
    assert "hunter2" not in repr(document)


def test_text_from_an_editor_may_be_broken(base: str) -> None:
    document = SdlDocument(base)
    document.replace_text(base + "  : [")
    with pytest.raises(SdlError):
        document.set("version", "2.1")
    assert document.undo()
    assert document.get("version") == "2.0"


def test_every_corpus_file_keeps_its_bytes_and_each_value_its_neighbours(corpus_texts: dict[str, str]) -> None:
    """Every tenth value of every file; the stride walks over the values from file to file."""
    for number, (name, text) in enumerate(corpus_texts.items()):
        document = SdlDocument(text)
        assert document.text.encode() == text.encode()
        try:
            values = list(paths_of(document.tree))
        except SdlError:
            continue
        for path, node in values[number % 10 :: 10]:
            _set_and_undo(document, text, path, other(meaning(node)), (node.start, node.end), name)


def _set_and_undo(
    document: SdlDocument, text: str, path: tuple[str | int, ...], value: Simple, span: tuple[int, int], name: str
) -> None:
    try:
        document.set(path, value)
    except SdlError:
        assert name.startswith("edge/"), f"{name} {path} is refused"
    else:
        assert document.get(path) == value, (name, path)
        assert document.text.startswith(text[: span[0]]), (name, path)
        assert document.text.endswith(text[span[1] :]), (name, path)
        assert document.undo()
    assert document.text == text


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
    document = SdlDocument(ODD)
    try:
        document.set(path, value)
    except SdlError:
        assert any(0xD800 <= ord(character) < 0xE000 for character in value)
        return
    assert document.get(path) == value
    if document.text != ODD:
        assert document.undo()
    assert document.text == ODD


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
