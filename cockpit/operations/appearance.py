"""How the cockpit looks and how it notifies when jobs end, kept in `config.toml`."""

import os
from collections.abc import Mapping
from typing import Literal

from cockpit.operations.clusters.contexts import change_config
from cockpit.settings import Notify
from cockpit.toml_text import tables, with_table, with_value

_UI, _NOTIFY = ("ui",), ("notify",)
# By how terminals identify themselves; the others get 9, which more of them support.
_KNOW_777 = ("foot", "rxvt")


def keep_theme(name: str) -> None:
    """Write the theme into `config.toml`; all else in it stays byte for byte. Raises UsageError."""
    change_config(lambda text: _with_theme(text, name))


def keep_notices(wanted: bool) -> Notify:
    """Save whether to notify when followed jobs end, and how on this terminal; returns it. Raises UsageError."""
    notify = Notify(bell=wanted, osc=osc_of(os.environ) if wanted else None)
    values = {"bell": notify.bell, **({"osc": notify.osc} if notify.osc is not None else {})}
    change_config(lambda text: with_table(text, _NOTIFY, values))
    return notify


def osc_of(environment: Mapping[str, str]) -> Literal[9, 777] | None:
    """The sequence by which a terminal shows a notification; None for the console, which shows none."""
    term = environment.get("TERM", "")
    if term in ("linux", "dumb", ""):
        return None
    return 777 if term.startswith(_KNOW_777) or "VTE_VERSION" in environment else 9


def _with_theme(text: str, name: str) -> str:
    if any(table.path == _UI for table in tables(text)):
        return with_value(text, _UI, "theme", name)
    return with_table(text, _UI, {"theme": name})
