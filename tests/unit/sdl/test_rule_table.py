"""One probe for each row of the rule table: what Go and TypeScript say of it, without the corpus."""

import pytest

from cockpit.sdl.document import SdlDocument
from cockpit.sdl.rules import accepted_by_go, accepted_by_typescript, problems

SERVICE = "    image: nginx:1.27\n"
STORAGE = "          size: 512Mi\n  placement"
GPU = "        gpu:\n          units: {units}\n          attributes:\n            vendor:\n              {vendor}\n"
VOLUME = (
    "          - size: 512Mi\n          - name: data\n            size: 1Gi\n            attributes: {}\n  placement"
)
MOUNT = SERVICE + "    params:\n      storage:\n        data:\n          mount: /data\n"
READ_ONLY = ("/data\n", "/data\n          readOnly: true\n")
END = "      count: 1\n"
PORT = "      - port: 80\n        as: 80\n"
ROW = "  web:\n    dc:\n      profile: web\n      count: 1\n"
GLOBAL = "          - global: true\n"
DC = "    dc:\n      pricing:\n        web:\n          denom: uact\n          amount: 1000\n"
ELSEWHERE = (DC, DC + "    eu: {pricing: {web: {denom: uact, amount: 1000}}}\n")
OK, GO, TS, NONE = (True, True), (True, False), (False, True), (False, False)
"""Who takes it: both, Go only, TypeScript only, nobody."""


def in_service(lines: str) -> tuple[str, str]:
    """Put lines into the service."""
    return SERVICE, SERVICE + "".join(f"    {line}\n" for line in lines.split("\n"))


def in_expose(lines: str) -> tuple[str, str]:
    """Put lines into the exposed port."""
    return PORT, PORT + "".join(f"        {line}\n" for line in lines.split("\n"))


def gpu(units: str, vendor: str) -> tuple[str, str]:
    """Ask for GPUs."""
    return "        storage:\n", GPU.format(units=units, vendor=vendor) + "        storage:\n"


def memory(size: str) -> tuple[str, str]:
    """Another size of the memory."""
    return "memory:\n          size: 512Mi", f"memory:\n          size: {size}"


def price(line: str) -> tuple[str, str]:
    """A price for a profile that nothing uses."""
    return "        web:\n          denom", f"        x: {line}\n        web:\n          denom"


def profile(units: int) -> tuple[str, str]:
    """A compute profile that nothing uses."""
    sizes = "memory: {size: 1Gi}, storage: {size: 1Gi}"
    return "  compute:\n", f"  compute:\n    x: {{resources: {{cpu: {{units: {units}}}, {sizes}}}}}\n"


def volume(attributes: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """A second, mounted volume with these attributes."""
    return (STORAGE, VOLUME.replace("{}", attributes)), (SERVICE, MOUNT)


def leased(name: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """A leased ip of that name."""
    return ("global: true", f"global: true\n            ip: {name}"), (
        END,
        f"{END}endpoints: {{{name}: {{kind: ip}}}}\n",
    )


def replace(old: str, new: str) -> tuple[str, str]:
    """A plain replacement."""
    return old, new


ROWS = [
    # top level
    ("version 2", replace('"2.0"', '"2"'), GO),
    ("version v2.1", replace('"2.0"', '"v2.1"'), GO),
    ("version unquoted 2.1", replace('"2.0"', "2.1"), GO),
    ("version 1.0", replace('"2.0"', '"1.0"'), NONE),
    ("version 2.0.1", replace('"2.0"', '"2.0.1"'), NONE),
    ("version null", replace('"2.0"', ""), NONE),
    ("anchors inside", replace("image: nginx:1.27", "image: &i nginx:1.27\n    args: [*i]"), OK),
    ("unknown top level", replace(END, END + "x-a: 1\n"), NONE),
    ("endpoints null", replace(END, END + "endpoints:\n"), GO),
    ("include null", replace(END, END + "include:\n"), GO),
    ("storage under profiles", replace("  placement:\n", "  storage: {}\n  placement:\n"), GO),
    ("directive of YAML 1.1", replace('version: "2.0"', '%YAML 1.1\n---\nversion: "2.0"'), OK),
    ("directive of YAML 1.2", replace('version: "2.0"', '%YAML 1.2\n---\nversion: "2.0"'), TS),
    ("keys of one number", replace(DC, DC + "      attributes: {1.0: a, 1: b}\n"), GO),
    ("key a list", replace(DC, DC + "      attributes: {[a]: b}\n"), TS),
    ("merge of nothing", replace("image: nginx:1.27", "image: nginx:1.27\n    <<:"), NONE),
    ("merge of text", replace("profile: web", "profile: web\n      <<: [x]"), NONE),
    ("two merges", replace("profile: web", "<<: {profile: web}\n      <<: {profile: web}"), TS),
    # names
    ("name underscore", replace("  web:\n    image", "  w_b:\n    image"), NONE),
    ("name with digit first", (replace("web", "1web")), TS),
    ("name with dot", (replace("web", "we.b")), TS),
    # services
    ("image a number", replace("nginx:1.27", "1.27"), GO),
    ("image null", replace("nginx:1.27", ""), NONE),
    ("command a string", in_service("command: run"), NONE),
    ("args a number", in_service("args: [1, two]"), GO),
    ("unknown key", in_service("depends_on: [db]"), GO),
    ("env number", in_service("env: [A=1, 5]"), NONE),
    ("env date", in_service("env:\n  - A=2024-01-01"), OK),
    ("args date", in_service("args: [2024-01-02]"), GO),
    ("args date in quotes", in_service("args: ['2024-01-02']"), OK),
    ("args time", in_service("args: [2024-01-02T03:04:05Z, 2024-01-02 3:04:05.6 +01:00]"), GO),
    ("args bytes", in_service("args: [!!binary aGk=]"), GO),
    ("env name with space", in_service("env: ['A B=1']"), TS),
    ("env name ..", in_service("env: ['..a=1']"), TS),
    ("env name -._", in_service("env: ['-._=1']"), OK),
    ("env list of maps", in_service("env: [{A: b}]"), NONE),
    ("credentials short", in_service("credentials: {host: h, username: u, password: abc}"), GO),
    ("credentials numeric", in_service("credentials: {host: h, username: u, password: 1234567}"), GO),
    ("credentials no username", in_service("credentials: {host: h, password: abcdefg}"), NONE),
    ("credentials blank", in_service("credentials: {host: ' ', username: u, password: abcdefg}"), TS),
    ("dependencies", in_service("dependencies: [{service: db}]"), OK),
    ("dependencies of text", in_service("dependencies: [db]"), NONE),
    ("params null", in_service("params:"), GO),
    ("permissions unknown", in_service("params: {permissions: {read: [shell]}}"), GO),
    ("tee", in_service("params: {tee: cpu}"), OK),
    ("tee without gpu", in_service("params: {tee: cpu-gpu}"), NONE),
    # ports
    ("no global", replace("global: true", "global: false"), TS),
    ("global yes", replace("global: true", "global: yes"), GO),
    ("global quoted", replace("global: true", 'global: "true"'), NONE),
    ("port range", replace("port: 80", "port: 80-90"), NONE),
    ("port float", replace("port: 80", "port: 80.5"), GO),
    ("as 0", replace("as: 80", "as: 0"), GO),
    ("as 70000", replace("as: 80", "as: 70000"), GO),
    ("as text", replace("as: 80", 'as: "80"'), NONE),
    ("proto null", in_expose("proto:"), GO),
    ("proto Udp", in_expose("proto: Udp"), GO),
    ("proto http", in_expose("proto: http"), NONE),
    ("to empty list", replace(GLOBAL, GLOBAL + "      - port: 81\n        to: []\n"), OK),
    ("to null", replace("          - global: true\n", "          - global: true\n      - port: 81\n        to:\n"), GO),
    ("to unknown key", replace(GLOBAL, GLOBAL + "            globl: true\n"), GO),
    ("to both", replace(GLOBAL, GLOBAL + "            service: web\n"), OK),
    ("accept wildcard", in_expose("accept: ['*.a.com']"), TS),
    ("accept url", in_expose("accept: ['https://a.com']"), TS),
    ("accept null", in_expose("accept:"), GO),
    ("accept a string", in_expose("accept: a.com"), NONE),
    ("accept for two targets", (in_expose("accept: [a.com]"), (GLOBAL, GLOBAL + "          - service: web\n")), TS),
    ("http timeout", in_expose("http_options: {read_timeout: 60001}"), NONE),
    ("http proxy buffer", in_expose("http_options: {proxy_buffer_size: 2000000}"), NONE),
    ("http unknown", in_expose("http_options: {foo: 1}"), GO),
    ("next_cases ints", in_expose("http_options: {next_cases: [500]}"), GO),
    ("next_cases empty", in_expose("http_options: {next_cases: []}"), OK),
    # resources
    ("cpu 0.01", replace("units: 0.5", "units: 0.01"), OK),
    ("cpu 9m", replace("units: 0.5", "units: 9m"), TS),
    ("cpu 384", replace("units: 0.5", "units: 384"), OK),
    ("cpu 400", replace("units: 0.5", "units: 400"), TS),
    ("cpu zero text", replace("units: 0.5", 'units: "0m"'), NONE),
    ("cpu unknown key", replace("units: 0.5", "units: 0.5\n          foo: 1"), GO),
    ("cpu arch", replace("units: 0.5", "units: 0.5\n          attributes: {arch: arm64}"), OK),
    ("cpu infinite", replace("units: 0.5", "units: 1e999"), NONE),
    ("cpu attributes a text", replace("units: 0.5", "units: 0.5\n          attributes: arm64"), GO),
    ("cpu attributes a list", replace("units: 0.5", "units: 0.5\n          attributes: []"), GO),
    ("cpu merge", replace("units: 0.5", "units: 0.5\n          attributes: {<<: {arch: arm64}}"), TS),
    ("memory int", memory("536870912"), GO),
    ("memory GI", memory("1GI"), TS),
    ("memory Gb", memory("1Gb"), TS),
    ("memory negative", memory("-1Gi"), NONE),
    ("memory attributes", memory("1Gi\n          attributes: {}"), GO),
    ("memory float exponent", memory("1e1Gi"), GO),
    ("storage int", replace(STORAGE, STORAGE.replace("512Mi", "536870912")), GO),
    ("storage 33Ti", replace(STORAGE, STORAGE.replace("512Mi", "33Ti")), TS),
    ("storage twice default", replace(STORAGE, "          - size: 1Gi\n          - size: 2Gi\n  placement"), TS),
    ("storage empty", replace("        storage:\n          size: 512Mi\n", "        storage: []\n"), TS),
    ("volume beta2", volume("{persistent: true, class: beta2}"), OK),
    ("volume only persistent", volume("{persistent: true}"), GO),
    ("volume only ram", volume("{class: ram}"), GO),
    ("volume only false", volume("{persistent: false}"), GO),
    ("volume empty", volume("{}"), GO),
    ("volume beta without persistent", volume("{class: beta2}"), NONE),
    ("volume beta false", volume("{persistent: false, class: beta2}"), NONE),
    ("volume unknown class", volume("{persistent: true, class: nvme}"), TS),
    ("volume class empty", volume('{persistent: false, class: ""}'), TS),
    ("volume class null", volume("{persistent: false, class: }"), NONE),
    ("volume class twice", volume("{persistent: true, class: beta2, class: beta2}"), NONE),
    ("volume yes", volume("{persistent: yes, class: beta2}"), GO),
    ("volume TRUE", volume("{persistent: TRUE, class: beta2}"), TS),
    ("volume text true", volume('{persistent: "true", class: beta2}'), OK),
    ("volume ram persistent", volume("{persistent: true, class: ram}"), NONE),
    ("volume ram", volume("{persistent: false, class: ram}"), OK),
    ("volume unknown attribute", volume("{persistent: true, class: beta2, foo: 1}"), NONE),
    ("volume not mounted", (volume("{persistent: true, class: beta2}")[0],), NONE),
    ("volume not mounted 2.1", (volume("{persistent: true, class: beta2}")[0], ('"2.0"', '"2.1"')), GO),
    ("mount of nothing", (SERVICE, MOUNT), NONE),
    ("mount relative", (*volume("{persistent: true, class: beta2}"), ("/data", "data")), NONE),
    ("ram read-only 2.1", (*volume("{persistent: false, class: ram}"), READ_ONLY, ('"2.0"', '"2.1"')), TS),
    # GPUs
    ("gpu any", gpu("1", "nvidia:"), OK),
    ("gpu text", gpu('"1"', "nvidia: [{model: h100}]"), OK),
    ("gpu zero with attributes", gpu("0", "nvidia:"), NONE),
    ("gpu half", gpu("0.5", "nvidia:"), TS),
    ("gpu 25", gpu("25", "nvidia:"), TS),
    ("gpu amd", gpu("1", "amd:"), GO),
    ("gpu without attributes", replace("        storage:\n", "        gpu: {units: 1}\n        storage:\n"), NONE),
    (
        "gpu attributes empty",
        replace("        storage:\n", "        gpu: {units: 1, attributes: }\n        storage:\n"),
        NONE,
    ),
    ("gpu a list", replace("        storage:\n", "        gpu: []\n        storage:\n"), GO),
    ("gpu infinite", gpu(".inf", "nvidia:"), NONE),
    ("gpu no model", gpu("1", "nvidia: [{ram: 80Gi}, {}]"), OK),
    ("gpu model ends in a dash", gpu("1", "nvidia: [{model: a-}]"), OK),
    ("gpu model asterisk inside", gpu("1", "nvidia: [{model: 'a*b'}]"), TS),
    ("gpu null", replace("        storage:\n", "        gpu:\n        storage:\n"), GO),
    ("gpu model number", gpu("1", "nvidia: [{model: 4090}]"), GO),
    ("gpu model twice", gpu("1", "nvidia: [{model: a100}, {model: a100}]"), TS),
    ("gpu two rams", gpu("1", "nvidia: [{model: a100, ram: 40Gi}, {model: a100, ram: 80Gi}]"), OK),
    ("gpu ram G", gpu("1", "nvidia: [{model: a100, ram: 80G}]"), TS),
    ("gpu interface", gpu("1", "nvidia: [{model: a100, interface: sxm5}]"), NONE),
    ("gpu interface sxm", gpu("1", "nvidia: [{model: a100, interface: sxm}]"), OK),
    # placement and prices
    ("attributes null", replace("    dc:\n      pricing", "    dc:\n      attributes:\n      pricing"), GO),
    ("signedBy null", replace("    dc:\n      pricing", "    dc:\n      signedBy:\n      pricing"), GO),
    ("attributes list", replace("    dc:\n      pricing", "    dc:\n      attributes: {a: [b]}\n      pricing"), TS),
    ("amount .5", replace("amount: 1000", "amount: .5"), TS),
    ("amount hex", replace("amount: 1000", "amount: 0x10"), TS),
    ("amount 10000000", replace("amount: 1000", "amount: 10000000"), OK),
    ("amount 10000001", replace("amount: 1000", "amount: 10000001"), TS),
    ("amount 18 decimals", replace("amount: 1000", "amount: 0.000000000000000001"), OK),
    ("amount infinite", replace("amount: 1000", "amount: .inf"), NONE),
    ("amount negative", replace("amount: 1000", "amount: -1"), NONE),
    ("denom usdc", replace("denom: uact", "denom: uusdc"), GO),
    ("denom ibc", replace("denom: uact", "denom: ibc/12DE"), GO),
    ("denom upper", replace("denom: uact", "denom: UACT"), GO),
    ("denom missing", replace("          denom: uact\n", ""), NONE),
    ("unused price", price("{denom: uact, amount: 1}"), OK),
    ("bad unused price", price("{denom: uact, amount: 0}"), TS),
    ("unused profile", profile(1), OK),
    ("unused profile too big", profile(999), OK),
    # deployment
    ("deployment empty", replace("deployment:\n" + ROW, "deployment: {}\n"), NONE),
    ("no placement", replace(ROW, "  web: {}\n"), TS),
    ("row of no service", replace(ROW, ROW + "  db: {dc: {profile: web, count: 1}}\n"), NONE),
    ("row of no service elsewhere", (replace(ROW, ROW + "  db: {eu: {profile: web, count: 1}}\n"), ELSEWHERE), TS),
    ("count 0", replace("count: 1", "count: 0"), NONE),
    ("count text", replace("count: 1", 'count: "1"'), NONE),
    ("count 1000", replace("count: 1", "count: 1000"), OK),
    ("count beyond the group", replace("count: 1", "count: 2000000"), TS),
    ("row unknown key", replace(END, END + "      foo: 1\n"), GO),
    # endpoints
    ("endpoint of one letter", leased("a"), NONE),
    ("endpoint unknown", replace("global: true", "global: true\n            ip: myip"), NONE),
    ("endpoint", leased("myip"), OK),
    # reclamation
    ("reclamation 0", replace(END, END + "reclamation: {min_window: 0s}\n"), NONE),
    ("reclamation null", replace(END, END + "reclamation:\n"), NONE),
    ("reclamation 1.5h", replace(END, END + "reclamation: {min_window: 1.5h}\n"), GO),
]


@pytest.mark.parametrize(("name", "changes", "expected"), ROWS, ids=[row[0] for row in ROWS])
def test_row(base: str, name: str, changes: object, expected: tuple[bool, bool]) -> None:
    document = SdlDocument(_changed(base, changes))
    found = [(problem.line, problem.code, problem.refused_by, problem.message) for problem in problems(document)]
    assert (accepted_by_go(document), accepted_by_typescript(document)) == expected, (name, found)
    for problem in problems(document):
        assert problem.message.endswith(".")
        assert problem.line >= 1
        assert problem.column >= 1
        assert problem.refused_by


def _changed(text: str, changes: object) -> str:
    assert isinstance(changes, tuple)
    if isinstance(changes[0], str):
        changes = (changes,)
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text
