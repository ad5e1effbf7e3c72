"""GPU models as providers on Akash announce them, for completion; others exist, and none is refused for not being here.

Names, memory and interface are those by which a provider labels its cards, so that an order matches them. Source:
akash-network/provider-configs `devices/pcie/gpus.json`, and models that SDLs of the public gallery ask for; as of
`AS_OF`. Both parsers take only `pcie` and `sxm` as interface; providers label SXM2 to SXM5 all as `sxm`.
"""

from datetime import date

import msgspec

AS_OF = date(2026, 7, 28)

VENDORS = ("nvidia",)
INTERFACES = ("pcie", "sxm")


class GpuCard(msgspec.Struct, frozen=True):
    """One card: `ram` as an SDL writes it, in the sizes there are; `interfaces` in the order of how common they are."""

    model: str
    ram: tuple[str, ...]
    interfaces: tuple[str, ...] = ("pcie",)

    @property
    def detail(self) -> str:
        """What to say beside the name."""
        return f"{' or '.join(self.ram)}, {' or '.join(self.interfaces)}"


# What trains models first, the strongest in front; then workstations, and cards for play.
CARDS = (
    GpuCard("h200", ("141Gi",), ("sxm",)),
    GpuCard("h100", ("80Gi",), ("sxm", "pcie")),
    GpuCard("a100", ("80Gi", "40Gi"), ("sxm", "pcie")),
    GpuCard("a800", ("80Gi",), ("sxm",)),
    GpuCard("a40", ("48Gi",)),
    GpuCard("v100", ("32Gi", "16Gi"), ("sxm",)),
    GpuCard("t4", ("16Gi",)),
    GpuCard("p100", ("16Gi",)),
    GpuCard("p40", ("24Gi",)),
    GpuCard("p4", ("8Gi",)),
    GpuCard("rtxa6000", ("48Gi",)),
    GpuCard("rtx8000", ("48Gi",)),
    GpuCard("rtx4000sffada", ("20Gi",)),
    GpuCard("rtx4000ada", ("20Gi",)),
    GpuCard("rtx5000", ("16Gi",)),
    GpuCard("rtx4000", ("8Gi",)),
    GpuCard("rtx2000eada", ("16Gi",)),
    GpuCard("rtxa2000", ("6Gi",)),
    GpuCard("p6000", ("24Gi",)),
    GpuCard("p5000", ("16Gi",)),
    GpuCard("p4000", ("8Gi",)),
    GpuCard("p2000", ("5Gi", "4Gi")),
    GpuCard("m4000", ("8Gi",)),
    GpuCard("rtx5090", ("32Gi",)),
    GpuCard("rtx4090", ("24Gi",)),
    GpuCard("rtx4080super", ("16Gi",)),
    GpuCard("rtx4080", ("16Gi",)),
    GpuCard("rtx4070ti", ("12Gi",)),
    GpuCard("rtx4070", ("12Gi",)),
    GpuCard("rtx4060ti", ("16Gi",)),
    GpuCard("rtx4060", ("8Gi",)),
    GpuCard("rtx3090ti", ("24Gi",)),
    GpuCard("rtx3090", ("24Gi",)),
    GpuCard("rtx3080", ("10Gi",)),
    GpuCard("rtx3070", ("8Gi",)),
    GpuCard("rtx3060ti", ("8Gi",)),
    GpuCard("rtx3060", ("12Gi",)),
    GpuCard("rtx2080ti", ("11Gi",)),
    GpuCard("rtx2080super", ("8Gi",)),
    GpuCard("rtx2080", ("8Gi",)),
    GpuCard("rtx2070super", ("8Gi",)),
    GpuCard("rtx2070", ("8Gi",)),
    GpuCard("rtx2060super", ("8Gi",)),
    GpuCard("rtx2060", ("6Gi",)),
    GpuCard("gtx1660ti", ("6Gi",)),
    GpuCard("gtx1660", ("6Gi",)),
    GpuCard("gtx1650ti", ("4Gi",)),
    GpuCard("gtx1650super", ("4Gi",)),
    GpuCard("gtx1080ti", ("11Gi",)),
    GpuCard("gtx1080", ("8Gi",)),
    GpuCard("gtx1070ti", ("8Gi",)),
    GpuCard("gtx1070", ("8Gi",)),
    GpuCard("gtx1060", ("6Gi", "3Gi")),
)

BY_MODEL = {card.model: card for card in CARDS}
ALL_RAM = tuple(sorted({ram for card in CARDS for ram in card.ram}, key=lambda ram: -int(ram.removesuffix("Gi"))))
