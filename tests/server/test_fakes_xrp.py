"""The scripted rippled against plain requests: its documented shapes, and that its metadata and balances agree."""

from collections import Counter
from typing import Any

import aiohttp
import pytest

from tests.hand_clock import HandClock
from tests.xrp_ledger import DELETION_FEE, FEE, SUPPLY, XrpLedger
from tests.xrp_server import OVERLOADED, SLOW_DOWN, SLOW_DOWN_503, Standing, XrpServer
from tests.xrp_state import FIRST_LEDGER, account

ALICE, BOB, CAROL, ISSUER = account("alice"), account("bob"), account("carol"), account("issuer")
XRP = 1_000_000


def furnished() -> tuple[XrpLedger, HandClock]:
    clock = HandClock()
    ledger = XrpLedger(clock)
    for name in (ALICE, BOB, ISSUER):
        ledger.fund(name, 1_000 * XRP)
    ledger.close()
    return ledger, clock


async def ask(server: XrpServer, method: str, **params: object) -> Any:
    async with (
        aiohttp.ClientSession(server.url) as session,
        session.post("/", json={"method": method, "params": [params]}) as response,
    ):
        assert response.status == 200
        return (await response.json())["result"]


async def test_an_account_is_told_as_of_a_ledger() -> None:
    ledger, clock = furnished()
    before = ledger.newest.index
    ledger.pay(ALICE, BOB, 10 * XRP)
    ledger.close()
    async with XrpServer(ledger, clock) as server:
        now = await ask(server, "account_info", account=ALICE, ledger_index="validated")
        then = await ask(server, "account_info", account=ALICE, ledger_index=before)
        by_hash = await ask(server, "account_info", account=ALICE, ledger_hash=now["ledger_hash"])

        assert now["account_data"]["Balance"] == str(990 * XRP - FEE)
        assert (now["ledger_index"], now["validated"], now["status"]) == (ledger.newest.index, True, "success")
        assert then["account_data"]["Balance"] == str(1_000 * XRP)
        assert by_hash["account_data"] == now["account_data"]
        assert server.methods == {"account_info": 3}


async def test_what_is_not_closed_is_current_and_not_validated() -> None:
    ledger, clock = furnished()
    ledger.pay(ALICE, BOB, 10 * XRP)
    async with XrpServer(ledger, clock) as server:
        unnamed = await ask(server, "account_info", account=ALICE)

        assert (unnamed["validated"], unnamed["ledger_current_index"]) == (False, ledger.newest.index + 1)
        assert unnamed["account_data"]["Balance"] == str(990 * XRP - FEE)
        assert "ledger_index" not in unnamed


@pytest.mark.parametrize(
    ("method", "params", "error"),
    [
        pytest.param("account_info", {"account": CAROL}, "actNotFound", id="no such account"),
        pytest.param("account_info", {"account": ALICE[:-1]}, "actMalformed", id="a wrong checksum"),
        pytest.param("account_info", {}, "invalidParams", id="no account"),
        pytest.param("ledger", {"ledger_index": FIRST_LEDGER + 99}, "lgrNotFound", id="a ledger to come"),
        pytest.param("ledger", {"ledger_index": FIRST_LEDGER + 3}, "lgrNotFound", id="a ledger that is missing"),
        pytest.param("ledger", {"ledger_index": "newest"}, "invalidParams", id="a word that is none"),
        pytest.param(
            "account_tx",
            {"account": ALICE, "ledger_index_min": FIRST_LEDGER + 8, "ledger_index_max": FIRST_LEDGER + 7},
            "lgrIdxsInvalid",
            id="a range that runs backwards",
        ),
        pytest.param(
            "account_tx",
            {"account": ALICE, "ledger_index_max": FIRST_LEDGER + 99, "api_version": 2},
            "lgrIdxMalformed",
            id="a range beyond, version 2",
        ),
        pytest.param("ledger_of_everything", {}, "unknownCmd", id="no such method"),
    ],
)
async def test_refusals_are_inside_a_200(method: str, params: dict[str, object], error: str) -> None:
    ledger, clock = furnished()
    async with XrpServer(ledger, clock) as server:
        server.missing = {FIRST_LEDGER + 3}
        result = await ask(server, method, **params)

        assert (result["status"], result["error"]) == ("error", error)
        assert result["request"]["command"] == method


async def test_a_server_tells_which_ledgers_it_has_and_of_which_network() -> None:
    ledger, clock = furnished()
    clock.hand += 7
    async with XrpServer(ledger, clock, network_id=1) as server:
        server.missing = {FIRST_LEDGER + 3, FIRST_LEDGER + 4}
        info = (await ask(server, "server_info"))["info"]
        state = (await ask(server, "server_state"))["state"]

        assert info["complete_ledgers"] == f"{FIRST_LEDGER}-{FIRST_LEDGER + 2},{FIRST_LEDGER + 5}-{FIRST_LEDGER + 10}"
        assert (info["network_id"], info["server_state"], info["validated_ledger"]["age"]) == (1, "full", 6)
        assert info["validated_ledger"]["reserve_base_xrp"] * XRP == state["validated_ledger"]["reserve_base"]
        history = await ask(server, "account_tx", account=ALICE, ledger_index_min=FIRST_LEDGER)
        assert history["ledger_index_min"] == FIRST_LEDGER + 5


@pytest.mark.parametrize(
    ("standing", "error", "ledgers"),
    [
        (Standing.CONNECTED, "noNetwork", "empty"),
        (Standing.SYNCING, "noCurrent", f"{FIRST_LEDGER}-{FIRST_LEDGER + 10}"),
    ],
    ids=["connected", "syncing"],
)
async def test_a_server_that_is_not_synced_says_so(standing: Standing, error: str, ledgers: str) -> None:
    ledger, clock = furnished()
    async with XrpServer(ledger, clock) as server:
        server.standing = standing
        info = (await ask(server, "server_info"))["info"]

        assert (info["server_state"], info["complete_ledgers"]) == (standing.value, ledgers)
        assert ("validated_ledger" in info) is (standing is Standing.SYNCING)
        assert (await ask(server, "account_info", account=ALICE))["error"] == error


async def test_limits_are_told_in_three_ways() -> None:
    ledger, clock = furnished()
    async with XrpServer(ledger, clock) as server, aiohttp.ClientSession(server.url) as session:
        for answer in (SLOW_DOWN, SLOW_DOWN_503, OVERLOADED):
            server.door.fail(answer, times=1)
        server.is_near_limit = True
        told = []
        for _ in range(4):
            async with session.post("/", json={"method": "server_info", "params": [{}]}) as response:
                told.append((response.status, response.content_type))
        async with session.post("/", json={"method": "server_info"}) as response:
            body = await response.json()
        async with session.post("/", json={}) as response:
            null = (response.status, await response.text())

        json = "application/json"
        assert told == [(200, json), (503, json), (503, "text/plain"), (200, json)]
        assert body["warning"] == "load"
        assert null == (400, "Null method\n")


def changes_by_metadata(transactions: list[Any]) -> Counter[str]:
    """What every account's balance changed by, as a reader of metadata sums it."""
    changes: Counter[str] = Counter()
    for meta in transactions:
        for node in meta["AffectedNodes"]:
            ((kind, entry),) = node.items()
            if entry["LedgerEntryType"] != "AccountRoot":
                continue
            match kind, entry:
                case "CreatedNode", {"NewFields": {"Account": address, "Balance": balance}}:
                    changes[address] += int(balance)
                case _, {
                    "FinalFields": {"Account": address, "Balance": balance},
                    "PreviousFields": {"Balance": previous},
                }:
                    changes[address] += int(balance) - int(previous)
                case _:
                    pass
    return changes


def busy() -> tuple[XrpLedger, HandClock]:
    """A ledger with one of each kind of transaction since it was furnished."""
    ledger, clock = furnished()
    ledger.pay(ALICE, CAROL, 50 * XRP)
    ledger.pay(ALICE, BOB, 3, claims=900 * XRP)
    ledger.fail_to_pay(BOB, ALICE, 5_000 * XRP)
    ledger.trust(ALICE, ISSUER)
    ledger.close()
    ledger.pay_token(ALICE, BOB, "10.5", issuer=ISSUER)
    ledger.sell(BOB, ALICE, 20 * XRP)
    ledger.lock(ALICE, BOB, 100 * XRP)
    ledger.close()
    ledger.release(CAROL, BOB, 100 * XRP)
    ledger.delete(CAROL, beneficiary=BOB)
    ledger.close()
    return ledger, clock


@pytest.mark.parametrize("version", [1, 2])
async def test_metadata_and_balances_agree(version: int) -> None:
    ledger, clock = busy()
    before, after = ledger.ledgers[-4], ledger.newest
    async with XrpServer(ledger, clock) as server:
        metas = []
        for index in range(before.index + 1, after.index + 1):
            told = await ask(server, "ledger", ledger_index=index, transactions=True, expand=True, api_version=version)
            metas += [tx["metaData" if version == 1 else "meta"] for tx in told["ledger"]["transactions"]]
        changes = changes_by_metadata(metas)

        def balance(state: Any, address: str) -> int:
            return state.roots[address].balance if address in state.roots else 0

        for address in (ALICE, BOB, CAROL, ISSUER):
            assert changes[address] == balance(after.state, address) - balance(before.state, address)
        assert CAROL not in after.state.roots
        assert after.state.burned == 3 * FEE + 8 * FEE + DELETION_FEE
        assert sum(root.balance for root in after.state.roots.values()) + after.state.burned == SUPPLY


async def test_a_partial_payment_delivers_less_than_its_amount() -> None:
    ledger, clock = busy()
    async with XrpServer(ledger, clock) as server:
        first = (await ask(server, "account_tx", account=BOB, forward=True))["transactions"][1]
        second = (await ask(server, "account_tx", account=BOB, forward=True, api_version=2))["transactions"][1]

        assert (first["tx"]["Amount"], first["tx"]["Flags"]) == (str(900 * XRP), 131_072)
        assert (first["meta"]["delivered_amount"], first["meta"]["DeliveredAmount"]) == ("3", "3")
        assert "Amount" not in second["tx_json"]
        assert second["tx_json"]["DeliverMax"] == str(900 * XRP)
        assert second["hash"] == first["tx"]["hash"]


async def test_an_account_that_is_only_touched_has_no_fields() -> None:
    ledger, clock = busy()
    async with XrpServer(ledger, clock) as server:
        (_, trusted) = (await ask(server, "account_tx", account=ISSUER, forward=True))["transactions"]
        nodes = [node["ModifiedNode"] for node in trusted["meta"]["AffectedNodes"]]

        assert [sorted(node) for node in nodes if "FinalFields" not in node] == [
            ["LedgerEntryType", "LedgerIndex", "PreviousTxnID", "PreviousTxnLgrSeq"]
        ]


@pytest.mark.parametrize("forward", [True, False], ids=["oldest first", "newest first"])
async def test_pages_follow_their_marker_and_miss_nothing(forward: bool) -> None:
    ledger, clock = furnished()
    sent = [ledger.pay(ALICE, BOB, drops) for drops in range(1, 6)]
    ledger.close()
    sent += [ledger.pay(ALICE, BOB, drops) for drops in range(6, 9)]
    ledger.close()
    async with XrpServer(ledger, clock) as server:
        server.page = 3
        seen: list[str] = []
        params: dict[str, object] = {"account": ALICE, "forward": forward, "limit": 1_000}
        while True:
            result = await ask(server, "account_tx", **params)
            assert len(result["transactions"]) <= 3
            assert result["limit"] == 3
            seen += [entry["tx"]["hash"] for entry in result["transactions"]]
            ledger.close()
            if "marker" not in result:
                break
            params["marker"] = result["marker"]

        in_order = seen if forward else list(reversed(seen))
        assert in_order[1:] == sent


async def test_one_endpoint_lags_and_lies() -> None:
    ledger, clock = busy()
    async with XrpServer(ledger, clock) as server:
        server.lag = 1
        server.lies = {ALICE: -5}
        told = await ask(server, "account_info", account=ALICE, ledger_index="validated")
        head = await ask(server, "ledger", ledger_index="validated")

        assert told["ledger_index"] == head["ledger_index"] == ledger.newest.index - 1
        assert head["ledger"]["ledger_index"] == str(ledger.newest.index - 1)
        assert int(told["account_data"]["Balance"]) == ledger.ledgers[-2].state.roots[ALICE].balance - 5
