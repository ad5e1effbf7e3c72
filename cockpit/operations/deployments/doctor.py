"""Checks of the Akash account: key, money, trial, clock. Sends nothing without a key."""

from cockpit.clients.akash.console import ConsoleClient
from cockpit.errors import CockpitError
from cockpit.operations.clusters.diagnosis import Check, failed
from cockpit.operations.deployments.account import KEY_NAME, api_key, open_console
from cockpit.operations.deployments.journal import unfinished
from cockpit.render.deployments import dollars

SKEW_S = 30.0
LOW_USD = 1


async def account_checks() -> list[Check]:
    """The checks of the account, and of what our journals left open."""
    try:
        if api_key() is None:
            words = f"no API key; only `deploy` and `deployments` need one ({KEY_NAME})"
            return [Check(name="akash", state="skip", words=words), *_journals()]
        async with open_console() as console:
            return [*await _asked(console), *_journals()]
    except CockpitError as error:
        return [failed("akash", error), *_journals()]


async def _asked(console: ConsoleClient) -> list[Check]:
    active = await console.deployments("active")
    here = console.clock.now().wall
    balance, account = await console.balance(active.deployments), await console.account()
    count = len(active.deployments)
    words = f"key accepted by {console.address}, {count} active deployment{'' if count == 1 else 's'}"
    checks = [Check(name="akash key", state="ok", words=words)]
    money = f"{dollars(balance.available_usd)} available, {dollars(balance.escrow_usd)} in escrow"
    if not balance.unit_is_certain:
        checks.append(Check(name="balance", state="warn", words=f"{money}, if the Console counts in micro-ACT"))
    elif balance.available_usd < LOW_USD:
        hint = "Add credits at https://console.akash.network/billing."
        checks.append(Check(name="balance", state="warn", words=money, hint=hint, fault="balance-low"))
    else:
        checks.append(Check(name="balance", state="ok", words=money))
    if account.is_trial:
        words = "a trial account: many GPUs are refused, and it runs for 24 h at most"
        checks.append(Check(name="account", state="warn", words=words, fault="trial"))
    return [*checks, *_clock(active.server_time, here)]


def _clock(there: float | None, here: float) -> list[Check]:
    """Money and ages are counted with this machine's clock."""
    if there is None:
        return []
    skew = here - there
    if abs(skew) <= SKEW_S:
        return [Check(name="clock", state="ok", words="as the Console's")]
    words = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the Console's clock"
    hint = "Set the clock of this machine: costs and ages are counted with it."
    return [Check(name="clock", state="warn", words=words, hint=hint, fault="clock-skew")]


def _journals() -> list[Check]:
    try:
        left = [one for one in unfinished() if one.step != "context"]
    except CockpitError as error:
        return [failed("journal", error)]
    if not left:
        return []
    words = f"{len(left)} interrupted: {', '.join(one.dseq or one.title for one in left)}; they may cost"
    hint = "`rayakash-tui deployments` lists what exists; `deployments resume` and `deployments close` end that."
    return [Check(name="deployments", state="warn", words=words, hint=hint, fault="unfinished-deployment")]
