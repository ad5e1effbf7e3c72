"""Money on Akash: exact amounts of micro-ACT (uact), where 1 ACT is 1 USD, and what a block of the chain costs."""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

UACT = "uact"
UACT_PER_USD = 1_000_000
# Live billing fits 6.1 s; Console's own sums use 6.0 and its page 6.098.
BLOCK_SECONDS = Decimal("6.1")
BLOCKS_PER_HOUR = 3600 / BLOCK_SECONDS


class Coin(msgspec.Struct, frozen=True):
    """An exact amount of one denomination; `uact` counts micro-ACT."""

    denom: str
    amount: Decimal


def usd(uact: Decimal) -> Decimal:
    """The USD that an amount of micro-ACT is worth."""
    return uact / UACT_PER_USD


def usd_per_hour(uact_per_block: Decimal) -> Decimal:
    """The hourly price, in USD, of a price in micro-ACT per block."""
    return usd(uact_per_block * BLOCKS_PER_HOUR)


def total_uact(coins: Iterable[Coin]) -> Decimal:
    """The micro-ACT among coins; other denominations do not count."""
    return sum((coin.amount for coin in coins if coin.denom == UACT), Decimal(0))


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """The account's money in USD; `unit_is_certain` is False where the reply could mean micro-ACT or USD.

    `escrow_usd` is locked in deployments: it is not spent, and what is left of it comes back when they close.
    """

    available_usd: Decimal
    escrow_usd: Decimal
    total_usd: Decimal
    unit_is_certain: bool = True


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Whose key it is; None where the Console did not say."""

    user_id: str | None = None
    address: str | None = None
    is_trial: bool | None = None
