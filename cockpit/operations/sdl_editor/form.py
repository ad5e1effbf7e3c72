"""An SDL as a form: rows with a label, a value and what it means; and what the form does not know."""

import re
from collections.abc import Iterator, Mapping

from cockpit.model.secret import REFERENCE_PREFIX
from cockpit.operations.sdl_editor.form_compute import compute_rows
from cockpit.operations.sdl_editor.form_rows import Cover, FormRow
from cockpit.render.sdl import dollars
from cockpit.sdl.advice import USD_PER_HOUR
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.meaning import Meaning, Port, ServiceMeaning
from cockpit.sdl.nodes import child, elements, fields
from cockpit.sdl.secret_names import is_plain_secret
from cockpit.sdl.view import Placement, Row, Service, View, string

IMAGE = re.compile(
    r"(?P<name>.+):(?P<ray>\d+\.\d+\.\d+|nightly)(?P<rest>[\w.]*?)(?:-py(?P<python>\d+))?(?:-(?P<cuda>cpu|gpu|cu\d+))?"
)
ROLES = {"head": "Head", "worker": "Workers", "": "Service"}
MASKED = "••••••"


def form_of(document: SdlDocument, meaning: Meaning, secrets: Mapping[str, str] | None = None) -> list[FormRow]:
    """The rows of the form, head and workers first. Raises UnreadableSdlError.

    `secrets` says where the secret of a name is; without it nothing is called missing.
    """
    cluster, cover = document.cluster, Cover(document)
    view = cluster.view
    cover.line("version")
    members = [member.service for member in cluster.members]
    together = tuple(service.name for service in members if IMAGE.fullmatch(service.image) is not None)
    services = sorted(meaning.services, key=lambda one: ("head", "worker", "").index(one.role))
    rows = [row for one in services for row in _service(view, cover, one, together, secrets)]
    for placement in view.placements.values():
        rows += _placement(cover, placement)
    return [*rows, *_also(cover)]


def _also(cover: Cover) -> Iterator[FormRow]:
    rest = list(cover.rest())
    if rest:
        yield FormRow(key="also", kind="section", label="Also in this file", note="to be edited as text")
    for path, line in rest:
        yield FormRow(key=f"also:{path}", kind="also", label=path, line=line)


# --- services --------------------------------------------------------------------------------------------------------


def _service(
    view: View, cover: Cover, one: ServiceMeaning, together: tuple[str, ...], secrets: Mapping[str, str] | None
) -> Iterator[FormRow]:
    service, name = view.services[one.name], one.name
    costs = [part.usd_per_hour for part in one.replicas]
    known = [cost for cost in costs if cost is not None]
    cost = f"${dollars(sum(known))}/h" if known and len(known) == len(costs) else ""
    yield FormRow(
        key=f"{name}:", kind="section", label=f"{ROLES[one.role]} · {name}", note=cost, field="group", args=(name,),
        line=one.line, is_removable=one.role != "head",
    )  # fmt: skip
    rows = [row for row in view.rows if row.service == name]
    for row in rows:
        yield _count(cover, row, len(rows))
    yield from _image(cover, service, one, together)
    for profile in dict.fromkeys(row.profile for row in rows):
        compute = view.computes.get(profile)
        if compute is not None:
            shared = sorted({other.service for other in view.rows if other.profile == profile} - {name})
            yield from compute_rows(cover, service, compute, is_ray=bool(one.role), shared=shared)
    for row in rows:
        yield from _price(view, cover, row, len(rows))
    yield from _ports(cover, service, one.ports)
    yield from _env(cover, service, secrets)


def _count(cover: Cover, row: Row, of: int) -> FormRow:
    return FormRow(
        key=f"{row.service}:count:{row.placement}", label="count" if of == 1 else f"count in {row.placement}",
        value="?" if row.count is None else str(row.count), note="" if of > 1 else f"in {row.placement}",
        field="count", args=(row.service, row.placement), text=str(row.count or ""), hint="how many run",
        line=_deployed(cover, row),
    )  # fmt: skip


def _deployed(cover: Cover, row: Row) -> int:
    cover.line("deployment", row.service, row.placement, "profile")
    return cover.line("deployment", row.service, row.placement, "count")


def _image(cover: Cover, service: Service, one: ServiceMeaning, together: tuple[str, ...]) -> Iterator[FormRow]:
    line = cover.line("services", service.name, "image")
    yield FormRow(
        key=f"{service.name}:image", label="image", value=service.image or "–", field="image", args=(service.name,),
        text=service.image, hint="NAME:VERSION", line=line, known="images",
    )  # fmt: skip
    found = IMAGE.fullmatch(service.image) if one.role else None
    if found is None:
        return
    note = "in head and workers" if len(together) > 1 else ""
    yield FormRow(
        key=f"{service.name}:ray", label="Ray", value=found["ray"], note=note, field="ray", args=together,
        text=found["ray"], hint="such as 2.60.0", line=line, known="ray",
    )  # fmt: skip
    if found["python"]:
        python = f"{found['python'][0]}.{found['python'][1:]}"
        yield FormRow(
            key=f"{service.name}:python", label="Python", value=python, note=note, field="python", args=together,
            text=python, hint="such as 3.11", line=line, known="python",
        )  # fmt: skip
    cuda = found["cuda"] or "cpu"
    words = {"cpu": "none", "gpu": "Ray's own choice"}.get(cuda, f"{cuda[2:-1]}.{cuda[-1:]}")
    yield FormRow(
        key=f"{service.name}:cuda", label="CUDA", value=words, field="cuda", args=(service.name,), text=cuda,
        hint="cpu, gpu, or a version such as 12.4", line=line, known="cuda",
    )  # fmt: skip


def _price(view: View, cover: Cover, row: Row, of: int) -> Iterator[FormRow]:
    price = view.price(row)
    path = ("profiles", "placement", row.placement, "pricing", row.profile)
    cover.line(*path, "denom")
    amount = price.amount if price is not None else None
    note = "no provider can bid without a price"
    if price is not None and amount is not None:
        each = f"at most ${dollars(float(amount) * USD_PER_HOUR)}/h each"
        note = each if price.denom == "uact" else f"{price.denom}: its worth in USD is not known"
    yield FormRow(
        key=f"{row.service}:price:{row.placement}", label="price" if of == 1 else f"price in {row.placement}",
        value="–" if price is None else f"{string(child(price.node, 'amount')) or '?'} {price.denom}", note=note,
        tone="" if amount is not None else "warn", field="price", args=(row.placement, row.profile),
        text="" if price is None else string(child(price.node, "amount")),
        hint="uact per block and replica, or dollars an hour such as $1.20", line=cover.line(*path, "amount"),
    )  # fmt: skip


# --- ports and env ---------------------------------------------------------------------------------------------------


def _ports(cover: Cover, service: Service, ports: tuple[Port, ...]) -> Iterator[FormRow]:
    for expose in service.exposes:
        path = ("services", service.name, "expose", expose.index)
        for key in ("as", "proto", "to", "accept"):
            cover.line(*path, key)
        line = cover.line(*path, "port")
        mine = [port for port in ports if port.port == expose.port and port.external == expose.external]
        becomes = list(dict.fromkeys(_becomes(port) for port in mine))
        shown = str(expose.port or "?") + (f" as {expose.given_as}" if expose.given_as else "")
        yield FormRow(
            key=f"{service.name}:port:{expose.index}", label="port", value=shown, note="→ " + "; ".join(becomes),
            field="port", args=(service.name, expose.index), text=shown, line=line, is_removable=True,
            hint="PORT, PORT as OTHER, and then: global, or the services that reach it",
        )  # fmt: skip
    yield FormRow(
        key=f"{service.name}:port:+", kind="add", label="+ port", field="port-add", args=(service.name,),
        hint="8265 as 80 global, or 6379 SERVICE",
    )  # fmt: skip


def _becomes(port: Port) -> str:
    words = port.sentence.partition(" → ")[2]
    return f"{words}, for {port.target}" if port.kind == "internal" and port.target else words


def _env(cover: Cover, service: Service, secrets: Mapping[str, str] | None) -> Iterator[FormRow]:
    for name, value, item, index in service.env:
        if "=" not in item.value:
            continue  # without `=` all of it may be a secret: it is listed below, by its place
        reference = value.removeprefix(REFERENCE_PREFIX) if value.startswith(REFERENCE_PREFIX) else ""
        shown, note, tone = _env_value(name, value, reference, secrets)
        hidden = is_plain_secret(name, value)
        yield FormRow(
            key=f"{service.name}:env:{name}", label=name, value=shown, note=note, tone=tone, field="env",
            args=(service.name, name), text="" if hidden else value, is_removable=True,
            hint="a value, or secret:NAME", line=cover.line("services", service.name, "env", index), known="secrets",
        )  # fmt: skip
    yield FormRow(
        key=f"{service.name}:env:+", kind="add", label="+ env", field="env-add", args=(service.name,),
        hint="NAME=value, or NAME=secret:NAME", known="env",
    )  # fmt: skip


def _env_value(name: str, value: str, reference: str, secrets: Mapping[str, str] | None) -> tuple[str, str, str]:
    if reference:
        if secrets is None:
            return f"secret {reference}", "", ""
        place = secrets.get(reference)
        return f"secret {reference}", f"● {place}" if place else "○ missing", "" if place else "warn"
    if is_plain_secret(name, value):
        return MASKED, "a secret in plain text: s moves it into the store", "error"
    return value.replace("\n", "⏎"), "", ""


# --- placements ------------------------------------------------------------------------------------------------------


def _placement(cover: Cover, placement: Placement) -> Iterator[FormRow]:
    name = placement.name
    path = ("profiles", "placement", name)
    yield FormRow(key=f"@{name}", kind="section", label=f"Placement · {name}", line=cover.look(*path))
    for label, value in placement.attributes.items():
        yield FormRow(
            key=f"@{name}:attribute:{label}", label=label, value=value, field="attribute", args=(name, label),
            text=value, line=cover.line(*path, "attributes", label), is_removable=True,
            hint="what the provider must declare",
        )  # fmt: skip
    yield FormRow(
        key=f"@{name}:attribute:+", kind="add", label="+ attribute", field="attribute-add", args=(name,),
        hint="such as region=eu-west", known="attributes",
    )  # fmt: skip
    for kind, list_node in fields(child(placement.node, "signedBy")).items():
        for index, item in enumerate(elements(list_node)):
            yield FormRow(
                key=f"@{name}:signer:{kind}:{index}", label=f"signed by {'any of' if kind == 'anyOf' else 'all of'}",
                value=string(item), field="signer", args=(name, kind, index), text=string(item), is_removable=True,
                line=cover.line(*path, "signedBy", kind, index), hint="the address of an auditor",
            )  # fmt: skip
    yield FormRow(
        key=f"@{name}:signer:+", kind="add", label="+ signer", field="signer-add", args=(name,),
        hint="the address of an auditor whom you trust, any of them",
    )  # fmt: skip
