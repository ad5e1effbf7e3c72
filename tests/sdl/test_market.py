"""What Akash offers beside each choice, a price ceiling from it, and the shipped lists where it cannot be asked."""

from decimal import Decimal
from pathlib import Path

import pytest

from cockpit.clients.akash.console import ConsoleClient
from cockpit.model.akash.market import GpuModel, GpuOffer
from cockpit.operations.deployments import account
from cockpit.operations.deployments import market as market_module
from cockpit.operations.deployments.market import ask_market
from cockpit.sdl.completion import complete
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.image_sizes import known_bytes, may_outlast
from cockpit.sdl.market import (
    SHIPPED,
    Market,
    attribute_choices,
    ceiling_choices,
    cost_words,
    doubts,
    gpu_choices,
    wish_choices,
    with_offers,
)
from cockpit.sdl.quantities import GI
from cockpit.sdl.ray_images import torch_image
from cockpit.sdl.rules import lint
from cockpit.sdl.templates import all_templates
from cockpit.sdl.wish import Ceiling, Gpu, Wish, read_gpu
from tests.akash_sim.console import SimConsole
from tests.akash_sim.wire import client_of
from tests.wire.commands import here, home

__all__ = ["home"]


def offer(model: str, ram: str, interface: str, free: int, node: int, low: str, median: str, high: str) -> GpuOffer:
    return GpuOffer(
        gpu=GpuModel(model=model, ram=ram, interface=interface), free=free, providers=3, largest_free_node=node,
        min_usd_per_hour=Decimal(low), median_usd_per_hour=Decimal(median), max_usd_per_hour=Decimal(high),
    )  # fmt: skip


NOW = Market(
    source="now",
    offers=(
        offer("h100", "80Gi", "sxm5", 12, 4, "1.80", "2.40", "3.10"),
        offer("rtx4090", "24Gi", "pcie", 40, 8, "0.30", "0.41", "0.62"),
        offer("a100", "40Gi", "pcie", 0, 0, "1.00", "1.20", "1.30"),
    ),
)


@pytest.fixture
def sim(monkeypatch: pytest.MonkeyPatch) -> SimConsole:
    """Akash Console as a simulator."""
    console = SimConsole()

    def opened(_: str | None = None, *, with_key: bool = True) -> ConsoleClient:
        assert not with_key  # no account is needed
        return client_of(console, key=None)

    monkeypatch.setattr(account, "open_console", opened)
    return console


def test_cards_that_one_node_can_give_come_first_in_the_words_of_an_sdl() -> None:
    assert [one.text for one in gpu_choices(NOW)] == ["rtx4090:24Gi:pcie", "h100:80Gi:sxm", "a100:40Gi:pcie"]
    assert gpu_choices(NOW)[1].detail == "12 free, 4 on one node, $1.80-3.10/h, 3 providers"
    assert gpu_choices(NOW)[2].detail == "none free now"
    assert gpu_choices(NOW, each=5)[0].text == "rtx4090:24Gi:pcie"
    for choices in (gpu_choices(NOW), gpu_choices(SHIPPED)):
        assert all(read_gpu(one.text) for one in choices)


def test_a_ceiling_is_proposed_a_quarter_above_the_median() -> None:
    assert [one.text for one in ceiling_choices(NOW, Gpu("h100"))] == ["3.00/gpu-h", "3.10/gpu-h", "1.80/gpu-h"]
    (shipped,) = ceiling_choices(SHIPPED, Gpu("h100"))
    assert shipped.text == "3/gpu-h"
    assert "no offer is known" in shipped.detail
    assert ceiling_choices(NOW, None) == []


def test_what_workers_would_cost_is_said_from_the_median() -> None:
    words = "6 workers would cost about $14.40/h by the median of the offers."
    assert cost_words(NOW, Gpu("h100"), 6) == words
    assert cost_words(SHIPPED, Gpu("h100"), 6) == ""


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (Wish(name="x", gpu=Gpu("h200")), "No provider offers h200 now. The nearest: h100."),
        (Wish(name="x", gpu=Gpu("h100", "80Gi", "pcie")), "h100:80Gi:pcie now. The nearest: h100:80Gi:sxm."),
        (Wish(name="x", gpu=Gpu("a100")), "No provider offers a100 now. The nearest: h100."),
        (Wish(name="x", gpu=Gpu("h100"), gpus_per_worker=8), "has 8 free h100 now. The nearest: 4 on one node."),
        (Wish(name="x", gpu=Gpu("h100"), workers=20), "20 workers need 20. The nearest: 12 workers."),
        (Wish(name="x", gpu=Gpu("h100"), ceiling=Ceiling(Decimal(1), per_gpu=True)), "The nearest: 1.80/gpu-h."),
        (Wish(name="x", gpu=Gpu("h100"), workers=3), ""),
        (Wish(name="x"), ""),
    ],
)
def test_a_wish_that_no_provider_meets_is_said_with_the_nearest(wish: Wish, said: str) -> None:
    found = " ".join(doubts(NOW, wish))
    assert said in found
    assert bool(said) == bool(found)
    assert list(doubts(SHIPPED, wish)) == []  # without offers nothing is claimed


async def test_the_console_is_asked_without_an_account(sim: SimConsole) -> None:
    market = await ask_market()
    assert market.is_live
    assert market.source.startswith("Offers on Akash at ")
    regions = {one.text: one.detail for one in attribute_choices(market, "region", Gpu("h100"))}
    assert regions["eu-central"] == "2 providers with h100"
    assert regions["us-west"] == "no provider with h100"
    assert "No provider with h100 announces the region us-west. The nearest:" in " ".join(
        doubts(market, Wish(name="x", gpu=Gpu("h100"), region="us-west"))
    )
    assert sim.requests


@pytest.mark.lengthy
async def test_offline_the_shipped_list_counts_and_says_so() -> None:
    """The address of the tests refuses connections."""
    market = await ask_market()
    assert not market.is_live
    assert market.source.endswith("Shipped list of 28 Jul 2026, without prices.")
    assert not market.source.startswith("Offers were not")
    assert gpu_choices(market)[0].text == "h200:141Gi:sxm"
    for field in ("gpu", "region", "workers", "store", "serve", "persistent", "image", "gpus_per_worker"):
        assert wish_choices(market, field, Gpu("h100")), field


async def test_a_console_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(market_module, "PATIENCE_S", 0)
    assert "did not answer within 0 s" in (await ask_market()).source


def test_the_text_is_completed_with_what_is_offered() -> None:
    text = next(one.text for one in all_templates() if one.name == "ray-gpu")
    at = text.index("model: rtx4090") + len("model: ")
    found = complete(text, at + 1)
    assert found is not None
    details = {one.text: one.detail for one in with_offers(found, NOW).items}
    assert details["rtx4090"] == "40 free, 8 on one node, $0.30-0.62/h, 3 providers"
    assert details["rtx3090"] == "not offered now"
    assert with_offers(found, SHIPPED) == found


# Images


def test_an_image_whose_pull_may_outlast_the_provider_is_an_advice() -> None:
    text = next(one.text for one in all_templates() if one.name == "ray-gpu")
    slow = text.replace("rayproject/ray:2.60.0-py311-gpu", torch_image())
    (found, *_) = [one for one in lint(SdlDocument(slow)).problems if one.code == "image-slow"]
    assert found.severity == "info"
    assert "about 10 GiB: a pull at 100 Mbit/s takes 14 min" in found.message
    assert lint(SdlDocument(slow)).portable
    assert not [one for one in lint(SdlDocument(text)).problems if one.code == "image-slow"]


@pytest.mark.parametrize(
    ("image", "gib"),
    [
        ("rayproject/ray:2.60.0-py311", 1),
        ("docker.io/rayproject/ray:2.60.0-py311-cu128", 5),
        ("rayproject/ray-llm:2.58.0-py312-cu130@sha256:00", 10),
        ("rayproject/ray-ml:2.9.0-py310-cpu", 3),
        ("someone/rayproject/ray:1", None),
        ("rayproject/raymond:1", None),
    ],
)
def test_sizes_go_by_repository_and_tag(image: str, gib: int | None) -> None:
    size = known_bytes(image)
    assert size == (None if gib is None else gib * GI)
    assert size is None or may_outlast(size) == (gib == 10)


# The command


@pytest.fixture
def here_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of the test's own, where commands write."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("home", "sim", "here_in")
async def test_sdl_new_asks_for_offers_where_it_may() -> None:
    done = await here("sdl", "new", "lab", "--gpu", "rtx9090", "--offers")
    assert done.code == 0
    assert "No provider offers rtx9090 now. The nearest: rtx4090" in done.err
    done = await here("sdl", "new", "lab2", "--gpu", "rtx4090", "--workers", "6", "--offers")
    assert "6 workers would cost about $" in done.err
    assert "Offers on Akash at " in done.err


@pytest.mark.usefixtures("home")
async def test_sdl_new_proposes_an_image_that_has_torch(here_in: Path) -> None:
    done = await here("sdl", "new", "lab", "--gpu", "rtx4090")
    assert f"Use --image torch for {torch_image()}" in done.err
    done = await here("sdl", "new", "torch", "--gpu", "rtx4090", "--image")
    assert (done.code, "does not include torch" in done.err) == (0, False)
    text = (here_in / "torch.yaml").read_text()
    assert text.count(f"image: {torch_image()}\n") == 2
    assert f"The tag {torch_image().partition(':')[2]} follows the pattern of Ray's builds and was not seen" in done.err
    done = await here("sdl", "new", "old", "--gpu", "rtx4090", "--image", "torch", "--ray", "2.54.0")
    assert "was not seen" not in done.err
    assert "rayproject/ray-llm:2.54.0-py311-cu128" in (here_in / "old.yaml").read_text()
    for words in (["--ray", "2.40.0"], ["--ray", "newest"], ["--python", "3.11"]):
        done = await here("sdl", "new", "bad", "--gpu", "rtx4090", "--image", "torch", *words)
        assert done.code == 2, words
