"""`deploy` and `deployments` against the simulated network: words, records and exit codes."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli import deployment_changes, output, session
from cockpit.cli.deploy_progress import agreed
from cockpit.clients.address import Address
from cockpit.clients.akash.console import ConsoleClient
from cockpit.model.secret import Secret
from cockpit.operations.clusters.contexts import known_clusters
from cockpit.operations.deployments import account, deploying, doctor, ending
from cockpit.operations.deployments.deploying import Tools
from cockpit.operations.deployments.journal import attempts
from cockpit.operations.question import Question
from cockpit.secrets.names import Place
from cockpit.secrets.references import process_store
from tests.akash_sim.console import SimConsole
from tests.akash_sim.faults import BAD_KEY, HTML_502, Fault
from tests.akash_sim.wire import client_of
from tests.deployments.sources import ConsoleSource
from tests.deployments.stage import CPU
from tests.wire.commands import here


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> SimConsole:
    """The Console that every command of the test speaks to."""
    sim = SimConsole()

    def opened(_: str | None = None, *, with_key: bool = True) -> ConsoleClient:
        return client_of(sim, key=account.required_key().reveal() if with_key else None)

    async def answers(_: Address, __: str | None) -> None:
        return None

    for name in ("RAY_AUTH_TOKEN", "GATEWAY_TLS_CERTIFICATE", "GATEWAY_TLS_KEY"):
        monkeypatch.setenv(f"RAYAKASH_SECRET_{name}", "canary-" + "x" * 40)
    monkeypatch.setenv("AKASH_API_KEY", sim.world.keys[0].value)
    for module in (account, doctor):
        monkeypatch.setattr(module, "open_console", opened)
    monkeypatch.setattr(deploying, "TOOLS", Tools(source=lambda client, _: ConsoleSource(client), probe=answers))
    return sim


@pytest.fixture
def lab(tmp_path: Path) -> str:
    """An SDL without GPUs."""
    path = tmp_path / "lab.yaml"
    path.write_text(CPU)
    return str(path)


async def test_the_plan_tells_the_money_and_makes_nothing(console: SimConsole, lab: str) -> None:
    """For people and for programs."""
    done = await here("deploy", lab, "--plan")
    assert done.code == 0
    for words in ("At most $", "into escrow", "Ends by itself after 24 h", "could bid", "Secrets travel sealed"):
        assert words in done.text
    data = (await here("deploy", lab, "--plan", "--json")).data
    assert (data["runtime_hours"], data["secrets_travel"]) == (24, "sealed")
    assert data["locked_usd"] == pytest.approx(data["max_usd_per_hour"] * 24, abs=0.01)
    assert console.world.deployments == {}


async def test_deploy_list_and_close(console: SimConsole, lab: str) -> None:
    """One object each on stdout; what costs is listed, and gone after the close."""
    deployed = await here("deploy", lab, "--yes", "--json")
    assert deployed.code == 0, deployed.err
    assert deployed.data["context"] == "lab"
    dseq = deployed.data["dseq"]
    (row,) = (await here("deployments", "--json")).data["deployments"]
    assert set(row) == {"dseq", "state", "price_per_hour", "spent", "hours_left", "provider", "context", "orphan"}
    assert (row["dseq"], row["state"], row["context"], row["orphan"]) == (dseq, "active", "lab", False)
    assert row["price_per_hour"] > 0
    console.world.clock.advance(3600)
    (later,) = (await here("deployments", "list", "--json")).data["deployments"]
    assert (await here("deployments", "--json", "list")).data["deployments"] == [later]
    assert later["spent"] - row["spent"] == pytest.approx(row["price_per_hour"], rel=0.02)
    closed = await here("deployments", "close", "--yes", "--json")
    assert closed.code == 0, closed.err
    assert closed.data["closed"][0]["dseq"] == dseq
    assert known_clusters().rows == ()
    assert (await here("deployments")).err == "No deployments.\n"


async def test_without_a_terminal_and_without_yes_nothing_is_made(console: SimConsole, lab: str) -> None:
    """Exit 2, with the plan on stderr."""
    done = await here("deploy", lab)
    assert done.code == 2
    assert "At most $" in done.err
    assert console.world.deployments == {}


@pytest.mark.usefixtures("console")
async def test_without_a_key(lab: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 4 and the way to one; offers need none."""
    monkeypatch.delenv("AKASH_API_KEY")
    done = await here("deploy", lab, "--plan")
    assert done.code == 4
    assert "secrets set AKASH_API_KEY" in done.err
    assert (await here("offers")).code == 0


async def test_a_wrong_key_is_said(console: SimConsole, lab: str) -> None:
    """Exit 4."""
    console.faults.add(Fault(match="GET /v1/deployments", do="answer", times=9, status=401, body=BAD_KEY))
    assert (await here("deploy", lab, "--plan")).code == 4


async def test_no_bid_is_exit_1_and_closed(console: SimConsole, lab: str) -> None:
    """The error says that nothing costs."""
    for provider in console.world.providers:
        provider.is_online = False
    done = await here("deploy", lab, "--yes", "--bid-timeout", "60s")
    assert done.code == 1
    assert "costs nothing" in done.err
    assert all(one.state == "closed" for one in console.world.deployments.values())


async def test_an_unknown_outcome_is_exit_5_and_the_next_deploy_settles_it(console: SimConsole, lab: str) -> None:
    """It is found by its name, and not made a second time."""
    console.faults.add(
        Fault(match="POST /v1/deployments", do="cut-after"),
        Fault(match="GET /v1/deployments", do="answer", after=3, times=200, status=503, body=HTML_502),
    )
    done = await here("deploy", lab, "--yes")
    assert done.code == 5, done.err
    assert "may" in done.err
    console.faults.clear()
    again = await here("deploy", lab, "--yes")
    assert again.code == 1
    assert "was not finished" in again.err
    assert "holds $0.50" in again.err
    resumed = await here("deployments", "resume", "--json")
    assert resumed.code == 0, resumed.err
    assert console.count("POST", "/v1/deployments") == 1


async def test_a_close_that_is_not_proven_is_exit_5(console: SimConsole, lab: str) -> None:
    """It stays in the list, marked."""
    dseq = (await here("deploy", lab, "--yes", "--no-wait", "--json")).data["dseq"]
    console.faults.add(Fault(match="DELETE /v1/deployments", do="answer", times=999, status=503, body=HTML_502))
    done = await here("deployments", "close", dseq, "--yes")
    assert done.code == 5
    assert "may still cost" in done.err
    assert "closing is not confirmed" in (await here("deployments")).text


async def test_one_that_cannot_be_closed_does_not_keep_the_others_open(console: SimConsole) -> None:
    """Each is tried, what was closed is recorded, and the exit code is that of the first failure."""
    dseqs = [console.world.create(CPU, name=f"lab {number}").dseq for number in range(3)]
    console.world.clock.advance(60)
    console.faults.add(
        Fault(match=f"DELETE /v1/deployments/{dseqs[0]}", do="answer", times=999, status=503, body=HTML_502)
    )
    done = await here("deployments", "close", *dseqs, dseqs[1], "--yes", "--json")
    assert done.code == 5
    assert "may still cost" in done.err
    assert [one["dseq"] for one in done.data["closed"]] == dseqs[1:]
    assert [console.world.deployments[one].state for one in dseqs] == ["active", "closed", "closed"]
    listed = [one for one in console.requests if (one.method, one.path) == ("GET", "/v1/deployments")]
    assert len(listed) == 1


async def test_a_close_without_a_terminal_says_that_nothing_was_done(console: SimConsole) -> None:
    """Not that nothing was created."""
    dseq = console.world.create(CPU, name="lab").dseq
    done = await here("deployments", "close", dseq)
    assert (done.code, "Nothing was done." in done.err, "created" in done.err) == (2, True, False)


async def test_ctrl_c_says_what_is_left(
    console: SimConsole, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """At a question nothing was done; while closing, what is not proven closed, those that wait included."""

    async def interrupted(*_: object) -> bool:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await agreed(interrupted, Question("Close?", "close"), "Nothing was closed.")
    assert capsys.readouterr().err.endswith("Nothing was closed.\n")
    monkeypatch.setattr(ending, "end", interrupted)
    with pytest.raises(asyncio.CancelledError):
        await deployment_changes.close_all(client_of(console), ["7", "8"])
    told = capsys.readouterr().err
    assert "may still cost money: 7, 8" in told
    assert "deployments close 7 8" in told


def _breaks_once_rented(console: SimConsole, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    for name in names:
        kept = getattr(output, name)

        def write(*values: Any, kept: Any = kept, **options: Any) -> None:
            if console.world.deployments:
                raise BrokenPipeError(32, "Broken pipe")
            kept(*values, **options)

        monkeypatch.setattr(output, name, write)


async def test_a_closed_pipe_is_no_silent_end_of_what_costs(
    console: SimConsole, lab: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was rented is told, where anything can be told, and the exit code is not 0; the same for a resume."""
    with monkeypatch.context() as patch:
        _breaks_once_rented(console, patch, "line")
        done = await here("deploy", lab, "--yes", "--no-wait")
    (dseq,) = console.world.deployments
    assert done.code == 5
    assert f"deployments close {dseq}" in done.err
    with monkeypatch.context() as patch:
        _breaks_once_rented(console, patch, "line", "message")
        assert (await here("deployments", "resume")).code == 5


async def test_a_closed_pipe_of_progress_is_no_silent_end(
    console: SimConsole, lab: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        _breaks_once_rented(console, patch, "message")
        assert (await here("deploy", lab, "--yes")).code == 5
    assert len(console.world.deployments) == 1


async def test_others_are_shown_and_not_closed_by_themselves(console: SimConsole) -> None:
    """Without a dseq only what was made here is a candidate; orphans are marked."""
    other = console.world.create(CPU, name="someone else's")
    console.world.clock.advance(1200)
    listed = await here("deployments", "--json")
    assert [(one["dseq"], one["orphan"]) for one in listed.data["deployments"]] == [(other.dseq, True)]
    done = await here("deployments", "close", "--yes")
    assert done.code == 2
    assert other.state == "active"
    assert (await here("deployments", "close", other.dseq, "--yes")).code == 0
    assert other.state == "closed"


@pytest.mark.usefixtures("console")
async def test_extend_is_proven(lab: str) -> None:
    """By what the Console then says."""
    dseq = (await here("deploy", lab, "--yes", "--json")).data["dseq"]
    done = await here("deployments", "extend", dseq, "--for", "72h", "--json")
    assert (done.code, done.data["runtime_hours"]) == (0, 72)


@pytest.mark.usefixtures("console")
async def test_show_and_bids(lab: str) -> None:
    """Services with their ready replicas, and the port by the container's own."""
    dseq = (await here("deploy", lab, "--yes", "--json")).data["dseq"]
    shown = (await here("deployments", "show", dseq, "--json")).data["deployment"]
    (lease,) = shown["leases"]
    assert {one["name"]: one["available"] for one in lease["services"]}["ray-head"] == 1
    assert [port["port"] for port in lease["ports"]] == [8443]
    assert (await here("deployments", "bids", dseq)).code == 1  # none is open any more


async def test_update_in_place_and_what_needs_a_new_deployment(console: SimConsole, lab: str, tmp_path: Path) -> None:
    """By meaning: an image can, a count cannot."""
    deployed = (await here("deploy", lab, "--yes", "--json")).data
    dseq = deployed["dseq"]
    same = await here("deployments", "update", dseq, lab, "--from", lab, "--yes")
    assert "Nothing differs" in same.err
    (tmp_path / "more.yaml").write_text(CPU.replace("count: 2", "count: 3"))
    more = await here("deployments", "update", dseq, str(tmp_path / "more.yaml"), "--from", lab, "--yes")
    assert more.code == 1
    assert "needs a new deployment" in more.err
    (tmp_path / "image.yaml").write_text(CPU.replace("caddy:2.10.2", "caddy:2.10.1"))
    before = len(console.requests)
    image = await here("deployments", "update", dseq, str(tmp_path / "image.yaml"), "--from", lab, "--yes", "--json")
    assert image.code == 0, image.err
    assert "caddy:2.10.1" in console.world.deployments[dseq].sdl
    # The provider chose other ports, and the cluster follows.
    assert image.data["address"] != deployed["address"]
    row = known_clusters().row("lab")
    assert row is not None
    assert row.address == image.data["address"]
    assert len(known_clusters().rows) == 1
    assert not attempts()[0].is_unfinished
    asked = {one.path for one in console.requests[before:]} - {f"/v1/deployments/{dseq}"}
    assert asked <= {"/v1/placement-options"}  # neither the market nor the balance
    (patch,) = [json.loads(one.body)["data"] for one in console.requests if one.method == "PATCH"]
    assert patch["services"] == {"gateway": {"image": "caddy:2.10.1"}}
    assert "sealedSecrets" not in patch
    assert "Secrets travel in" not in image.err
    assert console.count("PUT", f"/v1/deployments/{dseq}") == 0


async def test_a_new_deployment_is_offered_by_one_question(
    console: SimConsole, lab: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What differs, the loss and the price are in it; the Console is opened once."""
    dseq = (await here("deploy", lab, "--yes", "--no-wait", "--for", "7h", "--json")).data["dseq"]
    asked: list[Question] = []

    async def answer(question: Question) -> bool:
        asked.append(question)
        return True

    monkeypatch.setattr(session, "asker", lambda: answer)
    opened: list[ConsoleClient] = []
    before = account.open_console

    def note(*values: Any, **options: Any) -> ConsoleClient:
        opened.append(before(*values, **options))
        return opened[-1]

    monkeypatch.setattr(account, "open_console", note)
    (tmp_path / "more.yaml").write_text(CPU.replace("count: 2", "count: 3"))
    done = await here("deployments", "update", dseq, str(tmp_path / "more.yaml"), "--from", lab)
    assert done.code == 0, done.err
    (question,) = asked
    assert len(opened) == 1
    told = "\n".join(question.lines)
    for words in ("needs a new deployment", "count", "Closes", "Ends by itself after 7 h", "At most $"):
        assert words in told
    assert [one.state for one in console.world.deployments.values()] == ["closed", "active"]


async def test_an_update_sends_the_secrets_of_the_scope_that_was_deployed_with(
    console: SimConsole, lab: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the new file is called; a value that this machine does not know is named as not compared."""
    store = process_store()
    values = {"team": "canary-right-" + "x" * 40, "new": "canary-wrong-" + "x" * 40}
    for name in ("RAY_AUTH_TOKEN", "GATEWAY_TLS_CERTIFICATE", "GATEWAY_TLS_KEY"):
        monkeypatch.delenv(f"RAYAKASH_SECRET_{name}")
        for scope, value in values.items():
            store.put(name, Secret(value), scope=scope, places=(Place.SESSION,))
    console.has_seals = False
    deployed = await here("deploy", lab, "--scope", "team", "--yes", "--no-wait", "--json")
    assert deployed.code == 0, deployed.err
    dseq = deployed.data["dseq"]
    plain = CPU.replace("      - RAY_AUTH_MODE=token\n", "      - RAY_AUTH_MODE=token\n      - HF=ac-secret://HF\n", 1)
    (tmp_path / "new.yaml").write_text(
        CPU.replace(
            "      - RAY_AUTH_MODE=token\n", "      - RAY_AUTH_MODE=token\n      - AGAIN=ac-secret://RAY_AUTH_TOKEN\n"
        )
    )
    done = await here("deployments", "update", dseq, str(tmp_path / "new.yaml"), "--yes")
    assert done.code == 0, done.err
    (patch,) = [one.body.decode() for one in console.requests if one.method == "PATCH"]
    assert values["team"] in patch
    assert values["new"] not in patch
    (tmp_path / "new.yaml").write_text(plain)
    unknown = await here("deployments", "update", dseq, str(tmp_path / "new.yaml"), "--yes")
    assert (unknown.code, "secrets set HF --scope team" in unknown.err) == (2, True)


async def test_an_update_names_what_it_could_not_compare(console: SimConsole, lab: str, tmp_path: Path) -> None:
    """Here and where nothing else differs: the value may."""
    dseq = (await here("deploy", lab, "--yes", "--no-wait", "--json")).data["dseq"]
    console.world.deployments[dseq].sdl = CPU.replace(
        "RAY_AUTH_TOKEN=ac-secret://RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN=other"
    )
    (tmp_path / "new.yaml").write_text(CPU.replace("ac-secret://RAY_AUTH_TOKEN", "ac-secret://NOT_HERE"))
    done = await here("deployments", "update", dseq, str(tmp_path / "new.yaml"), "--yes")
    assert "not compared: RAY_AUTH_TOKEN" in done.err


async def test_connect_to_what_was_made_elsewhere(
    console: SimConsole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Console keeps its SDL; nothing of the market is asked, and secrets of others are not needed."""
    for name in ("GATEWAY_TLS_CERTIFICATE", "GATEWAY_TLS_KEY"):
        monkeypatch.delenv(f"RAYAKASH_SECRET_{name}")
    more = "      - WANDB_KEY=ac-secret://WANDB_KEY\n      - RAY_AUTH_MODE=token"
    text = CPU.replace("      - RAY_AUTH_MODE=token", more)
    other = console.world.create(text, name="team/lab")
    console.world.clock.advance(60)
    console.world.lease(other, [(1, console.world.bids(other)[0].provider.address)])
    other.leases[0].manifest_at = console.world.clock.time()
    before = len(console.requests)
    done = await here("deployments", "connect", other.dseq, "--json")
    assert done.code == 0, done.err
    assert done.data["context"] == "team-lab"
    paths = {one.path for one in console.requests[before:]}
    assert paths <= {f"/v1/deployments/{other.dseq}"}
    (row,) = (await here("deployments", "--json")).data["deployments"]
    assert row["context"] == "team-lab"
    (tmp_path / "own.yaml").write_text(text)
    again = await here("deployments", "connect", other.dseq, "--sdl", str(tmp_path / "own.yaml"), "--json")
    assert again.data["context"] == "team-lab"
    assert len(known_clusters().rows) == 1


async def test_a_leased_one_is_resumed_although_its_file_has_changed(
    console: SimConsole, lab: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What runs counts; it costs while somebody looks for the old file, and no other secret is needed for it."""
    dseq = (await here("deploy", lab, "--yes", "--no-wait", "--json")).data["dseq"]
    (tmp_path / "lab.yaml").write_text(CPU.replace("count: 2", "count: 5"))
    monkeypatch.delenv("RAYAKASH_SECRET_GATEWAY_TLS_KEY")
    done = await here("deployments", "resume", dseq, "--json")
    assert done.code == 0, done.err
    assert done.data["context"] == "lab"
    assert console.count("POST", "/v1/deployments") == 1


async def test_redeploy_closes_first_and_avoids_the_old_provider(console: SimConsole, lab: str) -> None:
    """Two at once would cost twice; the one question, with the price, comes before the close."""
    first = (await here("deploy", lab, "--yes", "--json")).data["dseq"]
    old = console.world.deployments[first].leases[0].provider.address
    console.world.available = Decimal(100_000)  # USD 0.10: less than a deposit, without the refund
    unanswered = await here("deployments", "redeploy", first)
    assert (unanswered.code, console.world.deployments[first].state) == (2, "active")
    done = await here("deployments", "redeploy", first, "--yes", "--json")
    assert done.code == 0, done.err
    for err in (done.err, unanswered.err):
        assert "At most $" in err
        assert "of its escrow comes back; the balance below includes it" in err
    assert done.err.index("At most $") < done.err.index(f"Closing {first}")
    assert done.err.count("Yes (--yes)") == 1
    active = [one for one in console.world.deployments.values() if one.state == "active"]
    assert len(active) == 1
    assert active[0].leases[0].provider.address != old


async def test_the_key_is_nowhere(console: SimConsole, lab: str) -> None:
    """Neither in output nor on disk."""
    done = await here("deploy", lab, "--yes", "--json")
    value = console.world.keys[0].value
    texts = [done.text, done.err, *(one.path.read_text() for one in attempts())]
    assert all(value not in text and "canary" not in text for text in texts)
    assert json.loads(done.text)["dseq"]


async def test_doctor_examines_key_money_and_journals(console: SimConsole, lab: str) -> None:
    """And what a crash left."""
    done = await here("doctor", "--json")
    checks = {one["name"]: one for one in done.data["checks"]}
    assert (checks["akash key"]["state"], checks["balance"]["state"], checks["clock"]["state"]) == ("ok", "ok", "ok")
    assert "$1,000.00 available" in checks["balance"]["message"]
    console.faults.add(
        Fault(match="POST /v1/deployments", do="cut-after"),
        Fault(match="GET /v1/deployments", do="answer", after=3, times=200, status=503, body=HTML_502),
    )
    assert (await here("deploy", lab, "--yes")).code == 5
    console.faults.clear()
    later = (await here("doctor", "--json")).data
    assert {"unfinished-deployment"} <= set(later["faults"])


@pytest.mark.usefixtures("console")
async def test_doctor_asks_nothing_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no fault to have none."""
    monkeypatch.delenv("AKASH_API_KEY")
    checks = {one["name"]: one for one in (await here("doctor", "--json")).data["checks"]}
    assert checks["akash"]["state"] == "skip"


async def test_doctor_names_a_refused_key(console: SimConsole) -> None:
    """As a fault, without the key."""
    console.faults.add(Fault(match="GET /v1/deployments", do="answer", times=9, status=401, body=BAD_KEY))
    done = await here("doctor", "--json")
    assert next(one["state"] for one in done.data["checks"] if one["name"] == "akash") == "fail"
    assert console.world.keys[0].value not in done.text
