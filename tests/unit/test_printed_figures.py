"""What is read from logs: the trial table that Ray Tune prints, and the reports of Ray Train's workers."""

import json

import pytest

from cockpit.model.training_reports import LONGEST, figures, last_report
from cockpit.model.tune import last_printed

TABLE = """\
Trial status: 1 TERMINATED
╭──────────────────────────────────────╮
│ Trial name              status       │
├──────────────────────────────────────┤
│ objective_old_00000     TERMINATED   │
╰──────────────────────────────────────╯

Trial status: 1 RUNNING | 2 PENDING | 9 TERMINATED
Current time: 2026-11-28 01:24:33. Total running time: 17s
Logical resource usage: 1.0/6 CPUs, 0/0 GPUs
Current best trial: 68102_00004 with loss=0.47 and params={'rate': 0.016, 'width': 32}
╭─────────────────────────────────────────────────────────────────────────────────────────────────╮
│ Trial name              status              rate     width     iter     total time (s)     loss │
├─────────────────────────────────────────────────────────────────────────────────────────────────┤
│ objective_68102_00000   RUNNING      0.000270894       128       16          0.0333636   1.8323 │
│ objective_68102_00001   PENDING      0.291692           32                                      │
│ objective_68102_00002   TERMINATED   0.000478495        16        2          0.0004808   2.4125 │
╰─────────────────────────────────────────────────────────────────────────────────────────────────╯
1 more PENDING, 8 more TERMINATED

(objective pid=13844) a line of a trial
"""


def test_the_last_table_of_a_log_by_its_columns_with_cells_that_are_empty() -> None:
    printed = last_printed(TABLE.splitlines())
    assert printed is not None
    assert printed.counts == {"RUNNING": 1, "PENDING": 2, "TERMINATED": 9}
    assert (printed.running_time, printed.usage) == ("17s", "1.0/6 CPUs, 0/0 GPUs")
    assert printed.best.startswith("68102_00004 with loss=0.47")
    assert printed.hidden == "1 more PENDING, 8 more TERMINATED"
    assert [(one.name, one.status) for one in printed.trials] == [
        ("objective_68102_00000", "RUNNING"),
        ("objective_68102_00001", "PENDING"),
        ("objective_68102_00002", "TERMINATED"),
    ]
    assert printed.trials[0].values == {
        "rate": "0.000270894", "width": "128", "iter": "16", "total time (s)": "0.0333636", "loss": "1.8323",
    }  # fmt: skip
    assert printed.trials[1].values["iter"] == ""


def test_a_table_in_ascii_behind_the_name_of_an_actor() -> None:
    ascii_table = TABLE.translate(str.maketrans("╭╮╰╯├┤│─", "++++++|-"))
    prefixed = [f"\x1b[36m(Tuner pid=7, ip=10.0.0.2)\x1b[0m {line}" for line in ascii_table.splitlines()]
    assert last_printed(prefixed) == last_printed(TABLE.splitlines())


@pytest.mark.parametrize(
    "text",
    ["", "nothing of trials", "Trial status: ", "Trial status: 1 RUNNING\n╭──╮", "Trial status: 1 RUNNING\n│ x │"],
)
def test_a_log_without_a_whole_table_has_no_trials(text: str) -> None:
    printed = last_printed(text.splitlines())
    assert printed is None or printed.trials == ()


def report(number: int, metrics: str) -> str:
    given = f"TrainingReport(checkpoint=None, metrics={metrics}, validation=False)"
    return f"Reporting training result {number}: {given} from rank 0"


def test_the_last_report_as_a_json_line_and_as_the_driver_prints_it() -> None:
    lines = [
        json.dumps({"message": report(5, "{'epoch': 4}"), "world_rank": 0}),
        json.dumps({"message": report(6, "{'epoch': 5, 'loss': 0.25, 'name': 'x', 'ok': True}"), "world_rank": 0}),
        '{"message": "rank 0 epoch 6"}',
        '{"message": half a line with TrainingReport(',
    ]
    found = last_report(lines)
    assert found is not None
    assert (found.number, found.metrics) == (6, {"epoch": 5, "loss": 0.25})
    assert last_report([f"(RayTrainWorker pid=1) {report(1, '{}')}"]) is not None
    assert last_report(["no report", '{"message": 5}']) is None


def test_figures_inside_other_values_count_and_odd_ones_do_not() -> None:
    assert figures("{'loss': tensor(0.5), 'acc': np.float64(1e-3), 'n': 7, 'who': 'me'}") == {
        "loss": 0.5, "acc": 1e-3, "n": 7.0,
    }  # fmt: skip
    assert figures("{'a': nan, 'b': 2}") == {"b": 2.0}
    assert figures("{" * 10_000) == {}
    assert last_report([report(1, "{'a': 1" + " " * LONGEST + "}")]) is None, "only so much of a line is looked into"
