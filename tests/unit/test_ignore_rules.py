"""Ray's ignore patterns, against Ray's own matcher where it is installed."""

import warnings
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.clients.ignore_rules import parse_rules
from cockpit.errors import UsageError


@pytest.fixture(scope="module")
def ray_pathspec() -> Callable[[list[str]], Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pathspec = pytest.importorskip(
            "ray._private.thirdparty.pathspec", reason="needs ray: pip install 'rayakash-tui[local]'"
        ).PathSpec

    def compiled(patterns: list[str]) -> Any:
        # Python warns of sets such as `[[a]`; Ray lets it.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return pathspec.from_lines("gitwildmatch", patterns)

    return compiled


CASES = [
    # patterns, paths excluded, paths kept
    (["foo"], ["foo", "foo/bar", "a/foo", "a/foo/x"], ["foobar", "FOO", "a/foo.py"]),
    (["/foo"], ["foo", "foo/bar"], ["a/foo"]),
    (["foo/"], ["foo/bar", "a/foo/x/y"], ["foo", "a/foo"]),
    (["foo/bar"], ["foo/bar", "foo/bar/x"], ["a/foo/bar", "foo"]),
    (["foo/*"], ["foo/a"], ["foo", "foo/a/b", "x/foo/a"]),
    (["*.py[co]"], ["a.pyc", "x/a.pyo"], ["a.py", "a.pyx"]),
    (["**/foo"], ["foo", "a/b/foo", "a/foo/x"], ["foo1"]),
    (["foo/**"], ["foo/a", "foo/a/b"], ["foo", "a/foo/b"]),
    (["a/**/x"], ["a/x", "a/b/x", "a/b/c/x/y"], ["x", "b/a/x"]),
    (["**"], ["a", "a/b", "."], []),
    (["*"], ["a", "a/b", "."], []),
    ([".*"], [".", ".env", "a/.env"], ["env"]),
    # Here Ray leaves git: a kept directory does not keep what is below it.
    (["*", "!src"], ["src/a", "b"], ["src"]),
    (["/*", "!/src"], ["b"], ["src", "src/a", "b/c"]),
    (["foo", "!foo/keep"], ["foo", "foo/a", "foo/keep/a"], ["foo/keep"]),
    (["!foo", "foo"], ["foo"], []),
    (["  foo  "], ["foo"], [" foo", "foo "]),
    (["foo\\ "], ["foo"], ["foo "]),
    (["a b"], ["a b"], ["a", "b"]),
    (["# foo", "", "   ", "/"], [], ["# foo", "foo", "/"]),
    (["\\#foo", "\\!bar"], ["#foo", "!bar"], ["foo", "bar"]),
    (["\\*"], ["anything"], []),
    (["a\\*"], ["a*"], ["ab"]),
    (["[!a]"], ["b"], ["a"]),
    (["[^a]"], ["a", "^"], ["b"]),
    (["[]a]"], ["]", "a"], ["b"]),
    (["[a"], ["[a"], ["a"]),
    (["[[:alpha:]]"], ["a]", ":]"], ["a", "z"]),
    (["[a-c]x", "[a-]y"], ["bx", "ay", "-y"], ["dx", "by"]),
    (["caf?"], ["café"], ["café", "caf/x"]),
    (["**/"], [], ["a", "a/b"]),
]


@pytest.mark.parametrize(("patterns", "excluded", "kept"), CASES)
def test_patterns_exclude_what_ray_excludes(patterns: list[str], excluded: list[str], kept: list[str]) -> None:
    rules = parse_rules(patterns, "x")
    assert [path for path in excluded if rules.decide(path) is None] == []
    assert [path for path in kept if rules.decide(path) is not None] == []


@pytest.mark.parametrize(("patterns", "excluded", "kept"), CASES)
def test_ray_agrees(
    patterns: list[str], excluded: list[str], kept: list[str], ray_pathspec: Callable[[list[str]], Any]
) -> None:
    spec = ray_pathspec(patterns)
    assert [bool(spec.match_file(path)) for path in excluded + kept] == [True] * len(excluded) + [False] * len(kept)


def test_the_deciding_pattern_is_told() -> None:
    rule = parse_rules(["*.py", " foo  ", "!bar", "foo*"], "x").decide("foo")
    assert rule is not None
    assert (rule.line, rule.text, rule.keep) == (3, "foo*", False)


@pytest.mark.parametrize("pattern", ["!", "\\", "!\\", "[z-a]", "a/[9-0]b"])
def test_a_pattern_on_which_ray_fails_is_named(pattern: str) -> None:
    with pytest.raises(UsageError, match=r"Ray cannot read the pattern .* in sub/\.gitignore"):
        parse_rules([pattern], "sub/.gitignore")


def test_no_pattern_excludes_nothing() -> None:
    assert parse_rules([], "x").decide("a") is None
    assert parse_rules(["!a"], "x").decide("a") is None


_LETTERS = "ab*?[]!^-\\/ #.\n~&|(c"
_piece = st.text(_LETTERS, max_size=6)
_pattern = st.one_of(
    _piece,
    st.builds("**/{}".format, _piece),
    st.builds("{}/**".format, _piece),
    st.builds("{}/**/{}".format, _piece, _piece),
    st.builds("!{}".format, _piece),
)
# A path made from a directory's listing never opens with `./`.
_name = st.text("ab!^-\\ #.\n[]~&|(c", min_size=1, max_size=4).filter(lambda name: name not in (".", ".."))
_path = st.one_of(st.just("."), st.lists(_name, min_size=1, max_size=3).map("/".join))


@given(st.lists(_pattern, min_size=1, max_size=3), st.lists(_path, min_size=1, max_size=10))
def test_any_pattern_decides_as_ray_does(
    ray_pathspec: Callable[[list[str]], Any], patterns: list[str], paths: list[str]
) -> None:
    try:
        spec = ray_pathspec(patterns)
    except Exception:  # noqa: BLE001  whatever Ray fails with
        with pytest.raises(UsageError):
            parse_rules(patterns, "x")
        return
    rules = parse_rules(patterns, "x")
    assert [rules.decide(path) is not None for path in paths] == [bool(spec.match_file(path)) for path in paths]
