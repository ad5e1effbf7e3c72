"""The rules put together: the verdicts of both parsers, and every problem of a document."""

import msgspec

from cockpit.sdl import advice, go_rules, ray_rules, structure, typescript_rules
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.failures import UnreadableSdlError
from cockpit.sdl.findings import BOTH, GO, TS, Problem, Report, Side
from cockpit.sdl.grammar import ROOT
from cockpit.sdl.nodes import Mapping, walk
from cockpit.sdl.parser import Tree
from cockpit.sdl.scalars import is_null
from cockpit.sdl.view import View


def accepted_by_go(document: SdlDocument) -> bool:
    """Whether the Go parser (command line and provider) takes the document."""
    return _accepted(document, GO)


def accepted_by_typescript(document: SdlDocument) -> bool:
    """Whether the TypeScript package (Console) takes the document."""
    return _accepted(document, TS)


def _accepted(document: SdlDocument, side: Side) -> bool:
    try:
        tree = document.tree
    except UnreadableSdlError:
        return False
    report = Report()
    verdicts(report, tree, View(tree.root))
    return not report.refused_by(side)


def verdicts(report: Report, tree: Tree, view: View) -> None:
    """Note all that either parser refuses."""
    root = view.root
    if root is None or is_null(root):
        report.add_at("empty", 0, 0, "The document is empty; both parsers refuse it.", BOTH)
        return
    if not isinstance(root, Mapping):
        report.add("wrong-type", root, f"The document must be a mapping, not a {root.kind}; both refuse it.", BOTH)
        return
    if tree.documents > 1 and tree.second is not None:
        message = "A second document begins here: TypeScript refuses the file, Go reads only the first."
        report.add_at("second-document", tree.second, tree.second + 3, message, (TS,))
    if tree.directive is not None:
        message = "Go reads YAML 1.1 only and refuses a directive for another version; leave the line out."
        report.add_at("yaml-version", tree.directive, tree.directive + 5, message, (GO,))
    structure.whole_tree(report, list(walk(tree.root)))
    structure.check(report, ROOT, root, ())
    if "version" not in view.section():
        report.add("missing-version", root, "The file has no version; both parsers refuse it.", BOTH)
    go_rules.check(report, view)
    typescript_rules.check(report, view)
    typescript_rules.check_unused_gpus(report, view)


class Lint(msgspec.Struct, frozen=True, kw_only=True):
    """Both verdicts and all problems of one document."""

    go: bool
    typescript: bool
    problems: list[Problem]

    @property
    def portable(self) -> bool:
        """Whether both parsers take the document."""
        return self.go and self.typescript

    @property
    def clean(self) -> bool:
        """Whether it is portable and free of errors, those of the chain and of Ray included."""
        return self.portable and all(problem.severity != "error" for problem in self.problems)


def problems(document: SdlDocument) -> list[Problem]:
    """Everything to say about the document, in the order of its text; never raises for what the text holds."""
    return lint(document).problems


def lint(document: SdlDocument) -> Lint:
    """Verdicts and problems in one go; never raises for what the text holds."""
    try:
        tree = document.tree
    except UnreadableSdlError as error:
        return unreadable(error)
    report = Report()
    cluster = document.cluster
    verdicts(report, tree, cluster.view)
    go, typescript = not report.refused_by(GO), not report.refused_by(TS)
    advice.check(report, cluster.view)
    ray_rules.check(report, cluster)
    return Lint(go=go, typescript=typescript, problems=report.problems(tree.lines))


def unreadable(error: UnreadableSdlError) -> Lint:
    """The problems of text or bytes that are not YAML: both parsers refuse it."""
    problem = Problem(
        line=error.line or 1,
        column=error.column or 1,
        severity="error",
        code="not-yaml",
        message=error.title,
        refused_by=BOTH,
    )
    return Lint(go=False, typescript=False, problems=[problem])
