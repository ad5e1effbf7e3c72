"""Which Ray is installed is found out without importing it, and a wrong one is said with the remedy."""

import importlib.util
from collections.abc import Callable
from importlib import metadata
from importlib.machinery import ModuleSpec

import pytest

from cockpit.errors import LocalRayError
from cockpit.local import installed


def finder(absent: set[str]) -> Callable[[str], ModuleSpec | None]:
    return lambda name: None if name in absent else ModuleSpec(name, None, origin=f"/{name}/__init__.py")


def refused() -> LocalRayError:
    with pytest.raises(LocalRayError) as caught:
        installed.installed_ray()
    assert caught.value.hint == "pip install 'rayakash-tui[local]'"
    return caught.value


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", finder({"ray"}))
    assert "not installed" in refused().title


def test_a_directory_called_ray_is_not_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: ModuleSpec(name, None, is_package=True))
    assert "not installed" in refused().title


def test_ray_without_its_dashboard_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", finder({"aiohttp_cors"}))
    assert refused().detail == "aiohttp_cors"


@pytest.mark.parametrize(("version", "accepted"), [("2.51.9", False), ("2.52.0", True), ("3.0.0.dev0", True)])
def test_a_ray_that_knows_no_token_is_refused(version: str, accepted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", finder(set()))
    monkeypatch.setattr(metadata, "version", lambda _: version)
    if accepted:
        assert installed.installed_ray() == version
    else:
        assert version in refused().title
