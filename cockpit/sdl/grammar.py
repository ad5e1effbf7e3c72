"""The grammar of an SDL as data: which keys exist where, of what type, and where the two parsers differ.

Source: chain-sdk `go/sdl/v2.go` and `go/sdl/sdl-input.schema.yaml` (the schema that TypeScript enforces and Go only
logs). Go takes null everywhere, ignores unknown keys of open records and turns any scalar into text.
"""

from typing import Literal, TypeAlias

import msgspec


class Text(msgspec.Struct, frozen=True):
    """A text; `least` characters, one of `choices` or of the form `pattern` for TypeScript."""

    least: int = 0
    choices: tuple[str, ...] = ()
    pattern: str = ""


class Whole(msgspec.Struct, frozen=True):
    """A whole number: TypeScript takes `least` to `most`, Go any of 32 bits."""

    least: int = 0
    most: int = 2**53


class Flag(msgspec.Struct, frozen=True):
    """true or false; Go takes yes, no, on and off as well."""


class Items(msgspec.Struct, frozen=True):
    """A list; TypeScript takes null only where `nullable`."""

    of: "Spec"
    nullable: bool = False


class Named(msgspec.Struct, frozen=True):
    """A mapping from names that the user chooses; TypeScript wants names of the form `pattern`."""

    of: "Spec"
    pattern: str = ""


class Record(msgspec.Struct, frozen=True):
    """A mapping with known keys.

    `required` is what TypeScript insists on. `go` says what Go does with other keys: ignore them (`open`), refuse
    them (`closed`), or walk over the keys itself (`custom`: refuses merge keys too, minds no duplicate, takes a
    scalar for nothing).
    """

    keys: dict[str, "Spec"]
    required: tuple[str, ...] = ()
    go: Literal["open", "closed", "custom"] = "open"
    least: int = 0


class Labels(msgspec.Struct, frozen=True):
    """A mapping of labels: TypeScript takes any values, Go scalars only, and of `known` keys if there are any."""

    known: tuple[str, ...] = ()


class Special(msgspec.Struct, frozen=True):
    """A value with a grammar of its own, checked by the rule of that name."""

    rule: str


Spec: TypeAlias = Text | Whole | Flag | Items | Named | Record | Labels | Special

_PORT = Whole(1, 65535)
_TEXTS = Items(Text(), nullable=True)
MAX_BODY = 104_857_600
MAX_TIMEOUT = 60_000
MAX_PROXY_BUFFER = 1_048_576
NEXT_CASES = ("error", "timeout", "500", "502", "503", "504", "403", "404", "429", "off")
PROTOCOLS = ("TCP", "UDP", "tcp", "udp")

HTTP_OPTIONS = Record(
    {
        "max_body_size": Whole(0, MAX_BODY),
        "next_cases": Special("next-cases"),
        "next_timeout": Whole(),
        "next_tries": Whole(),
        "proxy_buffer_size": Whole(0, MAX_PROXY_BUFFER),
        "read_timeout": Whole(0, MAX_TIMEOUT),
        "send_timeout": Whole(0, MAX_TIMEOUT),
    }
)
TARGET = Record({"service": Text(), "global": Flag(), "ip": Text(least=1)})
EXPOSE = Record(
    {
        "port": _PORT,
        "as": _PORT,
        "proto": Text(choices=PROTOCOLS),
        "accept": Items(Special("host")),
        "to": Items(TARGET),
        "http_options": HTTP_OPTIONS,
    },
    required=("port",),
)
CREDENTIALS = Record(
    {"host": Text(least=1), "email": Text(least=5), "username": Text(least=1), "password": Text(least=6)},
    required=("host", "username", "password"),
)
MOUNT = Record({"mount": Text(least=1, pattern="^/"), "readOnly": Flag()})
PARAMS = Record(
    {
        "storage": Named(MOUNT),
        "permissions": Record({"read": Items(Text(choices=("deployment", "logs", "events")))}),
        "tee": Text(choices=("cpu", "cpu-gpu")),
    }
)
SERVICE = Record(
    {
        "image": Text(least=1),
        "command": _TEXTS,
        "args": _TEXTS,
        "env": _TEXTS,
        "expose": Items(EXPOSE, nullable=True),
        "dependencies": Items(Record({"service": Text()})),
        "credentials": CREDENTIALS,
        "params": PARAMS,
    },
    required=("image",),
)
GPU_MODEL = Record({"model": Text(), "ram": Special("gpu-ram"), "interface": Special("gpu-interface")})
VENDOR = Record({"nvidia": Items(GPU_MODEL, nullable=True)}, least=1)
GPU = Record(
    {"units": Special("gpu-units"), "attributes": Record({"vendor": VENDOR}, go="custom")},
    go="custom",
)
VOLUME = Record(
    {"name": Text(), "size": Special("size"), "attributes": Special("volume-attributes")},
    required=("size",),
)
RESOURCES = Record(
    {
        "cpu": Record({"units": Special("cpu-units"), "attributes": Labels(known=("arch",))}, required=("units",)),
        "memory": Record({"size": Special("size")}, required=("size",)),
        "storage": Special("storage"),
        "gpu": GPU,
    },
    required=("cpu", "memory", "storage"),
)
COMPUTE = Record({"resources": RESOURCES}, required=("resources",))
PRICE = Record({"denom": Special("denom"), "amount": Special("amount")}, required=("denom", "amount"))
PLACEMENT = Record(
    {
        "attributes": Labels(),
        "signedBy": Record({"allOf": Items(Text()), "anyOf": Items(Text())}),
        "pricing": Named(PRICE),
    },
    required=("pricing",),
)
ROW = Record({"profile": Text(), "count": Whole(1)}, required=("profile", "count"))
ENDPOINT_NAME = "^[a-z]+[-_0-9a-z]+$"
ROOT = Record(
    {
        "version": Special("version"),
        "include": Items(Text()),
        "services": Named(SERVICE),
        "profiles": Record(
            {
                "compute": Named(Record({"resources": RESOURCES}, required=("resources",))),
                "placement": Named(PLACEMENT),
            },
            required=("compute", "placement"),
        ),
        "deployment": Named(Named(ROW)),
        "endpoints": Named(Record({"kind": Text(choices=("ip",))}, required=("kind",)), pattern=ENDPOINT_NAME),
        "reclamation": Record({"min_window": Text(pattern="^[1-9][0-9]*(s|m|h)$")}, required=("min_window",)),
    },
    required=("version", "services", "profiles", "deployment"),
    go="custom",
)

# Keys that people bring along from Compose and Kubernetes: what to write instead, and whether a rename is enough.
HABITS: dict[str, tuple[str, bool]] = {
    "depends_on": ("dependencies", False),
    "depends-on": ("dependencies", False),
    "cmd": ("command", True),
    "entrypoint": ("command", True),
    "arguments": ("args", True),
    "arg": ("args", True),
    "environment": ("env", True),
    "environments": ("env", True),
    "ports": ("expose", False),
    "volumes": ("params.storage and a volume in the compute profile", False),
    "volume": ("params.storage and a volume in the compute profile", False),
    "memory_limit": ("resources.memory in the compute profile", False),
    "replicas": ("count under deployment", False),
    "hostname": ("the service's name, which is its host name", False),
    "container_name": ("the service's name", False),
    "servcie": ("service", True),
    "links": ("nothing: services of one placement reach each other by name", False),
    "networks": ("nothing: services of one placement share a network", False),
    "restart": ("nothing: a container that ends is always started again", False),
}

# Grammar that is newer than the parsers these rules were taken from: TypeScript of that age refuses it.
NEWER = frozenset(("proxy", "interconnect", "keyRef", "uri", "verification", "attestation"))
