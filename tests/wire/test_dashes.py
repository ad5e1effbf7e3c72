"""`--` in every command: what follows is an id or a name, whatever it begins with."""

import pytest

from cockpit import settings
from tests.wire.commands import here, home
from tests.wire.fake_ray import FakeRay, serve

__all__ = ["home"]


@pytest.mark.usefixtures("home")
async def test_ids_that_begin_with_a_dash() -> None:
    ray = FakeRay()
    ray.add("-dash", "SUCCEEDED", log=b"text\n")
    async with serve(ray) as server:
        for words in (["logs"], ["wait"], ["stop"], ["delete"]):
            done = await here(*words, "--address", server.url, "--", "-dash")
            assert done.code == 0, done.err
        assert not ray.jobs


@pytest.mark.usefixtures("home")
async def test_names_behind_two_dashes() -> None:
    assert (await here("clusters", "add", "--", "lab", "http://127.0.0.1:1")).code == 0
    assert (await here("-c", "submit", "clusters", "remove", "--", "lab")).code == 0
    assert "lab" not in settings.load_settings().contexts


@pytest.mark.usefixtures("home")
async def test_nothing_may_follow_without_a_command() -> None:
    done = await here("--", "jobs")
    assert done.code == 2
    assert "rguments after -- need a command" in done.err


@pytest.mark.usefixtures("home")
async def test_a_name_in_a_hint_is_quoted() -> None:
    done = await here("clusters", "add", "a b", "http://127.0.0.1:1")
    assert "rayakash-tui clusters check 'a b'" in done.err
