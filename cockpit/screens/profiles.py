"""Looking into a process from the screen: its stack, where its CPU time goes, and what it allocates."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import ClassVar, Literal

from textual.binding import Binding, BindingType

from cockpit.errors import CockpitError
from cockpit.model.flame import Frame, parse
from cockpit.operations.clusters.live import LiveCluster
from cockpit.operations.profiling.saving import save_bytes
from cockpit.operations.profiling.targets import Target, stack
from cockpit.render.flame import flame_lines, svg
from cockpit.screens.text import TextDialog
from cockpit.widgets.key_hints import Hint

FLAME_SECONDS = 5
MEMORY_SECONDS = 5
NARROWEST = 40

Kind = Literal["stack", "flame", "memory"]
FindTarget = Callable[[], Awaitable[Target]]
Lines = list[tuple[str, str]]

PROFILING_BINDINGS: tuple[BindingType, ...] = (
    Binding("S", "profile('stack')", "Stack", show=False),
    Binding("F", "profile('flame')", "Flame graph", show=False),
    Binding("M", "profile('memory')", "Memory profile", show=False),
)
PROFILING_HINTS = (
    Hint("S", "stack", "profile('stack')"),
    Hint("F", "flame", "profile('flame')"),
    Hint("M", "memory", "profile('memory')"),
)
TITLES = {"stack": "Stack of", "flame": "CPU time of", "memory": "Memory of"}


class ProfilePage(TextDialog):
    """What a look into a process found; `r` looks again. A refusal says what to set or to install."""

    COVERS = True
    HINTS: ClassVar[tuple[Hint, ...]] = (Hint("r", "again", "again"), *TextDialog.HINTS)
    BINDINGS: ClassVar[list[BindingType]] = [Binding("r", "again", "Look again", show=False)]

    def __init__(self, cluster: LiveCluster, find: FindTarget, title: str) -> None:
        super().__init__(title, [])
        self._cluster = cluster
        self._find = find

    def on_mount(self) -> None:
        """Look at once."""
        self.action_again()

    def action_again(self) -> None:
        """Look again."""
        self.run_worker(self._look(), exclusive=True)

    async def _look(self) -> None:
        try:
            target = await self._find()
            self.show([("", self.waiting(target))])
            lines = await self.look(target)
        except CockpitError as error:
            lines = [("", text) for text in (error.title, error.hint, *error.detail.splitlines()[-3:]) if text]
        self.show(lines)

    def waiting(self, target: Target) -> str:
        """What to say meanwhile."""
        return f"Looking into {target.label} (pid {target.pid})…"

    async def look(self, target: Target) -> Lines:
        """The lines. Raises CockpitError."""
        return [("", line or " ") for line in (await stack(self._cluster.client, target)).splitlines()]

    @property
    def room(self) -> int:
        """How wide a line may be that is not to be wrapped."""
        return max(NARROWEST, self.query_one("#text-scroll").scrollable_content_region.width - 2)

    async def save(self, content: bytes, name: str) -> Path | None:
        """Write to the working directory, under another name where that one is taken; None where that fails."""
        path = _free(Path.cwd() / name)
        try:
            await save_bytes(content, path)
        except CockpitError as error:
            self.notify(error.title, severity="error", markup=False)
            return None
        return path


class FlamePage(ProfilePage):
    """Samples a process for some seconds and draws where its CPU time went; `s` saves a picture of it."""

    HINTS: ClassVar[tuple[Hint, ...]] = (Hint("s", "save SVG", "save_picture"), *ProfilePage.HINTS)
    BINDINGS: ClassVar[list[BindingType]] = [Binding("s", "save_picture", "Save as SVG", show=False)]

    _root: Frame | None = None
    _target: Target | None = None

    def waiting(self, target: Target) -> str:
        """For how long."""
        return f"Sampling {target.label} (pid {target.pid}) for {FLAME_SECONDS} s…"

    async def look(self, target: Target) -> Lines:
        """The flame, and the functions that took the most."""
        text = await self._cluster.client.profiling.folded(target.node_id, target.pid, seconds=FLAME_SECONDS)
        self._root, self._target = parse(text), target
        if not self._root.samples:
            return [("", f"{target.label} used no CPU in {FLAME_SECONDS} s: it waits. S shows where.")]
        return [("", line or " ") for line in flame_lines(self._root, self.room)]

    async def action_save_picture(self) -> None:
        """Save the flame as a picture in the working directory."""
        if self._root is None or self._target is None or not self._root.samples:
            self.notify("Record a profile first; then s saves it.", severity="warning")
            return
        title = f"{self._target.label}, pid {self._target.pid}: {self._root.samples} samples in {FLAME_SECONDS} s"
        path = await self.save(svg(self._root, title).encode(), f"flame-{self._target.pid}.svg")
        if path is not None:
            self.notify(f"Saved {path}.", markup=False)


class MemoryPage(ProfilePage):
    """Has memray watch a process for some seconds, and saves the page of HTML that it makes."""

    def waiting(self, target: Target) -> str:
        """For how long."""
        return (
            f"Watching what {target.label} (pid {target.pid}) allocates for {MEMORY_SECONDS} s; this takes 10 s more…"
        )

    async def look(self, target: Target) -> Lines:
        """Where the page was saved."""
        content = await self._cluster.client.profiling.memory(target.node_id, target.pid, seconds=MEMORY_SECONDS)
        path = await self.save(content, f"memory-{target.pid}.html")
        return [("", f"Saved {path}. Open it in a browser." if path else "The profile was not saved.")]


PAGES: dict[str, type[ProfilePage]] = {"stack": ProfilePage, "flame": FlamePage, "memory": MemoryPage}


def profile_page(kind: str, cluster: LiveCluster, find: FindTarget, label: str) -> ProfilePage:
    """The page that looks into a process in this way (`stack`, `flame`, `memory`)."""
    return PAGES[kind](cluster, find, f"{TITLES[kind]} {label}")


def _free(path: Path) -> Path:
    """The path, or one with a number where it is taken."""
    number, found = 1, path
    while found.exists():
        number += 1
        found = path.with_stem(f"{path.stem}-{number}")
    return found
