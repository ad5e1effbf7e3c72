"""A CPU profile as a tree of frames, from the folded stacks that py-spy writes: `main;run;step 12`."""

from collections.abc import Iterable, Iterator

MOST_DEPTH = 400


class Frame:
    """A function where it was called from; `own` counts samples in itself, `samples` those below it too."""

    __slots__ = ("children", "name", "own", "samples")

    def __init__(self, name: str) -> None:
        self.name = name
        self.samples = 0
        self.own = 0
        self.children: dict[str, Frame] = {}

    def ordered(self) -> list["Frame"]:
        """What it called, the costliest first."""
        return sorted(self.children.values(), key=lambda frame: (-frame.samples, frame.name))


def parse(text: str) -> Frame:
    """The tree of a profile; its root is `all`. Lines of another form are left out."""
    root = Frame("all")
    for line in text.splitlines():
        stack, _, count = line.rpartition(" ")
        if stack and count.isdecimal():
            _add(root, stack.split(";")[:MOST_DEPTH], int(count))
    return root


def _add(root: Frame, names: Iterable[str], count: int) -> None:
    frame = root
    root.samples += count
    for name in names:
        frame = frame.children.setdefault(name, Frame(name))
        frame.samples += count
    frame.own += count


def hottest(root: Frame, most: int) -> list[tuple[str, int]]:
    """Functions by the samples in themselves, wherever they were called from."""
    counts: dict[str, int] = {}
    for frame in frames(root):
        if frame.own:
            counts[frame.name] = counts.get(frame.name, 0) + frame.own
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:most]


def frames(root: Frame) -> Iterator[Frame]:
    """Every frame of the tree."""
    waiting = [root]
    while waiting:
        frame = waiting.pop()
        yield frame
        waiting += frame.children.values()
