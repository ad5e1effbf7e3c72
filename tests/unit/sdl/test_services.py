"""Whole services: clone, rename, count; one step of undo each."""

import pytest

from cockpit.sdl.document import SdlDocument
from cockpit.sdl.failures import MissingNodeError, SdlError, UnsafeEditError
from cockpit.sdl.rules import problems
from cockpit.sdl.services import add_worker_group, rename_service, set_count

CLUSTER = """\
version: "2.0"

services:
  head: # the head
    image: rayproject/ray:2.40.0
    env:
      - HOST=head
      - "ADDRESS=head:6379"
      - OTHER=head-x:1
    expose:
      - port: 6379
        to:
          - service: worker, other
          - global: true

  worker: # the worker
    image: rayproject/ray:2.40.0
    args: ["ray start --address=head:6379"]

profiles:
  compute:
    small: &none
      resources: {cpu: {units: 2}, memory: {size: 4Gi}, storage: {size: 10Gi}}
  placement:
    dc:
      pricing:
        small: {denom: uact, amount: 10}
deployment:
  head: {dc: {profile: small, count: 1}}
  worker:
    dc: {profile: small, count: 2}
"""
PLAIN = CLUSTER.replace(" &none", "")


def test_a_worker_group_is_cloned_with_all_that_belongs_to_it() -> None:
    document = SdlDocument(PLAIN)
    add_worker_group(document, "worker", "worker-b", count=5)
    assert document.get("services.worker-b") == document.get("services.worker")
    assert document.get("profiles.compute.worker-b") == document.get("profiles.compute.small")
    assert document.get("profiles.placement.dc.pricing.worker-b") == {"denom": "uact", "amount": 10}
    assert document.get("deployment.worker-b") == {"dc": {"profile": "worker-b", "count": 5}}
    assert "\n\n  worker-b: # the worker\n" in document.text
    assert not [problem for problem in problems(document) if problem.severity == "error" and "go" in problem.refused_by]


@pytest.mark.parametrize("name", ["worker", "small", "Bad_Name", "9"])
def test_a_name_that_is_taken_or_bad_is_refused(name: str) -> None:
    document = SdlDocument(PLAIN)
    with pytest.raises(UnsafeEditError):
        add_worker_group(document, "worker", name)
    assert document.text == PLAIN


def test_a_clone_of_an_anchor_is_refused_and_taken_back() -> None:
    document = SdlDocument(CLUSTER)
    with pytest.raises(UnsafeEditError, match="anchor"):
        add_worker_group(document, "worker", "worker-b")
    assert document.text == CLUSTER
    with pytest.raises(MissingNodeError):
        add_worker_group(document, "nobody", "worker-b")


def test_rename_follows_every_mention() -> None:
    document = SdlDocument(PLAIN)
    lines = rename_service(document, "head", "boss")
    assert lines == [5, 7, 8, 18, 29]
    for text in ("boss: # the head", "HOST=boss\n", '"ADDRESS=boss:6379"', "OTHER=head-x:1", "--address=boss:6379"):
        assert text in document.text
    rename_service(document, "worker", "w")
    assert "- service: w, other" in document.text
    assert "head:" not in document.text
    renamed = document.text
    with pytest.raises(SdlError):
        rename_service(document, "boss", "w")
    assert document.text == renamed


def test_count() -> None:
    document = SdlDocument(PLAIN)
    set_count(document, "worker", 6)
    assert document.text == PLAIN.replace("count: 2", "count: 6")
    with pytest.raises(MissingNodeError):
        set_count(document, "nobody", 1)
