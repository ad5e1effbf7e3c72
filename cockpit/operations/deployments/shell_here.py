"""A shell of a deployment on the terminal that this program has: our own command, as a child that takes it over."""

import os
import subprocess
import sys

from cockpit.render.text import shell_word


def command_of(dseq: str, service: str) -> str:
    """The command, for people."""
    return f"rayakash-tui deployments shell {dseq} {shell_word(service)}"


def run_shell(dseq: str, service: str) -> int:
    """Run it to its end; returns its exit code. It is ourselves, so it gets our environment with the API key."""
    command = [sys.executable, "-m", "cockpit", "deployments", "shell", dseq, service]
    return subprocess.run(command, check=False, env=dict(os.environ)).returncode
