"""Every fault of the simulator's table against a whole deploy on the virtual clock, with the end that it must have.

`runs`: a cluster with one deployment that costs. `gone`: an error, and nothing costs. `told`: an error, and what may
cost is on disk, named with its number, and closed by the next program. In all of them: one create a confirmation, the
money of the network constant, no call without an end, and neither key nor secret in anything that is said or kept.
"""

import functools
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal, TypeAlias

import msgspec
import pytest

from cockpit.errors import AuthenticationError, CockpitError, OutcomeUnknownError, PaymentError
from cockpit.operations.deployments import journal as journals
from cockpit.operations.deployments.ending import close
from cockpit.operations.deployments.flow import Terms
from cockpit.operations.deployments.journal import Journal, attempts, unfinished
from cockpit.operations.deployments.reaching import Ready
from cockpit.operations.deployments.register import settle
from cockpit.operations.deployments.telling import what_exists
from tests.akash_sim.bodies import Shape
from tests.akash_sim.console import Dialect, SimConsole
from tests.akash_sim.faults import (
    BAD_KEY,
    HTML_502,
    MANIFEST_LOST,
    NO_LEASE_YET,
    SETTING_UP,
    UNDELIVERED,
    UNKNOWN_ERROR,
    UNREACHABLE,
    Fault,
    Kind,
    error_body,
)
from tests.akash_sim.pods import PodPlan
from tests.akash_sim.world import SimWorld
from tests.deployments.stage import Run

pytestmark = pytest.mark.usefixtures("session_secrets")

End: TypeAlias = Literal["runs", "gone", "told"]
CREATE, LIST, LEASE = "POST /v1/deployments", "GET /v1/deployments", "POST /v1/leases"
GET, BIDS, DELETE = "GET /v1/deployments/", "GET /v1/bids", "DELETE /v1/deployments/"
PROVIDERS, SEAL = "GET /v1/providers", "GET /v1/sdl-secrets-context"
AN_HOUR = 3600.0


class Row(msgspec.Struct, kw_only=True):
    """A fault: what is done to the run, how it must end, and what must be said of it."""

    name: str
    do: Callable[[Run], None]
    end: End
    words: str = ""
    creates: int = 1
    kind: type[CockpitError] = CockpitError
    dialect: Dialect = "autumn"
    within_s: float = AN_HOUR

    def __repr__(self) -> str:
        return self.name


def faults(*some: Fault) -> Callable[[Run], None]:
    """These faults, as long as the run lasts."""
    return lambda run: run.sim.faults.add(*(msgspec.structs.replace(one) for one in some))


def providers(first_only: bool = False, **fields: Any) -> Callable[[Run], None]:
    """Providers with these fields: all of them, or the one whose bid is taken first."""

    def do(run: Run) -> None:
        audited = [one for one in run.sim.world.providers if one.is_audited]
        first = min(audited, key=lambda one: one.address)  # all ask the same here
        for provider in [first] if first_only else run.sim.world.providers:
            for name, value in fields.items():
                setattr(provider, name, value)

    return do


def first_lease(do: Callable[[SimWorld, Any, Any], object]) -> Callable[[Run], None]:
    """Something happens to the first lease once it is looked at."""

    def happens(world: SimWorld) -> None:
        made = next(iter(world.deployments.values()))
        for lease in made.costing:
            do(world, made, lease)

    return faults(Fault(match=GET, do="world", after=2, world=happens))


def both(run: Run, *dos: Callable[[Run], None]) -> None:
    """One after the other."""
    for do in dos:
        do(run)


def refused(code: str, status: int = 402) -> Fault:
    """A create that is refused."""
    return Fault(match=CREATE, do="answer", status=status, body=error_body("", "no", code))


def pods(**plan: Any) -> Callable[[Run], None]:
    """The worker's pods at the provider that is taken first."""
    return providers(first_only=True, plans={"ray-worker": PodPlan(**plan)})


def _revoked(world: SimWorld) -> None:
    world.keys[0].is_revoked = True


MARKET = [
    Row(name="no bids", do=providers(is_online=False), end="gone", words="no provider fits", within_s=420),
    Row(name="bids of unaudited providers only", do=providers(is_audited=False), end="gone", words="No bid"),
    Row(
        name="the bid of a provider that is full",
        do=faults(Fault(match=LEASE, do="answer", status=400, body=error_body("", "bid not open", "bad_request"))),
        end="runs", words="Trying another bid",
    ),
    Row(name="a bid runs out between choosing and leasing", do=faults(Fault(match=LEASE, do="skip", seconds=300)),
        end="gone", words="gave no lease"),
    Row(
        name="the order is not open",
        do=faults(Fault(match=LEASE, do="answer", times=9, status=400, body=error_body("", "order not open", ""))),
        end="gone", words="3 providers gave no lease",
    ),
    Row(name="a provider is unreachable at the lease", end="runs", words="Trying another bid",
        do=faults(Fault(match=LEASE, do="answer", status=502, body=UNREACHABLE))),
]  # fmt: skip
MADE = [
    Row(name=f"a lease is made and the answer is {name}", end="runs",
        do=faults(Fault(match=LEASE, do="commit-answer", status=status, body=body)))
    for name, status, body in (
        ("404 manifest lost", 404, MANIFEST_LOST), ("404 no lease", 404, NO_LEASE_YET), ("502", 502, UNDELIVERED),
        ("a page of 502", 502, HTML_502), ("500", 500, UNKNOWN_ERROR),
    )
] + [
    Row(name="a lease is made and the provider refuses the manifest (422)", end="runs", creates=2,
        do=providers(first_only=True, manifest="refuses"), words="cannot start"),
    Row(name="every provider refuses the manifest", end="gone", creates=3, do=providers(manifest="refuses")),
]  # fmt: skip
# What a lost or spoiled answer to each call must lead to; reading calls are asked again.
SPOILED: tuple[tuple[Kind, float], ...] = (
    ("refuse", 0), ("cut-before", 0), ("cut-after", 0), ("cut-late", 20), ("hang", 36), ("hang-commit", 36),
    ("hang-commit", 400), ("truncate", 0), ("page", 0), ("empty", 0), ("redirect", 0),
)  # fmt: skip
DID_NOTHING = {(CREATE, kind) for kind in ("refuse", "cut-before", "hang", "redirect")}
STOPS = {(SEAL, "truncate"), (SEAL, "page"), (SEAL, "empty"), (SEAL, "redirect"), (LIST, "redirect")}
ANY_CALL = [
    Row(name=f"{call}: {kind} {seconds:g}", within_s=AN_HOUR,
        do=faults(Fault(match=call, do=kind, seconds=seconds, body=UNKNOWN_ERROR if kind != "redirect" else None)),
        end="gone" if (call, kind) in DID_NOTHING | STOPS else "runs")
    for call in (CREATE, LEASE, GET, BIDS, PROVIDERS, SEAL)
    for kind, seconds in SPOILED
]  # fmt: skip
REVOKED: tuple[tuple[str, End], ...] = ((CREATE, "gone"), (BIDS, "told"), (GET, "told"))
STATUSES = [
    *(
        Row(name=f"the key is revoked at {call}", end=end, kind=AuthenticationError, words="API key", within_s=420,
            do=faults(Fault(match=call, do="world", world=_revoked)))
        for call, end in REVOKED
    ),
    Row(name="the key is revoked at the lease", end="told", kind=OutcomeUnknownError, words="API key",
        do=faults(Fault(match=LEASE, do="world", world=_revoked))),
    *(
        Row(name=f"401 once at {call}", end=end, kind=AuthenticationError,
            do=faults(Fault(match=call, do="answer", status=401, body=BAD_KEY)))
        for call, end in REVOKED[:2]
    ),
    *(
        Row(name=f"402 {code}", end="gone", kind=PaymentError, do=faults(refused(code)))
        for code in ("insufficient_balance", "balance_top_up_pending", "payment_required")
    ),
    Row(name="403", end="gone", kind=AuthenticationError, do=faults(refused("fair_use_policy_required", 403))),
    Row(name="409", end="gone", words="in setup",
        do=faults(Fault(match=CREATE, do="answer", status=409, body=SETTING_UP))),
    *(
        Row(name=f"{status} twice at {call}, Retry-After {told or '–'}", end="runs",
            do=faults(Fault(match=call, do="answer", times=2, status=status, headers=headers)))
        for call in (BIDS, GET)
        for status in (429, 503)
        for told in ("", "2", "999999")
        for headers in ({"Retry-After": told} if told else {},)
    ),
    *(
        Row(name=f"{status} at the create", end="gone", words="not created",
            do=faults(Fault(match=CREATE, do="answer", status=status)))
        for status in (429, 503)
    ),
]  # fmt: skip
LEASES = [
    *(
        Row(name=f"the provider closes the lease ({reason})", end="runs", creates=2,
            do=first_lease(lambda world, _, lease, why=reason: world.close_lease(lease, why)))  # type: ignore[misc]
        for reason in (10000, 10001, 10002, 10003, 10004)
    ),
    Row(name="the lease is reclaimed", end="runs", creates=2, words="out of service",
        do=lambda run: both(run, pods(trouble="pulling"), first_lease(_reclaim))),
    Row(name="the escrow runs dry at the start", end="gone", creates=1, words="escrow ran dry",
        do=lambda run: both(run, _poor, pods(pull_s=400))),
    Row(name="ready, and the port never answers", end="runs", creates=2, words="does not answer from here",
        do=providers(first_only=True, port_answers=False)),
]  # fmt: skip
PODS = [
    Row(name=name, end="runs", creates=2, words=words, do=pods(**plan))
    for name, plan, words in (
        ("an image that never pulls", {"trouble": "pulling"}, "not ready for about 8 minutes"),
        ("an image that cannot be pulled", {"trouble": "pull-error"}, "not ready for about 8 minutes"),
        ("a pull of 10 minutes", {"pull_s": 600.0}, "not ready for about 8 minutes"),
        ("a crash loop", {"trouble": "crash-loop"}, "not ready for about 8 minutes"),
        ("one worker pending", {"trouble": "pending", "stuck": 1}, "ray-worker 1/2"),
        ("out of memory at the start", {"trouble": "oom", "fails_at": 35.0}, "not ready for about 8 minutes"),
        ("evicted at the start", {"trouble": "evicted", "fails_at": 35.0}, "not ready for about 8 minutes"),
    )
]


def _reclaim(world: SimWorld, _: Any, lease: Any) -> None:
    lease.state, lease.reclaim_at = "reclaiming", world.clock.time() + 60


def _poor(run: Run) -> None:
    run.sim.world.auto_funds = False
    run.text = run.text.replace("amount: 1", "amount: 99")
    for provider in run.sim.world.providers:
        provider.base_price = Decimal(5000)


def _shape(**flags: bool) -> Callable[[Run], None]:
    def do(run: Run) -> None:
        run.sim.shape = Shape(**flags)

    return do


def _anothers(run: Run) -> None:
    run.sim.world.create(run.text, name="someone else's")


SHAPES = [
    Row(name=name, end="runs", do=_shape(**flags))
    for name, flags in (
        ("numbers for texts", {"numbers": True}), ("one coin for a list", {"single_coin": True}),
        ("no decimals", {"decimals": False}), ("unknown fields, total null", {"unknown": True}),
        ("reasons as numbers", {"reasons_as_numbers": True}),
    )
]  # fmt: skip
GATEWAY = [
    Row(name="ports null, then there", end="runs", do=providers(ports_after_s=80.0)),
    Row(name="the provider does not tell the status for a while", end="runs",
        do=faults(Fault(match=GET, do="answer", after=2, times=6, status=503))),
]  # fmt: skip


TABLE = [*MARKET, *MADE, *STATUSES, *LEASES, *PODS, *SHAPES, *GATEWAY]
READS = (GET, BIDS, PROVIDERS, SEAL)
ROWS = [
    *TABLE,
    *(
        # What only reads is asked again; the dozens of ways for that are left to the slow run.
        pytest.param(row, marks=pytest.mark.slow) if row.name.startswith(READS) else row
        for row in ANY_CALL
    ),
]


@pytest.fixture(autouse=True)
def _no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred deploys: their journals are real files, which nobody has to wait for."""
    monkeypatch.setattr("cockpit.operations.deployments.journal.os.fsync", lambda _: None)


@pytest.mark.parametrize("row", ROWS, ids=repr)
async def test_it_ends_as_it_must(row: Row) -> None:
    """And all that is claimed holds."""
    run = Run(SimConsole(dialect=row.dialect))
    row.do(run)
    prepared = await run.prepared()
    run.prepared = functools.partial(_same, prepared)  # type: ignore[method-assign]
    began, error, ready = run.sim.world.clock.time(), None, None
    try:
        ready = await run(Terms())
    except CockpitError as failure:
        error = failure
    assert run.sim.world.clock.time() - began < row.within_s
    assert run.sim.count("POST", "/v1/deployments") <= 1 + len(run.asked)
    _ends(row, run, error, ready)
    _holds(run, error)
    await _closes(run)


async def _same(prepared: Any) -> Any:
    return prepared


def _ends(row: Row, run: Run, error: CockpitError | None, ready: Ready | None) -> None:
    said = "\n".join([*run.said, *(f"{error.title} {error.detail} {error.hint}" for error in [error] if error)])
    ours = [one for one in run.costing() if run.sim.world.deployments[one].name != "someone else's"]
    if row.end == "runs":
        assert error is None, said
        assert ready is not None
        assert ours == [ready.dseq]
        assert ready.context is not None
    else:
        assert isinstance(error, row.kind), said
        assert bool(ours) == (row.end == "told"), said
    if row.end == "told":
        (attempt,) = [one for one in attempts() if one.may_cost]
        assert attempt.dseq == ours[0]
        assert f"deployments close {ours[0]}" in what_exists(attempt)
    made = [one for one in run.sim.world.deployments.values() if one.name != "someone else's"]
    assert len(made) == (row.creates if made else 0)
    assert row.words in said


def _holds(run: Run, error: CockpitError | None) -> None:
    """Neither key nor secret is anywhere, and whatever exists is known to a journal."""
    errors = f"{error!r} {error.title} {error.detail} {error.hint} {error.__cause__!r}" if error else ""
    kept = "".join(path.read_text() for path in journals.directory().iterdir())
    questions = " ".join(f"{one.text} {' '.join(one.lines)}" for one in run.asked)
    for canary in ("canary", run.sim.world.keys[0].value):
        for text in (errors, kept, questions, *run.said):
            assert canary not in text
    known = {one.dseq for one in attempts() if one.may_cost}
    ours = {one for one in run.costing() if run.sim.world.deployments[one].name != "someone else's"}
    assert ours <= known


async def _closes(run: Run) -> None:
    """The next program, once all is well again, ends what is left."""
    run.sim.faults.clear()
    run.sim.world.keys[0].is_revoked = False
    await settle(run.client)
    for one in unfinished():
        assert one.dseq is not None
        await close(run.client, Journal.resume(one.path), one.dseq, try_it=run.probe)
    assert not [one for one in run.costing() if run.sim.world.deployments[one].name != "someone else's"]


async def test_anothers_deployments_are_left_alone() -> None:
    """They are listed, and neither counted as ours nor closed."""
    run = Run(SimConsole(dialect="august"))
    _anothers(run)
    run.sim.world.clock.advance(60)
    ready = await run(Terms())
    assert set(run.costing()) == {ready.dseq, *(one.dseq for one in run.sim.world.deployments.values())}
    await _closes(run)
    assert len(run.costing()) == 1


async def test_409_twice_and_then_good() -> None:
    """Each is refused and made by nobody; the third confirmation makes one."""
    sim = SimConsole()
    sim.faults.add(Fault(match=CREATE, do="answer", times=2, status=409, body=SETTING_UP))
    for _ in range(2):
        with pytest.raises(CockpitError, match="409"):
            await Run(sim)(Terms())
        assert not sim.world.deployments
    await Run(sim)(Terms())
    assert len(sim.world.deployments) == 1
