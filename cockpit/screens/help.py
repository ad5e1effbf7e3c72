"""Every key that does something where the user is, in as many columns as fit."""

import textwrap
from collections.abc import Mapping, Sequence

from textual.content import Content
from textual.widget import Widget

from cockpit.actions import Action, in_scope, key_name, keys_of
from cockpit.operations.own_commands import EVERYWHERE
from cockpit.panes.base import Pane
from cockpit.panes.registry import entries
from cockpit.render.cell_text import cell_width, clip
from cockpit.screens.text import TextDialog
from cockpit.settings import OwnCommand
from cockpit.widgets.bound_names import bound_lines

Lines = list[tuple[str, str]]

COLUMN = 46
GAP = 3


def help_lines(
    pane: Pane, focused: Widget | None, remapped: Mapping[str, str], own: Sequence[OwnCommand] = ()
) -> Lines:
    """Keys and what they do: those of the pane first, since one asks from there; `remapped` are the user's own."""
    lines = [(pane.TITLE, ""), *_key_lines(in_scope((pane.NAME, *pane.SCOPES)), remapped)]
    mine = [(key_name(one.key), one.label) for one in own if one.scope in (pane.NAME, EVERYWHERE)]
    lines += [("your commands", ""), *mine] if mine else []
    lines += [("everywhere", ""), *_key_lines(in_scope(("app",)), remapped)]
    lines += [("panes", ""), *((entry.key, f"Go to {entry.title}") for entry in entries() if entry.key)]
    lines += [(":name", f"Open {', '.join(entry.name.replace('_', '-') for entry in entries() if not entry.key)}")]
    cursor = bound_lines(focused, remapped) if focused is not None else []
    return [*lines, ("the cursor", ""), *cursor] if cursor else lines


def _key_lines(actions: list[Action], remapped: Mapping[str, str]) -> Lines:
    return [(" ".join(keys_of(action, remapped)), action.description) for action in actions if action.keys]


def columns_of(lines: Sequence[tuple[str, str]], count: int) -> list[Lines]:
    """The lines in so many columns of about the same height, in order, a blank one between sections."""
    titles = sum(not text for _, text in lines)
    height = -(-(len(lines) + titles - 1) // count)
    columns: list[Lines] = [[]]
    for line in lines:
        is_title = not line[1]
        # A title needs a line above it, and one below.
        if columns[-1] and len(columns) < count and len(columns[-1]) + 2 * is_title >= height:
            columns.append([])
        columns[-1] += [("", ""), line] if is_title and columns[-1] else [line]
    return columns


class HelpDialog(TextDialog):
    """The keys, side by side."""

    def _content(self, room: int) -> Content:
        count = max(1, (room + GAP) // (COLUMN + GAP))
        columns = columns_of(self._lines, count)
        width = (room - GAP * (len(columns) - 1)) // len(columns)
        blocks = [_block(column, width) for column in columns]
        rows = [
            Content(" " * GAP).join(block[at] if at < len(block) else Content(" " * width) for block in blocks)
            for at in range(max(map(len, blocks)))
        ]
        return Content("\n").join(rows)


def _block(lines: Lines, width: int) -> list[Content]:
    """A column: keys in a column of their own, each line as wide as the block."""
    keys = max((cell_width(key) for key, text in lines if text), default=0)
    return [part for key, text in lines for part in (_line(key, text, keys, width) if text else [_title(key, width)])]


def _title(text: str, width: int) -> Content:
    shown, size = clip(text, width)
    return Content.styled(shown, "$text-primary bold") + Content(" " * (width - size))


def _line(key: str, text: str, keys: int, width: int) -> list[Content]:
    """A key and what it does, in as many lines as that takes."""
    shown, size = clip(key, keys)
    room = max(8, width - keys - 2)
    pieces = [clip(piece, room) for piece in textwrap.wrap(text, room)]
    heads = [shown + " " * (keys - size + 2), *[" " * (keys + 2)] * (len(pieces) - 1)]
    return [
        Content.styled(head, "$text-muted") + Content(said + " " * (room - used))
        for head, (said, used) in zip(heads, pieces, strict=True)
    ]
