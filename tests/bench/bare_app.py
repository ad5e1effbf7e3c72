"""The least that a Textual app can be: `python -m tests.bench.bare_app`."""

from textual.app import App, ComposeResult
from textual.widgets import Static

MARK = "a bare app"


class BareApp(App[None]):
    """One line of text."""

    def compose(self) -> ComposeResult:
        """The line."""
        yield Static(MARK)


if __name__ == "__main__":
    BareApp().run()
