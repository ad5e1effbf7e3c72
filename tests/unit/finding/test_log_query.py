"""Which lines match: the same as Python's own `re` says of each line as it is seen."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cockpit.render import log_query
from cockpit.render.log_literals import required
from cockpit.render.log_query import Case, Matcher, Query, QueryError, line_count, lines_between
from cockpit.render.log_text import all_folded, folded, seen

PIECES = [
    b"a",
    b"B",
    b"ab",
    b"\n",
    b"\n\n",
    b"\r",
    b"\r\n",
    b" ",
    b"\x1b[31m",
    b"\x1b[K",
    "é中ſK".encode(),
    b"\xff",
    b"\x00",
    b"\t",
]
LOGS = st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)
ATOMS = [
    "a",
    "B",
    "ab",
    ".",
    "é",
    r"\s",
    r"\S",
    r"\w",
    r"\W",
    r"\b",
    "^",
    "$",
    "[ab]",
    "[^a]",
    r"\n",
    r"\x00",
    "k",
    "s",
]
PATTERNS = st.lists(
    st.sampled_from(
        [
            *ATOMS,
            "a*",
            ".*",
            "(?:a|B)",
            "(a)",
            r"\\xff",
            "(?=a)",
            "(?!b)",
            "|",
            "[]a]",
            r"\ ",
            "ab",
            "b?",
            "a{0}",
            "a{2}",
            "(?i)",
            "()",
            "\\[",
        ]
    ),
    max_size=5,
).map("".join)
CASES = st.sampled_from(list(Case))


def lines_of(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    return lines[:-1] if not lines[-1] else lines


def expected(query: Query, data: bytes) -> list[int]:
    """By the plainest reading of what a query is."""
    pattern = query.text if query.is_regex else re.escape(query.text)
    test = re.compile(pattern, re.IGNORECASE if query.ignores_case else 0)
    return [number for number, line in enumerate(lines_of(data)) if test.search(seen(line))]


def found(query: Query, data: bytes) -> list[int]:
    bits = lines_between(Matcher(query), lambda at, length: data[at : at + length], 0, len(data))
    assert bits.bit_length() <= line_count(data) == len(lines_of(data))
    return [number for number in range(bits.bit_length()) if bits >> number & 1]


@given(LOGS, PATTERNS, CASES)
@example(b"a\n", "$", Case.EXACT)
@example(b"\n\na", r"\s*a", Case.EXACT)
@example(b"a\nb\n", "", Case.SMART)
@example(b"\x1b[31m\n", r"\x1b\[", Case.SMART)
@example("é\n".encode(), r"\u00e9", Case.EXACT)
@example(b"\n@ab\n", r"\100ab", Case.EXACT)
def test_a_regex_finds_what_it_finds_in_each_line(data: bytes, pattern: str, case: Case) -> None:
    try:
        re.compile(pattern)
    except re.error:
        with pytest.raises(QueryError):
            Matcher(Query(pattern, case=case))
        return
    assert found(Query(pattern, case=case), data) == expected(Query(pattern, case=case), data)


@given(LOGS, st.sampled_from(["a", "ab", "B", "b", "é", "ſ", "k", " ", "\\xff", ".", "[31m", ""]), CASES)
def test_a_text_finds_what_it_finds_in_each_line(data: bytes, text: str, case: Case) -> None:
    query = Query(text, is_regex=False, case=case)
    assert found(query, data) == expected(query, data)


@given(st.lists(st.sampled_from([b"ab\n", b"x\n", b"ab x ab\n"]), max_size=60).map(b"".join))
def test_many_hits_and_few_are_found_alike(data: bytes) -> None:
    assert found(Query("ab"), data) == expected(Query("ab"), data)


@given(LOGS, st.lists(st.sampled_from(["a", "ab", "ſ", "é", "B ", "k"]), min_size=1, max_size=3).map("|".join), CASES)
def test_one_of_several_texts_is_found(data: bytes, pattern: str, case: Case) -> None:
    assert found(Query(pattern, case=case), data) == expected(Query(pattern, case=case), data)
    assert found(Query(f"(?i){pattern}", case=case), data) == expected(Query(f"(?i){pattern}", case=case), data)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("abc", "abc"),
        (r"\S+\s+error", "error"),
        (r"step.*k tok", "k tok"),
        ("abc?", "ab"),
        ("abc*de", "ab"),
        ("ab+cd", "ab"),
        ("ab{0,3}cd", "cd"),
        ("(abc)?de", "de"),
        ("(?:abc)de", "de"),
        (r"a\.py\b", "a.py"),
        ("[abc]de", "de"),
        ("ab|cd", ""),
        ("(?x)a b", ""),
        ("(?!abc)de", ""),
        ("a.b", ""),
        ("[(]abc", "abc"),
        ("[]x]abc", "abc"),
    ],
)
def test_what_every_match_holds(pattern: str, text: str) -> None:
    assert required(pattern) == text


@given(
    st.lists(st.sampled_from([b"a", b"b", b"\r", b"a" * 40, b"\n"]), max_size=40).map(b"".join),
    st.sampled_from(["b", "ab", "^b", "b$", "^a*$"]),
)
def test_long_lines_are_searched_in_pieces(data: bytes, pattern: str) -> None:
    query = Query(pattern)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_query, "LOOK_BACK", 64)
        patch.setattr(log_query, "PIECE", 48)
        patch.setattr(log_query, "SHARED", 8)
        got = found(query, data)
    lines = lines_of(data)
    short = [number for number in expected(query, data) if len(lines[number]) <= 40]
    assert [number for number in got if len(lines[number]) <= 40] == short
    if pattern in ("b", "ab"):
        assert {number for number in got if b"\r" not in lines[number]} == {
            number for number in expected(query, data) if b"\r" not in lines[number]
        }


def test_an_endless_line_is_searched_to_its_end() -> None:
    data = b"x" * 5_000_000 + b"needle\nnext needle\n" + b"y" * 200_000 + b"\rneedle"
    assert found(Query("needle"), data) == [0, 1, 2]
    assert found(Query("^needle$"), data) == [2]
    assert found(Query("x$"), data) == []
    assert found(Query("^x+"), data) == [0]


@given(LOGS)
def test_lines_are_folded_together_as_they_are_alone(data: bytes) -> None:
    whole = data + b"\n"
    assert [seen(line) for line in lines_of(all_folded(whole))] == [seen(line) for line in lines_of(whole)]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"10%\r20%\r30%", "30%"),
        (b"10%\r20%\r", "20%"),
        (b"10%\r\x1b[2K\x1b[32m20%\x1b[0m", "20%"),
        (b"\r\r", ""),
        (b"plain", "plain"),
        (b"\x1b]0;t\x07", "\x1b]0;t\x07"),
    ],
)
def test_what_a_line_says(line: bytes, text: str) -> None:
    assert seen(line) == text
    assert seen(folded(line)) == text


@pytest.mark.parametrize(
    ("text", "case", "ignored"),
    [
        ("error", Case.SMART, True),
        ("Error", Case.SMART, False),
        (r"\S+\Werror", Case.SMART, True),
        ("error", Case.EXACT, False),
        ("ERROR", Case.IGNORED, True),
    ],
)
def test_capitals_matter_when_one_is_typed(text: str, case: Case, ignored: bool) -> None:
    assert Query(text, case=case).ignores_case is ignored


@pytest.mark.parametrize("pattern", ["(", "*", "a{2,1}", "(?<=a*)b", "[", "\\"])
def test_what_is_no_regex_says_why(pattern: str) -> None:
    with pytest.raises(QueryError, match=r"\w"):
        Matcher(Query(pattern))
    assert found(Query(pattern, is_regex=False), pattern.encode()) == [0]


def test_matches_are_told_by_their_places() -> None:
    assert Matcher(Query("o+")).spans("foo boo") == ((1, 3), (5, 7))
    assert Matcher(Query("x*")).spans("abc") == ()
