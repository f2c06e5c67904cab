"""The scripted Tron against plain requests: its documented shapes, and that its money adds up."""

from typing import Any

import aiohttp
import pytest

from tests.hand_clock import HandClock
from tests.loopback import asks_for
from tests.tron_chain import FOUNTAIN, SUPPLY, TronChain
from tests.tron_server import CONFIRMATIONS, MAINNET, NILE, SUSPENDED, TOO_MANY_REQUESTS, TronServer
from tests.tron_stakes import (
    UNFREEZE_MS,
    delegate,
    freeze,
    freeze_first,
    undelegate,
    unfreeze,
    unfreeze_first,
    withdraw_unfrozen,
)
from tests.tron_state import Outcome, Resource, Sent, account, in_hex

ALICE, BOB, CAROL, DEX = account("alice"), account("bob"), account("carol"), account("dex")
TRX = 1_000_000


async def ask(server: TronServer, path: str, values: dict[str, object] | None = None, **headers: str) -> Any:
    async with (
        aiohttp.ClientSession(server.url) as session,
        session.post(path, json=values if values is not None else {}, headers=headers) as response,
    ):
        return await response.json()


def furnished() -> tuple[TronChain, str]:
    chain = TronChain(HandClock())
    chain.fund(ALICE, 1_000 * TRX)
    chain.fund(BOB, 100 * TRX)
    usdt = chain.issue("USDT", decimals=6, holder=ALICE, amount=5_000_000)
    chain.mine()
    return chain, usdt


def all_trx(chain: TronChain) -> int:
    state = chain.head.state
    return state.burned + sum(one.total() + one.allowance for one in state.accounts.values())


async def test_the_newest_block_has_a_hash_that_begins_with_its_number() -> None:
    chain, _ = furnished()
    async with TronServer(chain) as server:
        block = await ask(server, "/wallet/getnowblock")
        header = block["block_header"]["raw_data"]
        parent = await ask(server, "/wallet/getblockbynum", {"num": header["number"] - 1})

        assert len(block["blockID"]) == 64
        assert int(block["blockID"][:16], 16) == header["number"] == chain.head.number
        assert header["parentHash"] == parent["blockID"]
        assert "transactions" not in parent
        assert [tx["raw_data"]["contract"][0]["type"] for tx in block["transactions"]] == [
            "TransferContract",
            "TransferContract",
            "CreateSmartContract",
        ]
        assert server.door.requests == {"/wallet/getnowblock": 1, "/wallet/getblockbynum": 1}


async def test_what_is_not_there_is_empty_and_never_an_error() -> None:
    chain, _ = furnished()
    beyond = chain.head.number + 1
    async with TronServer(chain) as server:
        assert await ask(server, "/wallet/getblockbynum", {"num": beyond}) == {}
        assert await ask(server, "/wallet/gettransactioninfobyblocknum", {"num": beyond}) == []
        assert await ask(server, "/wallet/gettransactioninfobyblocknum", {"num": 0}) == {}
        assert await ask(server, "/wallet/getblockbylimitnext", {"startNum": beyond, "endNum": beyond + 5}) == {}
        assert await ask(server, "/wallet/getaccount", {"address": in_hex(CAROL)}) == {}
        assert await ask(server, "/wallet/getaccount", {}) == {}


@pytest.mark.parametrize("genesis", [MAINNET, NILE])
async def test_the_first_block_tells_the_network_and_no_number(genesis: str) -> None:
    async with TronServer(TronChain(HandClock()), genesis=genesis) as server:
        block = await ask(server, "/wallet/getblockbynum", {"num": 0})

        assert block["blockID"] == genesis
        assert "number" not in block["block_header"]["raw_data"]


async def test_addresses_are_hexadecimal_unless_they_are_to_be_visible() -> None:
    chain, _ = furnished()
    async with TronServer(chain) as server:
        in_hexadecimal = await ask(server, "/wallet/getaccount", {"address": in_hex(ALICE)})
        visible = await ask(server, "/wallet/getaccount", {"address": ALICE, "visible": True})
        mixed_up = await ask(server, "/wallet/getaccount", {"address": ALICE})
        block = await ask(server, "/wallet/getblockbynum", {"num": chain.head.number, "visible": True})

        assert (in_hexadecimal["address"], visible["address"]) == (in_hex(ALICE), ALICE)
        assert in_hexadecimal["balance"] == visible["balance"] == 1_000 * TRX
        assert set(mixed_up) == {"Error"}
        value = block["transactions"][0]["raw_data"]["contract"][0]["parameter"]["value"]
        assert value == {"amount": 1_000 * TRX, "owner_address": FOUNTAIN, "to_address": ALICE}


async def test_an_account_without_trx_has_no_balance_field() -> None:
    chain, _ = furnished()
    chain.transfer(BOB, ALICE, 100 * TRX)
    chain.mine()
    async with TronServer(chain) as server:
        bob = await ask(server, "/wallet/getaccount", {"address": in_hex(BOB)})

        assert bob["address"] == in_hex(BOB)
        assert "balance" not in bob


async def test_a_transfer_to_a_new_account_pays_for_the_account() -> None:
    chain, _ = furnished()
    chain.transfer(BOB, CAROL, 10 * TRX)
    known = chain.transfer(BOB, ALICE, 10 * TRX)
    block = chain.mine()
    async with TronServer(chain) as server:
        new, free = await ask(server, "/wallet/gettransactioninfobyblocknum", {"num": block.number})
        bob = await ask(server, "/wallet/getaccount", {"address": in_hex(BOB)})

        assert (new["fee"], new["receipt"]) == (1_100_000, {"net_fee": 1_100_000})
        assert (free["id"], free.get("fee"), free["receipt"]) == (known, None, {"net_usage": 268})
        assert bob["balance"] == 80 * TRX - 1_100_000


async def test_a_token_transfer_is_a_log_with_addresses_of_twenty_bytes() -> None:
    chain, usdt = furnished()
    chain.send_token(usdt, ALICE, CAROL, 1_500_000, fee=27 * TRX)
    block = chain.mine()
    async with TronServer(chain) as server:
        (info,) = await ask(server, "/wallet/gettransactioninfobyblocknum", {"num": block.number})
        (log,) = info["log"]

        assert log["address"] == in_hex(usdt)[2:]
        assert [topic[-40:] for topic in log["topics"][1:]] == [in_hex(ALICE)[2:], in_hex(CAROL)[2:]]
        assert int(log["data"], 16) == 1_500_000
        assert info["contract_address"] == in_hex(usdt)
        assert info["receipt"]["energy_fee"] + info["receipt"]["net_fee"] == info["fee"] == 27 * TRX
        assert await ask(server, "/wallet/getaccount", {"address": in_hex(CAROL)}) == {}
        assert await token_balance(server, usdt, CAROL) == 1_500_000
        assert await token_balance(server, usdt, ALICE) == 3_500_000


async def token_balance(server: TronServer, contract: str, holder: str, *, service: str = "wallet") -> int:
    values: dict[str, object] = {
        "owner_address": in_hex(holder),
        "contract_address": in_hex(contract),
        "function_selector": "balanceOf(address)",
        "parameter": in_hex(holder)[2:].rjust(64, "0"),
    }
    body = await ask(server, f"/{service}/triggerconstantcontract", values)
    assert body["result"] == {"result": True}
    assert body["transaction"]["ret"] == [{}]
    return int(body["constant_result"][0], 16)


@pytest.mark.parametrize("outcome", [Outcome.REVERT, Outcome.OUT_OF_ENERGY])
async def test_a_call_that_fails_costs_its_fee_and_moves_nothing(outcome: Outcome) -> None:
    chain, usdt = furnished()
    chain.send_token(usdt, ALICE, BOB, 1_000, fee=2 * TRX, outcome=outcome)
    block = chain.mine()
    async with TronServer(chain) as server:
        (info,) = await ask(server, "/wallet/gettransactioninfobyblocknum", {"num": block.number})
        told = await ask(server, "/wallet/getblockbynum", {"num": block.number})

        assert (info["result"], info["receipt"]["result"]) == ("FAILED", outcome.value)
        assert told["transactions"][0]["ret"] == [{"contractRet": outcome.value}]
        assert ("log" in info) is (outcome is Outcome.OUT_OF_ENERGY)
        assert await token_balance(server, usdt, BOB) == 0
        assert chain.head.state.accounts[ALICE].balance == 998 * TRX


async def test_a_contract_pays_by_an_internal_transaction() -> None:
    chain, usdt = furnished()
    chain.call(ALICE, DEX, sun=50 * TRX, fee=TRX)
    chain.call(
        BOB,
        DEX,
        fee=TRX,
        moves=(
            Sent(sender=DEX, receiver=BOB, amount=20 * TRX),
            Sent(sender=ALICE, receiver=BOB, amount=7, token=usdt),
        ),
    )
    block = chain.mine()
    async with TronServer(chain) as server:
        paid, got = await ask(server, "/wallet/gettransactioninfobyblocknum", {"num": block.number})
        told = await ask(server, "/wallet/getblockbynum", {"num": block.number})

        assert "internal_transactions" not in paid
        assert told["transactions"][0]["raw_data"]["contract"][0]["parameter"]["value"]["call_value"] == 50 * TRX
        (internal,) = got["internal_transactions"]
        assert internal["caller_address"] == in_hex(DEX)
        assert internal["transferTo_address"] == in_hex(BOB)
        assert internal["callValueInfo"] == [{"callValue": 20 * TRX}]
        assert len(got["log"]) == 1
        assert all_trx(chain) == SUPPLY


@pytest.mark.parametrize(
    ("contract", "function", "result", "failed"),
    [
        pytest.param(CAROL, "balanceOf(address)", {"code": "CONTRACT_VALIDATE_ERROR"}, False, id="no contract"),
        pytest.param("usdt", "unknown()", {"result": True}, True, id="revert"),
    ],
)
async def test_a_refusal_to_call_is_a_200(
    contract: str, function: str, result: dict[str, object], failed: bool
) -> None:
    chain, usdt = furnished()
    address = usdt if contract == "usdt" else contract
    values = {"owner_address": ALICE, "contract_address": address, "function_selector": function, "visible": True}
    async with TronServer(chain) as server:
        body = await ask(server, "/wallet/triggerconstantcontract", values)
        in_hexadecimal = {**values, "owner_address": in_hex(ALICE), "contract_address": in_hex(address)}
        hidden = await ask(server, "/wallet/triggerconstantcontract", {**in_hexadecimal, "visible": False})

        assert result.items() <= body["result"].items()
        assert bytes.fromhex(hidden["result"]["message"]).decode() == body["result"]["message"]
        assert (body.get("transaction", {}).get("ret") == [{"ret": "FAILED"}]) is failed


async def test_stakes_stay_the_owners_wherever_they_are_told() -> None:
    clock = HandClock()
    chain = TronChain(clock)
    for name in (ALICE, BOB):
        chain.fund(name, 1_000 * TRX)
    chain.mine()
    freeze(chain, ALICE, 300 * TRX)
    freeze(chain, ALICE, 100 * TRX, resource=Resource.BANDWIDTH)
    delegate(chain, ALICE, BOB, 200 * TRX)
    delegate(chain, ALICE, BOB, 30 * TRX, resource=Resource.BANDWIDTH)
    unfreeze(chain, ALICE, 50 * TRX)
    freeze_first(chain, ALICE, 11 * TRX, resource=Resource.BANDWIDTH)
    freeze_first(chain, ALICE, 12 * TRX)
    freeze_first(chain, ALICE, 13 * TRX, receiver=BOB)
    chain.mine()
    async with TronServer(chain) as server:
        alice = await ask(server, "/wallet/getaccount", {"address": in_hex(ALICE)})
        bob = await ask(server, "/wallet/getaccount", {"address": in_hex(BOB)})

        assert alice["frozenV2"] == [
            {"amount": 70 * TRX},
            {"type": "ENERGY", "amount": 50 * TRX},
            {"type": "TRON_POWER"},
        ]
        assert [one["unfreeze_amount"] for one in alice["unfrozenV2"]] == [50 * TRX]
        assert alice["delegated_frozenV2_balance_for_bandwidth"] == 30 * TRX
        assert alice["frozen"][0]["frozen_balance"] == 11 * TRX
        energy = alice["account_resource"]
        assert energy["delegated_frozenV2_balance_for_energy"] == 200 * TRX
        assert energy["frozen_balance_for_energy"]["frozen_balance"] == 12 * TRX
        assert energy["delegated_frozen_balance_for_energy"] == 13 * TRX
        assert bob["account_resource"]["acquired_delegated_frozenV2_balance_for_energy"] == 200 * TRX
        assert bob["balance"] == 1_000 * TRX

        undelegate(chain, ALICE, BOB, 200 * TRX)
        unfreeze_first(chain, ALICE)
        unfreeze_first(chain, ALICE, receiver=BOB)
        clock.hand += UNFREEZE_MS / 1000 + 60
        withdraw_unfrozen(chain, ALICE)
        chain.reward(ALICE, 5 * TRX)
        chain.claim(ALICE)
        block = chain.mine()
        infos = await ask(server, "/wallet/gettransactioninfobyblocknum", {"num": block.number})

        assert [info.get("unfreeze_amount") for info in infos[1:3]] == [12 * TRX, 13 * TRX]
        assert infos[3]["withdraw_expire_amount"] == 50 * TRX
        assert infos[-1]["withdraw_amount"] == 5 * TRX
        assert chain.head.state.accounts[ALICE].total() == 1_005 * TRX
        assert all_trx(chain) == SUPPLY


async def test_the_solid_side_is_behind() -> None:
    chain, usdt = furnished()
    async with TronServer(chain) as server:
        solid = await ask(server, "/walletsolidity/getnowblock")
        unseen = await ask(server, "/walletsolidity/getaccount", {"address": in_hex(ALICE)})
        node = await ask(server, "/wallet/getnodeinfo")
        chain.mine(CONFIRMATIONS)
        seen = await ask(server, "/walletsolidity/getaccount", {"address": in_hex(ALICE)})

        assert solid["block_header"]["raw_data"]["number"] == chain.head.number - 2 * CONFIRMATIONS
        assert (unseen, seen["balance"]) == ({}, 1_000 * TRX)
        assert node["solidityBlock"] == f"Num:{solid['block_header']['raw_data']['number']},ID:{solid['blockID']}"
        assert await token_balance(server, usdt, ALICE, service="walletsolidity") == 5_000_000


async def test_a_fork_replaces_blocks_and_takes_back_what_they_moved() -> None:
    chain, _ = furnished()
    lost = chain.transfer(ALICE, BOB, 10 * TRX)
    kept = chain.transfer(ALICE, BOB, TRX)
    before = chain.mine(3)
    chain.fork(3, keep=[kept])
    async with TronServer(chain) as server:
        blocks = (
            await ask(
                server, "/wallet/getblockbylimitnext", {"startNum": before.number - 3, "endNum": before.number + 1}
            )
        )["block"]
        bob = await ask(server, "/wallet/getaccount", {"address": in_hex(BOB)})

        assert [block["block_header"]["raw_data"]["parentHash"] for block in blocks[1:]] == [
            block["blockID"] for block in blocks[:-1]
        ]
        assert chain.head.number == before.number
        assert blocks[-1]["blockID"] != before.id
        assert [tx["txID"] for tx in blocks[1]["transactions"]] == [kept]
        assert await ask(server, "/wallet/gettransactioninfobyid", {"value": lost}) == {}
        assert bob["balance"] == 101 * TRX


async def test_one_endpoint_lags_and_lies_while_another_does_not() -> None:
    chain, usdt = furnished()
    chain.transfer(ALICE, BOB, TRX)
    chain.mine(2)
    async with TronServer(chain) as honest, TronServer(chain) as liar:
        liar.lag = 2
        liar.lies = {(ALICE, None): 7, (ALICE, usdt): -1}
        told = [await ask(server, "/wallet/getaccount", {"address": in_hex(ALICE)}) for server in (honest, liar)]
        heads = [await ask(server, "/wallet/getnowblock") for server in (honest, liar)]

        assert [one["balance"] for one in told] == [999 * TRX, 1_000 * TRX + 7]
        numbers = [head["block_header"]["raw_data"]["number"] for head in heads]
        assert numbers[0] - numbers[1] == 2
        assert await token_balance(liar, usdt, ALICE) == 4_999_999


async def test_limits_and_keys_are_as_the_gateway_words_them() -> None:
    chain, _ = furnished()
    async with TronServer(chain, api_key="the-key") as server, aiohttp.ClientSession(server.url) as session:
        server.door.fail(TOO_MANY_REQUESTS, times=1, when=asks_for("getnowblock"))
        server.door.fail(SUSPENDED, times=1)
        statuses = []
        for key in ("the-key", "the-key", "the-key", "another"):
            headers = {"TRON-PRO-API-KEY": key}
            async with session.post("/wallet/getnowblock", headers=headers) as response:
                statuses.append((response.status, "Error" in await response.json()))

        assert statuses == [(429, True), (403, True), (200, False), (401, True)]
        assert server.door.requests == {"/wallet/getnowblock": 4}


async def test_a_server_that_fell_silent_answers_once_it_speaks_again() -> None:
    chain, _ = furnished()
    async with TronServer(chain) as server, aiohttp.ClientSession(server.url) as session:
        server.door.fall_silent()
        with pytest.raises(TimeoutError):
            await session.post("/wallet/getnowblock", timeout=aiohttp.ClientTimeout(total=0.1))
        server.door.speak()

        assert (await ask(server, "/wallet/getnowblock"))["blockID"] == chain.head.id
