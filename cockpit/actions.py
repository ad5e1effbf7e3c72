"""Every action of the cockpit, declared once: the footer, the help, the palette and the key map read this."""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from cockpit.model.jobs import Job

Disabled = Callable[[Job], str | None]

_KEY_NAMES = {"slash": "/", "enter": "⏎", "question_mark": "?", "colon": ":", "space": "␣", "home": "Home"}


def key_name(key: str) -> str:
    """A key as people write it."""
    return _KEY_NAMES.get(key, key)


def keys_of(action: "Action", remapped: Mapping[str, str]) -> list[str]:
    """The keys of an action as people write them: the user's own, where `remapped` has some for its name."""
    given = remapped.get(action.name)
    return [key_name(key) for key in (given.split(",") if given else action.keys)]


def unknown_names(remapped: Mapping[str, str]) -> list[str]:
    """Names in a key map that no action has."""
    known = {action.name for action in ACTIONS}
    return sorted(name for name in remapped if name not in known and "." not in name)


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a key does.

    `name` is its id for the user's key map and the name of the method that does it; `scope` is the pane that it belongs
    to, or `app`; `changes` marks what a read-only context refuses; `rank` orders the hints, 0 is never hinted.
    """

    name: str
    keys: tuple[str, ...]
    label: str
    description: str
    scope: str = "app"
    rank: int = 0
    changes: bool = False
    why_not: Disabled | None = None


def cannot_stop(job: Job) -> str | None:
    """Why a job cannot be stopped; None where it can."""
    if job.is_driver:
        return _driver(job, "Ray stops only submitted jobs")
    return f"Job {job.id} has ended: {job.status}." if job.is_terminal else None


def cannot_delete(job: Job) -> str | None:
    """Why the record of a job cannot be deleted; None where it can."""
    if job.is_driver:
        return _driver(job, "Ray deletes only submitted jobs")
    return None if job.is_terminal else f"Job {job.id} is {job.status}; stop it first."


def has_no_log(job: Job) -> str | None:
    """Why there is no log to show; None where there is one, or will be."""
    if job.is_driver:
        return _driver(job, "Ray keeps no log of it")
    if job.is_terminal and job.driver_node_id is None:
        return f"Job {job.id} never ran, so there is no log; its message tells why."
    return None


def _driver(job: Job, why: str) -> str:
    info = job.driver_info
    place = f" It is process {info.pid} on {info.node_ip_address}." if info and info.pid else ""
    return f"{job.id} is a driver that was started by hand: {why}.{place}"


ACTIONS = (
    Action(name="submit", keys=("s",), label="submit", description="Submit a job", rank=30, changes=True),
    Action(
        name="filter", keys=("slash",), label="filter", description="Filter the rows: words, /regex/, !not", rank=40
    ),
    Action(name="show_detail", keys=("enter",), label="detail", description="Everything that is known", rank=10),
    Action(
        name="show_log",
        keys=("l",),
        label="log",
        description="Follow the log",
        scope="jobs",
        rank=20,
        why_not=has_no_log,
    ),
    Action(
        name="clone",
        keys=("c",),
        label="clone",
        description="Submit again, with changes",
        scope="jobs",
        rank=32,
        changes=True,
    ),
    Action(
        name="stop",
        keys=("x",),
        label="stop",
        description="Stop the job, or all marked ones",
        scope="jobs",
        rank=34,
        changes=True,
        why_not=cannot_stop,
    ),
    Action(
        name="delete",
        keys=("d",),
        label="delete",
        description="Forget the ended job, or all marked ones",
        scope="jobs",
        rank=36,
        changes=True,
        why_not=cannot_delete,
    ),
    Action(name="mark", keys=("space",), label="mark", description="Mark the row; v marks a range, * all", rank=38),
    Action(
        name="sort", keys=("o",), label="sort", description="Sort by the next column; O the other way round", rank=50
    ),
    Action(name="columns", keys=("C",), label="columns", description="Choose and order the columns; w shows all"),
    Action(name="copy", keys=("y",), label="copy", description="Copy the id, or those that are marked", rank=60),
    Action(name="copy_row", keys=("Y",), label="copy row", description="Copy the whole row as text"),
    Action(name="pause", keys=("p",), label="pause", description="Pause, or follow again", scope="log", rank=20),
    Action(name="log_end", keys=("G",), label="end", description="Go to the end and follow it", scope="log", rank=22),
    Action(name="log_start", keys=("home",), label="start", description="Fetch the whole log", scope="log", rank=24),
    Action(name="refresh", keys=("r",), label="refresh", description="Ask the cluster now"),
    Action(
        name="open_dashboard",
        keys=("b",),
        label="web",
        description="Open Ray's dashboard in a browser, or copy its address",
    ),
    Action(name="contexts", keys=("ctrl+k",), label="cluster", description="Go to another cluster"),
    Action(
        name="command_palette",
        keys=("ctrl+p", "colon"),
        label="go to",
        description="Find an action, a job or a node",
        rank=70,
    ),
    Action(name="help", keys=("question_mark",), label="help", description="All keys", rank=80),
    Action(name="quit", keys=("q",), label="quit", description="Leave; jobs go on", rank=90),
)


def by_name(name: str) -> Action:
    """The action of that name. Raises KeyError."""
    return next(action for action in ACTIONS if action.name == name)


def in_scope(scopes: Iterable[str]) -> list[Action]:
    """Actions that are at hand in these scopes, in the order of their hints."""
    known = set(scopes)
    return sorted((action for action in ACTIONS if action.scope in known), key=lambda action: action.rank or 1000)
