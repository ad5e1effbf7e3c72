"""Foreign files with odd values in odd places: a sentence or an SDL comes out, and never a traceback."""

import copy
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cockpit.errors import CockpitError
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.foreign.reading import read_foreign
from cockpit.sdl.rules import lint
from tests.sdl.test_foreign_compose import project
from tests.sdl.test_foreign_kuberay import cluster, container

RICH = container(
    env=[{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
    envFrom=[{"secretRef": {"name": "s"}}, {"configMapRef": {"name": "c"}}],
    ports=[{"containerPort": 9000}],
    volumeMounts=[{"name": "shm", "mountPath": "/dev/shm"}, {"name": "d", "mountPath": "/d"}],
)
POD = {
    "volumes": [{"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "2Gi"}}, {"name": "d", "ephemeral": {}}],
    "nodeSelector": {"gpu": "a100"},
}
SOURCES = {
    "kuberay": yaml.safe_load(
        cluster(RICH, RICH, pod=POD, group={"rayStartParams": {"num-cpus": "1"}, "labels": {"a": "b"}})
    ),
    "compose": yaml.safe_load(
        project({
            "environment": {"A": "${B:-c}"}, "volumes": ["d:/d"], "ports": ["1:2"], "gpus": "all", "tmpfs": ["/t"],
            "shm_size": "1g", "expose": [80],
        }, services={"redis": {"image": "redis:7", "environment": ["A=b"], "command": "x 'y z'"}})
    ),
}  # fmt: skip
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.floats(), st.text(max_size=5),
    st.sampled_from(([], {}, [[]], {"a": {}}, [None], "1e999", "0", "-1Gi", "${", "99999999Ti", "nan", "{{ x }}", ".")),
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a tree."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return (
        [path, *(one for key, child in below for one in places(child, (*path, key)))]
        if path
        else [one for key, child in below for one in places(child, (key,))]
    )


@pytest.mark.parametrize("kind", SOURCES)
@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_an_odd_value_anywhere(kind: str, data: st.DataObject) -> None:
    tree = copy.deepcopy(SOURCES[kind])
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(places(tree)))
        holder = tree
        for step in place[:-1]:
            holder = holder[step]
        holder[place[-1]] = data.draw(ODD)
    try:
        done, losses = read_foreign(yaml.safe_dump(tree, allow_unicode=True))
    except CockpitError:
        return
    found = lint(SdlDocument(done.text))
    assert found.portable, found.problems
    assert all(one.path and one.reason for one in losses.all())
