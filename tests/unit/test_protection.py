"""What the header says of the way to the cluster."""

import pytest

from cockpit.clients.address import parse_address
from cockpit.clients.endpoint import Endpoint
from cockpit.clients.tls import Tls
from cockpit.model.secret import Secret
from cockpit.operations.protection import protection_of

PIN = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("url", "tls", "mode", "words", "tone"),
    [
        ("https://h", Tls(pin=PIN), "token", "TLS pinned · token", ""),
        ("https://h", Tls(), "token", "TLS verified · token", ""),
        ("https://h", Tls(verify=False), "token", "NOT VERIFIED · token", "error"),
        ("https://127.0.0.1", Tls(verify=False), "disabled", "NOT VERIFIED · no token", "error"),
        ("https://h", Tls(verify=False), None, "NOT VERIFIED · token", "error"),
        ("https://h", Tls(), "disabled", "OPEN TO ALL · TLS verified", "error"),
        ("http://h", Tls(), "disabled", "OPEN TO ALL · plain http", "error"),
        ("http://h", Tls(), "token", "plain http · token", "warn"),
        ("http://127.0.0.1", Tls(), "token", "plain http · token", ""),
        ("http://10.0.0.1", Tls(), "disabled", "plain http · no token", ""),
    ],
)
def test_words_and_tone(url: str, tls: Tls, mode: str | None, words: str, tone: str) -> None:
    token = None if mode == "disabled" else Secret("t" * 32)
    endpoint = Endpoint(address=parse_address(url), token=token, tls=tls)
    found = protection_of(endpoint, mode)
    assert (found.words, found.tone) == (words, tone)
    assert bool(found.sentence) == bool(tone)
