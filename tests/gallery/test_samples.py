"""Every sample on a real Ray: what it says it shows is what happens."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.live.command_line import CommandLine
from tests.live.node import RayHead

pytestmark = pytest.mark.gallery

LONG = 300.0


def result_of(gallery: CommandLine, name: str, *options: str, words: tuple[str, ...] = ()) -> dict[str, Any]:
    """Run a sample with what is installed; its result."""
    done = gallery.run("gallery", "run", name, "--installed", "--json", *words, "--", *options, within=LONG)
    assert done.code == 0, done.everything[-4000:]
    found = done.json()
    assert found["ok"] is True
    return found


def test_hello(gallery: CommandLine) -> None:
    found = result_of(gallery, "hello")
    assert found["pi"] == pytest.approx(3.1416, abs=0.01)
    assert found["caught"] == "ValueError"


def test_data_pipeline(gallery: CommandLine) -> None:
    found = result_of(gallery, "data-pipeline", "--rows", "20001")
    assert (found["rows"], found["buckets"]) == (10_001, 5)


def test_train_cnn(gallery: CommandLine, storage: str) -> None:
    found = result_of(gallery, "train-cnn", "--storage", storage, "--epochs", "3", words=("--workers", "2"))
    assert (found["workers"], found["gpus_per_worker"]) == (2, 0)
    assert found["accuracy"] > 0.8
    assert found["checkpoint"].startswith(storage)


def test_tune_sweep(gallery: CommandLine) -> None:
    found = result_of(gallery, "tune-sweep", "--trials", "6")
    assert found["trials"] == 6
    assert found["loss"] < 1


def test_serve_model(gallery: CommandLine) -> None:
    found = result_of(gallery, "serve-model", "--port", "18471")
    assert (found["right"], found["requests"], found["replicas"]) == (40, 40, 2)


def test_fault_tolerance(gallery: CommandLine) -> None:
    found = result_of(gallery, "fault-tolerance")
    assert (found["killed"], found["actor_processes"], found["count"]) == (4, 2, 10)


def test_check_cluster_and_its_all_reduce(gallery: CommandLine) -> None:
    found = result_of(gallery, "check-cluster", "--all-reduce")
    assert set(found) >= {"nodes", "gpus", "pairs", "all_reduce", "ok"}
    (node,) = found["nodes"]
    assert node["shm_mib_s"] > 0
    assert found["all_reduce"]["backend"] == "gloo"


def test_all_reduce(gallery: CommandLine) -> None:
    found = result_of(gallery, "all-reduce", "--mib", "1", "8")
    assert (found["world"], [row["mib"] for row in found["sizes"]]) == (2, [1, 8])
    assert all(row["bus_gb_per_s"] > 0 for row in found["sizes"])


def test_demand_that_nothing_can_meet(gallery: CommandLine) -> None:
    found = result_of(gallery, "autoscale-demand", "--seconds", "3")
    assert found["placed"] == 0


def test_batch_inference(gallery: CommandLine) -> None:
    assert result_of(gallery, "batch-inference", "--rows", "8000")["rows"] == 8000


def test_a_sample_that_fails_is_exit_1_and_says_so(gallery: CommandLine) -> None:
    done = gallery.run("gallery", "run", "hello", "--installed", "--json", "--", "--throws", "many", within=LONG)
    assert done.code == 1
    assert done.json()["ok"] is False


def test_a_model_that_cannot_be_had_is_a_sentence(gallery: CommandLine) -> None:
    done = gallery.run("gallery", "run", "finetune-lora", "--installed", "--", "--model", "/nowhere", within=LONG)
    assert done.code == 1
    assert "Cannot load /nowhere" in done.everything or "No module named 'transformers'" in done.everything


@contextmanager
def dead_store(*, listens: bool) -> Iterator[str]:
    """Where checkpoints shall go: a port that refuses, or one that takes connections and never answers."""
    with socket.socket() as port:
        port.bind(("127.0.0.1", 0))
        if listens:
            port.listen(16)
        yield f"s3://ID:KEY@bucket/runs?scheme=http&endpoint_override=127.0.0.1:{port.getsockname()[1]}"


@pytest.mark.parametrize(("listens", "reason"), [(False, "AWS Error NETWORK_CONNECTION"), (True, "no answer in 20 s")])
def test_a_store_that_is_dead_is_a_sentence(gallery: CommandLine, listens: bool, reason: str) -> None:
    with dead_store(listens=listens) as store:
        words = ("gallery", "run", "train-cnn", "--installed", "--json", "--", "--storage", store)
        done = gallery.run(*words, within=LONG)
    assert done.code == 1
    assert done.json()["error"].startswith("The nodes could not use the object store: ")
    assert reason in done.json()["error"]
    assert "Traceback" not in done.everything
    assert len(done.everything.splitlines()) < 20


@pytest.mark.slow
def test_finetune_lora_from_a_path(gallery: CommandLine, storage: str, tiny_model: str) -> None:
    found = result_of(gallery, "finetune-lora", "--model", tiny_model, "--storage", storage)
    assert found["loss"] < found["first_loss"]
    assert 0 < found["trained"] < found["parameters"]


@pytest.mark.slow
def test_rllib_ppo(gallery: CommandLine) -> None:
    returns = result_of(gallery, "rllib-ppo")["returns"]
    assert max(returns) > 2 * returns[0]


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["1", "3"])
def test_deepspeed_zero(gallery: CommandLine, storage: str, stage: str) -> None:
    found = result_of(gallery, "deepspeed-zero", "--storage", storage, "--stage", stage)
    assert (found["workers"], found["stage"]) == (2, int(stage))
    assert found["accuracy"] > 0.8


def test_clusters_check_burns_the_machines_in(gallery: CommandLine, head: RayHead) -> None:
    words = ("clusters", "check", "--address", head.address, "--send-token", "--burn-in", "--json")
    done = gallery.run(*words, within=LONG)
    assert done.code == 0, done.everything[-4000:]
    assert done.json()["burn_in"]["ok"] is True
