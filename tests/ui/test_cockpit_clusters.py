"""Several clusters on the screen: side by side, added, gone to; a token or a certificate that is not what it was."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cockpit import settings
from cockpit.clients import transport as transport_module
from cockpit.clients.address import parse_address
from cockpit.clients.tokens import FoundToken
from cockpit.feeds.topics import VERSION
from cockpit.model.secret import Secret
from cockpit.operations.clusters.connect import Selection, Target, choose
from cockpit.operations.clusters.opening import target_opener
from cockpit.settings import Consents
from tests.sim import SimServer
from tests.ui.driver import Driver, cockpit, cockpit_on, simulated
from tests.ui.parts import TableDriver
from tests.wire.certificates import issue
from tests.wire.commands import home, write_contexts
from tests.wire.fake_ray import FakeRay
from tests.wire.server import WireServer

__all__ = ["home"]

TOKEN, OTHER = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 45)])


def contexts(home: Path, **lines: str) -> None:
    write_contexts(home, "".join(f"[contexts.{name}]\n{text}\n" for name, text in lines.items()))


@asynccontextmanager
async def opened(name: str, size: tuple[int, int] = (110, 30)) -> AsyncIterator[Driver]:
    """The cockpit on a context, in real time."""
    async with cockpit_on(target_opener(choose(Selection(context=name))), size=size) as driver:
        await driver.wait_until(lambda: driver.app.cluster is not None, "the cluster", settled=False)
        yield driver


async def sees(driver: Driver, *texts: str) -> None:
    for text in texts:
        await driver.wait_until(lambda text=text: text in driver.text, text, settled=False)  # type: ignore[misc]


def line_of(driver: Driver, name: str) -> str:
    """The row of that name; the header and the preview may have it too."""
    return next((line for line in TableDriver(driver, "clusters").rows if name in line.split()), "")


# --- the pane ---


@SIZES
async def test_all_clusters_side_by_side(home: Path, size: tuple[int, int]) -> None:
    async with simulated() as one, simulated(token=TOKEN) as two:
        contexts(
            home,
            lab=f'address = "{one.url}"\ncost = 41.6',
            shut=f'address = "{two.url}"',
            gone='address = "http://127.0.0.1:1"\ncost = 1',
            far='address = "http://10.0.0.1:8265"\nssh = "me@no-such-bastion.invalid"',
        )
        settings.use_context("lab")
        async with opened("lab", size) as driver:
            await driver.press("9")
            await sees(driver, "1 of 4 up", "42.60 USD per hour", "refused", "away")
            await driver.wait_until(lambda: "away" in line_of(driver, "far").split(), "far", settled=False)
            await driver.wait_until(lambda: "/6" in line_of(driver, "lab"), "GPUs", settled=False)
            assert "up" in line_of(driver, "lab").split()
            assert "41.60" in line_of(driver, "lab")


async def test_what_is_hidden_asks_for_nothing_and_the_open_cluster_is_not_asked_twice(home: Path) -> None:
    async with simulated() as one, simulated() as two:
        contexts(home, lab=f'address = "{one.url}"', other=f'address = "{two.url}"')
        async with opened("lab") as driver:
            assert driver.app.cluster is not None
            await driver.press("9")
            await sees(driver, "2 of 2 up")
            pane = driver.pane("clusters")
            seats = pane.overview._seats
            assert seats["lab"]._hub is driver.cluster.hub
            assert seats["other"]._hub is not driver.cluster.hub
            await driver.press("2")
            await driver.wait_until(lambda: not pane.overview.is_awake, "sleep", settled=False)
            assert not any(feed.is_watched for feed in seats["other"]._hub._feeds.values())


async def test_enter_goes_to_another_cluster_and_late_answers_of_the_first_are_dropped(home: Path) -> None:
    async with simulated() as one, simulated() as two:
        contexts(home, lab=f'address = "{one.url}"', other=f'address = "{two.url}"')
        async with opened("lab") as driver:
            first = driver.cluster.hub
            await driver.press("9")
            await sees(driver, "2 of 2 up")
            await driver.press("down", "enter")
            await driver.wait_until(
                lambda: driver.app.cluster is not None and driver.app.cluster.name == "other", "other", settled=False
            )
            assert driver.cluster.hub.generation > first.generation
            assert first._is_closed
            await sees(driver, two.url)
            assert driver.app.current_mode == "jobs"


async def test_a_cluster_is_added_checked_and_forgotten_by_keys(home: Path) -> None:
    async with simulated() as one:
        contexts(home, lab=f'address = "{one.url}"')
        async with opened("lab") as driver:
            await driver.press("9")
            await sees(driver, "1 of 1 up")
            await driver.press("a")
            await driver.opened("Add a cluster")
            await driver.type("two")
            await driver.press("down")
            await driver.type("ray://h:10001")
            await driver.press("enter")
            await sees(driver, "does not speak HTTP")
            assert "two" not in settings.load_settings().contexts
            await driver.press("down", "ctrl+u")
            await driver.type(one.url)
            await driver.press("enter")
            await sees(driver, "2 of 2 up")
            assert settings.load_settings().contexts["two"].address == one.url
            await driver.press("down", "e")
            await driver.opened("Cluster two")
            await sees(driver, "takes connections", "Ray 2.60.0 answers")
            await driver.press("escape", "d")
            await driver.opened("Forget the cluster two?")
            await driver.press("y")
            await sees(driver, "1 of 1 up")
            assert list(settings.load_settings().contexts) == ["lab"]


@SIZES
@pytest.mark.usefixtures("home")
async def test_a_bastion_can_be_named_with_a_new_cluster(size: tuple[int, int]) -> None:
    async with cockpit_on(None, size=size) as driver:
        await driver.opened("Which cluster?")
        await driver.press("a")
        await driver.opened("Add a cluster")
        for text in ("lab", "10.0.0.1:8265", ""):
            await driver.type(text)
            await driver.press("down")
        await driver.type("me@no-such-bastion.invalid")
        driver.sees("bastion in front of it", "me@no-such-bastion.invalid", "add")
        await driver.press("enter")
        await sees(driver, "ssh me@no-such-bastion.invalid")
        assert settings.load_settings().contexts["lab"].ssh == "me@no-such-bastion.invalid"


async def test_a_broken_file_is_told_on_the_pane(home: Path) -> None:
    async with simulated() as one:
        contexts(home, lab=f'address = "{one.url}"')
        async with opened("lab") as driver:
            await driver.press("9")
            await sees(driver, "1 of 1 up")
            write_contexts(home, f'[contexts.lab]\naddress = "{one.url}"\n[contexts.x]\naddress = \n')
            await driver.press("r")
            await sees(driver, "[contexts.x]", "TOML")


@pytest.mark.usefixtures("home")
async def test_what_is_wrong_with_the_file_is_told_when_the_cockpit_opens() -> None:
    problem = "config.toml:4:12: two contexts are called 'lab'; the one at line 2 is used"
    async with cockpit_on(None, problems=[problem]) as driver:
        await driver.opened("Which cluster?")
        assert problem in driver.told


# --- the first screen ---


@SIZES
@pytest.mark.usefixtures("home")
async def test_without_a_cluster_there_is_a_demo_an_address_and_an_sdl(size: tuple[int, int]) -> None:
    async with simulated() as one, cockpit_on(None, size=size) as driver:
        await driver.opened("Which cluster?")
        driver.sees("r  replay", "d  start Ray here", "a  add your cluster", "n  describe a new cluster")
        await driver.press("down", "down", "enter")
        await driver.opened("Add a cluster")
        await driver.type("lab")
        await driver.press("down")
        await driver.type(one.url)
        await driver.press("enter")
        await sees(driver, "Ray 2.60.0")
        assert settings.current_context() == "lab"


@pytest.mark.usefixtures("home")
async def test_without_a_cluster_a_new_sdl_is_begun() -> None:
    async with cockpit_on(None) as driver:
        await driver.opened("Which cluster?")
        await driver.press("n")
        await driver.wait_until(lambda: driver.app.current_mode == "sdl" and driver.has_dialog, "templates")


# --- a token that stops working ---


@asynccontextmanager
async def with_token(server: SimServer, size: tuple[int, int] = (110, 30)) -> AsyncIterator[Driver]:
    target = Target(name="lab", address=parse_address(server.url), token=FoundToken(Secret(TOKEN), "a test"))
    async with cockpit_on(target_opener(target), server=server, size=size) as driver:
        await sees(driver, "Ray 2.60.0", "SUCCEEDED")
        yield driver


@SIZES
@pytest.mark.usefixtures("home")
async def test_a_token_that_is_not_taken_any_more_is_asked_for_and_the_screen_stays(size: tuple[int, int]) -> None:
    async with simulated(token=TOKEN) as server, with_token(server, size) as driver:
        hub = driver.cluster.hub
        server.dashboard.token = OTHER
        driver.app.workspace.refresh()
        await driver.opened(f"{server.url} does not accept the token (403).")
        assert driver.pane("jobs").table.counts.total > 0
        await driver.type("wrong")
        await driver.press("enter")
        await driver.wait_until(lambda: not driver.has_dialog, "the end of the dialog", settled=False)
        driver.app.workspace.refresh()
        await driver.opened(f"{server.url} does not accept the token (403).")
        await driver.type(OTHER)
        assert OTHER not in driver.text
        await driver.press("enter")
        await driver.wait_until(lambda: not driver.has_dialog, "the end of the dialog", settled=False)
        await driver.wait_until(lambda: "plain http · token" in driver.text, "the token")
        assert driver.cluster.hub is hub
        assert "SUCCEEDED" in driver.text
        assert hub.snapshot(VERSION).error is None


async def test_a_token_is_looked_for_again_where_it_was_found(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with simulated(token=TOKEN) as server:
        contexts(home, lab=f'address = "{server.url}"\ntoken = "ac-secret://LAB"')
        monkeypatch.setenv("RAYAKASH_SECRET_LAB", TOKEN)
        async with opened("lab") as driver:
            await sees(driver, "Ray 2.60.0")
            server.dashboard.token = OTHER
            driver.app.workspace.refresh()
            await driver.opened(f"{server.url} does not accept the token (403).")
            driver.sees("keep it as LAB")
            monkeypatch.setenv("RAYAKASH_SECRET_LAB", OTHER)
            await driver.press("enter")
            await driver.wait_until(lambda: driver.cluster.hub.snapshot(VERSION).error is None, "an answer")
            assert not driver.has_dialog


@pytest.mark.usefixtures("home")
async def test_a_refusal_is_asked_about_once_and_r_asks_again() -> None:
    async with simulated(token=TOKEN) as server, with_token(server) as driver:
        server.dashboard.token = OTHER
        driver.app.workspace.refresh()
        await driver.opened(f"{server.url} does not accept the token (403).")
        await driver.press("escape")
        driver.app.workspace.tick()
        await driver.pause()
        assert not driver.has_dialog
        assert "SUCCEEDED" in driver.text
        await driver.press("r")
        await driver.opened(f"{server.url} does not accept the token (403).")


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("by", ["token", "r"])
async def test_a_log_that_was_refused_goes_on_with_the_new_token(by: str) -> None:
    async with simulated(token=TOKEN) as server, with_token(server) as driver:
        server.cluster.submit({"entrypoint": "sleep 90000", "submission_id": "mine"})
        server.cluster.clock.advance(60)
        driver.app.workspace.refresh()
        await driver.wait_until(lambda: "mine" in driver.jobs.keys, "the job")
        await driver.jobs.select("mine")
        await driver.pilot.press("l")
        await sees(driver, "following")
        pane = driver.pane("log")
        server.dashboard.token = OTHER
        await driver.wait_until(lambda: pane.session.is_refused, "the end of the log", settled=False)
        driver.app.workspace.refresh()
        await driver.opened(f"{server.url} does not accept the token (403).")
        if by == "r":  # it was mended on the other side
            await driver.pilot.press("escape")
            server.dashboard.token = TOKEN
            await driver.pilot.press("r")
        else:
            await driver.type(OTHER)
            await driver.pilot.press("enter")
        await driver.wait_until(lambda: not pane.session.is_refused, "the log goes on", settled=False)
        await driver.wait_until(lambda: "does not accept" not in driver.text, "its line", settled=False)
        assert pane.session.ended is None
        job = server.cluster.find("mine")
        assert job is not None
        assert job.stop(server.cluster.clock.now())
        server.cluster.clock.advance(60)
        await driver.wait_until(lambda: pane.session.ended is not None, "the end of the job", settled=False)


# --- a cluster that is only starting ---


@pytest.mark.usefixtures("home")
async def test_a_cluster_that_is_away_when_it_is_opened_comes_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    known = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _, *rest, **more: known("127.0.0.1", *rest, **more))
    async with simulated() as server:
        # A token that may not go there before somebody agrees: whether it is wanted is asked first.
        monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
        await server.refuse()
        target = choose(Selection(address=f"http://lab.example:{server.port}"))
        async with cockpit_on(target_opener(target)) as driver:
            await sees(driver, "No cluster answers at", "Next try in")
            assert driver.app.cluster is None
            await server.listen()
            await driver.wait_until(lambda: driver.app.cluster is not None, "the cluster", settled=False)
            await sees(driver, "Ray 2.60.0")


# --- a certificate that changes ---


@SIZES
@pytest.mark.parametrize("pinned_in", ["context", "consents"])
async def test_a_certificate_that_changes_is_asked_about_and_the_screen_stays(
    home: Path, tmp_path: Path, size: tuple[int, int], pinned_in: str
) -> None:
    ours, theirs = issue(tmp_path, "ours"), issue(tmp_path, "theirs")
    ray, tls = FakeRay(), ours.server()
    ray.add("job-of-before")
    async with WireServer(ray.handle, tls=tls) as server:
        pin = f'pin = "{ours.fingerprint}" # mine' if pinned_in == "context" else ""
        settings.save_consents(Consents(certificates={} if pin else {server.url: ours.fingerprint}))
        contexts(home, lab=f'address = "{server.url}"\n{pin}')
        async with opened("lab", size) as driver:
            await sees(driver, "job-of-before")
            hub = driver.cluster.hub
            tls.load_cert_chain(theirs.both)
            server.drop_connections()
            driver.app.workspace.refresh()
            await driver.wait_until(lambda: driver.has_dialog, "a dialog", settled=False)
            seen = len(server.requests)
            digits = theirs.fingerprint.removeprefix("sha256:")
            await sees(driver, "HAS CHANGED", digits[:32], digits[32:])
            await driver.press("y")
            await driver.wait_until(lambda: len(server.requests) > seen, "requests", settled=False)
            await driver.wait_until(lambda: hub.snapshot(VERSION).error is None, "an answer", settled=False)
            assert driver.cluster.hub is hub
            await sees(driver, "job-of-before", "TLS pinned")
    if pinned_in == "context":
        assert f'pin = "{theirs.fingerprint}" # mine' in settings.config_file().read_text()
    else:
        assert settings.load_consents().certificates == {server.url: theirs.fingerprint}


async def test_a_changed_certificate_that_is_refused_gets_nothing(home: Path, tmp_path: Path) -> None:
    ours, theirs = issue(tmp_path, "ours"), issue(tmp_path, "theirs")
    ray, tls = FakeRay(), ours.server()
    async with WireServer(ray.handle, tls=tls) as server:
        contexts(home, lab=f'address = "{server.url}"\npin = "{ours.fingerprint}"')
        async with opened("lab") as driver:
            await sees(driver, "Ray 2.60.0")
            tls.load_cert_chain(theirs.both)
            server.drop_connections()
            driver.app.workspace.refresh()
            await driver.wait_until(lambda: driver.has_dialog, "a dialog", settled=False)
            seen = len(server.requests)
            await driver.press("n")
            driver.app.cluster.hub.kick()  # type: ignore[union-attr]
            await driver.settle()
            assert len(server.requests) == seen
            assert ours.fingerprint in settings.config_file().read_text()


# --- exposure ---


@SIZES
async def test_an_open_dashboard_on_a_public_address_has_a_banner(
    home: Path, size: tuple[int, int], named: Callable[[str], None]
) -> None:
    async with simulated() as server:
        contexts(home, lab=f'address = "http://lab.example:{server.port}"')
        named("8.8.8.8")
        async with opened("lab", size) as driver:
            await sees(driver, "OPEN TO ALL")
            text = " ".join(" ".join(driver.lines).split())
            assert "anyone who finds it can run commands on your machines" in text
            assert "RAY_AUTH_MODE=token" in text
            await driver.app.workspace.leave_cluster()
            await driver.wait_until(lambda: "anyone who finds it" not in driver.text, "no banner", settled=False)


async def test_an_open_dashboard_in_a_private_network_has_none(home: Path, named: Callable[[str], None]) -> None:
    async with simulated() as server:
        contexts(home, lab=f'address = "http://lab.example:{server.port}"')
        named("10.0.0.9")
        async with opened("lab") as driver:
            await sees(driver, "plain http · no token", "SUCCEEDED")
            assert "OPEN TO ALL" not in driver.text


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let a name stand for this address as far as the exposure check sees, and lead to this machine all the same."""
    import socket

    known = socket.getaddrinfo

    def named(address: str) -> None:
        async def lookup(_: str) -> tuple[str, ...]:
            return (address,)

        monkeypatch.setattr(transport_module, "lookup", lookup)
        monkeypatch.setattr(socket, "getaddrinfo", lambda _, *rest, **more: known("127.0.0.1", *rest, **more))

    return named


async def test_without_a_cluster_every_pane_says_so_and_names_the_key_that_works() -> None:
    async with cockpit_on(None) as driver:
        await driver.wait_until(lambda: driver.has_dialog, "the choice of a cluster")
        await driver.answer("escape")
        for title, untrue in (("Jobs", "No jobs yet"), ("Nodes", "No nodes."), ("GPUs", "No GPUs in this")):
            await driver.press({"Jobs": "2", "Nodes": "4", "GPUs": "3"}[title])
            table = "\n".join(driver.lines[4:-1])
            assert "no cluster is open; press ctrl+k to choose one" in table
            assert untrue not in table
        await driver.press("2", "s")
        assert driver.told[-1] == "No cluster is open. Press ctrl+k to choose one."
        await driver.press("ctrl+k")
        assert driver.has_dialog


async def test_an_open_cluster_without_a_saved_name_is_in_clusters_and_in_the_choice(home: Path) -> None:
    async with simulated() as one, simulated() as two, cockpit(two) as driver:
        contexts(home, other=f'address = "{one.url}"')
        await driver.press("9")
        await sees(driver, "2 of 2 up")
        assert "up" in line_of(driver, driver.cluster.name).split()
        await driver.press("d")
        assert any("is open but not saved" in text for text in driver.told)
        await driver.press("ctrl+k")
        await driver.opened("Which cluster?")
        driver.dialog().says(f"{driver.cluster.name} (open now, not saved)", "other")
        hub = driver.cluster.hub
        await driver.press("home", "enter")
        await driver.wait_until(lambda: not driver.has_dialog, "the pane", settled=False)
        assert driver.cluster.hub is hub
