"""What is to be said about an SDL while it is edited: made from a text alone, so that a thread can do it."""

from collections.abc import Mapping

import msgspec

from cockpit.operations.sdl_editor.files import shown_diff
from cockpit.operations.sdl_editor.form import form_of
from cockpit.operations.sdl_editor.form_rows import FormRow
from cockpit.sdl import rules
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.failures import UnreadableSdlError
from cockpit.sdl.fixes import fix_all
from cockpit.sdl.meaning import Meaning, meaning_of
from cockpit.secrets.overview import entries
from cockpit.secrets.references import process_store
from cockpit.secrets.store import SecretStore


class Check(msgspec.Struct, frozen=True):
    """Every problem of one text; without a meaning and rows if it is not YAML, which `failure` reports."""

    version: int
    lint: rules.Lint
    document: SdlDocument
    meaning: Meaning | None = None
    rows: tuple[FormRow, ...] = ()
    failure: UnreadableSdlError | None = None

    @property
    def worst_by_row(self) -> dict[int, str]:
        """The gravest severity of each row, from 0."""
        worst: dict[int, str] = {}
        for problem in self.lint.problems:
            row = problem.line - 1
            if row not in worst or _RANK[problem.severity] < _RANK[worst[row]]:
                worst[row] = problem.severity
        return worst

    @property
    def ray_findings(self) -> int:
        """How much there is to say about Ray."""
        return sum(problem.code.startswith("ray-") for problem in self.lint.problems)


_RANK = {"error": 0, "warning": 1, "info": 2}


def check(text: str, version: int, secrets: Mapping[str, str] | None = None) -> Check:
    """Work everything out for a text. Never raises for what the text holds."""
    document = SdlDocument(text)
    lint = rules.lint(document)
    try:
        meaning = meaning_of(document)
        return Check(version, lint, document, meaning, tuple(form_of(document, meaning, secrets)))
    except UnreadableSdlError as error:
        return Check(version, lint, document, failure=error)


class FixPlan(msgspec.Struct, frozen=True):
    """What all fixes together would make of a text: the sentences, the diff without secrets, and what is left."""

    text: str
    done: tuple[str, ...]
    diff: tuple[str, ...]
    left: int


def plan_fixes(text: str, name: str) -> FixPlan:
    """Apply every safe fix to a copy. Raises UnreadableSdlError if the text is not YAML."""
    document = SdlDocument(text)
    _ = document.tree
    done = tuple(f"line {problem.line}: {title}" for problem, title in fix_all(document))
    left = len(rules.problems(document))
    return FixPlan(document.text, done, tuple(shown_diff(text, document.text, name)), left)


def secret_places(scopes: tuple[str, ...], store: SecretStore | None = None) -> dict[str, str]:
    """Where the secret of each name is, in the nearest of the scopes, without asking for a passphrase.

    Raises UsageError where the index of secrets cannot be read.
    """
    found: dict[str, tuple[int, str]] = {}
    for entry in entries(store or process_store()).entries:
        if entry.present is False or (entry.scope is not None and entry.scope not in scopes):
            continue
        rank = -1 if entry.scope is None else scopes.index(entry.scope)
        if entry.name not in found or rank < found[entry.name][0]:
            found[entry.name] = (rank, str(entry.place))
    return {name: place for name, (_, place) in found.items()}
