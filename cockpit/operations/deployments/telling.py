"""Plans, bids and deployments in words and records, the same for both faces."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from cockpit.model.akash.money import usd_per_hour
from cockpit.operations.deployments.bids import BidRow
from cockpit.operations.deployments.groups import Part
from cockpit.operations.deployments.images import ImageCheck
from cockpit.operations.deployments.journal import Attempt
from cockpit.operations.deployments.plan import Plan
from cockpit.operations.deployments.preparing import Prepared
from cockpit.operations.deployments.register import Row
from cockpit.operations.question import Question
from cockpit.render import plain
from cockpit.render.deployments import dollars, dollars_at_most, hours, money, per_hour
from cockpit.render.table import WIDEST, Cell, Column, Flexible, Measured, RowContext, TableSpec, text_column
from cockpit.render.table import Row as TableRow
from cockpit.render.units import UNKNOWN, duration, size

_PLAN_COLUMNS = [
    text_column("SERVICE", shrink=True),
    text_column("COUNT", right=True),
    text_column("CPU", right=True),
    text_column("MEMORY", right=True),
    text_column("GPU"),
    text_column("CEILING", right=True),
]
BID_COLUMNS = [
    Column(key="PROVIDER", title="PROVIDER", width=Flexible(22, WIDEST), priority=0),
    text_column("REGION", priority=2),
    text_column("$/H", right=True),
    text_column("GPU", priority=1),
    text_column("UPTIME 7D", right=True, priority=3),
    text_column("AUDITED", priority=4),
    text_column("OUR RECORD"),
    text_column("AGE", right=True, priority=1),
]


# --- the plan --------------------------------------------------------------------------------------------------------


def plan_lines(prepared: Prepared, width: int | None = None) -> list[str]:
    """The whole plan for people: needs and ceilings, then money, end, providers, secrets, and what was not checked."""
    plan = prepared.plan
    cells = [_part_cells(part) for group in plan.groups for part in group.parts]
    return [
        *plain.text_lines(_PLAN_COLUMNS, cells, width=width),
        *_money_lines(plan),
        end_line(plan),
        *_other_lines(prepared),
    ]


def _part_cells(part: Part) -> list[str]:
    gpu = f"{part.gpus} × {' or '.join(part.models) or 'any'}" if part.gpus else UNKNOWN
    cpu = f"{part.cpu_millicores / 1000:g}"
    ceiling = f"{dollars_at_most(part.ceiling_usd_per_hour)}/h"
    return [part.service, str(part.count), cpu, size(part.memory_bytes), gpu, ceiling]


def _money_lines(plan: Plan) -> Iterator[str]:
    ceiling, lock = plan.ceiling_usd_per_hour, plan.lock
    yield f"At most {dollars_at_most(ceiling)}/h, {dollars_at_most(ceiling * 24)} a day."
    if (seen := plan.observed) is not None:
        low, high = dollars(seen.low), dollars(seen.high)
        yield f"Such GPUs cost {low} to {high}/h now, {dollars(seen.median)} in the median."
    yield (
        f"Up to {dollars(lock.usd)} moves from your balance into escrow when the lease starts, enough for "
        f"{hours(lock.hours)} at the ceiling; what is not used comes back when you close."
    )
    if plan.available_usd is not None:
        doubt = "" if plan.balance_is_certain else "? (the Console does not say the unit)"
        lasts = f", enough for {hours(plan.balance_hours)} at the ceiling" if plan.balance_hours is not None else ""
        yield f"Your balance is {dollars(plan.available_usd)}{doubt}{lasts}."
    if lock.is_short:
        yield f"{_SHORT} for that: when the escrow runs dry the deployment closes, with its data."
    if plan.is_trial:
        yield "This is a trial account: many GPUs are refused, and nothing is added to the escrow at lease start."


_ENDLESS = "Does not end by itself"
_SHORT = "Your balance is too small"


def end_line(plan: Plan) -> str:
    """When it ends by itself."""
    runtime = plan.runtime
    if runtime.hours is not None:
        then = f" (created with {runtime.at_create} h, then extended)" if runtime.is_extended else ""
        return f"Ends by itself after {runtime.hours} h{then}; its data is lost then."
    why = "" if plan.has_limits else " This Console does not limit runtimes."
    return f"{_ENDLESS}: it costs until you close it.{why}"


def _other_lines(prepared: Prepared) -> Iterator[str]:
    plan = prepared.plan
    yield from prepared.run.lines if prepared.run else ()
    if plan.screened is not None:
        count = len(plan.screened)
        yield f"{count} provider{'' if count == 1 else 's'} could bid."
        if not count:
            yield f"`rayakash-tui offers --sdl {prepared.file}` names the line that excludes most of them."
    yield from plan.node_problems
    names = ", ".join(prepared.secrets)
    if prepared.travel == "sealed":
        yield f"Secrets travel sealed; the provider gets their values: {names}."
    if prepared.travel == "inside":
        yield from inside_lines(prepared.secrets)
    if prepared.made:
        yield f"Will be made, since they are missing: {', '.join(prepared.made)}."
    yield from image_lines(plan.images)
    if plan.unchecked:
        yield f"Not checked: {', '.join(plan.unchecked)}."


def image_lines(images: Sequence[ImageCheck]) -> Iterator[str]:
    """The images that can be pulled with their sizes, those that cannot, and pulls that may take too long."""
    if sized := [one for one in images if one.compressed_bytes is not None]:
        yield f"Images: {', '.join(f'{one.image} ({size(one.compressed_bytes)} to pull)' for one in sized)}."
    yield from (one.problem for one in images if one.problem)
    yield from (one.advice for one in images if one.advice)


def inside_lines(secrets: Sequence[str]) -> list[str]:
    """What sending the values inside the SDL means; nothing where there are none."""
    warning = f"Secrets travel in the SDL over TLS; the Console and the provider can read them: {', '.join(secrets)}."
    return [warning] if secrets else []


def plan_question(prepared: Prepared) -> Question:
    """The one question before any money."""
    plan = prepared.plan
    when = f"ends by itself after {plan.runtime.hours} h" if plan.runtime.hours else "does not end by itself"
    gpus = f"{plan.gpus} GPU{'s' if plan.gpus != 1 else ''}, at most" if plan.gpus else "At most"
    text = f"Rent this? {gpus} {dollars_at_most(plan.ceiling_usd_per_hour)}/h, {when}."
    lines = tuple(plan_lines(prepared))
    return Question(text, "deploy", lines=lines, alarms=frozenset(filter(is_alarm, lines)))


def is_alarm(line: str) -> bool:
    """Whether a line of the plan is shown in red: it costs without an end, or ends with its data."""
    return line.startswith((_ENDLESS, _SHORT))


def plan_record(prepared: Prepared) -> dict[str, Any]:
    """What `deploy --plan --json` prints; money in USD."""
    plan, lock = prepared.plan, prepared.plan.lock
    return {
        "file": str(prepared.file),
        "services": [
            {
                "name": part.service, "group": group.name, "count": part.count, "cpu": part.cpu_millicores / 1000,
                "memory": part.memory_bytes, "gpus": part.gpus, "gpu_models": list(part.models),
                "max_usd_per_hour": money(part.ceiling_usd_per_hour),
            }
            for group in plan.groups
            for part in group.parts
        ],
        "max_usd_per_hour": money(plan.ceiling_usd_per_hour),
        "observed_usd_per_hour": money(plan.observed.median) if plan.observed else None,
        "locked_usd": money(lock.usd),
        "locked_hours": money(lock.hours),
        "balance_usd": money(plan.available_usd) if plan.balance_is_certain else None,
        "balance_hours": money(plan.balance_hours),
        "runtime_hours": plan.runtime.hours,
        "providers": None if plan.screened is None else len(plan.screened),
        "problems": [*plan.node_problems, *(one.problem for one in plan.images if one.problem)],
        "images": [
            {"image": one.image, "compressed_bytes": one.compressed_bytes, "problem": one.problem or None}
            for one in plan.images
        ],
        "secrets": list(prepared.secrets),
        "secrets_travel": prepared.travel,
        "unchecked": list(plan.unchecked),
        "job": str(prepared.run.job) if prepared.run and prepared.run.job else None,
        "close_when": prepared.run.close_when.text if prepared.run and prepared.run.close_when else None,
        "fetch": list(prepared.run.fetch) if prepared.run else [],
    }  # fmt: skip


# --- bids ------------------------------------------------------------------------------------------------------------


def bid_cells(row: BidRow) -> list[str]:
    """The cells of a bid."""
    known = row.provider
    name = (known.name or known.host_uri.removeprefix("https://").partition(":")[0]) if known else ""
    uptime = f"{known.uptime_7d * 100:.2f} %" if known and known.uptime_7d is not None else UNKNOWN
    audited = UNKNOWN if known is None or known.is_audited is None else "yes" if known.is_audited else "no"
    return [
        name or row.address, (known.region if known else None) or UNKNOWN, dollars(row.bid.usd_per_hour),
        row.gpu or UNKNOWN, uptime, audited, row.record.words, duration(row.age_s),
    ]  # fmt: skip


def bid_record(row: BidRow) -> dict[str, Any]:
    """A bid for JSON."""
    known = row.provider
    return {
        "provider": row.address,
        "name": known.name if known else None,
        "group": row.bid.id.gseq,
        "state": row.bid.state,
        "usd_per_hour": money(row.bid.usd_per_hour),
        "region": known.region if known else None,
        "gpu": row.gpu or None,
        "uptime_7d": known.uptime_7d if known else None,
        "audited": known.is_audited if known else None,
        "our_leases": row.record.leases,
        "our_leases_reached": row.record.reached,
    }


def bid_lines(rows: Sequence[BidRow], width: int | None = None) -> list[str]:
    """A table of bids."""
    return plain.text_lines(BID_COLUMNS, [bid_cells(row) for row in rows], width=width)


# --- deployments -----------------------------------------------------------------------------------------------------


COLUMNS = (
    Column(key="dseq", title="DSEQ", width=Measured(8, 20), priority=0),
    Column(key="name", title="NAME", width=Measured(6, 30), priority=1),
    Column(key="state", title="STATE", width=Measured(6, 24), priority=0),
    Column(key="price", title="$/H", align="right", priority=0),
    Column(key="spent", title="SO FAR", align="right", priority=1),
    Column(key="left", title="LEFT", align="right", priority=1),
    Column(key="cluster", title="CLUSTER", width=Measured(6, 24), priority=2),
    Column(key="notes", title="NOTES", width=Flexible(10, 80), priority=1),
    Column(key="provider", title="PROVIDER", width=Flexible(12, 60), priority=3),
)
_LOW_HOURS = 24
_LAST_HOURS = 2


def table_row(row: Row, _: RowContext | None = None) -> TableRow:
    """A deployment in the table of both faces: what loses money or is about to end is marked."""
    left = row.hours_left
    short = "" if left is None or left >= _LOW_HOURS else "error" if left < _LAST_HOURS else "warn"
    remark = notes(row)
    return TableRow(
        key=row.dseq,
        cells=(
            row.dseq,
            row.name or None,
            Cell(row.state, "" if row.state == "active" else "warn"),
            _number(dollars(row.usd_per_hour), row.usd_per_hour),
            _number(dollars(row.spent_usd), row.spent_usd),
            Cell(hours(left), short, float(left)) if left is not None else None,
            row.context,
            Cell(remark, _tone(row)) if remark else None,
            Cell(", ".join(row.providers), "quiet") if row.providers else None,
        ),
    )


def _number(text: str, value: Decimal | None) -> Cell | None:
    return None if value is None else Cell(text, "", float(value))


def _tone(row: Row) -> str:
    return "quiet" if not row.is_ours and not row.is_orphan else "error"


def summary(row: Row) -> str:
    """One line that names a deployment and its cost, for a question."""
    spent = f", {dollars(row.spent_usd)} so far" if row.spent_usd is not None else ""
    return f"{row.dseq} {row.name}: {row.state}, {per_hour(row.usd_per_hour)}{spent}"


def detail_lines(row: Row) -> list[tuple[str, str]]:
    """Everything that is known of a deployment, as labels and texts."""
    return [
        ("dseq", row.dseq),
        ("name", row.name or UNKNOWN),
        ("state", row.state),
        ("price", per_hour(row.usd_per_hour)),
        ("so far", dollars(row.spent_usd)),
        ("in escrow", dollars(row.left_usd)),
        ("lasts", hours(row.hours_left)),
        ("created", f"{duration(row.age_s)} ago" if row.age_s is not None else UNKNOWN),
        ("provider", ", ".join(row.providers) or UNKNOWN),
        ("cluster", row.context or UNKNOWN),
        ("made here", "yes" if row.is_ours else "no"),
        ("note", notes(row) or UNKNOWN),
    ]


def notes(row: Row) -> str:
    """What needs a look."""
    if row.state == "unknown":
        return "may still cost money: look again, or close it"
    if row.ended and row.is_orphan:
        return f"lease ended: {row.ended}; close it to get its escrow back"
    if row.is_orphan:
        return "orphan: holds money; close it"
    if row.step == "closing":
        return "closing is not confirmed: it may still cost money"
    return "" if row.is_ours else "not made here"


def record(row: Row) -> dict[str, Any]:
    """A deployment for JSON; prices and amounts in USD."""
    return {
        "dseq": row.dseq,
        "state": row.state,
        "price_per_hour": money(row.usd_per_hour),
        "spent": money(row.spent_usd),
        "hours_left": money(row.hours_left),
        "provider": ", ".join(row.providers) or None,
        "context": row.context,
        "orphan": row.is_orphan,
    }


DEPLOYMENTS: TableSpec[Row] = TableSpec(
    name="deployments",
    title="Deployments",
    columns=COLUMNS,
    row=table_row,
    record=record,
    empty="No deployments.",
    id_column="dseq",
)


SECOND_HAND = "The provider did not answer; the services are as Akash Console last saw them, which may be old."


def what_costs(attempt: Attempt | None, now: float | None = None) -> str:
    """What an attempt has made so far and what that costs; by `now`, in seconds since the epoch, also what it cost."""
    if attempt is not None and attempt.step == "closed":
        return f"Deployment {attempt.dseq} is closed and costs nothing."
    if attempt is None or not attempt.may_cost:
        return "Nothing was created, so nothing costs money."
    if attempt.dseq is None:
        return "A deployment may have been created, which holds $0.50."
    price = attempt.last.uact_per_block
    costs = "is being leased and may cost" if attempt.step == "leasing" else "holds $0.50 and has no lease"
    if attempt.leased_at is not None and price is not None:
        hourly = usd_per_hour(price)
        hours_gone = Decimal(max(0.0, now - attempt.leased_at)) / 3600 if now is not None else None
        spent = f", {dollars(hourly * hours_gone)} so far" if hours_gone is not None else ""
        costs = f"costs {per_hour(hourly)}{spent}"
    return f"Deployment {attempt.dseq} {costs}."


def what_exists(attempt: Attempt | None) -> str:
    """What an interrupted deploy leaves behind, and how to end it."""
    costs = what_costs(attempt)
    if attempt is None or not attempt.may_cost:
        return costs
    if attempt.dseq is None:
        return f"{costs} `rayakash-tui deployments resume` finds out and continues."
    number = attempt.dseq
    return f"{costs} Go on: rayakash-tui deployments resume {number}. Close it: rayakash-tui deployments close {number}"
