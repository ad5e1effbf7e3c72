"""Every action of the cockpit, declared once: the footer, the help, the palette and the key map read this."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

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


class Action(msgspec.Struct, frozen=True):
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
    """Why the log cannot be shown; None if it exists, or will."""
    if job.is_driver:
        return _driver(job, "Ray keeps no log of it")
    if job.is_terminal and job.driver_node_id is None:
        return f"Job {job.id} never ran, so it has no log. Its message says why."
    return None


def _driver(job: Job, why: str, *, place: str = "It is process {} on {}.") -> str:
    info = job.driver_info
    where = f" {place.format(info.pid, info.node_ip_address)}" if info and info.pid else ""
    return f"{job.id} is a driver that was started by hand: {why}.{where}"


def _in(scope: str, *actions: Action) -> Iterator[Action]:
    """The actions, each in this scope."""
    return (msgspec.structs.replace(action, scope=scope) for action in actions)


ACTIONS: tuple[Action, ...] = (
    *_in(
        "log",
        Action("search", ("slash",), "search", "Find a regex", rank=10),
        Action("next_hit", ("n",), "next", "Next match", rank=11),
        Action("previous_hit", ("N",), "previous", "Previous match", rank=12),
        Action("log_filter", ("f",), "filter", "Filter lines", rank=14),
        Action("more_context", ("plus",), "around", "More lines around", rank=15),
        Action("less_context", ("minus",), "less around", "Fewer lines around"),
        Action("next_error", ("e",), "error", "Next error or traceback", rank=16),
        Action("previous_error", ("E",), "error before", "Previous error or traceback"),
        Action("wrap", ("w",), "wrap", "Wrap long lines", rank=26),
        Action("json", ("J",), "JSON", "Format JSON lines", rank=27),
        Action("save_log", ("S",), "save", "Save the log unchanged", run="log_actions:save", rank=28),
        Action("plot", ("m",), "plot", "Plot a number of the line over the log", run="log_actions:plot", rank=17),
        Action(
            "plot_runs",
            ("M",),
            "runs",
            "Lay earlier runs of the job's name over the plots",
            run="log_actions:plot_runs",
        ),
        Action("mark_lines", ("v",), "mark", "Mark lines to copy or save", rank=29),
    ),
    *_in(
        "sources",
        Action("actors", ("a",), "actors", "Show its actors", run="resource_actions:actors"),
        Action("tasks", ("t",), "tasks", "Show its tasks", run="resource_actions:tasks"),
        Action("events", ("e",), "events", "Show its events", run="resource_actions:events"),
    ),
    *_in(
        "logs",
        Action("follow_log", ("l",), "log", "Follow its log", run="process_actions:follow_log", rank=20),
    ),
    *_in(
        "serve",
        Action(
            "follow_output",
            ("L",),
            "output",
            "Follow what the code of the replica prints",
            run="process_actions:follow_output",
            rank=21,
        ),
    ),
    *_in(
        "processes",
        Action("stack", ("S",), "stack", "Show the stack of its process", run="process_actions:stack", rank=22),
        Action(
            "flame", ("F",), "flame", "Draw where its process spends CPU time", run="process_actions:flame", rank=24
        ),
        Action(
            "memory_profile", ("M",), "memory", "Save what its process allocates", run="process_actions:memory", rank=26
        ),
    ),
    *_in(
        "app",
        Action("submit", ("s",), "submit", "Submit a job", run="job_actions:submit", rank=30, changes=True),
        Action(
            "gallery",
            (),
            "gallery",
            "Submit a sample job from the gallery",
            run="job_actions:choose_sample",
            changes=True,
        ),
    ),
    *_in(
        "rows",
        Action("filter", ("slash",), "filter", "Filter the rows: words, /regex/, !not", rank=40),
        Action("show_detail", ("enter",), "detail", "Show details", run="table_actions:show_detail", rank=10),
    ),
    *_in(
        "jobs",
        Action("show_log", ("l",), "log", "Follow the log", run="job_actions:show_log", rank=20, why_not=has_no_log),
        Action(
            "job_files",
            ("L",),
            "all logs",
            "Follow a log of one of its workers or actors",
            run="job_actions:job_files",
            rank=45,
        ),
        Action(
            "clone",
            ("c",),
            "clone",
            "Submit again with today's code, after changes",
            run="job_actions:clone",
            rank=32,
            changes=True,
        ),
        Action(
            "stop",
            ("x",),
            "stop",
            "Stop the selected jobs (marked, or this one)",
            run="job_actions:stop",
            rank=34,
            changes=True,
            many=True,
            why_not=cannot_stop,
        ),
        Action(
            "delete",
            ("d",),
            "delete",
            "Delete finished jobs from the list (marked, or this one)",
            run="job_actions:delete",
            rank=36,
            changes=True,
            many=True,
            why_not=cannot_delete,
        ),
    ),
    *_in(
        "rows",
        Action("mark", ("space",), "mark", "Mark the row; v marks a range, * all", rank=38),
        Action("sort", ("o",), "sort", "Sort by the next column; O reverses", rank=50),
        Action("columns", ("C",), "columns", "Choose and order the columns; w shows all", run="table_actions:columns"),
        Action("preview", ("z",), "preview", "Show or hide the preview of the row", rank=55),
    ),
    *_in(
        "app",
        Action("copy", ("y",), "copy", "Copy the ID (marked, or this one)", rank=60),
    ),
    *_in(
        "rows",
        Action("copy_cell", ("Y",), "copy cell", "Copy a cell, or the row", run="table_actions:copy_cell"),
    ),
    *_in(
        "nodes",
        Action("node_logs", ("l",), "logs", "Follow one of the node's log files", run="node_logs:follow", rank=20),
    ),
    *_in(
        "gpus",
        Action(
            "gpu_logs",
            ("l",),
            "logs",
            "Follow a log of the process that holds the GPU",
            run="node_logs:follow",
            rank=20,
        ),
    ),
    *_in(
        "curves",
        Action(
            "curve_shorter",
            ("plus",),
            "zoom in",
            "Show a shorter time in the preview",
            run="table_actions:shorter",
        ),
        Action(
            "curve_longer",
            ("minus",),
            "zoom out",
            "Show a longer time in the preview",
            run="table_actions:longer",
        ),
    ),
    *_in(
        "log",
        Action("pause", ("p",), "pause", "Pause, or follow again", rank=20),
        Action("log_end", ("G",), "end", "Go to the end and follow it", rank=22),
        Action("log_start", ("home",), "start", "Fetch the whole log", rank=24),
    ),
    *_in(
        "sdl",
        Action("sdl_save", ("ctrl+s",), "save", "Save the SDL", run="sdl_actions:save", rank=10),
        Action("sdl_side", ("ctrl+t",), "form/text", "Form or text", rank=12),
        Action("sdl_new", ("ctrl+n",), "new", "New SDL from a template", run="sdl_actions:new", rank=40),
        Action("sdl_open", ("ctrl+o",), "open", "Open an SDL", run="sdl_actions:open_file", rank=42),
        Action("undo", ("ctrl+z", "u"), "undo", "Undo, in form or text", rank=18),
        Action("redo", ("ctrl+y", "U"), "redo", "Redo"),
        Action("next_problem", ("f8",), "problem", "Next problem", rank=31),
        Action("fix", ("f",), "fix", "Fix the problem", rank=32),
        Action(
            "fix_all",
            ("F",),
            "fix all",
            "Fix everything that has one answer, after a diff",
            run="sdl_actions:fix_all",
            rank=33,
        ),
        Action("add_group", ("a",), "add workers", "Add workers", run="sdl_actions:add_group", rank=14),
        Action("clone_group", ("c",), "clone", "Clone the service", run="sdl_actions:clone_group", rank=22),
        Action("remove", ("d", "delete"), "remove", "Remove the row", rank=16),
        Action(
            "keep_secret", ("S",), "secret", "Store the secret of this line", run="sdl_actions:keep_secret", rank=20
        ),
        Action("go_to_line", ("g",), "to text", "Go to its line", rank=34),
        Action("picture", ("v",), "picture", "Show connections", run="sdl_actions:picture", rank=36),
        Action("sdl_diff", ("D",), "diff", "Show what saving would change", run="sdl_actions:show_diff", rank=38),
        Action("sdl_save_as", ("w",), "save as", "Save under a name", run="sdl_actions:save_as", rank=39),
        Action("sdl_copy", ("Y",), "copy all", "Copy the whole SDL"),
        Action("complete", ("ctrl+@",), "complete", "Complete", rank=35),
        Action("sdl_find", ("ctrl+f", "slash"), "find", "Find in the text", rank=37),
        Action("sdl_find_next", ("f3",), "find next", "Next match"),
        Action(
            "sdl_add_cluster",
            ("C",),
            "add cluster",
            "Name the cluster that runs this SDL",
            run="sdl_actions:add_cluster",
            rank=44,
        ),
        Action(
            "deploy",
            ("p", "f5"),
            "deploy",
            "Deploy this SDL on Akash: plan, bids, lease, cluster",
            run="deploy_actions:deploy",
            rank=11,
        ),
    ),
    *_in(
        "clusters",
        Action(
            "cluster_deploy",
            ("n",),
            "deploy",
            "Deploy a cluster on Akash from an SDL",
            run="deploy_actions:deploy_file",
            rank=13,
        ),
    ),
    *_in(
        "deployments",
        Action("deployment_new", ("n",), "deploy", "Deploy an SDL on Akash", run="deploy_actions:deploy_file", rank=15),
        Action(
            "deployment_resume",
            ("R",),
            "resume",
            "Go on with a deployment that was interrupted",
            run="deploy_actions:resume",
            rank=11,
        ),
        Action(
            "deployment_close",
            ("x",),
            "close",
            "Close the deployment: its data is lost, its cost ends",
            run="deployment_actions:close_row",
            rank=12,
        ),
        Action(
            "deployment_update",
            ("u",),
            "update",
            "Bring the deployment to what its SDL says now",
            run="deployment_actions:update_row",
            rank=16,
        ),
        Action(
            "deployment_connect",
            ("c",),
            "connect",
            "Add the deployment as a cluster, and open it",
            run="deploy_actions:connect",
            rank=17,
        ),
        Action(
            "deployment_redeploy",
            ("D",),
            "redeploy",
            "Close the deployment, and rent its SDL at another provider",
            run="deployment_actions:redeploy_row",
            rank=17,
        ),
        Action(
            "deployment_shell",
            ("exclamation_mark",),
            "shell",
            "Open a shell in a container of the deployment",
            run="deployment_actions:open_shell",
            rank=16,
        ),
        Action(
            "deployment_extend",
            ("e",),
            "extend",
            "Let the deployment run 24 hours longer",
            run="deployment_actions:extend_row",
            rank=14,
        ),
    ),
    *_in(
        "secrets",
        Action("secret_set", ("e",), "set", "Set its value", run="secret_actions:set_value", rank=12),
        Action("secret_new", ("a",), "add", "Store a secret", run="secret_actions:add", rank=14),
        Action("secret_generate", ("t",), "token", "Generate a random token", run="secret_actions:generate", rank=16),
        Action("secret_delete", ("d",), "delete", "Delete the secret", run="secret_actions:delete", rank=18),
        Action(
            "secret_import", ("i",), "import", "Import secrets from an SDL", run="secret_actions:import_file", rank=20
        ),
        Action("secret_unlock", ("u",), "unlock", "Open the vault", run="secret_actions:unlock", rank=22),
    ),
    *_in(
        "clusters",
        Action("cluster_open", ("enter",), "go there", "Open the cluster", run="cluster_actions:open_row", rank=11),
        Action("cluster_add", ("a",), "add", "Add a cluster", run="cluster_actions:add_row", rank=12),
        Action("cluster_check", ("e",), "examine", "Check the cluster", run="cluster_actions:check_row", rank=14),
        Action(
            "cluster_remove",
            ("d",),
            "forget",
            "Remove the cluster from the list",
            run="cluster_actions:remove_row",
            rank=16,
        ),
    ),
    *_in(
        "overview",
        Action(
            "overview_open",
            ("enter",),
            "open",
            "Go to what is under the cursor",
            run="overview_actions:open_wanted",
            rank=10,
        ),
    ),
    *_in(
        "radar",
        Action(
            "idle_gpus",
            ("i",),
            "idle GPUs",
            "List the GPUs that are held and not used",
            run="overview_actions:show_idle",
            rank=30,
        ),
    ),
    *_in(
        "idle",
        Action(
            "idle_stop",
            ("x",),
            "stop",
            "Stop the jobs that hold the selected GPUs",
            run="overview_actions:stop_idle",
            rank=12,
            changes=True,
            many=True,
        ),
    ),
    *_in(
        "overview",
        Action("zoom_in", ("plus",), "zoom in", "Show a shorter time", rank=20),
        Action("zoom_out", ("minus",), "zoom out", "Show a longer time", rank=21),
    ),
    *_in(
        "app",
        Action("refresh", ("r",), "refresh", "Refresh now", run="app_actions:refresh"),
        Action("redraw", ("ctrl+l",), "redraw", "Draw the screen again", run="app_actions:redraw"),
        Action("theme", ("T",), "theme", "Choose a theme", run="theme:choose"),
    ),
    *_in(
        "rows",
        # Not for the whole app: where one writes, the same key takes back what was written.
        Action("suspend", ("ctrl+z",), "suspend", TO_THE_SHELL, run="app_actions:suspend"),
    ),
    *_in(
        "log",
        Action("log_suspend", ("ctrl+z",), "suspend", TO_THE_SHELL, run="app_actions:suspend"),
    ),
    *_in(
        "overview",
        Action("overview_suspend", ("ctrl+z",), "suspend", TO_THE_SHELL, run="app_actions:suspend"),
    ),
    *_in(
        "app",
        Action(
            "open_dashboard",
            ("b",),
            "web",
            "Open Ray's dashboard in a browser, or copy its address",
            run="app_actions:open_dashboard",
        ),
        Action("contexts", ("ctrl+k",), "cluster", "Go to another cluster", run="cluster_actions:choose"),
        Action(
            "open_resource",
            ("colon",),
            "go to",
            "Open a resource by name: jobs, actors, pg …",
            run="go_to:ask",
            rank=70,
        ),
        Action(
            "command_palette", ("ctrl+p",), "find", "Find a command, a job or a node", run="app_actions:command_palette"
        ),
        Action("help", ("question_mark",), "help", "Show all keys", run="app_actions:help", rank=80),
        Action("quit", ("q",), "quit", "Quit (jobs keep running)", run="app_actions:quit", rank=90),
    ),
)


def by_name(name: str) -> Action:
    """The action of that name. Raises KeyError."""
    return next(action for action in ACTIONS if action.name == name)


def in_scope(scopes: Iterable[str]) -> list[Action]:
    """Actions that are at hand in these scopes, in the order of their hints."""
    known = set(scopes)
    return sorted((action for action in ACTIONS if action.scope in known), key=lambda action: action.rank or 1000)
