"""SDLs as text: problems, tables of services, what becomes of ports, and who reaches whom.

The rows are those that the commands print with `--json`.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from cockpit.render import plain
from cockpit.render.sdl_diagram import ASCII, diagram
from cockpit.render.table import WIDEST, Cell, Column, Flexible, Row, RowContext, TableSpec, text_column
from cockpit.render.text import visible
from cockpit.render.units import UNKNOWN

Record = Mapping[str, Any]

SIDES = {"go": "Go", "typescript": "Console", "chain": "the chain"}
_UNITS = ((1 << 40, "Ti"), (1 << 30, "Gi"), (1 << 20, "Mi"), (1 << 10, "Ki"))

SERVICES = (
    text_column("SERVICE"),
    text_column("ROLE", priority=3),
    text_column("COUNT", right=True),
    text_column("CPU", right=True),
    text_column("MEMORY", right=True),
    text_column("SHM", right=True, priority=2),
    text_column("DISK", right=True, priority=1),
    text_column("GPU"),
    text_column("USD/HOUR", right=True),
    text_column("PLACEMENT", priority=5),
    text_column("IMAGE", shrink=True, priority=4),
)


# --- lint ------------------------------------------------------------------------------------------------------------


def problem_line(file: str, problem: Record) -> str:
    """One problem, in the form that editors can jump to."""
    sides = [SIDES[side] for side in problem["refused_by"] if side in SIDES]
    refused = f" [refused by {' and '.join(sides)}]" if sides else ""
    fixable = " [sdl fix]" if problem["fixable"] else ""
    where = f"{file}:{problem['line']}:{problem['column']}"
    return visible(f"{where}: {problem['severity']} {problem['code']}: {problem['message']}{refused}{fixable}")


def verdict_line(row: Record) -> str:
    """What both parsers say of a file, and how much there is to look at."""
    refusing = [SIDES[side] for side in ("go", "typescript") if not row[side]]
    verdict = f"refused by {' and '.join(refusing)}" if refusing else "portable"
    severities = [problem["severity"] for problem in row["problems"]]
    counts = [_count(severities.count(one), one) for one in ("error", "warning", "info") if one in severities]
    return visible(f"{row['file']}: {verdict}, {', '.join(counts) or 'no problems'}")


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'s' if number != 1 and word != 'info' else ''}"


def text_diff(before: str, after: str, file: str) -> list[str]:
    """What changes in the text, as `diff -u` shows it; both texts must be fit to be shown."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), file, file, n=2, lineterm="")
    return [visible(line) for line in lines]


# --- templates -------------------------------------------------------------------------------------------------------


def template_row(row: Record, _: RowContext) -> Row:
    """One template."""
    cost = row["usd_per_hour"]
    return Row(row["name"], (row["name"], str(row["gpus"]), Cell(dollars(cost), sort=cost), row["title"]))


TEMPLATES: TableSpec[Record] = TableSpec(
    name="templates",
    title="Templates",
    columns=(
        Column(key="name", title="TEMPLATE", priority=0),
        Column(key="gpus", title="GPUS", align="right", priority=1),
        Column(key="cost", title="USD/HOUR", align="right", priority=1),
        Column(key="title", title="DESCRIPTION", width=Flexible(20, WIDEST), priority=2),
    ),
    row=template_row,
    record=dict,
    empty="No templates.",
    id_column="name",
)


def dollars(usd: float | None) -> str:
    """A price in US dollars, `–` where it is unknown."""
    return UNKNOWN if usd is None else f"{usd:.2f}" if usd >= 0.1 or usd == 0 else f"{usd:.3f}"


# --- show ------------------------------------------------------------------------------------------------------------


def description(row: Record, *, width: int | None, ascii_only: bool = False) -> list[str]:
    """The whole of `sdl show`: a headline, the services, a diagram of connections, what becomes of each port."""
    services: Sequence[Record] = row["services"]
    rows = [cells for service in services for cells in _service_rows(service)]
    picture = diagram(services, width=width, ascii_only=ascii_only)
    ports = port_list(services, width=width)
    if ascii_only:
        ports = [line.translate(ASCII) for line in ports]
    shown = plain.text_lines(SERVICES, rows, width=width)
    return [headline(row), "", *shown, "", *picture, "", *ports]


def headline(row: Record) -> str:
    """How much of everything, in one line."""
    cost = row["usd_per_hour"]
    price = "at a price that is not known" if cost is None else f"at most ${dollars(cost)} an hour"
    count = len(row["services"])
    gpus = row["gpus"]
    things = f"{count} service{'s' if count != 1 else ''}, {gpus} GPU{'s' if gpus != 1 else ''}"
    portable = "" if row["portable"] else "; it is refused, see `sdl lint`"
    return visible(f"{row['file']}: {things}, {price}{portable}")


def _service_rows(service: Record) -> Iterator[tuple[str, ...]]:
    for part in service["replicas"] or [None]:
        yield (
            service["name"],
            service["role"] or "",
            *(_part_cells(part) if part else (UNKNOWN,) * 8),
            service["image"] or UNKNOWN,
        )


def _part_cells(part: Record) -> tuple[str, ...]:
    return (
        _number(part["count"]),
        _number(part["cpu"]),
        size(part["memory"]),
        size(part["shared_memory"]) if part["shared_memory"] else UNKNOWN,
        size(part["storage"]),
        _gpus(part),
        dollars(part["usd_per_hour"]),
        part["placement"],
    )


def _number(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:g}"


def _gpus(part: Record) -> str:
    if not part["gpus"]:
        return UNKNOWN
    names = [" ".join(filter(None, (one["model"], one["ram"], one["interface"]))) for one in part["models"]]
    return f"{part['gpus']} × {' or '.join(names) or 'any'}"


def size(amount: int | None) -> str:
    """A number of bytes as an SDL writes it, `4Gi`; `–` where it is unknown."""
    if amount is None:
        return UNKNOWN
    for unit, suffix in _UNITS:
        if amount >= unit:
            return f"{amount / unit:.1f}".removesuffix(".0") + suffix
    return str(amount)


def port_list(services: Sequence[Record], *, width: int | None = None) -> list[str]:
    """Every port of every service: who reaches it, and what becomes of it; below it where lines are narrower."""
    known = {service["name"]: service for service in services}
    lines: list[str] = []
    for service in services:
        lines += [visible(f"┌ {_label(service)}"), *_port_lines(service, known, width or 1 << 30)]
    internal = any(port["kind"] == "internal" for service in services for port in service["ports"])
    return [*lines, *(_NOTE if internal else ())]


_NOTE = (
    "",
    "Inside a placement each container reaches each other one on every port, by its address;",
    "by a service's name only the ports above.",
)


def _label(service: Record) -> str:
    count = service["count"]
    times = f" ×{count}" if count is not None and count != 1 else ""
    role = f" ({service['role']})" if service["role"] else ""
    return f"{service['name']}{times}{role}"


def _port_lines(service: Record, known: Mapping[str, Record], room: int) -> Iterator[str]:
    ports: Sequence[Record] = service["ports"]
    if not ports:
        yield "└ no port: other services cannot reach it by name"
        return
    origins = [_origin(port, known) for port in ports]
    width = max(len(origin) for origin in origins)
    for index, (port, origin) in enumerate(zip(ports, origins, strict=True)):
        corner = "└" if index == len(ports) - 1 else "├"
        number = f"{_number(port['port'])}/{port['proto']}"
        line = visible(f"{corner} {number:<10} ◀── {origin:<{width}}   {_seen_as(service, port)}")
        if len(line) <= room:
            yield line
        else:
            yield visible(f"{corner} {number:<10} ◀── {origin}")
            yield visible(f"{' ' if corner == '└' else '│'} {'':<10}     {_seen_as(service, port)}")


def _seen_as(service: Record, port: Record) -> str:
    if port["kind"] == "internal":
        return f"as {service['name']}:{_number(port['external'])}"
    return str(port["becomes"]).partition(" → ")[2]


def _origin(port: Record, known: Mapping[str, Record]) -> str:
    if port["kind"] != "internal":
        return "the internet"
    target = port["target"]
    return _label(known[target]) if target in known else f"{target} (no such service)" if target else "every service"


# --- diff ------------------------------------------------------------------------------------------------------------


def difference_lines(rows: Iterable[Record]) -> Iterator[str]:
    """One line for each difference, those that need a new deployment marked."""
    for row in rows:
        yield visible(f"{'~' if row['in_place'] else '!'} {row['sentence']}")
