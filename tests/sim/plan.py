"""What to simulate, and how chance is drawn for it."""

import hashlib
import random
import zlib

import msgspec

NOON = 1_795_190_400.0
"""2026-11-20 16:00 UTC, when the simulated day is at its busiest."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster to simulate: living nodes (the first is the head), GPUs of each, jobs listed, and the seed.

    `origin` is the time at which all of it is described; jobs have begun before. From three nodes on there is a dead
    one besides.
    """

    nodes: int = 12
    gpus: int = 8
    jobs: int = 212
    seed: int = 7
    origin: float = NOON

    def chance(self, *about: object) -> random.Random:
        """A source of chance of its own for each subject, so that one more job changes nothing for a node."""
        return random.Random(f"{self.seed}/{'/'.join(map(str, about))}")

    def wave(self, *about: object) -> float:
        """A number from 0 to 1 for each subject: cheaper than a source of chance."""
        return zlib.crc32(f"{self.seed}/{about}".encode()) / 2**32

    def hex_id(self, length: int, *about: object) -> str:
        """An id as Ray makes them."""
        digest = hashlib.sha512(f"{self.seed}/{'/'.join(map(str, about))}".encode()).hexdigest()
        return digest[:length]
