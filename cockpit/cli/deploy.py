"""`deploy`: from an SDL to a running cluster on Akash."""

import argparse
import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.cli import deploy_run, options, output
from cockpit.cli.deploy_progress import Teller, agreed, asking, raise_for_output, tell_what_exists
from cockpit.cli.offers import add_console
from cockpit.cli.sdl_secrets import SCOPE_HELP
from cockpit.errors import EXIT_FAILED, EXIT_OK, CockpitError, UsageError
from cockpit.render.text import last_word

if TYPE_CHECKING:
    from cockpit.clients.akash.console import ConsoleClient
    from cockpit.model.secret import Secret
    from cockpit.operations.deployments.deploying import Deploying
    from cockpit.operations.deployments.flow import Terms
    from cockpit.operations.deployments.preparing import AskValue, Prepared, Wish
    from cockpit.operations.deployments.reaching import Ready
    from cockpit.operations.deployments.run_plan import RunPlan
    from cockpit.operations.question import Ask

EPILOG = """\
It needs an API key of Akash Console: rayakash-tui secrets set AKASH_API_KEY. It rents nothing before you agree.
Every step is written down first: after a crash `rayakash-tui deployments` lists what exists and what it costs.

  rayakash-tui deploy lab.yaml --plan                     what it would cost; nothing is made
  rayakash-tui deploy lab.yaml --max-price 0.60/gpu-h     ask, rent, start, and open the cluster
  rayakash-tui deploy lab.yaml --bid best --for 8h --yes  for scripts
  rayakash-tui deploy lab.yaml --run job.yaml --close-when done --fetch ray-head:/root/out
                                                          rent, run a job, fetch its results, close: one question

exit codes: 0 it runs; 1 no bid, or it failed and was closed, or with --run the job failed; 2 usage;
3 no answer in time; 5 it may cost money: look
"""


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "deploy",
        help="rent a cluster on Akash from an SDL",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", help="the SDL")
    parser.add_argument("--plan", action="store_true", help="show needs, price, escrow and providers; create nothing")
    add_terms(parser)
    deploy_run.add_options(parser)
    parser.add_argument("--scope", metavar="S", help=SCOPE_HELP)
    parser.add_argument("--no-wait", action="store_true", help="stop once the lease is active")
    parser.add_argument("--yes", action="store_true", help="answer yes to every question")
    add_console(parser)
    options.add_json(parser)
    parser.set_defaults(run=deploy)


def add_terms(parser: argparse.ArgumentParser) -> None:
    """What bids to take, for how long, at which price."""
    parser.add_argument("--bid", default="best", metavar="RULE", help="cheapest, best (default) or provider=ADDRESS")
    parser.add_argument("--max-price", metavar="PRICE", help="the most to pay: 4.50/h in all, or 0.60/gpu-h per GPU")
    parser.add_argument(
        "--for",
        dest="runtime",
        type=runtime_hours,
        default=24,
        metavar="TIME",
        help="end automatically after this time, such as 8h (default 24h); `none` for never",
    )
    parser.add_argument(
        "--bid-timeout", type=options.seconds, default=300.0, metavar="TIME", help="close without a bid after (5m)"
    )
    parser.add_argument(
        "--bid-wait", type=options.seconds, default=15.0, metavar="TIME", help="choose so long after the first (15s)"
    )


def runtime_hours(text: str) -> int | None:
    """`8h`, `2d` or `none`, in whole hours from 1."""
    from cockpit.operations.deployments.plan import runtime_hours as parse

    try:
        return parse(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(f"{error.title} {error.hint}".strip()) from error


def terms_of(args: argparse.Namespace) -> "Terms":
    """The rule for bids and the waits. Raises UsageError."""
    from cockpit.operations.deployments.bids import rule_of
    from cockpit.operations.deployments.flow import Terms

    return Terms(rule=rule_of(args.bid), bid_timeout_s=args.bid_timeout, bid_wait_s=args.bid_wait)


def wish_of(args: argparse.Namespace) -> "Wish":
    """Runtime, price and scope. Raises UsageError."""
    from cockpit.operations.deployments.bids import cap_of
    from cockpit.operations.deployments.preparing import Wish

    cap = cap_of(args.max_price) if args.max_price is not None else None
    return Wish(hours=args.runtime, cap=cap, scope=args.scope)


async def deploy(args: argparse.Namespace) -> int:
    """Plan, ask, and deploy."""
    import msgspec

    from cockpit.cli.sdl_input import in_file, read_document
    from cockpit.operations.deployments.account import open_console
    from cockpit.operations.deployments.preparing import prepare_asking

    if args.file == "-":
        raise UsageError("Only a file can be deployed: its name is the cluster's.")
    if args.read_only and not args.plan:
        raise UsageError("This would rent a cluster, and --read-only was given.")
    terms, wish, file = terms_of(args), wish_of(args), _absolute(args.file)
    document = read_document(args.file)
    async with open_console(args.console) as console:
        if not args.plan:
            await refuse_unfinished(console, file)
        with in_file(args.file):
            prepared = await prepare_asking(console, document, Path(args.file), wish, _asking_values(args))
        run = await deploy_run.run_plan_of(args, prepared.document, prepared.scope)
        prepared = msgspec.structs.replace(prepared, run=run)
        if args.plan:
            return show_plan(args, prepared)
        return await carry_out(args, console, prepared, terms)


def _asking_values(args: argparse.Namespace) -> "AskValue":
    """Asks on the terminal for secrets that only the user knows; not under --yes, nor for a plan alone."""
    from cockpit.cli import terminal

    async def ask(name: str) -> "Secret | None":
        if args.yes or args.plan or not terminal.has_terminal():
            return None
        return terminal.ask_hidden(f"Value of the secret {name}, to be stored: ")

    return ask


def _absolute(file: str) -> str:
    return os.path.abspath(file)


def show_plan(args: argparse.Namespace, prepared: "Prepared") -> int:
    """Print the plan; exit 1 if no provider could bid, or an image cannot be pulled."""
    from cockpit.operations.deployments.telling import is_alarm, plan_lines, plan_record

    if args.json:
        output.record(plan_record(prepared))
    else:
        for line in plan_lines(prepared, output.terminal_width()):
            output.line(line, is_alarm=is_alarm(line))
    plan = prepared.plan
    cannot = plan.screened == () or plan.node_problems or any(one.problem for one in plan.images)
    return EXIT_FAILED if cannot else EXIT_OK


async def carry_out(args: argparse.Namespace, console: "ConsoleClient", prepared: "Prepared", terms: "Terms") -> int:
    """Ask the one question, then deploy. Raises UsageError without a terminal."""
    from cockpit.operations.deployments.preparing import require_possible
    from cockpit.operations.deployments.telling import plan_question

    require_possible(prepared.plan)
    ask = asking(args)
    nothing = "Nothing was created, so nothing costs money."
    if not await agreed(ask, plan_question(prepared), nothing):
        output.message(nothing)
        return EXIT_FAILED
    return await rent(args, console, prepared, terms, ask)


async def rent(
    args: argparse.Namespace,
    console: "ConsoleClient",
    prepared: "Prepared",
    terms: "Terms",
    ask: "Ask",
    *,
    avoided: tuple[str, ...] = (),
) -> int:
    """Deploy what was agreed to; `ask` is for what comes up later."""
    from cockpit.operations.deployments.deploying import Deploying

    deploying = Deploying(console, prepared, terms, Teller(), waits=not args.no_wait, avoided=avoided)
    try:
        ready = await deploying.run(ask)
        if prepared.run is None:
            show_ready(args, prepared, ready)
            return EXIT_OK
        return await _run_on(args, console, deploying, prepared.run, ready)
    except asyncio.CancelledError:
        tell_what_exists(deploying)
        raise
    except CockpitError:
        tell_what_exists(deploying, only_if_costing=True)
        raise
    except OSError as error:
        raise_for_output(error, deploying.journal.attempt if deploying.journal else None)
        raise


async def _run_on(
    args: argparse.Namespace, console: "ConsoleClient", deploying: "Deploying", plan: "RunPlan", ready: "Ready"
) -> int:
    """The cluster is there: run the job, fetch, close."""
    assert deploying.journal is not None
    output.message(f"{ready.context or ready.dseq} runs at {ready.address}.")
    ran = await deploy_run.run_to_end(args, console, deploying.journal.attempt, plan, ready.context)
    if args.json:
        output.record({"dseq": ready.dseq, "context": ready.context, **deploy_run.run_record(ran)})
    return deploy_run.conclude_run(ran)


def show_ready(args: argparse.Namespace, prepared: "Prepared", ready: "Ready") -> None:
    """Print what runs now."""
    from cockpit.render.deployments import money, per_hour

    if args.json:
        output.record(
            {
                "dseq": ready.dseq,
                "context": ready.context,
                "address": ready.address,
                "price_per_hour": money(ready.usd_per_hour),
                "nodes": ready.nodes,
                "nodes_expected": ready.nodes_expected,
                "runtime_hours": prepared.plan.runtime.hours,
            }
        )
        return
    name = ready.context or prepared.file.stem
    where = f" at {ready.address}" if ready.address else ""
    output.line(f"{name} runs{where}, deployment {ready.dseq}, {per_hour(ready.usd_per_hour)}.")
    if args.no_wait:
        output.message(f"`rayakash-tui deployments resume {ready.dseq}` waits for it and adds the cluster.")
    opens = f"`rayakash-tui -c {last_word(ready.context)}` opens it; " if ready.context else ""
    output.message(f"{opens}`rayakash-tui deployments close {ready.dseq}` ends it and its cost.")


async def refuse_unfinished(console: "ConsoleClient", file: str) -> None:
    """Say what unfinished deployments have left. Raises CockpitError for one of the same file."""
    from cockpit.operations.deployments.register import settle

    for found in await settle(console):
        if found.deployment is None:
            continue
        if found.attempt.last.file == file:
            raise CockpitError(
                f"An earlier deployment of {file} was not finished.",
                detail=found.sentence,
                hint="Resume it or close it first; two at once cost twice.",
                fault="unfinished",
            )
        output.warning(found.sentence)
