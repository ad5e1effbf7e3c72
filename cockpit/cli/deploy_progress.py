"""How a deployment that is under way asks and tells on the terminal."""

import argparse
import asyncio
from typing import TYPE_CHECKING

from cockpit.cli import output
from cockpit.errors import OutcomeUnknownError, UsageError

if TYPE_CHECKING:
    from cockpit.operations.deployments.deploying import Deploying
    from cockpit.operations.deployments.journal import Attempt
    from cockpit.operations.deployments.news import News, ServiceNews
    from cockpit.operations.question import Ask, Question

MOST_LINES = 5


def asking(args: argparse.Namespace) -> "Ask":
    """Asks on the terminal; --yes answers instead, the plan having been shown."""
    from cockpit.cli.session import asker

    on_terminal = asker()

    async def ask(question: "Question") -> bool:
        if args.yes:
            for line in question.lines:
                output.message(f"  {line}", is_alarm=line in question.alarms)
            output.message(f"{question.text} Yes (--yes).")
            return True
        if on_terminal is None:
            for line in question.lines:
                output.message(f"  {line}", is_alarm=line in question.alarms)
            raise UsageError(
                "stdin is not a terminal, so rayakash-tui cannot ask.",
                hint="Agree with --yes. Nothing was done.",
            )
        return await on_terminal(question)

    return ask


async def agreed(ask: "Ask", question: "Question", nothing: str) -> bool:
    """Ask before anything is done; Ctrl-C at the question says so, in the words of `nothing`."""
    try:
        return await ask(question)
    except asyncio.CancelledError:
        output.message("")  # ends the line of the question
        output.message(nothing)
        raise


class Teller:
    """Tells progress on stderr: what happened, the bids, and the log of the service that keeps the others waiting."""

    def __init__(self) -> None:
        self._logged: dict[str, tuple[str, ...]] = {}

    def __call__(self, news: "News") -> None:
        """Tell what is new."""
        from cockpit.operations.deployments.telling import bid_lines

        if news.text:
            output.message(news.text)
        for line in bid_lines(news.bids, output.terminal_width()) if news.bids else ():
            output.message(f"  {line}")
        if news.start is not None and (culprit := news.start.culprit) is not None:
            for line in self._new_lines(culprit):
                output.message(f"  {culprit.name} | {line}")

    def _new_lines(self, service: "ServiceNews") -> tuple[str, ...]:
        """The last lines of a log that were not printed yet; a fast log is not printed whole."""
        printed, now = self._logged.get(service.name, ()), service.log
        self._logged[service.name] = now
        # Both are ends of the same log: what is new follows the longest end of the old that the new begins with.
        known = next((size for size in range(len(printed), 0, -1) if now[:size] == printed[-size:]), 0)
        return now[known:][-MOST_LINES:]


def tell_what_exists(deploying: "Deploying", *, only_if_costing: bool = False) -> None:
    """After Ctrl-C or a failure: what exists, what it costs, how to close it."""
    from cockpit.operations.deployments.telling import what_exists

    attempt = deploying.journal.attempt if deploying.journal else None
    if not only_if_costing or (attempt is not None and attempt.may_cost):
        output.message(what_exists(attempt))


def raise_for_output(failure: OSError, attempt: "Attempt | None") -> None:
    """After output or progress could not be written: raise OutcomeUnknownError where something exists that may cost."""
    from cockpit.operations.deployments.telling import what_exists

    if attempt is not None and attempt.may_cost:
        raise OutcomeUnknownError(
            "The output could not be written, so this command ended before its work was done or told.",
            detail=failure.strerror or str(failure),
            hint=what_exists(attempt),
            fault="output",
        ) from failure
