"""Whatever a stranger wrote goes through one gate: no bare field, notice, title or print around it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import cockpit

ROOT = Path(cockpit.__file__).parent
# Programs that run as jobs have a terminal of their own.
JOBS = {"gallery", "samples"}
SOURCES = sorted(path for path in ROOT.rglob("*.py") if not JOBS & set(path.relative_to(ROOT).parts))

# Where a field that Textual gives is made into one that shows control characters as pictures.
FIELDS = {"widgets/fields.py", "widgets/sdl_view.py"}
# Widgets of Textual's that draw text as it comes, or read markup in it.
NEVER = {"RichLog", "Log", "Markdown", "MarkdownViewer", "Pretty", "DataTable", "Select", "MaskedInput", "Tree"}
# Where stdout and stderr, notices and titles are written; and what has its own reason to write there.
PRINTING = {
    "cli/output.py",
    "cli/session.py",  # a question, made visible, whose line stays open
    "cli/completion.py",  # a script of our own, for the shell
    "clients/ssh/askpass.py",  # an answer of the user's, for ssh
    "local/teardown.py",  # paths of our own, after the owner is gone
    "screens/own_commands.py",  # a sentence of our own, while a program has the terminal
}
TITLES = {"textual_patches/terminal_app.py"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def calls(nodes: list[ast.AST]) -> Iterator[tuple[str, ast.Call]]:
    for node in nodes:
        if isinstance(node, ast.Call):
            called = node.func
            yield (
                (
                    called.id
                    if isinstance(called, ast.Name)
                    else called.attr
                    if isinstance(called, ast.Attribute)
                    else ""
                ),
                node,
            )


def breaches(name: str, tree: ast.Module) -> Iterator[str]:
    nodes = list(ast.walk(tree))
    imported = {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names
                if (node.module or "").startswith("textual")}  # fmt: skip
    yield from (f"imports {one}" for one in sorted(imported & NEVER))
    for node in nodes:
        if isinstance(node, ast.ClassDef) and name not in FIELDS:
            bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
            yield from (f"{node.lineno}: subclasses {one}" for one in sorted(bases & {"Input", "TextArea"} & imported))
    for called, node in calls(nodes):
        if called in ("Input", "TextArea") and called in imported:
            yield f"{node.lineno}: a bare {called}"
        if called == "print" and isinstance(node.func, ast.Name) and name not in PRINTING:
            yield f"{node.lineno}: prints"
        if called in ("Static", "Label", "OptionList") and called in imported and _may_be_markup(node):
            yield f"{node.lineno}: {called} reads markup in a text that is not its own"
        if called == "notify" and name not in TITLES and _has_markup(node):
            yield f"{node.lineno}: a notice with markup"
        if (
            isinstance(node.func, ast.Attribute)
            and called == "write"
            and name not in PRINTING
            and _is_stream(node.func.value)
        ):
            yield f"{node.lineno}: writes to a stream"


def _has_markup(node: ast.Call) -> bool:
    return any(keyword.arg == "markup" and not _is_false(keyword.value) for keyword in node.keywords)


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def _may_be_markup(node: ast.Call) -> bool:
    if any(keyword.arg == "markup" and _is_false(keyword.value) for keyword in node.keywords):
        return False
    return any(not isinstance(one, ast.Constant) for one in node.args[:1])


def _is_stream(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in ("stdout", "stderr")


def test_nothing_goes_around_the_gate() -> None:
    found = {
        f"{name_of(path)}:{one}"
        for path in SOURCES
        for one in breaches(name_of(path), ast.parse(path.read_text(encoding="utf-8")))
    }
    assert len(SOURCES) > 300
    assert found == set()


def test_the_rules_find_what_they_forbid() -> None:
    source = (
        "from textual.widgets import Input, TextArea, Static, RichLog\n"
        "class Own(TextArea): ...\n"
        "Input()\nStatic(text)\nprint(x)\nself.notify(x, markup=True)\nsys.stdout.write(x)\n"
    )
    assert len(list(breaches("panes/x.py", ast.parse(source)))) == 7
    fine = 'from textual.widgets import Static\nStatic(text, markup=False)\nStatic("own")\nself.notify(x)\n'
    assert list(breaches("panes/x.py", ast.parse(fine))) == []
