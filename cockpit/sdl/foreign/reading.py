"""A foreign file: what it is, and the one cluster in it."""

import re

from cockpit.errors import UsageError
from cockpit.sdl.document import plain
from cockpit.sdl.export import label
from cockpit.sdl.foreign import compose, kuberay
from cockpit.sdl.foreign.cluster import LONGEST_NAME, Imported, finished
from cockpit.sdl.foreign.losses import CannotRunError, Config, Losses, items, mapping, text
from cockpit.sdl.foreign.pods import Objects
from cockpit.sdl.parser import MAX_CHARACTERS, parse

KUBERAY, COMPOSE = "kuberay", "compose"
HELM = (
    "This is a Helm values file, which describes no cluster by itself. Render it first: "
    "helm template raycluster kuberay/ray-cluster -f FILE > cluster.yaml, and import that."
)
_SEPARATOR = re.compile(r"^---(?=\s|$)[^\n]*", re.MULTILINE)
_ITS_OWN = {
    "ConfigMap": "Its values that variables refer to are carried over; its files are not.",
    "Secret": "Its values are not part of the SDL, which refers to them.",
    "PersistentVolumeClaim": "Volumes of the SDL are new and empty.",
    "Service": "The gateway is the only public service.",
    "Ingress": "The gateway is the only public service.",
}


def kind_of(source: str) -> str | None:
    """Which import takes a text: kuberay, compose, or None; never raises. Cheap enough to ask on each paste."""
    if len(source) > MAX_CHARACTERS:
        return None
    if re.search(r"^apiVersion:\s*[\"']?ray\.io/", source, re.MULTILINE):
        return KUBERAY
    is_compose = re.search(r"^services:", source, re.MULTILINE) and not re.search(
        r"^(profiles|deployment):", source, re.MULTILINE
    )
    return COMPOSE if is_compose and re.search(r"\bray\b", source) else None


def read_foreign(source: str, *, name: str = "", kind: str = "", stem: str = "ray") -> tuple[Imported, Losses]:
    """The cluster in a text, as an SDL, with what was lost and the secrets that were met.

    `name` chooses among several Ray objects, or names the cluster; `kind` is kuberay or compose where it is known.
    Raises UnreadableSdlError for what is not YAML or too large, UsageError for a file of another kind,
    CannotRunError where head or workers cannot run on Akash.
    """
    documents = [one for one in _documents(source) if one]
    losses = Losses()
    rays = [one for one in documents if kuberay.is_ray(one)]
    if kind != COMPOSE and (rays or kind == KUBERAY):
        return _kuberay(documents, rays, name, losses), losses
    for one in documents:
        _refuse_others(one)
        if isinstance(one.get("services"), dict):
            own = label(name or text(one.get("name")) or stem, LONGEST_NAME)
            draft = compose.read(one, losses)
            for _ in documents[1:]:
                losses.add("---", "Only the first document of a compose file is read.")
            return finished(draft, own, "Docker Compose file", losses), losses
    raise UsageError(
        "This is not a RayCluster, RayJob, RayService or Docker Compose file.",
        hint="An SDL needs no import: rayakash-tui sdl lint FILE.",
    )


def _documents(source: str) -> list[Config]:
    """Every document whose root is a mapping, the items of a List among them."""
    if re.search(r"^\s*\{\{-?\s", source, re.MULTILINE):
        raise UsageError("This is a template of a Helm chart.", hint=HELM)
    found: list[Config] = []
    for part in _SEPARATOR.split(source):
        value = plain(parse(part).root) if part.strip() else None
        if isinstance(value, dict) and value.get("kind") == "List":
            found += [mapping(one) for one in items(value.get("items"))]
        elif isinstance(value, dict):
            found.append(value)
    return found


def _refuse_others(document: Config) -> None:
    if "services" in document and ("profiles" in document or "deployment" in document):
        raise UsageError("This is an SDL already.", hint="Check it: rayakash-tui sdl lint FILE.")
    looks_helm = isinstance(document.get("image"), dict) or "fullnameOverride" in document
    if "kind" not in document and "services" not in document and ({"head", "worker"} & set(document) or looks_helm):
        raise UsageError(HELM)
    if "kind" in document and "apiVersion" in document:
        kind = text(document.get("kind"))
        raise UsageError(f"A {kind} is not a Ray cluster.", hint=f"Import a {', '.join(kuberay.KINDS)} of ray.io/v1.")


def _kuberay(documents: list[Config], rays: list[Config], name: str, losses: Losses) -> Imported:
    if not rays:
        raise UsageError(
            "This file does not contain a Ray object.", hint=f"Import a {', '.join(kuberay.KINDS)} of ray.io/v1."
        )
    for one in rays:
        _check_known(one)
    chosen = _chosen(rays, name)
    for one in documents:
        if one is not chosen:
            kind = text(one.get("kind")) or "document"
            reason = (
                "Another Ray object; import it by --name."
                if one in rays
                else _ITS_OWN.get(kind, "It is Kubernetes' own.")
            )
            losses.add(f"{kind}/{kuberay.name_of(one)}", reason)
    draft = kuberay.read(chosen, Objects(documents), losses)
    own = label(name or kuberay.name_of(chosen) or "ray", LONGEST_NAME)
    return finished(draft, own, text(chosen.get("kind")), losses)


def _check_known(document: Config) -> None:
    kind, version = text(document.get("kind")), text(document.get("apiVersion")).partition("/")[2]
    if kind not in kuberay.KINDS:
        raise UsageError(f"Unknown kind of Ray object: {kind!r}.", hint=f"Import a {', '.join(kuberay.KINDS)}.")
    if version not in kuberay.VERSIONS:
        raise UsageError(f"Unknown version of the CRD: ray.io/{version}.", hint="Import ray.io/v1.")


def _chosen(rays: list[Config], name: str) -> Config:
    named = [one for one in rays if kuberay.name_of(one) == name]
    if len(rays) == 1:
        return rays[0]
    if len(named) == 1:
        return named[0]
    names = ", ".join(kuberay.name_of(one) or "(no name)" for one in rays)
    raise CannotRunError(f"There are {len(rays)} Ray objects in this file.", hint=f"Choose one by --name: {names}.")
