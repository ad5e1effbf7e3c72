"""Secrets as rows and records; no value is part of them."""

from cockpit.model.env_names import is_secret_looking, purpose_of
from cockpit.model.secret_rows import SecretRow
from cockpit.render.table import Cell, Column, Fixed, Flexible, Measured, Record, Row, RowContext, TableSpec
from cockpit.render.text import visible
from cockpit.render.times import iso
from cockpit.render.units import age

SECRET_COLUMNS = (
    Column(key="state", title="STATE", width=Fixed(8), priority=0),
    Column(key="name", title="NAME", width=Measured(12, 40), priority=0),
    Column(key="scope", title="SCOPE", width=Measured(5, 24), priority=1),
    Column(key="place", title="STORE", width=Measured(8, 14), priority=0),
    Column(key="uses", title="USED BY", width=Flexible(14, 120), priority=2),
    Column(key="changed", title="SET", width=Fixed(7), align="right", priority=4),
    Column(key="purpose", title="PURPOSE", width=Flexible(12, 80), priority=5),
)

_TONES = {"missing": "error", "unseen": "quiet", "stored": ""}
_PLACES = {"secret_command": "command", "session": "memory"}


def secret_row(row: SecretRow, context: RowContext) -> Row:
    """One secret."""
    changed = row.changed.timestamp() if row.changed else None
    place = None if row.place is None else _PLACES.get(row.place, row.place)
    return Row(
        key=row.key,
        cells=(
            Cell("leftover", "warn") if row.is_leftover else Cell(row.presence, _TONES[row.presence]),
            Cell(row.name, "strong" if row.presence == "missing" else ""),
            row.scope,
            Cell(place, "warn" if place == "memory" else "") if place else None,
            visible(", ".join(use.label for use in row.uses)) or None,
            Cell(f"{age(changed, now=context.now)}", "quiet", -(changed or 0.0)),
            purpose_of(row.name),
        ),
    )


def detail_lines(row: SecretRow) -> list[tuple[str, str]]:
    """Everything that is known of a secret but its value."""
    lines = [
        ("name", row.name),
        ("reference", f"ac-secret://{row.name}"),
        ("scope", row.scope or "none: the environment of this process"),
        ("store", _PLACES.get(row.place, row.place) if row.place else "nowhere yet"),
        ("state", _STATES[row.presence]),
        ("set", row.changed.astimezone().strftime("%Y-%m-%d %H:%M") if row.changed else "–"),
        ("purpose", purpose_of(row.name) or "–"),
        ("used by", ""),
    ]
    uses: list[tuple[str, str]] = [(use.kind, f"{use.where}  (looks in {', '.join(use.scopes)})") for use in row.uses]
    return [*lines, *(uses or [("", "no SDL that was opened here, and no context")])]


_STATES = {
    "stored": "stored",
    "missing": "missing: whatever refers to it cannot be rendered or opened",
    "unseen": "it cannot be seen now: a locked vault, a keyring that does not answer, or a command that is not asked",
}


def secret_record(row: SecretRow) -> Record:
    """The JSON record; `present` is null where it cannot be seen."""
    return {
        "name": row.name,
        "scope": row.scope,
        "store": row.place,
        "present": {"stored": True, "missing": False, "unseen": None}[row.presence],
        "is_secret": is_secret_looking(row.name),
        "purpose": purpose_of(row.name),
        "used_by": [{"kind": use.kind, "where": use.where} for use in row.uses],
        "created": iso(row.created.timestamp() if row.created else None),
        "changed": iso(row.changed.timestamp() if row.changed else None),
    }


SECRETS: TableSpec[SecretRow] = TableSpec(
    name="secrets",
    title="Secrets",
    columns=SECRET_COLUMNS,
    row=secret_row,
    record=secret_record,
    empty="No secrets yet. Store one with: rayakash-tui secrets set NAME",
    id_column="name",
)
