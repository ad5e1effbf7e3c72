"""`sdl up|down|ps` without a container: what the plan is, what is refused, and how an engine's refusal is told."""

import json
import stat
from pathlib import Path

import pytest

from cockpit.errors import UsageError
from cockpit.local.containers import state
from cockpit.local.containers.cluster import Running
from cockpit.local.containers.engine import Engine
from cockpit.local.containers.environment import given
from cockpit.local.containers.plan import Machine, Plan, plan_of
from cockpit.model.secret import Secret
from cockpit.operations.clusters.connect import Selection, choose
from cockpit.operations.clusters.opening import known_contexts
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.view import View
from cockpit.settings import Context, config_file
from tests.sdl.conftest import SMALL, Sdl
from tests.sdl.test_templates import NAMES, document

GIB = 1 << 30
LARGE = Machine(cpus=64, memory=1 << 40)

# Answers as podman and docker do, and writes down how it was called; `$FAKE/no-NAME` makes NAME fail with its text.
FAKE = """#!/bin/sh
folder={folder}
printf '%s\\n' "$*" >>$folder/calls
if [ -e "$folder/no-$1" ]; then cat "$folder/no-$1" >&2; exit 125; fi
case $1 in
  info) echo 4 8589934592 ;;
  image) [ ! -e $folder/no-image-here ] ;;
  ps) [ ! -e $folder/rows ] || echo abc ;;
  inspect) cat $folder/rows ;;
esac
"""


class Fake:
    """A program in the place of podman."""

    def __init__(self, folder: Path, name: str = "podman") -> None:
        self.folder = folder
        self.path = folder / name
        self.path.write_text(FAKE.format(folder=folder))
        self.path.chmod(0o755)

    def refuses(self, command: str, words: str) -> None:
        (self.folder / f"no-{command}").write_text(words)

    def shows(self, *rows: object) -> None:
        (self.folder / "rows").write_text(json.dumps(rows))

    @property
    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    folder = tmp_path / "engine"
    folder.mkdir()
    found = Fake(folder)
    monkeypatch.setenv("RAYAKASH_CONTAINER_ENGINE", str(found.path))
    return found


def plan(text: str, machine: Machine = LARGE, most: int | None = None) -> Plan:
    return plan_of(View(SdlDocument(text).tree.root), machine, most=most)


# --- the plan --------------------------------------------------------------------------------------------------------


def test_a_template_as_containers() -> None:
    found = plan(document("ray-cpu").text)
    assert [(one.service, one.count, one.is_ray) for one in found.containers] == [
        ("gateway", 1, False), ("ray-head", 1, True), ("ray-worker", 2, True),
    ]  # fmt: skip
    gateway, head, worker = found.containers
    assert (found.nodes, found.doors, found.notices) == (3, (("gateway", 8443),), ())
    # As on a provider, shared memory comes on top of the memory.
    assert (head.memory, head.shared_memory, head.cpus) == (6 * GIB, 2 * GIB, 2)
    assert (worker.memory, worker.shared_memory, worker.cpus) == (11 * GIB, 3 * GIB, 4)
    assert (gateway.public, head.public, worker.public) == ((8443,), (), ())
    assert (head.has_name, head.internal, worker.has_name) == (True, (6379, 8265), False)
    assert head.command == ("/bin/sh", "-c")
    assert "RAY_AUTH_TOKEN" not in repr(head.env).replace("'RAY_AUTH_TOKEN': ***", "")


@pytest.mark.parametrize("name", NAMES)
def test_gpus_are_left_out_with_a_notice(name: str) -> None:
    found = plan(document(name).text)
    gpus = [notice for notice in found.notices if "GPU" in notice]
    assert len(gpus) == {"ray-cpu": 0, "ray-gpu": 2, "ray-gpu-storage": 2, "ray-gpu-1x6": 1}[name]


def test_a_small_machine_gets_what_it_can_hold() -> None:
    found = plan(document("ray-gpu-1x6").text, Machine(cpus=2, memory=8 * GIB), most=2)
    assert [one.count for one in found.containers] == [1, 1, 2]
    assert all((one.cpus or 0) <= 2 for one in found.containers)
    said = "\n".join(found.notices)
    assert "ray-worker: 12 CPUs are asked for, this machine has 2." in said
    assert "ray-worker: 2 of 6 replicas." in said
    assert "this machine has 8.0 GiB" in said


def test_a_dashboard_without_a_gateway_is_the_door_itself() -> None:
    text = (
        SMALL.replace("nginx:1.27", "rayproject/ray:2").replace("web", "ray-head").replace("port: 80\n", "port: 8265\n")
    )
    assert plan(text).doors == (("ray-head", 8265),)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("    image: nginx:1.27 # pinned\n", "", "services.web.image is missing"),
        ("      count: 1\n", "", "deployment.web.dc.count is missing"),
        ("profile: web", "profile: other", "profiles.compute.other is missing"),
    ],
)
def test_what_no_container_can_do_without(old: str, new: str, words: str) -> None:
    assert old in SMALL
    with pytest.raises(UsageError, match=words.replace(".", r"\.")):
        plan(SMALL.replace(old, new))


# --- env -------------------------------------------------------------------------------------------------------------


def test_values_go_by_a_file_for_us_alone_and_by_stdin(fake: Fake) -> None:
    engine = Engine("podman", str(fake.path))
    with given(engine, "p.", {"PLAIN": Secret("a b=c"), "LINES": Secret("one\ntwo")}) as options:
        file = Path(options[options.index("--env-file") + 1])
        assert file.read_text() == "PLAIN=a b=c\n"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        assert options[2:] == ["--secret", "p.LINES,type=env,target=LINES"]
    assert not file.exists()
    assert fake.calls == ["secret create p.LINES -"]


def test_docker_refuses_what_its_file_cannot_hold(fake: Fake) -> None:
    with (
        pytest.raises(UsageError, match="LINES"),
        given(Engine("docker", str(fake.path)), "p.", {"LINES": Secret("a\nb")}),
    ):
        pytest.fail("it was let through")


@pytest.mark.parametrize("env", [{"A B": Secret("x")}, {"A": Secret("x\0y")}])
def test_what_no_variable_can_be(fake: Fake, env: dict[str, Secret]) -> None:
    with pytest.raises(UsageError), given(Engine("podman", str(fake.path)), "p.", env):
        pytest.fail("it was let through")


# --- refusals --------------------------------------------------------------------------------------------------------


def test_no_engine(sdl: Sdl, small: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for command in (("up", small), ("down",), ("ps",)):
        done = sdl(*command)
        assert done.code == 2
        assert "podman and docker cannot be found" in done.err
        assert "apt-get install podman" in done.err


def test_an_engine_that_does_not_work(sdl: Sdl, small: Path, fake: Fake) -> None:
    fake.refuses("info", "Cannot connect to Podman")
    done = sdl("up", small)
    assert done.code == 2
    assert "podman is installed and does not work" in done.err
    assert "Cannot connect to Podman" in done.err


def test_an_image_that_nobody_has(sdl: Sdl, small: Path, fake: Fake) -> None:
    (fake.folder / "no-image-here").touch()
    fake.refuses("pull", "manifest unknown")
    done = sdl("up", small)
    assert done.code == 2
    assert "The image nginx:1.27 is not on this machine and cannot be pulled" in done.err
    assert "docker/README.md" in done.err
    assert not any(call.startswith("run") for call in fake.calls)


def test_a_container_that_is_refused_leaves_nothing(sdl: Sdl, small: Path, fake: Fake) -> None:
    fake.refuses("run", "netavark: no iptables")
    done = sdl("up", small)
    assert done.code == 1
    assert "podman run was refused" in done.err
    assert "no iptables" in done.err
    after = fake.calls[next(index for index, call in enumerate(fake.calls) if call.startswith("run ")) :]
    assert any(call.startswith("network ls") for call in after), "what was begun is cleared up"
    assert known_contexts() == []


@pytest.mark.usefixtures("fake")
def test_a_secret_in_args_is_refused(sdl: Sdl, small: Path) -> None:
    small.write_text(small.read_text().replace("    env:\n", '    args: ["ac-secret://PASSWORD"]\n    env:\n'))
    done = sdl("up", small)
    assert done.code == 2
    assert "services.web.args.0 refers to a secret" in done.err


@pytest.mark.usefixtures("fake")
def test_what_can_be_made_for_whoever_lacks_it(sdl: Sdl, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    assert sdl("new", "ray-cpu", "-o", path).code == 0
    done = sdl("up", path)
    assert done.code == 2
    assert "secrets generate RAY_AUTH_TOKEN --scope mine" in done.err
    assert "secrets generate tls --scope mine" in done.err


def test_a_certificate_that_is_none_is_told_before_anything_starts(
    sdl: Sdl, fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RAY_AUTH_TOKEN", "GATEWAY_TLS_CERTIFICATE", "GATEWAY_TLS_KEY"):
        monkeypatch.setenv(f"RAYAKASH_SECRET_{name}", "n0 certificate, and long enough for a token")
    path = tmp_path / "mine.yaml"
    assert sdl("new", "ray-cpu", "-o", path).code == 0
    done = sdl("up", path)
    assert done.code == 2
    assert "services.gateway.env: GATEWAY_TLS_CERTIFICATE is not a PEM certificate" in done.err
    assert not any(call.startswith(("run", "network create")) for call in fake.calls)


@pytest.mark.usefixtures("fake")
def test_more_containers_than_addresses(sdl: Sdl, small: Path) -> None:
    small.write_text(small.read_text().replace("count: 1", "count: 201"))
    done = sdl("up", small)
    assert done.code == 2
    assert "--replicas N" in done.err


@pytest.mark.usefixtures("fake")
def test_a_name_that_is_taken(sdl: Sdl, small: Path) -> None:
    config_file().parent.mkdir(parents=True)
    config_file().write_text('[contexts.web]\naddress = "https://ray.example"\n')
    done = sdl("up", small)
    assert done.code == 2
    assert "has a context web of its own" in done.err
    assert "--name OTHER" in done.err
    assert sdl("up", small, "--name", "local").code == 2


# --- what runs -------------------------------------------------------------------------------------------------------


def _row(name: str = "web", status: str = "running", **more: object) -> dict[str, object]:
    labels = {"rayakash.cluster": name, "rayakash.service": "web", "rayakash.file": "web.yaml"}
    return {
        "Name": f"/rayakash-{name}-web-0",
        "Config": {"Labels": labels},
        "State": {"Status": status, "ExitCode": 78, "StartedAt": "2026-01-01T00:00:00Z"},
        "NetworkSettings": {
            "Ports": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "32768"}], "81/tcp": None},
            "Networks": {"n": {"IPAddress": "10.213.1.10"}},
        },
        **more,
    }


def test_a_list_of_what_runs(sdl: Sdl, fake: Fake) -> None:
    assert sdl("ps").code == 1
    fake.shows(_row(), _row("other", "exited", RestartCount=3))
    done = sdl("ps")
    assert done.code == 0
    assert "127.0.0.1:32768 → 80" in done.out
    assert "exited (78), restarted 3×" in done.out
    rows = sdl("ps", "--json").json()["containers"]
    assert [(row["cluster"], row["state"], row["exit_code"]) for row in rows] == [
        ("other", "exited", 78), ("web", "running", None),
    ]  # fmt: skip
    assert rows[1]["ports"] == [{"port": 80, "host": "127.0.0.1", "host_port": 32768}]


def test_down_wants_a_name_where_several_are_up(sdl: Sdl, fake: Fake) -> None:
    assert sdl("down").code == 1
    fake.shows(_row(), _row("other"))
    done = sdl("down")
    assert done.code == 2
    assert "other, web" in done.err


@pytest.mark.parametrize(
    ("code", "restarts", "is_over"),
    [(None, 0, False), (1, 0, False), (137, 2, False), (1, 3, True), (78, 0, True), (69, 0, True), (0, 0, True)],
)
def test_when_a_container_has_ended_for_good(code: int | None, restarts: int, is_over: bool) -> None:
    one = Running(
        cluster="c", service="s", container="c-s-0", file="", state="exited", exit_code=code, restarts=restarts,
        started="", ip="", ports={},
    )  # fmt: skip
    assert one.is_over == is_over


# --- contexts --------------------------------------------------------------------------------------------------------


def test_a_cluster_in_containers_is_a_context_until_it_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAYAKASH_SECRET_RAY_AUTH_TOKEN", "t" * 43)
    pin = "sha256:" + "a" * 64
    context = Context(address="https://127.0.0.1:8443", token="ac-secret://RAY_AUTH_TOKEN", pin=pin)
    state.remember("mine", state.Kept(context, "lab"))
    assert known_contexts() == ["mine"]
    target = choose(Selection(context="mine"))
    assert (str(target.address), target.tls.pin) == ("https://127.0.0.1:8443", pin)
    assert target.token is not None
    assert target.token.value == Secret("t" * 43)
    assert stat.S_IMODE(state.state_path().stat().st_mode) == 0o600
    assert "t" * 43 not in state.state_path().read_text()
    state.forget("mine")
    assert known_contexts() == []
    with pytest.raises(UsageError, match="No context named 'mine'"):
        choose(Selection(context="mine"))


def test_an_unreadable_state_is_told_before_anything_starts(sdl: Sdl, small: Path, fake: Fake) -> None:
    state.state_path().parent.mkdir(parents=True)
    state.state_path().write_text("{")
    done = sdl("up", small)
    assert done.code == 2
    assert "containers.json cannot be read" in done.err
    assert not any(call.startswith("run") for call in fake.calls)
