"""A cluster behind a bastion examined, and seen beside others."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cockpit.clients.ssh.questions import SshQuestion, answer_ssh_with
from cockpit.feeds.clock import ManualClock
from cockpit.operations.clusters.overview import LINGER_SECONDS, Overview
from tests.sim import SimServer
from tests.ssh_server import Bastion, make_key, needs_sshd
from tests.wire.behind import bastion, lock_key, nobody_answers, ours, ray, runtime
from tests.wire.commands import alone, home, write_contexts
from tests.wire.server import until

__all__ = ["bastion", "home", "nobody_answers", "ray", "runtime"]

pytestmark = [needs_sshd, pytest.mark.usefixtures("home", "bastion", "nobody_answers"), pytest.mark.lengthy]


def lab_behind(home: Path, url: str, **more: str) -> None:
    lines = "".join(f'{key} = "{value}"\n' for key, value in {"address": url, "ssh": "bastion", **more}.items())
    write_contexts(home, f"[contexts.lab]\n{lines}")


async def examined(home: Path, url: str) -> tuple[int, dict[str, dict[str, str]]]:
    """What `clusters check` says of a cluster behind the bastion: its exit code, and its checks by name."""
    lab_behind(home, url)
    done = await alone("clusters", "check", "--json")
    (cluster,) = done.data["clusters"]
    return done.code, {check["name"]: check for check in cluster["checks"]}


async def test_check_opens_the_tunnel(home: Path, ray: SimServer, runtime: Path) -> None:
    code, checks = await examined(home, ray.url)
    assert code == 0
    assert checks["ssh"]["message"] == "bastion accepts the login"
    assert checks["ray"]["state"] == "ok"
    assert not ours(runtime)


def take_away(bastion: Bastion) -> None:
    bastion.end()


def change_key(bastion: Bastion) -> None:
    bastion.know_host(make_key(bastion.directory / "other"))


def be_unknown(bastion: Bastion) -> None:
    (bastion.directory / "known_hosts").unlink()


def forbid_forwarding(bastion: Bastion) -> None:
    bastion.end()
    bastion.settings["AllowTcpForwarding"] = "no"
    bastion.start()


def misconfigure(bastion: Bastion) -> None:
    bastion.client(NoSuchOption="yes")


def rename(bastion: Bastion) -> None:
    file = bastion.directory / "ssh_config"
    file.write_text(file.read_text().replace("HostName 127.0.0.1", "HostName no-such-host.invalid"))


@pytest.mark.parametrize(
    ("breaks", "fault", "code"),
    [
        (take_away, "ssh-away", 3),
        (change_key, "ssh-host-key-changed", 4),
        (be_unknown, "ssh-host-unknown", 4),
        (lock_key, "ssh-not-let-in", 4),
        (forbid_forwarding, "ssh-forwarding", 3),
        (misconfigure, "ssh-config", 2),
        (rename, "ssh-name-unknown", 3),
    ],
)
async def test_each_fault_of_the_way_has_a_name_and_a_next_step(
    home: Path, bastion: Bastion, ray: SimServer, breaks: Callable[[Bastion], None], fault: str, code: int
) -> None:
    breaks(bastion)
    found, checks = await examined(home, ray.url)
    last = list(checks.values())[-1]
    assert (found, last["name"], last["fault"]) == (code, "ssh", fault)
    assert last["hint"]


async def test_a_cluster_that_is_away_behind_the_bastion_has_a_fault_of_its_own(home: Path, ray: SimServer) -> None:
    await ray.refuse()
    _, checks = await examined(home, ray.url)
    assert checks["ssh"]["fault"] == "ssh-target"


async def test_the_options_name_what_is_examined(ray: SimServer) -> None:
    done = await alone("doctor", "--ssh", "bastion", "--address", ray.url, "--json")
    assert [one["name"] for one in done.data["clusters"]] == [ray.url]
    assert {"ssh", "ray"} <= {check["name"] for check in done.data["clusters"][0]["checks"]}


# Side by side


async def test_the_overview_opens_a_tunnel_asks_nobody_and_closes_it_when_nobody_looks(
    home: Path, ray: SimServer, runtime: Path
) -> None:
    lab_behind(home, ray.url)
    clock = ManualClock()
    async with overview(clock) as seen:
        await until(lambda: [row.health for row in seen.rows()] == ["up"])
        assert ours(runtime)
        seen.sleep()
        clock.advance(LINGER_SECONDS - 1)
        seen.beat()
        assert ours(runtime)
        clock.advance(2)
        seen.beat()
        await until(lambda: not ours(runtime))
        seen.wake()
        await until(lambda: [row.health for row in seen.rows()] == ["up"])


async def test_the_overview_says_where_ssh_would_have_to_ask(home: Path, bastion: Bastion, ray: SimServer) -> None:
    asked: list[SshQuestion] = []

    async def answer(question: SshQuestion) -> None:
        asked.append(question)

    answer_ssh_with(answer)
    lock_key(bastion)
    lab_behind(home, ray.url)
    async with overview(ManualClock()) as seen:
        await until(lambda: [row.health for row in seen.rows()] == ["refused"])
        assert seen.rows()[0].why == "bastion refused the login. Enter goes there and asks."
    assert asked == []


@asynccontextmanager
async def overview(clock: ManualClock) -> AsyncIterator[Overview]:
    crashes: list[BaseException] = []
    seen = Overview(lambda: None, on_crash=crashes.append, clock=clock)
    seen.wake()
    await seen.reload()
    try:
        yield seen
    finally:
        await seen.close()
    assert crashes == []
