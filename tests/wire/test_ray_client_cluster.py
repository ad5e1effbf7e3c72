"""Version, authentication, packages and state; nodes have a module of their own."""

from urllib.parse import parse_qs, urlsplit

import pytest

from cockpit.errors import AuthenticationError, NotRayError, ServerError
from tests.wire.clients import answered_with, replayed, talking_to
from tests.wire.fake_ray import FakeRay


async def test_version_as_recorded() -> None:
    async with replayed("version") as (client, _):
        version = await client.version()
    assert (version.ray_version, version.session_name) == ("2.60.0", "session_2026-11-20_21-39-24_775059_20033")


async def test_authentication_mode_is_public() -> None:
    ray = FakeRay()
    ray.token = "x"
    async with talking_to(ray) as (client, _):
        assert await client.authentication_mode() == "token"
        with pytest.raises(AuthenticationError, match="requires a token"):
            await client.version()
    async with talking_to(ray, token="y") as (client, _):
        with pytest.raises(AuthenticationError, match="does not accept the token"):
            await client.version()
    async with replayed("auth_mode") as (client, _):
        assert await client.authentication_mode() == "disabled"


async def test_ray_before_2_52_has_no_authentication() -> None:
    ray = FakeRay()
    ray.knows_authentication = False
    async with talking_to(ray) as (client, _):
        assert await client.authentication_mode() is None
    async with answered_with("404: Not Found", 404) as (client, _):
        with pytest.raises(NotRayError):
            await client.authentication_mode()


async def test_absent_package_as_ray_says_it() -> None:
    # job_head.py, get_package: 404 with these words, or 200 with nothing.
    ray = FakeRay()
    ray.packages["there.zip"] = b"x"
    async with talking_to(ray) as (client, server):
        assert await client.packages.exists("absent.zip") is False
        assert await client.packages.exists("there.zip") is True
    assert server.requests[0].path == "/api/packages/gcs/absent.zip"


@pytest.mark.parametrize("text", ["404: Not Found", "<html>The package was not found</html>", "No package here"])
async def test_foreign_404_is_no_absent_package(text: str) -> None:
    async with answered_with(text, 404) as (client, _):
        with pytest.raises(NotRayError):
            await client.packages.exists("x.zip")


# State


async def test_actors_are_counted_without_the_supervisors() -> None:
    async with replayed("v0_actors_detail") as (client, server):
        assert await client.state.actor_count() == 3
    query = parse_qs(urlsplit(server.requests[0].target).query)
    assert query["filter_keys"] == ["state", "class_name"]
    assert query["filter_predicates"] == ["=", "!="]
    assert query["filter_values"] == ["ALIVE", "JobSupervisor"]


async def test_log_files_as_recorded() -> None:
    async with replayed("v0_logs_list_glob") as (client, _):
        files = await client.logs.files("cc14", glob="job-driver-w*")
    assert "job-driver-w1.log" in files["internal"]


async def test_envelope_without_success_is_an_error_of_the_server() -> None:
    async with answered_with({"result": False, "msg": "GCS is away", "data": None}) as (client, _):
        with pytest.raises(ServerError, match="GCS is away"):
            await client.nodes.list()
    async with answered_with({"data": {}}) as (client, _):
        with pytest.raises(NotRayError):
            await client.nodes.list()
