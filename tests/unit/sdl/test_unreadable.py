"""Text that is no SDL: each case gets one sentence with its place, quickly, and nothing is ever constructed."""

import time

import pytest

from cockpit.errors import EXIT_USAGE
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.failures import UnreadableSdlError
from cockpit.sdl.rules import accepted_by_go, accepted_by_typescript, problems

BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))


@pytest.mark.parametrize(
    ("text", "words", "line", "column"),
    [
        ("a: [1,\nb: 2", "Not YAML", 2, 5),
        ("a:\n\t- b", "a tab, and YAML is indented with blanks only", 2, 1),
        ("a: b: c", "mapping values are not allowed", 1, 5),
        ("a: 1\nb: \x00\x01", "control character", 2, 4),
        ("\ufeffa: é\n\x07", "control character", 2, 1),
        ("a: \ud800", "surrogate", 1, 4),
        ("a: *nope", "does not refer", 1, 4),
        ("a: &x [*x]", "contains itself", 1, 8),
        (BOMB, "100,000 values", 6, None),
        ("[" * 200, "nested deeper", 1, 65),
        ("a: 1\n" * 300_000, "limit 1 MiB", 1, None),
    ],
)
def test_unreadable_text_is_named_with_its_place(text: str, words: str, line: int, column: int | None) -> None:
    begin = time.perf_counter()
    with pytest.raises(UnreadableSdlError, match=words) as unreadable:
        _ = SdlDocument(text).tree
    assert time.perf_counter() - begin < 5
    assert unreadable.value.line == line
    assert column is None or unreadable.value.column == column
    assert unreadable.value.exit_code == EXIT_USAGE


def test_unreadable_text_is_one_problem_and_refused_by_both() -> None:
    document = SdlDocument("a: [1,\nb: 2")
    found = problems(document)
    assert [(problem.code, problem.line, problem.refused_by) for problem in found] == [
        ("not-yaml", 2, ("go", "typescript"))
    ]
    assert not accepted_by_go(document)
    assert not accepted_by_typescript(document)


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "~", "just words", "- a\n- b\n", "\ufeff"])
def test_a_document_that_is_no_mapping_is_refused_by_both(text: str) -> None:
    found = problems(SdlDocument(text))
    assert found
    assert found[0].refused_by == ("go", "typescript")


def test_a_python_object_is_a_tag_that_nobody_knows(base: str) -> None:
    document = SdlDocument(base.replace("nginx:1.27", "!!python/object/apply:os.system [true]"))
    codes = {problem.code for problem in problems(document)}
    assert "unknown-tag" in codes
    assert not accepted_by_typescript(document)


def test_aliases_within_bounds_are_read_once_per_use(base: str) -> None:
    text = base.replace("image: nginx:1.27", "image: &i nginx:1.27\n    args: [*i, *i]")
    document = SdlDocument(text)
    assert document.get("services.web.args") == ["nginx:1.27", "nginx:1.27"]
    assert accepted_by_go(document)
    assert accepted_by_typescript(document)
