"""The signs that tables, widgets and commands draw, for terminals with and without Unicode."""

import msgspec


class Glyphs(msgspec.Struct, frozen=True, kw_only=True):
    """One set of signs; each is one cell wide.

    `eighths` grow from empty to full, `levels` from lowest to highest.
    """

    cursor: str
    mark: str
    ascending: str
    descending: str
    ellipsis: str
    unknown: str
    more_left: str
    more_right: str
    bar_left: str
    bar_right: str
    eighths: str
    levels: str
    well: str
    failed: str
    stale: str
    waiting: str
    separator: str
    free: str
    is_ascii: bool = False

    def state(self, word: str) -> str:
        """The sign of a state of a job, node, actor or the like; a middle dot where there is none for the word."""
        pair = _STATES.get(word, ("·", " "))
        return pair[self.is_ascii]


# States of jobs, nodes, actors, tasks and placement groups by Ray's words, and ours; for Unicode, for ASCII.
_STATES = {
    "RUNNING": ("●", "*"),
    "ALIVE": ("●", "*"),
    "CREATED": ("●", "*"),
    "PENDING": ("○", "o"),
    "SUCCEEDED": ("✔", "+"),
    "FINISHED": ("✔", "+"),
    "FAILED": ("✖", "x"),
    "DEAD": ("✖", "x"),
    "STOPPED": ("■", "#"),
    "STOPPING": ("◌", "~"),
    "RESTARTING": ("◌", "~"),
    "ENDED": ("◇", "-"),
    "FORGOTTEN": ("◇", "-"),
}


UNICODE = Glyphs(
    cursor="▌",
    mark="*",
    ascending="▲",
    descending="▼",
    ellipsis="…",
    unknown="–",
    more_left="‹",
    more_right="›",
    bar_left="▕",
    bar_right="▏",
    eighths=" ▏▎▍▌▋▊▉█",
    levels="▁▂▃▄▅▆▇█",
    well="●",
    failed="✖",
    stale="◌",
    waiting="◌",
    separator="·",
    free="·",
)

ASCII = Glyphs(
    cursor=">",
    mark="*",
    ascending="^",
    descending="v",
    ellipsis="~",
    unknown="-",
    more_left="<",
    more_right=">",
    bar_left="[",
    bar_right="]",
    eighths=" -#",
    levels="_.-~=+*#",
    well="*",
    failed="x",
    stale="~",
    waiting="~",
    separator="|",
    free=".",
    is_ascii=True,
)
