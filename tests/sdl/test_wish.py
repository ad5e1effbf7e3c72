"""`sdl new` by wish: whatever is asked for, both parsers take it and no rule objects; what cannot be is refused."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cockpit.errors import UsageError
from cockpit.sdl import scripts
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.gpu_models import BY_MODEL, CARDS
from cockpit.sdl.meaning import meaning_of
from cockpit.sdl.plan import DiskPlan
from cockpit.sdl.quantities import GI
from cockpit.sdl.ray_images import PYTHONS, VERSIONS
from cockpit.sdl.rules import lint
from cockpit.sdl.wish import CLASSES, PRESETS, Ceiling, Gpu, Wish, written
from tests.sdl.conftest import Sdl


@st.composite
def gpus(draw: st.DrawFn) -> Gpu:
    """A card that exists, as precisely as it may be asked for."""
    card = draw(st.sampled_from(CARDS))
    ram = draw(st.sampled_from(("", *card.ram)))
    return Gpu(card.model, ram, draw(st.sampled_from(("", *card.interfaces))) if ram else "")


@st.composite
def wishes(draw: st.DrawFn) -> Wish:
    """Options that do not contradict each other, in every combination."""
    gpu = draw(st.none() | gpus())
    memory = draw(st.none() | st.integers(2, 1024).map(lambda one: one * GI))
    least = max(1, (memory or 0) // GI // 10 + 1)
    own = draw(st.booleans())
    ceiling = st.none() | st.builds(Ceiling, usd=st.integers(1, 20).map(Decimal), per_gpu=st.just(True))
    return Wish(
        name="lab",
        workers=draw(st.none() | st.integers(1, 40)),
        gpu=gpu,
        gpus_per_worker=draw(st.none() | st.integers(1, 8)) if gpu else None,
        head_gpu=bool(gpu) and draw(st.booleans()),
        cpu=draw(st.none() | st.integers(1000, 384_000)),
        memory=memory,
        shm=draw(st.none() | st.integers(least, min(least + 64, 4 * (memory or 0) // GI)).map(lambda one: one * GI))
        if memory
        else None,
        disk=draw(st.none() | st.integers(1, 32_768).map(lambda one: one * GI)),
        persistent=draw(
            st.none()
            | st.builds(
                DiskPlan,
                st.just("data"),
                st.integers(1, 9999).map(lambda one: one * GI),
                st.sampled_from(CLASSES),
                st.sampled_from(("/data", "/home/ray/models", "/mnt/a.b-c")),
            )
        ),
        region=draw(st.sampled_from(("", "us-west", "eu-central", "yes", "1"))),
        audited=draw(st.booleans()),
        ray="" if own else draw(st.sampled_from(("", *VERSIONS))),
        python="" if own else draw(st.sampled_from(("", *PYTHONS))),
        image="ghcr.io/me/ray:1.2" if own else "",
        ceiling=draw(ceiling) if gpu else None,
        store=draw(st.sampled_from(("", "s3", "r2", "b2", "minio"))),
        tracking=draw(st.booleans()),
        serve=draw(st.booleans()),
    )


def _proves(wish: Wish) -> None:
    text = written(wish).text
    document = SdlDocument(text)
    found = lint(document)
    assert found.portable, (wish, found.problems)
    assert found.problems == [], wish
    services = {one.name: one for one in meaning_of(document).services}
    replicas = services["ray-worker"].replicas[0]
    assert replicas.count == (2 if wish.workers is None else wish.workers)
    assert replicas.gpus == ((wish.gpus_per_worker or 1) if wish.gpu else 0)
    assert [port.port for one in services.values() for port in one.ports if port.kind != "internal"] == [8443]
    assert ("RAY_AUTH_TOKEN" in services["gateway"].env) == wish.serve
    assert "\t" not in text
    assert max(map(len, text.splitlines())) <= 120


@given(wishes())
@settings(max_examples=30, deadline=None)
def test_any_wish_is_portable(wish: Wish) -> None:
    _proves(wish)


@pytest.mark.slow
@given(wishes())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_hundreds_of_wishes_are_portable(wish: Wish) -> None:
    _proves(wish)


@pytest.mark.parametrize("usd", ["1", "4.5", "40"])
def test_a_ceiling_for_the_whole_is_kept(usd: str) -> None:
    wish = Wish(name="lab", gpu=Gpu("rtx4090"), workers=2, ceiling=Ceiling(Decimal(usd), per_gpu=False))
    cost = meaning_of(SdlDocument(written(wish).text)).usd_per_hour
    assert cost is not None
    assert float(usd) * 0.95 < cost <= float(usd)


def test_a_ceiling_per_gpu_is_that_of_each_card() -> None:
    wish = Wish(
        name="lab", workers=1, gpu=Gpu("h100"), gpus_per_worker=4, ceiling=Ceiling(Decimal("2.5"), per_gpu=True)
    )
    (worker,) = (one for one in meaning_of(SdlDocument(written(wish).text)).services if one.name == "ray-worker")
    assert worker.replicas[0].usd_per_hour == pytest.approx(10.0, abs=0.01)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--head-gpu",), "Add --gpu"),
        (("--gpus-per-worker", "2"), "Add --gpu"),
        (("--max-price", "1/gpu-h"), "4.50/h"),
        (("--gpu", "h100:40Gi"), "The nearest: --gpu h100:80Gi."),
        (("--gpu", "t4:16Gi:sxm"), "The nearest: --gpu t4:16Gi:pcie."),
        (("--gpu", "h100:80Gi:nvlink"), "pcie or sxm"),
        (("--gpu", "h100", "--gpus-per-worker", "16"), "--workers 4 --gpus-per-worker 8"),
        (("--gpu", "a:b:c:d"), "MODEL[:RAM[:INTERFACE]]"),
        (("--preset", "ray-cpu", "--gpu", "h100"), "--preset ray-gpu"),
        (("--preset", "ray-tpu"), "ray-gpu-1x6"),
        (("--image", "me/ray:1", "--ray", "2.60.0"), "Leave out --ray"),
        (("--ray", "2.40.0"), "The nearest: --ray 2.52.0"),
        (("--ray", "latest"), "The nearest: --ray"),
        (("--python", "3.8"), "The nearest: --python"),
        (("--workers", "0"), "1 or more"),
        (("--workers", "200000"), "The nearest: --workers"),
        (("--cpu", "0.5"), "at least 1"),
        (("--cpu", "500"), "at most 384"),
        (("--memory", "1Gi"), "at least 2Gi"),
        (("--memory", "96gb"), "e.g. 96Gi"),
        (("--memory", "4Ti"), "at most 2Ti"),
        (("--memory", "100Gi", "--shm", "1Gi"), "at least 10Gi"),
        (("--shm", "64Mi"), "at least 1Gi"),
        (("--memory", "2Gi", "--shm", "90Gi"), "more than four times"),
        (("--disk", "64Ti"), "at most 32Ti"),
        (("--persistent", "beta9:1Gi:/data"), "The nearest: beta3"),
        (("--persistent", "beta3:1Gi"), "CLASS:SIZE:PATH"),
        (("--persistent", "beta3:1Gi:data"), "absolute path"),
        (("--persistent", "beta3:1Gi:/dev/shm"), "absolute path"),
        (("--max-price", "0.001/h"), "price is too low"),
        (("--gpu", "t4", "--max-price", "60/gpu-h"), "at most $25"),
        (("--max-price", "4.50"), "4.50/h for the whole"),
    ],
)
def test_what_cannot_be_is_refused_with_the_nearest(
    sdl: Sdl, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    path = tmp_path / "lab.yaml"
    done = sdl("new", "lab", *options, "-o", path)
    assert done.code == 2
    assert words in done.err
    assert not path.exists()


def test_a_name_and_a_preset(sdl: Sdl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = sdl("new", "lab", "--preset", "ray-gpu-1x6", "--workers", "3", "--max-price", "9/h")
    assert done.code == 0, done.err
    assert "3 workers with 1 GPU (a100) each" in done.err
    assert "ceiling is $8.9" in done.err or "ceiling is $9.0" in done.err
    assert "rayakash-tui sdl lint lab.yaml" in Path("lab.yaml").read_text()
    assert sdl("new", "../lab").code == 2


def test_a_model_that_nobody_announced_is_said(sdl: Sdl, tmp_path: Path) -> None:
    done = sdl("new", "lab", "--gpu", "b200", "-o", tmp_path / "lab.yaml")
    assert done.code == 0
    assert "b200" not in BY_MODEL
    assert "there may be no bids. The nearest: h200" in done.err


@pytest.mark.parametrize("change", [{"ray": "x"}, {"workers": 0}, {"gpu": Gpu("h100", "1Gi")}])
def test_the_form_is_told_the_same(change: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        written(Wish(name="lab", **change))


def test_presets_are_wishes() -> None:
    assert list(PRESETS) == ["ray-cpu", "ray-gpu", "ray-gpu-1x6", "ray-gpu-storage"]


def test_a_wheel_has_the_scripts_in_its_templates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No `docker/` lies beside an installed package."""
    wish = Wish(name="lab", serve=True)
    here = written(wish).text
    monkeypatch.setattr(scripts, "_CHECKOUT", tmp_path)
    scripts._read.cache_clear()
    try:
        assert written(wish).text == here
    finally:
        scripts._read.cache_clear()
