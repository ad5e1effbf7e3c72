"""What the rows of the form are made of."""

from collections.abc import Iterable
from pathlib import Path as FilePath
from typing import Literal, TypeAlias

import msgspec

from cockpit.sdl.document import SdlDocument, paths_of
from cockpit.sdl.nodes import Node, elements, fields, resolved
from cockpit.sdl.paths import Path, Step, spelled

Kind: TypeAlias = Literal["section", "field", "add", "also", "reason"]


class FormRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row. `key` stays the same while its place does; `field` and `args` say which edit it makes.

    `text` is what an editor of the value begins with, `hint` what can be written there, `known` the set that its
    completion takes from; `line` counts from 1, 0 where the file has none yet.
    """

    key: str
    kind: Kind = "field"
    label: str = ""
    value: str = ""
    note: str = ""
    tone: str = ""
    field: str = ""
    args: tuple[Step, ...] = ()
    text: str = ""
    hint: str = ""
    known: str = ""
    line: int = 0
    is_removable: bool = False


class Cover:
    """Which parts of the document the form shows, and in which line they are."""

    def __init__(self, document: SdlDocument) -> None:
        self._document = document
        self._shown: set[Path] = set()
        self._nodes: dict[Path, Node | None] = {(): resolved(document.tree.root)}

    def line(self, *path: Step) -> int:
        """The line of a part that the form shows from now on; 0 where the document has none."""
        self._shown.add(path)
        return self.look(*path)

    def look(self, *path: Step) -> int:
        """The line of a part; 0 where the document has none."""
        node = self._node(path)
        return 0 if node is None else self._document.tree.lines.position(node.start)[0]

    def _node(self, path: Path) -> Node | None:
        # Not by the document's own way, which says what is missing: here much is, and the reason is not shown.
        if path not in self._nodes:
            above, step = self._node(path[:-1]), path[-1]
            found = elements(above)[step : step + 1] if isinstance(step, int) else [fields(above).get(step)]
            self._nodes[path] = found[0] if found else None
        return self._nodes[path]

    def rest(self) -> Iterable[tuple[str, int]]:
        """What is not shown, as few paths as say it all, with their lines."""
        above = {path[:depth] for path in self._shown for depth in range(len(path))}
        found: dict[Path, int] = {}
        for path, node in paths_of(self._document.tree):
            depths = range(1, len(path) + 1)
            if any(path[:depth] in self._shown for depth in depths):
                continue
            part = next((path[:depth] for depth in depths if path[:depth] not in above), path)
            found.setdefault(part, self._document.tree.lines.position(node.start)[0])
        return [(spelled(path), line) for path, line in found.items()]


def start_rows(recent: Iterable[FilePath]) -> list[FormRow]:
    """Where to start without an SDL: a template, a file, or a recent file."""
    rows = [
        FormRow(
            key="start:new", label="new", value="a Ray cluster from a template", note="ctrl+n",
            field="start", args=("sdl_new",), hint="with or without GPUs, ready to deploy",
        ),
        FormRow(
            key="start:open", label="open", value="an SDL that you have", note="ctrl+o", field="start",
            args=("sdl_open",), hint="parts that the form does not know stay unchanged",
        ),
    ]  # fmt: skip
    lately = [
        FormRow(
            key=f"start:{path}", label=path.name, value=str(path.parent), field="start", args=("sdl_open", str(path)),
            hint=f"open {path}",
        )
        for path in recent
    ]  # fmt: skip
    return [*rows, *([FormRow(key="lately", kind="section", label="Used lately"), *lately] if lately else [])]
