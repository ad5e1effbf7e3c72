"""`sdl`: write the description of a cluster, check it as both parsers of Akash do, and see what it means."""

import argparse
import sys
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.cli import options, output, sdl_containers, sdl_export, sdl_import, sdl_new, sdl_secrets
from cockpit.cli.offers import add_console
from cockpit.cli.sdl_input import for_change, in_file, read_bytes, read_document
from cockpit.errors import EXIT_FAILED, EXIT_OK, EXIT_USAGE, UsageError

if TYPE_CHECKING:
    from cockpit.sdl.document import SdlDocument

DESCRIPTION = """\
An SDL is the file that describes a deployment on Akash. Two parsers decide on it: the one in Go (command line and
providers) and the one in TypeScript (Console); a file that both take is called portable. FILE may be - for stdin.
"""
PATH_HELP = "dotted, list items by index: services.ray-head.image, services.web.expose.0.port, services.web.env.KEY"


def add(commands: Any) -> None:
    """Declare the commands."""
    group = commands.add_parser(
        "sdl",
        help="create, edit, check and convert cluster definitions",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    group.set_defaults(run=lambda _: _show_help(group))
    nested = group.add_subparsers(title="commands", metavar="COMMAND")
    sdl_new.add(nested)
    _add_writing(nested)
    _add_reading(nested)
    sdl_secrets.add_render(nested)
    sdl_export.add(nested)
    sdl_import.add(nested)
    sdl_containers.add(nested)


def _add_writing(nested: Any) -> None:
    edit = nested.add_parser("edit", help="edit an SDL as a form and as text")
    edit.add_argument("file", metavar="FILE", nargs="?", help="a file, which need not exist yet")
    edit.set_defaults(run=edit_file)
    fix = nested.add_parser("fix", help="fix what has one answer and list the rest")
    fix.add_argument("file", metavar="FILE")
    fix.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    fix.set_defaults(run=fix_file)
    put = nested.add_parser("set", help="set one value; the rest of the file stays byte for byte")
    put.add_argument("file", metavar="FILE")
    put.add_argument("path", metavar="PATH", help=PATH_HELP)
    put.add_argument("value", metavar="VALUE", help="a YAML scalar: 3 is a number, '\"3\"' a text")
    put.add_argument("--raw", action="store_true", help="store VALUE as text even if it looks like a number")
    put.set_defaults(run=set_in_file)


def _add_reading(nested: Any) -> None:
    check = nested.add_parser("lint", help="check an SDL against both parsers, the chain and Ray")
    check.add_argument("files", nargs="+", metavar="FILE")
    compare = nested.add_parser(
        "diff",
        help="compare two SDLs, or an SDL and a deployment, by meaning",
        epilog="  rayakash-tui sdl diff lab.yaml --deployed 1790294703677   what FILE would change of what runs",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    compare.add_argument("before", metavar="A", help="a file; with --deployed the one as it should be")
    compare.add_argument("after", metavar="B", nargs="?", help="the file to compare it with; none with --deployed")
    compare.add_argument("--deployed", metavar="DSEQ", help="compare what this deployment runs with A")
    compare.add_argument("--scope", metavar="S", help=sdl_secrets.SCOPE_HELP)
    add_console(compare)
    show = nested.add_parser("show", help="show services, resources, cost and ports")
    show.add_argument("file", metavar="FILE")
    for parser, run in ((check, lint), (compare, diff), (show, show_file)):
        options.add_json(parser)
        parser.set_defaults(run=run)


def _show_help(group: argparse.ArgumentParser) -> int:
    group.print_help()
    return EXIT_OK


def _save(name: str, document: "SdlDocument") -> None:
    """Into the file it came from; what came from stdin goes to stdout."""
    from cockpit.sdl.files import save_document

    if name == "-":
        output.document(document.text)
    else:
        save_document(Path(name), document)


# --- commands --------------------------------------------------------------------------------------------------------


def edit_file(args: argparse.Namespace) -> int:
    """Open the editor; no cluster is needed."""
    from cockpit.cli.cockpit import has_screen, run_app
    from cockpit.operations.sdl_editor.files import OpenFile

    if not has_screen():
        raise UsageError("The editor needs a terminal.", hint="Use `sdl set` and `sdl fix` in scripts.")
    path = Path(args.file).expanduser() if args.file else None
    if path is not None and path.exists():
        with in_file(str(path)):
            OpenFile.read(path)  # binary data is reported before the screen opens
    return run_app(None, sdl=path, first_pane="sdl")


def lint(args: argparse.Namespace) -> int:
    """Print what is wrong with the files; 1 where one is refused or has an error, 2 where one cannot be read."""
    from cockpit.operations.sdl_editor.commands import lint_bytes, lint_record

    rows, code = [], EXIT_OK
    for name in args.files:
        try:
            data = read_bytes(name)
        except UsageError as error:
            output.error(error)
            code = EXIT_USAGE
            continue
        result = lint_bytes(data)
        rows.append(lint_record(name, result))
        code = max(code, EXIT_OK if result.clean else EXIT_FAILED)
    if args.json:
        output.record({"files": rows})
    else:
        _print_problems(rows)
    return code


def _print_problems(rows: list[dict[str, Any]]) -> None:
    from cockpit.render.sdl import problem_line, verdict_line

    for row in rows:
        for problem in row["problems"]:
            output.line(problem_line(row["file"], problem))
        output.line(verdict_line(row))


def fix_file(args: argparse.Namespace) -> int:
    """Mend a file."""
    with for_change(args.file):
        return _fix(args)


def _fix(args: argparse.Namespace) -> int:
    from cockpit.operations.sdl_editor.commands import fix
    from cockpit.render.sdl import problem_line, text_diff
    from cockpit.sdl.document import SdlDocument
    from cockpit.sdl.masking import masked_text

    document = read_document(args.file)
    done = fix(document)
    show_diff = args.dry_run or args.file != "-"
    if show_diff and document.text != done.before:
        before = masked_text(SdlDocument(done.before))
        for text in text_diff(before, masked_text(document), args.file):
            output.line(text)
    if not args.dry_run and (document.text != done.before or args.file == "-"):
        _save(args.file, document)
    for line, title in done.done:
        output.message(f"line {line}: {title}")
    output.message(_outcome(args, len(done.done)))
    if done.left:
        output.message("Left for you to decide:")
    for problem in done.left:
        output.message(f"  {problem_line(args.file, problem.row())}")
    return EXIT_OK


def _outcome(args: argparse.Namespace, count: int) -> str:
    if not count:
        return f"{args.file}: nothing to mend."
    problems = f"{count} problem{'s' if count != 1 else ''}"
    return f"{args.file}: {'would mend' if args.dry_run else 'mended'} {problems}."


def set_in_file(args: argparse.Namespace) -> int:
    """Give one value of a file another."""
    from cockpit.operations.sdl_editor.commands import set_value
    from cockpit.operations.sdl_editor.spellings import Spellings
    from cockpit.render.sdl import problem_line

    with for_change(args.file):
        document = read_document(args.file)
        before = document.text
        with in_file(args.file):
            spelling = None if args.file == "-" else Spellings(Path(args.file), args.path)
            change = set_value(document, args.path, args.value, raw=args.raw, spelling=spelling)
        if document.text != before or args.file == "-":
            _save(args.file, document)
            if spelling is not None:
                with suppress(UsageError):  # the file is saved; only a later way back is not byte for byte
                    spelling.keep()
    done = "was that already" if document.text == before else "added" if change.added else "set"
    output.message(f"{args.file}: {change.path} {done}.")
    for problem in change.problems:
        output.message(f"  {problem_line(args.file, problem.row())}")
    if change.is_secret:
        output.message("Other users see arguments of commands, and the shell remembers them; better: secrets set.")
    return EXIT_OK


def diff(args: argparse.Namespace) -> "int | Coroutine[Any, Any, int]":
    """Print what differs in meaning between two files, or between a deployment and a file."""
    if (args.deployed is None) == (args.after is None):
        raise UsageError("Name two files, or one file and --deployed DSEQ.")
    if args.deployed is not None:
        return _diff_deployed(args)
    return _tell_differences(args, read_document(args.before), read_document(args.after), {})


async def _diff_deployed(args: argparse.Namespace) -> int:
    from cockpit.operations.deployments.account import open_console
    from cockpit.operations.deployments.journal import attempt_of
    from cockpit.operations.deployments.running import aligned, not_compared_words, running_sdl, scope_of
    from cockpit.secrets.names import scopes_for

    after = read_document(args.before)
    async with open_console(args.console) as console:
        found = await console.deployment(args.deployed)
    attempt = attempt_of(args.deployed)
    running = running_sdl(found, attempt)
    source = None if args.before == "-" else Path(args.before)
    compared = aligned(running.document, after, scopes_for(sdl=source, scope=scope_of(attempt, args.scope)))
    output.message(f"What runs is known from {running.source}.")
    if compared.not_compared:
        output.warning(not_compared_words(compared.not_compared))
    extra = {"source": running.source, "not_compared": list(compared.not_compared)}
    return _tell_differences(args, compared.document, after, extra)


def _tell_differences(
    args: argparse.Namespace, before: "SdlDocument", after: "SdlDocument", extra: dict[str, Any]
) -> int:
    from cockpit.operations.sdl_editor.commands import difference_record
    from cockpit.render.sdl import difference_lines
    from cockpit.sdl.differences import diff as differences

    rows = [difference_record(one) for one in differences(before, after)]
    in_place = all(row["in_place"] for row in rows)
    if args.json:
        output.record({"differences": rows, "total": len(rows), "in_place": in_place} | extra)
        return EXIT_OK
    for line in difference_lines(rows):
        output.line(line)
    if not rows:
        output.message("No difference in meaning.")
    else:
        output.message("An update can do it." if in_place else "Lines with ! need a new deployment.")
    return EXIT_OK


def show_file(args: argparse.Namespace) -> int:
    """Print what a file asks for."""
    from cockpit.operations.sdl_editor.commands import meaning_record
    from cockpit.render.sdl import description
    from cockpit.sdl.meaning import meaning_of
    from cockpit.sdl.rules import lint as lint_document

    document = read_document(args.file)
    row = meaning_record(args.file, meaning_of(document), lint_document(document))
    if args.json:
        output.record(row)
        return EXIT_OK
    ascii_only = not (sys.stdout.encoding or "").lower().startswith("utf")
    for line in description(row, width=output.terminal_width(), ascii_only=ascii_only):
        output.line(line)
    return EXIT_OK
