"""`submit`: run a job and follow it."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.cli import options, output, session
from cockpit.errors import EXIT_OK, UsageError
from cockpit.render.text import last_word

if TYPE_CHECKING:
    from cockpit.operations.jobs.submit import Prepared, SubmitForm

DESCRIPTION = """\
Submit a job, follow its log and exit with its result. Ctrl-C stops following, not the job.
Ray's own spellings of the options work too.
"""


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser("submit", help="submit a job and follow it", description=DESCRIPTION)
    parser.usage = "rayakash-tui submit [options] -- ENTRYPOINT…"
    parser.add_argument("entrypoint", nargs="*", metavar="ENTRYPOINT", help="the command to run, after --")
    parser.add_argument("--no-wait", action="store_true", help="print the id alone, and do not follow")
    _add_environment(parser)
    _add_resources(parser)
    parser.add_argument(
        "--send-secrets",
        action="store_true",
        help="agree, once for this address, to send the secrets that the job refers to unencrypted",
    )
    options.add_retry(parser)
    options.add_cluster(parser)
    parser.set_defaults(run=submit_job)


def _add_environment(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--id", "--submission-id", dest="id", metavar="ID", help="the submission id; fresh if left out")
    parser.add_argument("--working-dir", metavar="D", help="a directory or zip file to upload, or a URI")
    parser.add_argument("--runtime-env", type=Path, metavar="FILE", help="a runtime environment in YAML or JSON")
    parser.add_argument("--runtime-env-json", metavar="JSON", help="the same as text")
    parser.add_argument(
        "--env", action="append", default=[], metavar="K=V", help="an environment variable; V may be ac-secret://NAME"
    )
    parser.add_argument("--metadata", action="append", default=[], metavar="K=V", help="a metadata entry")
    parser.add_argument("--metadata-json", metavar="JSON", help="metadata as a JSON object")


def _add_resources(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("resources of the entrypoint itself")
    group.add_argument("--num-cpus", "--entrypoint-num-cpus", dest="num_cpus", type=float, metavar="N")
    group.add_argument("--num-gpus", "--entrypoint-num-gpus", dest="num_gpus", type=float, metavar="N")
    group.add_argument("--memory", "--entrypoint-memory", dest="memory", type=options.memory, metavar="SIZE")
    group.add_argument("--resource", action="append", default=[], metavar="K=N", help="a custom resource")
    group.add_argument("--entrypoint-resources", metavar="JSON", help="custom resources as a JSON object")


async def submit_job(args: argparse.Namespace) -> int:
    """Submit, and follow unless told not to."""
    from cockpit.operations.jobs.submit import prepare
    from cockpit.secrets.names import scopes_for
    from cockpit.settings import current_context

    prepared = await prepare(_form(args), scopes=scopes_for(context=args.context or current_context()))
    _say_what_goes(prepared)
    async with session.cluster(args, changes=True) as client:
        submission_id = await _send(client, prepared, args)
        if args.no_wait:
            output.line(submission_id)
            return EXIT_OK
        output.message(f"Submitted {submission_id}.")
        return await _follow(client, submission_id, args)


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
    import asyncio

    from cockpit.cli.following import conclude, follow
    from cockpit.cli.notices import tell_end
    from cockpit.feeds.log_source import JobLog

    try:
        followed = await follow(JobLog(client, submission_id), args, has_answered=True)
        await tell_end(followed.job)
        return conclude(followed)
    except asyncio.CancelledError:
        output.message("")  # the terminal stands behind its ^C
        output.message(
            f"Detached: job {submission_id} goes on. Stop it with: rayakash-tui stop {last_word(submission_id)}"
        )
        raise


def _form(args: argparse.Namespace) -> "SubmitForm":
    from cockpit.operations.jobs.submit import SubmitForm, entrypoint_of

    if args.working_dir == "":  # as of a variable that is not set: the job would run without its code
        raise UsageError("--working-dir is empty.", hint="Leave it out to upload nothing.")
    return SubmitForm(
        entrypoint=entrypoint_of([*args.entrypoint, *args.rest]),
        submission_id=args.id,
        runtime_env=_runtime_env(args),
        working_dir=args.working_dir,
        environment=dict(options.pair(text, "--env") for text in args.env),
        metadata=_metadata(args),
        num_cpus=args.num_cpus,
        num_gpus=args.num_gpus,
        memory=args.memory,
        resources=_resources(args),
    )


def _runtime_env(args: argparse.Namespace) -> dict[str, Any]:
    from cockpit.operations.jobs import runtime_env

    if args.runtime_env and args.runtime_env_json:
        raise UsageError("Give --runtime-env or --runtime-env-json, not both.")
    if args.runtime_env:
        return runtime_env.load_file(args.runtime_env)
    return runtime_env.load_json(args.runtime_env_json) if args.runtime_env_json else {}


def _metadata(args: argparse.Namespace) -> dict[str, str]:
    given = _json_object(args.metadata_json, "--metadata-json")
    if wrong := [key for key, value in given.items() if not isinstance(value, str)]:
        raise UsageError(f"The metadata {wrong[0]} is not text, and Ray takes only text.")
    return given | dict(options.pair(text, "--metadata") for text in args.metadata)


def _resources(args: argparse.Namespace) -> dict[str, float]:
    given = _json_object(args.entrypoint_resources, "--entrypoint-resources")
    for key, value in given.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise UsageError(f"The amount of the resource {key} is not a number.")
    return given | dict(options.number_pair(text, "--resource") for text in args.resource)


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
