"""How far a job is, by its log."""

import pytest

from cockpit.render.progress import Progress, progress_of, progress_text

CASES = {
    "Training: 45%|████▌     | 45/100 [00:12<00:15,  3.67it/s]": Progress("", 45, 100, 0.45, 15),
    "0%|          | 1.20k/3.00M [00:00<1:02:03]": Progress("", 1200, 3_000_000, 0.0004, 3723),
    "  0%|          | 0/100 [00:00<?, ?it/s]": Progress("", 0, 100, 0.0),
    "epoch 2:  50 %|████    | 1490/2980": Progress("epoch 2:", 1490, 2980, 0.5),
    "step 5 of 100, loss=0.3": Progress("step", 5, 100, 0.05),
    "Epoch [3/10] done": Progress("epoch", 3, 10, 0.3),
    '{"iter": "20/80"}': Progress("iteration", 20, 80, 0.25),
    "[  50/1000] loss 0.2": Progress("", 50, 1000, 0.05),
    "progress: 12.5%": Progress("%", 12.5, 100, 0.125),
    "Trial status: 3 TERMINATED | 1 RUNNING | 4 PENDING": Progress("trial", 3, 8, 0.375),
    "Epoch 2/10, step 50/100": Progress("epoch", 2, 10, 0.15),
}


@pytest.mark.parametrize("line", CASES)
def test_progress_of_a_line(line: str) -> None:
    """Each way of writing it down."""
    assert progress_of(["something else", line, "saved to /tmp/5"]) == CASES[line]


@pytest.mark.parametrize(
    "line", ["", "GET /a/5/10", "2026/11/28", "9 of 3 steps", "step 9/3", "loss 0.5", "date 11/28/2026"]
)
def test_what_is_no_progress(line: str) -> None:
    """Paths, dates and numbers above their total say nothing."""
    assert progress_of([line]) is None


def test_the_last_word_counts() -> None:
    """The newest line; an epoch around it may be some lines above."""
    assert progress_of(["Epoch 3/4", "step 1/10", "step 5/10"]) == Progress("epoch", 3, 4, 0.625)
    assert progress_of(["step 1/10", "step 9/10"]) == Progress("step", 9, 10, 0.9)


def test_time_left() -> None:
    """By what passed, where the bar itself does not say; none at the beginning and at the end."""
    assert progress_of(["step 25/100"], elapsed=60) == Progress("step", 25, 100, 0.25, 180)
    assert progress_of(["epoch 2: 25%|██ | 25/100 [00:05<00:15]"], elapsed=60) == Progress("epoch 2:", 25, 100, 0.25)
    assert progress_of(["step 0/100"], elapsed=60) == Progress("step", 0, 100, 0.0)
    found = progress_of(["step 25/100"], elapsed=60)
    assert found is not None
    assert progress_text(found) == "step 25/100 · 25 % · 3m left"
