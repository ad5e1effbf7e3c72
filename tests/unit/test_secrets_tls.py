"""Key and certificate of a gateway: made, kept, known by their fingerprint, accepted by a real handshake."""

import base64
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from cockpit.clients.tls import Tls
from cockpit.errors import UsageError
from cockpit.model.certificates import parse_fingerprint
from cockpit.model.secret import Secret
from cockpit.sdl.templates import all_templates
from cockpit.secrets.certificates import certificates_file, made_certificates
from cockpit.secrets.failures import StoreUnavailableError
from cockpit.secrets.names import CERTIFICATE_NAME, KEY_NAME, Place
from cockpit.secrets.store import LASTING
from cockpit.secrets.tls import certificate_of, existing, generate_tls, make_pair
from tests.secrets.fakes import Keyring, store
from tests.wire.clients import client_of, replying
from tests.wire.commands import home
from tests.wire.server import WireServer

__all__ = ["home"]


def names_of(pem: str) -> list[str]:
    """The names that a certificate is for."""
    certificate = x509.load_pem_x509_certificate(pem.encode())
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in found]


def test_pair_is_for_the_gateway_and_the_given_names() -> None:
    pair = make_pair("lab", ["Ray.Example.com", "192.0.2.7", "localhost", "[2001:db8::1]"])
    expected = ["gateway", "localhost", "127.0.0.1", "::1", "ray.example.com", "192.0.2.7", "2001:db8::1"]
    assert names_of(pair.certificate) == expected
    assert list(pair.made.names) == expected
    assert "PRIVATE KEY" in pair.key.reveal()
    assert "PRIVATE KEY" not in repr(pair)


def test_it_holds_for_years_and_from_yesterday() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    pair = make_pair("lab", now=now)
    certificate = x509.load_pem_x509_certificate(pair.certificate.encode())
    assert certificate.not_valid_before_utc == now - timedelta(days=1)
    assert certificate.not_valid_after_utc == pair.made.expires == now + timedelta(days=3650)


@pytest.mark.parametrize("host", ["", "https://ray", "ray:8265", "a b", "-ray", "ray..com", "x" * 64, "ra\x1by"])
def test_what_is_no_host(host: str) -> None:
    with pytest.raises(UsageError, match="not a valid host name"):
        make_pair("lab", [host])


@pytest.mark.usefixtures("home")
async def test_kept_as_the_templates_take_them_and_pinned(tmp_path: Path) -> None:
    kept = store(tmp_path, backend=Keyring())
    made = generate_tls(kept, scope="lab")
    values = {name: kept.resolve(name, ("lab",)).value.reveal() for name in (CERTIFICATE_NAME, KEY_NAME)}
    assert not any(character.isspace() for value in values.values() for character in value)
    for template in all_templates():
        for name in values:
            assert f"{name}=ac-secret://{name}" in template.text
    both = tmp_path / "both.pem"
    both.write_bytes(b"".join(base64.b64decode(value, validate=True) for value in values.values()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    known = certificate_of("lab")
    assert known == made.certificate
    async with WireServer(replying({"ray_version": "2.60.0"}), tls=context) as server:
        for tls in (Tls(pin=known.fingerprint), Tls(ca=both), Tls(pin=known.fingerprint, ca=both)):
            async with client_of(server.url, tls=tls) as client:
                await client.version()
    assert KEY_NAME not in certificates_file().read_text()


@pytest.mark.usefixtures("home")
def test_another_one_only_on_request(tmp_path: Path) -> None:
    kept = store(tmp_path, backend=Keyring())
    first = generate_tls(kept).certificate
    assert existing(kept, "default") == [CERTIFICATE_NAME, KEY_NAME]
    with pytest.raises(UsageError, match="already"):
        generate_tls(kept)
    assert certificate_of("default") == first
    second = generate_tls(kept, replace=True).certificate
    assert second.fingerprint != first.fingerprint
    generate_tls(kept, scope="lab")
    assert [row.scope for row in made_certificates()] == ["default", "lab"]
    assert certificate_of("default") == second
    assert certificate_of("elsewhere") is None


@pytest.mark.usefixtures("home")
def test_nothing_is_known_where_nothing_could_be_kept(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError):
        generate_tls(store(tmp_path), places=LASTING)
    assert certificate_of("default") is None


@pytest.mark.usefixtures("home")
def test_half_a_pair_counts_as_one(tmp_path: Path) -> None:
    kept = store(tmp_path, backend=Keyring())
    kept.put(KEY_NAME, Secret("half"), places=[Place.KEYRING])
    with pytest.raises(UsageError, match=KEY_NAME):
        generate_tls(kept)


@pytest.mark.usefixtures("home")
def test_damaged_list_says_so() -> None:
    certificates_file().parent.mkdir(parents=True)
    certificates_file().write_text("{")
    with pytest.raises(UsageError, match="cannot be read"):
        made_certificates()


def test_fingerprints_as_people_write_them() -> None:
    digits = "0123456789abcdef" * 4
    colons = ":".join(digits[at : at + 2] for at in range(0, 64, 2)).upper()
    for text in (digits, f"sha256:{digits}", f" SHA256:{colons} ", colons):
        assert parse_fingerprint(text) == f"sha256:{digits}"
    for text in ("", "sha256:", digits[:-1], digits + "0", "sha1:" + digits, "g" * 64):
        with pytest.raises(UsageError):
            parse_fingerprint(text)
