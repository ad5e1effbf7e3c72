"""Commands on a real Ray: exit codes, uploads, secrets, and what is said on the way."""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.live.cluster import RayCluster
from tests.live.command_line import CommandLine, Done
from tests.live.processes import eventually
from tests.live.reference import ended, job, job_in
from tests.live.release import ray_release

pytestmark = pytest.mark.live

NOBODY = "127.0.0.1:9"  # the port of a service that throws everything away, and that nobody runs
SECRET = "a-secret-that-no-output-may-hold"
DIGEST = "import hashlib, os; print(hashlib.sha256(os.environ['KEY'].encode()).hexdigest())"
MARKUP = "[bold red]x[/] \x1b[31m [link=http://example.org]y[/link]"
CHANGES = 60.0  # seconds until a change is seen by a poll
UNKNOWN_ID = re.compile(r"[\w-]+\n")


@dataclass(frozen=True)
class Submitted:
    """Two jobs submitted at the same time, one with a directory and one with a secret, and a watch over both."""

    uploaded: Done
    secret: Done
    changes: list[dict[str, Any]]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory to submit, with a file that should perhaps stay at home, and some that do."""
    root = tmp_path_factory.mktemp("project")
    (root / "main.py").write_text("import pathlib; print(pathlib.Path('data/words.txt').read_text())\n")
    (root / "data").mkdir()
    (root / "data" / "words.txt").write_text("from the directory\n")
    (root / ".env").write_text("PASSWORD=hunter2\n")
    (root / ".gitignore").write_text("*.bin\n")
    (root / "weights.bin").write_bytes(bytes(1000))
    return root


@pytest.fixture(scope="module")
def submitted(cockpit: CommandLine, project: Path) -> Iterator[Submitted]:
    with ExitStack() as stack:
        watching = stack.enter_context(cockpit.start("jobs", "--watch", "--json"))
        words = ["submit", "--id", "uploads", "--working-dir", str(project)]
        words += ["--metadata", f"note={MARKUP}", "--", "python3", "main.py"]
        uploading = stack.enter_context(cockpit.start(*words))
        words = ["submit", "--id", "has-a-secret", "--env", "KEY=ac-secret://A_KEY", "--", "python3", "-c", DIGEST]
        hiding = stack.enter_context(cockpit.start(*words, variables={"RAYAKASH_SECRET_A_KEY": SECRET}))
        uploaded, secret = uploading.wait(), hiding.wait()

        def changes() -> list[dict[str, Any]]:
            return [json.loads(line) for line in watching.stdout().splitlines()]

        def seen() -> bool:
            last = {change["job"]["submission_id"]: change["job"]["status"] for change in changes()}
            return {last.get("uploads"), last.get("has-a-secret")} == {"SUCCEEDED"}

        eventually(seen, within=CHANGES, what="both jobs ended in the watch")
        watching.interrupt()
        assert watching.wait().code == 130
        yield Submitted(uploaded, secret, changes())


def test_two_jobs_at_once_end_well(submitted: Submitted) -> None:
    assert submitted.uploaded.code == 0, submitted.uploaded.stderr
    assert submitted.secret.code == 0, submitted.secret.stderr


def test_directory_is_uploaded_and_used(submitted: Submitted) -> None:
    assert "from the directory\n" in submitted.uploaded.text
    said = submitted.uploaded.stderr
    assert "sent " in said
    assert "gcs://_ray_pkg_" in said
    (warning,) = [line for line in said.splitlines() if ".env" in line and "environment file" in line]
    assert "hunter2" not in said + warning
    assert "weights.bin" in said, "what stays at home is told"


@pytest.mark.usefixtures("submitted")
def test_same_directory_is_not_sent_twice(cockpit: CommandLine, project: Path, ray_cluster: RayCluster) -> None:
    done = cockpit.run("submit", "--no-wait", "--working-dir", str(project), "--", "python3 main.py")
    assert done.code == 0
    assert UNKNOWN_ID.fullmatch(done.text), "the id alone, so that a script can take it"
    assert "already on the cluster" in done.stderr
    job_id = done.text.strip()
    waited = cockpit.run("wait", job_id)
    assert (waited.code, waited.text) == (0, f"{job_id} SUCCEEDED\n")
    first, second = (job(ray_cluster.head, name)["runtime_env"]["working_dir"] for name in ("uploads", job_id))
    assert first == second


@pytest.mark.usefixtures("submitted")
def test_metadata_is_kept_as_it_is_and_drawn_as_it_is(cockpit: CommandLine, ray_cluster: RayCluster) -> None:
    assert job(ray_cluster.head, "uploads")["metadata"]["note"] == MARKUP
    assert cockpit.jobs()["uploads"]["metadata"]["note"] == MARKUP
    assert "\x1b" not in cockpit.run("jobs").text


def test_secret_reaches_the_job_and_nothing_else(submitted: Submitted, cockpit: CommandLine) -> None:
    assert hashlib.sha256(SECRET.encode()).hexdigest() in submitted.secret.text
    assert "the cluster will hold the value of KEY" in submitted.secret.stderr
    assert SECRET not in submitted.secret.everything + json.dumps(submitted.changes)
    row = cockpit.jobs()["has-a-secret"]
    assert json.loads(row["metadata"]["rayakash.env"]) == {"KEY": "ac-secret://A_KEY"}
    assert SECRET not in json.dumps(row)


def test_watch_tells_each_change_once(submitted: Submitted) -> None:
    for job_id in ("uploads", "has-a-secret"):
        own = [change for change in submitted.changes if change["job"]["submission_id"] == job_id]
        assert own[0]["change"] == "added"
        assert {change["change"] for change in own[1:]} <= {"changed"}
        told = [change["job"] for change in own]
        assert all(one != other for one, other in pairwise(told))
        assert told[-1]["status"] == "SUCCEEDED"


def test_waiting_and_reading_while_a_job_runs(cockpit: CommandLine, ray_cluster: RayCluster) -> None:
    assert cockpit.run("submit", "--no-wait", "--id", "slow", "--", "echo begun; exec sleep 600").code == 0
    job_in(ray_cluster.head, "slow", "RUNNING")
    waited = cockpit.run("wait", "--timeout", "0.1s", "slow")
    assert (waited.code, waited.stdout) == (3, b"")
    eventually(lambda: b"begun\n" in cockpit.run("logs", "slow").stdout, within=CHANGES, what="the first line")
    with cockpit.start("logs", "-f", "slow") as following:
        eventually(lambda: b"begun\n" in following.stdout(), within=CHANGES, what="the first line, followed")
        following.interrupt()
        assert following.wait().code == 130
    assert job(ray_cluster.head, "slow")["status"] == "RUNNING", "Ctrl-C ends the following, not the job"
    stopped = cockpit.run("stop", "--json", "slow")
    assert (stopped.code, [row["status"] for row in stopped.json()["jobs"]]) == (0, ["STOPPED"])
    assert ended(ray_cluster.head, "slow")["status"] == "STOPPED"


@pytest.mark.parametrize("token", ["", "wrong" * 13])
@pytest.mark.parametrize("words", [["jobs"], ["submit", "--no-wait", "--", "true"]])
def test_token_is_wanted(cockpit: CommandLine, ray_cluster: RayCluster, token: str, words: list[str]) -> None:
    if not ray_release().has_tokens:
        pytest.skip("this Ray knows no tokens")
    done = cockpit.run(*words, variables={"RAY_AUTH_TOKEN": token})
    assert (done.code, done.stdout) == (4, b"")
    assert ("does not accept the token (403)" if token else "requires a token, and none was sent (401)") in done.stderr
    assert ray_cluster.token not in done.stderr


def test_token_may_lie_in_a_file(cockpit: CommandLine, ray_cluster: RayCluster, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(f"{ray_cluster.token}\n")
    done = cockpit.run("nodes", variables={"RAY_AUTH_TOKEN": "", "RAY_AUTH_TOKEN_PATH": str(path)})
    assert done.code == 0, done.stderr


@pytest.mark.parametrize("words", [["jobs"], ["logs", "-f", "x"], ["wait", "x"], ["submit", "--", "true"]])
def test_no_cluster_at_the_address(cockpit: CommandLine, words: list[str]) -> None:
    command, *rest = words
    done = cockpit.run(command, "--address", f"http://{NOBODY}", *rest)
    assert (done.code, done.stdout) == (3, b"")
    assert f"No cluster answers at http://{NOBODY}." in done.stderr
