"""A deployment in the place of another: one question about both before anything is closed, then close, then rent.

Two at once would cost twice. What comes back of the old escrow counts towards the new one.
"""

from decimal import Decimal

import msgspec

from cockpit.clients.akash.console import ConsoleClient
from cockpit.errors import CockpitError
from cockpit.operations.deployments.journal import Attempt
from cockpit.operations.deployments.preparing import Prepared, balance_of, require_possible
from cockpit.operations.deployments.register import Row, read
from cockpit.operations.deployments.telling import plan_question, summary
from cockpit.operations.question import Question
from cockpit.render.deployments import dollars

REPLACE = "replace"
"""What the question is about, where something is closed first."""


async def row_to_replace(console: ConsoleClient, dseq: str) -> Row:
    """The deployment as it is listed; one that is not has ended, and only its place is taken."""
    rows = (await read(console)).rows
    return next((row for row in rows if row.dseq == dseq), Row(dseq=dseq, state="not listed"))


def with_refund(prepared: Prepared, row: Row) -> Prepared:
    """The plan with the balance as it will be once the old deployment is closed.

    Raises what makes the new one impossible, while nothing is closed.
    """
    plan = prepared.plan
    if plan.available_usd is not None and row.left_usd is not None:
        plan = msgspec.structs.replace(plan, available_usd=plan.available_usd + max(Decimal(0), row.left_usd))
    require_possible(plan)
    return msgspec.structs.replace(prepared, plan=plan)


def replace_question(prepared: Prepared, row: Row, reasons: tuple[str, ...] = ()) -> Question:
    """The one question: what ends, what is lost, and everything about what is rented instead."""
    asked = plan_question(prepared)
    ends = f"Closes {summary(row)}. The data in its containers is lost."
    back = row.left_usd
    refund = [f"About {dollars(back)} of its escrow comes back; the balance below includes it."] if back else []
    text = asked.text.replace("Rent this?", f"Close {row.dseq}, and rent this instead?", 1)
    return msgspec.structs.replace(
        asked, text=text, about=REPLACE, lines=(*reasons, ends, *refund, *asked.lines), alarms=asked.alarms | {ends}
    )  # fmt: skip


async def with_balance_now(console: ConsoleClient, prepared: Prepared) -> Prepared:
    """The plan with the balance read again, after the close. Raises UsageError where it does not reach."""
    try:
        balance, active = await balance_of(console)
    except CockpitError:  # the Console refuses a create that cannot be paid, and says so
        return prepared
    plan = msgspec.structs.replace(
        prepared.plan,
        available_usd=balance.available_usd,
        balance_is_certain=balance.unit_is_certain,
        active_dseqs=active,
    )
    require_possible(plan)
    return msgspec.structs.replace(prepared, plan=plan)


def avoided_of(attempt: Attempt | None) -> tuple[str, ...]:
    """The providers that a deployment elsewhere avoids: the one that has it, and those that failed it before."""
    return tuple(dict.fromkeys((*(attempt.last.providers or ()), *attempt.excluded))) if attempt else ()
