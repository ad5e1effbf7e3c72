"""The line above an SDL: its name, what both parsers say, Ray's findings, the price, the GPUs."""

from cockpit.operations.sdl_editor.check import Check
from cockpit.operations.sdl_editor.desk import Desk
from cockpit.render.sdl import SIDES, dollars
from cockpit.render.text import visible
from cockpit.sdl.meaning import Meaning
from cockpit.widgets.state_line import Piece


def status_pieces(desk: Desk, found: Check | None, note: str, *, ascii_only: bool) -> tuple[list[Piece], list[Piece]]:
    """The texts at the left and at the right."""
    star = "*" if desk.is_dirty else ""
    where = str(desk.file.path) if desk.file.path else desk.name
    left = [Piece(visible(where) + star, "accent", 0), Piece(visible(note), "warn", 1)]
    if desk.is_empty:
        begun = f"{visible(desk.suggested_name)} is not there yet" if desk.suggested_name else "no SDL yet"
        return [Piece(begun, "quiet", 0), Piece("begin with a template or a file, or paste one", "quiet")], []
    return left, _verdicts(found, ascii_only=ascii_only) if found is not None else []


def _verdicts(found: Check, *, ascii_only: bool) -> list[Piece]:
    lint = found.lint
    refusing = [SIDES[side] for side in ("go", "typescript") if not getattr(lint, side)]
    good, look = ("ok", "!") if ascii_only else ("✔", "!")
    verdict = (
        Piece(f"refused by {' and '.join(refusing)}", "error", 1) if refusing else Piece(f"portable {good}", "", 1)
    )
    if found.failure is not None or found.meaning is None:
        return [Piece("no YAML", "error", 1)]
    ray = found.ray_findings
    return [
        verdict,
        Piece(f"Ray {look} {ray}", "warn", 2) if ray else Piece(f"Ray {good}", "", 4),
        Piece(_price(found.meaning), "", 2),
        Piece(_gpus(found.meaning), "", 3),
    ]


def _price(meaning: Meaning) -> str:
    if meaning.usd_per_hour is None:
        return "price not known"
    return f"${dollars(meaning.usd_per_hour)}/h at most"


def _gpus(meaning: Meaning) -> str:
    parts = [part for service in meaning.services for part in service.replicas if part.gpus]
    models = list(dict.fromkeys(one.model or "any" for part in parts for one in part.models))
    return f"{meaning.gpus} × {' or '.join(models) or 'any GPU'}" if meaning.gpus else "no GPU"
