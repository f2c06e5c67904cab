"""`BitcoinChain` over Esplora: a scripted server that was written from its documentation."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from monitor.chains.bitcoin import ADMITTED_SECONDS, BitcoinChain
from monitor.chains.esplora import ADDRESSES_A_LOOK, Esplora
from monitor.chains.ledger import Head, Holding, Movement
from monitor.chains.script import ENCODINGS
from monitor.clock import Clock
from monitor.http import Http
from monitor.model import FailureReason, RemoteError
from tests import esplora_chain as made
from tests.bitcoin_addresses import legacy, segwit
from tests.esplora_server import MAINNET, PAGE, TESTNET, TOO_MANY_REQUESTS, UNAVAILABLE, EsploraServer
from tests.hand_clock import HandClock
from tests.loopback import Asked, as_json, as_text, asks_for

OTHER = "127.0.0.2"
BTC = 100_000_000
ALICE, BOB, CAROL = segwit("alice"), legacy("bob"), segwit("carol")
FIRST_BLOCK = {"id": MAINNET, "height": 0, "timestamp": 1231006505, "tx_count": 1}


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def coins(clock: HandClock) -> made.BitcoinChain:
    """Alice has ten, Bob has five."""
    coins = made.BitcoinChain(clock)
    coins.fund(ALICE, 10 * BTC)
    coins.fund(BOB, 5 * BTC)
    coins.mine()
    return coins


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    async with Http(Clock(), per_second={"127.0.0.1": 10_000.0, OTHER: 10_000.0}) as opened:
        yield opened


@asynccontextmanager
async def served(coins: made.BitcoinChain, *, host: str = "127.0.0.1") -> AsyncIterator[EsploraServer]:
    """Knows block 0 too, which is not one of the made ones."""
    async with EsploraServer(coins, host=host) as server:
        server.door.fail(as_json(FIRST_BLOCK), when=asks_for(f"/block/{MAINNET}?"))
        yield server


def chain(http: Http, clock: Clock, *servers: EsploraServer) -> BitcoinChain:
    endpoints = [
        Esplora(http, url=f"{server.url}/", encoding=ENCODINGS["bitcoin"], allow_private=True) for server in servers
    ]
    return BitcoinChain(clock, network="bitcoin", endpoints=endpoints)


async def balances(ledger: BitcoinChain, *addresses: str) -> dict[str, int]:
    snapshot = await ledger.balances([Holding(address, ledger.coin) for address in addresses])
    return {holding.address: amount for holding, amount in snapshot.amounts.items()}


async def everything(ledger: BitcoinChain, *, after: Head) -> None:
    await balances(ledger, ALICE)
    await moved(ledger, ALICE, after=after)


async def moved(ledger: BitcoinChain, *addresses: str, after: Head) -> tuple[Movement, ...]:
    return (await ledger.movements(addresses, after=after, upto=await ledger.head())).moves


class TestHead:
    async def test_is_the_newest_block(self, http: Http, clock: HandClock, coins: made.BitcoinChain) -> None:
        async with served(coins) as server:
            head = await chain(http, clock, server).head()
        assert (head.number, head.hash) == (coins.tip.height, coins.tip.hash)
        assert head.timestamp == clock.now()

    async def test_of_another_chain_is_refused(self, http: Http, clock: HandClock, coins: made.BitcoinChain) -> None:
        async with served(coins) as server:
            server.genesis = TESTNET
            first = {**FIRST_BLOCK, "id": TESTNET}
            server.door.fail(as_json(first), when=asks_for(f"/block/{TESTNET}?"))
            with pytest.raises(RemoteError) as caught:
                await chain(http, clock, server).head()
        assert caught.value.reason is FailureReason.WRONG_CHAIN

    async def test_of_a_chain_changed_behind_the_url_is_refused(
        self, http: Http, clock: HandClock, coins: made.BitcoinChain
    ) -> None:
        async with served(coins) as server:
            ledger = chain(http, clock, server)
            await ledger.head()
            server.genesis = TESTNET
            server.door.fail(as_json({**FIRST_BLOCK, "id": TESTNET}), when=asks_for(f"/block/{TESTNET}?"))
            clock.hand += ADMITTED_SECONDS
            with pytest.raises(RemoteError) as caught:
                await balances(ledger, ALICE)
        assert caught.value.reason is FailureReason.WRONG_CHAIN

    async def test_comes_from_the_host_that_is_further(
        self, http: Http, clock: HandClock, coins: made.BitcoinChain
    ) -> None:
        async with served(coins) as behind, served(coins, host=OTHER) as ahead:
            behind.lag = 2
            ledger = chain(http, clock, behind, ahead)
            assert sorted(tip.number for tip in await ledger.tips()) == [coins.tip.height - 2, coins.tip.height]
            assert (await ledger.head()).number == coins.tip.height

    async def test_of_a_lagging_host_is_never_lower_than_before(
        self, http: Http, clock: HandClock, coins: made.BitcoinChain
    ) -> None:
        async with served(coins) as server:
            ledger = chain(http, clock, server)
            await ledger.head()
            server.lag = 1
            with pytest.raises(RemoteError, match="went back") as caught:
                await ledger.head()
        assert caught.value.reason is FailureReason.LAG

    async def test_at_the_same_height_shows_a_reorg_by_its_hash(
        self, http: Http, clock: HandClock, coins: made.BitcoinChain
    ) -> None:
        async with served(coins) as server:
            ledger = chain(http, clock, server)
            before = await ledger.head()
            coins.reorg(2, blocks=2)
            after = await ledger.head()
            assert (after.number, await ledger.block(before.number)) == (before.number, after)
            assert after.hash != before.hash


class TestBalances:
    async def test_are_what_was_confirmed(self, http: Http, clock: HandClock, coins: made.BitcoinChain) -> None:
        async with served(coins) as server:
            ledger = chain(http, clock, server)
            coins.pay([ALICE], [made.to(CAROL, BTC)])
            assert await balances(ledger, ALICE, BOB, CAROL) == {ALICE: 10 * BTC, BOB: 5 * BTC, CAROL: 0}
            coins.mine()
            assert await balances(ledger, ALICE, CAROL) == {ALICE: 9 * BTC - made.FEE, CAROL: BTC}

    async def test_of_many_are_read_in_rounds(self, http: Http, clock: HandClock, coins: made.BitcoinChain) -> None:
        many = [segwit(f"wallet {number}") for number in range(ADDRESSES_A_LOOK + 10)]
        async with served(coins) as server:
            ledger = chain(http, clock, server)
            assert list(await balances(ledger, *many)) == many[:ADDRESSES_A_LOOK]
            assert list(await balances(ledger, *many)) == many

    async def test_are_read_once_and_then_kept_up_by_the_blocks(
        self, http: Http, clock: HandClock, coins: made.BitcoinChain
    ) -> None:
        many = [ALICE, BOB, CAROL, *(segwit(f"wallet {number}") for number in range(ADDRESSES_A_LOOK))]
        async with served(coins) as server:
            ledger = chain(http, clock, server)
            await balances(ledger, *many)
            coins.pay([ALICE], [made.to(CAROL, BTC)])
            coins.mine()
            told = await balances(ledger, *many)
            asked = [each for each in server.door.asked if "/address/" in each.path]
            assert len(asked) == len(told) == len(many)
            assert (told[ALICE], told[CAROL]) == (9 * BTC - made.FEE, BTC)

            coins.pay([BOB], [made.to(CAROL, BTC)])
            coins.mine()
            assert (await balances(ledger, *many))[BOB] == 4 * BTC - made.FEE
            assert len([each for each in server.door.asked if "/address/" in each.path]) == len(many)

    async def test_kept_up_follow_a_reorg(self, http: Http, clock: HandClock, coins: made.BitcoinChain) -> None:
        async with served(coins) as server:
            ledger = chain(http, clock, server)
            await balances(ledger, ALICE, CAROL)
            coins.pay([ALICE], [made.to(CAROL, BTC)])
            coins.mine()
            assert (await balances(ledger, ALICE, CAROL))[CAROL] == BTC
            coins.reorg(1)
            assert await balances(ledger, ALICE, CAROL) == {ALICE: 10 * BTC, CAROL: 0}

    async def test_a_block_is_read_once_for_balances_and_movements(
        self, http: Http, clock: HandClock, coins: made.BitcoinChain
    ) -> None:
        async with served(coins) as server:
            ledger = chain(http, clock, server)
            ledger.watch([ALICE, BOB])
            after = await ledger.head()
            await balances(ledger, ALICE, BOB)
            coins.pay([ALICE], [made.to(CAROL, BTC)])
            coins.mine()
            moves = await ledger.movements([ALICE, BOB], after=after, upto=await ledger.head())
            assert len(moves.moves) == 1
            assert (await balances(ledger, ALICE))[ALICE] == 9 * BTC - made.FEE
            assert len([each for each in server.door.asked if "/txs/" in each.path]) == 1

    async def test_miss_one_whose_history_is_too_large(
        self, http: Http, clock: HandClock, coins: made.BitcoinChain
    ) -> None:
        for _ in range(3):
            coins.fund(BOB, 1)
        coins.mine()
        async with served(coins) as server:
            server.largest_history = 2
            assert await balances(chain(http, clock, server), BOB, ALICE) == {ALICE: 10 * BTC}
            with pytest.raises(RemoteError, match="none of 1 was answered"):
                await balances(chain(http, clock, server), BOB)

    async def test_come_from_another_host_where_one_limits_us(
        self, http: Http, clock: HandClock, coins: made.BitcoinChain
    ) -> None:
        async with served(coins) as limiting, served(coins, host=OTHER) as other:
            limiting.door.fail(TOO_MANY_REQUESTS, when=asks_for("/address/"))
            ledger = chain(http, clock, limiting, other)
            snapshot = await ledger.balances([Holding(ALICE, ledger.coin)])
            assert (snapshot.endpoint, list(snapshot.amounts.values())) == (OTHER, [10 * BTC])

            with pytest.raises(RemoteError) as caught:
                await ledger.second([Holding(ALICE, ledger.coin)], first=snapshot)
            assert caught.value.reason is FailureReason.RATE_LIMITED

    async def test_are_read_again_when_a_block_comes_between(
        self, http: Http, clock: HandClock, coins: made.BitcoinChain
    ) -> None:
        coins.pay([ALICE], [made.to(BOB, BTC)])

        def finds_a_block(asked: Asked) -> bool:
            if asked.path.endswith(BOB) and coins.mempool:
                coins.mine()
            return False

        async with served(coins) as server:
            server.door.fail(UNAVAILABLE, when=finds_a_block)
            assert await balances(chain(http, clock, server), ALICE, BOB) == {ALICE: 9 * BTC - made.FEE, BOB: 6 * BTC}

    async def test_are_told_though_a_block_comes_while_they_are_read(
        self, http: Http, clock: HandClock, coins: made.BitcoinChain
    ) -> None:
        def finds_a_block(asked: Asked) -> bool:
            if asked.path.endswith(ALICE):
                coins.mine()
            return False

        async with served(coins) as server:
            server.door.fail(UNAVAILABLE, when=finds_a_block)
            assert await balances(chain(http, clock, server), ALICE) == {ALICE: 10 * BTC}

    async def test_of_a_second_host_show_a_lie(self, http: Http, clock: HandClock, coins: made.BitcoinChain) -> None:
        async with served(coins) as honest, served(coins, host=OTHER) as lying:
            lying.lies = {ALICE: -3 * BTC}
            ledger = chain(http, clock, honest, lying)
            holding = Holding(ALICE, ledger.coin)
            first = await ledger.balances([holding])
            second = await ledger.second([holding], first=first)
            assert (first.amounts, second.amounts) == ({holding: 10 * BTC}, {holding: 7 * BTC})
            assert (second.endpoint, second.head) == (OTHER, first.head)


class TestMovements:
    async def test_are_net_with_change_and_fee(self, http: Http, clock: HandClock, coins: made.BitcoinChain) -> None:
        async with served(coins) as server:
            ledger = chain(http, clock, server)
            before = await ledger.head()
            paid = coins.pay([ALICE], [made.to(CAROL, BTC), made.note("for you"), made.bare_key(2 * BTC)], change=BOB)
            coins.mine()

            (move,) = await moved(ledger, ALICE, BOB, after=before)

        assert (move.transaction, move.block.hash, move.senders, move.fee) == (paid, coins.tip.hash, (ALICE,), made.FEE)
        assert move.changes == {ALICE: -10 * BTC, BOB: 7 * BTC - made.FEE}
        assert move.payments == ((CAROL, BTC), ("", 2 * BTC))

    async def test_of_a_block_of_many_pages_are_all_there(
        self, http: Http, clock: HandClock, coins: made.BitcoinChain
    ) -> None:
        async with served(coins) as server:
            ledger = chain(http, clock, server)
            before = await ledger.head()
            for number in range(2 * PAGE):
                coins.pay([ALICE if number % 20 == 0 else made.FOUNTAIN], [made.to(CAROL, 1_000 + number)])
            coins.mine()

            moves = await moved(ledger, ALICE, after=before)
            assert [move.payments for move in moves] == [((CAROL, 1_000 + number),) for number in (0, 20, 40)]
            asked = server.door.requests.total()
            assert await moved(ledger, ALICE, after=before) == moves
            pages = [path for path in server.door.requests if "/txs" in path]
            assert len(pages) == 3
            assert server.door.requests.total() == asked + 2  # for the head alone

    async def test_go_on_where_they_were_cut_off(self, http: Http, clock: HandClock, coins: made.BitcoinChain) -> None:
        async with served(coins) as server:
            ledger = chain(http, clock, server)
            before = await ledger.head()
            for number in range(2 * PAGE):
                coins.pay([ALICE], [made.to(CAROL, 1_000 + number)])
            coins.mine()
            server.door.fail(UNAVAILABLE, times=1, when=asks_for(f"/txs/{PAGE}"))
            with pytest.raises(RemoteError) as caught:
                await moved(ledger, ALICE, after=before)
            assert caught.value.reason is FailureReason.HTTP_5XX

            assert len(await moved(ledger, ALICE, after=before)) == 2 * PAGE
            assert server.door.requests[f"/block/{coins.tip.hash}/txs/0"] == 1

    async def test_of_blocks_that_are_gone_are_not_told(
        self, http: Http, clock: HandClock, coins: made.BitcoinChain
    ) -> None:
        async with served(coins) as server:
            ledger = chain(http, clock, server)
            before = await ledger.head()
            coins.pay([ALICE], [made.to(CAROL, BTC)])
            coins.mine()
            gone = await ledger.head()
            assert len(await moved(ledger, ALICE, after=before)) == 1
            coins.reorg(1)

            assert await moved(ledger, ALICE, after=before) == ()
            with pytest.raises(RemoteError) as caught:
                await chain(http, clock, server).movements([ALICE], after=before, upto=gone)
            assert caught.value.reason is FailureReason.LAG

    async def test_of_what_is_no_address_are_not_covered(
        self, http: Http, clock: HandClock, coins: made.BitcoinChain
    ) -> None:
        async with served(coins) as server:
            ledger = chain(http, clock, server)
            before = await ledger.head()
            coins.mine()
            told = await ledger.movements(
                [ALICE, "3P9KR33QyXwfTXv8kKtNGZYtgKk3RXSUk36"], after=before, upto=await ledger.head()
            )
        assert told.coverage == 0.5


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        pytest.param("/blocks/tip/hash", "<html>", FailureReason.SCHEMA, id="a page in place of a hash"),
        pytest.param("/block/0000", "{}", FailureReason.SCHEMA, id="a block without anything"),
        pytest.param(
            "/block/0000",
            '{"id": "%s", "height": 900006, "timestamp": 1, "tx_count": 3}' % ("ab" * 32),
            FailureReason.SHAPE,
            id="another block",
        ),
        pytest.param(
            "/block/0000",
            '{"id": "%s", "height": 900006, "timestamp": 99999999999999999, "tx_count": 3}' % ("ab" * 32),
            FailureReason.SCHEMA,
            id="a time after all times",
        ),
        pytest.param(
            "/block-height/900006", "%s" % ("0" * 19 + "1" * 45), FailureReason.LAG, id="a height without a block"
        ),
        pytest.param("/txs/0", "[]", FailureReason.SHAPE, id="a block that ends too early"),
        pytest.param(
            "/txs/0",
            '[{"txid": "a", "fee": 0, "vout": [], "vin": [{"is_coinbase": false, "prevout": null}]}]',
            FailureReason.SCHEMA,
            id="an input from nowhere",
        ),
        pytest.param(
            "/address/",
            '{"chain_stats": {"funded_txo_sum": 5, "spent_txo_sum": 6}}',
            FailureReason.SCHEMA,
            id="more spent than received",
        ),
        pytest.param("/address/", '{"chain_stats": {"funded_txo_sum": null}}', FailureReason.SCHEMA, id="no sums"),
    ],
)
async def test_nonsense_is_not_an_answer(
    http: Http, clock: HandClock, coins: made.BitcoinChain, path: str, body: str, reason: FailureReason
) -> None:
    async with served(coins) as server:
        ledger = chain(http, clock, server)
        before = await ledger.head()
        coins.mine()
        server.door.fail(as_text(body), when=asks_for(path))
        with pytest.raises(RemoteError) as caught:
            await everything(ledger, after=before)
    assert caught.value.reason is reason
