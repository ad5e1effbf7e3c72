"""The start scripts of the templates as they run: they say what is wrong instead of running open, slow or for ever."""

import base64
import ctypes
import http.server
import os
import re
import signal
import socket
import subprocess
import sys
import threading
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
        self.cgroup = folder / "cgroup"
        for path in (self.programs, self.cgroup):
            path.mkdir()
        self.program("ray", 'printf "%s\\n" ray "$@"; env | grep -E "^(AWS|FSSPEC|RAY)_" | sort')
        self.program("nproc", "echo 64")
        self.program("caddy", 'printf "%s\\n" caddy "$@"')
        self.program("sleep", "exit 0")
        self.program("python3", "exit 0")  # no port is taken, and the head is there
        self.shared_memory(4096)
        self.limits(cpu="400000 100000", memory=str(12 << 30))

    def program(self, name: str, text: str) -> None:
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def shared_memory(self, mib: int) -> None:
        table = (
            f"Filesystem 1024-blocks Used Available Capacity Mounted on\\ntmpfs {mib * 1024} 0 {mib * 1024} 0% /dev/shm"
        )
        self.program("df", f'printf "{table.replace("%", "%%")}\\n"')

    def limits(self, *, cpu: str, memory: str) -> None:
        (self.cgroup / "cpu.max").write_text(f"{cpu}\n")
        (self.cgroup / "memory.max").write_text(f"{memory}\n")

    def text(self, service: str) -> str:
        text = script(service).replace("/sys/fs/cgroup", str(self.cgroup))
        return text.replace("/tmp/gateway", str(self.folder / "gateway"))

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
    assert done.returncode == 0
    said = done.stdout.splitlines()
    assert said[:3] == ["ray", "start", "--head"]
    objects = (4096 << 20) * 9 // 10
    for flag in (
        "--block", "--port=6379", "--dashboard-host=0.0.0.0", "--dashboard-port=8265", "--num-cpus=4",
        f"--object-store-memory={objects}", f"--memory={(12 << 30) * 9 // 10 - objects}",
    ):  # fmt: skip
        assert flag in said
    assert "RAY_AUTH_MODE=token" in said, "a mistyped mode would leave the cluster open"
    assert TOKEN not in done.stderr
    assert "rayakash: 4 CPUs, 12288 MiB of memory, 3686 of them for objects" in done.stderr


@pytest.mark.parametrize(
    ("cpu", "memory", "cpus", "mib"),
    [("50000 100000", "max", 1, None), ("max 100000", str(8 << 30), 64, 8192), ("250000 100000", "max", 2, None)],
)
def test_limits_of_the_container(container: Container, cpu: str, memory: str, cpus: int, mib: int | None) -> None:
    container.limits(cpu=cpu, memory=memory)
    container.shared_memory(1024)
    done = container.run("ray-head")
    assert f"--num-cpus={cpus}" in done.stdout
    assert mib is None or f" {mib} MiB of memory" in done.stderr


def test_limits_in_the_older_hierarchy(container: Container) -> None:
    for path in container.cgroup.iterdir():
        path.unlink()
    files = {
        "cpu/cpu.cfs_quota_us": "300000",
        "cpu/cpu.cfs_period_us": "100000",
        "memory/memory.limit_in_bytes": str(9 << 30),
    }
    for name, text in files.items():
        (container.cgroup / name).parent.mkdir(exist_ok=True)
        (container.cgroup / name).write_text(text + "\n")
    done = container.run("ray-head")
    assert "rayakash: 3 CPUs, 9216 MiB" in done.stderr


@pytest.mark.parametrize("service", ["ray-head", "ray-worker"])
@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("", "RAY_AUTH_TOKEN is empty"),
        ("ac-secret://RAY_AUTH_TOKEN", "no value came for RAY_AUTH_TOKEN."),
        ("ac-" + "x" * 40, "begins with ac-"),
        ("short", "has 5 characters"),
        ("x" * 31, "has 31 characters"),
        ("x" * 32 + "\n", "a line break"),
        ("x" * 32 + " y", "a space"),
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


def test_little_shared_memory_or_memory_is_refused_with_the_field(container: Container) -> None:
    container.shared_memory(64)
    done = container.run("ray-head")
    assert done.returncode == 78
    assert "/dev/shm has 64 MiB, Ray needs 1024" in done.stderr
    assert "params.storage" in done.stderr
    container.shared_memory(1024)
    container.limits(cpu="max 100000", memory=str(1 << 30))
    done = container.run("ray-head")
    assert done.returncode == 78
    assert "raise resources.memory.size" in done.stderr


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"B2_APPLICATION_KEY_ID": "i", "B2_APPLICATION_KEY": "k"}, {"AWS_ACCESS_KEY_ID=i", "AWS_SECRET_ACCESS_KEY=k"}),
        ({"MINIO_ACCESS_KEY": "i", "MINIO_SECRET_KEY": "k"}, {"AWS_ACCESS_KEY_ID=i", "AWS_SECRET_ACCESS_KEY=k"}),
        ({"AWS_ACCESS_KEY_ID": "a", "MINIO_ACCESS_KEY": "i"}, {"AWS_ACCESS_KEY_ID=a"}),
        ({"S3_ENDPOINT_URL": "https://m:9000"}, {"AWS_ENDPOINT_URL_S3=https://m:9000", "FSSPEC_S3_ENDPOINT_URL=https://m:9000"}),
        ({"R2_BUCKET_URL": "https://x.r2.example/b/c"}, {"AWS_ENDPOINT_URL_S3=https://x.r2.example"}),
    ],
)  # fmt: skip
def test_jobs_get_the_keys_under_the_names_that_libraries_read(
    container: Container, given: dict[str, str], wanted: set[str]
) -> None:
    done = container.run("ray-head", **given)
    assert wanted <= set(done.stdout.splitlines())


def test_nobody_is_asked_for_a_token_only_where_that_was_meant(container: Container) -> None:
    done = container.run("ray-head", RAY_AUTH_TOKEN="", RAYAKASH_ALLOW_NO_AUTH="1", RAY_AUTH_MODE="token")
    assert done.returncode == 0
    assert "RAY_AUTH_MODE=disabled" in done.stdout
    assert "whoever reaches this cluster can run code on it" in done.stderr
    assert container.run("ray-head", RAY_AUTH_TOKEN="", RAYAKASH_ALLOW_NO_AUTH="yes").returncode == 78
    assert "RAY_AUTH_MODE=token" in container.run("ray-head", RAYAKASH_ALLOW_NO_AUTH="1").stdout


def test_values_reach_ray_as_they_were_given(container: Container) -> None:
    container.program("ray", 'printf "%s" "$ODD"')
    odd = """quotes " and ', $HOME, `id`, two  spaces\nNAME=ac-secret:in the middle\\ \ttab"""
    done = container.run("ray-head", ODD=odd)
    assert done.returncode == 0, done.stderr
    assert done.stdout == odd


def test_a_port_that_is_taken_is_named(container: Container) -> None:
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        text = container.text("ray-head").replace("--port=6379", f"--port={port}")
        (container.programs / "python3").unlink()
        command = ["sh", "-c", text.replace("need_ports 6379 8265 8076 8077 8078 8079", f"need_ports {port}")]
        done = subprocess.run(
            command, env=container.environment({}), capture_output=True, text=True, check=False, timeout=60
        )
    assert done.returncode == 78
    assert f"port {port} is taken in this container: command and args of the service" in done.stderr
    assert done.stdout == ""
    again = subprocess.run(
        command, env=container.environment({}), capture_output=True, text=True, check=False, timeout=60
    )
    assert again.returncode == 0, "it is free now"


# --- a worker and its head -------------------------------------------------------------------------------------------


class Head:
    """What a worker finds at the address of its head."""

    def __init__(self, container: Container) -> None:
        self.container = container

    def answers(self, lines: list[tuple[int, str]], *, seconds: int = 0) -> None:
        """One exit code and sentence for each question, the last one for ever; each question takes `seconds`."""
        folder = self.container.folder
        cases = "".join(f'{number}) echo "{text}"; exit {code};;\n' for number, (code, text) in enumerate(lines, 1))
        code, text = lines[-1]
        count = (
            f'case "$2" in import?importlib*) echo 2.60.0; exit 0;; esac\ncase $# in 4) ;; *) exit 0;; esac\n'
            f'echo x >>"{folder}/count"\ncase $(wc -l <"{folder}/count") in\n'
            f'{cases}*) echo "{text}"; exit {code};;\nesac'
        )
        self.container.program("python3", count)
        self.container.program(
            "date", f'[ -e "{folder}/count" ] && echo $(( $(wc -l <"{folder}/count") * {seconds} )) || echo 0'
        )


@pytest.fixture
def head(container: Container) -> Head:
    return Head(container)


def test_a_worker_waits_for_the_head_and_says_so(container: Container, head: Head) -> None:
    head.answers([(1, "refused")] * 3 + [(0, "2.60.0")])
    done = container.run("ray-worker")
    assert done.returncode == 0, done.stderr
    waits = [line for line in done.stderr.splitlines() if "waiting for" in line]
    assert waits == [f"rayakash: waiting for the head (refused), next try in {pause} s" for pause in (1, 2, 4)]
    said = done.stdout.splitlines()
    assert "--address=ray-head:6379" in said
    assert "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S=20" in said
    least, most = (
        next(int(line.partition("=")[2]) for line in said if f"--{end}-worker" in line) for end in ("min", "max")
    )
    assert most - least > 5000


def test_a_worker_stays_and_says_what_it_waits_for(container: Container, head: Head) -> None:
    head.answers([(1, "ray-haed:6379: Name or service not known")] * 9 + [(0, "2.60.0")], seconds=100)
    done = container.run("ray-worker", RAY_ADDRESS_HOST="ray-haed")
    assert done.returncode == 0
    assert done.stderr.count("has not answered for 10 minutes (ray-haed:6379: Name or service not known)") == 1
    assert "RAY_ADDRESS_HOST must be the name" in done.stderr
    assert [line.split()[-2] for line in done.stderr.splitlines() if "waiting for" in line] == [
        "1", "2", "4", "8", "16", "16", "32", "60", "60",
    ]  # fmt: skip
    assert "--address=ray-haed:6379" in done.stdout


@pytest.mark.parametrize("host", ["", " ", "head:6379", "-h", "a b", "ac-secret://HEAD", "http://head", "$(id)"])
def test_a_host_that_is_none_is_refused_at_once(container: Container, head: Head, host: str) -> None:
    head.answers([(1, "refused")], seconds=100)
    done = container.run("ray-worker", RAY_ADDRESS_HOST=host)
    assert done.returncode == 78
    assert "RAY_ADDRESS_HOST" in done.stderr
    assert "waiting" not in done.stderr


def test_no_byte_of_a_false_head_reaches_the_log_raw(container: Container, head: Head) -> None:
    head.answers([(1, r"$(printf '\033]52;c;x\007\033[31mred')"), (0, "2.60.0")])
    done = container.run("ray-worker")
    assert done.returncode == 0
    assert "]52;c;x[31mred" in done.stderr
    assert not set(done.stderr) & {"\x1b", "\x07"}


@pytest.mark.parametrize("service", ["ray-head", "ray-worker"])
def test_a_reference_inside_a_value_is_refused(container: Container, service: str) -> None:
    done = container.run(service, DB="postgres://u:ac-secret://PW@h")
    assert done.returncode == 78
    assert "no value came for DB." in done.stderr


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


@pytest.mark.parametrize(
    ("code", "said", "words"),
    [
        (3, "", "env: the head refuses this RAY_AUTH_TOKEN"),
        (4, "2.52.0", "image: this is Ray 2.60.0, the head's is 2.52.0"),
    ],
)
def test_a_worker_that_does_not_fit_says_why_at_once(
    container: Container, head: Head, code: int, said: str, words: str
) -> None:
    head.answers([(code, said)])
    done = container.run("ray-worker")
    assert done.returncode == 78
    assert words in done.stderr
    assert "waiting" not in done.stderr
    assert done.stdout == ""


def test_a_worker_goes_on_without_a_dashboard_to_compare_with(container: Container, head: Head) -> None:
    head.answers([(2, "ray-head:8265: refused")], seconds=30)
    done = container.run("ray-worker")
    assert done.returncode == 0
    assert "the head's version was not compared (ray-head:8265: refused)" in done.stderr


class _Dashboard(http.server.BaseHTTPRequestHandler):
    """Answers `/api/version` as Ray does, to whoever has the token."""

    def do_GET(self) -> None:
        known = self.headers["Authorization"] == f"Bearer {TOKEN}" and self.path == "/api/version"
        self.send_response(200 if known else 403)
        self.end_headers()
        self.wfile.write(b'{"version": "4", "ray_version": "2.60.0"}' if known else b"Forbidden")

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name that it has there
        pass


@pytest.mark.parametrize(
    ("token", "version", "code", "said"),
    [(TOKEN, "2.60.0", 0, "2.60.0"), (TOKEN, "2.52.0", 4, "2.60.0"), ("u" * 32, "2.60.0", 3, "")],
)
def test_what_a_worker_asks_its_head(token: str, version: str, code: int, said: str) -> None:
    question = re.search(r"ask='\n(.*?)\n'\n", script("ray-worker"), re.DOTALL)
    assert question is not None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Dashboard) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = str(server.server_port)
        text = question[1].replace("6379", port).replace("8265", port)
        done = subprocess.run(
            [sys.executable, "-c", text, "127.0.0.1", version],
            env={"RAY_AUTH_TOKEN": token}, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        server.shutdown()
    assert (done.returncode, done.stdout.strip()) == (code, said), done.stderr
    nobody = subprocess.run([sys.executable, "-c", text, "127.0.0.1", version], capture_output=True, check=False)
    assert nobody.returncode == 1
    assert f"127.0.0.1:{port}: Connection refused".encode() in nobody.stdout


def test_a_worker_that_waits_ends_when_it_is_told_to(container: Container) -> None:
    Head(container).answers([(1, "refused")])
    container.program("sleep", "exec tail -f /dev/null")
    process = subprocess.Popen(
        ["sh", "-c", container.text("ray-worker")],
        env=container.environment({}),
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
        ("GATEWAY_TLS_KEY", "", "GATEWAY_TLS_KEY is missing or empty"),
        ("GATEWAY_TLS_KEY", "ac-secret://GATEWAY_TLS_KEY", "no value came for GATEWAY_TLS_KEY"),
        ("GATEWAY_TLS_CERTIFICATE", "!!", "GATEWAY_TLS_CERTIFICATE is no base64"),
        ("GATEWAY_TLS_CERTIFICATE", _pem("EC PRIVATE KEY"), "is no CERTIFICATE in PEM"),
        ("GATEWAY_TLS_KEY", _pem("CERTIFICATE"), "is no PRIVATE KEY in PEM"),
    ],
)
def test_the_gateway_never_starts_without_tls(
    container: Container, pems: dict[str, str], name: str, value: str, words: str
) -> None:
    done = container.run("gateway", **{**pems, name: value})
    assert done.returncode == 78
    assert words in done.stderr
    assert done.stdout == ""
