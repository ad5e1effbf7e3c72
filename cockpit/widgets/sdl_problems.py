"""What is wrong with an SDL, one line each: how grave, where, what, and who refuses it."""

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from cockpit.render.cell_text import clip
from cockpit.render.glyphs import UNICODE, Glyphs
from cockpit.render.sdl import SIDES
from cockpit.render.text import visible
from cockpit.sdl.findings import Problem
from cockpit.widgets.cursor_lines import CursorLines
from cockpit.widgets.tones import tone_classes, tone_css

NARROW = 110
TONES = {"error": "error", "warning": "warn", "info": "quiet"}


class ProblemList(CursorLines):
    """The problems in the order of the text; of a fixed height, for the text must not jump when one comes or goes."""

    STYLES = "problem-list"
    COMPONENT_CLASSES = tone_classes("problem-list") | {"problem-list--cursor", "problem-list--idle-cursor"}
    DEFAULT_CSS = """
    ProblemList { height: 5; width: 1fr; overflow-x: hidden; }
    ProblemList > .problem-list--cursor { background: $primary 25%; }
    ProblemList > .problem-list--idle-cursor { background: $background; }
    """ + tone_css("ProblemList", "problem-list")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Go there", show=False),
    ]

    class Chosen(Message):
        """The cursor of the text shall go where a problem is."""

        def __init__(self, problem: Problem) -> None:
            super().__init__()
            self.problem = problem

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._glyphs = glyphs
        self._signs = {"error": glyphs.failed, "warning": "!", "info": glyphs.separator}
        self._problems: tuple[Problem, ...] = ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is shown."""
        return self._problems

    @property
    def count(self) -> int:
        """How many problems there are."""
        return len(self._problems)

    @property
    def problem(self) -> Problem | None:
        """The one under the cursor."""
        return self._problems[self._cursor] if self._cursor < len(self._problems) else None

    def show(self, problems: Sequence[Problem]) -> None:
        """These problems from now on; the cursor stays with its problem."""
        before = self.problem
        self._problems = tuple(problems)
        same = [at for at, one in enumerate(problems) if before is not None and _identity(one) == _identity(before)]
        self.show_lines(same[0] if same else self._cursor)

    def next(self, row: int) -> Problem | None:
        """The first problem below a row of the text, or the first of all; the cursor goes there."""
        below = [at for at, one in enumerate(self._problems) if one.line - 1 > row]
        if not self._problems:
            return None
        self.go(below[0] if below else 0)
        return self.problem

    def action_choose(self) -> None:
        """Go to where the problem is."""
        if self.problem is not None:
            self.post_message(self.Chosen(self.problem))

    def clicked(self, index: int) -> None:
        """A click goes to where the problem is."""
        self.go(index)
        self.action_choose()

    def line_token(self, y: int, view: Size) -> object:
        """The problem on that line."""
        index = y + round(self.scroll_y)
        problem = self._problems[index] if index < len(self._problems) else None
        return problem, problem is not None and index == self._cursor and self.has_focus, y == 0, view.width

    def paint_line(self, token: object, view: Size) -> Strip:
        """Draw a problem; where there is none, say so once."""
        assert isinstance(token, tuple)
        problem, is_cursor, is_first, _ = token
        base = "cursor" if is_cursor else ""
        pieces = self._pieces(problem, view.width) if problem else [(" no problems" if is_first else "", "quiet")]
        segments = [Segment(text, self.style_of(tone, base)) for text, tone in pieces]
        return Strip(segments).adjust_cell_length(view.width, self.style_of("", base)).simplify()

    def _pieces(self, problem: Problem, width: int) -> list[tuple[str, str]]:
        tone = TONES[problem.severity]
        sides = [SIDES[side] for side in problem.refused_by if side in SIDES]
        tail = f"refused by {' and '.join(sides)}" if sides else "advice"
        if width < NARROW:
            tail = ", ".join(sides) or "advice"
        tail += "  f fix" if problem.fixable else ""
        where = f" {self._signs[problem.severity]} {problem.line}:{problem.column} "
        room = width - len(where) - len(tail) - 3
        if room < 30:
            return [(where, tone), (clip(visible(problem.message), width - len(where), self._glyphs.ellipsis)[0], "")]
        message, used = clip(visible(problem.message), room, self._glyphs.ellipsis)
        return [(where, tone), (message + " " * (room - used + 2), ""), (tail, "quiet")]


def _identity(problem: Problem) -> tuple[str, str]:
    return problem.code, problem.message
