"""The signs that widgets draw, for terminals with and without Unicode."""

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
)
