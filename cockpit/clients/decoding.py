"""From JSON to structs, where one bad value must not hide the good ones."""

import asyncio
import json
import math
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated, Any, TypeVar

import msgspec

from cockpit.clients.bounds import UNWEIGHED, Budget, TooLargeError, check_weight, is_short_list, raw_fields, raw_rows
from cockpit.errors import NotRayError
from cockpit.model.cluster import Rows

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)

# Bounds of what any Ray can mean: beyond them arithmetic overflows, and NaN and Infinity fit no bound.
Whole = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
Number = Annotated[float, msgspec.Meta(ge=-1e18, le=1e18)]

# What msgspec raises for bytes that are not what was asked for; ValidationError is a DecodeError too.
MALFORMED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def decode(body: bytes, type_: type[T], *, address: str) -> T:
    """Decode `body` as `type_`; strings that hold numbers count as numbers, as Ray sends int64 so.

    A value that does not fit its field becomes that field's default. Raises NotRayError if `body` is not JSON,
    not of the outer shape, or larger than any honest reply once it is decoded.
    """
    check(body, address=address)
    try:
        return msgspec.json.decode(body, type=type_, strict=False)
    except MALFORMED:
        return salvage(parse(body, address=address), type_, address=address)


def parse(body: bytes, *, address: str) -> Any:
    """Parse JSON, `NaN` and `Infinity` included: Python servers send them, and they mean "unknown" here.

    So do numbers too large for a float. Invalid UTF-8 becomes replacement characters.
    """
    check(body, address=address)
    try:
        return json.loads(body.decode("utf-8-sig", "replace"), parse_constant=lambda _: None, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise not_ray(body, address) from error


def _finite(digits: str) -> float | None:
    value = float(digits)
    return value if math.isfinite(value) else None


def check(body: bytes, *, address: str) -> None:
    """Raise NotRayError for a body that would take too much memory once it is decoded."""
    try:
        check_weight(body)
    except TooLargeError as error:
        raise too_large(address) from error


def too_large(address: str) -> NotRayError:
    """The error for a reply that is small on the wire and too large in memory."""
    return NotRayError(
        f"The reply of {address} was dropped: it holds more values than a Ray dashboard sends.",
        hint="Is this the address of a Ray dashboard?",
        fault="reply-too-large",
    )


def listed(body: bytes, *, address: str) -> Sequence[msgspec.Raw]:
    """The rows of a JSON list, not decoded yet. Raises NotRayError for what is not a list, or too long a one."""
    try:
        return raw_rows(body)
    except TooLargeError as error:
        raise too_large(address) from error
    except ValueError as error:
        raise not_ray(body, address) from error


async def listed_in_turns(body: bytes, *, address: str, rest: float) -> Sequence[msgspec.Raw]:
    """As `listed`, with so many seconds for others between its two passes over `body`."""
    try:
        checked = is_short_list(body)
        await asyncio.sleep(rest)
        return raw_rows(body, checked=checked)
    except TooLargeError as error:
        raise too_large(address) from error
    except ValueError as error:
        raise not_ray(body, address) from error


def parts(body: bytes, type_: type[S], *, address: str) -> S:
    """The members of an object by a struct whose fields may be Raw, each read by itself, and kept as Raw undecoded."""
    try:
        found = raw_fields(body)
    except TooLargeError as error:
        raise too_large(address) from error
    except ValueError as error:
        raise not_ray(body, address) from error
    hints = typing.get_type_hints(type_, include_extras=True)
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(type_):
        if (raw := found.get(field.encode_name)) is None:
            continue
        if hints[field.name] is msgspec.Raw:
            values[field.name] = raw
        elif (value := _convert(parse(bytes(raw), address=address), hints[field.name])) is not _UNREADABLE:
            values[field.name] = value
    return type_(**values)


def members(body: bytes, *, address: str) -> dict[str, msgspec.Raw]:
    """The members of a JSON object, not decoded yet. Raises NotRayError for what is not one, or too large a one."""
    check(body, address=address)
    try:
        return msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except MALFORMED:
        pass
    try:
        return raw_fields(body)
    except TooLargeError as error:
        raise too_large(address) from error
    except ValueError as error:
        raise not_ray(body, address) from error


def read_rows(
    rows: Iterable[msgspec.Raw], read: Callable[[msgspec.Raw], S | None], *, address: str
) -> Iterator[S | None]:
    """What `read` makes of each row, None for one that cannot be read.

    Raises NotRayError once all of them take more memory than an honest reply.
    """
    budget, spared = Budget(), UNWEIGHED
    for row in rows:
        try:
            found = read(row)
        except NotRayError:
            found = None
        # To weigh a row takes as long as to read it, and a short list is harmless.
        spared -= len(bytes(row)) if spared > 0 else 0
        if spared <= 0 and found is not None:
            try:
                budget.take(found)
            except TooLargeError as error:
                raise too_large(address) from error
        yield found


def not_ray(body: bytes, address: str) -> NotRayError:
    """The error for a reply that should have been Ray's JSON and is not."""
    if not body:
        return NotRayError(f"{address} answers with an empty page: it is not a Ray dashboard.")
    return NotRayError(
        f"{address} does not answer as a Ray dashboard does.",
        detail=body[:200].decode("utf-8", "replace"),
        hint="Give the address of the dashboard; a proxy may also have cut the reply short.",
    )


def salvage(value: Any, type_: type[T], *, address: str) -> T:
    """Convert parsed JSON field by field; raises NotRayError where even the outer shape is wrong."""
    found = _convert(value, type_)
    if found is _UNREADABLE:
        raise not_ray(json.dumps(value).encode(), address)
    return typing.cast(T, found)


def readable_rows(values: Iterable[Any], type_: type[S]) -> Rows[S]:
    """The rows that are objects, each salvaged; the others are counted."""
    converted = [_convert(value, type_) for value in values]
    rows = tuple(row for row in converted if row is not _UNREADABLE)
    return Rows(rows=rows, unreadable=len(converted) - len(rows))


_UNREADABLE: Any = object()


def _convert(value: Any, type_: Any) -> Any:
    try:
        return msgspec.convert(value, type=type_, strict=False)
    except (msgspec.ValidationError, RecursionError):
        return _convert_parts(value, type_)


def _convert_parts(value: Any, type_: Any) -> Any:
    origin, arguments = typing.get_origin(type_), typing.get_args(type_)
    if origin in (types.UnionType, typing.Union):
        kept = (_convert(value, part) for part in arguments if part is not type(None))
        return next((part for part in kept if part is not _UNREADABLE), _UNREADABLE)
    if origin in (tuple, list) and isinstance(value, list):
        return origin(_elements(value, arguments[0]))
    if origin is dict and isinstance(value, dict):
        pairs = ((str(key), _convert(part, arguments[1])) for key, part in value.items())
        return {key: part for key, part in pairs if part is not _UNREADABLE}
    if isinstance(type_, type) and issubclass(type_, msgspec.Struct) and isinstance(value, dict):
        return _struct(value, type_)
    return _UNREADABLE


def _elements(values: list[Any], type_: Any) -> list[Any]:
    """What cannot be read becomes None where that is allowed, so that the others keep their places."""
    parts = [_convert(value, type_) for value in values]
    if type(None) in typing.get_args(type_):
        return [None if part is _UNREADABLE else part for part in parts]
    return [part for part in parts if part is not _UNREADABLE]


def _struct(value: dict[str, Any], type_: type[S]) -> S:
    hints = typing.get_type_hints(type_, include_extras=True)
    fields: dict[str, Any] = {}
    for field in msgspec.structs.fields(type_):
        if field.encode_name in value:
            part = _convert(value[field.encode_name], hints[field.name])
            if part is not _UNREADABLE:
                fields[field.name] = part
    return type_(**fields)
