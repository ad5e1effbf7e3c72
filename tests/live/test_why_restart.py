"""What `why` says of a job that a restarted head has forgotten."""

import pytest

from tests.live.command_line import CommandLine
from tests.live.node import RayHead

pytestmark = [pytest.mark.live, pytest.mark.slow]


def test_a_job_from_before_the_head_started(disposable_head: RayHead, tmp_path_factory: pytest.TempPathFactory) -> None:
    variables = {"RAYAKASH_ADDRESS": disposable_head.address, "RAY_AUTH_TOKEN": disposable_head.token}
    cockpit = CommandLine(tmp_path_factory.mktemp("home"), variables)
    assert cockpit.run("submit", "--no-wait", "--id", "before", "--num-gpus", "8", "--", "echo hi").code == 0
    assert cockpit.run("why", "before").code in (0, 1)

    disposable_head.restart()
    done = cockpit.run("why", "before")

    assert done.code == 1
    assert "before not found" in done.stderr
    assert "The head started at " in done.stderr
    assert "does not know jobs from before" in done.stderr
