"""Every action of the cockpit, declared once: the footer, the help, the palette and the key map read this."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from cockpit.model.jobs import Job

Disabled = Callable[[Job], str | None]

_KEY_NAMES = {
    "slash": "/",
    "exclamation_mark": "!",
    "enter": "⏎",
    "question_mark": "?",
    "colon": ":",
    "space": "␣",
    "asterisk": "*",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "shift+up": "shift+↑",
    "shift+down": "shift+↓",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "end": "End",
    "escape": "esc",
    "plus": "+",
    "minus": "-",
    "home": "Home",
    "ctrl+@": "ctrl+␣",
    "f5": "F5",
    "f8": "F8",
}
TO_THE_SHELL = "Back to the shell, until `fg`"

# The panes with a number, also those still to come: a key of this table means the same pane in every release.
TABS = {
    "overview": "1",
    "jobs": "2",
    "gpus": "3",
    "nodes": "4",
    "log": "5",
    "sdl": "6",
    "deployments": "7",
    "secrets": "8",
    "clusters": "9",
}


def key_name(key: str) -> str:
    """A key as people write it."""
    return _KEY_NAMES.get(key, key)


def keys_of(action: "Action", remapped: Mapping[str, str]) -> list[str]:
    """The keys of an action as people write them: the user's own, where `remapped` has some for its name."""
    return [key_name(key) for key in bound_keys(action, remapped)]


def bound_keys(action: "Action", remapped: Mapping[str, str]) -> Sequence[str]:
    """The keys of an action as Textual names them."""
    given = remapped.get(action.name)
    return given.split(",") if given else action.keys


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a key does.

    `name` is its id for the user's key map; `run` is the function that does it, as `module:function` in
    `cockpit.screens`, empty where the pane's own method `action_NAME` does. `scope` is the pane that it belongs
    to, `rows` for every pane with a table, or `app`; `many` acts on the marked rows,
    everything else on the row under the cursor; `changes` marks what a read-only context refuses; `rank` orders
    the hints, 0 is never hinted.
    """

    name: str
    keys: tuple[str, ...]
    label: str
    description: str
    run: str = ""
    scope: str = "app"
    rank: int = 0
    changes: bool = False
    many: bool = False
    why_not: Disabled | None = None


def cannot_stop(job: Job) -> str | None:
    """Why a job cannot be stopped; None where it can."""
    if job.is_driver:
        return _driver(job, "Ray stops only submitted jobs", place="End process {} on {} instead.")
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
        return f"Job {job.id} never ran, so it has no log. Its message says why."
    return None


def _driver(job: Job, why: str, *, place: str = "It is process {} on {}.") -> str:
    info = job.driver_info
    where = f" {place.format(info.pid, info.node_ip_address)}" if info and info.pid else ""
    return f"{job.id} is a driver that was started by hand: {why}.{where}"


ACTIONS = (
    Action(name="search", keys=("slash",), label="search", description="Find a regex", scope="log", rank=10),
    Action(name="next_hit", keys=("n",), label="next", description="Next match", scope="log", rank=11),
    Action(name="previous_hit", keys=("N",), label="previous", description="Previous match", scope="log", rank=12),
    Action(name="log_filter", keys=("f",), label="filter", description="Filter lines", scope="log", rank=14),
    Action(name="more_context", keys=("plus",), label="around", description="More lines around", scope="log", rank=15),
    Action(name="less_context", keys=("minus",), label="less around", description="Fewer lines around", scope="log"),
    Action(name="next_error", keys=("e",), label="error", description="Next error or traceback", scope="log", rank=16),
    Action(
        name="previous_error", keys=("E",), label="error before", description="Previous error or traceback", scope="log"
    ),
    Action(name="wrap", keys=("w",), label="wrap", description="Wrap long lines", scope="log", rank=26),
    Action(name="json", keys=("J",), label="JSON", description="Format JSON lines", scope="log", rank=27),
    Action(
        name="save_log",
        run="log_actions:save",
        keys=("S",),
        label="save",
        description="Save the log unchanged",
        scope="log",
        rank=28,
    ),
    Action(
        name="plot",
        run="log_actions:plot",
        keys=("m",),
        label="plot",
        description="Plot a number of the line over the log",
        scope="log",
        rank=17,
    ),
    Action(
        name="plot_runs",
        run="log_actions:plot_runs",
        keys=("M",),
        label="runs",
        description="Lay earlier runs of the job's name over the plots",
        scope="log",
    ),
    Action(
        name="mark_lines", keys=("v",), label="mark", description="Mark lines to copy or save", scope="log", rank=29
    ),
    Action(
        name="actors",
        run="resource_actions:actors",
        keys=("a",),
        label="actors",
        description="Show its actors",
        scope="sources",
    ),
    Action(
        name="tasks",
        run="resource_actions:tasks",
        keys=("t",),
        label="tasks",
        description="Show its tasks",
        scope="sources",
    ),
    Action(
        name="events",
        run="resource_actions:events",
        keys=("e",),
        label="events",
        description="Show its events",
        scope="sources",
    ),
    Action(
        name="follow_log",
        run="process_actions:follow_log",
        keys=("l",),
        label="log",
        description="Follow its log",
        scope="logs",
        rank=20,
    ),
    Action(
        name="follow_output",
        run="process_actions:follow_output",
        keys=("L",),
        label="output",
        description="Follow what the code of the replica prints",
        scope="serve",
        rank=21,
    ),
    Action(
        name="stack",
        run="process_actions:stack",
        keys=("S",),
        label="stack",
        description="Show the stack of its process",
        scope="processes",
        rank=22,
    ),
    Action(
        name="flame",
        run="process_actions:flame",
        keys=("F",),
        label="flame",
        description="Draw where its process spends CPU time",
        scope="processes",
        rank=24,
    ),
    Action(
        name="memory_profile",
        run="process_actions:memory",
        keys=("M",),
        label="memory",
        description="Save what its process allocates",
        scope="processes",
        rank=26,
    ),
    Action(
        name="submit",
        run="job_actions:submit",
        keys=("s",),
        label="submit",
        description="Submit a job",
        rank=30,
        changes=True,
    ),
    Action(
        name="gallery",
        run="job_actions:choose_sample",
        keys=(),
        label="gallery",
        description="Submit a sample job from the gallery",
        changes=True,
    ),
    Action(
        name="filter",
        keys=("slash",),
        scope="rows",
        label="filter",
        description="Filter the rows: words, /regex/, !not",
        rank=40,
    ),
    Action(
        name="show_detail",
        run="table_actions:show_detail",
        keys=("enter",),
        scope="rows",
        label="detail",
        description="Show details",
        rank=10,
    ),
    Action(
        name="show_log",
        run="job_actions:show_log",
        keys=("l",),
        label="log",
        description="Follow the log",
        scope="jobs",
        rank=20,
        why_not=has_no_log,
    ),
    Action(
        name="job_files",
        run="job_actions:job_files",
        keys=("L",),
        label="all logs",
        description="Follow a log of one of its workers or actors",
        scope="jobs",
        rank=45,
    ),
    Action(
        name="clone",
        run="job_actions:clone",
        keys=("c",),
        label="clone",
        description="Submit again with today's code, after changes",
        scope="jobs",
        rank=32,
        changes=True,
    ),
    Action(
        name="stop",
        run="job_actions:stop",
        keys=("x",),
        label="stop",
        description="Stop the selected jobs (marked, or this one)",
        scope="jobs",
        rank=34,
        changes=True,
        many=True,
        why_not=cannot_stop,
    ),
    Action(
        name="delete",
        run="job_actions:delete",
        keys=("d",),
        label="delete",
        description="Delete finished jobs from the list (marked, or this one)",
        scope="jobs",
        rank=36,
        changes=True,
        many=True,
        why_not=cannot_delete,
    ),
    Action(
        name="mark",
        keys=("space",),
        scope="rows",
        label="mark",
        description="Mark the row; v marks a range, * all",
        rank=38,
    ),
    Action(
        name="sort",
        keys=("o",),
        scope="rows",
        label="sort",
        description="Sort by the next column; O reverses",
        rank=50,
    ),
    Action(
        name="columns",
        run="table_actions:columns",
        keys=("C",),
        scope="rows",
        label="columns",
        description="Choose and order the columns; w shows all",
    ),
    Action(
        name="preview",
        keys=("z",),
        scope="rows",
        label="preview",
        description="Show or hide the preview of the row",
        rank=55,
    ),
    Action(name="copy", keys=("y",), label="copy", description="Copy the ID (marked, or this one)", rank=60),
    Action(
        name="copy_cell",
        run="table_actions:copy_cell",
        keys=("Y",),
        scope="rows",
        label="copy cell",
        description="Copy a cell, or the row",
    ),
    Action(
        name="node_logs",
        run="node_logs:follow",
        keys=("l",),
        label="logs",
        description="Follow one of the node's log files",
        scope="nodes",
        rank=20,
    ),
    Action(
        name="gpu_logs",
        run="node_logs:follow",
        keys=("l",),
        label="logs",
        description="Follow a log of the process that holds the GPU",
        scope="gpus",
        rank=20,
    ),
    Action(
        name="node_shorter",
        keys=("plus",),
        label="zoom in",
        description="Show a shorter time in the preview",
        scope="nodes",
    ),
    Action(
        name="node_longer",
        keys=("minus",),
        label="zoom out",
        description="Show a longer time in the preview",
        scope="nodes",
    ),
    Action(
        name="gpu_shorter",
        keys=("plus",),
        label="zoom in",
        description="Show a shorter time in the preview",
        scope="gpus",
    ),
    Action(
        name="gpu_longer",
        keys=("minus",),
        label="zoom out",
        description="Show a longer time in the preview",
        scope="gpus",
    ),
    Action(name="pause", keys=("p",), label="pause", description="Pause, or follow again", scope="log", rank=20),
    Action(name="log_end", keys=("G",), label="end", description="Go to the end and follow it", scope="log", rank=22),
    Action(name="log_start", keys=("home",), label="start", description="Fetch the whole log", scope="log", rank=24),
    Action(
        name="sdl_save",
        run="sdl_actions:save",
        keys=("ctrl+s",),
        label="save",
        description="Save the SDL",
        scope="sdl",
        rank=10,
    ),
    Action(name="sdl_side", keys=("ctrl+t",), label="form/text", description="Form or text", scope="sdl", rank=12),
    Action(
        name="sdl_new",
        run="sdl_actions:new",
        keys=("ctrl+n",),
        label="new",
        description="New SDL from a template",
        scope="sdl",
        rank=40,
    ),
    Action(
        name="sdl_open",
        run="sdl_actions:open_file",
        keys=("ctrl+o",),
        label="open",
        description="Open an SDL",
        scope="sdl",
        rank=42,
    ),
    Action(name="undo", keys=("ctrl+z", "u"), label="undo", description="Undo, in form or text", scope="sdl", rank=18),
    Action(name="redo", keys=("ctrl+y", "U"), label="redo", description="Redo", scope="sdl"),
    Action(name="next_problem", keys=("f8",), label="problem", description="Next problem", scope="sdl", rank=31),
    Action(name="fix", keys=("f",), label="fix", description="Fix the problem", scope="sdl", rank=32),
    Action(
        name="fix_all",
        run="sdl_actions:fix_all",
        keys=("F",),
        label="fix all",
        description="Fix everything that has one answer, after a diff",
        scope="sdl",
        rank=33,
    ),
    Action(
        name="add_group",
        run="sdl_actions:add_group",
        keys=("a",),
        label="add workers",
        description="Add workers",
        scope="sdl",
        rank=14,
    ),
    Action(
        name="clone_group",
        run="sdl_actions:clone_group",
        keys=("c",),
        label="clone",
        description="Clone the service",
        scope="sdl",
        rank=22,
    ),
    Action(name="remove", keys=("d", "delete"), label="remove", description="Remove the row", scope="sdl", rank=16),
    Action(
        name="keep_secret",
        run="sdl_actions:keep_secret",
        keys=("S",),
        label="secret",
        description="Store the secret of this line",
        scope="sdl",
        rank=20,
    ),
    Action(name="go_to_line", keys=("g",), label="to text", description="Go to its line", scope="sdl", rank=34),
    Action(
        name="picture",
        run="sdl_actions:picture",
        keys=("v",),
        label="picture",
        description="Show connections",
        scope="sdl",
        rank=36,
    ),
    Action(
        name="sdl_diff",
        run="sdl_actions:show_diff",
        keys=("D",),
        label="diff",
        description="Show what saving would change",
        scope="sdl",
        rank=38,
    ),
    Action(
        name="sdl_save_as",
        run="sdl_actions:save_as",
        keys=("w",),
        label="save as",
        description="Save under a name",
        scope="sdl",
        rank=39,
    ),
    Action(name="sdl_copy", keys=("Y",), label="copy all", description="Copy the whole SDL", scope="sdl"),
    Action(name="complete", keys=("ctrl+@",), label="complete", description="Complete", scope="sdl", rank=35),
    Action(
        name="sdl_find", keys=("ctrl+f", "slash"), label="find", description="Find in the text", scope="sdl", rank=37
    ),
    Action(name="sdl_find_next", keys=("f3",), label="find next", description="Next match", scope="sdl"),
    Action(
        name="sdl_add_cluster",
        run="sdl_actions:add_cluster",
        keys=("C",),
        label="add cluster",
        description="Name the cluster that runs this SDL",
        scope="sdl",
        rank=44,
    ),
    Action(
        name="deploy",
        run="deploy_actions:deploy",
        keys=("p", "f5"),
        label="deploy",
        description="Deploy this SDL on Akash: plan, bids, lease, cluster",
        scope="sdl",
        rank=11,
    ),
    Action(
        name="cluster_deploy",
        run="deploy_actions:deploy_file",
        keys=("n",),
        label="deploy",
        description="Deploy a cluster on Akash from an SDL",
        scope="clusters",
        rank=13,
    ),
    Action(
        name="deployment_new",
        run="deploy_actions:deploy_file",
        keys=("n",),
        label="deploy",
        description="Deploy an SDL on Akash",
        scope="deployments",
        rank=15,
    ),
    Action(
        name="deployment_resume",
        run="deploy_actions:resume",
        keys=("R",),
        label="resume",
        description="Go on with a deployment that was interrupted",
        scope="deployments",
        rank=11,
    ),
    Action(
        name="deployment_close",
        run="deployment_actions:close_row",
        keys=("x",),
        label="close",
        description="Close the deployment: its data is lost, its cost ends",
        scope="deployments",
        rank=12,
    ),
    Action(
        name="deployment_update",
        run="deployment_actions:update_row",
        keys=("u",),
        label="update",
        description="Bring the deployment to what its SDL says now",
        scope="deployments",
        rank=16,
    ),
    Action(
        name="deployment_shell",
        run="deployment_actions:open_shell",
        keys=("exclamation_mark",),
        label="shell",
        description="Open a shell in a container of the deployment",
        scope="deployments",
        rank=16,
    ),
    Action(
        name="deployment_extend",
        run="deployment_actions:extend_row",
        keys=("e",),
        label="extend",
        description="Let the deployment run 24 hours longer",
        scope="deployments",
        rank=14,
    ),
    Action(
        name="secret_set",
        run="secret_actions:set_value",
        keys=("e",),
        label="set",
        description="Set its value",
        scope="secrets",
        rank=12,
    ),
    Action(
        name="secret_new",
        run="secret_actions:add",
        keys=("a",),
        label="add",
        description="Store a secret",
        scope="secrets",
        rank=14,
    ),
    Action(
        name="secret_generate",
        run="secret_actions:generate",
        keys=("t",),
        label="token",
        description="Generate a random token",
        scope="secrets",
        rank=16,
    ),
    Action(
        name="secret_delete",
        run="secret_actions:delete",
        keys=("d",),
        label="delete",
        description="Delete the secret",
        scope="secrets",
        rank=18,
    ),
    Action(
        name="secret_import",
        run="secret_actions:import_file",
        keys=("i",),
        label="import",
        description="Import secrets from an SDL",
        scope="secrets",
        rank=20,
    ),
    Action(
        name="secret_unlock",
        run="secret_actions:unlock",
        keys=("u",),
        label="unlock",
        description="Open the vault",
        scope="secrets",
        rank=22,
    ),
    Action(
        name="cluster_open",
        run="cluster_actions:open_row",
        keys=("enter",),
        label="go there",
        description="Open the cluster",
        scope="clusters",
        rank=11,
    ),
    Action(
        name="cluster_add",
        run="cluster_actions:add_row",
        keys=("a",),
        label="add",
        description="Add a cluster",
        scope="clusters",
        rank=12,
    ),
    Action(
        name="cluster_check",
        run="cluster_actions:check_row",
        keys=("e",),
        label="examine",
        description="Check the cluster",
        scope="clusters",
        rank=14,
    ),
    Action(
        name="cluster_remove",
        run="cluster_actions:remove_row",
        keys=("d",),
        label="forget",
        description="Remove the cluster from the list",
        scope="clusters",
        rank=16,
    ),
    Action(
        name="overview_open",
        run="overview_actions:open_wanted",
        keys=("enter",),
        label="open",
        description="Go to what is under the cursor",
        scope="overview",
        rank=10,
    ),
    Action(
        name="idle_gpus",
        run="overview_actions:show_idle",
        keys=("i",),
        label="idle GPUs",
        description="List the GPUs that are held and not used",
        scope="radar",
        rank=30,
    ),
    Action(
        name="idle_stop",
        run="overview_actions:stop_idle",
        keys=("x",),
        label="stop",
        description="Stop the jobs that hold the selected GPUs",
        scope="idle",
        rank=12,
        changes=True,
        many=True,
    ),
    Action(
        name="zoom_in", keys=("plus",), label="zoom in", description="Show a shorter time", scope="overview", rank=20
    ),
    Action(
        name="zoom_out", keys=("minus",), label="zoom out", description="Show a longer time", scope="overview", rank=21
    ),
    Action(name="refresh", run="app_actions:refresh", keys=("r",), label="refresh", description="Refresh now"),
    Action(
        name="redraw", run="app_actions:redraw", keys=("ctrl+l",), label="redraw", description="Draw the screen again"
    ),
    Action(name="theme", run="theme:choose", keys=("T",), label="theme", description="Choose a theme"),
    # Not for the whole app: where one writes, the same key takes back what was written.
    Action(
        name="suspend",
        run="app_actions:suspend",
        keys=("ctrl+z",),
        scope="rows",
        label="suspend",
        description=TO_THE_SHELL,
    ),
    Action(
        name="log_suspend",
        run="app_actions:suspend",
        keys=("ctrl+z",),
        scope="log",
        label="suspend",
        description=TO_THE_SHELL,
    ),
    Action(
        name="overview_suspend",
        run="app_actions:suspend",
        keys=("ctrl+z",),
        scope="overview",
        label="suspend",
        description=TO_THE_SHELL,
    ),
    Action(
        name="open_dashboard",
        run="app_actions:open_dashboard",
        keys=("b",),
        label="web",
        description="Open Ray's dashboard in a browser, or copy its address",
    ),
    Action(
        name="contexts",
        run="cluster_actions:choose",
        keys=("ctrl+k",),
        label="cluster",
        description="Go to another cluster",
    ),
    Action(
        name="open_resource",
        run="go_to:ask",
        keys=("colon",),
        label="go to",
        description="Open a resource by name: jobs, actors, pg …",
        rank=70,
    ),
    Action(
        name="command_palette",
        run="app_actions:command_palette",
        keys=("ctrl+p",),
        label="find",
        description="Find a command, a job or a node",
    ),
    Action(
        name="help", run="app_actions:help", keys=("question_mark",), label="help", description="Show all keys", rank=80
    ),
    Action(
        name="quit", run="app_actions:quit", keys=("q",), label="quit", description="Quit (jobs keep running)", rank=90
    ),
)

# Keys of what is still to come, so that nothing else takes them. When one is built, it moves up to ACTIONS.
RESERVED: tuple[Action, ...] = ()


def by_name(name: str) -> Action:
    """The action of that name. Raises KeyError."""
    return next(action for action in ACTIONS if action.name == name)


def in_scope(scopes: Iterable[str]) -> list[Action]:
    """Actions that are at hand in these scopes, in the order of their hints."""
    known = set(scopes)
    return sorted((action for action in ACTIONS if action.scope in known), key=lambda action: action.rank or 1000)
