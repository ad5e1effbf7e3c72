"""The sequences that make a terminal notify its user of the end of a job."""

import re
from collections.abc import Mapping

from cockpit.model.jobs import Job
from cockpit.render.text import visible

BELL = "\a"
LONGEST = 200

_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._-]")


def notice_text(job: Job) -> str:
    """One sentence."""
    return visible(f"{job.id or 'a job'} {(job.status or 'ended').lower()}")[:LONGEST]


def notice_sequence(job: Job, osc: int | None, environment: Mapping[str, str]) -> str:
    """What makes the terminal show a notification: OSC 9 (iTerm2, ConEmu, WezTerm) or 777 (urxvt, foot, VTE).

    Nothing of the job can end the sequence or begin another. tmux passes it on only when it is wrapped.
    """
    if osc is None:
        return ""
    text = notice_text(job).replace(";", ",")
    body = f"\x1b]9;{text}\a" if osc == 9 else f"\x1b]777;notify;rayakash;{text}\a"
    if not environment.get("TMUX"):
        return body
    return "\x1bPtmux;" + body.replace("\x1b", "\x1b\x1b") + "\x1b\\"


def title_sequence(text: str, before: str, environment: Mapping[str, str]) -> str:
    """What gives a terminal this title (OSC 2), where the one that it had is kept on its stack (XTWINOPS 22 and 23).

    An empty text takes the kept one back. Terminals without titles get nothing; nothing of the text can end the
    sequence or begin another.
    """
    if environment.get("TERM", "dumb") in ("linux", "dumb"):
        return ""
    if not text:
        return "\x1b[23;2t" if before else ""
    return ("" if before else "\x1b[22;2t") + f"\x1b]2;{visible(text)[:LONGEST]}\a"


def plain_word(text: str) -> str:
    """A name that no program takes for an option or for more than one word."""
    return _NOT_PLAIN.sub("_", text).lstrip("-")[:LONGEST] or "_"
