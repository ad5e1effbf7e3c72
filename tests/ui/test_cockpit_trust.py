"""A certificate that nobody vouches for, on the screen: asked about once, pinned, refused when it changes."""

from pathlib import Path

import pytest

from cockpit import settings
from cockpit.app import CockpitApp
from cockpit.clients.address import parse_address
from cockpit.clients.tokens import FoundToken
from cockpit.model.secret import Secret
from cockpit.operations.clusters.connect import Target
from cockpit.operations.clusters.opening import target_opener
from cockpit.screens.confirm import Confirm
from tests.ui.screen import screen_lines
from tests.wire.certificates import issue
from tests.wire.commands import home
from tests.wire.fake_ray import FakeRay
from tests.wire.server import WireServer, until

__all__ = ["home"]

TOKEN = "0123456789abcdef0123456789abcdef"


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_first_use_then_a_change(tmp_path: Path, size: tuple[int, int]) -> None:
    ours, theirs = issue(tmp_path, "ours"), issue(tmp_path, "theirs")
    ray = FakeRay()
    ray.token = TOKEN
    context = ours.server()

    def seen(app: CockpitApp) -> str:
        return "\n".join(screen_lines(app))

    async with WireServer(ray.handle, tls=context) as server:
        token = FoundToken(Secret(TOKEN), "a test")
        target = Target(name="lab", address=parse_address(server.url), token=token)
        app = CockpitApp(target_opener(target))
        async with app.run_test(size=size) as pilot:
            await until(lambda: isinstance(app.screen, Confirm))
            await pilot.pause()
            digits = ours.fingerprint.removeprefix("sha256:")
            assert digits[:32] in seen(app)
            assert digits[32:] in seen(app)
            assert server.requests == []
            await pilot.press("y")
            await until(lambda: "TLS pinned · token" in seen(app))
            await pilot.press("q")
        assert settings.load_consents().certificates == {server.url: ours.fingerprint}
        requests = len(server.requests)
        context.load_cert_chain(theirs.both)
        app = CockpitApp(target_opener(target))
        async with app.run_test(size=size) as pilot:
            await until(lambda: "HAS CHANGED" in seen(app))
            assert theirs.fingerprint[:39] in seen(app)
            await pilot.press("q")
        assert len(server.requests) == requests
