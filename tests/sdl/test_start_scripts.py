"""The start scripts of the templates as they run: they say what is wrong instead of running open, slow or for ever."""

import base64
import ctypes
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from tests.sdl.test_templates import script

TOKEN = "t" * 32


class Container:
    """Runs a start script with programs that only tell how they were called, and files of a container of our making."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.programs = folder / "bin"
        self.programs.mkdir()
        self.program("ray", 'printf "%s\\n" ray "$@"; env | grep -E "^(AWS|FSSPEC|RAY)_" | sort')
        self.program("caddy", 'printf "%s\\n" caddy "$@"')
        self.program("sleep", "exit 0")
        self.program("python3", "exit 0")  # the head is there
        self.shared_memory(4096)

    def program(self, name: str, text: str) -> None:
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def shared_memory(self, mib: int) -> None:
        table = (
            f"Filesystem 1024-blocks Used Available Capacity Mounted on\\ntmpfs {mib * 1024} 0 {mib * 1024} 0% /dev/shm"
        )
        self.program("df", f'printf "{table.replace("%", "%%")}\\n"')

    def text(self, service: str) -> str:
        return script(service).replace("/tmp/gateway", str(self.folder / "gateway"))

    def environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        usual = {"RAY_AUTH_TOKEN": TOKEN, "RAY_ADDRESS_HOST": "ray-head"}
        return {"PATH": f"{self.programs}:{os.environ['PATH']}", **usual, **variables}

    def run(self, service: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        command = ["sh", "-c", self.text(service)]
        environment = self.environment(variables)
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def container(tmp_path: Path) -> Container:
    return Container(tmp_path)


def test_a_head_gets_its_ports_and_what_the_container_has(container: Container) -> None:
    done = container.run("ray-head", RAY_AUTH_MODE="tokn")
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[:3] == ["ray", "start", "--head"]
    for flag in (
        "--block", "--port=6379", "--dashboard-host=0.0.0.0", "--dashboard-port=8265",
        f"--object-store-memory={(4096 << 20) * 9 // 10}",
    ):  # fmt: skip
        assert flag in said
    assert "RAY_AUTH_MODE=token" in said, "a mistyped mode would leave the cluster open"
    assert "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S=20" in said
    assert TOKEN not in done.stderr


@pytest.mark.parametrize("service", ["ray-head", "ray-worker"])
@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("", "needs at least 32 characters"),
        ("ac-secret://RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN has no value."),
        ("ac-" + "x" * 40, "is not a token"),
        ("short", "needs at least 32 characters"),
        ("x" * 31, "needs at least 32 characters"),
        ("x" * 32 + "\n", "is not a token"),
        ("x" * 32 + " y", "is not a token"),
    ],
)
def test_a_token_that_protects_nothing_is_refused(container: Container, service: str, token: str, words: str) -> None:
    done = container.run(service, RAY_AUTH_TOKEN=token)
    assert done.returncode == 78
    assert words in done.stderr
    assert done.stdout == ""
    assert not token or token.startswith("short") or token not in done.stderr.replace("RAY_AUTH_TOKEN", "")


def test_any_reference_that_nobody_resolved_is_named(container: Container) -> None:
    done = container.run("ray-worker", HF_TOKEN="ac-secret://HF_TOKEN", WANDB_API_KEY="ac-secret://W", OTHER="x")
    assert done.returncode == 78
    assert {"HF_TOKEN", "WANDB_API_KEY"} <= set(re.split(r"[ .]", done.stderr))


def test_values_reach_ray_as_they_were_given(container: Container) -> None:
    container.program("ray", 'printf "%s" "$ODD"')
    odd = """quotes " and ', $HOME, `id`, two  spaces\nNAME=ac-secret:in the middle\\ \ttab"""
    done = container.run("ray-head", ODD=odd)
    assert done.returncode == 0, done.stderr
    assert done.stdout == odd


# --- a worker and its head -------------------------------------------------------------------------------------------

# Fails so often, and tells how long it sleeps instead of sleeping.
FAKED = """
import socket, sys, time
time.sleep = lambda seconds: print("slept", seconds, file=sys.stderr, flush=True)
tries = []
def connect(address, timeout):
    tries.append(address)
    if len(tries) <= FAILURES:
        raise OSError(111, "Connection refused")
    return socket.socket()
socket.create_connection = connect
"""


def run_worker(container: Container, failures: int, host: str = "ray-head") -> "subprocess.CompletedProcess[str]":
    """A worker whose head takes no connection at first."""
    (container.programs / "python3").unlink()
    faked = FAKED.replace("FAILURES", str(failures))
    text = container.text("ray-worker").replace("\nimport socket, sys, time\n", faked, 1)
    environment = container.environment({"RAY_ADDRESS_HOST": host})
    return subprocess.run(["sh", "-c", text], env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_a_worker_waits_for_the_head_and_says_so(container: Container) -> None:
    done = run_worker(container, 3)
    assert done.returncode == 0, done.stderr
    waits = [line for line in done.stderr.splitlines() if "waiting for" in line]
    assert waits == ["rayakash: waiting for ray-head:6379 (Connection refused)"] * 3
    said = done.stdout.splitlines()
    assert "--address=ray-head:6379" in said
    assert "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S=20" in said
    least, most = (
        next(int(line.partition("=")[2]) for line in said if f"--{end}-worker" in line) for end in ("min", "max")
    )
    assert most - least > 5000


def test_a_worker_stays_however_long_the_head_is_away(container: Container) -> None:
    done = run_worker(container, 200)
    assert done.returncode == 0
    slept = [int(line.split()[1]) for line in done.stderr.splitlines() if line.startswith("slept")]
    assert slept == [1, 2, 4, 8, 16, 32] + [60] * 194, "three hours, with a line a minute"
    assert done.stderr.count("waiting for ray-head:6379") == 200


def test_a_worker_without_a_host_is_refused(container: Container) -> None:
    text = "unset RAY_ADDRESS_HOST\n" + container.text("ray-worker")
    command = ["sh", "-c", text]
    done = subprocess.run(command, env=container.environment({}), capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "RAY_ADDRESS_HOST" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("host", ["head:6379", "-h", "a b", "$(id)"])
def test_a_host_is_never_a_command(container: Container, host: str) -> None:
    done = run_worker(container, 1, host)
    assert f"waiting for {host}:6379" in done.stderr
    assert f"--address={host}:6379" in done.stdout.splitlines()


@pytest.mark.parametrize("service", ["ray-head", "ray-worker"])
def test_a_reference_inside_a_value_is_refused(container: Container, service: str) -> None:
    done = container.run(service, DB="postgres://u:ac-secret://PW@h")
    assert done.returncode == 78
    assert "DB has no value." in done.stderr


def _become_reaper() -> None:
    assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0  # PR_SET_CHILD_SUBREAPER, as the first process of a container


def _zombies_of(parent: int) -> int:
    found = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, above, *_ = path.read_text().rpartition(")")[2].split()
            found += state == "Z" and int(above) == parent
    return found


@pytest.mark.parametrize("service", ["ray-head", "ray-worker"])
def test_the_first_process_collects_orphans_and_passes_on_the_signal(container: Container, service: str) -> None:
    ready, ended = container.folder / "ready", container.folder / "ended"
    container.program(
        "ray",
        f"trap 'touch {ended}; exit 1' TERM\nfor _ in 1 2 3 4 5 6 7 8; do (sh -c : &); done\ntouch {ready}\n"
        "tail -f /dev/null &\nwait $!",
    )
    process = subprocess.Popen(
        ["sh", "-c", container.text(service)],
        env=container.environment({}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_become_reaper,
    )
    try:
        deadline = time.monotonic() + 30
        while not ready.exists() or _zombies_of(process.pid):
            assert time.monotonic() < deadline, f"{_zombies_of(process.pid)} zombies are left"
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 143
        assert ended.exists()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_the_exit_code_is_rays(container: Container) -> None:
    container.program("ray", "exit 7")
    assert container.run("ray-head").returncode == 7


def closed_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_a_worker_that_waits_ends_when_it_is_told_to(container: Container) -> None:
    (container.programs / "python3").unlink()
    process = subprocess.Popen(
        ["sh", "-c", container.text("ray-worker").replace("6379", str(closed_port()))],
        env=container.environment({"RAY_ADDRESS_HOST": "127.0.0.1"}),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stderr is not None
        assert any("waiting for" in line for line in process.stderr)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 143
    finally:
        with suppress(ProcessLookupError):  # it may have ended before it slept
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


# --- the gateway -----------------------------------------------------------------------------------------------------


def _pem(kind: str) -> str:
    return base64.b64encode(f"-----BEGIN {kind}-----\nAAAA\n-----END {kind}-----\n".encode()).decode()


@pytest.fixture
def pems() -> dict[str, str]:
    return {"GATEWAY_TLS_CERTIFICATE": _pem("CERTIFICATE"), "GATEWAY_TLS_KEY": _pem("EC PRIVATE KEY")}


def test_the_gateway_unpacks_its_certificate_for_itself_alone(container: Container, pems: dict[str, str]) -> None:
    done = container.run("gateway", **pems)
    assert done.returncode == 0, done.stderr
    folder = container.folder / "gateway"
    assert done.stdout.splitlines() == ["caddy", "run", "--config", f"{folder}/Caddyfile", "--adapter", "caddyfile"]
    assert (folder / "tls.key").read_text().startswith("-----BEGIN EC PRIVATE KEY-----")
    assert (folder / "tls.key").stat().st_mode & 0o777 == 0o600
    assert "reverse_proxy ray-head:8265" in (folder / "Caddyfile").read_text()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("GATEWAY_TLS_KEY", "", "GATEWAY_TLS_KEY is not a PRIVATE KEY in PEM"),
        ("GATEWAY_TLS_KEY", "ac-secret://GATEWAY_TLS_KEY", "GATEWAY_TLS_KEY is not base64"),
        ("GATEWAY_TLS_CERTIFICATE", "!!", "GATEWAY_TLS_CERTIFICATE is not base64"),
        ("GATEWAY_TLS_CERTIFICATE", _pem("EC PRIVATE KEY"), "is not a CERTIFICATE in PEM"),
        ("GATEWAY_TLS_KEY", _pem("CERTIFICATE"), "is not a PRIVATE KEY in PEM"),
    ],
)
def test_the_gateway_never_starts_without_tls(
    container: Container, pems: dict[str, str], name: str, value: str, words: str
) -> None:
    done = container.run("gateway", **{**pems, name: value})
    assert done.returncode == 78
    assert words in done.stderr
    assert done.stdout == ""
