"""What a value that is typed into the form does to the document: edits of spans, or a sentence why not."""

import re
from collections.abc import Callable
from decimal import Decimal

from cockpit.errors import UsageError
from cockpit.model.secret import REFERENCE_PREFIX, reference_name
from cockpit.operations.sdl_editor.form import IMAGE
from cockpit.operations.sdl_editor.form_compute import SHM
from cockpit.operations.sdl_editor.form_rows import FormRow
from cockpit.sdl import quantities
from cockpit.sdl.advice import USD_PER_HOUR
from cockpit.sdl.document import SdlDocument, read_value
from cockpit.sdl.edits import Change, data_of
from cockpit.sdl.edits import Edit as SpanEdit
from cockpit.sdl.nodes import Mapping, Scalar, Sequence, elements
from cockpit.sdl.paths import Path, Step
from cockpit.sdl.places import locate
from cockpit.sdl.scalars import Simple, Value, is_null
from cockpit.sdl.services import set_count

Edit = Callable[[SdlDocument], None]
SECRET = "secret:"
ANY = ("", "any", "–")


def edit_of(row: FormRow, text: str) -> Edit:
    """The edit that sets a row to the input. Raises UsageError for an invalid value.

    The edit itself raises MissingNodeError and UnsafeEditError, the document's own sentences.
    """
    maker = _EDITS.get(row.field)
    if maker is None:
        raise UsageError("That cannot be edited here; edit it in the text.")
    return maker(text.strip(), *row.args)


def put(document: SdlDocument, path: Path, value: Value) -> None:
    """Set a value, with whatever is missing above it. Raises MissingNodeError, UnsafeEditError."""
    if document.has(path) and not isinstance(value, list | dict):
        document.set(path, value)
        return
    depth = next(at for at in range(len(path) - 1, -1, -1) if at == 0 or document.has(path[:at]))
    for step in reversed(path[depth + 1 :]):
        value = [value] if isinstance(step, int) else {step: value}
    document.insert(path[: depth + 1], value)


def drop(document: SdlDocument, path: Path) -> None:
    """Remove what is there."""
    if document.has(path):
        document.remove(path)


# --- services --------------------------------------------------------------------------------------------------------


def _count(text: str, service: Step, placement: Step) -> Edit:
    number = _whole(text, least=1)
    return lambda document: set_count(document, str(service), number, placement=str(placement))


def _image(text: str, service: Step) -> Edit:
    return _setter(("services", service, "image"), _some(text, "An image"))


def _tagged(change: Callable[[re.Match[str]], str], services: tuple[Step, ...]) -> Edit:
    def edit(document: SdlDocument) -> None:
        for service in services:
            path = ("services", service, "image")
            found = IMAGE.fullmatch(str(document.get(path)))
            if found is not None:
                document.set(path, change(found))

    return edit


def _tag(found: re.Match[str], **new: str) -> str:
    part = {**found.groupdict(default=""), **new}
    python = f"-py{part['python']}" if part["python"] else ""
    cuda = f"-{part['cuda']}" if part["cuda"] else ""
    return f"{part['name']}:{part['ray']}{part['rest']}{python}{cuda}"


def _ray(text: str, *services: Step) -> Edit:
    if not re.fullmatch(r"\d+\.\d+\.\d+|nightly", text):
        raise UsageError(f"Invalid Ray version: {text!r}. Example: 2.60.0.")
    return _tagged(lambda found: _tag(found, ray=text, rest=""), services)


def _python(text: str, *services: Step) -> Edit:
    found = re.fullmatch(r"(?:py)?3\.?(\d{1,2})", text)
    if found is None:
        raise UsageError(f"Invalid Python version: {text!r}. Example: 3.11.")
    return _tagged(lambda one: _tag(one, python=f"3{found[1]}"), services)


def _cuda(text: str, *services: Step) -> Edit:
    word = text.lower().replace(".", "")
    word = f"cu{word}" if word.isdecimal() else word
    word = "" if word in ("", "none", "cpu", "–") else word
    if word and not re.fullmatch(r"gpu|cu\d{3}", word):
        raise UsageError(f"Invalid CUDA version: {text!r}. Use cpu, gpu, or a version such as 12.4.")
    return _tagged(lambda found: _tag(found, cuda=word), services)


def _price(text: str, placement: Step, profile: Step) -> Edit:
    amount = uact_of(text)
    path = ("profiles", "placement", placement, "pricing", profile)

    def edit(document: SdlDocument) -> None:
        if document.has(path):
            put(document, (*path, "amount"), amount)
        else:
            put(document, path, {"denom": "uact", "amount": amount})

    return edit


def uact_of(text: str) -> Simple:
    """Uact per block, from that or from US dollars an hour. Raises UsageError."""
    dollars = re.fullmatch(r"\$\s*([0-9.]+)\s*(?:/\s*h)?|([0-9.]+)\s*(?:\$|usd)\s*(?:/\s*h)?", text, re.IGNORECASE)
    if dollars is not None:
        try:
            amount = Decimal(dollars[1] or dollars[2]) / Decimal(str(USD_PER_HOUR))
        except ArithmeticError:
            raise UsageError(f"Invalid price: {text!r}.") from None
        return max(1, round(amount))
    bare = text.replace("uact", "").strip()
    if quantities.go_amount(bare) is None:
        raise UsageError(f"Invalid price: {text!r}. Use uact per block, or dollars per hour such as $1.20.")
    value = read_value(bare)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else bare


# --- compute ---------------------------------------------------------------------------------------------------------


def resources(profile: Step, *path: Step) -> Path:
    """Where something of a compute profile is."""
    return ("profiles", "compute", profile, "resources", *path)


def _cpu(text: str, profile: Step) -> Edit:
    cores = quantities.go_cpu(text)
    if not cores:
        raise UsageError(f"Invalid number of cores: {text!r}. Examples: 8, 0.5, 500m.")
    return _putter(resources(profile, "cpu", "units"), read_value(text))


def _memory(text: str, profile: Step) -> Edit:
    return _putter(resources(profile, "memory", "size"), _size(text))


def _gpu(text: str, profile: Step) -> Edit:
    number = _whole(text or "0", least=0)
    path = resources(profile, "gpu")
    if number == 0:
        return lambda document: drop(document, path)

    def edit(document: SdlDocument) -> None:
        if document.has(path):
            put(document, (*path, "units"), number)
        else:
            document.insert(path, {"units": number, "attributes": {"vendor": {"nvidia": None}}}, after="memory")

    return edit


def _vendor(text: str, profile: Step, vendor: Step) -> Edit:
    path = resources(profile, "gpu", "attributes", "vendor", vendor)
    name = _some(text, "A vendor").lower()
    return lambda document: document.rename_key(path, name) if name != vendor else None


def _model(text: str, profile: Step, vendor: Step, index: Step) -> Edit:
    path = resources(profile, "gpu", "attributes", "vendor", vendor)
    model = "" if text.lower() in ANY else text.lower()

    def edit(document: SdlDocument) -> None:
        if document.has((*path, index)):
            if model:
                put(document, (*path, index, "model"), model)
            elif len(elements(locate(document.tree, path).node)) > 1:
                document.remove((*path, index))
            else:
                document.remove(path)
                document.insert(path, None)
        elif model:
            _empty(document, path)
            document.append(path, {"model": model})

    return edit


def _empty(document: SdlDocument, path: Path) -> None:
    """Take a written null away, so that a list can take its place."""
    node, text = locate(document.tree, path).node, document.text
    if isinstance(node, Scalar) and is_null(node) and node.value:
        start = len(text[: node.start].rstrip(" "))
        change = Change(start, node.end, "")
        document.apply(SpanEdit((change,), node.first, node.last, lambda events: data_of(events) == [None]), "any")


def _gpu_add(text: str, profile: Step, vendor: Step) -> Edit:
    path, model = resources(profile, "gpu", "attributes", "vendor", vendor), _some(text, "A model").lower()
    return lambda document: document.append(path, {"model": model})


def _gpu_detail(name: str) -> Callable[..., Edit]:
    def make(text: str, profile: Step, vendor: Step, index: Step) -> Edit:
        path = resources(profile, "gpu", "attributes", "vendor", vendor, index, name)
        value = "" if text.lower() in ANY else _size(text) if name == "ram" else text.lower()
        return (lambda document: put(document, path, value)) if value else (lambda document: drop(document, path))

    return make


def volume_path(profile: Step, index: Step) -> Path:
    """Where a volume is; the index is -1 where there is but one, and no list."""
    return resources(profile, "storage", *(() if index == -1 else (index,)))


def _volume(text: str, profile: Step, index: Step) -> Edit:
    return _putter((*volume_path(profile, index), "size"), _size(text))


def _class(text: str, profile: Step, index: Step) -> Edit:
    path = (*volume_path(profile, index), "attributes", "class")
    return _putter(path, _some(text, "A storage class").lower())


def _mount(text: str, service: Step, volume: Step) -> Edit:
    if not text.startswith("/"):
        raise UsageError(f"Invalid mount path: {text!r}. It must start with /, for example /data.")
    return _putter(("services", service, "params", "storage", volume, "mount"), text)


def _shm(text: str, service: Step, profile: Step) -> Edit:
    return _new_volume("shm", _size(text), SHM, service, profile, {"persistent": False, "class": "ram"})


def _volume_add(text: str, service: Step, profile: Step) -> Edit:
    found = re.fullmatch(r"([a-z][-a-z0-9]*)\s+(\S+)\s+(/\S*)", text)
    if found is None:
        raise UsageError("A volume is written as NAME SIZE /PATH: data 100Gi /data.")
    attributes: dict[str, Value] = {"persistent": True, "class": "beta3"}
    return _new_volume(found[1], _size(found[2]), found[3], service, profile, attributes)


def _new_volume(name: str, size: str, mount: str, service: Step, profile: Step, attributes: dict[str, Value]) -> Edit:
    path = resources(profile, "storage")

    def edit(document: SdlDocument) -> None:
        if document.has(path) and isinstance(locate(document.tree, path).node, Mapping):
            document.wrap(path)
        document.append(path, {"name": name, "size": size, "attributes": attributes})
        put(document, ("services", service, "params", "storage", name, "mount"), mount)

    return edit


# --- ports, env, placements ------------------------------------------------------------------------------------------


def _port(text: str, service: Step, index: Step) -> Edit:
    number, other, targets = _port_words(text)
    path: Path = ("services", service, "expose", index)

    def edit(document: SdlDocument) -> None:
        put(document, (*path, "port"), number)
        if other:
            put(document, (*path, "as"), other)
        else:
            drop(document, (*path, "as"))
        if targets:
            drop(document, (*path, "to"))
            document.insert((*path, "to"), targets)

    return edit


def _port_add(text: str, service: Step) -> Edit:
    number, other, targets = _port_words(text)
    path: Path = ("services", service, "expose")
    item: dict[str, Value] = {"port": number, **({"as": other} if other else {}), "to": targets or [{"global": True}]}

    def edit(document: SdlDocument) -> None:
        if document.has(path):
            document.append(path, item)
        else:
            document.insert(path, [item])

    return edit


def _port_words(text: str) -> tuple[int, int, list[Value]]:
    found = re.fullmatch(r"(\d{1,5})(?:\s*(?:as|:)\s*(\d{1,5}))?((?:[\s,]+[a-z][-a-z0-9]*)*)", text)
    numbers = [int(one) for one in found.groups()[:2] if one] if found else []
    if found is None or not all(0 < number < 65536 for number in numbers):
        raise UsageError(
            f"Invalid port: {text!r}. Write 8265 or 8265 as 80, then global or the services that reach it."
        )
    names = found[3].replace(",", " ").split()
    targets: list[Value] = [{"global": True} if name == "global" else {"service": name} for name in names]
    return numbers[0], numbers[1] if len(numbers) > 1 else 0, targets


def _env(text: str, service: Step, name: Step) -> Edit:
    return _setter(("services", service, "env", name), env_value(text))


def _env_add(text: str, service: Step) -> Edit:
    name, equals, value = text.partition("=")
    name = name.strip()
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", name):
        raise UsageError(f"Invalid variable name: {name!r}. Use letters, digits and _, not starting with a digit.")
    value = env_value(value if equals else SECRET + name)

    def edit(document: SdlDocument) -> None:
        if document.has(("services", service, "env", name)):
            raise UsageError(f"{service} has a variable {name} already.")
        document.insert(("services", service, "env", name), value)

    return edit


def env_value(text: str) -> str:
    """The value as it stands in the file: `secret:NAME` is a reference. Raises UsageError for a name that is none."""
    value = text.strip()
    if not value.startswith(SECRET):
        return value
    reference = REFERENCE_PREFIX + value.removeprefix(SECRET).strip()
    if reference_name(reference) is None:
        raise UsageError("The name of a secret is made of letters, digits and _, at most 64 of them.")
    return reference


def _attribute(text: str, placement: Step, name: Step) -> Edit:
    return _setter(("profiles", "placement", placement, "attributes", name), _some(text, "An attribute"))


def _attribute_add(text: str, placement: Step) -> Edit:
    name, equals, value = (part.strip() for part in text.partition("="))
    if not (name and equals and value):
        raise UsageError("An attribute is written as NAME=VALUE: region=eu-west.")
    return _putter(("profiles", "placement", placement, "attributes", name), value)


def _signer(text: str, placement: Step, kind: Step, index: Step) -> Edit:
    return _setter(("profiles", "placement", placement, "signedBy", kind, index), _some(text, "An address"))


def _signer_add(text: str, placement: Step) -> Edit:
    path: Path = ("profiles", "placement", placement, "signedBy")
    address = _some(text, "An address")

    def edit(document: SdlDocument) -> None:
        if document.has((*path, "anyOf")) and isinstance(locate(document.tree, (*path, "anyOf")).node, Sequence):
            document.append((*path, "anyOf"), address)
        elif document.has(path):
            document.insert((*path, "anyOf"), [address])
        else:
            document.insert(path, {"anyOf": [address]})

    return edit


# --- values ----------------------------------------------------------------------------------------------------------


def _setter(path: Path, value: Simple) -> Edit:
    return lambda document: document.set(path, value)


def _putter(path: Path, value: Simple) -> Edit:
    return lambda document: put(document, path, value)


def _some(text: str, what: str) -> str:
    if not text:
        raise UsageError(f"{what} cannot be empty.")
    return text


def _whole(text: str, *, least: int) -> int:
    if not text.isdecimal() or int(text) < least or int(text) > 100_000:
        raise UsageError(f"{text!r} is not a whole number of at least {least}.")
    return int(text)


def _size(text: str) -> str:
    if quantities.go_bytes(text, quantities.BINARY_SUFFIXES) is not None and not text.isdecimal():
        return text
    size = quantities.portable_size(text)
    if size is None:
        raise UsageError(f"Invalid size: {text!r}. Use Ki, Mi, Gi or Ti, for example 16Gi.")
    return size


_EDITS: dict[str, Callable[..., Edit]] = {
    "count": _count, "image": _image, "ray": _ray, "python": _python, "cuda": _cuda, "price": _price,
    "cpu": _cpu, "memory": _memory, "gpu": _gpu, "gpu-vendor": _vendor, "gpu-model": _model, "gpu-add": _gpu_add,
    "gpu-ram": _gpu_detail("ram"), "gpu-interface": _gpu_detail("interface"), "volume": _volume, "class": _class,
    "mount": _mount, "shm": _shm, "volume-add": _volume_add, "port": _port, "port-add": _port_add, "env": _env,
    "env-add": _env_add, "attribute": _attribute, "attribute-add": _attribute_add, "signer": _signer,
    "signer-add": _signer_add,
}  # fmt: skip
