"""Random edits of random documents in every style: the data follows, comments stay, undo brings the text back."""

import copy
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from cockpit.operations.sdl_editor.editing import EditingSession
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.failures import SdlError

WORDS = (
    "a", "b c", "yes", "1", "x: y", "# no", "", " lead", "multi\nline", "tail\n", "é😀", "- x", "{a}", "nginx:1.27",
    "null", "a\tb", "it's", 'say "hi"', "very " * 30, "0x1", "~", "*x", "&y", "!t", "%z", "@q", "|", ">", "a #b", "x,y",
    "[z", "trail ", "\u2028", "\x85", "12:30",
)  # fmt: skip
KEYS = ("k", "key 2", "z", "m", "q-1", "yes", "5", "a.b")
COMMENT = re.compile(r"# [le]\d+")


def _value(chance: random.Random, depth: int) -> Any:
    kind = chance.random()
    if depth > 3 or kind < 0.5:
        return chance.choice([*WORDS, 1, 2.5, True, None, -3])
    if kind < 0.75:
        return [_value(chance, depth + 1) for _ in range(chance.randint(0, 3))]
    return {chance.choice(KEYS): _value(chance, depth + 1) for _ in range(chance.randint(0, 3))}


def _text(chance: random.Random, data: Any) -> str:
    text: str = yaml.safe_dump(
        data,
        default_flow_style=chance.choice([False, False, None, True]),
        default_style=chance.choice([None, None, '"', "'"]),
        indent=chance.choice([2, 3, 4, 6]),
        width=chance.choice([20, 80, 500]),
        allow_unicode=chance.random() < 0.7,
        line_break=chance.choice(["\n", "\r\n"]),
        sort_keys=False,
    )
    commented = _commented(chance, text)
    try:
        return commented if SdlDocument(commented).get(()) == data else text
    except SdlError:
        return text


def _commented(chance: random.Random, text: str) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = []
    for number, line in enumerate(text.split(newline)):
        if chance.random() < 0.2:
            lines.append(" " * chance.randint(0, 6) + f"# l{number}")
        lines.append(f"{line}  # e{number}" if line and chance.random() < 0.3 else line)
    return newline.join(lines[:-1] if chance.random() < 0.5 and not lines[-1] else lines)


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    yield path, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in inner:
        yield from _paths(item, (*path, step))


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def _edit(chance: random.Random, session: EditingSession, data: Any) -> Any:
    """Make one random edit in the text and in the data, and return the data as it must be then."""
    path, value = chance.choice(list(_paths(data)))
    new = copy.deepcopy(data)
    action = chance.choice(["set", "insert", "remove"])
    if action == "insert" and isinstance(value, list):
        index, item = chance.randint(0, len(value)), _value(chance, 2)
        _at(new, path).insert(index, item)
        session.apply(action, lambda document: document.insert((*path, index), item))
    elif action == "insert" and isinstance(value, dict) and "new key" not in value:
        item = _value(chance, 2)
        _at(new, path)["new key"] = item
        session.apply(action, lambda document: document.insert((*path, "new key"), item))
    elif path and action == "remove":
        del _at(new, path[:-1])[path[-1]]
        session.apply(action, lambda document: document.remove(path))
    elif path and not isinstance(value, list | dict):
        item = chance.choice([*WORDS, 7, False, None])
        _at(new, path[:-1])[path[-1]] = item
        session.apply(action, lambda document: document.set(path, item))
    return new


@pytest.mark.parametrize("seed", range(60))
def test_random_edits(seed: int) -> None:
    chance = random.Random(seed)
    data: Any = {name: _value(chance, 0) for name in ("one", "two", "three")}
    session = EditingSession(_text(chance, data))
    if session.document.get(()) != data:
        return  # YAML 1.1 and 1.2 read a word differently
    for _ in range(8):
        before, comments = session.text, set(COMMENT.findall(session.text))
        data = _edit(chance, session, data)
        assert session.document.get(()) == data
        if session.text != before and session.undo_label != "remove":
            assert comments <= set(COMMENT.findall(session.text))
        after = session.text
        if after != before:
            assert session.undo()
            assert session.text == before
            assert session.redo()
            assert session.text == after
