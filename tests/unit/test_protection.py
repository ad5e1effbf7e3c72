"""What the header says of the way to the cluster: a row for everything that may be wrong with it."""

import pytest

from cockpit.clients.address import parse_address
from cockpit.clients.endpoint import Endpoint
from cockpit.clients.tls import Tls
from cockpit.model.secret import Secret
from cockpit.operations.clusters.exposure import Exposure, Reach, reach_of
from cockpit.operations.clusters.protection import protection_of

PIN = "sha256:" + "0" * 64
TOKEN = Secret("t" * 32)
LOOPBACK, PRIVATE, PUBLIC, UNKNOWN = Reach.LOOPBACK, Reach.PRIVATE, Reach.PUBLIC, Reach.UNKNOWN


@pytest.mark.parametrize(
    ("url", "tls", "exposure", "words", "tone", "fault"),
    [
        ("https://h", Tls(pin=PIN), ("token", PUBLIC), "TLS pinned · token", "", ""),
        ("https://h", Tls(), ("token", PUBLIC), "TLS verified · token", "", ""),
        ("https://h", Tls(verify=False), ("token", PUBLIC), "NOT VERIFIED · token", "error", "not-verified"),
        ("https://h", Tls(verify=False), ("disabled", LOOPBACK), "NOT VERIFIED · no token", "error", "not-verified"),
        ("https://h", Tls(verify=False), None, "NOT VERIFIED · token", "error", "not-verified"),
        ("https://h", Tls(), ("disabled", PUBLIC), "OPEN TO ALL · TLS verified", "error", "open-to-all"),
        ("https://h", Tls(), ("disabled", UNKNOWN), "OPEN TO ALL · TLS verified", "error", "open-to-all"),
        ("http://h", Tls(), ("disabled", PUBLIC), "OPEN TO ALL · plain http", "error", "open-to-all"),
        ("http://h", Tls(), ("none", PUBLIC), "OPEN TO ALL · plain http", "error", "too-old-for-tokens"),
        ("http://h", Tls(), ("disabled", PRIVATE), "plain http · no token", "", ""),
        ("http://h", Tls(), ("disabled", LOOPBACK), "plain http · no token", "", ""),
        ("http://h", Tls(), ("token", PUBLIC), "plain http · token", "error", "token-in-clear"),
        ("http://h", Tls(), ("token", PRIVATE), "plain http · token", "warn", "token-in-clear"),
        ("http://h", Tls(), None, "plain http · token", "warn", "token-in-clear"),
        ("http://h", Tls(), ("token", LOOPBACK), "plain http · token", "", ""),
        ("http://127.0.0.1", Tls(), None, "plain http · token", "", ""),
        ("https://h", Tls(), ("none", PRIVATE), "TLS verified · too old for tokens", "warn", "too-old-for-tokens"),
        ("https://h", Tls(), ("none", LOOPBACK), "TLS verified · too old for tokens", "", ""),
    ],
)
def test_a_row(url: str, tls: Tls, exposure: tuple[str, Reach] | None, words: str, tone: str, fault: str) -> None:
    seen = Exposure(mode=exposure[0], reach=exposure[1], ray_version="2.40.0") if exposure else None
    token = None if seen is not None and seen.mode == "disabled" else TOKEN
    found = protection_of(Endpoint(address=parse_address(url), token=token, tls=tls), seen)
    assert (found.words, found.tone, found.fault) == (words, tone, fault)
    assert bool(found.sentence) == bool(tone)


def test_what_stands_behind_a_login_is_not_open() -> None:
    endpoint = Endpoint(address=parse_address("https://h"), headers={"X": Secret("s" * 9)})
    found = protection_of(endpoint, Exposure(mode="disabled", reach=PUBLIC, is_guarded=True))
    assert (found.words, found.sentence) == ("TLS verified · behind a login", "")


@pytest.mark.parametrize(
    ("url", "addresses", "reach"),
    [
        ("http://localhost", [], LOOPBACK),
        ("http://[::1]", ["::1"], LOOPBACK),
        ("http://10.1.2.3", [], PRIVATE),
        ("http://8.8.8.8", [], PUBLIC),
        ("http://[2001:4860:4860::8888]", [], PUBLIC),
        ("http://[::ffff:10.0.0.1]", [], PRIVATE),
        ("http://[::ffff:8.8.8.8]", [], PUBLIC),
        ("http://100.64.0.9", [], PRIVATE),
        ("http://169.254.1.1", [], PRIVATE),
        ("http://[fd00::1]", [], PRIVATE),
        ("http://lab", [], UNKNOWN),
        ("http://lab", ["127.0.0.1"], LOOPBACK),
        ("http://lab", ["10.0.0.1", "8.8.8.8"], PUBLIC),
        ("http://lab.localhost", ["8.8.8.8"], PUBLIC),
    ],
)
def test_from_where_an_address_can_be_reached(url: str, addresses: list[str], reach: Reach) -> None:
    assert reach_of(parse_address(url), addresses) is reach
