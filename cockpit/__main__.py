"""`python -m cockpit`, the same as `rayakash-tui`."""

import sys


def main() -> int:
    """Run the command line with the process's own arguments; returns the exit code."""
    from cockpit.cli.main import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
