"""What neither Kubernetes nor Docker has of an SDL: the market, providers, leased addresses, and unknown keys."""

from collections.abc import Iterator

from cockpit.sdl.export import Losses, Part, is_port
from cockpit.sdl.nodes import Mapping, Node, child, elements, fields
from cockpit.sdl.paths import Path
from cockpit.sdl.view import Compute, View

# Where mappings stand (`*` any key, `[]` any item), and the keys of theirs that an export looks at.
_SEEN: tuple[tuple[tuple[str, ...], frozenset[str]], ...] = (
    ((), frozenset(("version", "services", "profiles", "deployment"))),
    (("services", "*"), frozenset(("image", "env", "command", "args", "expose", "params", "dependencies"))),
    (("services", "*", "params"), frozenset(("storage",))),
    (("services", "*", "params", "storage", "*"), frozenset(("mount",))),
    (("services", "*", "dependencies", "[]"), frozenset(("service",))),
    (("services", "*", "expose", "[]"), frozenset(("port", "as", "proto", "to"))),
    (("services", "*", "expose", "[]", "to", "[]"), frozenset(("service", "global"))),
    (("profiles",), frozenset(("compute", "placement"))),
    (("profiles", "compute", "*"), frozenset(("resources",))),
    (("profiles", "compute", "*", "resources"), frozenset(("cpu", "memory", "gpu", "storage", "id"))),
    (("profiles", "compute", "*", "resources", "cpu"), frozenset(("units",))),
    (("profiles", "compute", "*", "resources", "memory"), frozenset(("size",))),
    (("profiles", "compute", "*", "resources", "gpu"), frozenset(("units", "attributes"))),
    (("profiles", "compute", "*", "resources", "storage", "[]"), frozenset(("name", "size", "attributes"))),
    (("profiles", "compute", "*", "resources", "storage", "[]", "attributes"), frozenset(("persistent", "class"))),
    (("profiles", "placement", "*"), frozenset()),
    (("deployment", "*", "*"), frozenset(("profile", "count"))),
)

_SENTENCES = {
    "accept": "needs a proxy of your own for these host names.",
    "attributes": "choose a provider of Akash, and choose nothing here.",
    "credentials": "are not carried over: log in to the registry where the cluster runs.",
    "endpoints": "are leased addresses of Akash; there are none elsewhere.",
    "http_options": "are for the provider's proxy.",
    "ip": "is a leased address of Akash and does not exist elsewhere.",
    "permissions": "are Akash's own, and not carried over.",
    "pricing": "is for Akash's market alone.",
    "readOnly": "is not carried over: the volume can be written to.",
    "signedBy": "choose a provider of Akash, and choose nothing here.",
}


def common_losses(view: View, parts: list[Part], losses: Losses) -> None:
    """Note what no other format takes."""
    for pattern, seen in _SEEN:
        for path, node in _at(view.root, pattern, ()):
            for key, value in fields(node).items():
                if key not in seen:
                    losses.add((*path, key), value, _SENTENCES.get(key, "is not carried over."))
    for part in parts:
        _service_losses(part, losses)
        if part.compute is not None and part.compute.gpu:
            _gpu_losses(part.compute, losses)


def _at(node: Node | None, pattern: tuple[str, ...], path: Path) -> Iterator[tuple[Path, Node]]:
    """The nodes that a pattern leads to."""
    if node is None:
        return
    if not pattern:
        yield path, node
        return
    step, *rest = pattern
    if step == "[]" and not isinstance(node, Mapping):
        for index, item in enumerate(elements(node)):
            yield from _at(item, tuple(rest), (*path, index))
    elif step == "[]":  # one item, written without its list
        yield from _at(node, tuple(rest), path)
    else:
        for key, value in fields(node).items():
            if step in ("*", key):
                yield from _at(value, tuple(rest), (*path, key))


def _service_losses(part: Part, losses: Losses) -> None:
    service = part.service
    if not service.image:
        losses.add(("services", service.name), service.key, "names no image.")
    for expose in service.exposes:
        if not is_port(expose.port):
            losses.add(
                ("services", service.name, "expose", expose.index), expose.node, "names no port; it is left out."
            )


def _gpu_losses(compute: Compute, losses: Losses) -> None:
    models = (" ".join(filter(None, (one.model or "any", one.ram, one.interface))) for one in compute.models)
    sentence = f"the model ({', '.join(models) or 'any'}) is not asked for: see that the machine has it."
    losses.add(("profiles", "compute", compute.name, "resources", "gpu"), child(compute.resources, "gpu"), sentence)
