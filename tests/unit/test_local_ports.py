"""Free ports: nothing holds them on any address, and the system does not hand them out by itself."""

import socket
from pathlib import Path

import pytest

from cockpit.errors import LocalRayError
from cockpit.local import ports


def held(address: str, family: socket.AddressFamily = socket.AF_INET) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    if family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listener.bind((address, 0))
    listener.listen()
    return listener


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_port_that_one_address_holds_is_not_free(address: str) -> None:
    with held(address) as listener:
        port = listener.getsockname()[1]
        assert not ports.is_free(port)
        assert ports.is_served(port)
    assert not ports.is_served(port)


def test_a_port_that_only_ipv6_holds_is_not_free() -> None:
    try:
        listener = held("::1", socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 on this machine")
    with listener:
        assert not ports.is_free(listener.getsockname()[1])


def test_free_ports_are_distinct_and_can_be_bound() -> None:
    found = ports.free_ports(20)
    assert len(set(found)) == 20
    for port in found:
        with socket.create_server(("127.0.0.1", port)):
            pass


def test_a_block_is_free_and_in_a_row() -> None:
    block = ports.free_port_block(50)
    assert list(block) == list(range(block[0], block[0] + 50))
    assert all(ports.is_free(port) for port in block)


def test_ports_lie_below_the_ephemeral_range(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "MACOS", False)
    monkeypatch.setattr(ports, "LINUX_EPHEMERAL", tmp_path / "range")
    (tmp_path / "range").write_text("30000\t60999\n")
    assert ports.search_range() == range(ports.LOWEST, 30_000)
    assert max(ports.free_ports(30)) < 30_000


@pytest.mark.parametrize("text", ["1024 65535", None])
def test_without_room_below_it_every_port_will_do(
    text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "MACOS", False)
    monkeypatch.setattr(ports, "LINUX_EPHEMERAL", tmp_path / "range")
    if text is not None:
        (tmp_path / "range").write_text(text)
    assert ports.search_range() == range(ports.LOWEST, 65_536)


@pytest.mark.parametrize("ask", [ports.free_ports, ports.free_port_block])
def test_too_few_ports_are_said(ask: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda _: False)
    assert callable(ask)
    with pytest.raises(LocalRayError, match="No 3 free TCP ports"):
        ask(3)
