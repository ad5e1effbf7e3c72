"""Sealed secrets: only the Console opens them, for one SDL, one account and a few minutes."""

import msgspec
import pytest

from cockpit.clients.akash.console import ConsoleClient, Created, CreateRequest, SealContext
from cockpit.clients.akash.outcomes import Done, Refused
from cockpit.clients.akash.sealing import LARGEST_VALUE, VALID_S, seal
from cockpit.errors import ServerError, UsageError
from cockpit.model.secret import Secret
from tests.akash_sim.clock import VirtualClock
from tests.akash_sim.console import SimConsole
from tests.akash_sim.samples import LAB, PLAIN
from tests.akash_sim.wire import client_of

VALUES = {"GATEWAY_TOKEN": Secret("canary-" + "x" * 40)}


async def context_of(sim: SimConsole) -> SealContext:
    return await client_of(sim).seal_context()


async def test_the_console_opens_what_was_sealed_for_it() -> None:
    sim = SimConsole()
    async with client_of(sim) as console:
        assert await console.can_seal()
        sealed = seal(await console.seal_context(), VALUES, sdl=LAB, now=sim.world.clock.time())
        assert "canary" not in sealed
        created = await console.create(CreateRequest(sdl=LAB, name="lab", sealed_secrets=sealed))
    assert isinstance(created, Done)
    assert sim.sealing.opened == {name: value.reveal() for name, value in VALUES.items()}


@pytest.mark.parametrize("wrong", ["sdl", "user", "late", "key", "names"])
async def test_a_seal_for_something_else_is_refused(wrong: str) -> None:
    sim = SimConsole()
    context, now, values, sdl = await context_of(sim), sim.world.clock.time(), VALUES, LAB
    if wrong == "sdl":
        sdl = PLAIN
    elif wrong == "user":
        context = msgspec.structs.replace(context, sub="somebody")
    elif wrong == "late":
        now -= VALID_S + 60
    elif wrong == "key":
        context = msgspec.structs.replace(context, kid="retired")
    else:
        values = {"OTHER": Secret("value")}
    sealed = seal(context, values, sdl=sdl, now=now)
    async with client_of(sim) as console:
        refused = await console.create(CreateRequest(sdl=LAB, name="lab", sealed_secrets=sealed))
    assert isinstance(refused, Refused)
    assert not sim.world.deployments


async def test_a_console_that_would_ignore_a_seal_gets_none() -> None:
    sim = SimConsole(dialect="august")
    async with client_of(sim) as console:
        assert not await console.can_seal()
        sealed = seal(await console.seal_context(), VALUES, sdl=LAB, now=sim.world.clock.time())
        with pytest.raises(UsageError, match="does not support sealed secrets"):
            await console.create(CreateRequest(sdl=LAB, name="lab", sealed_secrets=sealed))
    assert sim.count("POST", "/v1/deployments") == 0


async def test_what_the_console_would_refuse_is_not_sealed() -> None:
    context = await context_of(SimConsole())
    with pytest.raises(UsageError, match="larger than 16 KiB"):
        seal(context, {"BIG": Secret("x" * LARGEST_VALUE)}, sdl=LAB, now=0)
    with pytest.raises(UsageError, match="at most 100"):
        seal(context, {f"N{number}": Secret("x") for number in range(101)}, sdl=LAB, now=0)


@pytest.mark.parametrize(
    "jwk",
    [
        {"kty": "EC"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {"kty": "RSA", "n": "%%%", "e": "AQAB"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB", "use": "sig"},
        {},
    ],
)
async def test_a_key_that_is_not_fit_seals_nothing(jwk: dict[str, str]) -> None:
    context = SealContext(kid="k", sub="s", jwk=jwk)
    with pytest.raises(ServerError, match="No secret was sent") as caught:
        seal(context, VALUES, sdl=LAB, now=0)
    assert "canary" not in str(caught.value) + caught.value.detail


async def test_claims_that_are_not_known_stop_it() -> None:
    context = msgspec.structs.replace(await context_of(SimConsole()), required_claims=("kid", "moonPhase"))
    with pytest.raises(ServerError, match="moonPhase"):
        seal(context, VALUES, sdl=LAB, now=0)


async def test_a_clock_of_ours_that_is_wrong_seals_by_the_consoles() -> None:
    sim = SimConsole()
    console = ConsoleClient(client_of(sim).http.wire, clock=VirtualClock(sim.world.clock.time() - 7200))
    context = await console.seal_context()
    sealed = seal(context, VALUES, sdl=LAB, now=console.server_now())
    created = await console.create(CreateRequest(sdl=LAB, name="lab", sealed_secrets=sealed))
    assert isinstance(created, Done)


async def test_what_is_wrong_with_an_sdl_is_told_unless_it_holds_values() -> None:
    for holds_values, told in ((False, "Invalid SDL"), (True, "400 bad_request")):
        request = CreateRequest(sdl="services: {}", name="lab", holds_values=holds_values)
        refused = await client_of(SimConsole()).create(request)
        assert isinstance(refused, Refused)
        assert told in refused.error.detail


def test_a_request_does_not_show_what_it_carries() -> None:
    request = CreateRequest(sdl="canary", name="lab", sealed_secrets="canary")
    created = Created(dseq="1", manifest="canary")
    assert "canary" not in f"{request!r} {request} {created!r} {created}"
