"""The picture of an SDL: who reaches whom, in any width, in Unicode and in ASCII."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.operations.sdl_editor.commands import meaning_record
from cockpit.render.cell_text import cell_width
from cockpit.render.sdl_diagram import diagram
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.failures import UnreadableSdlError
from cockpit.sdl.meaning import meaning_of
from cockpit.sdl.rules import lint
from cockpit.sdl.templates import template_named


def services_of(text: str) -> list[dict[str, object]]:
    document = SdlDocument(text)
    found: list[dict[str, object]] = meaning_record("x", meaning_of(document), lint(document))["services"]
    return found


def service(name: str, *ports: tuple[str, int, str], count: int | None = 1) -> dict[str, object]:
    """A service with ports as kind, number, and who reaches them."""
    rows = [
        {"kind": kind, "port": port, "external": port, "proto": "TCP", "target": target} for kind, port, target in ports
    ]
    return {"name": name, "count": count, "ports": rows}


def test_a_cluster_on_a_wide_and_on_a_narrow_terminal() -> None:
    services = services_of(template_named("ray-gpu-1x6").text)
    assert diagram(services, width=80) == [
        "┌──────────┐         ┌─────────┐         ┌──────────┐         ┌───────────────┐",
        "│ internet ├─ 8443 ─▶│ gateway ├─ 8265 ─▶│ ray-head │◀─ 6379 ─┤ ray-worker ×6 │",
        "└──────────┘         └─────────┘         └──────────┘         └───────────────┘",
    ]
    assert diagram(services, width=60) == [
        "internet",
        "└─ 8443 ─▶ gateway",
        "   └─ 8265 ─▶ ray-head",
        "      └◀ 6379 ── ray-worker ×6",
    ]
    assert diagram(services, width=80, ascii_only=True)[1] == (
        "| internet +- 8443 ->| gateway +- 8265 ->| ray-head |<- 6379 -+ ray-worker x6 |"
    )


def test_two_behind_one() -> None:
    services = [
        service("web", ("host", 80, "")),
        service("api", ("internal", 3000, "web")),
        service("db", ("internal", 5432, "web")),
    ]
    assert diagram(services, width=80) == [
        "┌──────────┐       ┌─────┐         ┌─────┐",
        "│ internet ├─ 80 ─▶│ web ├─ 3000 ─▶│ api │",
        "└──────────┘       │     │         └─────┘",
        "                   │     │         ┌─────┐",
        "                   │     ├─ 5432 ─▶│ db  │",
        "                   └─────┘         └─────┘",
    ]


def test_a_round_trip_is_a_tree() -> None:
    services = [
        service("a", ("host", 80, ""), ("internal", 1, "b")),
        service("b", ("internal", 2, "a"), ("internal", 3, "c"), count=3),
        service("c", ("random", 4, "")),
    ]
    assert diagram(services, width=60) == [
        "internet",
        "├─ 80 ─▶ a",
        "│  ├─ 2 ─▶ b ×3",
        "│  │  ├─ 1 ─▶ a (above)",
        "│  │  └◀ 3 ── c",
        "└─ 4 ─▶ c (above)",
    ]


def test_many_ports_are_one_line() -> None:
    services = [service("a", *(("random", port, "") for port in range(1, 9)))]
    assert "├─ 1,2,3,… ─▶│" in diagram(services, width=80)[1]
    assert diagram([], width=80) == []


def test_names_of_others_reach_no_terminal_as_they_are() -> None:
    services = [service("a\x1b[31m\n\u202e", ("host", 80, ""))]
    text = "\n".join(diagram(services, width=80))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\\x1b" in text


@pytest.mark.lengthy
@pytest.mark.parametrize("width", [60, 100, 160])
def test_every_file_of_the_corpus_has_one_that_fits(corpus_texts: dict[str, str], width: int) -> None:
    drawn = 0
    for name, text in corpus_texts.items():
        try:
            services = services_of(text)
        except UnreadableSdlError:
            continue
        lines = diagram(services, width=width)
        assert bool(lines) == bool(services), name
        assert all(cell_width(line) <= width for line in lines), name
        assert all(line.isascii() for line in diagram(services, width=width, ascii_only=True)), name
        whole = "\n".join(diagram(services, width=None))
        assert all(str(service["name"]) in whole for service in services if str(service["name"]).isascii()), name
        drawn += len(lines) > 0
    assert drawn > 400


NAMES = st.sampled_from(["a", "b", "worker-1", "数据库", "x" * 70])
SERVICES = st.lists(
    st.builds(
        lambda name, ports, count: service(name, *ports, count=count),
        NAMES,
        st.lists(
            st.tuples(
                st.sampled_from(["internal", "host", "random", "ip"]), st.integers(1, 65535), NAMES | st.just("")
            ),
            max_size=4,
        ),
        st.none() | st.integers(0, 9),
    ),
    max_size=7,
    unique_by=lambda one: str(one["name"]),
)


@pytest.mark.lengthy
@given(SERVICES, st.integers(60, 160), st.booleans())
def test_any_services_fit(services: list[dict[str, object]], width: int, ascii_only: bool) -> None:
    lines = diagram(services, width=width, ascii_only=ascii_only)
    assert all(cell_width(line) <= width for line in lines)
    assert bool(lines) == bool(services)
    assert all(str(one["name"])[:20] in "\n".join(lines) for one in services)
