"""The images of an SDL before any money: those that cannot be pulled stop it, what nobody can tell stops nothing."""

import asyncio
from pathlib import Path

import pytest

from cockpit.clients import image_registry
from cockpit.clients.image_registry import ImageRefusedError
from cockpit.errors import RejectedError, UnreachableError
from cockpit.model.images import ImageFacts, ImageName, RegistryLogin
from cockpit.operations.deployments import account, images, preparing
from cockpit.operations.deployments.images import check_images, require_images
from cockpit.sdl.document import SdlDocument
from tests.akash_sim.console import SimConsole
from tests.akash_sim.registry import SimImage, SimRegistry
from tests.akash_sim.wire import client_of
from tests.deployments.stage import CPU, Run
from tests.wire.certificates import issue
from tests.wire.commands import here

pytestmark = pytest.mark.usefixtures("session_secrets")
GIB = 2**30


class Registries:
    """Answers by repository; everything else is 1 GiB."""

    def __init__(self, **answers: ImageFacts | Exception) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self.logins: list[RegistryLogin | None] = []

    async def __call__(self, name: ImageName, login: RegistryLogin | None = None) -> ImageFacts:
        self.asked.append(str(name))
        self.logins.append(login)
        found = self.answers.get(name.repository.rpartition("/")[2], ImageFacts(compressed_bytes=GIB))
        if isinstance(found, Exception):
            raise found
        return found


MISSING = ImageRefusedError("The image x does not exist.", hint="Check its name.", fault="image-missing")


def _use(monkeypatch: pytest.MonkeyPatch, registries: Registries) -> Registries:
    monkeypatch.setattr(images, "LOOKUP", registries)
    return registries


async def test_each_image_is_asked_about_once_beside_the_console(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Console is asked no more for it."""
    registries = _use(monkeypatch, Registries())
    sim = SimConsole()
    prepared = await Run(sim).prepared()
    ray, caddy = sorted(registries.asked, reverse=True)
    assert (ray.partition(":")[0], caddy) == ("docker.io/rayproject/ray", "docker.io/library/caddy:2.10.2")
    assert [one.compressed_bytes for one in prepared.plan.images] == [GIB, GIB]
    assert prepared.plan.unchecked == ()
    assert len(sim.requests) <= 8


async def test_what_cannot_be_checked_is_named_and_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each image by itself."""
    _use(monkeypatch, Registries(caddy=UnreachableError("no route")))
    prepared = await Run(SimConsole()).prepared()
    assert prepared.plan.unchecked == ("the image caddy:2.10.2",)
    require_images(prepared.plan.images)
    text = CPU.replace("caddy:2.10.2", "vllm/vllm-openai:v0.11.0")
    silent = Registries(**{"vllm-openai": UnreachableError("no route")})
    until = asyncio.get_running_loop().time() + 10
    (slow,) = [one.advice for one in await check_images(SdlDocument(text), until, silent) if one.advice]
    assert "about 11 GiB" in slow  # as far as our list knows


async def test_all_checks_together_have_one_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry and a Console that say nothing hold nobody up for longer than the one time."""

    async def never(*_: object) -> ImageFacts:
        await asyncio.Event().wait()
        raise AssertionError

    run = Run(SimConsole())
    monkeypatch.setattr(images, "LOOKUP", never)
    monkeypatch.setattr(preparing, "CHECKS_S", 0.1)
    for name in ("dialect", "gpu_offers", "screen", "account", "can_seal", "deployments"):
        monkeypatch.setattr(run.client, name, never)
    async with asyncio.timeout(10):
        prepared = await run.prepared()
    assert len(prepared.plan.unchecked) == 8  # six of the Console, two images
    assert not run.sim.requests


PRIVATE = "    credentials:\n      host: {host}\n      username: builder\n      password: {password}\n"


def _with_credentials(image: str, host: str, password: str) -> str:
    """The CPU template with another gateway image, and credentials for it."""
    line = f"    image: {image}\n" + PRIVATE.format(host=host, password=password)
    return CPU.replace("    image: caddy:2.10.2\n", line)


async def test_credentials_are_those_of_the_service_that_has_them() -> None:
    """By reference too; one whose value is not known here is not asked about, which is said."""
    registries, loop = Registries(), asyncio.get_running_loop()
    text = _with_credentials("caddy:2.10.2", "docker.io", "ac-secret://RAY_AUTH_TOKEN")
    await check_images(SdlDocument(text), loop.time() + 10, registries, scopes=("default",))
    given = dict(zip(registries.asked, registries.logins, strict=True))
    login = given.pop("docker.io/library/caddy:2.10.2")
    assert login is not None
    assert (login.username.reveal(), login.password.reveal()) == ("builder", "canary-" + "x" * 40)
    assert list(given.values()) == [None]
    text = text.replace("RAY_AUTH_TOKEN\n", "NOT_HERE\n")
    found = await check_images(SdlDocument(text), loop.time() + 10, Registries(), scopes=("default",))
    assert [one.image for one in found if not one.is_checked] == ["caddy:2.10.2"]


@pytest.mark.parametrize("password", ["canary-registry-password", "canary-wrong"])
async def test_a_private_image_is_asked_about_with_its_credentials(
    password: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wrong ones stop the deploy before the question; no value is in words, records or journals."""
    authority, sim = issue(tmp_path, "authority", is_authority=True), SimConsole()
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    monkeypatch.setattr(images, "LOOKUP", image_registry.look_up)
    monkeypatch.setattr(account, "open_console", lambda *_, **__: client_of(sim))
    monkeypatch.setenv("RAYAKASH_SECRET_REGISTRY_PASSWORD", password)
    secret = SimImage(is_private=True, layers=(GIB,))
    images_there = {"lab/gate:1": secret, "lab/ray:2.60.0": SimImage()}
    async with SimRegistry(issue(tmp_path, by=authority).server(), **images_there) as registry:
        file = tmp_path / "lab.yaml"
        image = f"{registry.host}/lab/gate:1"
        text = _with_credentials(image, registry.host, "ac-secret://REGISTRY_PASSWORD")
        file.write_text(text.replace("rayproject/ray:2.60.0-py311", f"{registry.host}/lab/ray:2.60.0"))
        plan = await here("deploy", str(file), "--plan", "--json")
        done = await here("deploy", str(file), "--yes", "--no-wait")
    is_right = password == registry.login[1]
    assert (plan.code, done.code) == ((0, 0) if is_right else (1, 1)), done.err
    (told,) = [one for one in plan.data["images"] if one["image"] == image]
    assert told["compressed_bytes"] == (GIB + 1000 if is_right else None)
    assert len(sim.world.deployments) == is_right
    if not is_right:
        assert f"rejected the `credentials` of the image {image}" in done.err
    kept = [path.read_text(errors="replace") for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert all("canary" not in text for text in (plan.text, plan.err, done.text, done.err, *kept))


async def test_a_missing_image_stops_the_deploy_before_the_question(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The plan says so too, and fails."""
    sim = SimConsole()
    monkeypatch.setattr(account, "open_console", lambda *_, **__: client_of(sim))
    file = tmp_path / "lab.yaml"
    file.write_text(CPU)
    _use(monkeypatch, Registries(ray=MISSING, caddy=ImageFacts(compressed_bytes=12 * GIB)))
    done = await here("deploy", str(file), "--yes")
    assert done.code == 1
    assert "does not exist" in done.err
    assert "Nothing was sent" in done.err
    assert not sim.world.deployments
    plan = await here("deploy", str(file), "--plan")
    assert plan.code == 1
    assert "caddy:2.10.2 (12.0 GiB to pull)" in plan.text
    assert "a pull at 100 Mbit/s takes 17 min" in plan.text
    data = (await here("deploy", str(file), "--plan", "--json")).data
    assert data["problems"] == ["The image x does not exist."]
    assert {one["compressed_bytes"] for one in data["images"]} == {None, 12 * GIB}


async def test_a_running_cluster_is_not_updated_to_an_image_that_cannot_be_pulled(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its pods would be replaced by ones that never start, and the provider would close the lease."""
    sim = SimConsole()
    monkeypatch.setattr(account, "open_console", lambda *_, **__: client_of(sim))
    file = tmp_path / "lab.yaml"
    file.write_text(CPU)
    dseq = (await here("deploy", str(file), "--yes", "--no-wait", "--json")).data["dseq"]
    before = sim.world.deployments[dseq].sdl
    _use(monkeypatch, Registries(caddy=MISSING))
    file.write_text(CPU.replace("caddy:2.10.2", "caddy:2.10.99"))
    for command in (("update", dseq, str(file)), ("redeploy", dseq, "--sdl", str(file))):
        done = await here("deployments", *command, "--yes")
        assert done.code == 1
        assert "does not exist" in done.err
    assert sim.world.deployments[dseq].sdl == before
    assert sim.world.deployments[dseq].state == "active"


async def test_a_real_registry_on_tls_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the SDL's text to what the plan says, by the registry's own protocol."""
    authority = issue(tmp_path, "authority", is_authority=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    monkeypatch.setattr(images, "LOOKUP", image_registry.look_up)
    big = SimImage(layers=(11 * GIB,))
    async with SimRegistry(issue(tmp_path, by=authority).server(), **{"lab/ray:2.60.0": big}) as registry:
        text = CPU.replace("rayproject/ray:2.60.0-py311", f"{registry.host}/lab/ray:2.60.0")
        text = text.replace("caddy:2.10.2", f"{registry.host}/lab/caddy:1")
        run = Run(SimConsole(), text=text)
        ray, caddy = sorted((await run.prepared()).plan.images, key=lambda one: one.image, reverse=True)
    assert (ray.compressed_bytes, ray.problem) == (11 * GIB + 1000, "")
    assert "a pull at 100 Mbit/s takes 16 min" in ray.advice
    assert "lab/caddy:1 does not exist" in caddy.problem


def test_several_problems_are_all_named() -> None:
    """One sentence each."""
    checks = [images.ImageCheck(image=name, problem=f"{name} is gone.") for name in ("a", "b")]
    with pytest.raises(RejectedError, match="2 images") as caught:
        require_images(checks)
    assert caught.value.detail == "a is gone.\nb is gone."
