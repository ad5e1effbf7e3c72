"""Amounts as the two parsers read them: CPU, bytes, GPUs, prices, durations, versions.

Source: chain-sdk `go/sdl` (units.go, coin.go, reclamation.go), `ts/src/sdl/sizes.ts`; every form is probed in the
rule table that the tests compare with. A function returns None for what its parser refuses.
"""

import re
from decimal import Decimal

_FLOAT = re.compile(r"[-+]?([0-9][0-9_]*(\.[0-9_]*)?|\.[0-9][0-9_]*)([eE][-+]?[0-9]+)?")
_HEX_FLOAT = re.compile(r"[-+]?0[xX][0-9a-fA-F_]*\.?[0-9a-fA-F_]*[pP][-+]?[0-9]+")
_BAD_UNDERSCORE = re.compile(r"^_|_$|_[^0-9a-fA-F]|[^0-9a-fA-FxX]_|__")
_SPECIAL = re.compile(r"[-+]?(inf|infinity)|nan", re.IGNORECASE)
_DECIMAL = re.compile(r"\+?[0-9]+(\.[0-9]+)?|\+?[0-9]+")

KI, MI, GI, TI = 1 << 10, 1 << 20, 1 << 30, 1 << 40
SUFFIXES = {
    "k": 10**3, "Ki": KI, "M": 10**6, "Mi": MI, "G": 10**9, "Gi": GI, "T": 10**12, "Ti": TI,
    "P": 10**15, "Pi": 1 << 50, "E": 10**18, "Ei": 1 << 60,
}  # fmt: skip
BINARY_SUFFIXES = {suffix: size for suffix, size in SUFFIXES.items() if suffix.endswith("i")}


def go_float(text: str) -> float | None:
    """What Go's strconv.ParseFloat makes of the text: underscores and hexadecimal exponents included."""
    if _SPECIAL.fullmatch(text):
        return float(text)
    if _BAD_UNDERSCORE.search(text):
        return None
    if _FLOAT.fullmatch(text):
        value = float(text.replace("_", ""))
        return None if value in (float("inf"), float("-inf")) else value
    return float.fromhex(text.replace("_", "")) if _HEX_FLOAT.fullmatch(text) else None


def go_bytes(text: str, suffixes: dict[str, int] = SUFFIXES) -> int | None:
    """A size in bytes as Go reads it: a number and exactly one of the suffixes, or none."""
    suffix = next((suffix for suffix in suffixes if text.endswith(suffix)), "")
    value = go_float(text.removesuffix(suffix))
    if value is None or value < 0:
        return None
    product = value * suffixes.get(suffix, 1)
    return int(product) if product < 2**64 else 2**64


_TS_SIZE = re.compile(r"([0-9.]+)([a-z])([a-z]*)")
_TS_PREFIXES = "kmgtpe"


def ts_bytes(text: str) -> int | None:
    """A size in bytes as TypeScript reads it: any letters behind the number, their case ignored, `i` for binary."""
    found = _TS_SIZE.fullmatch(text.lower())
    if found is None:
        return None
    number, prefix, unit = found.groups()
    power = _TS_PREFIXES.find(prefix) + 1
    whole = re.match(r"[0-9]*\.?[0-9]*", number)
    value = float(whole.group()) if whole and whole.group().strip(".") else 0.0
    return int(value * (1024 if unit == "i" else 1000) ** power)


def go_cpu(text: str) -> int | None:
    """Thousandths of a core as Go reads them: `500m` (whole) or a number of cores."""
    if text.endswith("m"):
        digits = text[:-1]
        return int(digits) if re.fullmatch(r"[0-9]{1,10}", digits) and int(digits) < 2**32 else None
    value = go_float(text)
    if value is None or value < 0:
        return None
    return int(min(value * 1000, 2.0**32)) if value == value else 2**32


# JavaScript reads a larger number as infinity, which the schema takes for no number.
_TS_MOST = 2.0**1023 * (2 - 2.0**-52)
_TS_CPU = re.compile(r"[0-9]+(\.[0-9]+)?[a-zA-Z]*")
_TS_NO_CPU = re.compile(r"0+(\.0+)?m?")


def ts_takes_cpu(value: object) -> bool:
    """Whether TypeScript takes the value as CPU units: a number above 0, or digits with any letters behind."""
    if isinstance(value, bool):
        return False
    if isinstance(value, int | float):
        return 0 < value <= _TS_MOST
    return isinstance(value, str) and bool(_TS_CPU.fullmatch(value)) and not _TS_NO_CPU.fullmatch(value)


def go_units(text: str) -> int | None:
    """A number of GPUs as Go reads it: digits only."""
    return int(text) if re.fullmatch(r"[0-9]{1,20}", text) else None


def ts_takes_gpus(value: object) -> bool:
    """Whether TypeScript's schema takes the value as a number of GPUs: any text, any finite number."""
    if isinstance(value, int | float):
        return not isinstance(value, bool) and abs(value) <= _TS_MOST
    return isinstance(value, str)


def is_no_gpu(value: object) -> bool:
    """Whether TypeScript's schema takes the units for none: absent, 0, or a text of zeros."""
    if isinstance(value, str):
        return bool(re.fullmatch(r"0+(\.0+)?", value))
    return not isinstance(value, int | float) or isinstance(value, bool) or value <= 0


def go_amount(text: str) -> Decimal | None:
    """A price as Go (cosmos LegacyDec) reads it: at most 18 decimals, no exponent, above 0."""
    if not _DECIMAL.fullmatch(text) or len(text.partition(".")[2]) > 18:
        return None
    amount = Decimal(text)
    return amount if 0 < amount < Decimal(2) ** 255 else None


def ts_takes_amount(value: object) -> bool:
    """Whether TypeScript takes the value as a price: a number from 0, or a text of digits."""
    if isinstance(value, bool):
        return False
    if isinstance(value, int | float):
        return 0 <= value <= _TS_MOST
    return isinstance(value, str) and bool(re.fullmatch(r"[0-9]+(\.[0-9]+)?", value))


_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")


def go_seconds(text: str) -> float | None:
    """A duration as Go's time.ParseDuration reads it."""
    body = text.removeprefix("-" if text.startswith("-") else "+")
    if body == "0":
        return 0.0
    parts = list(_DURATION.finditer(body))
    if not parts or "".join(part.group() for part in parts) != body:
        return None
    total = sum(float(part.group(1)) * _SECONDS[part.group(2)] for part in parts)
    return -total if text.startswith("-") else total


def go_version(text: str) -> tuple[int, int, int] | None:
    """A version as Go's semver.ParseTolerant reads it (`v2`, ` 2.1`), where an SDL may have it, else None."""
    parts = text.strip().removeprefix("v").split(".", 2)
    if not all(re.fullmatch(r"[0-9]{1,9}", part) for part in parts):
        return None
    numbers = [int(part) for part in parts] + [0, 0]
    version = numbers[0], numbers[1], numbers[2]
    return version if version == (2, 0, 0) or version >= (2, 1, 0) else None


def shown_bytes(size: int) -> str:
    """A size in the largest binary unit that it is whole in, as an SDL may write it."""
    for suffix, unit in (("Ti", TI), ("Gi", GI), ("Mi", MI), ("Ki", KI)):
        if size >= unit and size % unit == 0:
            return f"{size // unit}{suffix}"
    for suffix, unit in (("Ti", TI), ("Gi", GI), ("Mi", MI), ("Ki", KI)):
        if size >= unit:
            return f"{size / unit:.1f}{suffix}"
    return f"{size}"


_LOOSE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([kmgtpe])?\s*(i?b?|b)\s*", re.IGNORECASE)


def portable_size(text: str) -> str | None:
    """The way both parsers take what was probably meant: `10Gb`, `16 GB` and `2gi` become `Gi`, bytes a suffix."""
    found = _LOOSE.fullmatch(text)
    if found is None:
        return None
    number, prefix, _ = found.groups()
    if prefix:
        return f"{number}{prefix.upper()}i"
    size = float(number)
    return shown_bytes(int(size)) if size >= KI and size % KI == 0 else None
