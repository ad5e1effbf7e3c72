"""What stands in where an older Ray does not hand out log files as 2.60 does."""

import pytest

from cockpit.clients.ray import RayClient
from cockpit.clients.ray.log_files import LogFile
from cockpit.clients.ray.older_logs import TEXT_ONLY
from cockpit.errors import NotFoundError, RejectedError
from tests.live.cluster import RayCluster
from tests.live.command_line import CommandLine
from tests.live.processes import soon
from tests.live.release import ray_release
from tests.live.speaker import SPEECH, Speaker

pytestmark = pytest.mark.compat

LINES = b"10 %\n20 %\nred \x1b[31mand\x1b[0m gr\xc3\xb6\xc3\x9fer\n"


@pytest.fixture
def text_only() -> None:
    if ray_release().hands_out_logs:
        pytest.skip("this Ray hands out log files")


@pytest.mark.usefixtures("text_only")
async def test_log_comes_as_text_while_the_job_writes(ray_cluster: RayCluster, cockpit: CommandLine) -> None:
    """With a word about it; what is no text cannot be had at all."""
    with (
        Speaker(ray_cluster.head, "as-text") as speaker,
        cockpit.start("logs", "-f", "as-text") as command,
        cockpit.start("logs", "-f", "--tail", "1", "as-text") as tail,
    ):

        async def printed() -> bool:
            # Ray's own line may come last, so the tail need not end with what the job said.
            return command.stdout() == log and tail.stdout() != b"" and log.endswith(tail.stdout())

        for part in (LINES, b"one more\r\nand another\n"):
            await speaker.say(part)
            log = (await speaker.heard()).replace(b"\r\n", b"\n")
            await soon(printed, within=SPEECH, what="the log on stdout")
        speaker.stop()
        done = command.wait()
        assert (done.code, done.stdout) == (0, log)
        assert done.stderr.count(TEXT_ONLY) == 1
        assert tail.wait().code == 0


@pytest.mark.usefixtures("text_only")
async def test_log_that_is_no_text(ray_cluster: RayCluster, cockpit: CommandLine) -> None:
    with Speaker(ray_cluster.head, "no-text") as speaker:
        await speaker.say(b"before \xff after\n")
        await speaker.heard()
        done = cockpit.run("logs", "no-text")
    assert (done.code, done.stdout) == (1, b"")
    assert "invalid UTF-8" in done.stderr


@pytest.mark.usefixtures("text_only")
async def test_other_files_are_withheld(client: RayClient, ray_cluster: RayCluster) -> None:
    with pytest.raises(RejectedError, match="cannot serve log files"):
        async with client.logs.open(LogFile(node_id=ray_cluster.head.node_id, filename="raylet.out")) as chunks:
            assert not [chunk async for chunk in chunks]


async def test_log_of_a_node_that_is_gone(client: RayClient) -> None:
    """2.40 tells of it in the body of a 200."""
    with pytest.raises(NotFoundError):
        async with client.logs.open(LogFile(node_id="f" * 56, filename="job-driver-x.log")) as chunks:
            assert not [chunk async for chunk in chunks]
