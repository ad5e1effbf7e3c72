"""The rules about Ray: each finds what breaks or opens a cluster, and a sound cluster has none of them."""

import pytest

from cockpit.sdl.document import SdlDocument
from cockpit.sdl.fixes import fix_all
from cockpit.sdl.rules import lint, problems

SOUND = """\
version: "2.0"
services:
  gateway:
    image: caddy:2.8.4
    expose:
      - port: 8443
        to:
          - global: true
  ray-head:
    image: rayproject/ray:2.60.0-py311
    args:
      - >-
        ray start --head --port=6379 --dashboard-host=0.0.0.0 --block
    env:
      - RAY_AUTH_MODE=token
      - RAY_AUTH_TOKEN=ac-secret://RAY_AUTH_TOKEN
    expose:
      - port: 6379
        to:
          - service: ray-worker
      - port: 8265
        to:
          - service: gateway
    params:
      storage:
        shm:
          mount: /dev/shm
  ray-worker:
    image: rayproject/ray:2.60.0-py311-gpu
    args:
      - until ray start --address=ray-head:6379 --block; do sleep 5; done
    env:
      - RAY_AUTH_MODE=token
      - RAY_AUTH_TOKEN=ac-secret://RAY_AUTH_TOKEN
    params:
      storage:
        shm:
          mount: /dev/shm
profiles:
  compute:
    gateway:
      resources:
        cpu:
          units: 0.5
        memory:
          size: 512Mi
        storage:
          - size: 1Gi
    ray-head:
      resources:
        cpu:
          units: 4
        memory:
          size: 16Gi
        storage:
          - size: 20Gi
          - name: shm
            size: 4Gi
            attributes:
              persistent: false
              class: ram
    ray-worker:
      resources:
        cpu:
          units: 8
        memory:
          size: 32Gi
        gpu:
          units: 1
          attributes:
            vendor:
              nvidia:
                - model: rtx4090
        storage:
          - size: 40Gi
          - name: shm
            size: 8Gi
            attributes:
              persistent: false
              class: ram
  placement:
    akash:
      pricing:
        gateway:
          denom: uact
          amount: 100
        ray-head:
          denom: uact
          amount: 500
        ray-worker:
          denom: uact
          amount: 2000
    other:
      pricing:
        ray-worker:
          denom: uact
          amount: 2000
deployment:
  gateway:
    akash:
      profile: gateway
      count: 1
  ray-head:
    akash:
      profile: ray-head
      count: 1
  ray-worker:
    akash:
      profile: ray-worker
      count: 6
"""

NO_TOKEN = ("RAY_AUTH_MODE=token", "RAY_AUTH_MODE=disabled")
TO_GATEWAY = "        to:\n          - service: gateway\n"
TO_WORLD = "        to:\n          - global: true\n"
AS_80 = "        as: 80\n" + TO_WORLD
OPEN_DASHBOARD = (TO_GATEWAY, TO_WORLD)
OPEN_GCS = ("- service: ray-worker", "- global: true\n          - service: x")
OPEN_CLIENT = ("      - port: 6379\n", "      - port: 10001\n" + TO_WORLD + "      - port: 6379\n")
OPEN_AGENT = ("2.60.0-py311-gpu\n", "2.60.0-py311-gpu\n    expose:\n      - port: 52365\n" + TO_WORLD)
DASHBOARD = "- port: 8265"
START = "- until ray start --address="
WORKER_IMAGE = "2.60.0-py311-gpu"
SECOND_HTTP = ("- port: 8443", "- port: 80\n" + TO_WORLD + "      - port: 8080\n        as: 80")
UDP = ("- port: 8443", "- port: 8443\n        proto: udp\n" + TO_WORLD + "      - port: 8443")

Changes = tuple[tuple[str, str], ...]
CASES: list[tuple[str, str, str, Changes]] = [
    ("ray-open-port", "error", DASHBOARD, (NO_TOKEN, OPEN_DASHBOARD)),
    ("ray-open-port", "error", DASHBOARD, (NO_TOKEN, (TO_GATEWAY, AS_80))),
    ("ray-open-port", "error", "- port: 6379", (NO_TOKEN, OPEN_GCS)),
    ("ray-open-port", "error", "- port: 10001", (NO_TOKEN, OPEN_CLIENT)),
    ("ray-public-agent", "warning", "- port: 52365", (NO_TOKEN, OPEN_AGENT)),
    ("ray-no-tls", "warning", DASHBOARD, (OPEN_DASHBOARD,)),
    ("ray-no-tls", "warning", "- port: 10001", (OPEN_CLIENT,)),
    ("ray-no-tls", "warning", "- port: 6379", (OPEN_GCS,)),
    ("ray-auth-mode", "error", "RAY_AUTH_MODE=tokne", (("RAY_AUTH_MODE=token", "RAY_AUTH_MODE=tokne"),)),
    ("ray-auth-mode", "error", "RAY_AUTHMODE=token", (("RAY_AUTH_MODE=token", "RAY_AUTHMODE=token"),)),
    (
        "ray-auth-mode",
        "warning",
        "RAYAKASH_ALLOW",
        (("- RAY_AUTH_MODE=token\n", "- RAY_AUTH_MODE=token\n      - RAYAKASH_ALLOW_NO_AUTH=1\n"),),
    ),
    ("ray-no-token", "error", "ray-head:", (("      - RAY_AUTH_TOKEN=ac-secret://RAY_AUTH_TOKEN\n", ""),)),
    (
        "ray-several-heads",
        "warning",
        "count: 3",
        (("profile: ray-head\n      count: 1", "profile: ray-head\n      count: 3"),),
    ),
    ("ray-head-address", "error", START, (("--address=ray-head:6379", "--address=rayhead:6379"),)),
    ("ray-head-unreachable", "error", START, (("--address=ray-head:6379", "--address=ray-head:6380"),)),
    ("ray-head-unreachable", "error", START, (("--head --port=6379", "--head --port=6380"),)),
    ("ray-head-unreachable", "error", START, (("- service: ray-worker", "- global: true"), OPEN_DASHBOARD)),
    ("ray-http-options", "warning", DASHBOARD, ((TO_GATEWAY, AS_80),)),
    ("ray-dashboard-host", "warning", "- >-", ((" --dashboard-host=0.0.0.0", ""),)),
    ("ray-shm", "warning", "ray-head:", (("mount: /dev/shm\n  ray-worker", "mount: /shm\n  ray-worker"),)),
    ("ray-shm", "warning", "size: 512Mi", (("            size: 4Gi\n", "            size: 512Mi\n"),)),
    ("ray-placements", "error", "other:", (("  ray-worker:\n    akash:", "  ray-worker:\n    other:"),)),
    ("ray-versions", "error", "2.59.0", ((WORKER_IMAGE, "2.59.0-py311-gpu"),)),
    ("ray-versions", "error", "py312", ((WORKER_IMAGE, "2.60.0-py312-gpu"),)),
    ("ray-versions", "warning", "2.60.0-gpu", ((WORKER_IMAGE, "2.60.0-gpu"),)),
    ("ray-worker-ports", "warning", START, (("--block;", "--min-worker-port=10002 --max-worker-port=10007;"),)),
    ("ray-worker-ports", "warning", START, (("--block;", "--worker-port-list=10002,10003;"),)),
    ("image-unpinned", "warning", "nightly", (("rayproject/ray:2.60.0-py311\n", "rayproject/ray:nightly-py311\n"),)),
    ("image-unpinned", "warning", "localhost", (("caddy:2.8.4", "localhost:5000/caddy"),)),
    ("comma-list", "warning", ", gateway", (("service: ray-worker", "service: ray-worker, gateway"),)),
    ("plain-secret", "warning", "RAY_AUTH_TOKEN=0123", (("ac-secret://RAY_AUTH_TOKEN", "0123456789abcdef"),)),
    ("value-withheld", "error", "withheld-RAY", (("ac-secret://RAY_AUTH_TOKEN", "<withheld-RAY_AUTH_TOKEN-1>"),)),
    ("env-no-value", "warning", "KEYXXX", (("- RAY_AUTH_MODE=token\n", "- WANDB_API_KEYXXX\n      - A=b\n"),)),
    ("gpu-any-model", "warning", "gpu:", (("                - model: rtx4090\n", ""),)),
    ("price-unit", "warning", "0.5", (("amount: 500", "amount: 0.5"),)),
    ("price-unit", "warning", "2000000", (("amount: 2000", "amount: 2000000"),)),
    ("bad-denom", "error", "uakt", (("denom: uact\n          amount: 500", "denom: uakt\n          amount: 500"),)),
    ("second-http-port", "warning", "- port: 8080", (SECOND_HTTP,)),
    ("no-to", "warning", "- port: 1234", (("      - port: 6379\n", "      - port: 1234\n      - port: 6379\n"),)),
    ("tcp-and-udp", "warning", "- port: 8443", (UDP,)),
    ("unknown-target", "info", "nobody", (("service: ray-worker", "service: nobody"),)),
]


def test_a_sound_cluster_has_no_problem_at_all() -> None:
    result = lint(SdlDocument(SOUND))
    assert [(problem.code, problem.message) for problem in result.problems] == []
    assert result.clean
    assert result.portable


@pytest.mark.parametrize(("code", "severity", "words", "changes"), CASES)
def test_each_rule_finds_its_case(code: str, severity: str, words: str, changes: Changes) -> None:
    text = _changed(SOUND, *changes)
    found = [problem for problem in problems(SdlDocument(text)) if problem.code == code]
    assert found, [(problem.code, problem.line, problem.message) for problem in problems(SdlDocument(text))]
    assert (found[0].severity, found[0].message[-1]) == (severity, ".")
    assert words in text.splitlines()[found[0].line - 1]
    assert found[0].refused_by == (("chain",) if code == "bad-denom" else ("advice",))


def _changed(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def test_an_image_that_starts_ray_itself_is_judged_by_its_names() -> None:
    text = _changed(
        SOUND,
        ("rayproject/ray:2.60.0-py311\n", "thumperai/rayakash:ray-head-gpu\n"),
        ("      - >-\n        ray start --head --port=6379 --dashboard-host=0.0.0.0 --block\n", "      - run\n"),
        ("--address=ray-head:6379", "--address=$RAY_ADDRESS_HOST:6380"),
        (
            "    env:\n      - RAY_AUTH_MODE=token\n",
            "    env:\n      - RAY_ADDRESS_HOST=ray-head\n      - RAY_AUTH_MODE=token\n",
        ),
    )
    assert {problem.code for problem in problems(SdlDocument(text))} == {"ray-head-unreachable"}
    assert not problems(SdlDocument(text.replace("HOST:6380", "HOST:6379")))
    text = _changed(text, ("RAY_AUTH_MODE=token", "X=1"), ("RAY_AUTH_TOKEN=ac", "Y=ac"), OPEN_DASHBOARD)
    assert "ray-open-port" in {problem.code for problem in problems(SdlDocument(text))}


def test_a_secret_is_in_no_message_and_no_fix() -> None:
    secret = "hunter2hunter2"
    text = _changed(
        SOUND,
        ("ac-secret://RAY_AUTH_TOKEN", secret),
        ("RAY_AUTH_MODE=token", f"RAY_AUTH_MODE={secret}"),
        ("      - RAY_AUTH_TOKEN=", f"      - {secret}\n      - 5{secret}\n      - RAY_AUTH_TOKEN="),
        (
            "  ray-worker:\n    image",
            f"    credentials: {{host: h, username: u, password: [{secret}]}}\n  ray-worker:\n    image",
        ),
    )
    document = SdlDocument(text)
    found = problems(document)
    assert secret not in repr([(problem.message, problem.row()) for problem in found])
    done = fix_all(document)
    assert secret not in repr([title for _, title in done])


SHM_VOLUME = (
    "          - name: shm\n            size: 4Gi\n            attributes:\n              persistent: false\n"
    "              class: ram\n    ray-worker"
)
SHM_MOUNT = "    params:\n      storage:\n        shm:\n          mount: /dev/shm\n  ray-worker"
HEAD_TOKEN = "RAY_AUTH_MODE=token\n      - RAY_AUTH_TOKEN=ac-secret://RAY_AUTH_TOKEN\n    expose"


def test_fixes_repair_what_can_be_decided_and_leave_the_rest() -> None:
    text = _changed(
        SOUND,
        ("size: 20Gi", "size: 20Gb"),
        ("service: ray-worker", "service: ray-worker,"),
        (HEAD_TOKEN, "RAY_AUTH_MODE=tokn\n    expose"),
        (TO_GATEWAY, AS_80),
        ('version: "2.0"', "version: 2.0 # old"),
        (SHM_MOUNT, "  ray-worker"),
        (SHM_VOLUME, "    ray-worker"),
    )
    document = SdlDocument(text)
    assert not lint(document).portable
    assert sorted(title for _, title in fix_all(document)) == [
        "add http_options",
        "mount a ram volume of 4Gi on /dev/shm",
        "put the version in quotes",
        "write 20Gi",
        "write RAY_AUTH_MODE=token",
        "write ray-worker",
    ]
    result = lint(document)
    assert result.portable
    assert {problem.code for problem in result.problems} == {"ray-no-token", "ray-no-tls"}
    assert document.text.startswith('version: "2.0" # old\n')


def test_shared_memory_is_added_to_a_single_volume_too() -> None:
    text = _changed(SOUND, (SHM_MOUNT, "  ray-worker"), (SHM_VOLUME, "    ray-worker"))
    text = _changed(text, ("          - size: 20Gi\n", "          size: 20Gi # root\n"))
    document = SdlDocument(text)
    fix_all(document)
    assert lint(document).clean
    assert "          - size: 20Gi # root\n          - name: shm\n            size: 4Gi\n" in document.text


def test_the_gallery_template_is_told_and_made_portable(corpus_texts: dict[str, str]) -> None:
    document = SdlDocument(corpus_texts["awesome/ray/deploy.yaml"])
    found = problems(document)
    assert [problem.line for problem in found if problem.code == "size-suffix"] == [78, 97]
    assert [problem.line for problem in found if problem.code == "ray-open-port"] == [6, 12]
    assert [problem.line for problem in found if problem.code == "comma-list"] == [21]
    fix_all(document)
    result = lint(document)
    assert result.portable
    assert not result.clean
    assert {problem.code for problem in result.problems if problem.severity == "error"} == {"ray-open-port"}
