"""A real Ray behind a real sshd."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.cluster import RayCluster
from tests.live.command_line import CommandLine
from tests.ssh_server import Bastion, needs_sshd

pytestmark = [pytest.mark.live, needs_sshd]


@pytest.fixture
def bastion(tmp_path: Path) -> Iterator[Bastion]:
    with Bastion(tmp_path) as bastion:
        yield bastion


def test_a_job_is_submitted_and_followed_through_a_bastion(
    bastion: Bastion, ray_cluster: RayCluster, cockpit: CommandLine
) -> None:
    variables = {"PATH": bastion.path, "RAYAKASH_ADDRESS": "", "RAY_AUTH_TOKEN": ray_cluster.token}
    way = ["--ssh", "bastion", "--address", ray_cluster.address]
    refused = cockpit.run(*way, "jobs", variables=variables)
    assert refused.code == 4, "the token of this machine is not for what answers on the other side"
    done = cockpit.run(*way, "--send-token", "submit", "--", "echo", "through the bastion", variables=variables)
    assert done.code == 0, done.everything
    assert "through the bastion" in done.text
