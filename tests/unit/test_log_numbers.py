"""Numbers that a log repeats."""

import json
import math
import random

import pytest

from cockpit.model.series import MOST_POINTS, Series
from cockpit.render.log_numbers import LONGEST_LINE, NumberReader, names_in, numbers_in, read_series

LINES: dict[str, dict[str, float]] = {
    "step=5 loss=0.12 acc: 93.5%": {"loss": 0.12, "acc": 93.5, "step": 5},
    "Epoch 3/10 - train_loss: 1.5e-3, val/loss: .25": {"train_loss": 0.0015, "val/loss": 0.25},
    '{"step": 10, "loss": 0.23, "nested": {"grad_norm": 1}}': {"loss": 0.23, "grad_norm": 1, "step": 10},
    "{'loss': '0.41', 'learning_rate': 2e-05}": {"loss": 0.41, "learning_rate": 2e-05},
    "Training: 45%|████▌     | 45/100 [00:12<00:15,  3.67it/s, loss=0.9]": {"loss": 0.9, "it/s": 3.67},
    " 5%|▌ | 5/100 [00:12<04:15,  2.00s/it]": {"it/s": 0.5},
    "iter 100 | loss 2.31 | lr 1e-4 | 12.5k tok/s": {"loss": 2.31, "lr": 1e-4, "tok/s": 12500, "iter": 100},
    "│ episode_reward_mean      -12.5 │": {"episode_reward_mean": -12.5},
    "  episode_reward_mean: 21.4": {"episode_reward_mean": 21.4},
    "(RayTrainWorker pid=4242, ip=10.0.0.7) loss: tensor(0.5)": {"loss": 0.5},
    "\x1b[32mloss\x1b[0m: 0.7": {"loss": 0.7},
    "loss is nan": {"loss": math.nan},
    "2026-11-28 09:12:44,101 INFO worker.py:1843 -- Connected to http://10.0.0.7:8265": {},
    "started 2026-11-28 at 09:12 on node 5f3a, commit=12ab34cd, took 3:20": {},
    "throughput: 1,234.5 samples/sec": {"throughput": 1234.5},
    "old 10%\rloss=2": {"loss": 2},
}


@pytest.mark.parametrize("line", LINES)
def test_numbers_of_a_line(line: str) -> None:
    """Dates, addresses, IDs and source lines are none; steps come last."""
    found = numbers_in(line)
    assert found == pytest.approx(LINES[line], nan_ok=True)
    assert list(found) == list(LINES[line])


@pytest.mark.parametrize("line", LINES)
def test_the_reader_agrees_with_the_line(line: str) -> None:
    """What is offered for a line is what its curve holds, however the bytes were cut."""
    data = f"before\n{line}\nafter\n".encode()
    for name, value in LINES[line].items():
        for cut in range(0, len(data), 7):
            series = read_series([data[:cut], data[cut:]], [name])[name]
            assert series.last == pytest.approx(value, nan_ok=True)
            assert series.count + series.not_finite == 1


def test_steps_place_the_values() -> None:
    """The x of a value is the step of its line; without one it is its ordinal."""
    lines = [json.dumps({"step": step * 10, "loss": 1 / step}) for step in range(1, 5)]
    series = read_series(["\n".join(lines).encode()], ["loss"])["loss"]
    assert [mark.at for mark in series.marks] == [10, 20, 30, 40]
    assert series.steps
    plain = read_series([b"loss=3\nloss=2\nloss=1"], ["LOSS"])["LOSS"]
    assert [(mark.at, mark.value) for mark in plain.marks] == [(0, 3), (1, 2), (2, 1)]
    assert (plain.least, plain.most, plain.last, plain.slope) == (1, 3, 1, -1)


def test_a_second_run_in_the_same_log() -> None:
    """Steps that begin again would draw the curve over itself: from there the ordinals place it."""
    data = b"".join(b"step %d loss=%d\n" % (step, run) for run in (1, 2) for step in range(100))
    series = read_series([data], ["loss"])["loss"]
    assert not series.steps
    assert [mark.at for mark in series.marks] == list(range(200))


def test_memory_is_bounded_and_the_ends_are_exact() -> None:
    """However many values come, so many points are kept, evenly, and their mean is that of all."""
    series = Series("loss")
    values = [random.Random(7).gauss(0, 1) + number / 100 for number in range(20_003)]
    for number, value in enumerate(values):
        series.add(value, number)
    marks = series.marks
    assert MOST_POINTS <= len(marks) <= 2 * MOST_POINTS
    assert (series.least, series.most, series.last) == (min(values), max(values), values[-1])
    assert series.slope == pytest.approx(0.01, rel=0.05)
    assert marks[-1].at == len(values) - 1
    assert [mark.at for mark in marks] == sorted(mark.at for mark in marks)


def test_a_line_without_end_is_not_kept_whole() -> None:
    """A log of one endless line costs no more than LONGEST_LINE."""
    reader = NumberReader(["loss"])
    for _ in range(40):
        reader.feed(b"x" * 60_000)
    assert len(reader._rest) <= LONGEST_LINE
    reader.feed(b"\nloss=1\n")
    assert reader.series["loss"].last == 1


def test_numbers_that_are_not_finite_are_counted() -> None:
    """A loss that became NaN is no point, and not forgotten either."""
    series = read_series([b"loss=1\nloss=nan\nloss=nan\n"], ["loss"])["loss"]
    assert (series.count, series.not_finite) == (1, 2)
    assert math.isnan(series.last)


def test_names_that_come_again() -> None:
    """One that comes once is no series; one that never changes comes after those that do."""
    data = b"lr=1 world=8 step=1 loss=3\nlr=1 world=8 step=2 loss=2\nsaved=1\n"
    assert names_in(data) == ["loss", "step", "lr", "world"]
