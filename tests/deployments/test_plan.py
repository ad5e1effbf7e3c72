"""What a deployment would cost: exact to the cent, before anything is spent."""

import os
import pty
import sys
from decimal import Decimal

import pytest

from cockpit.cli import output
from cockpit.errors import UsageError
from cockpit.model.akash.market import GpuModel, GpuOffer
from cockpit.operations.deployments.groups import groups_of
from cockpit.operations.deployments.plan import (
    Funding,
    Plan,
    at_most_cents,
    cents,
    lock_of,
    node_problems_of,
    observed_of,
    runtime_of,
)
from cockpit.operations.deployments.telling import is_alarm
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.templates import template_named

GPU_SDL = template_named("ray-gpu-1x6").text


def _offer(model: str, **values: object) -> GpuOffer:
    return GpuOffer(gpu=GpuModel(model=model, ram="80Gi"), free=40, providers=9, **values)  # type: ignore[arg-type]


def test_a_price_is_the_blocks_of_an_hour() -> None:
    """1194 uact a block were billed as 0.70 USD an hour, 87 as 0.05 (seen live)."""
    text = GPU_SDL
    group = groups_of(SdlDocument(text))[0]
    part = next(part for part in group.parts if part.gpus)
    assert part.count == 6
    assert cents(part.ceiling_usd_per_hour) == cents(part.max_uact_per_block * 6 * 3600 / Decimal("6.1") / 1_000_000)


@pytest.mark.parametrize(
    ("price", "available", "hours", "usd", "lasts", "is_short"),
    [
        ("20.00", "1000.00", None, "960.00", 48, False),
        ("20.00", "1000.00", 24, "480.00", 24, False),
        ("20.00", "1000.00", 96, "960.00", 48, False),
        ("20.00", "965.00", None, "960.00", 48, False),
        ("20.00", "964.99", None, "959.99", 47.9995, True),
        ("20.00", "5.50", None, "0.50", 0.025, True),
        ("20.00", "0.30", None, "0.30", 0.015, True),
        ("0.005", "100.00", 24, "0.50", 100, False),
    ],
)
def test_what_a_lease_locks(
    price: str, available: str, hours: int | None, usd: str, lasts: float, *, is_short: bool
) -> None:
    """Up to 48 h of cost move to escrow, 5 USD stay free, and never less than the deposit of the create."""
    lock = lock_of(Decimal(price), Decimal(available), runtime_of(hours, has_limits=True), Funding())
    assert (lock.usd, float(lock.hours), lock.is_short) == (Decimal(usd), lasts, is_short)


def test_an_unknown_balance_is_not_called_short() -> None:
    """What is not known stops nothing."""
    lock = lock_of(Decimal(20), None, runtime_of(None, has_limits=True), Funding())
    assert (lock.usd, lock.is_short) == (Decimal(960), False)


def test_more_than_48_hours_are_set_by_an_extension() -> None:
    """A create accepts 48 at most; a Console without limits none."""
    assert (runtime_of(72, has_limits=True).at_create, runtime_of(72, has_limits=True).is_extended) == (48, True)
    assert (runtime_of(24, has_limits=True).at_create, runtime_of(24, has_limits=True).is_extended) == (24, False)
    assert runtime_of(24, has_limits=False).hours is None


def test_the_users_own_limit_lowers_the_ceiling() -> None:
    """The SDL's ceiling holds where the user's is higher."""
    groups = groups_of(SdlDocument(GPU_SDL))
    allowed = Plan(groups=groups, runtime=runtime_of(24, has_limits=True)).ceiling_usd_per_hour
    lower = Plan(groups=groups, runtime=runtime_of(24, has_limits=True), max_usd_per_hour=Decimal("1.00"))
    higher = Plan(groups=groups, runtime=runtime_of(24, has_limits=True), max_usd_per_hour=allowed + 1)
    assert (lower.ceiling_usd_per_hour, higher.ceiling_usd_per_hour) == (Decimal("1.00"), allowed)


def test_an_upper_bound_is_never_rounded_down() -> None:
    """A cost of 0.001 USD is not shown as 0."""
    assert (cents(Decimal("1.005")), at_most_cents(Decimal("1.001"))) == (Decimal("1.01"), Decimal("1.01"))


def test_the_observed_price_counts_every_gpu() -> None:
    """Six GPUs at a median of 0.40 are 2.40."""
    groups = groups_of(SdlDocument(GPU_SDL))
    models = {model for group in groups for part in group.parts for model in part.models}
    prices = dict.fromkeys(("min_usd_per_hour", "median_usd_per_hour", "max_usd_per_hour"))
    prices |= {"min_usd_per_hour": Decimal("0.30"), "median_usd_per_hour": Decimal("0.40")}
    offers = [_offer(model, **{**prices, "max_usd_per_hour": Decimal("0.55")}) for model in models]
    observed = observed_of(groups, offers)
    assert observed is not None
    assert (observed.low, observed.median, observed.high) == (Decimal("1.80"), Decimal("2.40"), Decimal("3.30"))
    assert observed_of(groups, [_offer("t4")]) is None


def test_a_replica_needs_one_node() -> None:
    """Free GPUs of a provider say nothing about one node."""
    text = GPU_SDL.replace("units: 1\n", "units: 8\n")
    groups = groups_of(SdlDocument(text))
    part = next(part for part in groups[0].parts if part.gpus)
    assert part.gpus == 8
    model = part.models[0]
    found = list(node_problems_of(groups, [_offer(model, largest_free_node=4)]))
    assert found == [f"{part.service} needs 8 × {model} on one node; the largest free node has 4."]
    assert list(node_problems_of(groups, [_offer(model, largest_free_node=8)])) == []
    assert list(node_problems_of(groups, [_offer(model)])) == []


def test_screening_asks_for_what_the_sdl_says() -> None:
    """Every service is one request, with the model it accepts."""
    request = groups_of(SdlDocument(GPU_SDL))[0].request()
    assert [one.count for one in request.resources] == [1, 1, 6]
    assert any("vendor/nvidia/model/" in key for one in request.resources for key in one.gpu_attributes)


def test_a_price_in_another_denomination_is_refused() -> None:
    """The chain takes uact only."""
    with pytest.raises(UsageError, match="uakt"):
        groups_of(SdlDocument(GPU_SDL.replace("denom: uact", "denom: uakt")))


def test_what_costs_without_an_end_is_red_on_a_terminal_with_colors(monkeypatch: pytest.MonkeyPatch) -> None:
    """And plain in a pipe, and under NO_COLOR."""
    line = "Does not end by itself: it costs until you close it."
    assert is_alarm(line)
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream, os.fdopen(ours, "rb", buffering=0) as reader:
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.delenv("NO_COLOR", raising=False)
        output.message(line, is_alarm=True)
        assert reader.read(200).startswith(b"\x1b[1;31mDoes not end")
        monkeypatch.setenv("NO_COLOR", "1")
        output.message(line, is_alarm=True)
        assert reader.read(200).startswith(b"Does not end")
