"""What can be written where the cursor stands, as far as the set is known; also while the YAML is broken there.

    found = complete(text, offset, secrets=("HF_TOKEN",))
    found.items[0].text takes the place of text[found.start:found.end]

`values_at` gives the same sets to a form, by path.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial

import msgspec

from cockpit.model.env_names import KNOWN, is_secret_looking
from cockpit.model.secret import REFERENCE_PREFIX
from cockpit.sdl import gpu_models, grammar, market_names, ray_images
from cockpit.sdl.cursor import Cursor, cursor_at, keys_by_path
from cockpit.sdl.failures import UnreadableSdlError
from cockpit.sdl.grammar import Flag, Items, Labels, Named, Record, Spec, Special, Text
from cockpit.sdl.parser import parse
from cockpit.sdl.paths import Path
from cockpit.sdl.view import View

MOST = 100


class Item(msgspec.Struct, frozen=True):
    """One thing that can be written: the text to insert, and a few words beside it."""

    text: str
    detail: str = ""


class Completion(msgspec.Struct, frozen=True):
    """Completions for `start` to `end`, those with the typed prefix first; `path` says what they are for."""

    start: int
    end: int
    items: tuple[Item, ...]
    path: Path


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """The names that a document gives: `volumes` by compute profile, `profile_of` by service."""

    services: tuple[str, ...] = ()
    computes: tuple[str, ...] = ()
    placements: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    volumes: dict[str, tuple[str, ...]] = {}
    profile_of: dict[str, str] = {}


# Few places refer to a name, and finding all names takes as long as finding the cursor.
Source = Callable[[], Names]


def complete(text: str, offset: int, *, secrets: Sequence[str] = (), limit: int = MOST) -> Completion | None:
    """What can be written at an offset of the text; None where nothing is known.

    `secrets` are names in the secret store, offered as references.
    """
    cursor = cursor_at(text, offset)
    if cursor is None:
        return None
    found, written, start = _items(cursor, cache(partial(names_in, text)), secrets)
    fitting = _fitting(found, written)[:limit]
    if not fitting or [item.text.rstrip(" :") for item in fitting] == [written]:
        return None
    return Completion(start, cursor.end, tuple(fitting), cursor.path)


_BLOCK = re.compile(r"[|>][-+\d]*\s*(?:#.*)?")


def is_worth_a_look(text: str, offset: int) -> bool:
    """Whether to offer completions unasked, decided without reading the text: not in comments or scripts."""
    start = text.rfind("\n", 0, offset) + 1
    line = text[start:offset]
    if not line.strip() or line.lstrip().startswith("#"):
        return False
    indent = len(line) - len(line.lstrip(" "))
    while indent and start:
        end, start = start - 1, text.rfind("\n", 0, start - 1) + 1
        above = text[start:end].rstrip("\r")
        column = len(above) - len(above.lstrip(" "))
        if above.strip() and column < indent:
            indent = column
            if _BLOCK.fullmatch(above.rpartition(" ")[2]):
                return False
    return True


def goes_on(found: Completion, text: str, offset: int) -> bool:
    """Whether to offer it unasked: a word was begun and is none of the set yet, or a key, dash or `=` waits for one."""
    written = text[found.start : offset]
    if found.end > offset and text[offset : found.end].strip():
        return False  # inside of a word
    if written:
        return all(item.text.rstrip(" :") != written for item in found.items)
    return text[text.rfind("\n", 0, found.start) + 1 : found.start].rstrip(" \"'").endswith((":", "-", "="))


def names_in(text: str) -> Names:
    """The names that a text gives, whether or not it is YAML at the moment."""
    keys = keys_by_path(text)
    if ("services",) not in keys:
        try:
            return names_of(View(parse(text).root))
        except UnreadableSdlError:
            return Names()
    computes = tuple(keys.get(("profiles", "compute"), ()))
    return Names(
        services=tuple(keys.get(("services",), ())),
        computes=computes,
        placements=tuple(keys.get(("profiles", "placement"), ())),
        endpoints=tuple(keys.get(("endpoints",), ())),
        volumes={name: tuple(_volumes(keys, name)) for name in computes},
        profile_of={
            str(path[1]): found["profile"]
            for path, found in keys.items()
            if len(path) == 3 and path[0] == "deployment" and found.get("profile")
        },
    )


def names_of(view: View) -> Names:
    """The names that a parsed document gives."""
    return Names(
        services=tuple(view.services),
        computes=tuple(view.computes),
        placements=tuple(view.placements),
        endpoints=tuple(view.endpoints),
        volumes={
            name: tuple(volume.name for volume in one.volumes if volume.name) for name, one in view.computes.items()
        },
        profile_of={row.service: row.profile for row in view.rows},
    )


def _volumes(keys: Mapping[Path, Mapping[str, str]], compute: str) -> Iterable[str]:
    above = ("profiles", "compute", compute, "resources", "storage")
    return (found["name"] for path, found in keys.items() if path[:-1] == above and found.get("name"))


def _fitting(items: Iterable[Item], written: str) -> list[Item]:
    """What begins as was written, then what holds it."""
    word = written.lower()
    begins = [item for item in items if item.text.lower().startswith(word)]
    holds = [item for item in items if word in item.text.lower() and item not in begins] if word else []
    return begins + holds


def _items(cursor: Cursor, names: Source, secrets: Sequence[str]) -> tuple[list[Item], str, int]:
    """The items, what was written of them, and where that begins."""
    if _is_env(cursor.path):
        return _env_items(cursor, names, secrets)
    start = cursor.start + len(cursor.quote)
    if cursor.kind == "value":
        values = values_at(cursor.path, names, secrets=secrets, siblings=cursor.siblings)
        return _quoted(values, cursor), cursor.written, start
    if cursor.kind == "item":
        values = values_at(cursor.path, names, secrets=secrets)
        return values or _keys_at(cursor, names), cursor.written, cursor.start
    return _keys_at(cursor, names), cursor.written, cursor.start


def _quoted(values: list[Item], cursor: Cursor) -> list[Item]:
    """Values as they fit between quotes that are there, or with those that they need."""
    if cursor.quote:
        return [Item(item.text.strip('"') + cursor.quote, item.detail) for item in values]
    return values


# --- keys ------------------------------------------------------------------------------------------------------------


def _keys_at(cursor: Cursor, names: Source) -> list[Item]:
    """Keys that the mapping may have and has not."""
    spec = spec_at(cursor.path)
    offered: list[Item] = []
    if isinstance(spec, Record):
        offered = [_key(name, of, is_required=name in spec.required) for name, of in spec.keys.items()]
    elif isinstance(spec, Labels):
        known = market_names.ATTRIBUTES if cursor.path[:2] == ("profiles", "placement") else spec.known
        offered = [Item(f"{name}: ") for name in known]
    elif spec == Special("volume-attributes"):
        offered = [Item("persistent: "), Item("class: ")]
    elif isinstance(spec, Named):
        offered = [Item(f"{name}:{_tail(spec.of)}", "name") for name in _named(cursor.path, names)]
    there = set(cursor.keys) - {cursor.written}
    return [item for item in offered if item.text.rstrip(": ") not in there]


def _key(name: str, spec: Spec, *, is_required: bool) -> Item:
    return Item(f"{name}:{_tail(spec)}", "required" if is_required else "")


def _tail(spec: Spec) -> str:
    """A blank behind the colon where the value stands on the same line."""
    is_nested = isinstance(spec, Items | Named | Record | Labels) or spec in (
        Special("storage"),
        Special("volume-attributes"),
        Special("next-cases"),
    )
    return "" if is_nested else " "


def _named(path: Path, names: Source) -> tuple[str, ...]:
    """Names that a mapping with names of the user's own refers to."""
    match path:
        case ("deployment",):
            return names().services
        case ("deployment", _):
            return names().placements
        case ("profiles", "placement", _, "pricing"):
            return names().computes
        case ("services", service, "params", "storage"):
            return names().volumes.get(names().profile_of.get(str(service), str(service)), ())
        case _:
            return ()


def spec_at(path: Path) -> Spec | None:
    """What the grammar says of a place; None where it knows nothing."""
    spec: Spec | None = grammar.ROOT
    for step in path:
        spec = _step(spec, step)
    return spec


def _step(spec: Spec | None, step: str | int) -> Spec | None:
    match spec:
        case Record():
            return spec.keys.get(str(step))
        case Named():
            return spec.of
        case Items():
            return spec.of if isinstance(step, int) else None
        case Special(rule="storage"):
            return grammar.VOLUME if isinstance(step, int) else grammar.VOLUME.keys.get(str(step))
        case Special(rule="next-cases"):
            return Text(choices=grammar.NEXT_CASES)
        case _:
            return None


# --- values ----------------------------------------------------------------------------------------------------------


def values_at(
    path: Path, names: Source = Names, *, secrets: Sequence[str] = (), siblings: Mapping[str, str] | None = None
) -> list[Item]:
    """What the value at a path may be; empty where anything may stand. `siblings` are values beside it, by key."""
    around = siblings or {}
    if path[-2:-1] == ("env",):
        return env_values(str(path[-1]), names, secrets)
    if (found := _by_place(path, names, around)) or not path:
        return found
    spec = spec_at(path)
    if isinstance(spec, Flag):
        return [Item("true"), Item("false")]
    if isinstance(spec, Text) and spec.choices:
        return [Item(choice) for choice in dict.fromkeys(spec.choices) if choice.upper() == choice or choice.islower()]
    if path[0] == "services" and path[2:3] == ("credentials",) and path[-1] in ("username", "password"):
        return [_reference(name) for name in secrets]
    return [Item(value, words) for value, words in _SETS.get(_kind(path, spec), ())]


def _kind(path: Path, spec: Spec | None) -> str:
    if isinstance(spec, Special) and spec.rule == "size":
        return "memory" if "memory" in path else "shm" if path[-2:-1] == ("shm",) else "disk"
    if isinstance(spec, Special):
        return spec.rule
    return str(path[-1])


_SETS: dict[str, tuple[tuple[str, str], ...]] = {
    "version": (('"2.0"', ""), ('"2.1"', "for leased addresses")),
    "cpu-units": (
        ("0.5", "half a core"), ("1", "core"), ("2", "cores"), ("4", "cores"), ("8", "cores"), ("16", "cores"),
        ("32", "cores"), ("500m", "thousandths of a core"),
    ),
    "memory": tuple((size, "") for size in ("512Mi", "1Gi", "2Gi", "4Gi", "8Gi", "16Gi", "32Gi", "64Gi", "128Gi")),
    "disk": tuple((size, "") for size in ("1Gi", "10Gi", "20Gi", "50Gi", "100Gi", "200Gi", "500Gi", "1Ti")),
    "gpu-units": (("1", ""), ("2", ""), ("4", ""), ("8", "")),
    "denom": (("uact", "a millionth of a US dollar, per block"),),
    "class": (
        ("beta3", "NVMe, kept"), ("beta2", "SSD, kept"), ("beta1", "hard disk, kept"),
        ("default", "the provider's own, kept"), ("ram", "memory, for /dev/shm"),
    ),
    "persistent": (("true", "kept when the container ends"), ("false", "lost when the container ends")),
    "arch": (("amd64", ""), ("arm64", "")),
    "mount": (("/dev/shm", "with a volume of class ram"), ("/data", ""), ("/root", "")),
    "port": (
        ("80", "HTTP"), ("443", "TLS"), ("6379", "Ray GCS"), ("8265", "Ray dashboard and jobs"),
        ("10001", "Ray Client"), ("8000", "Ray Serve"),
    ),
    "as": (("80", "a host name of the provider, over HTTP"),),
}  # fmt: skip


def _by_place(path: Path, names: Source, around: Mapping[str, str]) -> list[Item]:
    """Names that other parts of the document give, and what goes by another value beside it."""
    match path:
        case ("deployment", _, _, "profile"):
            return [Item(name, "compute profile") for name in names().computes]
        case ("services", own, "dependencies", _, "service"):
            return [Item(name, "service") for name in names().services if name != own]
        case ("services", own, "expose", _, "to", _, "service"):
            return [Item(name, "service") for name in names().services if name != own]
        case ("services", _, "expose", _, "to", _, "ip"):
            return [Item(name, "leased address") for name in names().endpoints]
        case ("profiles", "compute", _, "resources", "storage", _, "name"):
            return [Item("shm", "for /dev/shm"), Item("data")]
        case ("services", _, "image"):
            return [Item(ray_images.GATEWAY, "TLS gateway"), *_stock_images()]
        case ("profiles", "placement", _, "signedBy", "anyOf" | "allOf", int()):
            return [Item(address, who) for address, who in market_names.AUDITORS]
        case ("profiles", "placement", _, "attributes", name):
            return [Item(value) for value in market_names.ATTRIBUTES.get(str(name), ())]
    return _by_card(path, around)


def _stock_images() -> list[Item]:
    return [Item(image, f"as of {ray_images.AS_OF}") for image in ray_images.stock_images()]


def _by_card(path: Path, around: Mapping[str, str]) -> list[Item]:
    if len(path) > 2 and path[-3] in gpu_models.VENDORS and isinstance(path[-2], int):
        card = gpu_models.BY_MODEL.get(around.get("model", ""))
        match path[-1]:
            case "model":
                return [Item(one.model, one.detail) for one in gpu_models.CARDS]
            case "ram":
                return [Item(ram) for ram in (card.ram if card else gpu_models.ALL_RAM)]
            case "interface":
                return [Item(name) for name in (card.interfaces if card else gpu_models.INTERFACES)]
    return []


# --- env -------------------------------------------------------------------------------------------------------------


def _is_env(path: Path) -> bool:
    return len(path) == 4 and path[0] == "services" and path[2] == "env" and isinstance(path[3], int)


def _env_items(cursor: Cursor, names: Source, secrets: Sequence[str]) -> tuple[list[Item], str, int]:
    """`NAME=` first, and behind the equals sign what the variable may be."""
    start = cursor.start + len(cursor.quote)
    name, equals, value = cursor.written.partition("=")
    close = cursor.quote
    if equals:
        items = env_values(name, names, secrets)
        return [Item(item.text + close, item.detail) for item in items], value, start + len(name) + 1
    return [Item(f"{item.text}=", item.detail) for item in env_names()], name, start


def env_names() -> list[Item]:
    """The variables of Ray on Akash that are known, with what they are for."""
    return [Item(one.name, one.purpose) for one in KNOWN.values()]


def env_values(name: str, names: Source = Names, secrets: Sequence[str] = ()) -> list[Item]:
    """What an env variable may be: references for secrets, what is known for others."""
    if is_secret_looking(name):
        own = [_reference(name)] if re.fullmatch(r"[A-Za-z_]\w{0,63}", name, re.ASCII) else []
        others = (_reference(secret) for secret in secrets)
        return list({item.text: item for item in (*own, *others)}.values())
    known: dict[str, Callable[[], list[Item]]] = {
        "RAY_AUTH_MODE": lambda: [Item("token", "Ray asks for RAY_AUTH_TOKEN")],
        "RAY_ADDRESS_HOST": lambda: [Item(service, "service") for service in names().services],
    }
    return known[name]() if name in known else []


def _reference(name: str) -> Item:
    return Item(REFERENCE_PREFIX + name, "from the secret store")
