"""A plan as the text of an SDL: block style, each comment once, nothing that either parser would refuse."""

import re
from collections.abc import Iterable, Iterator

from cockpit.sdl.plan import PLACEMENT, SHM, DiskPlan, GpuPlan, Plan, PortPlan, ServicePlan
from cockpit.sdl.quantities import KI, MI, shown_bytes
from cockpit.sdl.scalars import literal, written

Lines = Iterator[str]

_PRICE = (
    "# The most that you pay for each replica, in uact per block: 1000 uact are $0.60 an hour. Bids come below it;",
    "# a price that is too low gets none, without any error.",
)
_PLACEMENT = "# One placement: its services land with one provider and share a network. In two they could not meet."
_SHM = "# Comes on top of the memory above; a third of that suits Ray."
_MODEL = "# Name the model: without one the provider picks any, at the price of the most expensive."


def sdl_text(plan: Plan) -> str:
    """The text of the SDL."""
    return "\n".join(_Writer(plan).lines()) + "\n"


def shown_size(size: int) -> str:
    """A size as both parsers read it, rounded up to whole mebibytes where no unit fits."""
    if size % KI:
        size = -(-size // MI) * MI
    text = shown_bytes(size)
    return text if "." not in text else f"{size // KI}Ki"


class _Writer:
    """Writes one plan; a comment that explains a thing stands where that thing comes first."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._said: set[str] = set()

    def lines(self) -> Lines:
        yield "---"
        yield from comment("", self._plan.title)
        for note in self._plan.notes:
            yield f"# {note}".rstrip()
        yield 'version: "2.0"'
        yield ""
        yield "services:"
        for index, service in enumerate(self._plan.services):
            yield from [""] if index else []
            yield from self._service(service)
        yield from ("", "profiles:", "  compute:")
        for index, service in enumerate(self._plan.services):
            yield from [""] if index else []
            yield from self._compute(service)
        yield from ("", "  placement:", *self._once("    ", _PLACEMENT), f"    {PLACEMENT}:")
        yield from self._placement()
        yield from ("", "deployment:")
        for service in self._plan.services:
            yield from (f"  {service.name}:", f"    {PLACEMENT}:")
            yield from (f"      profile: {service.name}", f"      count: {service.count}")

    def _once(self, indent: str, *texts: str) -> Lines:
        for text in texts:
            if text and text not in self._said:
                self._said.add(text)
                yield indent + text

    # --- services ---

    def _service(self, service: ServicePlan) -> Lines:
        yield from comment("  ", service.comment)
        yield f"  {service.name}:"
        yield from self._note(service, "image")
        yield f"    image: {written(service.image)}"
        if service.env:
            yield "    env:"
            for name, value in service.env:
                yield from self._note(service, name, "      ")
                yield f"      - {written(f'{name}={value}')}"
        if service.ports:
            yield "    expose:"
            for port in service.ports:
                yield from self._port(port)
        if service.volumes:
            yield from ("    params:", "      storage:")
            for volume in service.volumes:
                yield from (f"        {volume.name}:", f"          mount: {written(volume.mount)}")
        if service.command:
            yield f"    command: [{', '.join(_flow(word) for word in service.command)}]"
        if service.args:
            yield "    args:"
            for word in service.args:
                yield f"      - {_word(word)}"

    def _note(self, service: ServicePlan, key: str, indent: str = "    ") -> Lines:
        text = service.notes.get(key, "")
        if text not in self._said:
            self._said.add(text)
            yield from comment(indent, text)

    def _port(self, port: PortPlan) -> Lines:
        if port.comment not in self._said:
            self._said.add(port.comment)
            yield from comment("      ", port.comment)
        yield f"      - port: {port.port}"
        if port.proto != "tcp":
            yield f"        proto: {port.proto}"
        yield "        to:"
        yield from (f"          - service: {name}" for name in port.to)
        if not port.to:
            yield "          - global: true"

    # --- profiles ---

    def _compute(self, service: ServicePlan) -> Lines:
        units = str(service.cpu // 1000) if service.cpu % 1000 == 0 else f"{service.cpu / 1000:.3f}".rstrip("0")
        yield from (f"    {service.name}:", "      resources:", "        cpu:", f"          units: {units}")
        yield from ("        memory:", f"          size: {shown_size(service.memory)}")
        if service.gpu is not None:
            yield from self._gpu(service.gpu)
        yield "        storage:"
        if not service.volumes:
            yield f"          size: {shown_size(service.disk)}"
            return
        yield f"          - size: {shown_size(service.disk)}"
        for volume in service.volumes:
            yield from self._volume(volume)

    def _gpu(self, gpu: GpuPlan) -> Lines:
        yield from ("        gpu:", f"          units: {gpu.units}", "          attributes:", "            vendor:")
        if not gpu.models:
            yield "              nvidia:"
            return
        yield from self._once("              ", _MODEL)
        yield "              nvidia:"
        for model, ram, interface in gpu.models:
            yield f"                - model: {written(model)}"
            yield from [f"                  ram: {ram}"] if ram else []
            yield from [f"                  interface: {interface}"] if interface else []

    def _volume(self, volume: DiskPlan) -> Lines:
        if volume.mount == SHM:
            yield from self._once("          ", _SHM)
        yield from (f"          - name: {volume.name}", f"            size: {shown_size(volume.size)}")
        persistent = "true" if volume.is_persistent else "false"
        yield f"            attributes: {{persistent: {persistent}, class: {volume.storage_class}}}"

    def _placement(self) -> Lines:
        if self._plan.attributes:
            yield "      attributes:"
            yield from (f"        {name}: {written(value)}" for name, value in self._plan.attributes)
        if self._plan.signed_by:
            yield from ("      signedBy:", "        anyOf:")
            yield from (f"          - {written(address)}" for address in self._plan.signed_by)
        yield "      pricing:"
        yield from self._once("        ", *_PRICE)
        for service in self._plan.services:
            amount = f"{service.price.normalize():f}"
            yield from (f"        {service.name}:", "          denom: uact", f"          amount: {amount}")


def comment(indent: str, text: str, width: int = 120) -> Lines:
    """The text as lines of comment; nothing for an empty one."""
    words: list[str] = []
    for word in text.split():
        if words and len(indent) + 2 + len(" ".join([*words, word])) > width:
            yield f"{indent}# {' '.join(words)}"
            words = []
        words.append(word)
    if words:
        yield f"{indent}# {' '.join(words)}"


def _flow(text: str) -> str:
    """One word of a list on a single line; a flag needs no quotes there."""
    return text if re.fullmatch(r"-[a-z]+", text) else written(text, flow=True)


def _word(text: str) -> str:
    """One word of a command: a script as a block, anything else on its line."""
    block = literal(text, 8, "|\n") if "\n" in text else None
    return written(text) if block is None else block


def secret_names(services: Iterable[ServicePlan]) -> list[str]:
    """The names of the secrets that services refer to, each once."""
    prefix = "ac-secret://"
    found = (value.removeprefix(prefix) for one in services for _, value in one.env if value.startswith(prefix))
    return list(dict.fromkeys(found))
