"""The official schemas of what we export to, as strict as their own software is."""

import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from jsonschema.protocols import Validator

FACTS = Path(os.environ.get("RAYAKASH_SHARED", Path(__file__).parents[3] / "shared")) / "facts"


def _read(name: str) -> str:
    path = FACTS / name
    if not path.is_file():
        pytest.skip("needs the schemas of KubeRay and Compose: set RAYAKASH_SHARED")
    return path.read_text(encoding="utf-8")


@lru_cache
def compose() -> Validator:
    """Of a compose file (compose-spec)."""
    schema = json.loads(_read("compose-spec.json"))
    assert "draft-07" in schema["$schema"], schema["$schema"]
    return jsonschema.Draft7Validator(schema)


@lru_cache
def ray_cluster() -> Validator:
    """Of a RayCluster `ray.io/v1`, from KubeRay's CRD; a field that it does not know is an error, not dropped."""
    resource = yaml.load(_read("kuberay-raycluster-crd.yaml"), Loader=yaml.CSafeLoader)
    (version,) = (one for one in resource["spec"]["versions"] if one["name"] == "v1")
    schema = _strict(version["schema"]["openAPIV3Schema"])
    schema["properties"]["metadata"] = {"type": "object", "additionalProperties": True}
    return jsonschema.Draft202012Validator(schema)


def _strict(schema: Any) -> Any:
    """OpenAPI of Kubernetes as JSON Schema, closed where the API server would prune."""
    if isinstance(schema, list):
        return [_strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _strict(value) for key, value in schema.items()}
    if schema.get("x-kubernetes-int-or-string"):
        found.pop("type", None)
    keeps = schema.get("x-kubernetes-preserve-unknown-fields")
    if isinstance(schema.get("properties"), dict) and "additionalProperties" not in schema and not keeps:
        found["additionalProperties"] = False
    return found


def problems(validator: Validator, text: str) -> list[str]:
    """What the schema says against a YAML text; empty for a valid one."""
    value = yaml.load(text, Loader=yaml.CSafeLoader)
    return [f"{'/'.join(map(str, error.path))}: {error.message[:200]}" for error in validator.iter_errors(value)]
