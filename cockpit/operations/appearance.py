"""How the cockpit looks, kept in `config.toml`."""

from cockpit.operations.clusters.contexts import change_config
from cockpit.toml_text import tables, with_table, with_value

_UI = ("ui",)


def keep_theme(name: str) -> None:
    """Write the theme into `config.toml`; all else in it stays byte for byte. Raises UsageError."""
    change_config(lambda text: _with_theme(text, name))


def _with_theme(text: str, name: str) -> str:
    if any(table.path == _UI for table in tables(text)):
        return with_value(text, _UI, "theme", name)
    return with_table(text, _UI, {"theme": name})
