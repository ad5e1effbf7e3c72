"""Applying fixes: one by one on the text as it then is, until nothing more can be fixed."""

from collections.abc import Collection

from cockpit.sdl.document import SdlDocument
from cockpit.sdl.failures import SdlError
from cockpit.sdl.findings import Fix, Operation, Problem
from cockpit.sdl.rules import problems

MAX_FIXES = 500


def apply_fix(document: SdlDocument, fix: Fix) -> None:
    """Make all edits of a fix.

    Raises UnsafeEditError or MissingNodeError; nothing is changed then.
    """
    with document.all_or_none():
        for operation in fix.operations:
            _apply(document, operation)


def _apply(document: SdlDocument, operation: Operation) -> None:
    value = operation.value
    if operation.kind == "remove":
        document.remove(operation.path)
    elif operation.kind == "rename":
        document.rename_key(operation.path, str(value))
    elif operation.kind == "wrap":
        document.wrap(operation.path)
    elif operation.kind == "append":
        document.append(operation.path, value)
    elif operation.kind == "set" and not isinstance(value, list | dict):
        document.set(operation.path, value)
    else:
        document.insert(operation.path, value)


def fix_all(document: SdlDocument, codes: Collection[str] | None = None) -> list[tuple[Problem, str]]:
    """Apply every fix that can be applied (of these codes, if any are named).

    Returns the problems that were fixed with what was done; the others cannot be fixed automatically or edited safely.
    """
    done: list[tuple[Problem, str]] = []
    failed: set[tuple[str, int, str]] = set()
    with document.all_or_none():
        while len(done) < MAX_FIXES:
            problem = _next(document, codes, failed)
            if problem is None or problem.fix is None:
                break
            before = document.text
            try:
                apply_fix(document, problem.fix)
            except SdlError:
                failed.add(_identity(problem))
                continue
            if document.text == before:
                failed.add(_identity(problem))
            else:
                done.append((problem, problem.fix.title))
    return done


def _next(document: SdlDocument, codes: Collection[str] | None, failed: set[tuple[str, int, str]]) -> Problem | None:
    for problem in problems(document):
        wanted = codes is None or problem.code in codes
        if wanted and problem.fix is not None and _identity(problem) not in failed:
            return problem
    return None


def _identity(problem: Problem) -> tuple[str, int, str]:
    return problem.code, problem.line, problem.message
