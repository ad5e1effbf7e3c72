"""CPU profiles: parsed from folded stacks, drawn for a terminal and as SVG."""

from xml.etree import ElementTree

from cockpit.model.flame import hottest, parse
from cockpit.render.flame import flame_lines, svg

FOLDED = """\
main (a.py:1);run (a.py:2);spin (a.py:3) 60
main (a.py:1);run (a.py:2) 20
main (a.py:1);load (b.py:9) 20
not a stack
process 1:"x" 0
"""


def test_a_profile_counts_what_is_below_and_what_is_own() -> None:
    root = parse(FOLDED)

    assert root.samples == 100
    assert root.children["main (a.py:1)"].children["run (a.py:2)"].samples == 80
    assert hottest(root, 2) == [("spin (a.py:3)", 60), ("load (b.py:9)", 20)]


def test_the_drawing_has_callers_above_what_they_called() -> None:
    lines = flame_lines(parse(FOLDED), 50)

    assert lines[:4] == [
        "▏all",
        "▏main (a.py:1)",
        "▏run (a.py:2)                           ▏load (b.…",
        "▏spin (a.py:3)",
    ]
    assert lines[-3:] == ["  60%  spin (a.py:3)", "  20%  load (b.py:9)", "  20%  run (a.py:2)"]
    assert max(map(len, lines)) <= 50


def test_no_sample_draws_nothing() -> None:
    assert flame_lines(parse(""), 80) == []
    assert "<svg" in svg(parse(""), "idle")


def test_names_from_the_cluster_drive_neither_terminal_nor_browser() -> None:
    root = parse("\x1b[2J<script>alert(1)</script> (x.py:1) 5")

    assert "\x1b" not in "".join(flame_lines(root, 80))
    text = svg(root, "<b>")
    assert "<script" not in text
    assert "\x1b" not in text
    ElementTree.fromstring(text)


def test_a_stack_without_end_is_cut() -> None:
    root = parse(";".join(f"f{number}" for number in range(5000)) + " 1")

    assert len(flame_lines(root, 80)) < 60
