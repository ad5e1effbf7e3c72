"""What ssh asks while it opens a tunnel, asked on the terminal."""

from cockpit.cli import output, terminal
from cockpit.clients.ssh.questions import SshQuestion, answer_ssh_with
from cockpit.model.secret import Secret


def install() -> None:
    """Let ssh ask here, where there is a terminal to ask on; elsewhere it must do without."""
    answer_ssh_with(ask if terminal.has_terminal() else None)


async def ask(question: SshQuestion) -> Secret | None:
    """The answer, None where it is empty; ssh's own words come from the bastion as well, and are shown as text."""
    *lines, last = question.text.strip().splitlines() or [""]
    output.message(f"ssh {question.destination}:")
    for line in lines:
        output.message(f"  {line}")
    if question.is_notice:
        output.message(f"  {last}")
        return None
    return terminal.ask_shown(f"  {last} ") if question.is_shown else terminal.ask_hidden(f"  {last} ")
