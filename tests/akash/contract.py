"""The Console's own OpenAPI document as a judge of requests and replies.

OpenAPI 3.0 is not quite JSON Schema: `nullable` and boolean bounds are translated. Two places of the document are
wrong of real providers, which send null for ports and addresses where there are none (Go's nil maps): patched here.
"""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema

from tests.akash_sim.console import SimReply, SimRequest

_NULLABLE = ("forwarded_ports", "ips")


class Contract:
    """Checks exchanges; `checked` are the operations that it has seen."""

    def __init__(self, path: Path) -> None:
        document = json.loads(path.read_text())
        self._paths: dict[str, dict[str, Any]] = document["paths"]
        self.checked: set[str] = set()

    def check(self, request: SimRequest, reply: SimReply) -> None:
        """Raise AssertionError where an exchange breaks the document; a path that it lacks is not checked."""
        template = next((each for each in self._paths if _matches(each, request.path)), None)
        operation = self._paths.get(template or "", {}).get(request.method.lower())
        if operation is None or reply.status >= 300:
            return
        name = f"{request.method} {template}"
        for parameter in operation.get("parameters") or []:
            _check_parameter(name, parameter, request)
        if "requestBody" in operation:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            _check_schema(f"request {name}", schema, json.loads(request.body))
        assert str(reply.status) in operation["responses"], f"{name}: {reply.status} is not declared"
        schema = operation["responses"][str(reply.status)]["content"]["application/json"]["schema"]
        _check_schema(f"reply {name}", schema, json.loads(reply.body))
        self.checked.add(name)


def _matches(template: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)), path) is not None


def _check_parameter(name: str, parameter: dict[str, Any], request: SimRequest) -> None:
    if parameter["in"] != "query":
        return
    value = request.query.get(parameter["name"])
    assert value is not None or not parameter.get("required"), f"{name}: {parameter['name']} is missing"
    if value is not None:
        schema = parameter["schema"]
        _check_schema(name, schema, float(value) if schema.get("type") in ("number", "integer") else value)


def _check_schema(name: str, schema: Any, value: Any) -> None:
    found = sorted(jsonschema.Draft202012Validator(translated(schema)).iter_errors(value), key=str)
    assert not found, f"{name}: {found[0].json_path}: {found[0].message[:300]}"


def translated(schema: Any, name: str = "") -> Any:
    """A schema of OpenAPI 3.0 as JSON Schema."""
    if isinstance(schema, list):
        return [translated(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: translated(value, key if key != "properties" else "") for key, value in schema.items()}
    if "properties" in schema:
        found["properties"] = {key: translated(value, key) for key, value in schema["properties"].items()}
    is_nullable = found.pop("nullable", False) is True or name in _NULLABLE
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if found.get(exclusive) is True:
            found[exclusive] = found.pop(bound)
        elif found.get(exclusive) is False:
            del found[exclusive]
    if is_nullable and isinstance(found.get("type"), str):
        found["type"] = [found["type"], "null"]
    return found
