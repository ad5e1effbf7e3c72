"""Ray's label selectors: `v`, `!v`, `in(a,b)`, `!in(a,b)` (ray/common/scheduling, measured on 2.60)."""

from collections.abc import Mapping


def match(labels: Mapping[str, str], selector: Mapping[str, str]) -> bool:
    """Whether a node with these labels passes every condition; a label that is not there passes a negation."""
    return all(_passes(labels.get(name), condition) for name, condition in selector.items())


def text(selector: Mapping[str, str]) -> str:
    """A selector as one writes it, `tier=gold, zone=in(a,b)`."""
    return ", ".join(f"{name}={condition}" for name, condition in selector.items())


def _passes(value: str | None, condition: str) -> bool:
    body = condition.strip().removeprefix("!")
    is_list = body.startswith("in(") and body.endswith(")")
    wanted = [part.strip() for part in body[3:-1].split(",")] if is_list else [body]
    return (value in wanted) != condition.strip().startswith("!")
