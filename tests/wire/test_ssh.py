"""The way through a bastion: a real sshd, a real ssh, and the simulated dashboard behind them."""

import asyncio
import os
import signal
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cockpit.clients.ray import RayClient
from cockpit.clients.ssh.questions import SshQuestion, answer_ssh_with
from cockpit.clients.ssh.route import route_to
from cockpit.clients.ssh.tunnel import Tunnel
from cockpit.errors import AuthenticationError, CockpitError, UnreachableError, UntrustedError, UsageError
from cockpit.local.processes import table
from cockpit.model.secret import Secret
from cockpit.operations.clusters.connect import Selection, choose, connect, open_questions
from cockpit.operations.clusters.live import LiveCluster
from cockpit.settings import Consents
from tests.sim import SimServer
from tests.ssh_server import Bastion, make_key, needs_sshd
from tests.wire.behind import bastion, lock_key, nobody_answers, ours, ray, runtime
from tests.wire.commands import alone, finish, home, says, start, write_contexts
from tests.wire.fake_ray import FakeRay, serve
from tests.wire.server import until

__all__ = ["bastion", "home", "nobody_answers", "ray", "runtime"]

pytestmark = [needs_sshd, pytest.mark.usefixtures("home", "bastion", "nobody_answers"), pytest.mark.lengthy]


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[RayClient]:
    client = await connect(choose(Selection(address=url, ssh="bastion"), {}))
    async with client:
        yield client


def tunnel_of(client: RayClient) -> Tunnel:
    passage = client.transport.endpoint.passage
    assert isinstance(passage, Tunnel)
    return passage


async def failure(url: str) -> CockpitError:
    """The error of a first request."""
    with pytest.raises(CockpitError) as caught:
        async with connected(url) as client:
            await client.jobs.list()
    return caught.value


# What it is for


async def test_jobs_come_through_a_socket_that_nobody_else_can_reach(ray: SimServer, runtime: Path) -> None:
    async with connected(ray.url) as client:
        assert len((await client.jobs.list()).rows) == 5
        tunnel = tunnel_of(client)
        assert tunnel.trouble() == ""
        path = Path(tunnel.socket)
        assert mode_of(path.parent) == 0o700
        assert mode_of(path) == 0o600
        assert not listens_on_tcp(tunnel)
        assert ours(runtime)
    assert not ours(runtime)
    assert not path.parent.exists()


def listens_on_tcp(tunnel: Tunnel) -> bool:
    """Whether an ssh of the tunnel listens on any TCP port."""
    pids = [pid for pid in table() if tunnel.socket in _command_line(pid)]
    inodes = {
        os.readlink(entry)
        for pid in pids
        for entry in Path(f"/proc/{pid}/fd").iterdir()
        if entry.is_symlink() and os.path.lexists(entry)
    }
    listening = {f"socket:[{line.split()[9]}]" for line in _tcp_lines() if line.split()[3] == "0A"}
    return bool(inodes & listening)


def _tcp_lines() -> list[str]:
    return [line for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


@pytest.mark.parametrize("before", [True, False])
async def test_every_command_takes_the_option_before_and_after(ray: SimServer, before: bool) -> None:
    options = ["--ssh", "bastion", "--address", ray.url]
    command = [*options, "jobs", "--json"] if before else ["jobs", "--json", *options]
    done = await alone(*command)
    assert (done.code, done.err) == (0, "")
    assert done.data["total"] == 5


async def test_a_context_names_its_bastion(bastion: Bastion, ray: SimServer, home: Path) -> None:
    write_contexts(home, f'[contexts.lab]\naddress = "{ray.url}"\nssh = "bastion"\n')
    assert (await alone("nodes", "-c", "lab", "--json")).data["total"] == 2
    await ray.refuse()
    bastion.end()
    done = await alone("nodes", "-c", "lab")
    assert done.code == 3
    assert "bastion does not answer" in done.err


async def test_a_context_that_gains_and_loses_its_bastion_is_followed(home: Path) -> None:
    """As a cockpit has it open: its tunnel's changes are heard too."""
    ways = {"direct": "", "behind": 'ssh = "bastion"\n'}
    async with serve(FakeRay()) as gone:
        write_contexts(home, f'[contexts.lab]\naddress = "{gone.url}"\n')
        client = await connect(choose(Selection(context="lab")))
        await client.version()
    before, tunnels, crashed = gone, list[Tunnel](), list[BaseException]()
    async with LiveCluster(client, name="lab", on_crash=crashed.append) as cluster:
        for way in ("behind", "direct", "behind"):
            ray = FakeRay()
            ray.add(way)
            async with serve(ray) as server:
                write_contexts(home, f'[contexts.lab]\naddress = "{server.url}"\n{ways[way]}')
                await before.refuse()
                with pytest.raises(UnreachableError):
                    await client.version()
                assert (await client.jobs.get(way)).id == way
                assert (cluster.endpoint.passage is None) is (way == "direct")
                if way == "behind":
                    tunnels.append(tunnel_of(client))
                    assert cluster._way_changed in tunnels[-1]._callbacks
                before = server
    assert [Path(tunnel.socket).parent.exists() for tunnel in tunnels] == [False, False]
    assert not crashed


@pytest.mark.parametrize(("given", "line"), [(None, 'ssh = "bastion"\n'), ("bastion", "")], ids=["saved", "--ssh"])
async def test_a_corrected_address_behind_the_bastion_is_used_by_the_next_request(
    home: Path, given: str | None, line: str
) -> None:
    before, after = FakeRay(), FakeRay()
    after.add("here")
    told = []
    async with serve(before) as gone, serve(after) as server:
        write_contexts(home, f'[contexts.lab]\naddress = "{gone.url}"\n{line}')
        async with await connect(choose(Selection(context="lab", ssh=given))) as client:
            await client.version()
            tunnel = tunnel_of(client)
            tunnel.on_change(lambda: told.append(tunnel.state.phase))
            write_contexts(home, f'[contexts.lab]\naddress = "{server.url}"\n{line}')
            await gone.refuse()
            with pytest.raises(UnreachableError):
                await client.version()
            assert (await client.jobs.get("here")).id == "here"
            assert tunnel_of(client) is tunnel
            assert told[-2:] == ["connecting", "up"]


async def test_a_port_is_opened_on_request_only(ray: SimServer) -> None:
    port = free_port()
    client = await connect(choose(Selection(address=ray.url, ssh="bastion", ssh_port=port), {}))
    async with client:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /api/version HTTP/1.0\r\n\r\n")
        assert b"200" in await reader.readline()
        writer.close()
        with pytest.raises(UsageError, match="cannot listen"):
            await connect(choose(Selection(address=ray.url, ssh="bastion", ssh_port=port), {}))


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_token_of_this_machine_is_not_for_the_loopback_of_another() -> None:
    environment = {"RAY_AUTH_TOKEN": "t" * 32}
    here = choose(Selection(address="http://127.0.0.1:8265"), environment)
    there = choose(Selection(address="http://127.0.0.1:8265", ssh="bastion"), environment)
    assert open_questions(here, Consents(), environment) == []
    (question,) = open_questions(there, Consents(), environment)
    assert "http://127.0.0.1:8265 via bastion" in question.text
    agreed = Consents(ray_token=frozenset({"http://127.0.0.1:8265"}))
    assert open_questions(there, agreed, environment) == [question]


def test_a_bastion_alone_means_the_ray_on_it() -> None:
    assert str(choose(Selection(ssh="bastion"), {}).address) == "http://127.0.0.1:8265"


@pytest.mark.parametrize("text", ["-oProxyCommand=x", "a b", "", "a\nb"])
def test_what_ssh_would_take_for_an_option_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        choose(Selection(address="http://h", ssh=text), {})


def test_a_host_that_ssh_would_misread_is_refused() -> None:
    with pytest.raises(UsageError):
        route_to("a b", 1, through="bastion")


# It comes back


async def test_a_bastion_that_reboots_brings_the_cluster_back_by_itself(bastion: Bastion, ray: SimServer) -> None:
    async with connected(ray.url) as client:
        await client.jobs.list()
        bastion.end()
        tunnel = tunnel_of(client)
        with pytest.raises(UnreachableError, match=r"The SSH tunnel is down\."):
            await client.jobs.list()
        await until(lambda: "again in" in tunnel.trouble())
        bastion.start()
        await until(lambda: not tunnel.trouble())
        assert len((await client.jobs.list()).rows) == 5


async def test_who_does_not_want_to_wait_need_not(
    bastion: Bastion, ray: SimServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connected(ray.url) as client:
        tunnel = tunnel_of(client)
        monkeypatch.setattr("cockpit.clients.ssh.tunnel.FIRST_DELAY_S", 1e6)
        bastion.end()
        await until(lambda: "again in" in tunnel.trouble())
        bastion.start()
        tunnel.hurry()
        await until(lambda: not tunnel.trouble())


async def test_what_was_given_up_is_asked_again_on_request(bastion: Bastion, ray: SimServer) -> None:
    lock_key(bastion)
    answers: list[Secret | None] = [Secret("sesame"), None, Secret("sesame")]

    async def answer(_: SshQuestion) -> Secret | None:
        return answers.pop(0)

    answer_ssh_with(answer)
    async with connected(ray.url) as client:
        tunnel = tunnel_of(client)
        bastion.end()
        await until(lambda: "again in" in tunnel.trouble())
        bastion.start()
        await until(lambda: tunnel.trouble() == "gave up; press r to retry")
        tunnel.hurry()
        await until(lambda: not tunnel.trouble())
        assert answers == []


async def test_a_followed_log_goes_on_after_a_reboot_of_the_bastion(bastion: Bastion) -> None:
    fake = FakeRay()
    fake.add("x", "RUNNING", log=b"one\n")
    async with serve(fake) as server:
        process = await start("logs", "x", "-f", "--address", server.url, "--ssh", "bastion")
        await says(process.stdout, "one")
        bastion.end()
        await says(process.stderr, "The SSH tunnel is down.")
        bastion.start()
        fake.log("x").write(b"two\n")
        await says(process.stdout, "two")
        process.send_signal(signal.SIGINT)
        assert (await finish(process)).code == 130


async def test_what_is_asked_before_the_first_request_waits_for_the_bastion_too(
    bastion: Bastion, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whether the cluster wants the token of this machine, which nobody has agreed to send there, is asked first.
    monkeypatch.setenv("RAY_AUTH_TOKEN", "t" * 32)
    fake = FakeRay()
    fake.add("x", "SUCCEEDED", log=b"one\n")
    async with serve(fake) as server:
        bastion.end()
        at_once = await alone("logs", "x", "--address", server.url, "--ssh", "bastion")
        assert (at_once.code, "Trying again" in at_once.err) == (3, False)
        process = await start("logs", "x", "--address", server.url, "--ssh", "bastion", "--retry-for", "5m")
        await says(process.stderr, "Trying again in")
        bastion.start()
        done = await finish(process)
        assert (done.code, done.out) == (0, b"one\n")


async def test_a_stale_socket_is_in_nobodys_way(bastion: Bastion, ray: SimServer) -> None:
    async with connected(ray.url) as client:
        tunnel = tunnel_of(client)
        bastion.end()
        await until(lambda: "again in" in tunnel.trouble())
        leave_behind(Path(tunnel.socket))
        bastion.start()
        await until(lambda: not tunnel.trouble())
        assert len((await client.jobs.list()).rows) == 5


def leave_behind(path: Path) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
async def test_nothing_is_left_when_the_cockpit_is_killed(runtime: Path, number: signal.Signals) -> None:
    fake = FakeRay()
    fake.add("x", "RUNNING", log=b"one\n")
    async with serve(fake) as server:
        process = await start("logs", "x", "-f", "--address", server.url, "--ssh", "bastion")
        await says(process.stdout, "one")
        assert ours(runtime)
        process.send_signal(number)
        await process.wait()
        await until(lambda: not ours(runtime))
        await until(lambda: not list(runtime.iterdir()))


# What goes wrong


async def test_a_changed_host_key_stops_before_anything_is_sent(bastion: Bastion, ray: SimServer) -> None:
    bastion.know_host(make_key(bastion.directory / "other"))
    error = await failure(ray.url)
    assert isinstance(error, UntrustedError)
    assert error.title == "The host key of bastion has changed; nothing was sent there."


async def test_an_unknown_host_is_not_trusted_where_nobody_can_be_asked(bastion: Bastion, ray: SimServer) -> None:
    (bastion.directory / "known_hosts").unlink()
    error = await failure(ray.url)
    assert isinstance(error, UntrustedError)
    assert error.title == "bastion is not known yet."


async def test_an_unknown_host_is_asked_about(bastion: Bastion, ray: SimServer) -> None:
    (bastion.directory / "known_hosts").unlink()
    asked: list[SshQuestion] = []

    async def agree(question: SshQuestion) -> Secret:
        asked.append(question)
        return Secret("yes")

    answer_ssh_with(agree)
    async with connected(ray.url) as client:
        await client.jobs.list()
    (question,) = asked
    assert question.is_shown
    assert "SHA256:" in question.text


async def test_a_passphrase_is_asked_for_and_giving_up_ends_it(bastion: Bastion, ray: SimServer) -> None:
    key = make_key(bastion.directory / "locked", "sesame")
    bastion.accept(key)
    bastion.client(IdentityFile=str(key))
    answers: list[Secret | None] = [Secret("wrong"), Secret("sesame")]
    asked: list[SshQuestion] = []

    async def answer(question: SshQuestion) -> Secret | None:
        asked.append(question)
        return answers.pop(0)

    answer_ssh_with(answer)
    async with connected(ray.url) as client:
        await client.jobs.list()
    assert [question.is_shown for question in asked] == [False, False]
    assert "passphrase" in asked[0].text
    answers[:] = [None]
    error = await failure(ray.url)
    assert isinstance(error, AuthenticationError)
    answer_ssh_with(None)
    error = await failure(ray.url)
    assert error.title == "bastion refused the login."
    assert "ssh-agent" in error.hint


async def test_a_question_that_ssh_takes_back_is_taken_back(bastion: Bastion, ray: SimServer) -> None:
    (bastion.directory / "known_hosts").unlink()
    asked, taken_back = asyncio.Event(), asyncio.Event()

    async def ponder(_: SshQuestion) -> Secret | None:
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            taken_back.set()
        return None

    answer_ssh_with(ponder)
    connecting = asyncio.ensure_future(connect(choose(Selection(address=ray.url, ssh="bastion"), {})))
    async with asyncio.timeout(60):
        await asked.wait()
        connecting.cancel()
        await asyncio.wait({connecting})
        await taken_back.wait()


async def test_forbidden_forwarding_is_told_as_such(bastion: Bastion, ray: SimServer) -> None:
    bastion.end()
    bastion.settings["AllowTcpForwarding"] = "no"
    bastion.start()
    error = await failure(ray.url)
    assert isinstance(error, UnreachableError)
    assert error.title == "bastion accepts the login but forbids port forwarding."


async def test_a_cluster_that_is_away_behind_the_bastion_is_told_as_such(ray: SimServer) -> None:
    await ray.refuse()
    error = await failure(ray.url)
    assert error.title.startswith("From bastion, nothing answers at 127.0.0.1:")


async def test_a_bastion_that_is_away_is_told_as_such(bastion: Bastion, ray: SimServer) -> None:
    bastion.end()
    error = await failure(ray.url)
    assert isinstance(error, UnreachableError)
    assert error.title == "The SSH tunnel is down. bastion does not answer."


async def test_a_host_name_that_nobody_knows(ray: SimServer) -> None:
    target = choose(Selection(address=ray.url, ssh="no-such-host.invalid"), {})
    client = await connect(target)
    async with client:
        with pytest.raises(UnreachableError, match="No host is called"):
            await client.jobs.list()


async def test_no_ssh_on_this_machine(bastion: Bastion, ray: SimServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(bastion.directory))
    error = await failure(ray.url)
    assert isinstance(error, UsageError)
    assert error.title.startswith("`ssh` is not installed")


async def test_a_broken_configuration_of_ssh(bastion: Bastion, ray: SimServer) -> None:
    bastion.client(NoSuchOption="yes")
    error = await failure(ray.url)
    assert isinstance(error, UsageError)
    assert error.title == "ssh does not accept its configuration."


async def test_what_a_bastion_says_reaches_the_terminal_as_text(bastion: Bastion, ray: SimServer) -> None:
    bastion.end()
    banner = bastion.directory / "banner"
    banner.write_bytes(b"\x1b]0;owned\x07hello\n")
    bastion.settings["Banner"] = str(banner)
    bastion.accepted.clear()
    bastion.accept(make_key(bastion.directory / "nobodys"))
    bastion.start()
    done = await alone("jobs", "--address", ray.url, "--ssh", "bastion")
    assert done.code == 4
    assert "\x1b" not in done.err
    assert "refused the login" in done.err
