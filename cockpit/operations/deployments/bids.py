"""Choosing among bids: by price, by what is known of the provider, or by name, and never above the agreed price."""

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from cockpit.errors import UsageError
from cockpit.model.akash.market import Bid, Provider
from cockpit.operations.deployments.journal import ProviderRecord

_PRICE = re.compile(r"\$?(\d{1,7}(?:\.\d{1,6})?)/(gpu-)?h")
GOOD_UPTIME = 0.99


class Cap(msgspec.Struct, frozen=True):
    """The most to pay in USD per hour: in all, or for each GPU."""

    usd: Decimal
    is_per_gpu: bool = False

    def total(self, gpus: int) -> Decimal:
        """The most for the whole deployment. Raises UsageError for a price per GPU where there is none."""
        if not self.is_per_gpu:
            return self.usd
        if not gpus:
            raise UsageError(
                "The SDL does not request a GPU.", hint="Give the price of the whole deployment: --max-price 0.50/h"
            )
        return self.usd * gpus


def cap_of(text: str) -> Cap:
    """`4.50/h` for the whole deployment, `0.60/gpu-h` for each GPU. Raises UsageError."""
    found = _PRICE.fullmatch(text.strip())
    if found is None:
        raise UsageError(
            f"Invalid price: {text[:40]!r}.", hint="Write 4.50/h for the whole, or 0.60/gpu-h for each GPU."
        )
    return Cap(Decimal(found[1]), found[2] is not None)


class BidRule(msgspec.Struct, frozen=True):
    """How to choose: the cheapest, the best (see `ranked`), or those of one provider."""

    kind: Literal["cheapest", "best", "provider"] = "best"
    provider: str = ""


def rule_of(text: str) -> BidRule:
    """`cheapest`, `best` or `provider=ADDRESS`. Raises UsageError."""
    if text == "cheapest":
        return BidRule("cheapest")
    if text == "best":
        return BidRule("best")
    if text.startswith("provider=") and text != "provider=":
        return BidRule("provider", text.removeprefix("provider="))
    raise UsageError(f"Invalid rule for bids: {text[:60]!r}.", hint="Give cheapest, best or provider=ADDRESS.")


class BidRow(msgspec.Struct, frozen=True, kw_only=True):
    """A bid with what is known of its provider; `age_s` counts from when it was seen first."""

    bid: Bid
    provider: Provider | None = None
    record: ProviderRecord = ProviderRecord()
    age_s: float = 0.0

    @property
    def address(self) -> str:
        """The provider's address."""
        return self.bid.id.provider

    @property
    def usd_per_hour(self) -> Decimal:
        """The price of the group; a bid in another currency is dearer than any limit."""
        found = self.bid.usd_per_hour
        return Decimal("Infinity") if found is None else found

    @property
    def gpu(self) -> str:
        """The GPUs that are really offered, such as `6 × rtx4090 24Gi`; empty for none."""
        parts = []
        for offer in (one for one in self.bid.offers if one.gpu_units):
            models = " or ".join(f"{gpu.model} {gpu.ram or ''}".strip() for gpu in offer.gpus) or "GPU"
            parts.append(f"{offer.count * offer.gpu_units} × {models}")
        return ", ".join(parts)

    @property
    def _doubts(self) -> tuple[bool, bool, bool]:
        known = self.provider
        has_failed = len(self.record.failures) > self.record.reached
        return has_failed, known is None or not known.is_audited, known is None or (known.uptime_7d or 0) < GOOD_UPTIME


def rows_of(
    bids: Iterable[Bid],
    providers: Mapping[str, Provider],
    records: Mapping[str, ProviderRecord],
    ages: Mapping[str, float],
) -> list[BidRow]:
    """The open bids with their providers, the cheapest first."""
    rows = [
        BidRow(
            bid=bid,
            provider=providers.get(bid.id.provider),
            record=records.get(bid.id.provider, ProviderRecord()),
            age_s=ages.get(key_of(bid), 0.0),
        )
        for bid in bids
        if bid.is_open
    ]
    return sorted(rows, key=lambda row: (row.bid.id.gseq, row.usd_per_hour, row.address))


def key_of(bid: Bid) -> str:
    """What names a bid among those of one deployment."""
    return f"{bid.id.gseq}/{bid.id.oseq}/{bid.id.provider}"


def ranked(rows: Iterable[BidRow], rule: BidRule, excluded: Iterable[str] = ()) -> list[BidRow]:
    """The bids that the rule allows, the one to take first.

    `best`: first those that did not fail us more often than they kept their bid, then audited ones, then those with
    99 % of uptime in 7 days, and among equals the cheapest.
    """
    left_out = set(excluded)
    allowed = [row for row in rows if row.address not in left_out]
    if rule.kind == "provider":
        allowed = [row for row in allowed if row.address == rule.provider]
    if rule.kind == "best":
        return sorted(allowed, key=lambda row: (row._doubts, row.usd_per_hour, row.address))
    return sorted(allowed, key=lambda row: (row.usd_per_hour, row.address))


def chosen(
    rows: Sequence[BidRow], rule: BidRule, groups: int, cap: Decimal, excluded: Iterable[str] = ()
) -> list[BidRow] | None:
    """One bid for each of so many groups, together within the cap; None where there are none yet.

    Where the best bids of all groups are too dear together, the cheapest are taken if those fit.
    """
    affordable = [row for row in rows if row.usd_per_hour <= cap]
    left_out = tuple(excluded)
    for kind in (rule, rule if rule.kind == "provider" else BidRule("cheapest")):
        order = ranked(affordable, kind, left_out)
        picked = [next((row for row in order if row.bid.id.gseq == number), None) for number in range(1, groups + 1)]
        found = [row for row in picked if row is not None]
        if len(found) == groups and sum((row.usd_per_hour for row in found), Decimal(0)) <= cap:
            return found
    return None


class HandPicked:
    """The bids that a person has chosen, one for each group; those that are gone are forgotten."""

    def __init__(self) -> None:
        self.keys: dict[int, str] = {}
        """The key of the bid chosen for a group, by the group's number."""
        self.picked = asyncio.Event()
        self.cap: Decimal | None = None
        """The most that all of them may cost together in USD per hour, once bids are collected."""

    def pick(self, row: BidRow) -> None:
        """Choose a bid for its group."""
        self.keys[row.bid.id.gseq] = key_of(row.bid)
        self.picked.set()

    def chosen(
        self, rows: Sequence[BidRow], groups: int, cap: Decimal, excluded: Iterable[str] = ()
    ) -> list[BidRow] | None:
        """One bid for each group once every group has one that is open, allowed, and within the cap together."""
        usable = {key_of(row.bid): row for row in ranked(rows, BidRule("cheapest"), excluded)}
        self.keys = {gseq: key for gseq, key in self.keys.items() if key in usable}
        found = [usable[self.keys[number]] for number in range(1, groups + 1) if number in self.keys]
        if len(found) < groups:
            return None
        self.keys = {}
        return found if sum((row.usd_per_hour for row in found), Decimal(0)) <= cap else None
