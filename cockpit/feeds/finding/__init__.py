"""Finding lines in a log of any size: in a process of its own, so that no pattern holds the screen."""
