"""The deploy screen: five steps, money in sight, one create for one Enter, and a way out of each step."""

from decimal import Decimal
from pathlib import Path

import pytest
from textual.widgets import Input

from cockpit.cli.cockpit import tell_what_is_left
from cockpit.clients.address import parse_address
from cockpit.operations.clusters.contexts import known_clusters
from cockpit.operations.deployments import deploying as deploying_module
from cockpit.operations.deployments.journal import Entry, Journal, attempts
from cockpit.screens.deploy_page import DeployPage
from tests.akash_sim.console import SimConsole
from tests.deployments.stage import CPU
from tests.ui.deploying import Deployment, deployed, deploying_from
from tests.wire.commands import home as home
from tests.wire.fake_ray import FakeRay, serve


async def _planned(one: Deployment) -> None:
    driver = one.driver
    await driver.wait_until(lambda: "ray-head" in driver.text, "the SDL", settled=False)
    await driver.press("f5")
    await one.until(lambda: "Rent this?" in driver.text, "the plan")


async def _has_bids(one: Deployment) -> None:
    await one.driver.press("enter")
    await one.until(lambda: len(one.page.progress.bids) > 3, "the bids")
    await one.driver.pause()


def _is_left(one: Deployment) -> bool:
    return not any(isinstance(screen, DeployPage) for screen in one.driver.app.screen_stack)


async def test_from_the_editor_to_the_cluster(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plan, bids chosen by the cursor, start with its culprit and clock, and the cluster under its name."""
    async with deploying_from(home, monkeypatch) as one:
        driver = one.driver
        await _planned(one)
        asked = [(request.method, request.path) for request in one.sim.requests]
        assert len(asked) <= 8
        assert len(set(asked)) == len(asked)
        driver.sees("1 Plan ▸ 2 Bids ▸ 3 Lease ▸ 4 Start ▸ 5 Ready", "At most $", "ends by itself after 24 h", "escrow")
        await driver.press("e")
        await driver.wait_until(lambda: "End by itself after" in driver.text, "the runtime", settled=False)
        await driver.press("backspace", "backspace", "backspace", *"72h", "enter")
        await driver.wait_until(lambda: "Pay at most" in driver.text, "the price", settled=False)
        await driver.press(*"1.50/h", "enter")
        await driver.wait_until(lambda: "Rent this? At most $1.50/h, ends by itself after 72 h." in driver.text, "both")
        driver.sees("created with 48 h, then extended")
        assert len(one.sim.requests) == len(asked)
        await _has_bids(one)
        since = [(request.method, request.path) for request in one.sim.requests[len(asked) :]]
        limit = [one for one in since if one[1].startswith("/v2/deployment-settings/")]
        assert [one for one in since if one != ("GET", "/v1/bids") and one not in limit] == [
            ("GET", "/v1/sdl-secrets-context"),
            ("POST", "/v1/deployments"),
        ]
        assert one.sim.count("POST", "/v1/deployments") == 1
        driver.sees("bids, open for 4:", "OUR RECORD", "AGE", "provider-1.sim.example", "holds $0.50 and has no lease")
        cheapest = one.page.progress.bids[0].address
        wanted = one.page.progress.bids[1].address
        one.source.told = {"ray-worker": ["Pulling: rayproject/ray", "BackOff: Back-off pulling image"]}
        one.source.lines = {"ray-head": ["head is listening"]}
        await driver.press("down", "enter")
        await one.until(lambda: one.page.progress.start is not None, "the start")
        await driver.pause()
        driver.sees("ray-worker is not ready", "The provider closes the lease in 7:", "BackOff: Back-off pulling image")
        driver.sees("costs $0.03", "so far")
        await driver.press("tab", "tab")
        driver.sees("ray-head: events and log", "head is listening")
        await one.until(lambda: _is_left(one), "the cluster")
        (lease,) = one.sim.world.deployments.popitem()[1].leases
        assert cheapest != wanted == lease.provider.address
        await driver.wait_until(lambda: "of escrow left" in driver.text, "the money of the cluster", settled=False)
        assert known_clusters().row("lab") is not None


async def test_a_job_is_run_on_a_cluster_of_its_own_also_after_an_interruption(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chosen before the one question; left in the middle, resumed from pane 7, followed, fetched and closed, once."""
    job = home / "job.yaml"
    job.write_text("entrypoint: python train.py\n")
    ray = FakeRay()
    async with serve(ray) as server, deploying_from(home, monkeypatch, size=(110, 34)) as one:
        monkeypatch.setattr(deploying_module, "address_in", lambda *_: parse_address(server.url))
        driver = one.driver
        await _planned(one)
        await driver.press("j")
        await driver.wait_until(lambda: "A job for this cluster" in driver.text, "the dialog", settled=False)
        await driver.press(*"nowhere.yaml", "enter")
        await driver.wait_until(lambda: "Cannot read the job file" in driver.text, "the refusal", settled=False)
        driver.app.screen.query_one("#run-job", Input).value = str(job)
        driver.app.screen.query_one("#run-into", Input).value = str(home / "out")
        await driver.press("enter")
        await driver.wait_until(lambda: "Then runs job.yaml" in driver.text, "the plan with it", settled=False)
        driver.sees("Closes the deployment when the job is done: its data is lost", "6 Job ▸ 7 Results ▸ 8 Close")
        await _has_bids(one)
        await driver.press("enter")
        await one.until(lambda: bool(ray.jobs), "the job")
        (name,) = ray.jobs
        ray.log(name).write(b"epoch 1\n\x1b[32mloss 0.5\x1b[0m\n")
        await one.until(lambda: "loss 0.5" in driver.text, "its log")
        driver.sees(f"{name}: log", "epoch 1", "costs $")
        await driver.press("escape")
        await driver.wait_until(lambda: "Leave it: R in" in driver.text, "the ways out", settled=False)
        await driver.press("down", "enter")
        await driver.wait_until(lambda: _is_left(one), "the editor", settled=False)
        await driver.press("7")
        await one.until(lambda: "lab" in driver.text, "the row")
        await driver.press("R")
        await one.until(lambda: not _is_left(one) and one.page.progress.phase == "job", "the job again")
        await one.until(lambda: "loss 0.5" in driver.text, "its log again")
        ray.end(name, "SUCCEEDED", 0)
        await one.until(lambda: one.page.ended is not None, "the end")
        await driver.pause()
        driver.sees(f"{name} SUCCEEDED. Deployment", "is closed with its data, it cost $", "closed and costs nothing.")
        assert list(ray.jobs) == [name]
        assert one.costing() == []
        assert [path.name for path in (home / "out").iterdir()] == [f"lab-{name}-logs.tar.gz"]
        assert one.sim.count("POST", "/v1/deployments") == 1
        await driver.press("escape")
        await driver.wait_until(lambda: _is_left(one), "the pane", settled=False)
        assert known_clusters().row("lab") is None


async def test_what_was_made_elsewhere_becomes_a_cluster_and_is_entered_by_its_number_only(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From pane 7; a slip of a key opens no shell in it."""
    sim = SimConsole()
    async with deploying_from(home, monkeypatch, sim=sim, first_pane="deployments") as one:
        driver, other = one.driver, sim.world.create(CPU, name="team/lab")
        sim.world.clock.advance(60)
        sim.world.lease(other, [(1, sim.world.bids(other)[0].provider.address)])
        other.leases[0].manifest_at = sim.world.clock.time()
        await driver.wait_until(lambda: driver.has_dialog, "the start dialog", settled=False)
        await driver.press("escape", "r")
        await driver.wait_until(lambda: other.dseq in driver.text, "the row", settled=False)
        await driver.press("exclamation_mark")
        await driver.wait_until(lambda: "Type the dseq to enter" in driver.text, "the question", settled=False)
        await driver.press("escape", "c")
        await driver.wait_until(lambda: known_clusters().row("team-lab") is not None, "the cluster", settled=False)
        await driver.wait_until(lambda: _is_left(one), "its Overview", settled=False)
        assert one.costing() == [other.dseq]


async def test_a_cockpit_that_is_left_meanwhile_says_what_exists(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was agreed to is all that may be taken; the end of the program lets go of the journal."""
    async with deploying_from(home, monkeypatch) as one:
        await _planned(one)
        await _has_bids(one)
        one.page.hand.cap = Decimal("0.001")
        await one.driver.press("enter")
        assert "is more than you agreed to" in one.driver.told[-1]
        assert one.sim.count("POST", "/v1/leases") == 0
    tell_what_is_left()
    assert "holds $0.50 and has no lease. Go on: rayakash-tui deployments resume" in capsys.readouterr().err


async def test_each_step_can_be_left_or_closed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the question nothing exists; later it is said what does, and either closed or left to pane 7."""
    async with deploying_from(home, monkeypatch, size=(80, 24)) as one:
        driver = one.driver
        await _planned(one)
        await driver.press("escape")
        await driver.wait_until(lambda: _is_left(one), "the editor", settled=False)
        assert attempts() == []
        await _planned(one)
        await _has_bids(one)
        await driver.press("ctrl+c")
        await driver.wait_until(lambda: "Leave it: R in" in driver.text, "the ways out", settled=False)
        driver.sees("holds $0.50 and has no lease", "Close it: its data is lost, its cost ends")
        await driver.press("down", "enter")
        await driver.wait_until(lambda: _is_left(one), "the editor", settled=False)
        assert len(one.costing()) == 1
        await driver.press("f5")
        await one.until(lambda: "was not finished" in driver.text, "the refusal")
        driver.sees("Deployments (7) resumes it, x closes it")
        await driver.press("escape", "7")
        await one.until(lambda: "lab" in driver.text, "the row")
        await driver.press("R")
        await one.until(lambda: not _is_left(one) and bool(one.page.progress.bids), "the bids again")
        await driver.press("escape")
        await driver.wait_until(lambda: "Leave it: R in" in driver.text, "the ways out", settled=False)
        await driver.press("enter")
        await one.until(lambda: "is closed" in driver.text, "the proof")
        assert one.costing() == []
        assert one.sim.count("POST", "/v1/deployments") == 1
        await driver.press("escape")
        assert _is_left(one)


async def test_the_next_start_says_what_an_interrupted_deployment_left(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where no key and no network is there: the journal knows."""
    journal = Journal.begin(Entry(step="plan", at=1.0, token="abc", file=str(home / "lab.yaml")))
    journal.write(Entry(step="created", at=1.0, dseq="1790000000999"))
    journal.close()
    async with deploying_from(home, monkeypatch) as one:
        await one.driver.wait_until(lambda: bool(one.driver.told), "the notice", settled=False)
        (told,) = one.driver.told
        assert told.startswith("lab was interrupted. Deployment 1790000000999 holds $0.50 and has no lease.")
        assert "7, then R resumes it, x closes it" in told


async def test_an_update_in_place_and_one_that_needs_a_new_deployment(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what the file says now; the second closes first, and ends at a plan of its own."""
    sim = SimConsole()
    async with deploying_from(home, monkeypatch, sim=sim, first_pane="deployments") as one:
        driver, file = one.driver, home / "lab.yaml"
        dseq = await deployed(sim, file)
        await driver.wait_until(lambda: driver.has_dialog, "the start dialog", settled=False)
        await driver.press("escape", "r")
        await driver.wait_until(lambda: dseq in driver.text, "the row", settled=False)
        await driver.press("u")
        await driver.wait_until(lambda: any("Nothing differs" in told for told in driver.told), "no difference")
        file.write_text(CPU.replace("caddy:2.10.2", "caddy:2.10.1"))
        await driver.press("u")
        await driver.wait_until(lambda: f"Update {dseq} to lab.yaml?" in driver.text, "the question", settled=False)
        driver.sees("image changes from caddy:2.10.2 to caddy:2.10.1; can be updated in place")
        await driver.press("y")
        await driver.wait_until(lambda: any("is updated" in told for told in driver.told), "the update", settled=False)
        assert "caddy:2.10.1" in sim.world.deployments[dseq].sdl
        file.write_text(CPU.replace("count: 2", "count: 3"))
        await driver.wait_until(lambda: dseq in driver.text, "the row", settled=False)
        await driver.press("u")
        await driver.wait_until(
            lambda: f"Close {dseq}, and rent this instead?" in driver.text, "the plan", settled=False
        )
        driver.sees("needs a new deployment", "of its escrow comes back", "At most $", "close it, ask for bids")
        assert one.costing() == [dseq]
        await driver.press("escape")
        await driver.wait_until(lambda: _is_left(one), "the pane", settled=False)
        assert one.costing() == [dseq]
        await driver.press("D")
        await driver.wait_until(
            lambda: f"Close {dseq}, and rent this instead?" in driver.text, "the plan", settled=False
        )
        await driver.press("enter")
        await driver.wait_until(lambda: sim.count("POST", "/v1/deployments") == 2, "the create", settled=False)
        assert dseq not in one.costing()
