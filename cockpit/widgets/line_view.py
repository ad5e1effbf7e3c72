"""A scrolling view that repaints only lines that differ from what the terminal shows."""

from math import ceil

from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip


class LineView(ScrollView):
    """The ground for views made of lines.

    A subclass says what each line of the screen shows (`line_token`, cheap and comparable) and paints it
    (`paint_line`); after any change it calls `sync_lines`, which asks Textual to repaint the lines whose token is
    another one than when they were painted last.
    """

    # Dragging the mouse would start a selection that knows nothing of rows and cells.
    ALLOW_SELECT = False

    DEFAULT_CSS = """
    LineView {
        overflow: auto auto;
        scrollbar-gutter: stable;
        scrollbar-size: 0 1;
        scrollbar-color: $foreground 25%;
        scrollbar-color-hover: $foreground 40%;
        scrollbar-color-active: $primary;
        scrollbar-background: $background;
        scrollbar-background-hover: $background;
        scrollbar-background-active: $background;
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, classes=classes)
        self._painted: dict[int, object] = {}

    # For subclasses

    def line_token(self, y: int, view: Size) -> object:
        """What line `y` of the screen shows, where `view` is its size; equal tokens look the same."""
        raise NotImplementedError

    def paint_line(self, token: object, view: Size) -> Strip:
        """The strip for a token, exactly as wide as the view."""
        raise NotImplementedError

    def scrolled(self) -> None:
        """Called when the scroll position has changed, before lines are compared."""

    @property
    def view_size(self) -> Size:
        """Cells for content: without border, padding and scrollbar."""
        return self.scrollable_content_region.size

    def sync_lines(self) -> None:
        """Have the lines repainted whose content has changed."""
        view, painted = self.view_size, self._painted
        stale = [y for y in range(view.height) if y not in painted or painted[y] != self.line_token(y, view)]
        if stale:
            self.refresh(*[Region(0, y, view.width, 1) for y in stale])

    def repaint(self) -> None:
        """Have every line repainted."""
        self._painted.clear()
        self.refresh()

    # Drawing

    def render_line(self, y: int) -> Strip:
        """Paint one line of the screen, and remember what it shows."""
        view = self.view_size
        token = self._painted[y] = self.line_token(y, view)
        return self.paint_line(token, view)

    def notify_style_update(self) -> None:
        """The theme, the focus or a style rule has changed."""
        super().notify_style_update()
        self._painted.clear()

    # Scrolling

    @property
    def max_scroll_x(self) -> int:
        """The last column from which one can scroll."""
        return max(0, self.virtual_size.width - self.view_size.width)

    @property
    def max_scroll_y(self) -> int:
        """The last line from which one can scroll."""
        return max(0, self.virtual_size.height - self.view_size.height)

    def set_extent(self, width: int, height: int) -> None:
        """Tell how many cells and lines there are to scroll over.

        Textual lays the whole screen out again and repaints the scrollbar for that; both are spared unless a
        scrollbar comes or goes, or its thumb moves.
        """
        extent, view = Size(width, height), self.view_size
        if extent == self.virtual_size:
            return
        bars = (width > view.width, height > view.height)
        if bars != (self.show_horizontal_scrollbar, self.show_vertical_scrollbar):
            self.virtual_size = extent
        else:
            self.set_reactive(LineView.virtual_size, extent)
            self._sync_scrollbar()

    def scroll_lines_to(self, y: int) -> None:
        """Put line `y` of the content at the top, as far as there is content."""
        if self.is_attached:
            self.scroll_to(y=min(max(0, y), self.max_scroll_y), animate=False, force=True)

    def watch_scroll_x(self, old_value: float, new_value: float) -> None:
        """Compare lines in place of repainting all."""
        if round(old_value) != round(new_value):
            self.scrolled()
            self.sync_lines()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Compare lines in place of repainting all."""
        if round(old_value) != round(new_value):
            self.scrolled()
            self.sync_lines()
            self._sync_scrollbar()

    def _sync_scrollbar(self) -> None:
        if not self.show_vertical_scrollbar:
            return
        bar, count, height = self.vertical_scrollbar, self.virtual_size.height, self.view_size.height
        if _thumb(bar.window_virtual_size, bar.position, height) != _thumb(count, self.scroll_y, height):
            bar.window_virtual_size = count
            bar.position = self.scroll_y


def _thumb(count: int, position: float, height: int) -> tuple[int, int]:
    """Where a scrollbar's thumb begins and how long it is, in the eighths of a cell that can be drawn."""
    if not count or count <= height:
        return 0, 0
    length = max(1.0, height * height / count)
    return int(8 * (height - length) * position / (count - height)), ceil(8 * length)
