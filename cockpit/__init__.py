"""rayakash-tui: the terminal cockpit for Ray clusters on Akash."""

__version__ = "0.1.0"
