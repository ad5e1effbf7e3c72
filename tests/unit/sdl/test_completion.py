"""Completion: where the cursor is, told from indentation, and what can stand there."""

from collections.abc import Iterator
from itertools import islice

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cockpit.sdl import gpu_models
from cockpit.sdl.completion import Completion, complete, env_names, names_in, names_of, spec_at, values_at
from cockpit.sdl.cursor import cursor_at
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.failures import UnreadableSdlError
from cockpit.sdl.nodes import Mapping, Node, Scalar, Sequence, is_merge
from cockpit.sdl.parser import parse
from cockpit.sdl.paths import Path
from cockpit.sdl.templates import template_named
from cockpit.sdl.view import View

CLUSTER = template_named("ray-gpu-1x6").text
SECRETS = ("HF_TOKEN", "REGISTRY_PASSWORD")


def at(marked: str) -> Completion | None:
    """Complete where the text has its `¦`."""
    return complete(marked.replace("¦", ""), marked.index("¦"), secrets=SECRETS)


def texts(marked: str) -> list[str]:
    found = at(marked)
    return [item.text for item in found.items] if found else []


def places(node: Node | None, path: Path) -> Iterator[tuple[Path, Scalar]]:
    """Every key and value that stands on one line, with the path that a cursor in it has."""
    if isinstance(node, Mapping):
        for key, value in node.pairs:
            if isinstance(key, Scalar) and not is_merge(key):
                yield path, key
                if isinstance(value, Scalar):
                    yield (*path, key.value), value
                yield from places(value, (*path, key.value))
    elif isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            if isinstance(item, Scalar):
                yield (*path, index), item
            yield from places(item, (*path, index))


@pytest.mark.lengthy
def test_the_cursor_is_where_the_parser_says(corpus_texts: dict[str, str]) -> None:
    """Thousands of places of real files; indentation alone must tell as much as the tree does."""
    seen = 0
    for name, text in corpus_texts.items():
        try:
            tree = parse(text)
        except UnreadableSdlError:
            continue
        if tree.documents != 1:
            continue
        for path, node in islice(places(tree.root, ()), 0, None, 5):
            source = text[node.start : node.end]
            if not source or "\n" in source or node.anchor or node.tag or node.is_block:
                continue
            cursor = cursor_at(text, node.start + min(2, len(node.value)) + bool(node.style))
            assert cursor is not None, (name, path)
            assert cursor.path == path, (name, source[:20])
            seen += 1
    assert seen > 5000


def test_names_are_those_that_the_parser_finds(corpus_texts: dict[str, str]) -> None:
    for name, text in corpus_texts.items():
        try:
            tree = parse(text)
        except UnreadableSdlError:
            continue
        if tree.documents == 1 and "<<" not in text and "*" not in text:
            found, expected = names_in(text), names_of(View(tree.root))
            assert set(found.services) == set(expected.services), name
            assert set(found.computes) == set(expected.computes), name
            assert set(found.placements) == set(expected.placements), name


BIG = st.integers(0, 1 << 30)
CORPUS = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=120)


@CORPUS
@given(BIG, BIG, st.text("abc:-[{\"'#,}] \n\t|>&*é😀\0", max_size=6), st.booleans())
def test_nothing_that_is_typed_breaks_it(
    corpus_texts: dict[str, str], which: int, where: int, typed: str, keep: bool
) -> None:
    """Any file, cut anywhere, with anything typed: what is offered fits where it says."""
    text = list(corpus_texts.values())[which % len(corpus_texts)]
    offset = where % (len(text) + 1)
    broken, place = text[:offset] + typed + (text[offset:] if keep else ""), offset + len(typed)
    found = complete(broken, place, secrets=SECRETS)
    if found is not None:
        assert 0 <= found.start <= place <= found.end <= len(broken)
        assert "\n" not in broken[found.start : found.end]
        assert found.items
        assert len({item.text for item in found.items}) == len(found.items)


@CORPUS
@given(BIG, BIG)
def test_a_key_that_was_taken_away_is_offered_again(corpus_texts: dict[str, str], which: int, where: int) -> None:
    names = [name for name in corpus_texts if name.startswith("awesome")]
    name = names[which % len(names)]
    text = corpus_texts[name]
    try:
        root = parse(text).root
    except UnreadableSdlError:
        return
    keys = [
        (path, key.value, key.start)
        for path, key in places(root, ())
        if not key.style and text[key.start :].startswith(f"{key.value}:") and _is_known_key(path, key.value)
    ]
    if not keys:
        return
    path, key, start = keys[where % len(keys)]
    end = text.index("\n", start) if "\n" in text[start:] else len(text)
    found = complete(text[:start] + text[end:], start)
    assert found is not None
    assert key in [item.text.rstrip(": ") for item in found.items], (name, path, key)


def _is_known_key(path: Path, key: str) -> bool:
    keys = getattr(spec_at(path), "keys", {})
    return key in keys


# --- keys ------------------------------------------------------------------------------------------------------------


def test_keys_by_their_place() -> None:
    assert "services:" in texts("version: '2.0'\n¦")
    assert texts("services:\n  web:\n    im¦") == ["image: "]
    assert "image: " not in texts("services:\n  web:\n    image: x\n    ¦")
    assert "expose:" not in texts("services:\n  web:\n    ¦\n    expose:\n      - port: 80\n")
    assert texts("services:\n  web:\n    expose:\n      - ¦")[:2] == ["port: ", "as: "]
    assert "port: " not in texts("services:\n  web:\n    expose:\n      - port: 80\n        ¦")
    assert texts("services:\n  web:\n    expose: [{port: 80, to: [{gl¦") == ["global: "]
    deep = "profiles:\n  compute:\n    web:\n      resources:\n"
    assert texts(f"{deep}        ¦") == ["cpu:", "memory:", "storage:", "gpu:"]
    assert texts(f"{deep}        storage:\n          - size: 1Gi\n            attributes:\n              ¦") == [
        "persistent: ",
        "class: ",
    ]


def test_a_key_in_a_list_that_is_not_indented() -> None:
    assert texts("services:\n  web:\n    env:\n    - A=1\n    ex¦") == ["expose:"]
    assert "port: " in texts("services:\n  web:\n    expose:\n    - ¦")


def test_names_where_they_are_referred_to() -> None:
    text = "services:\n  web:\n    image: x\n  ray-head:\n    image: y\n"
    profiles = "profiles:\n  compute:\n    big:\n      resources: {}\n  placement:\n    dc:\n      pricing:\n        ¦"
    assert texts(text + "deployment:\n  ¦") == ["web:", "ray-head:"]
    assert texts(text + profiles) == ["big:"]
    placed = profiles.replace("        ¦", "")
    assert texts(text + placed + "deployment:\n  web:\n    ¦") == ["dc:"]
    assert texts(text + placed + "deployment:\n  web:\n    dc:\n      profile: ¦") == ["big"]
    target = (
        text + "    expose:\n      - port: 1\n        to:\n          - service: ¦\nendpoints:\n  ip1:\n    kind: ip\n"
    )
    assert texts(target) == ["web"], "not itself"
    assert texts(target.replace("service: ¦", "ip: ¦")) == ["ip1"]
    assert texts("endpoints:\n  ip1:\n    kind: ¦") == ["ip"]


def test_volumes_of_the_services_own_profile() -> None:
    text = (
        "services:\n  web:\n    params:\n      storage:\n        ¦\n"
        "profiles:\n  compute:\n    small:\n      resources:\n        storage:\n          - name: other\n"
        "    big:\n      resources:\n        storage:\n          - name: shm\n          - name: data\n"
        "deployment:\n  web:\n    dc:\n      profile: big\n"
    )
    assert texts(text) == ["shm:", "data:"]


# --- values ----------------------------------------------------------------------------------------------------------


def test_gpus_by_model() -> None:
    models = texts(CLUSTER.replace("- model: a100", "- model: ¦"))
    assert models[:3] == ["h200", "h100", "a100"]
    assert texts(CLUSTER.replace("- model: a100", "- model: RTX409¦")) == ["rtx4090"]
    gpu = "profiles:\n  compute:\n    w:\n      resources:\n        gpu:\n          attributes:\n            vendor:\n"
    cards = "              nvidia:\n                - model: a100\n                  "
    assert texts(f"{gpu}              ¦") == ["nvidia:"]
    assert texts(f"{gpu}{cards}ram: ¦") == ["80Gi", "40Gi"]
    assert texts(f"{gpu}{cards}interface: ¦") == ["sxm", "pcie"]
    assert texts(f"{gpu}{cards.replace('a100', 'rtx4090')}interface: ¦") == ["pcie"]
    assert "141Gi" in texts(f"{gpu}{cards.replace('a100', 'unknown')}ram: ¦")


def test_every_card_is_one_that_both_parsers_take() -> None:
    for card in gpu_models.CARDS:
        text = CLUSTER.replace("- model: a100", f"- model: {card.model}").replace("ram: 80Gi", f"ram: {card.ram[0]}")
        assert SdlDocument(text).get("profiles.compute.ray-worker.resources.gpu.attributes.vendor.nvidia.0.model")
        assert card.model == card.model.lower()
        assert set(card.interfaces) <= set(gpu_models.INTERFACES)
    assert gpu_models.AS_OF.year >= 2026


@pytest.mark.parametrize(
    ("line", "first"),
    [
        ("version: ¦", '"2.0"'),
        ('version: "¦', '2.0"'),
        ("services:\n  w:\n    expose:\n      - proto: ¦", "TCP"),
        ("services:\n  w:\n    expose:\n      - to:\n          - global: ¦", "true"),
        ("profiles:\n  compute:\n    w:\n      resources:\n        memory:\n          size: ¦", "512Mi"),
        ("profiles:\n  compute:\n    w:\n      resources:\n        gpu:\n          units: ¦", "1"),
        ("profiles:\n  placement:\n    dc:\n      pricing:\n        w:\n          denom: ¦", "uact"),
        ("profiles:\n compute:\n  w:\n   resources:\n    storage:\n    - attributes:\n        class: ¦", "beta3"),
        ("services:\n  w:\n    expose:\n      - http_options:\n          next_cases: [¦", "error"),
        ("services:\n  w:\n    credentials:\n      password: ¦", "ac-secret://HF_TOKEN"),
    ],
)  # fmt: skip
def test_values_of_a_known_set(line: str, first: str) -> None:
    assert texts(line)[0] == first


def test_env() -> None:
    env = "services:\n  head:\n    image: x\n  w:\n    env:\n      - "
    assert "RAY_AUTH_TOKEN=" in texts(env + "¦")
    assert texts(env + "WANDB_P¦") == ["WANDB_PROJECT="]
    assert texts(env + "HF_TOKEN=¦") == ["ac-secret://HF_TOKEN", "ac-secret://REGISTRY_PASSWORD"]
    assert texts(env + '"HF_TOKEN=ac-secret://RE¦"') == ['ac-secret://REGISTRY_PASSWORD"']
    assert texts(env + "RAY_AUTH_MODE=¦") == ["token"]
    assert texts(env + "RAY_ADDRESS_HOST=¦") == ["head", "w"]
    assert texts(env + "MODE=¦") == []
    assert {item.text for item in env_names()} >= {"WANDB_API_KEY", "HF_TOKEN"}


def test_what_was_written_is_replaced_whole() -> None:
    marked = "services:\n  web:\n    i¦mege: nginx\n"
    found = at(marked)
    assert found is not None
    assert marked.replace("¦", "")[found.start : found.end] == "imege: "
    marked = CLUSTER.replace("- model: a100", "- model: a¦100 # the card")
    found = at(marked)
    assert found is not None
    text = marked.replace("¦", "")
    assert text[found.start : found.end] == "a100"


@pytest.mark.parametrize(
    "marked",
    [
        "# ver¦",
        "services: # ¦",
        "services:\n  w:\n    args:\n      - |\n        ray start ¦",
        "services:\n  w:\n    args:\n      - |\n        ray start\n\n        ¦",
        "services:\n  w:\n    command: ['sh', '-c', ¦",
        "services:¦",
        "services:\n  w:\n    expose:\n      -¦",
        "nothing:\n  here: ¦",
    ],
)
def test_where_nothing_is_known_nothing_is_offered(marked: str) -> None:
    assert at(marked) is None


def test_behind_an_open_quote_the_rest_is_still_known() -> None:
    broken = 'services:\n  web:\n    env:\n      - "A=1\n    im¦\n  db:\n    image: x\n'
    assert texts(broken) == ["image: "]


def test_a_form_gets_the_same_sets_by_path() -> None:
    names = names_in(CLUSTER)
    assert names.services == ("gateway", "ray-head", "ray-worker")
    assert [item.text for item in values_at(("deployment", "ray-worker", "dc", "profile"), lambda: names)] == list(
        names.computes
    )
    found = values_at(("services", "ray-head", "env", "HF_TOKEN"), lambda: names, secrets=SECRETS)
    assert [item.text for item in found] == ["ac-secret://HF_TOKEN", "ac-secret://REGISTRY_PASSWORD"]


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        (("services", "web", "image"), "rayproject/ray:2.60.0-py311-gpu"),
        (("services", "web", "image"), "caddy:2.10.2"),
        (("profiles", "placement", "akash", "attributes", "region"), "us-west"),
        (("profiles", "placement", "akash", "signedBy", "anyOf", 0), "akash1365yvmc4s7awdyj3n2sav7xfx76adc6dnmlx63"),
    ],
)
def test_what_can_be_had_is_offered(path: tuple[str | int, ...], wanted: str) -> None:
    assert wanted in [item.text for item in values_at(path)]


def test_attributes_of_providers_are_offered_as_keys() -> None:
    text = "profiles:\n  placement:\n    akash:\n      attributes:\n        "
    found = complete(text, len(text))
    assert found is not None
    assert {"region: ", "tier: "} <= {item.text for item in found.items}
