"""The scripted Esplora against plain requests: its documented shapes, and that its coins add up."""

import string
from typing import Any

import aiohttp
import pytest

from tests.bitcoin_addresses import legacy, script_of, segwit
from tests.esplora_chain import FEE, SUBSIDY, SUPPLY, BitcoinChain, bare_key, note, to
from tests.esplora_server import MAINNET, PAGE, TESTNET, TOO_MANY_REQUESTS, EsploraServer
from tests.hand_clock import HandClock

ALICE, BOB, CAROL = segwit("alice"), legacy("bob"), segwit("carol")
BTC = 100_000_000
NOWHERE = "0" * 19 + "f" * 45


def furnished() -> BitcoinChain:
    chain = BitcoinChain(HandClock())
    chain.fund(ALICE, 10 * BTC)
    chain.fund(BOB, 5 * BTC)
    chain.mine()
    return chain


async def ask(server: EsploraServer, path: str) -> Any:
    async with aiohttp.ClientSession(server.url) as session, session.get(path) as response:
        assert response.status == 200, await response.text()
        return await response.json() if response.content_type == "application/json" else await response.text()


async def refusal(server: EsploraServer, path: str) -> tuple[int, str, str]:
    async with aiohttp.ClientSession(server.url) as session, session.get(path) as response:
        return response.status, response.content_type, await response.text()


async def balance(server: EsploraServer, address: str, *, stats: str = "chain_stats") -> int:
    told = (await ask(server, f"/address/{address}"))[stats]
    return int(told["funded_txo_sum"]) - int(told["spent_txo_sum"])


def test_addresses_are_those_of_the_standard() -> None:
    assert script_of("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4") == (
        "0014751e76e8199196d454941c45d1b3a323f1433bd6",
        "v0_p2wpkh",
    )
    assert script_of("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")[1] == "p2pkh"
    for name in string.ascii_lowercase:
        assert script_of(segwit(name))[1] == "v0_p2wpkh"
        assert script_of(legacy(name))[1] == "p2pkh"


@pytest.mark.parametrize("genesis", [MAINNET, TESTNET])
async def test_tip_and_heights_are_plain_text(genesis: str) -> None:
    chain = furnished()
    async with EsploraServer(chain, genesis=genesis) as server:
        height = await ask(server, "/blocks/tip/height")
        tip = await ask(server, "/blocks/tip/hash")
        block = await ask(server, f"/block/{tip}")

        assert (int(height), tip) == (chain.tip.height, chain.tip.hash)
        assert await ask(server, f"/block-height/{height}") == tip
        assert await ask(server, "/block-height/0") == genesis
        assert (block["height"], block["tx_count"]) == (chain.tip.height, 3)
        assert block["previousblockhash"] == await ask(server, f"/block-height/{int(height) - 1}")
        assert (await ask(server, "/blocks"))[0]["id"] == tip


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("/block-height/999999", (404, "Block not found"), id="a height to come"),
        pytest.param("/block-height/tall", (400, "Invalid number"), id="no number"),
        pytest.param(f"/block/{NOWHERE}", (404, "Block not found"), id="no such block"),
        pytest.param(f"/block/{NOWHERE}/txids", (404, "Block not found"), id="transactions of no block"),
        pytest.param("/block/beef", (400, "Invalid hex string"), id="no hash"),
        pytest.param(f"/tx/{NOWHERE}", (404, "Transaction not found"), id="no such transaction"),
        pytest.param("/prices", (404, 'endpoint does not exist "/prices"'), id="no such endpoint"),
    ],
)
async def test_errors_are_plain_text(path: str, expected: tuple[int, str]) -> None:
    async with EsploraServer(furnished()) as server:
        status, kind, text = await refusal(server, path)

        assert (status, text) == expected
        assert kind == "text/plain"


async def test_a_wrong_address_is_a_400() -> None:
    async with EsploraServer(furnished()) as server:
        for address in (ALICE[:-1] + ("q" if ALICE[-1] != "q" else "p"), BOB[:-1] + "1", "3PQ"):
            assert (await refusal(server, f"/address/{address}"))[0] == 400


async def test_blocks_are_told_in_pages_of_25() -> None:
    chain = furnished()
    for n in range(60):
        chain.pay([ALICE], [to(CAROL, 1_000 + n)])
    block = chain.mine()
    async with EsploraServer(chain) as server:
        txids = await ask(server, f"/block/{block.hash}/txids")
        pages = [await ask(server, f"/block/{block.hash}/txs/{start}") for start in (0, 25, 50)]
        first = await ask(server, f"/block/{block.hash}/txs")

        assert [len(page) for page in pages] == [25, 25, 11]
        assert [tx["txid"] for page in pages for tx in page] == txids
        assert first == pages[0]
        assert await refusal(server, f"/block/{block.hash}/txs/10") == (
            400,
            "text/plain",
            "start index must be a multiple of 25",
        )
        assert (await refusal(server, f"/block/{block.hash}/txs/75"))[0] == 400
        server.tells_status = False
        assert all("status" not in tx for tx in await ask(server, f"/block/{block.hash}/txs"))


async def test_a_coinbase_has_no_prevout_and_a_note_no_address() -> None:
    chain = furnished()
    chain.pay([ALICE], [to(CAROL, BTC), note("hello"), bare_key(2 * BTC)])
    block = chain.mine()
    async with EsploraServer(chain) as server:
        coinbase, spend = await ask(server, f"/block/{block.hash}/txs")

        assert (coinbase["vin"][0]["is_coinbase"], coinbase["vin"][0]["prevout"]) == (True, None)
        assert sum(out["value"] for out in coinbase["vout"]) == SUBSIDY + FEE
        kinds = {out["scriptpubkey_type"]: out.get("scriptpubkey_address") for out in spend["vout"]}
        assert kinds == {"v0_p2wpkh": ALICE, "op_return": None, "p2pk": None}
        assert spend["fee"] == FEE
        paid_in = sum(vin["prevout"]["value"] for vin in spend["vin"])
        assert paid_in - sum(out["value"] for out in spend["vout"]) == FEE


async def test_stats_history_and_unspent_outputs_agree() -> None:
    chain = furnished()
    chain.pay([ALICE], [to(BOB, 2 * BTC), to(CAROL, BTC)])
    chain.mine()
    chain.sweep([BOB], CAROL)
    chain.mine()
    async with EsploraServer(chain) as server:
        for address, expected in ((ALICE, 7 * BTC - FEE), (BOB, 0), (CAROL, 8 * BTC - FEE)):
            utxo = await ask(server, f"/address/{address}/utxo")
            changes = 0
            for tx in await ask(server, f"/address/{address}/txs"):
                changes += sum(out["value"] for out in tx["vout"] if out.get("scriptpubkey_address") == address)
                changes -= sum(
                    vin["prevout"]["value"] for vin in tx["vin"] if vin["prevout"]["scriptpubkey_address"] == address
                )
            assert await balance(server, address) == changes == sum(one["value"] for one in utxo) == expected
            assert all(one["status"]["confirmed"] for one in utxo)

        coins = chain.unspent(with_mempool=False)
        mined = len(chain.blocks) - 1
        assert sum(output.value for output in coins.values()) == SUPPLY + mined * SUBSIDY


async def test_what_waits_in_the_mempool_is_told_apart() -> None:
    chain = furnished()
    txid = chain.pay([ALICE], [to(BOB, BTC)])
    async with EsploraServer(chain) as server:
        assert await balance(server, ALICE) == 10 * BTC
        assert await balance(server, ALICE, stats="mempool_stats") == -BTC - FEE
        assert (await ask(server, f"/tx/{txid}"))["status"] == {"confirmed": False}
        assert (await ask(server, f"/address/{ALICE}/txs"))[0]["txid"] == txid
        assert txid not in {tx["txid"] for tx in await ask(server, f"/address/{ALICE}/txs/chain")}
        (change,) = await ask(server, f"/address/{ALICE}/utxo")
        assert (change["value"], change["status"]) == (9 * BTC - FEE, {"confirmed": False})


async def test_histories_are_paged_by_the_last_transaction_seen() -> None:
    chain = furnished()
    sent = set()
    for n in range(60):
        sent.add(chain.pay([ALICE], [to(CAROL, 1_000 + n)]))
        if n % 7 == 0:
            chain.mine()
    chain.mine()
    async with EsploraServer(chain) as server:
        seen = [tx["txid"] for tx in await ask(server, f"/address/{CAROL}/txs/chain")]
        while page := await ask(server, f"/address/{CAROL}/txs/chain/{seen[-1]}"):
            assert len(page) <= PAGE
            seen += [tx["txid"] for tx in page]

        assert len(seen) == 60
        assert set(seen) == sent
        assert await ask(server, f"/address/{CAROL}/txs/chain/{NOWHERE}") == []


async def test_big_addresses_are_refused() -> None:
    chain = furnished()
    for n in range(5):
        chain.pay([ALICE], [to(CAROL, 1_000 + n)])
    chain.mine()
    async with EsploraServer(chain) as server:
        server.largest_utxo = 4
        unspent = await refusal(server, f"/address/{CAROL}/utxo")
        server.largest_history = 4
        stats = await refusal(server, f"/address/{CAROL}")

        assert unspent == stats == (400, "text/plain", "Too many history entries")


async def test_a_reorg_takes_back_what_it_replaced() -> None:
    chain = furnished()
    lost = chain.pay([ALICE], [to(BOB, BTC)])
    kept = chain.pay([BOB], [to(CAROL, 2 * BTC)])
    replaced = chain.mine()
    chain.pay([BOB], [to(CAROL, BTC)])
    chain.mine()
    chain.reorg(2, keep=[kept])
    async with EsploraServer(chain) as server:
        status = await ask(server, f"/block/{replaced.hash}/status")
        orphan = await ask(server, f"/block/{replaced.hash}/txs")
        now = await ask(server, f"/block-height/{replaced.height}")
        following = await ask(server, f"/block/{now}/status")

        assert status == {"in_best_chain": False, "height": None, "next_best": None}
        assert {tx["status"]["confirmed"] for tx in orphan} == {False}
        assert now != replaced.hash
        assert following["next_best"] == await ask(server, f"/block-height/{replaced.height + 1}")
        assert int(await ask(server, "/blocks/tip/height")) == replaced.height + 2
        assert (await refusal(server, f"/tx/{lost}"))[0] == 404
        assert (await ask(server, f"/tx/{kept}"))["status"]["block_hash"] == now
        assert await balance(server, ALICE) == 10 * BTC
        assert await balance(server, CAROL) == 2 * BTC


async def test_what_spends_from_a_lost_transaction_is_lost_with_it() -> None:
    chain = furnished()
    parent = chain.sweep([ALICE], CAROL)
    child = chain.pay([CAROL], [to(BOB, BTC)])
    chain.mine()
    waiting = chain.pay([CAROL], [to(BOB, BTC)])
    chain.reorg(1, keep=[child])
    async with EsploraServer(chain) as server:
        for txid in (parent, child, waiting):
            assert (await refusal(server, f"/tx/{txid}"))[0] == 404
        assert await balance(server, ALICE) == 10 * BTC


async def test_one_endpoint_lags_and_lies() -> None:
    chain = furnished()
    chain.pay([ALICE], [to(BOB, BTC)])
    chain.mine()
    async with EsploraServer(chain) as honest, EsploraServer(chain) as liar:
        liar.lag = 1
        liar.lies = {ALICE: -7}

        assert await balance(honest, ALICE) == 9 * BTC - FEE
        assert await balance(liar, ALICE) == 10 * BTC - 7
        assert int(await ask(liar, "/blocks/tip/height")) == chain.tip.height - 1
        assert (await refusal(liar, f"/block/{chain.tip.hash}"))[0] == 404


async def test_a_limit_is_text_too() -> None:
    async with EsploraServer(furnished()) as server:
        server.door.fail(TOO_MANY_REQUESTS, times=1)

        assert await refusal(server, "/blocks/tip/height") == (429, "text/plain", "Too Many Requests")
        assert server.door.requests == {"/blocks/tip/height": 1}
