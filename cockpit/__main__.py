"""`python -m cockpit`, the same as `rayakash-tui`."""

import gc
import os
import sys


def main() -> int:
    """Run the command line with the process's own arguments; returns the exit code."""
    # A start makes some hundred thousand objects that stay: to look for garbage at every 700 takes a twentieth of it.
    gc.set_threshold(10_000, 20, 20)
    if "_ARGCOMPLETE" in os.environ:
        from cockpit.cli.completion import complete

        complete()
    from cockpit.cli.main import run

    try:
        return run(sys.argv[1:])
    finally:
        gc.freeze()  # else Python looks through all of it for cycles several times more before it lets go


if __name__ == "__main__":
    sys.exit(main())
