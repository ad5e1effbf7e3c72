"""Problems as a face shows them, fixes one by one, and documents of any shape without a crash."""

import random

import pytest

from cockpit.operations.sdl_editor.editing import EditingSession
from cockpit.sdl.differences import diff
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.failures import SdlError
from cockpit.sdl.fixes import apply_fix, fix_all
from cockpit.sdl.meaning import meaning_of
from cockpit.sdl.nodes import walk
from cockpit.sdl.rules import accepted_by_go, accepted_by_typescript, lint, problems


def _only(text: str, code: str) -> tuple[SdlDocument, str]:
    document = SdlDocument(text)
    problem = next(problem for problem in problems(document) if problem.code == code)
    assert problem.fix is not None
    apply_fix(document, problem.fix)
    return document, problem.message


def test_a_row_is_what_lint_prints(base: str) -> None:
    problem = problems(SdlDocument(base.replace("512Mi", "512mb", 1)))[0]
    assert problem.row() == {
        "line": 17,
        "column": 17,
        "severity": "error",
        "code": "size-suffix",
        "message": "Go refuses '512mb': a size ends in exactly Ki, Mi, Gi or Ti (upper case, no b).",
        "refused_by": ("go",),
        "fixable": True,
    }
    assert base.replace("512Mi", "512mb", 1)[problem.start : problem.end] == "512mb"


def test_both_parsers_at_one_place_are_one_problem(base: str) -> None:
    found = problems(SdlDocument(base.replace("port: 80", "port: 70000")))
    assert [(problem.code, problem.refused_by) for problem in found] == [("out-of-range", ("go", "typescript"))]


@pytest.mark.parametrize(
    ("key", "value", "meant", "fixable"),
    [
        ("depends_on", "[db]", "dependencies", False),
        ("cmd", "[run]", "command", True),
        ("cmd", "run", "command", False),
        ("environment", "[A=b]", "env", True),
        ("environment", "{A: b}", "env", False),
        ("comand", "[run]", "command", True),
        ("volumes", "[a]", "params.storage", False),
    ],
)
def test_unknown_keys_name_what_was_meant(base: str, key: str, value: str, meant: str, fixable: bool) -> None:
    document = SdlDocument(base.replace("    expose:", f"    {key}: {value} # keep\n    expose:"))
    problem = next(problem for problem in problems(document) if problem.code == "unknown-key")
    assert f"Probably meant: {meant}" in problem.message
    assert "drops it without a word" in problem.message
    assert problem.fixable == fixable
    fix_all(document)
    assert lint(document).portable == fixable
    assert "# keep" in document.text


def test_a_misspelt_key_deep_inside_is_renamed(base: str) -> None:
    document, _ = _only(base.replace("- global: true", "- global: true\n          - servcie: web"), "unknown-key")
    assert "- service: web" in document.text


def test_newer_grammar_is_said_to_be_newer(base: str) -> None:
    text = base.replace("        to:", "        http_options: {proxy: {buffer_size: 1}}\n        to:")
    assert "newer" in problems(SdlDocument(text))[0].message


@pytest.mark.parametrize(
    ("old", "new", "code", "fixed"),
    [
        ('"2.0"', "2.0", "not-text", 'version: "2.0"'),
        ("nginx:1.27", "1.27", "not-text", 'image: "1.27"'),
        ("512Mi", "16 GB", "size-suffix", "size: 16Gi"),
        ("512Mi", '"536870912"', "size-unit", 'size: "512Mi"'),
        ("port: 80\n", 'port: "80"\n', "not-whole", "port: 80\n"),
        ("global: true", 'global: "true"', "not-flag", "global: true"),
        ("        as: 80\n", "        proto: Tcp\n", "bad-choice", "proto: TCP"),
        ("      pricing:", "      attributes:\n      pricing:", "empty-key", "    dc:\n      pricing:"),
        ("denom: uact", "denom: UACT", "bad-denom", "denom: uact"),
        ("          - global: true\n", "          - global: true\n      - port: 90\n", "no-to", "- service: web"),
    ],
)
def test_fixes_change_their_place_alone(base: str, old: str, new: str, code: str, fixed: str) -> None:
    document, _ = _only(base.replace(old, new, 1), code)
    assert fixed in document.text
    assert code not in {problem.code for problem in problems(document)}
    assert lint(document).portable


def test_one_item_in_place_of_a_list_gets_its_dash(base: str) -> None:
    text = base.replace(
        "          - global: true\n", "          # who\n          global: true # all\n\n          service: web\n"
    )
    document, _ = _only(text, "wrong-type")
    assert "          # who\n          - global: true # all\n\n            service: web\n" in document.text
    assert lint(document).portable
    flow = base.replace("        to:\n          - global: true\n", "        to: {global: true}\n")
    document, _ = _only(flow, "wrong-type")
    assert "to: [{global: true}]" in document.text


def test_a_comma_list_becomes_items(base: str) -> None:
    text = base.replace("- global: true", "- global: true\n          - service: web, db, # two")
    document, message = _only(text, "comma-list")
    assert "There is no db" in message
    assert "- service: web # two\n" in document.text


def test_fix_all_can_be_limited_and_is_one_step_of_an_editor(base: str) -> None:
    text = base.replace('"2.0"', "2.0").replace("512Mi", "512mi")
    session = EditingSession(text)
    done: list[str] = []
    session.apply(
        "fix", lambda document: done.extend(problem.code for problem, _ in fix_all(document, {"size-suffix"}))
    )
    assert done == ["size-suffix"] * 2
    assert session.document.get("version") == 2.0
    session.undo()
    assert session.text == text


def test_what_cannot_be_edited_safely_stays(base: str) -> None:
    text = base.replace("size: 512Mi", "size: &s 512mi", 1).replace("size: 512Mi", "size: *s")
    document = SdlDocument(text)
    assert fix_all(document) == []
    assert document.text == text


REPLACEMENTS = (
    "~", "", "[]", "{}", "[a, b]", "{a: b}", "x", "-1", "1.5", "true", '"80"', "1e999", ".nan", "!!str 5", "!x y",
    "99999999999999999999", "{<<: {a: 1}}", "[[1]]", "[{a: 1}, null, 3]", '"\\0"', "ray start --head --port=9x", "0x1F",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(150))
def test_no_shape_of_document_makes_the_rules_fail(base: str, seed: int) -> None:
    chance = random.Random(seed)
    text = base.replace("    expose:", "    env: [A=b]\n    args: [ray start --head]\n    expose:")
    for _ in range(chance.randint(1, 4)):
        try:
            node = chance.choice(list(walk(SdlDocument(text).tree.root)) or [None])
        except SdlError:
            break
        if node is not None:
            text = text[: node.start] + chance.choice(REPLACEMENTS) + text[node.end :]
    document = SdlDocument(text)
    result = lint(document)
    assert result.go == accepted_by_go(document) == (not any("go" in one.refused_by for one in result.problems))
    assert result.typescript == accepted_by_typescript(document)
    try:
        meaning_of(document)
        diff(document, SdlDocument(base))
    except SdlError:
        return
    if not fix_all(document):
        assert document.text == text
