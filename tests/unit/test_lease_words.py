"""What is said of a lease that is about to end, on the Overview too; and one block for every price."""

from decimal import Decimal

import pytest

from cockpit.model.akash.lease_money import LeaseMoney
from cockpit.model.akash.money import usd_per_hour
from cockpit.render.lease_money import alarm_words
from cockpit.sdl.advice import USD_PER_HOUR
from cockpit.sdl.ray_plan import UACT_PER_USD_HOUR


@pytest.mark.parametrize(
    ("escrow", "ends_at", "ended", "words"),
    [
        (2, None, "", "the escrow lasts 60 min"),
        (100, 1800.0, "", "the runtime limit ends it in 30 min"),
        (100, None, "the provider closed it", "lease ended: the provider closed it"),
    ],
)
def test_an_alarm_in_half_a_line(escrow: int, ends_at: float | None, ended: str, words: str) -> None:
    money = LeaseMoney(
        context="lab",
        dseq="1",
        at=0.0,
        usd_per_hour=Decimal(2),
        escrow_usd=Decimal(escrow),
        ends_at=ends_at,
        ended=ended,
    )
    assert words in alarm_words(money)


def test_the_editor_the_generator_and_the_plan_count_the_same_block() -> None:
    assert pytest.approx(float(usd_per_hour(Decimal(1)))) == USD_PER_HOUR
    assert usd_per_hour(UACT_PER_USD_HOUR) == pytest.approx(Decimal(1))
