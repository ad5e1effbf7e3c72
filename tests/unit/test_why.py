"""Why something waits, computed from what a dashboard tells: every verdict, and the sentence that goes with it."""

import pytest

from cockpit.model.actors import Actor
from cockpit.model.jobs import Job
from cockpit.model.placement_groups import Bundle, BundleId, PlacementGroup, SchedulingStats
from cockpit.model.tasks import Task
from cockpit.model.why import labels
from cockpit.model.why.causes import of_actor, of_job, of_task
from cockpit.model.why.facts import Asked, Demand, Holder, Offer, RuntimeEnv, SetupLine, in_group
from cockpit.model.why.groups import of_group
from cockpit.model.why.placement import fit, place
from cockpit.model.why.verdicts import Explanation
from cockpit.render import why as render

GROUP = "e3d0b66a60042e2642bf7d0bdb4102000000"
HOLD = Holder(job_id="02000000", name="hold", pid=7, resources={"GPU": 2.0}, since=1000.0)
HEAD = Offer(
    node_id="a" * 56,
    hostname="head",
    labels={"zone": "eu"},
    total={"CPU": 4.0, "GPU": 4.0, "memory": 2.0**34},
    used={"CPU": 0.0, "GPU": 2.0, "memory": 0.0},
    held=(HOLD,),
)
GOLD = Offer(
    node_id="b" * 56, hostname="gold", labels={"tier": "gold"}, total={"CPU": 2.0, "GPU": 2.0}, used={"GPU": 1.0}
)
NODES = (HEAD, GOLD)


@pytest.mark.parametrize(
    ("value", "condition", "passes"),
    [
        ("gold", "gold", True),
        ("gold", "silver", False),
        (None, "gold", False),
        ("gold", "!gold", False),
        ("silver", "!gold", True),
        (None, "!gold", True),
        ("gold", "in(silver, gold)", True),
        ("iron", "in(silver,gold)", False),
        ("iron", "!in(silver,gold)", True),
        ("gold", "!in(silver,gold)", False),
        (None, "!in(silver,gold)", True),
    ],
)
def test_label_selectors(value: str | None, condition: str, passes: bool) -> None:
    assert labels.match({} if value is None else {"tier": value}, {"tier": condition}) is passes


@pytest.mark.parametrize(
    ("demand", "verdict", "reason"),
    [
        (Demand(resources={"GPU": 8}), "infeasible", "Needs 8 GPUs on one node; the largest node has 4."),
        (Demand(resources={"TPU": 1}), "infeasible", "Needs 1 TPU; no node has any."),
        (
            Demand(resources={"memory": 2.0**37}),
            "infeasible",
            "Needs 128.0 GiB of memory on one node; the largest node has 16.0 GiB.",
        ),
        (
            Demand(resources={"GPU": 3}),
            "busy",
            "Needs 3 GPUs on one node; 2 of 4 free on head, held by hold. 3 GPUs are free in all, but not on one node.",
        ),
        (Demand(resources={"GPU": 4}), "busy", "Needs 4 GPUs on one node; 2 of 4 free on head, held by hold."),
        (Demand(labels={"tier": "iron"}), "label-mismatch", "No node has the label tier=iron."),
        (
            Demand(labels={"tier": "gold"}, resources={"GPU": 4}),
            "infeasible",
            "No node has both tier=gold and 4 GPUs: gold has 2 of 4 GPUs; head lacks the label.",
        ),
        (
            Demand(labels={"tier": "gold"}, resources={"GPU": 9}),
            "infeasible",
            "Needs 9 GPUs on one node; the largest node with these labels has 2.",
        ),
    ],
)
def test_what_fits_nowhere(demand: Demand, verdict: str, reason: str) -> None:
    cause = place(demand, NODES)

    assert cause is not None
    assert (cause.verdict, cause.reason) == (verdict, reason)


@pytest.mark.parametrize(
    "demand",
    [
        Demand(),
        Demand(resources={"GPU": 2}),
        Demand(resources={"GPU": 2.00001}),  # Ray counts in ten-thousandths
        Demand(labels={"tier": "!gold"}, resources={"CPU": 4}),
        Demand(labels={"tier": "iron"}, other_labels=({"tier": "gold"},)),
        Demand(resources={f"bundle_group_{GROUP}": 0.001}),
    ],
)
def test_what_fits(demand: Demand) -> None:
    assert place(demand, NODES) is None


def test_a_cluster_without_nodes_places_nothing() -> None:
    cause = place(Demand(), ())

    assert cause is not None
    assert cause.verdict == "infeasible"


def test_a_full_bundle_is_busy_and_says_whose() -> None:
    own = {f"GPU_group_{GROUP}": 1.0}
    inside = Holder(name="inpg", pid=9, resources=own)
    node = Offer(hostname="gold", total={"GPU": 2.0, **own}, used={"GPU": 1.0, **own}, held=(inside,))
    demand = Demand(resources={f"bundle_group_{GROUP}": 0.001, **own})

    cause = place(demand, [HEAD, node])

    assert cause is not None
    assert cause.verdict == "busy"
    assert cause.reason == (
        "Needs 1 GPU; 0 of 1 free in the bundles of placement group e3d0b66a6004 on gold, held by inpg."
    )
    assert demand.group_id == GROUP
    assert render.row(cause.nodes[0], 0.0)[3] == "no bundle of its placement group"


def test_names_of_resources_in_a_placement_group() -> None:
    assert in_group(f"my_res_group_12_{GROUP}") == ("my_res", 12, GROUP)
    assert in_group(f"GPU_group_{GROUP}") == ("GPU", None, GROUP)
    assert in_group("GPU") is None
    assert in_group("in_group_of_mine") is None


PIP = Asked(env=RuntimeEnv(plugins=("pip",)))
URL = "https://example.org/x.zip"
CODE = Asked(env=RuntimeEnv(plugins=("working_dir",), uris=(URL,)))
DOWNLOAD = f"2026-11-27 22:34:11,002\tINFO packaging.py:1 -- Downloading package from {URL} to /tmp/x with HTTPS"


@pytest.mark.parametrize(
    ("actor", "asked", "log", "verdict", "words"),
    [
        (Actor(state="ALIVE", pid=5), Asked(), None, "not-pending", "pid 5"),
        (Actor(state="DEAD"), Asked(), None, "not-pending", "is dead."),
        (Actor(state="DEPENDENCIES_UNREADY"), Asked(), None, "waiting-for-arguments", "Its job runs slow."),
        (Actor(state="PENDING_CREATION", pid=5), Asked(), None, "initializing", "runs __init__"),
        (Actor(state="PENDING_CREATION", pid=0), Asked(), None, "unknown", "Ray is starting a worker"),
        (Actor(state="PENDING_CREATION"), PIP, None, "runtime-env", "says nothing yet"),
        (Actor(state="RESTARTING"), PIP, "Cloning virtualenv /x", "runtime-env", "Cloning virtualenv /x"),
        (Actor(state="PENDING_CREATION"), CODE, DOWNLOAD, "downloading", f"downloads {URL}."),
        (Actor(state="PENDING_CREATION"), PIP, DOWNLOAD, "runtime-env", "which its jobs share"),
        (
            Actor(state="PENDING_CREATION"),
            Asked(demand=Demand(resources={"GPU": 9}), env=PIP.env),
            "Cloning virtualenv",
            "infeasible",
            "Needs 9 GPUs",
        ),
    ],
)
def test_actors(actor: Actor, asked: Asked, log: str | None, verdict: str, words: str) -> None:
    cause = of_actor(actor, asked, NODES, log=SetupLine(log) if log else None, candidates=["slow"])

    assert cause.verdict == verdict
    assert words in cause.reason


@pytest.mark.parametrize(
    ("task", "verdict"),
    [
        (Task(state="RUNNING", worker_pid=3), "not-pending"),
        (Task(state="RUNNING_IN_RAY_GET"), "not-pending"),
        (Task(state="FINISHED"), "not-pending"),
        (Task(state="FAILED", error_type="WORKER_DIED"), "not-pending"),
        (Task(state="PENDING_ARGS_AVAIL"), "waiting-for-arguments"),
        (Task(state="PENDING_ARGS_FETCH"), "waiting-for-arguments"),
        (Task(state="SUBMITTED_TO_WORKER", actor_id="a"), "busy"),
        (Task(state="PENDING_ACTOR_TASK_ORDERING_OR_CONCURRENCY", actor_id="a"), "busy"),
        (Task(state="PENDING_OBJ_STORE_MEM_AVAIL"), "busy"),
        (Task(state="PENDING_NODE_ASSIGNMENT"), "unknown"),
        (Task(state="SUBMITTED_TO_WORKER"), "unknown"),
        (Task(state="NEW_IN_RAY_9"), "unknown"),
        (Task(), "unknown"),
    ],
)
def test_tasks(task: Task, verdict: str) -> None:
    assert of_task(task, Asked(), NODES).verdict == verdict


@pytest.mark.parametrize(
    ("status", "supervisor", "verdict"),
    [
        ("RUNNING", None, "not-pending"),
        ("FAILED", None, "not-pending"),
        (None, None, "not-pending"),
        ("PENDING", None, "unknown"),
        ("PENDING", Actor(state="DEAD"), "unknown"),
        ("PENDING", Actor(state="PENDING_CREATION", pid=4), "initializing"),
        ("PENDING", Actor(state="ALIVE", pid=4), "initializing"),
        ("PENDING", Actor(state="PENDING_CREATION"), "unknown"),
    ],
)
def test_jobs(status: str | None, supervisor: Actor | None, verdict: str) -> None:
    assert of_job(Job(status=status), supervisor, Asked(), NODES).verdict == verdict


def group(*bundles: dict[str, float], said: str | None = None, state: str = "PENDING") -> PlacementGroup:
    made = tuple(Bundle(bundle_id=BundleId(index), unit_resources=one) for index, one in enumerate(bundles))
    return PlacementGroup(
        state=state, bundles=made, stats=SchedulingStats(scheduling_state=said, scheduling_attempt=12)
    )


@pytest.mark.parametrize(
    ("waiting", "strategy", "verdict", "words"),
    [
        (group({"GPU": 8.0}, said="INFEASIBLE"), "PACK", "infeasible", "Needs 8 GPUs on one node"),
        (group({"CPU": 1.0}, {"GPU": 8.0}), None, "infeasible", "Bundle 1 of 2 needs 8 GPUs on one node"),
        (group(*[{"CPU": 1.0}] * 3), "STRICT_SPREAD", "infeasible", "STRICT_SPREAD needs 3 nodes"),
        (group(*[{"GPU": 2.0}] * 3), "STRICT_PACK", "infeasible", "STRICT_PACK needs 6 GPUs on one node"),
        (group(*[{"CPU": 1.0}] * 2, said="INFEASIBLE"), None, "infeasible", "Ray finds no way"),
        (group({"GPU": 3.0}, said="NO_RESOURCES"), "PACK", "busy", "held by hold"),
        (group(*[{"GPU": 1.0}] * 9, said="NO_RESOURCES"), "PACK", "busy", "after 12 attempts"),
        (group({"CPU": 1.0}), "PACK", "unknown", "have room"),
        (group({"CPU": 1.0}, state="CREATED"), None, "not-pending", "created"),
        (group({"CPU": 1.0}, state="REMOVED"), None, "not-pending", "removed"),
        (PlacementGroup(), None, "unknown", "have room"),
    ],
)
def test_placement_groups(waiting: PlacementGroup, strategy: str | None, verdict: str, words: str) -> None:
    cause = of_group(waiting, NODES, strategy=strategy)

    assert cause.verdict == verdict
    assert words in cause.reason


def test_the_json_has_a_row_per_node_with_who_holds_what() -> None:
    cause = place(Demand(resources={"GPU": 3}), NODES)
    assert cause is not None

    found = render.record(Explanation(id="train", kind="job", state="PENDING", cause=cause, gives_up_at=1900.0))

    assert list(found) == ["id", "kind", "state", "verdict", "reason", "gives_up_at", "nodes"]
    assert (found["verdict"], found["gives_up_at"]) == ("busy", "1970-01-01T00:31:40.000Z")
    assert found["nodes"][0] == {
        "node_id": "a" * 56,
        "hostname": "head",
        "needs": {"GPU": 3},
        "total": {"GPU": 4.0},
        "free": {"GPU": 2.0},
        "held_by": [
            {
                "submission_id": None,
                "job_id": "02000000",
                "actor_id": None,
                "name": "hold",
                "pid": 7,
                "resources": {"GPU": 2.0},
                "since": "1970-01-01T00:16:40.000Z",
            }
        ],
        "verdict": "busy",
    }
    assert [one["verdict"] for one in found["nodes"]] == ["busy", "infeasible"]


def test_the_table_names_holders_on_busy_nodes_alone_and_counts_down() -> None:
    cause = place(Demand(resources={"GPU": 3}, labels={"zone": "!us"}), NODES)
    assert cause is not None
    found = Explanation(id="train", kind="job", state="PENDING", cause=cause, gives_up_at=1900.0)

    rows = [render.row(one, 1060.0) for one in cause.nodes]

    assert rows == [
        ("head", "zone=!us, 3 GPUs", "2 of 4 GPUs", "busy", "hold (2 GPUs, 1m)"),
        ("gold", "zone=!us, 3 GPUs", "1 of 2 GPUs", "too few GPUs", "–"),
    ]
    assert render.headline(found) == "Job train (PENDING) waits for resources that are held."
    assert render.countdown(found, 1000.0) == "Ray gives up in 15m, by its default timeout of 15 min."
    assert render.countdown(found, 2000.0) == "Ray gives up now."


def test_two_nodes_of_one_host_are_told_apart() -> None:
    assert Offer(node_id="c" * 56, hostname="vm", is_alone=False).label == "vm (cccccccc)"
    assert fit(Offer(), Demand()).offer.label == "a node without a name"
