"""The editing session: a view of lines, a document and a history that agree on every byte."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.operations.sdl_editor.editing import EditingSession, LineEdit, Moved
from cockpit.operations.sdl_editor.history import differing, inverse, spliced
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.failures import UnsafeEditError
from cockpit.sdl.services import add_worker_group, set_count

BASE = """\
version: "2.0"
services:
  ray-worker:
    image: rayproject/ray:2.60.0 # pinned
    env:
      - A=1
profiles:
  compute:
    ray-worker:
      resources:
        cpu:
          units: 8
  placement:
    dc:
      pricing:
        ray-worker: {denom: uact, amount: 100}
deployment:
  ray-worker:
    dc:
      profile: ray-worker
      count: 2
"""


@dataclass
class View:
    """Lines as a text area holds them, changed by nothing but what the session says."""

    session: EditingSession
    rows: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rows = self.session.rows()

    def write(self, edit: LineEdit) -> None:
        (top, left), (bottom, right) = edit.start, edit.end
        head, tail = self.rows[top][:left], self.rows[bottom][right:] if bottom < len(self.rows) else ""
        self.rows[top : bottom + 1] = (head + edit.text + tail).split("\n")

    def type(self, start: tuple[int, int], end: tuple[int, int], text: str) -> None:
        self.write(LineEdit(min(start, end), max(start, end), text))
        if not self.session.type(start, end, text):
            self.rows = self.session.rows()

    def follow(self, moved: Moved | None) -> None:
        if moved is not None and moved.edits is None:
            self.rows = self.session.rows()
        for edit in (moved.edits or ()) if moved is not None else ():
            self.write(edit)


def place(view: View, one: int, other: int) -> tuple[int, int]:
    row = one % len(view.rows)
    return row, other % (len(view.rows[row]) + 1)


texts = st.text(alphabet=st.sampled_from("ab: -#\r\n\n\n\t\ufeffé\u2028"), max_size=60)
edits = st.lists(
    st.tuples(
        st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), texts,
        st.sampled_from(["type", "type", "type", "undo", "redo", "replace"]),
    ),
    max_size=12,
)  # fmt: skip


@settings(max_examples=300)
@given(texts, edits)
def test_a_view_that_follows_shows_the_text_and_undo_restores_every_byte(text: str, steps: list[tuple]) -> None:  # type: ignore[type-arg]
    session = EditingSession(text)
    view = View(session)
    for one, two, three, four, words, kind in steps:
        if kind == "undo":
            view.follow(session.undo())
        elif kind == "redo":
            view.follow(session.redo())
        elif kind == "replace":
            view.follow(session.replace(words, "replace"))
        else:
            view.type(place(view, one, two), place(view, three, four), words.replace("\r\n", "\n").replace("\r", "\n"))
        assert view.rows == session.rows()
        assert session.row_count == len(view.rows)
    _all(view, session.redo)
    after = session.text
    _all(view, session.undo)
    assert (session.text, session.is_dirty) == (text, False)
    _all(view, session.redo)
    assert (session.text, session.rows()) == (after, view.rows)


def _all(view: View, step: Callable[[], Moved | None]) -> None:
    while (moved := step()) is not None:
        view.follow(moved)


@given(texts, texts)
def test_differences_lead_there_and_back(before: str, after: str) -> None:
    splices = differing(before, after)
    assert spliced(before, splices) == after
    assert spliced(after, inverse(splices)) == before


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_typing_keeps_line_breaks_and_the_byte_order_mark(newline: str, mark: str) -> None:
    text = mark + newline.join(("a: 1", "b: 2"))
    session = EditingSession(text)
    assert session.rows() == ["a: 1", "b: 2"]
    assert session.type((0, 4), (0, 4), "\nc: 3")
    assert session.text == mark + newline.join(("a: 1", "c: 3", "b: 2"))
    session.undo()
    assert session.text == text


def test_a_form_edit_changes_its_lines_and_marks_them_and_joins_one_history_with_typing() -> None:
    session = EditingSession(BASE)
    session.type((3, 4), (3, 4), "#")
    session.type((3, 5), (3, 5), " ")
    typed = session.text
    session.undo()
    session.redo()
    session.undo()
    moved = session.apply("count", lambda document: set_count(document, "ray-worker", 6))
    assert moved.edits == (LineEdit((20, 0), (21, 0), "      count: 6\n"),)
    assert session.changed_rows == {20}
    session.type((3, 4), (3, 4), "#")
    assert session.changed_rows == frozenset()
    assert session.text == typed.replace("# image", "#image").replace("count: 2", "count: 6")
    session.undo()
    assert session.undo_label == "count"
    session.undo()
    assert session.text == BASE


def test_a_change_in_many_places_leaves_what_is_between_untouched() -> None:
    session = EditingSession(BASE)
    moved = session.apply("clone", lambda document: add_worker_group(document, "ray-worker", "more"))
    assert moved.edits is not None
    assert len(moved.edits) >= 4
    assert all(edit.start == edit.end for edit in moved.edits)
    assert session.failure is None


def test_an_edit_that_is_refused_changes_nothing() -> None:
    text = BASE.replace("image: rayproject/ray:2.60.0 # pinned", "image: &i rayproject/ray:2.60.0") + "x: *i\n"
    session = EditingSession(text)

    def edit(document: SdlDocument) -> None:
        document.set("services.ray-worker.env.A", "2")
        document.set("services.ray-worker.image", "other")

    with pytest.raises(UnsafeEditError):
        session.apply("image", edit)
    assert session.text == text
    assert session.undo_label == ""
    assert session.document.text == text


def test_broken_yaml_is_told_with_its_line_and_the_text_is_edited_on() -> None:
    session = EditingSession(BASE)
    session.type((0, 0), (0, 0), "a: [")
    failure = session.failure
    assert failure is not None
    assert failure.line
    session.undo()
    assert session.failure is None


def test_a_burst_of_typing_is_one_step_and_a_pause_ends_it() -> None:
    now = [0.0]
    session = EditingSession("", clock=lambda: now[0])
    for column, letter in enumerate("version"):
        session.type((0, column), (0, column), letter)
    session.type((0, 6), (0, 7), "")
    now[0] += 5
    session.type((0, 6), (0, 6), "x")
    session.undo()
    assert session.text == "versio"
    session.undo()
    assert session.text == ""
    assert session.undo() is None


def test_forgetting_leaves_no_way_back() -> None:
    session = EditingSession("a: secret\n")
    session.type((0, 3), (0, 9), "x")
    session.forget()
    assert session.undo() is None
    assert session.is_dirty
    assert "secret" not in repr(session)
