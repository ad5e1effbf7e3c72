"""Writes the pages of help that follow from the code: `python -m tests.pages`; a test holds them to it."""

import json
from collections.abc import Iterable, Iterator
from itertools import groupby

from msgspec import inspect

from cockpit import errors
from cockpit.actions import ACTIONS, TABS, keys_of
from cockpit.cli.command_tree import Command, Option, commands_of
from cockpit.cli.help import PAGES
from cockpit.cli.main import build_parser
from cockpit.cli.parser import CLUSTER_LINE, SECTIONS
from cockpit.panes.registry import PANES
from cockpit.settings import Context, Notify, OwnCommand, Settings, Ui
from tests import json_shapes

# Where the generated part of a page begins.
SETTINGS_TITLE = "## Every setting"
SHAPES_TITLE = "## JSON of each command"
TABLES = {"[contexts.NAME]": Context, "[ui]": Ui, "[notify]": Notify, "[[commands]]": OwnCommand}
SETTINGS_HEAD = "| setting | type | default | meaning |\n| --- | --- | --- | --- |"

# Scopes of actions that are not a pane of their own.
SCOPES = {
    "app": "Everywhere",
    "rows": "In every table",
    "sources": "On a job, node or GPU",
    "logs": "On what has a log",
    "curves": "On a node or GPU with curves",
}
EXIT_CODES = {
    errors.EXIT_OK: "done; the job succeeded",
    errors.EXIT_FAILED: "the job failed or was stopped, was not found, or Ray refused the request; the head "
    "restarted and forgot the job",
    errors.EXIT_USAGE: "wrong usage, an unreadable file, bad configuration",
    errors.EXIT_UNREACHABLE: "unreachable, timed out, or not a Ray dashboard: worth a retry",
    errors.EXIT_AUTHENTICATION: "no access (401, 403), or the certificate is not trusted",
    errors.EXIT_UNKNOWN: "outcome unknown: something that costs money may have happened; check with `deployments`",
    errors.EXIT_INTERRUPTED: "interrupted",
}


def pages() -> dict[str, str]:
    """The text of each page by its name."""
    return {
        "keys": "\n".join(_keys()),
        "commands": "\n".join(_commands()),
        "exit-codes": "\n".join(_exit_codes()),
        "settings": _with_end("settings", SETTINGS_TITLE, _settings()),
        "scripting": _with_end("scripting", SHAPES_TITLE, json_shapes.page()),
    }


def _with_end(name: str, title: str, lines: Iterable[str]) -> str:
    """A page that is written by hand down to a heading, and follows from the code below it."""
    by_hand = (PAGES / f"{name}.md").read_text(encoding="utf-8").partition(f"\n{title}\n")[0]
    return "\n".join([by_hand, title, *lines, ""])


def _settings() -> Iterator[str]:
    yield f"\nBefore any table:\n\n{SETTINGS_HEAD}"
    for field in inspect.type_info(Settings).fields:  # type: ignore[attr-defined]
        if isinstance(field.type, inspect.Metadata) and not _tables_in(field.type.type):
            yield _setting(field)
    for title, table in (
        ("[contexts.NAME]", Context),
        ("[ui]", Ui),
        ("[notify]", Notify),
        ("[[commands]]", OwnCommand),
    ):
        yield f"\n`{title}`\n\n{SETTINGS_HEAD}"
        yield from (_setting(field) for field in inspect.type_info(table).fields)  # type: ignore[attr-defined]


def _tables_in(kind: inspect.Type) -> bool:
    """Whether a setting is a table of settings, or several."""
    parts = (getattr(kind, name, None) for name in ("item_type", "value_type"))
    return isinstance(kind, inspect.StructType) or any(isinstance(part, inspect.StructType) for part in parts)


def _setting(field: inspect.Field) -> str:
    assert isinstance(field.type, inspect.Metadata), f"{field.name} has no description"
    said = (field.type.extra_json_schema or {})["description"]
    default = "required" if field.required else _toml(field)
    return f"| `{field.encode_name}` | {_type_words(field.type.type)} | {default} | {_cell(said)} |"


def _toml(field: inspect.Field) -> str:
    """The default as one writes it; a dash where the setting is unset."""
    if not isinstance(field.default, str | bool | int | float):
        return "–"
    return f"`{json.dumps(field.default)}`"


def _type_words(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.UnionType):
        return " or ".join(_type_words(one) for one in kind.types if not isinstance(one, inspect.NoneType))
    if isinstance(kind, inspect.LiteralType):
        return " or ".join(f"`{json.dumps(value)}`" for value in kind.values)
    words = {inspect.StrType: "text", inspect.BoolType: "true or false", inspect.IntType: "integer"}
    return words.get(type(kind), "number" if isinstance(kind, inspect.FloatType) else "table")


def _keys() -> Iterator[str]:
    yield "# Keys: what each key does, pane by pane"
    yield "\n`?` shows them in the cockpit, with your own from `config.toml` (`help settings`).\n"
    yield from ("| key | pane |", "| --- | --- |")
    yield from (f"| `{key}` | {name} |" for name, key in TABS.items())
    titles = SCOPES | {pane.name: f"Pane {pane.name.replace('_', ' ')}" for pane in PANES}
    order = {scope: place for place, scope in enumerate(titles)}
    ordered = sorted(ACTIONS, key=lambda action: order.get(action.scope, len(order)))
    for scope, actions in groupby(ordered, key=lambda action: action.scope):
        yield f"\n## {titles.get(scope, scope)}\n"
        yield from ("| key | name | what it does |", "| --- | --- | --- |")
        for action in actions:
            keys = " ".join(f"`{key}`" for key in keys_of(action, {})) or "–"
            yield f"| {_cell(keys)} | `{action.name}` | {_cell(action.description)} |"
    yield ""


def _commands() -> Iterator[str]:
    yield "# Commands: each with its options"
    yield "\n`rayakash-tui COMMAND --help` shows the same with examples.\n"
    tree = {command.path: command for command in commands_of(build_parser())}
    root = tree[()]
    cluster = {flags for option in root.options for flags in option.flags}
    yield from _options(root.options)
    for title, names in SECTIONS.items():
        yield f"\n## {title[:1].upper()}{title[1:]}"
        for name in names:
            for path, command in tree.items():
                if path[:1] == (name,):
                    yield from _command(command, cluster)
    yield f"\n{CLUSTER_LINE}\n"


def _command(command: Command, everywhere: set[str]) -> Iterator[str]:
    yield f"\n### `{' '.join(command.path)}`\n\n{_sentence(command.help)}\n"
    own = [option for option in command.options if not set(option.flags) & (everywhere | {"-h"})]
    if own:
        yield from _options(own)


def _options(options: "list[Option] | tuple[Option, ...]") -> Iterator[str]:
    yield from ("| option | meaning |", "| --- | --- |")
    for option in options:
        flags = ", ".join(f"`{flag}`" for flag in option.flags)
        values = f" ({', '.join(option.values)})" if option.values else ""
        yield f"| {flags} | {_cell(option.help)}{values} |"


def _exit_codes() -> Iterator[str]:
    yield "# Exit codes: what each one means\n"
    yield from ("| code | meaning |", "| --- | --- |")
    yield from (f"| {code} | {said} |" for code, said in sorted(EXIT_CODES.items()))
    yield "\n| error | code | |\n| --- | --- | --- |"
    for line in (errors.__doc__ or "").splitlines():
        words = line.strip("│├└─ ").split(maxsplit=2)
        if len(words) == 3 and words[0].endswith("Error") and words[1].isdecimal():
            yield f"| {words[0]} | {words[1]} | {words[2]} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def main() -> None:
    """Write the pages."""
    for name, text in pages().items():
        (PAGES / f"{name}.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
