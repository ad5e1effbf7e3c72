"""Options that several commands share, and the values that they take."""

import argparse
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from cockpit.errors import UsageError
from cockpit.model.quantities import parse_bytes, parse_seconds

RETRY_SECONDS = 300.0

T = TypeVar("T")

Add = Callable[[argparse.ArgumentParser], None]


def add_cluster(parser: argparse.ArgumentParser, *, default: object = argparse.SUPPRESS) -> None:
    """Options that name the cluster; allowed before and after the command."""
    group = parser.add_argument_group("cluster")
    group.add_argument("-c", "--context", metavar="NAME", default=default, help="a context of config.toml, or `local`")
    group.add_argument("--address", metavar="URL", default=default, help="the dashboard, http(s)://HOST:PORT")
    group.add_argument(
        "--ssh",
        metavar="DEST",
        default=default,
        help="connect through this SSH host; the address is resolved there",
    )
    group.add_argument(
        "--ssh-port", type=int, metavar="PORT", default=default, help="also forward this local port, e.g. for a browser"
    )
    group.add_argument(
        "--send-token",
        action="store_true",
        default=default,
        help="allow sending the token found here, or a token without TLS, to this address",
    )
    group.add_argument(
        "--accept-certificate",
        metavar="FINGERPRINT",
        default=default,
        help="from now on trust only this certificate (sha256:…) at this address",
    )
    group.add_argument("--verbose", action="store_true", default=default, help="show the cluster's whole error message")


def add_json(parser: argparse._ActionsContainer, *, fields: bool = False, default: Any = False) -> None:
    """`--json`; that of a listing takes the `fields` of a row, behind `=` only: see `closed`.

    A command below another one, which has the option too, needs SUPPRESS as its `default`.
    """
    said = "print one JSON object" + ("; --json=FIELD,FIELD prints these fields of each row" if fields else "")
    parser.add_argument("--json", action=_Json if fields else _PlainJson, nargs="?", default=default, help=said)


class _Json(argparse.Action):
    """Sets `json`, and `json_fields` where some are named."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option: str | None = None) -> None:
        namespace.json = True
        namespace.json_fields = [word.strip() for word in (values or "").split(",") if word.strip()]


class _PlainJson(_Json):
    """Refuses fields, for a command that does not print a list."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option: str | None = None) -> None:
        super().__call__(parser, namespace, values, option)
        if namespace.json_fields:
            parser.error("--json takes no fields here: this command does not print a list")


def closed(words: Sequence[str]) -> list[str]:
    """The words, with each `--json` closed against the word behind it, which argparse would take for its fields."""
    return ["--json=" if word == "--json" else word for word in words]


def add_listing(parser: argparse.ArgumentParser) -> None:
    """`--json`, `-o`, `--no-headers`, `--sort`, `--reverse` and `--limit`."""
    add_json(parser, fields=True)
    parser.add_argument(
        "-o", "--output", choices=("wide", "name"), help="wide: all columns, nothing cut; name: only the IDs"
    )
    parser.add_argument("--no-headers", action="store_true", help="omit the header line")
    parser.add_argument("--sort", metavar="COLUMN", help="sort by a column's title, such as `--sort duration`")
    parser.add_argument("-r", "--reverse", action="store_true", help="reverse the order")
    parser.add_argument("-n", "--limit", type=count, metavar="N", help="print only the first N rows")


def json_fields(args: argparse.Namespace) -> list[str]:
    """The fields that `--json=` names; none for all."""
    found: list[str] = getattr(args, "json_fields", [])
    return found


def add_retry(parser: argparse.ArgumentParser) -> None:
    """`--retry-for`."""
    parser.add_argument(
        "--retry-for",
        type=seconds,
        metavar="TIME",
        help="keep retrying this long: 30s, 5m (default 5m; the first request fails at once)",
    )


def add_ids(parser: argparse.ArgumentParser) -> None:
    """Job ids, or `--last`."""
    parser.add_argument(
        "ids", nargs="*", metavar="ID", help="submission ID or job ID; the start of a generated ID is enough"
    )
    add_last(parser)


def add_last(parser: argparse.ArgumentParser) -> None:
    """`--last`."""
    parser.add_argument("--last", action="store_true", help="the job submitted last, instead of an ID")


def seconds(text: str) -> float:
    """A time such as `90`, `30s`, `5m`, `2h`, in seconds."""
    return _parsed(parse_seconds, text)


def memory(text: str) -> int:
    """A size such as `500000000`, `16G` (10⁹) or `16Gi` (2³⁰), in bytes."""
    return _parsed(parse_bytes, text)


def _parsed(parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(f"{error.title} {error.hint}".strip()) from error


def count(text: str) -> int:
    """A whole number from 1."""
    if not (text.isdecimal() and int(text[:20]) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text[:20])


def amount(text: str) -> float:
    """A number of things that may be shared, such as 0.5 GPUs: above 0."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number
