"""The table of the benchmarks: what counts as met, and what is said of what is not."""

import pytest

from tests.bench.figures import Figure, Missing, summary, table


@pytest.mark.parametrize(
    ("figure", "is_met"),
    [
        (Figure("p", "n", 9.0, "s"), None),
        (Figure("p", "n", 50.0, "ms", at_most=50.0), True),
        (Figure("p", "n", 50.1, "ms", at_most=50.0), False),
        (Figure("p", "n", 1.0, "s", 10.0, at_most=0.1), True),
        (Figure("p", "n", 1.1, "s", 10.0, at_most=0.1), False),
        (Figure("p", "n", 1.0, "s", 0.0, at_most=1.0), False),
        (Figure("p", "n", 0.0, "s", 0.0, at_most=1.0), True),
        (Figure("p", "n", 99.0, "", at_least=100.0), False),
        (Figure("p", "n", 100.0, "", at_least=100.0), True),
    ],
)
def test_a_target_bounds_the_ratio_where_there_is_one_and_else_the_figure(figure: Figure, is_met: bool | None) -> None:
    assert figure.is_met is is_met


def test_a_missed_target_says_what_stands_between_and_a_met_one_does_not() -> None:
    missed = Figure("part", "slow", 2.0, "s", 1.0, at_most=1.5, between="The reason.")
    met = Figure("part", "fast", 1.0, "s", 1.0, at_most=1.5, between="No matter.")
    lines = table([missed, met], [Missing("gone", "it broke")])
    assert lines[4].endswith("MISSED")
    assert lines[5].strip() == "The reason."
    assert lines[6].endswith("met")
    assert lines[-1] == "gone: not measured: it broke"
    assert "No matter." not in "\n".join(lines)
    assert summary([missed, met]) == "2 figures, 2 targets, 1 missed"
