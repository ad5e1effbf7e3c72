"""`submit`: run a job and follow it."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.cli import options, output, session
from cockpit.errors import EXIT_OK, UsageError
from cockpit.model.quantities import parse_number, parse_pair
from cockpit.render.text import last_word

if TYPE_CHECKING:
    from cockpit.clients.ray import RayClient
    from cockpit.operations.jobs.capacity import Capacity
    from cockpit.operations.jobs.submit import Prepared, SubmitForm

DESCRIPTION = """\
Submit a job, follow its log and exit with its result. Ctrl-C stops following, not the job.
Ray's own spellings of the options work too.
"""

EPILOG = """\
examples:
  rayakash-tui submit --working-dir . --num-gpus 1 -- python train.py --epochs 3
  rayakash-tui submit -f job.yaml --wait-for-gpus 8
  rayakash-tui submit --again                    the last submission, with today's code
"""


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "submit",
        help="submit a job and follow it",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.usage = "rayakash-tui submit [options] [-f JOB.yaml | --again [ID]] [-- ENTRYPOINT…]"
    parser.add_argument("entrypoint", nargs="*", metavar="ENTRYPOINT", help="the command to run, after --")
    _add_sources(parser)
    parser.add_argument("--no-wait", action="store_true", help="print the id alone, and do not follow")
    parser.add_argument(
        "--dry-run", action="store_true", help="print the request as JSON, values of variables masked; send nothing"
    )
    _add_environment(parser)
    _add_resources(parser)
    _add_capacity(parser)
    parser.add_argument(
        "--send-secrets",
        action="store_true",
        help="agree, once for this address, to send the secrets that the job refers to unencrypted",
    )
    options.add_retry(parser)
    options.add_cluster(parser)
    parser.set_defaults(run=submit_job)


def _add_sources(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("a job that is written down; options and the command after -- replace its values")
    source = group.add_mutually_exclusive_group()
    source.add_argument("-f", "--file", type=Path, metavar="FILE", help="a job file in YAML; see `help jobs`")
    source.add_argument(
        "--again", nargs="?", const="", metavar="ID", help="a job submitted from here, the last one if no ID is given"
    )


def _add_capacity(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("gang start: send the job only when the cluster has what it needs")
    group.add_argument(
        "--wait-for-gpus", type=options.amount, metavar="N", help="GPUs of alive nodes, whether in use or not"
    )
    group.add_argument("--free", action="store_true", help="count only GPUs that are free")
    group.add_argument("--wait-for-nodes", type=options.count, metavar="N", help="alive nodes")
    group.add_argument(
        "--wait-for-labels", action="append", default=[], metavar="K=V", help="count only nodes with this label"
    )
    group.add_argument(
        "--wait-timeout",
        type=options.seconds,
        metavar="TIME",
        help="then send nothing and exit with code 3 (default 30m)",
    )


def _add_environment(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--id", "--submission-id", dest="id", metavar="ID", help="the submission id; fresh if left out")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--working-dir", metavar="D", help="a directory or zip file to upload, or a URI")
    source.add_argument(
        "--no-working-dir", action="store_true", help="send no directory, though the command names a file that is here"
    )
    parser.add_argument("--runtime-env", type=Path, metavar="FILE", help="a runtime environment in YAML or JSON")
    parser.add_argument("--runtime-env-json", metavar="JSON", help="the same as text")
    parser.add_argument(
        "--env", action="append", default=[], metavar="K=V", help="an environment variable; V may be ac-secret://NAME"
    )
    parser.add_argument("--metadata", action="append", default=[], metavar="K=V", help="a metadata entry")
    parser.add_argument("--metadata-json", metavar="JSON", help="metadata as a JSON object")


def _add_resources(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("resources of the entrypoint itself")
    group.add_argument("--num-cpus", "--entrypoint-num-cpus", dest="num_cpus", type=float, metavar="N", help="CPUs")
    group.add_argument("--num-gpus", "--entrypoint-num-gpus", dest="num_gpus", type=float, metavar="N", help="GPUs")
    group.add_argument(
        "--memory", "--entrypoint-memory", dest="memory", type=options.memory, metavar="SIZE", help="memory, e.g. 16Gi"
    )
    group.add_argument("--resource", action="append", default=[], metavar="K=N", help="a custom resource")
    group.add_argument("--entrypoint-resources", metavar="JSON", help="custom resources as a JSON object")
    group.add_argument(
        "--label-selector", action="append", default=[], metavar="K=V", help="a label the node must have"
    )
    group.add_argument("--entrypoint-label-selector", metavar="JSON", help="labels as a JSON object")


async def submit_job(args: argparse.Namespace) -> int:
    """Submit, and follow unless --no-wait is given."""
    from cockpit.operations.jobs.submit import prepare
    from cockpit.secrets.names import scopes_for
    from cockpit.settings import current_context

    given, wanted = _wanted(args)
    given = await _with_code(given, args)
    prepared = await prepare(given, scopes=scopes_for(context=args.context or current_context()))
    _say_what_goes(prepared)
    if args.dry_run:
        output.record(_request_record(prepared))
        return EXIT_OK
    async with session.cluster(args, changes=True) as client:
        await _wait_for_capacity(client, wanted, args)
        submission_id = await _send(client, prepared, args)
        _remember(given, submission_id, client, args)
        if args.no_wait:
            output.line(submission_id)
            return EXIT_OK
        output.message(f"Submitted {submission_id}.")
        return await _follow(client, submission_id, args)


async def _with_code(form: "SubmitForm", args: argparse.Namespace) -> "SubmitForm":
    """The form; where it names a file of this directory and sends none, with this directory after a yes."""
    import msgspec

    from cockpit.operations.jobs.local_code import forgotten, forgotten_file

    name = None if args.no_working_dir else forgotten_file(form)
    if name is None:
        return form
    if session.asker() is not None:
        output.message(f"{name} is a file in this directory, but the job is sent without a directory.")
        if await session.yes("Send this directory with the job?"):
            return msgspec.structs.replace(form, working_dir=".")
    raise forgotten(name, how="Add --working-dir . to send it, or --no-working-dir where the cluster has the file.")


def _wanted(args: argparse.Namespace) -> "tuple[SubmitForm, Capacity]":
    """The form and what to wait for: those of the file or the earlier job, where no option replaces them."""
    from cockpit.operations.jobs import capacity, job_file, submissions
    from cockpit.operations.jobs.submit import SubmitForm, entrypoint_of

    base, wait_for = SubmitForm(entrypoint=""), capacity.Capacity()
    if args.file is not None:
        read = job_file.load(args.file)
        base, wait_for = read.form, read.wait_for or wait_for
    elif args.again is not None:
        earlier = submissions.find(args.again or None)
        base = earlier.form
        _require_values(earlier.withheld, args)
    form = _form(args, base)
    entrypoint_of([form.entrypoint])  # before anything is read that may ask for a passphrase
    wanted = _capacity(args, wait_for)
    capacity.check(wanted)
    return form, wanted


def _require_values(withheld: tuple[str, ...], args: argparse.Namespace) -> None:
    """Values that look like secrets are not kept with a submission."""
    given = {text.partition("=")[0] for text in args.env}
    if missing := [name for name in withheld if name not in given]:
        raise UsageError(
            f"The value of {output.joined(missing)} was not kept with the earlier submission.",
            hint=f"Store it as a secret and add --env {missing[0]}=ac-secret://{missing[0]}.",
        )


def _capacity(args: argparse.Namespace, base: "Capacity") -> "Capacity":
    from cockpit.operations.jobs.capacity import Capacity

    return Capacity(
        gpus=base.gpus if args.wait_for_gpus is None else args.wait_for_gpus,
        nodes=base.nodes if args.wait_for_nodes is None else args.wait_for_nodes,
        labels={**base.labels, **_pairs(args.wait_for_labels, "--wait-for-labels")},
        free=base.free or args.free,
        timeout_s=base.timeout_s if args.wait_timeout is None else args.wait_timeout,
    )


async def _wait_for_capacity(client: "RayClient", wanted: "Capacity", args: argparse.Namespace) -> None:
    from cockpit.operations.jobs.capacity import wait_for_capacity

    await wait_for_capacity(
        client,
        wanted,
        patience=session.patience_of(args),
        on_missing=lambda text: output.message(f"Waiting: the cluster has {text}."),
    )


def _request_record(prepared: "Prepared") -> dict[str, Any]:
    """The body of the request as it would be sent, with values of variables masked."""
    import msgspec

    from cockpit.model.jobs import MASK

    request: dict[str, Any] = msgspec.to_builtins(prepared.request)
    environment = request.get("runtime_env", {})
    if "env_vars" in environment:
        environment["env_vars"] = dict.fromkeys(environment["env_vars"], MASK)
    if prepared.plan is not None:
        request["runtime_env"] = {**environment, "working_dir": prepared.plan.uri}
    return request


def _remember(form: "SubmitForm", submission_id: str, client: "RayClient", args: argparse.Namespace) -> None:
    """Keep the form for --again; the job runs, so a record that cannot be written is a warning."""
    from cockpit.operations.jobs import submissions
    from cockpit.settings import current_context

    context = args.context or (None if args.address else current_context())
    try:
        submissions.remember(form, submission_id, address=client.address, context=context)
    except UsageError as error:
        output.warning(f"submit --again will not know this job: {error.title}")


async def _send(client: Any, prepared: "Prepared", args: argparse.Namespace) -> str:
    import asyncio

    from cockpit.operations.jobs.submit import submit
    from cockpit.operations.sending import Consent
    from cockpit.render.upload import result

    try:
        return await submit(
            client,
            prepared,
            consent=Consent(session.asker(), args.send_secrets),
            uploaded=lambda done: output.message(result(done)),
            patience=session.patience_of(args),
        )
    except asyncio.CancelledError:
        name = prepared.request.submission_id
        output.message("")  # the terminal stands behind its ^C
        search = f"rayakash-tui jobs | grep {last_word(name or '')}"
        output.message(f"Interrupted: the job may have been accepted. Look for it with: {search}")
        raise


async def _follow(client: Any, submission_id: str, args: argparse.Namespace) -> int:
    from cockpit.cli.following import conclude, detached_on_interrupt, follow
    from cockpit.cli.notices import tell_end
    from cockpit.feeds.log_source import JobLog

    with detached_on_interrupt(submission_id):
        followed = await follow(JobLog(client, submission_id), args, has_answered=True)
        await tell_end(followed.job)
        return conclude(followed)


def _form(args: argparse.Namespace, base: "SubmitForm") -> "SubmitForm":
    """The base with the values that the options give."""
    import msgspec

    from cockpit.operations.jobs.submit import entrypoint_of

    if args.working_dir == "":  # as of a variable that is not set: the job would run without its code
        raise UsageError("--working-dir is empty.", hint="Leave it out to upload nothing.")
    words = [*args.entrypoint, *args.rest]
    given = {
        "entrypoint": entrypoint_of(words) if words else None,
        "submission_id": args.id,
        "runtime_env": _runtime_env(args) or None,
        "working_dir": args.working_dir,
        "num_cpus": args.num_cpus,
        "num_gpus": args.num_gpus,
        "memory": args.memory,
    }
    return msgspec.structs.replace(
        base,
        **{name: value for name, value in given.items() if value is not None},
        environment={**base.environment, **_pairs(args.env, "--env")},
        metadata={**base.metadata, **_metadata(args)},
        resources={**base.resources, **_resources(args)},
        label_selector={**base.label_selector, **_labels(args)},
    )


def _pairs(texts: list[str], option: str) -> dict[str, str]:
    return dict(parse_pair(text, option) for text in texts)


def _labels(args: argparse.Namespace) -> dict[str, str]:
    return _texts(args.entrypoint_label_selector, "--entrypoint-label-selector", "label") | _pairs(
        args.label_selector, "--label-selector"
    )


def _runtime_env(args: argparse.Namespace) -> dict[str, Any]:
    from cockpit.operations.jobs import runtime_env

    if args.runtime_env and args.runtime_env_json:
        raise UsageError("Give --runtime-env or --runtime-env-json, not both.")
    if args.runtime_env:
        return runtime_env.load_file(args.runtime_env)
    return runtime_env.load_json(args.runtime_env_json) if args.runtime_env_json else {}


def _metadata(args: argparse.Namespace) -> dict[str, str]:
    return _texts(args.metadata_json, "--metadata-json", "metadata") | _pairs(args.metadata, "--metadata")


def _texts(text: str | None, option: str, what: str) -> dict[str, str]:
    given = _json_object(text, option)
    if wrong := [key for key, value in given.items() if not isinstance(value, str)]:
        raise UsageError(f"The {what} {wrong[0]} in {option} is not text, and Ray takes only text.")
    return given


def _resources(args: argparse.Namespace) -> dict[str, float]:
    given = _json_object(args.entrypoint_resources, "--entrypoint-resources")
    for key, value in given.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise UsageError(f"The amount of the resource {key} is not a number.")
    pairs = _pairs(args.resource, "--resource")
    return given | {key: parse_number(value, f"--resource {key}:") for key, value in pairs.items()}


def _json_object(text: str | None, option: str) -> dict[str, Any]:
    import msgspec

    if text is None:
        return {}
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise UsageError(f"{option} is not a JSON object.", detail=str(error)) from error


def _say_what_goes(prepared: "Prepared") -> None:
    """What would be uploaded, and who will hold the secrets."""
    from cockpit.render.upload import report

    if prepared.plan is not None:
        for text in report(prepared.plan):
            output.message(text)
    if prepared.secrets:
        names = output.joined(prepared.secrets)
        output.warning(f"the cluster will hold the value of {names} as long as it remembers the job.")
