"""A picture of an SDL: its services as boxes, and lines with ports from their callers.

    ┌──────────┐         ┌─────────┐         ┌──────────┐         ┌───────────────┐
    │ internet ├─ 8443 ─▶│ gateway ├─ 8265 ─▶│ ray-head │◀─ 6379 ─┤ ray-worker ×6 │
    └──────────┘         └─────────┘         └──────────┘         └───────────────┘

Where it does not fit in the width, or the lines would cross, the same is drawn as a tree. The rows are those of
`sdl show --json`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from cockpit.render.cell_text import cell_width, clip
from cockpit.render.text import visible

Record = Mapping[str, Any]

INTERNET = "internet"
EVERY = "every service"
MOST_SERVICES = 200
LONGEST_PORTS = 3

# The picture's characters for terminals with ASCII alone.
ASCII = str.maketrans("┌┐└┘├┤│─▶◀▼▲×…–·", "++++++|-><v^x.-.")


class Edge(msgspec.Struct, frozen=True):
    """Who reaches whom, and on which ports as the reached service calls them."""

    origin: str
    target: str
    ports: tuple[str, ...]

    @property
    def label(self) -> str:
        """The ports in a few characters."""
        shown = ",".join(self.ports[:LONGEST_PORTS])
        return f"{shown},…" if len(self.ports) > LONGEST_PORTS else shown


def diagram(services: Sequence[Record], *, width: int | None = None, ascii_only: bool = False) -> list[str]:
    """Lines of at most `width` columns; empty without a service. Safe for a terminal."""
    shown = services[:MOST_SERVICES]
    if not shown:
        return []
    edges = edges_of(shown)
    lines = _boxes(shown, edges, width) or _tree(shown, edges)
    if len(services) > len(shown):
        lines.append(f"… and {len(services) - len(shown)} services more")
    lines = [line.rstrip() if width is None else clip(line.rstrip(), width)[0] for line in lines]
    return [line.translate(ASCII) for line in lines] if ascii_only else lines


def edges_of(services: Sequence[Record]) -> list[Edge]:
    """Who reaches whom, in the order of the file; the ports of one pair together."""
    ports: dict[tuple[str, str], list[str]] = {}
    names = {str(service["name"]) for service in services}
    for service in services:
        for port in service["ports"]:
            key = (_origin(port, names), str(service["name"]))
            word = _word(port)
            if word not in ports.setdefault(key, []):
                ports[key].append(word)
    return [Edge(origin, target, tuple(words)) for (origin, target), words in ports.items()]


def _origin(port: Record, names: set[str]) -> str:
    if port["kind"] != "internal":
        return INTERNET
    target = str(port["target"] or "")
    return target if target in names else EVERY


def _word(port: Record) -> str:
    number = port["external"] if port["kind"] != "random" else port["port"]
    proto = "" if port["proto"] == "TCP" else f"/{str(port['proto']).lower()}"
    return visible(f"{'?' if number is None else number}{proto}")


def _labels(services: Sequence[Record]) -> dict[str, str]:
    labels = {INTERNET: INTERNET, EVERY: EVERY}
    for service in services:
        count = service["count"]
        times = "" if count in (None, 1) else f" ×{count}"
        labels[str(service["name"])] = f"{visible(str(service['name']))}{times}"
    return labels


# --- boxes -----------------------------------------------------------------------------------------------------------


def _boxes(services: Sequence[Record], edges: Sequence[Edge], width: int | None) -> list[str]:
    """The picture with boxes; empty where it is too wide, or a line would have to go around a box."""
    labels = _labels(services)
    columns = _columns(services, edges)
    place = {name: index for index, names in enumerate(columns) for name in names}
    if not columns or any(abs(place[edge.origin] - place[edge.target]) != 1 for edge in edges):
        return []
    grids = [_Column(names, labels) for names in columns]
    gaps = [_gap(edges, place, index) for index in range(len(columns) - 1)]
    if width is not None and sum(grid.width for grid in grids) + sum(gaps) > width:
        return []
    for edge in edges:
        _connect(edge, grids, place)
    for index in reversed(range(len(grids))):
        grids[index].measure(grids[index + 1] if index + 1 < len(grids) else None)
    return _drawn(grids, gaps)


def _columns(services: Sequence[Record], edges: Sequence[Edge]) -> list[list[str]]:
    """Boxes by columns: what the internet reaches first, then what that reaches; who only asks, behind whom it asks."""
    names = [str(service["name"]) for service in services]
    reached = {edge.target: [one.origin for one in edges if one.target == edge.target] for edge in edges}
    starts = [name for name in (INTERNET, EVERY) if any(edge.origin == name for edge in edges)]
    depth = dict.fromkeys(starts, 0) or {names[0]: 0}
    _spread(depth, edges)
    for name in names:
        asked = [depth[edge.target] for edge in edges if edge.origin == name and edge.target in depth]
        if name not in depth and asked:
            depth[name] = max(asked) + 1
    for name in names:
        depth.setdefault(name, 1 if starts and name not in reached else 0)
    return [
        found
        for level in range(max(depth.values(), default=0) + 1)
        if (found := [name for name in (*starts, *names) if depth[name] == level])
    ]


def _spread(depth: dict[str, int], edges: Sequence[Edge]) -> None:
    """Give everything that is reached from what has a depth its own, breadth first."""
    waiting = list(depth)
    for name in waiting:
        for edge in edges:
            if edge.origin == name and edge.target not in depth:
                depth[edge.target] = depth[name] + 1
                waiting.append(edge.target)


class _Column:
    """Boxes one below the other; each line that goes in or out has a row of its own."""

    def __init__(self, names: Sequence[str], labels: Mapping[str, str]) -> None:
        self.names = list(names)
        self.labels = labels
        self.width = max(cell_width(labels[name]) for name in names) + 4
        self.left: dict[str, list[Edge]] = {name: [] for name in names}
        self.right: dict[str, list[Edge]] = {name: [] for name in names}

        self.offsets: dict[Edge, int] = {}
        self.heights: dict[str, int] = {}

    def measure(self, after: "_Column | None") -> None:
        """Give each line to the right a row, with room between those that go to different boxes."""
        for name in self.names:
            if after is not None:
                self.right[name].sort(key=lambda edge: after.names.index(_other(edge, name)))
            row = 0
            before: str | None = None
            for edge in self.right[name]:
                other = _other(edge, name)
                if after is not None and before not in (None, other):
                    row = max(row, self._top_of(before, name) + after.heights[str(before)] + 2)
                self.offsets[edge] = row
                before, row = other, row + 1
            self.heights[name] = max(1, len(self.left[name]), row)

    def _top_of(self, other: str | None, name: str) -> int:
        rows = [
            self.offsets[edge]
            for edge in self.right[name]
            if other in (edge.origin, edge.target) and edge in self.offsets
        ]
        return min(rows)

    def rows(self, name: str) -> int:
        """How many rows the inside of a box has."""
        return self.heights[name]


def _other(edge: Edge, name: str) -> str:
    return edge.target if edge.origin == name else edge.origin


def _gap(edges: Sequence[Edge], place: Mapping[str, int], index: int) -> int:
    """The room between a column and the next, wide enough for its labels."""
    between = [edge for edge in edges if {place[edge.origin], place[edge.target]} == {index, index + 1}]
    return max((cell_width(edge.label) for edge in between), default=0) + 5


def _connect(edge: Edge, grids: Sequence[_Column], place: Mapping[str, int]) -> None:
    first, second = sorted((edge.origin, edge.target), key=lambda name: place[name])
    grids[place[first]].right[first].append(edge)
    grids[place[second]].left[second].append(edge)


def _drawn(grids: Sequence[_Column], gaps: Sequence[int]) -> list[str]:
    """Boxes beside each other where all lines are straight; empty where one would not be."""
    tops = _tops(grids)
    if tops is None:
        return []
    height = max(tops[name] + grid.rows(name) + 2 for grid in grids for name in grid.names)
    canvas = [[" "] * (sum(grid.width for grid in grids) + sum(gaps)) for _ in range(height)]
    x = 0
    for index, grid in enumerate(grids):
        for name in grid.names:
            _draw_box(canvas, grid, name, x, tops[name])
        x += grid.width + (gaps[index] if index < len(gaps) else 0)
    x = 0
    for index, gap in enumerate(gaps):
        x += grids[index].width
        _draw_lines(canvas, grids[index], tops, x, gap)
        x += gap
    return ["".join(row) for row in canvas]


def _tops(grids: Sequence[_Column]) -> dict[str, int] | None:
    """The row at which each box begins, so that every line is straight; None where that cannot be."""
    tops: dict[str, int] = {}
    for index, grid in enumerate(grids):
        least = 0
        for name in grid.names:
            grid.left[name].sort(key=lambda edge: _row_of(edge, grids, index - 1, tops))
            wanted = [_row_of(edge, grids, index - 1, tops) - row - 1 for row, edge in enumerate(grid.left[name])]
            if len(set(wanted)) > 1:
                return None
            top = wanted[0] if wanted else least
            if top < least:
                return None
            tops[name] = top
            least = top + grid.rows(name) + 2
    return tops


def _row_of(edge: Edge, grids: Sequence[_Column], index: int, tops: Mapping[str, int]) -> int:
    """The row of the canvas at which a line leaves its box in the column before."""
    grid = grids[index]
    name = edge.origin if edge.origin in grid.right else edge.target
    return tops[name] + 1 + grid.offsets[edge]


def _draw_box(canvas: list[list[str]], grid: _Column, name: str, x: int, top: int) -> None:
    rows = grid.rows(name)
    inner = grid.width - 2
    _put(canvas, top, x, "┌" + "─" * inner + "┐")
    for row in range(rows):
        text = grid.labels[name] if row == 0 else ""
        padded = f" {text}" + " " * (inner - 1 - cell_width(text))
        _put(canvas, top + 1 + row, x, "│" + padded + "│")
    _put(canvas, top + rows + 1, x, "└" + "─" * inner + "┘")


def _draw_lines(canvas: list[list[str]], grid: _Column, tops: Mapping[str, int], x: int, gap: int) -> None:
    """The lines between a column and the next; `x` is where the gap begins."""
    for name in grid.names:
        for edge in grid.right[name]:
            y = tops[name] + 1 + grid.offsets[edge]
            label = f" {edge.label} "
            rest = "─" * (gap - 2 - cell_width(label))
            if edge.origin == name:
                _put(canvas, y, x - 1, f"├─{label}{rest}▶│")
            else:
                _put(canvas, y, x - 1, f"│◀{rest}{label}─┤")


def _put(canvas: list[list[str]], y: int, x: int, text: str) -> None:
    """Write a text; a wide character takes the cell behind it too."""
    for character in text:
        taken = cell_width(character)
        if taken == 0:
            continue
        canvas[y][x] = character
        if taken == 2:
            canvas[y][x + 1] = ""
        x += taken


# --- tree ------------------------------------------------------------------------------------------------------------


def _tree(services: Sequence[Record], edges: Sequence[Edge]) -> list[str]:
    """Each service below its caller; one that only calls, below its callee with an arrow back."""
    labels = _labels(services)
    names = [str(service["name"]) for service in services]
    drawn: set[str] = set()
    lines: list[str] = []
    starts = [name for name in (INTERNET, EVERY) if any(edge.origin == name for edge in edges)]
    for name in (*starts, *names):
        if name not in drawn:
            lines.append(labels[name])
            drawn.add(name)
            lines += _branches(name, edges, labels, drawn)
    return lines


def _branches(name: str, edges: Sequence[Edge], labels: Mapping[str, str], drawn: set[str]) -> Iterable[str]:
    """The branches below a name, without recursion: an SDL may have a long chain of services."""
    lines: list[str] = []
    stack: list[tuple[str, str, list[Edge]]] = [(name, "", _own(name, edges))]
    done: set[Edge] = set()
    while stack:
        name, indent, rest = stack.pop()
        rest = [edge for edge in rest if edge not in done]
        if not rest:
            continue
        edge, others = rest[0], rest[1:]
        done.add(edge)
        stack.append((name, indent, others))
        forward = edge.origin == name
        other = edge.target if forward else edge.origin
        known = other in drawn
        corner = "├" if others else "└"
        arrow = f"{corner}─ {edge.label} ─▶" if forward else f"{corner}◀ {edge.label} ──"
        lines.append(f"{indent}{arrow} {labels[other]}{' (above)' if known else ''}")
        if not known:
            drawn.add(other)
            stack.append((other, indent + ("│  " if others else "   "), _own(other, edges)))
    return lines


def _own(name: str, edges: Sequence[Edge]) -> list[Edge]:
    """Lines of a service: to what it reaches, then from who reaches it; the internet and `every service` only give."""
    out = [edge for edge in edges if edge.origin == name]
    back = [edge for edge in edges if edge.target == name and edge.origin not in (name, INTERNET, EVERY)]
    return out + back
