"""Board power of GPU models, to tell a GPU that computes from one that only holds memory.

Watts of the vendors' data sheets (thermal design power of the board); the longest name that a device's own name
contains decides, so that `H100 PCIe` comes before `H100`.
"""

_WATTS = {
    "GB300": 1400,
    "GB200": 1200,
    "B300": 1100,
    "B200": 1000,
    "B100": 700,
    "GH200": 900,
    "H200 NVL": 600,
    "H200": 700,
    "H100 PCIe": 350,
    "H100 NVL": 400,
    "H100": 700,
    "H20": 400,
    "H800": 700,
    "A100-PCIE-40GB": 250,
    "A100 80GB PCIe": 300,
    "A100-PCIE": 250,
    "A100": 400,
    "A800": 400,
    "A40": 300,
    "A30": 165,
    "A16": 250,
    "A10G": 300,
    "A10": 150,
    "A2": 60,
    "L40S": 350,
    "L40": 300,
    "L4": 72,
    "T4": 70,
    "P100": 250,
    "P40": 250,
    "P4": 75,
    "V100-PCIE": 250,
    "V100": 300,
    "RTX PRO 6000 Blackwell": 600,
    "RTX 6000 Ada": 300,
    "RTX 5000 Ada": 250,
    "RTX 4500 Ada": 210,
    "RTX 4000 Ada": 130,
    "RTX A6000": 300,
    "RTX A5000": 230,
    "RTX A4500": 200,
    "RTX A4000": 140,
    "Quadro RTX 8000": 260,
    "Quadro RTX 6000": 260,
    "RTX 5090": 575,
    "RTX 5080": 360,
    "RTX 5070 Ti": 300,
    "RTX 5070": 250,
    "RTX 4090": 450,
    "RTX 4080": 320,
    "RTX 4070 Ti": 285,
    "RTX 4070": 200,
    "RTX 4060": 115,
    "RTX 3090 Ti": 450,
    "RTX 3090": 350,
    "RTX 3080 Ti": 350,
    "RTX 3080": 320,
    "RTX 3070": 220,
    "RTX 3060": 170,
    "RTX 2080 Ti": 250,
    "GTX 1080 Ti": 250,
    "GTX 1080": 180,
    "GTX 1070": 150,
    "MI300X": 750,
    "MI250X": 560,
    "MI210": 300,
}
_BY_LENGTH = sorted(_WATTS, key=len, reverse=True)


def board_power_w(model: str | None) -> int | None:
    """The board power in watts of a GPU by the name that its driver reports; None for a model without an entry."""
    words = f" {(model or '').lower().replace('-', ' ').replace('_', ' ')} "
    for name in _BY_LENGTH:
        if f" {name.lower().replace('-', ' ')} " in words:
            return _WATTS[name]
    return None
