"""What an owner asks of a supervisor. The standard library only: the supervisor runs without site-packages."""

from typing import NamedTuple


class Plan(NamedTuple):
    """What the owner asks for; no secret is in it, those come in the environment."""

    owner: int
    owner_identity: str
    marker: str
    directories: list[str]  # made here, removed here; Ray runs in the first
    command: list[str]
    state: str = ""  # the file to remove on the way down, if it is about this tree
    farewell: str = ""  # where a detached supervisor writes why Ray ended by itself
