"""What an SDL means and how two of them differ."""

import pytest

from cockpit.sdl.differences import diff
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.meaning import meaning_of

PORTS = """\
    expose:
      - port: 80
        as: 80
        accept: [a.com]
        to:
          - global: true
          - service: other
      - port: 8080
        to:
          - global: true
      - port: 53
        proto: udp
        to:
          - global: true
            ip: myip
      - port: 9000
"""


def _with_ports(base: str) -> str:
    begin, end = base.index("    expose:"), base.index("profiles:")
    return base[:begin] + PORTS + base[end:] + "endpoints:\n  myip:\n    kind: ip\n"


def test_what_becomes_of_ports(base: str) -> None:
    service = meaning_of(SdlDocument(_with_ports(base))).services[0]
    assert [(port.port, port.kind, port.line) for port in service.ports] == [
        (80, "host", 6),
        (80, "internal", 6),
        (8080, "random", 12),
        (53, "ip", 15),
        (9000, "internal", 20),
    ]
    assert [port.sentence for port in service.ports] == [
        "80 → a.com, by HTTP",
        "80 → inside only, as port 80",
        "8080 → a random port of the provider's host",
        "53 → port 53 of the leased address myip",
        "9000 → inside only, as port 9000",
    ]
    assert service.resolves


def test_resources_and_cost_at_the_ceiling(base: str) -> None:
    meaning = meaning_of(SdlDocument(base.replace("count: 1", "count: 3")))
    replicas = meaning.services[0].replicas[0]
    assert (replicas.cpu, replicas.memory, replicas.storage, replicas.gpus) == (0.5, 512 << 20, 512 << 20, 0)
    assert replicas.usd_per_hour == pytest.approx(1000 * 0.00059016 * 3, rel=1e-4)  # blocks of 6.1 s
    assert meaning.usd_per_hour == pytest.approx(1.770492)
    assert meaning_of(SdlDocument(base.replace("uact", "uakt"))).usd_per_hour is None
    assert meaning_of(SdlDocument("a: 1")).usd_per_hour is None


def test_roles_of_a_cluster_and_its_gpus(corpus_texts: dict[str, str]) -> None:
    meaning = meaning_of(SdlDocument(corpus_texts["awesome/ray/deploy.yaml"]))
    assert [(service.name, service.role) for service in meaning.services] == [
        ("ray-head", "head"),
        ("ray-worker", "worker"),
    ]
    assert meaning.gpus == 2
    assert meaning.services[0].replicas[0].shared_memory == 15 << 30
    assert meaning.services[0].mounts == {"shm": "/dev/shm"}


def test_the_same_meaning_in_other_words_is_no_difference(base: str) -> None:
    other = "# comment\n" + base.replace("units: 0.5", "units: 500m").replace("size: 512Mi", "size: 0.5Gi")
    other = other.replace("        as: 80\n", "").replace('"2.0"', "'2.0'")
    assert diff(SdlDocument(base), SdlDocument(other)) == []


MEMORY = "memory:\n          size: "
AS_80 = "        as: 80\n"
GLOBAL = "          - global: true\n"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("nginx:1.27", "nginx:1.28", "web: image changes from nginx:1.27 to nginx:1.28; can be updated in place."),
        ("    expose:", "    env: [K=v]\n    expose:", "web: env K is added; can be updated in place."),
        ("    expose:", "    args: [a]\n    expose:", "web: args are added; can be updated in place."),
        ("count: 1", "count: 2", "web: count changes from 1 to 2; needs a new deployment."),
        ("units: 0.5", "units: 2", "web: CPU changes from 0.5 to 2; needs a new deployment."),
        (MEMORY + "512Mi", MEMORY + "1Gi", "web: memory changes from 512Mi to 1Gi; needs a new deployment."),
        ("amount: 1000", "amount: 1001", "web: price changes from 1000 uact to 1001 uact; needs a new deployment."),
        (
            "    dc:\n      p",
            "    dc:\n      attributes: {a: b}\n      p",
            "placement dc: attribute a (b) is added; needs a new deployment.",
        ),
        (GLOBAL, GLOBAL + "      - port: 90\n", "web: port 90/TCP (services as 90) is added; can be updated in place."),
        (
            GLOBAL,
            GLOBAL + "      - port: 90\n        to:\n          - global: true\n",
            "web: port 90/TCP (the internet as 90) is added; needs a new deployment.",
        ),
        (AS_80, AS_80 + "        accept: [a.com]\n", "web: port 80/TCP changes from the internet as 80 to a.com, the"),
    ],
)
def test_differences(base: str, old: str, new: str, sentence: str) -> None:
    found = diff(SdlDocument(base), SdlDocument(base.replace(old, new, 1)))
    assert len(found) == 1
    assert found[0].sentence.startswith(sentence)


def test_a_service_that_comes_or_goes_is_one_difference(base: str) -> None:
    other = base.replace("  web:\n    dc:", "  api:\n    dc:").replace("  web:\n    image", "  api:\n    image")
    found = diff(SdlDocument(base), SdlDocument(other))
    assert [one.sentence for one in found] == [
        "api: the service (nginx:1.27) is added; needs a new deployment.",
        "web: the service (nginx:1.27) is removed; needs a new deployment.",
    ]


def test_another_placement_is_told_by_what_it_asks_of_providers(base: str) -> None:
    asking = base.replace(
        "    dc:\n      p", "    dc:\n      attributes: {region: us}\n      signedBy: {anyOf: [akash1x]}\n      p"
    )
    plain = base.replace("    dc:\n", "    akash:\n")
    assert [one.sentence for one in diff(SdlDocument(asking), SdlDocument(plain))] == [
        "placement dc: attribute region (us) is removed; needs a new deployment.",
        "placement dc: signer akash1x in anyOf is removed; needs a new deployment.",
        "web: placement akash (1 replica) is added; needs a new deployment.",
        "web: placement dc (1 replica) is removed; needs a new deployment.",
    ]
    other = asking.replace("region: us", "region: eu").replace("[akash1x]", "[akash1y]")
    assert [one.sentence for one in diff(SdlDocument(asking), SdlDocument(other))] == [
        "placement dc: attribute region changes from us to eu; needs a new deployment.",
        "placement dc: signer akash1x in anyOf is removed; needs a new deployment.",
        "placement dc: signer akash1y in anyOf is added; needs a new deployment.",
    ]


def test_values_of_env_and_credentials_are_never_shown(base: str) -> None:
    secret = "hunter2"
    one = base.replace(
        "    expose:", "    env: [K=v]\n    credentials: {host: h, username: u, password: pw}\n    expose:"
    )
    other = (
        one.replace("K=v", f"K={secret}")
        .replace("pw", secret)
        .replace("    expose:", f"    args: [{secret}]\n    expose:")
    )
    found = diff(SdlDocument(one), SdlDocument(other))
    assert len(found) == 3
    assert secret not in repr(found)
    assert all(difference.in_place for difference in found)
