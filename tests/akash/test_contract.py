"""What we send to the Console, and what the simulated one answers, against the Console's own document."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.akash.contract import Contract
from tests.akash.every_call import every_call
from tests.akash_sim.console import Dialect, SimConsole, SimReply, SimRequest
from tests.akash_sim.wire import client_of

EXPECTED = {
    "GET /v1/gpu-prices", "GET /v1/providers", "GET /v1/providers/{address}", "POST /v1/bid-screening",
    "GET /v1/blocks", "GET /v1/user/me", "GET /v1/wallets", "GET /v1/balances", "GET /v1/deployments",
    "POST /v1/deployments", "GET /v1/bids", "POST /v1/leases", "GET /v1/deployments/{dseq}",
    "POST /v1/create-jwt-token", "PUT /v1/deployments/{dseq}", "GET /v2/deployment-settings/{dseq}",
    "DELETE /v1/deployments/{dseq}",
}  # fmt: skip


class Judged(SimConsole):
    """A simulated Console every exchange of which is held against the document."""

    def __init__(self, contract: Contract, dialect: Dialect) -> None:
        super().__init__(dialect=dialect)
        self._contract = contract

    def exchange(self, request: SimRequest, patience_s: float = 60.0) -> SimReply:
        reply = super().exchange(request, patience_s)
        self._contract.check(request, reply)
        return reply


@pytest.fixture(scope="session")
def document(shared: Path) -> Path:
    return shared / "openapi" / "console-openapi.json"


@pytest.mark.parametrize("dialect", ["august", "autumn"])
async def test_every_call_and_every_answer_keep_to_the_document(document: Path, dialect: Dialect) -> None:
    contract = Contract(document)
    sim = Judged(contract, dialect)
    async with client_of(sim) as console:
        await every_call(console)
    assert contract.checked == EXPECTED


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/v1/bids", {"data": [{"bid": {"state": "open"}}]}, "is a required property"),
        ("/v1/balances", {"data": {"balance": "12", "deployments": 1, "total": 2}}, "is not of type 'number'"),
        ("/v1/providers", {"data": []}, "is not of type 'array'"),
    ],
)
def test_an_answer_that_breaks_it_is_found(document: Path, path: str, body: Any, words: str) -> None:
    request = SimRequest(method="GET", path=path, query={"dseq": "1"})
    with pytest.raises(AssertionError, match=words):
        Contract(document).check(request, SimReply(body=json.dumps(body).encode()))


def test_a_request_that_breaks_it_is_found(document: Path) -> None:
    reply = SimReply(status=200, body=b"{}")
    for body in (b"{}", b'{"leases":[{"dseq":"x","gseq":1,"oseq":1,"provider":"p"}],"manifest":"m"}'):
        with pytest.raises(AssertionError, match="request POST /v1/leases"):
            Contract(document).check(SimRequest(method="POST", path="/v1/leases", body=body), reply)
    with pytest.raises(AssertionError, match="dseq is missing"):
        Contract(document).check(SimRequest(method="GET", path="/v1/bids"), reply)
