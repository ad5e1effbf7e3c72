"""The client of a provider's gateway: whom it trusts, what it reads, and what it copies."""

import logging
import os
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cockpit.clients.akash import settling
from cockpit.clients.akash.console import CreateRequest, Grant, Scope
from cockpit.clients.akash.copying import Container, Copier
from cockpit.clients.akash.gateway import LogGap, LogLine, LogOverlap, ProviderGateway, gateway_address
from cockpit.clients.akash.outcomes import Done
from cockpit.clients.akash.provider_certificate import trust
from cockpit.errors import (
    AuthenticationError,
    NotFoundError,
    RejectedError,
    ServerError,
    UnreachableError,
    UntrustedError,
    UsageError,
)
from cockpit.model.akash.deployments import Lease
from cockpit.model.certificates import fingerprint_of
from cockpit.model.secret import Secret
from cockpit.operations.deployments.provider_pins import pin_of, pins_file, remember
from tests.akash_sim.console import SimConsole
from tests.akash_sim.gateway import SimGateway
from tests.akash_sim.market import SimProvider
from tests.akash_sim.pods import PodPlan
from tests.akash_sim.samples import PLAIN
from tests.akash_sim.wire import client_of
from tests.akash_sim.world import SimWorld

SERVICES = ("gateway", "ray-head", "ray-worker")


class Rented:
    """A lease at the one provider of a simulated network, and clients of its gateway."""

    def __init__(self, sim: SimConsole, server: SimGateway, lease: Lease) -> None:
        self.sim, self.server, self.lease = sim, server, lease
        self.minted: list[Secret] = []

    async def gateway(self, *scope: Scope) -> ProviderGateway:
        address = gateway_address(self.server.provider.host_uri)
        grant = Grant(lease=self.lease.id, services=SERVICES, scope=scope or ("status", "logs", "events"))

        async def mint() -> Secret:
            self.minted.append(await client_of(self.sim).provider_token([grant]))
            return self.minted[-1]

        tls = await trust(address, self.server.provider.address)
        return ProviderGateway(address, tls, mint, clock=self.sim.world.clock)


@pytest.fixture
async def rented(tmp_path: Path) -> AsyncIterator[Rented]:
    provider = SimProvider(address="akash1" + "q" * 38, host="p.sim.example", nodes=[8])
    sim = SimConsole(SimWorld(market=[provider]))
    folder = tmp_path / "container"
    folder.mkdir()
    async with SimGateway(sim.world, provider, folder=folder) as server, client_of(sim) as console:
        created = await console.create(CreateRequest(sdl=PLAIN, name="lab"))
        assert isinstance(created, Done)
        await console.clock.sleep(40)
        (bid,) = await console.bids(created.value.dseq)
        taken = await settling.take_leases(console, [bid.id], created.value.manifest)
        assert isinstance(taken, Done)
        await console.clock.sleep(60)
        yield Rented(sim, server, taken.value.deployment.leases[0])


async def test_a_self_signed_certificate_of_the_provider_is_pinned(rented: Rented) -> None:
    address = gateway_address(rented.server.provider.host_uri)
    tls = await trust(address, rented.server.provider.address)
    assert tls.pin == fingerprint_of(rented.server.certificate)
    gateway = await rented.gateway()
    status = await gateway.status(rented.lease.id)
    await gateway.close()
    assert status.is_ready
    assert status.ips == {}
    assert status.forwarded("gateway", 8443) is not None


async def test_another_name_on_the_certificate_is_not_trusted() -> None:
    provider = SimProvider(address="akash1real", host="p", nodes=[8])
    async with SimGateway(SimWorld(market=[provider]), provider, common_name="akash1other") as server:
        with pytest.raises(UntrustedError, match="did not prove to be provider akash1real"):
            await trust(gateway_address(provider.host_uri), provider.address)
        assert server.requests == []


async def test_a_provider_known_before_must_show_the_same_certificate(rented: Rented) -> None:
    address, provider = gateway_address(rented.server.provider.host_uri), rented.server.provider.address
    first = await trust(address, provider)
    assert await trust(address, provider, pin=first.pin) == first
    await rented.server.refuse()
    await rented.server.listen()
    with pytest.raises(UntrustedError, match="HAS CHANGED") as caught:
        await trust(address, provider, pin=first.pin, pins="/state/provider-pins.json")
    assert caught.value.found == fingerprint_of(rented.server.certificate)
    assert "/state/provider-pins.json" in caught.value.hint
    assert rented.server.requests == []


def test_what_a_provider_showed_is_kept_privately() -> None:
    assert pin_of("akash1a") is None
    remember("akash1a", "sha256:1")
    remember("akash1b", "sha256:2")
    assert (pin_of("akash1a"), pin_of("akash1b")) == ("sha256:1", "sha256:2")
    assert pins_file().stat().st_mode & 0o777 == 0o600
    pins_file().write_text("not JSON")
    with pytest.raises(UsageError, match="cannot be read"):
        pin_of("akash1a")


async def test_a_changed_certificate_gets_no_token(rented: Rented) -> None:
    gateway = await rented.gateway()
    await rented.server.refuse()
    await rented.server.listen()  # makes another certificate of the same name
    with pytest.raises(UntrustedError, match="HAS CHANGED"):
        await gateway.status(rented.lease.id)
    with pytest.raises(UntrustedError, match="HAS CHANGED"):
        await anext(gateway.logs(rented.lease.id, "gateway"))
    assert rented.server.requests == []


async def test_a_provider_that_is_down_is_said(rented: Rented) -> None:
    gateway = await rented.gateway()
    await rented.server.refuse()
    with pytest.raises(UnreachableError, match="does not answer"):
        await gateway.status(rented.lease.id)
    with pytest.raises(UnreachableError, match="does not answer"):
        await anext(gateway.logs(rented.lease.id, "gateway"))


def test_a_gateway_without_tls_gets_no_token() -> None:
    with pytest.raises(UsageError, match="not encrypted"):
        gateway_address("http://provider.example:8443")


async def test_a_token_lives_for_25_minutes_and_is_made_anew(rented: Rented) -> None:
    gateway = await rented.gateway()
    for _ in range(3):
        await gateway.status(rented.lease.id)
    assert len(rented.minted) == 1
    rented.sim.world.clock.advance(26 * 60)
    await gateway.status(rented.lease.id)
    await gateway.close()
    assert len(rented.minted) == 2


async def test_a_token_refused_once_is_made_anew(rented: Rented) -> None:
    gateway = await rented.gateway()
    await gateway.endpoint()
    rented.sim.world.token_secret = b"another"
    await gateway.status(rented.lease.id)
    await gateway.close()
    assert len(rented.minted) == 2


async def test_a_scope_that_lacks_the_action_is_refused(rented: Rented) -> None:
    gateway = await rented.gateway("status")
    with pytest.raises(AuthenticationError, match="does not accept the token"):
        await anext(gateway.logs(rented.lease.id, "gateway"))


async def test_a_lease_that_is_gone_is_said(rented: Rented) -> None:
    gateway = await rented.gateway()
    rented.sim.world.close(rented.sim.world.deployments[rented.lease.id.dseq])
    with pytest.raises(NotFoundError):
        await gateway.status(rented.lease.id)
    with pytest.raises(NotFoundError, match=r"does not have this lease|no longer has this lease"):
        await anext(gateway.logs(rented.lease.id, "gateway"))
    await gateway.close()


async def test_logs_of_one_service_while_another_pulls(rented: Rented) -> None:
    rented.server.provider.plans["ray-worker"] = PodPlan(trouble="pulling")
    rented.server.lines["ray-head"] = ["one", "two", "three"]
    gateway = await rented.gateway()
    lines = [line.text async for line in gateway.logs(rented.lease.id, "ray-head", tail=2)]
    assert lines == ["two", "three"]
    with pytest.raises(ServerError, match=r"closed the stream \(4000\)"):
        await anext(gateway.logs(rented.lease.id, "ray-worker"))


async def test_a_followed_log_marks_the_gap_and_repeats_no_line(rented: Rented) -> None:
    rented.server.lines["ray-head"] = ["one", "two"]
    rented.server.cut_every = 2
    gateway = await rented.gateway()
    found: list[str] = []
    async for each in gateway.follow_logs(rented.lease.id, "ray-head"):
        found.append("gap" if isinstance(each, LogGap) else each.text)
        if found == ["one", "two", "gap"]:
            rented.server.lines["ray-head"] += ["three", "four"]
            rented.server.cut_every = 4
        elif "four" in found:
            rented.sim.world.close(rented.sim.world.deployments[rented.lease.id.dseq])
    assert found == ["one", "two", "gap", "three", "four", "gap"]


@pytest.mark.parametrize(
    ("first", "again", "new"),
    [
        ("abc", "abcd", "d"), ("abc", "bcde", "de"), ("abc", "xyz", "xyz"), ("abc", "abx", "abx"), ("", "ab", "ab"),
        ("aaa", "aaab", "aab"), ("abab", "abc", "c"), ("abc", "abc", ""),
    ],
)  # fmt: skip
def test_lines_that_come_again_are_left_out_and_none_is_lost(first: str, again: str, new: str) -> None:
    overlap = LogOverlap(100)
    overlap.reopen()
    assert "".join(line.text for letter in first for line in overlap.feed(LogLine("pod", letter, 0))) == first
    overlap.reopen()
    assert "".join(line.text for letter in again for line in overlap.feed(LogLine("pod", letter, 1))) == new


async def test_events_say_what_the_pods_do(rented: Rented) -> None:
    rented.server.provider.plans["ray-worker"] = PodPlan(trouble="pull-error")
    gateway = await rented.gateway()
    events = [event async for event in gateway.events(rented.lease.id)]
    assert {"Pulling", "Pulled", "Started", "Failed", "BackOff"} <= {event.reason for event in events}
    failed = next(event for event in events if event.reason == "Failed")
    assert (failed.type, failed.kind, failed.note) == ("Warning", "Pod", "Error: ErrImagePull")


async def test_a_shell_tells_output_and_result(rented: Rented) -> None:
    gateway = await rented.gateway("shell")
    async with gateway.shell(rented.lease.id, "ray-head", ["/bin/sh", "-c", "echo out; echo err >&2; exit 3"]) as shell:
        pieces = [piece async for piece in shell.output()]
    assert (100, b"out\n") in pieces
    assert shell.errors == "err"
    assert shell.exit_code == 3


def copier(rented: Rented, gateway: ProviderGateway) -> Copier:
    return Copier(gateway, Container(lease=rented.lease.id, service="ray-head"))


async def test_a_folder_comes_out_whole_and_compared(rented: Rented, tmp_path: Path) -> None:
    source = tmp_path / "container" / "results"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "weights.bin").write_bytes(os.urandom(300_000))
    (source / "log.txt").write_text("done\n")
    copied = await copier(rented, await rented.gateway("shell")).download("results", tmp_path / "here")
    assert copied.resumed == 0
    assert (tmp_path / "here" / "log.txt").read_text() == "done\n"
    assert (tmp_path / "here/deep/weights.bin").read_bytes() == (source / "deep/weights.bin").read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["container", "here"]


async def test_a_broken_copy_goes_on_where_it_broke(rented: Rented, tmp_path: Path) -> None:
    (tmp_path / "container" / "big").write_bytes(os.urandom(900_000))
    rented.server.cut_shell_after = 400_000
    copied = await copier(rented, await rented.gateway("shell")).download("big", tmp_path)
    assert copied.resumed >= 2
    assert (tmp_path / "big").read_bytes() == (tmp_path / "container" / "big").read_bytes()


async def test_a_stale_part_is_found_out_and_begun_anew(rented: Rented, tmp_path: Path) -> None:
    (tmp_path / "container" / "big").write_bytes(os.urandom(50_000))
    (tmp_path / ".big.rayakash-part").write_bytes(b"of another run" * 100)
    await copier(rented, await rented.gateway("shell")).download("big", tmp_path)
    assert (tmp_path / "big").read_bytes() == (tmp_path / "container" / "big").read_bytes()


async def test_files_go_in_and_are_compared(rented: Rented, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "set.bin").write_bytes(os.urandom(200_000))
    copied = await copier(rented, await rented.gateway("shell")).upload(tmp_path / "data", "inside/data")
    target = tmp_path / "container" / "inside"
    assert copied.path == "inside/data"
    assert (target / "data" / "set.bin").read_bytes() == (tmp_path / "data" / "set.bin").read_bytes()
    assert os.listdir(target) == ["data"]


async def test_what_is_absent_or_in_the_way_is_said(rented: Rented, tmp_path: Path) -> None:
    gateway = await rented.gateway("shell")
    with pytest.raises(NotFoundError, match="does not exist in ray-head"):
        await copier(rented, gateway).download("absent", tmp_path)
    (tmp_path / "taken").touch()
    with pytest.raises(UsageError, match="already exists"):
        await copier(rented, gateway).download("container", tmp_path / "taken")


@pytest.mark.parametrize("remote", ["/", ".", "..", "/tmp/..", "results/../.."])
async def test_a_path_that_names_nothing_is_refused(rented: Rented, tmp_path: Path, remote: str) -> None:
    with pytest.raises(UsageError, match="does not name"):
        await copier(rented, await rented.gateway("shell")).download(remote, tmp_path)


async def test_an_archive_that_reaches_outside_is_refused(rented: Rented, tmp_path: Path) -> None:
    """The container may be hostile: its `tar` is whatever it has made of it."""
    evil = tmp_path / "container" / "evil.tar"
    with tarfile.open(evil, "w") as archive:
        for name in ("./results/fine", "../outside"):
            archive.addfile(tarfile.TarInfo(name))
    (tmp_path / "container" / "results").mkdir()
    (tmp_path / "container" / "tar").write_text(f"#!/bin/sh\ncat {evil}\n")
    (tmp_path / "container" / "tar").chmod(0o755)
    rented.server.path = str(tmp_path / "container")
    with pytest.raises(RejectedError, match="could not be unpacked"):
        await copier(rented, await rented.gateway("shell")).download("results", tmp_path / "here")
    assert not (tmp_path / "outside").exists()
    assert not (tmp_path / "here").exists()


async def test_ports_change_with_an_update(rented: Rented) -> None:
    made = rented.sim.world.deployments[rented.lease.id.dseq]
    gateway = await rented.gateway()
    first = (await gateway.status(rented.lease.id)).forwarded("gateway", 8443)
    await client_of(rented.sim).put_sdl(made.dseq, PLAIN.replace("2.10.2", "2.11.0"))
    second = (await gateway.status(rented.lease.id)).forwarded("gateway", 8443)
    await gateway.close()
    assert first is not None
    assert second is not None
    assert first.external_port != second.external_port


async def test_the_token_is_in_no_log_of_a_library(rented: Rented, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    gateway = await rented.gateway()
    await gateway.status(rented.lease.id)
    [line async for line in gateway.logs(rented.lease.id, "ray-head")]
    await gateway.close()
    assert rented.minted[0].reveal() not in caplog.text
    assert rented.sim.world.keys[0].value not in caplog.text
