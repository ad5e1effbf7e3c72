"""The money of a lease in words: for the header, tables, and the notices when it is about to end."""

from cockpit.model.akash.lease_money import Alarm, LeaseMoney
from cockpit.render.deployments import dollars, hours, per_hour

BILLING = "https://console.akash.network/billing"

_TONES: dict[Alarm, str] = {"escrow-24h": "warn", "escrow-2h": "error", "runtime-1h": "error", "ended": "error"}


def tone(money: LeaseMoney) -> str:
    """How the time that is left is shown."""
    return _TONES.get(money.alarm, "")


def left(money: LeaseMoney) -> str:
    """What ends it first, such as `71 h of escrow left`; empty where nothing is known to."""
    if money.ended:
        return f"lease ended: {money.ended}"
    if money.hours_left is None:
        return ""
    what = "escrow" if money.escrow_ends_first else "runtime"
    return f"{hours(money.hours_left)} of {what} left"


def words(money: LeaseMoney) -> str:
    """All of it, such as `$2.14/h · $12.40 so far · 71 h of escrow left`."""
    spent = f"{dollars(money.spent_usd)} so far" if money.spent_usd is not None else ""
    price = "" if money.ended else per_hour(money.usd_per_hour)
    return " · ".join(part for part in (price, spent, left(money)) if part)


def alarm_words(money: LeaseMoney) -> str:
    """What is about to end, or has, in half a line."""
    remaining = hours(money.hours_left)
    match money.alarm:
        case "escrow-24h" | "escrow-2h":
            return f"the escrow lasts {remaining}: add credits, or the deployment closes"
        case "runtime-1h":
            return f"the runtime limit ends it in {remaining}; e in Deployments extends it"
    return left(money)


def notice(money: LeaseMoney) -> str:
    """What to tell when its alarm is raised: what happens, then what to do. Empty without an alarm."""
    name, remaining = money.context, hours(money.hours_left)
    match money.alarm:
        case "escrow-24h" | "escrow-2h":
            return (
                f"The escrow of {name} lasts {remaining}. When it runs dry the deployment closes, with its data. "
                f"Add credits at {BILLING}; {_extend(money)}"
            )
        case "runtime-1h":
            return f"{name} ends by itself in {remaining}; its data is lost then. {_extend(money, capital=True)}"
        case "ended":
            rest = "" if money.is_closed else "Close its deployment to get the rest of the escrow back: 7, then x. "
            again = f"Rent it again: rayakash-tui deployments redeploy {money.dseq}"
            return f"The lease of {name} ended: {money.ended}. Its data is lost. {rest}{again}"
    return ""


def _extend(money: LeaseMoney, *, capital: bool = False) -> str:
    """How to let it run longer: the runtime limit is counted from the lease."""
    if money.ends_at is None:
        return "Akash Console then moves more into the escrow."
    verb = "Extend" if capital else "extend"
    return f"{verb} the runtime: 7, then e, or rayakash-tui deployments extend {money.dseq} --for TIME"
