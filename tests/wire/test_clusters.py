"""`clusters`: what is written down, what is found out, and what is refused in a sentence."""

from pathlib import Path

import pytest

from cockpit import settings
from cockpit.errors import UnreachableError, UsageError
from cockpit.operations.clusters.contexts import find_address
from cockpit.secrets.certificates import made_certificates
from tests.wire.certificates import issue
from tests.wire.clients import talking_to
from tests.wire.commands import here, home, write_contexts
from tests.wire.fake_ray import FakeRay
from tests.wire.server import WireServer

__all__ = ["home"]
pytestmark = pytest.mark.usefixtures("home")

FILE = '# mine\n[contexts.lab] # the lab\naddress = "http://h:1" # where\ncost = 2.5\n\n# keep\n[ui]\ntheme = "light"\n'


def config() -> str:
    return settings.config_file().read_text(encoding="utf-8")


async def test_list_of_nothing_says_how_to_begin() -> None:
    done = await here("clusters", "list")
    assert (done.code, done.text) == (0, "")
    assert "clusters add NAME ADDRESS" in done.err


async def test_add_use_list_remove(home: Path) -> None:
    write_contexts(home, FILE)
    assert (await here("clusters", "add", "two", "https://h.example:31871", "--cost", "41.6", "--use")).code == 0
    assert config().startswith(FILE)
    found = await here("clusters", "list", "--json")
    assert [(row["name"], row["current"], row["usd_per_hour"]) for row in found.data["clusters"]] == [
        ("lab", False, 2.5),
        ("two", True, 41.6),
    ]
    assert (await here("clusters", "use", "lab", "--json")).data["cluster"]["current"] is True
    assert settings.current_context() == "lab"
    assert (await here("clusters", "remove", "lab")).code == 0
    assert settings.current_context() is None
    assert config() == '# mine\n\n# keep\n[ui]\ntheme = "light"\n\n[contexts.two]\n' + (
        'address = "https://h.example:31871"\ncost = 41.6\n'
    )


@pytest.mark.parametrize("before", [True, False])
async def test_a_bastion_is_written_down_and_the_address_is_one_that_it_knows(before: bool) -> None:
    option = ("--ssh", "me@bastion.example")
    words = ("clusters", "add", "lab", "10.0.0.1:8265")
    done = await here(*option, *words) if before else await here(*words, *option)
    assert done.code == 0, done.err  # nobody here can ask 10.0.0.1 what it speaks
    context = settings.load_settings().contexts["lab"]
    assert (context.address, context.ssh) == ("http://10.0.0.1:8265", "me@bastion.example")
    assert "me@bastion.example" in (await here("clusters", "list")).text


async def test_a_destination_that_ssh_would_misread_is_not_written_down() -> None:
    done = await here("clusters", "add", "lab", "10.0.0.1:8265", "--ssh", "-oProxyCommand=x")
    assert (done.code, settings.load_settings().contexts) == (2, {})
    done = await here("clusters", "add", "lab", "10.0.0.1:8265", "--ssh=-oProxyCommand=x")
    assert (done.code, settings.load_settings().contexts) == (2, {})
    assert "is not a valid SSH destination" in done.err


async def test_the_first_cluster_is_in_use_and_its_file_is_private() -> None:
    done = await here("clusters", "add", "lab", "http://10.0.0.1:8265", "--read-only", "--json")
    assert done.data["cluster"]["current"] is True
    assert done.data["cluster"]["read_only"] is True
    assert settings.config_file().stat().st_mode & 0o777 == 0o600


async def test_a_linked_file_stays_a_link_with_its_mode(home: Path, tmp_path: Path) -> None:
    write_contexts(home, FILE)
    real = tmp_path / "dotfiles.toml"
    settings.config_file().rename(real)
    real.chmod(0o640)
    settings.config_file().symlink_to(real)
    assert (await here("clusters", "add", "two", "https://h:1")).code == 0
    assert settings.config_file().is_symlink()
    assert "[contexts.two]" in real.read_text()
    assert real.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("lab", "https://h:1"), "There is a cluster lab already: http://h:1."),
        (("local", "https://h:1"), "is the Ray of `local up`"),
        (("", "https://h:1"), "cannot be the name"),
        (("new\nline", "https://h:1"), "cannot be the name"),
        (("two", "ray://head:10001"), "http://head:8265"),
        (("two", "http://me:pw@h:1"), "must not contain a user name"),
        (("two", "https://h:1", "--token", "hunter2hunter2"), "--token takes a reference"),
        (("two", "https://h:1", "--pin", "sha256:12"), "fingerprint"),
        (("two", "https://h:1", "--sdl", "missing.yaml"), "missing.yaml"),
    ],
)
async def test_what_cannot_be_added_is_said_and_changes_nothing(
    home: Path, arguments: tuple[str, ...], words: str
) -> None:
    write_contexts(home, FILE)
    done = await here("clusters", "add", *arguments)
    assert done.code == 2
    assert words in done.err
    assert "hunter2" not in done.err
    assert "pw@" not in done.err
    assert config() == FILE


async def test_a_name_that_nobody_has(home: Path) -> None:
    write_contexts(home, FILE)
    for command in ("use", "remove", "check"):
        done = await here("clusters", command, "lba")
        assert (done.code, "Did you mean lab?" in done.err) == (2, True)
    assert "Known clusters: lab." in (await here("clusters", "use", "elsewhere")).err


async def test_a_broken_file_is_not_edited_and_the_rest_of_it_is_used(home: Path) -> None:
    write_contexts(home, FILE + "[contexts.bad]\naddress = \n")
    done = await here("clusters", "list")
    assert "lab" in done.text
    assert ":10:" in done.err
    done = await here("clusters", "add", "two", "https://h:1")
    assert (done.code, "was not changed" in done.err) == (2, True)
    assert "two" not in config()


async def test_one_cluster_is_not_taken_for_another_that_is_not_understood(home: Path) -> None:
    write_contexts(home, '[contexts.good]\naddress = "http://127.0.0.1:1"\n[contexts.bad]\nadress = "h:1"\n')
    done = await here("jobs")
    assert (done.code, "Several clusters are known: bad, good" in done.err) == (2, True)


async def test_a_file_in_the_place_of_the_directory() -> None:
    settings.config_directory().parent.mkdir(parents=True, exist_ok=True)
    settings.config_directory().write_text("")
    done = await here("clusters", "add", "two", "https://h:1")
    assert done.code == 2
    assert str(settings.config_directory()) in done.err


async def test_what_was_agreed_to_holds_also_where_nothing_can_be_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = FakeRay()
    ray.token = "t" * 32
    monkeypatch.setenv("RAY_AUTH_TOKEN", ray.token)
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nowhere")
    monkeypatch.setattr("cockpit.clients.address.Address.is_loopback", False)
    async with WireServer(ray.handle) as server:
        done = await here("jobs", "--address", server.url, "--json")
        assert (done.code, "--send-token" in done.err) == (4, True)
        done = await here("jobs", "--address", server.url, "--json", "--send-token")
    assert done.code == 0, done.err


async def test_a_directory_that_cannot_be_written_to_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nowhere")
    done = await here("clusters", "add", "two", "https://h:1")
    assert done.code == 2
    assert "/proc/nowhere" in done.err
    assert "XDG_STATE_HOME" in done.err
    assert settings.load_settings().contexts == {}


async def test_a_mistyped_setting_is_told_with_the_one_that_was_meant(home: Path) -> None:
    write_contexts(home, '[contexts.lab]\nadress = "h:1"\n[ui]\ntehme = "light"\n')
    done = await here("clusters", "list")
    assert "context 'lab' is left out: `adress` is not a known setting; did you mean `address`?" in done.err
    assert "[ui] is left out: `tehme` is not a known setting; did you mean `theme`?" in done.err


# --- addresses as people have them ---


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://h.example", "https://h.example:443"),
        ("http://h.example:8265/ray", "http://h.example:8265/ray"),
        ("abc123.ingress.provider.example", "https://abc123.ingress.provider.example:443"),
        ("127.0.0.1", "http://127.0.0.1:8265"),
        ("localhost:9000", "http://localhost:9000"),
        ("[::1]:9000", "http://[::1]:9000"),
    ],
)
async def test_addresses_that_need_no_asking(text: str, found: str) -> None:
    assert str(await find_address(text)) == found


async def test_a_port_is_asked_which_one_it_speaks(tmp_path: Path) -> None:
    import cockpit.operations.clusters.contexts as contexts
    from cockpit.clients.address import Address

    ray = FakeRay()
    async with WireServer(ray.handle, tls=issue(tmp_path).server()) as server:
        assert await contexts._speaks_tls(Address("https", "127.0.0.1", server.port))
        assert server.requests == []
    async with WireServer(ray.handle) as server:
        assert not await contexts._speaks_tls(Address("https", "127.0.0.1", server.port))
        assert server.requests == []
        port = server.port
    with pytest.raises(UnreachableError, match="http or https") as caught:
        await contexts._speaks_tls(Address("https", "127.0.0.1", port))
    assert f"https://127.0.0.1:{port}" in caught.value.hint


async def test_ray_client_is_explained() -> None:
    with pytest.raises(UsageError, match="does not speak HTTP") as caught:
        await find_address("ray://10.0.0.1:10001")
    assert "http://10.0.0.1:8265" in caught.value.hint


# --- with an SDL ---


async def test_an_sdl_knows_token_and_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAYAKASH_VAULT_PASSPHRASE", "a long enough passphrase")
    sdl = tmp_path / "train.yaml"
    assert (await here("sdl", "new", "ray-cpu", "-o", str(sdl))).code == 0
    assert (await here("secrets", "generate", "tls", "--scope", "train")).code == 0
    done = await here("clusters", "add", "lab", "provider.example:31871", "--sdl", str(sdl))
    assert done.code == 0, done.err
    context = settings.load_settings().contexts["lab"]
    assert (context.address, context.token) == ("https://provider.example:31871", "ac-secret://RAY_AUTH_TOKEN")
    assert (context.scope, context.pin) == ("train", made_certificates(("train",))[0].fingerprint)
    assert "token and certificate are those of train.yaml" in done.err


async def test_the_token_is_found_in_the_scope_of_the_sdl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cockpit.operations.clusters.connect import Selection, choose
    from cockpit.secrets.references import process_store

    context = settings.Context(address="http://127.0.0.1:1", token="ac-secret://RAY_AUTH_TOKEN", scope="train")
    write_contexts(
        tmp_path, f'[contexts.lab]\naddress = "{context.address}"\ntoken = "{context.token}"\nscope = "train"\n'
    )
    with pytest.raises(UsageError, match="RAY_AUTH_TOKEN has no value"):
        choose(Selection(context="lab"))
    monkeypatch.setattr(process_store(), "_session", {("train", "RAY_AUTH_TOKEN"): _secret("t" * 32)}, raising=True)
    target = choose(Selection(context="lab"))
    assert target.token is not None
    assert target.token.value.reveal() == "t" * 32
    assert target.scopes == ("train", "lab", "default")


def _secret(value: str) -> object:
    from cockpit.model.secret import Secret

    return Secret(value)


async def test_an_sdl_without_ray(tmp_path: Path) -> None:
    sdl = tmp_path / "web.yaml"
    sdl.write_text('version: "2.0"\nservices:\n  web:\n    image: nginx\n')
    done = await here("clusters", "add", "lab", "h:1", "--sdl", str(sdl))
    assert (done.code, "does not start Ray" in done.err) == (2, True)


# --- check ---


async def test_check_of_a_good_and_a_bad_one(home: Path) -> None:
    async with talking_to(FakeRay()) as (_, server):
        write_contexts(
            home, f'[contexts.good]\naddress = "{server.url}"\n[contexts.gone]\naddress = "http://127.0.0.1:1"\n'
        )
        done = await here("clusters", "check", "--json")
        rows = {row["name"]: row for row in done.data["clusters"]}
        assert done.code == 3
        assert rows["good"]["ok"] is True
        assert [check["name"] for check in rows["good"]["checks"]] == [
            "settings", "name", "port", "ray", "access", "clock", "latency", "exposure",
        ]  # fmt: skip
        assert [check["fault"] for check in rows["gone"]["checks"]][-1] == "refused"
        assert (await here("clusters", "check", "good")).code == 0


async def test_commands_tell_what_is_wrong_with_the_file(home: Path) -> None:
    async with talking_to(FakeRay()) as (_, server):
        write_contexts(home, f'[contexts.lab]\naddress = "{server.url}"\n[contexts.lab]\naddress = "h"\n')
        done = await here("-c", "lab", "jobs", "--json")
    assert done.code == 0
    assert "two contexts are called 'lab'" in done.err
