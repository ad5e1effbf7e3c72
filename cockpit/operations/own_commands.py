"""Commands of the user's on keys: a line for `sh` in which fields of a row stand, whatever bytes these hold.

A field never becomes part of the line: it is passed in a variable that the line names in double quotes, so that the
shell parses nothing of it.
"""

import asyncio
import os
import re
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from cockpit.errors import UsageError
from cockpit.model.child_environment import child_environment
from cockpit.render.text import visible
from cockpit.settings import OwnCommand

EVERYWHERE = "all"
# What every command can name, whatever row it is about.
GENERAL_FIELDS = ("cluster", "address")
_FIELD = re.compile(r"(?<!\$)\{([a-z_]+)\}")
_VARIABLE = "ROW_"
_LONGEST = 16 * 1024  # of a value; an entrypoint may be longer than an environment can hold


class Line(NamedTuple):
    """What is run: the line for `sh -c`, and the variables that hold the fields."""

    text: str
    variables: Mapping[str, str]


def fields_in(command: str) -> list[str]:
    """The fields that a command names, in their order."""
    return list(dict.fromkeys(match[1] for match in _FIELD.finditer(command)))


def problems(command: OwnCommand, known: Mapping[str, Collection[str]]) -> Iterator[str]:
    """What is wrong with a command; `known` are the fields of rows by the name of their pane."""
    if not command.key or not command.label.strip():
        yield "it needs a key and a label"
    if command.scope != EVERYWHERE and command.scope not in known:
        yield f"unknown pane {command.scope!r}; panes: {', '.join(sorted(known))}, or {EVERYWHERE}"
        return
    fields = [*known.get(command.scope, ()), *GENERAL_FIELDS]
    if unknown := [field for field in fields_in(command.command) if field not in fields]:
        yield f"unknown field {{{unknown[0]}}}; fields: {', '.join(fields)}"
    if inside := _quoted_fields(command.command):
        yield f"{{{inside[0]}}} is inside quotes; remove them, since fields are quoted automatically"
    program = command.command.split(maxsplit=1)[0] if command.command.strip() else ""
    if not program:
        yield "its command is empty"
    elif re.fullmatch(r"[\w./+-]+", program) and shutil.which(program) is None:
        yield f"the program {program} is not found"


def line_of(command: OwnCommand, values: Mapping[str, str]) -> Line:
    """The line to run with these values of fields, control characters in them written out.

    Raises UsageError for a field without a value, and for a value that the program could take for an option.
    """
    variables = {}
    for match in _FIELD.finditer(command.command):
        name, value = match[1], visible(values.get(match[1], ""))[:_LONGEST]
        if not value:
            raise UsageError(f"{command.label}: the row has no {name}.")
        is_word = match.start() == 0 or command.command[match.start() - 1].isspace()
        if value.startswith("-") and is_word and " -- " not in command.command[: match.start()]:
            raise UsageError(
                f"{command.label}: {name} is {value[:40]!r}, which the program would read as an option.",
                hint="Write -- in front of the field, where the program knows it.",
            )
        variables[_VARIABLE + name.upper()] = value
    return Line(_FIELD.sub(lambda match: f'"${{{_VARIABLE}{match[1].upper()}}}"', command.command), variables)


def environment_of(line: Line, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables that the shell gets; a value that no environment can hold loses what is odd in it."""
    encoded = {name: value.encode("utf-8", "replace").decode() for name, value in line.variables.items()}
    return {**child_environment(environment), **encoded}


def words_of(line: Line) -> Sequence[str]:
    """The program and its arguments."""
    return ("/bin/sh", "-c", line.text)


async def run_in_background(line: Line) -> tuple[int, str]:
    """Run it to its end without a terminal; its exit code and the last line of its stderr. Raises UsageError."""
    nowhere, pipe = asyncio.subprocess.DEVNULL, asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            *words_of(line), stdin=nowhere, stdout=nowhere, stderr=pipe, env=environment_of(line)
        )
    except OSError as error:
        raise UsageError("The command cannot be run.", detail=error.strerror or str(error)) from error
    said = await _tail(process.stderr) if process.stderr is not None else b""
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return await process.wait(), lines[-1] if lines else ""


async def _tail(stream: asyncio.StreamReader, most: int = 4096) -> bytes:
    held = b""
    while chunk := await stream.read(most):
        held = (held + chunk)[-most:]
    return held


def _quoted_fields(command: str) -> list[str]:
    """Fields inside quotes, where the quotes of ours would end those."""
    quote, at, places = "", 0, []
    while at < len(command):
        character = command[at]
        if character == "\\" and quote != "'":
            at += 1
        elif character in ("'", '"') and quote in ("", character):
            quote = "" if quote else character
        elif quote:
            places.append(at)
        at += 1
    inside = set(places)
    return [match[1] for match in _FIELD.finditer(command) if match.start() in inside]
