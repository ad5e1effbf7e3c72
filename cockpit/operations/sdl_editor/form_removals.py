"""What the removal of a row of the form does to the document."""

from collections.abc import Callable

from cockpit.errors import UsageError
from cockpit.operations.sdl_editor.form_edits import Edit, drop, resources, volume_path
from cockpit.operations.sdl_editor.form_rows import FormRow
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.edits import Change
from cockpit.sdl.edits import Edit as SpanEdit
from cockpit.sdl.paths import Path, Step
from cockpit.sdl.scalars import Value


def removal_of(row: FormRow) -> Edit:
    """The edit that removes what a row shows. Raises UsageError where there is nothing to remove."""
    maker = _REMOVALS.get(row.field) if row.is_removable else None
    if maker is None:
        raise UsageError(f"{row.label or 'That'} cannot be removed here.")
    return maker(*row.args)


def remove_group(document: SdlDocument, service: str) -> None:
    """Take a service out: its deployment, its profile and price where no other service uses them, and exposes to it.

    Raises MissingNodeError, UnsafeEditError.
    """
    rows = document.get(("deployment", service)) if document.has(("deployment", service)) else {}
    placed = (
        {place: row.get("profile") for place, row in rows.items() if isinstance(row, dict)}
        if isinstance(rows, dict)
        else {}
    )
    drop(document, ("deployment", service))
    _remove_paragraph(document, ("services", service))
    _drop_targets(document, service)
    for placement, profile in placed.items():
        if isinstance(profile, str) and not _is_used(document, profile):
            drop(document, ("profiles", "placement", placement, "pricing", profile))
            if document.has(("profiles", "compute", profile)):
                _remove_paragraph(document, ("profiles", "compute", profile))


def _remove_paragraph(document: SdlDocument, path: Path) -> None:
    """Take an entry out, and one of the two blank lines between which it stood."""
    before = document.text.splitlines(keepends=True)
    document.remove(path)
    lines = document.text.splitlines(keepends=True)
    line = next((at for at, (old, new) in enumerate(zip(before, lines, strict=False)) if old != new), len(lines))
    above, below = lines[line - 1 : line], lines[line : line + 1]
    if not (above and not above[0].strip() and (not below or not below[0].strip())):
        return
    start = len("".join(lines[: line - 1]))
    nothing_changes = Change(start, start + len(above[0]), "")
    document.apply(SpanEdit((nothing_changes,), 0, 0, lambda events: events == []), "remove a blank line")


def _is_used(document: SdlDocument, profile: str) -> bool:
    deployed = document.get("deployment") if document.has("deployment") else {}
    rows = (
        [row for places in deployed.values() if isinstance(places, dict) for row in places.values()]
        if isinstance(deployed, dict)
        else []
    )
    return any(isinstance(row, dict) and row.get("profile") == profile for row in rows)


def _drop_targets(document: SdlDocument, service: str) -> None:
    services = document.get("services")
    for name, body in services.items() if isinstance(services, dict) else ():
        exposes = body.get("expose") if isinstance(body, dict) else None
        if isinstance(exposes, list):
            _shut_out(document, ("services", name, "expose"), exposes, service)


def _shut_out(document: SdlDocument, path: Path, exposes: list[Value], service: str) -> None:
    """A port that only this service uses goes with it, unless it is the only one; the problems say the rest."""
    left = len(exposes)
    for index in range(len(exposes) - 1, -1, -1):
        expose = exposes[index]
        targets = expose.get("to") if isinstance(expose, dict) else None
        known = targets if isinstance(targets, list) else []
        own = [at for at, one in enumerate(known) if one == {"service": service}]
        if own and len(own) < len(known):
            for at in reversed(own):
                document.remove((*path, index, "to", at))
        elif own and left > 1:
            document.remove((*path, index))
            left -= 1


def _remove_volume(profile: Step, index: Step) -> Edit:
    return lambda document: document.remove(volume_path(profile, index))


def _remove_model(profile: Step, vendor: Step, index: Step) -> Edit:
    return lambda document: document.remove(resources(profile, "gpu", "attributes", "vendor", vendor, index))


def _remover(*before: Step, between: str) -> Callable[..., Edit]:
    def make(first: Step, *rest: Step) -> Edit:
        return lambda document: document.remove((*before, first, between, *rest))

    return make


_REMOVALS: dict[str, Callable[..., Edit]] = {
    "group": lambda service: lambda document: remove_group(document, str(service)),
    "port": _remover("services", between="expose"),
    "env": _remover("services", between="env"),
    "volume": _remove_volume,
    "gpu-model": _remove_model,
    "attribute": _remover("profiles", "placement", between="attributes"),
    "signer": _remover("profiles", "placement", between="signedBy"),
}
