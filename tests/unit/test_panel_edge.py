"""The edge of a panel: the title stays, what is said at its right is cut, counts go first."""

from textual.app import App, ComposeResult

from cockpit.widgets.panel import Panel, PanelEdge
from cockpit.widgets.state_line import Piece


class PanelApp(App[None]):
    def compose(self) -> ComposeResult:
        yield Panel(title="Jobs", id="panel")


async def test_what_stands_on_the_edge() -> None:
    app = PanelApp()
    async with app.run_test(size=(30, 5)) as pilot:
        panel, edge = app.query_one(Panel), app.query_one(PanelEdge)
        assert edge.text == "╭ Jobs " + "─" * 22 + "╮"
        panel.show_title([Piece("Jobs", "strong", 0)], [Piece("3 rows", "quiet", 1)])
        await pilot.pause()
        assert edge.text == "╭ Jobs ────────────── 3 rows ╮"
        sentence = Piece("jobs as of 12s ago · next try", "warn", 1)
        panel.show_title([Piece("Jobs", "strong", 0)], [sentence, Piece("3 rows", "quiet", 2)])
        await pilot.pause()
        assert edge.text.startswith("╭ Jobs ")
        assert "jobs as of 12s" in edge.text
        assert "3 rows" not in edge.text
        assert len(edge.text) == 30
