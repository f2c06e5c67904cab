"""Outgoing transactions and balances of an exchange's wallets, read from a real node."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from aiohttp import web

from monitor.chains.evm import EvmChain
from monitor.chains.jsonrpc import Endpoint
from monitor.chains.ledger import Token
from monitor.clock import Clock
from monitor.http import Http
from monitor.model import FailureReason, Reading, RemoteError, ReserveBalance, WalletActivity
from monitor.probes.reserves import ReservesProbe
from monitor.probes.wallets import WalletsProbe
from tests.anvil import ETHER, Anvil, anvil, calldata
from tests.relay import Message, relay_to
from tests.wallets import known

STRANGER = "0x" + "ee" * 20
ETH = Token(asset="ETH")
USDT = Token(asset="USDT", contract="0x" + "a1" * 20, decimals=6)
BLOCK_SECONDS = 12


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    async with Http(Clock(), per_second={"127.0.0.1": 10_000.0}) as opened:
        yield opened


@pytest.fixture
async def node() -> AsyncIterator[Anvil]:
    async with anvil() as running:
        await running.pace(1)
        yield running


def chain(http: Http, *endpoints: Endpoint, clock: Clock | None = None) -> EvmChain:
    return EvmChain(http, clock or Clock(), network="ethereum", chain_id=1, endpoints=endpoints)


def wallets(chain: EvmChain, addresses: list[str], *, since: datetime | None = None) -> WalletsProbe:
    return WalletsProbe(
        chain, Clock(), exchange="kraken", name="kraken-ethereum", interval=60.0, wallets=known(addresses), since=since
    )


def activity(reading: Reading) -> WalletActivity:
    match reading:
        case (WalletActivity() as found,):
            return found
    pytest.fail(f"expected one wallet_activity, got {reading}")


class TestObserve:
    async def test_counts_what_was_sent_since_the_last_reading(self, http: Http, node: Anvil) -> None:
        alice, bob, carol = (await node.accounts())[:3]
        probe = wallets(chain(http, node.endpoint), [alice, bob, carol])
        assert await probe.observe() == ()
        started = await node.time()
        for sender in (alice, alice, bob):
            await node.pay(sender)

        read = activity(await probe.observe())

        newest = await node.time()
        assert (read.exchange, read.probe, read.network, read.wallet) == ("kraken", "kraken-ethereum", "ethereum", None)
        assert read.outgoing == 3
        assert read.last_at == newest
        assert read.window_seconds == (newest - started).total_seconds()
        assert read.coverage == 1.0
        assert read.head_age_seconds is not None
        assert read.head_age_seconds == max(0.0, (read.at - newest).total_seconds())

    async def test_gives_nothing_without_a_new_block(self, http: Http, node: Anvil) -> None:
        alice = (await node.accounts())[0]
        probe = wallets(chain(http, node.endpoint), [alice])
        await probe.observe()
        await node.pay(alice)
        assert activity(await probe.observe()).outgoing == 1

        assert await probe.observe() == ()
        await node.mine()
        assert activity(await probe.observe()).outgoing == 0

    async def test_gives_nothing_while_the_chains_time_stands(self, http: Http, node: Anvil) -> None:
        alice = (await node.accounts())[0]
        probe = wallets(chain(http, node.endpoint), [alice])
        await probe.observe()
        await node.pace(0)
        await node.pay(alice)

        assert await probe.observe() == ()
        await node.pace(1)
        await node.mine()
        assert activity(await probe.observe()).outgoing == 1

    async def test_keeps_the_newest_time_through_silence(self, http: Http, node: Anvil) -> None:
        alice = (await node.accounts())[0]
        probe = wallets(chain(http, node.endpoint), [alice])
        await probe.observe()
        await node.pay(alice)
        sent = activity(await probe.observe()).last_at
        await node.mine(3)

        read = activity(await probe.observe())

        assert sent is not None
        assert (read.outgoing, read.last_at) == (0, sent)

    async def test_makes_good_for_a_failed_reading(self, http: Http, node: Anvil) -> None:
        alice = (await node.accounts())[0]
        async with relay_to(node.url) as door:
            probe = wallets(chain(http, door.endpoint), [alice])
            await probe.observe()
            started = await node.time()
            await node.pay(alice)
            door.refuse = lambda _: web.Response(status=502)
            with pytest.raises(RemoteError):
                await probe.observe()
            door.refuse = lambda _: None
            await node.pay(alice)

            read = activity(await probe.observe())

            assert read.outgoing == 2
            assert read.window_seconds == (await node.time() - started).total_seconds()

    async def test_with_an_old_head_is_a_lag(self, http: Http, node: Anvil) -> None:
        later = Clock(start=datetime.now(UTC) + timedelta(seconds=100))
        probe = wallets(chain(http, node.endpoint, clock=later), [STRANGER])

        with pytest.raises(RemoteError) as caught:
            await probe.observe()
        assert caught.value.reason is FailureReason.LAG

    async def test_shows_who_sends(self, http: Http, node: Anvil) -> None:
        alice, bob = (await node.accounts())[:2]
        ours = known([alice, bob])
        probe = WalletsProbe(
            chain(http, node.endpoint),
            Clock(),
            exchange="kraken",
            name="kraken-ethereum",
            interval=60.0,
            wallets=ours,
            since=None,
        )
        await probe.observe()
        await node.pay(bob)
        await probe.observe()

        now = await node.time()
        assert ours.verdict(bob, now).why == "1 sent ever"
        assert ours.verdict(alice, now).why == "0 sent ever"


class TestCoverage:
    async def read_without(
        self, http: Http, node: Anvil, *unread: str, addresses: list[str], sender: str = ""
    ) -> WalletActivity:
        """The second reading, in which the node refuses to answer for `unread`."""
        async with relay_to(node.url) as door:
            probe = wallets(chain(http, door.endpoint), addresses)
            await probe.observe()
            await node.pay(sender or addresses[0])
            forward = door.answer

            async def refusing(call: Message) -> Message:
                match call:
                    case {"method": "eth_getTransactionCount", "params": [address, _]} if address in unread:
                        return {"jsonrpc": "2.0", "id": call["id"], "error": {"code": -32000, "message": "busy"}}
                return await forward(call)

            door.answer = refusing
            return activity(await probe.observe())

    async def test_is_the_share_of_addresses_that_ever_sent(self, http: Http, node: Anvil) -> None:
        alice, bob, carol = (await node.accounts())[:3]
        for sender in (alice, bob):
            await node.pay(sender)

        read = await self.read_without(http, node, bob, carol, addresses=[alice, bob, carol])

        assert read.outgoing == 1
        assert read.coverage == 0.5

    async def test_does_not_suffer_from_an_address_that_never_sent(self, http: Http, node: Anvil) -> None:
        alice, bob = (await node.accounts())[:2]

        read = await self.read_without(http, node, bob, addresses=[alice, bob])

        assert (read.outgoing, read.coverage) == (1, 1.0)

    async def test_counts_addresses_while_none_ever_sent(self, http: Http, node: Anvil) -> None:
        alice, *others = (await node.accounts())[:4]

        read = await self.read_without(http, node, others[0], addresses=[STRANGER, *others], sender=alice)

        assert (read.outgoing, read.coverage) == (0, 0.75)


@pytest.fixture
async def old_node() -> AsyncIterator[Anvil]:
    """A chain whose blocks come every 12 s up to now. Alice sent in blocks 21, 110 and 142, Bob in 152, of 160."""
    async with anvil(genesis=datetime.now(UTC) - timedelta(seconds=160 * BLOCK_SECONDS)) as node:
        await node.pace(BLOCK_SECONDS)
        alice, bob = (await node.accounts())[:2]
        for sender, height in ((alice, 21), (alice, 110), (alice, 142), (bob, 152)):
            await node.mine_to(height - 1)
            await node.pay(sender)
        await node.mine_to(160)
        yield node


class TestHistory:
    async def test_at_a_first_start_holds_the_last_128_blocks(self, http: Http, old_node: Anvil) -> None:
        alice, bob, carol = (await old_node.accounts())[:3]
        probe = wallets(chain(http, old_node.endpoint), [alice, bob, carol])

        readings = [activity(reading) for reading in await probe.history()]

        heights = [96, 128, 144, 152, 156, 160]
        assert [read.at for read in readings] == [await old_node.time(height) for height in heights]
        assert [read.outgoing for read in readings] == [0, 1, 1, 1, 0, 0]
        assert [read.window_seconds for read in readings] == [
            BLOCK_SECONDS * (after - before) for before, after in zip([33, *heights], heights, strict=False)
        ]
        assert readings[-1].last_at == await old_node.time(152)
        assert {read.coverage for read in readings} == {1.0}

    async def test_is_followed_by_readings_that_miss_nothing(self, http: Http, old_node: Anvil) -> None:
        alice = (await old_node.accounts())[0]
        probe = wallets(chain(http, old_node.endpoint), [alice])
        await probe.history()
        assert await probe.observe() == ()
        await old_node.pay(alice)

        read = activity(await probe.observe())

        assert read.outgoing == 1
        assert read.window_seconds == (await old_node.time() - await old_node.time(160)).total_seconds()

    async def test_after_a_restart_is_one_reading_over_the_gap(self, http: Http, old_node: Anvil) -> None:
        accounts = (await old_node.accounts())[:3]
        left_off = await old_node.time(141) + timedelta(seconds=5)
        probe = wallets(chain(http, old_node.endpoint), accounts, since=left_off)

        (reading,) = await probe.history()

        read = activity(reading)
        assert read.at == await old_node.time(160)
        assert read.outgoing == 2
        assert read.window_seconds == BLOCK_SECONDS * 19

    async def test_after_a_long_stop_reaches_back_128_blocks(self, http: Http, old_node: Anvil) -> None:
        accounts = (await old_node.accounts())[:3]
        probe = wallets(chain(http, old_node.endpoint), accounts, since=datetime.now(UTC) - timedelta(days=3))

        (reading,) = await probe.history()

        assert activity(reading).outgoing == 3
        assert activity(reading).window_seconds == BLOCK_SECONDS * 127

    async def test_is_empty_where_no_block_came_since(self, http: Http, old_node: Anvil) -> None:
        accounts = (await old_node.accounts())[:3]
        probe = wallets(chain(http, old_node.endpoint), accounts, since=await old_node.time(160))

        assert await probe.history() == []
        assert await probe.observe() == ()

    async def test_that_failed_is_made_good_by_the_first_reading(self, http: Http, old_node: Anvil) -> None:
        alice, bob = (await old_node.accounts())[:2]
        async with relay_to(old_node.url) as door:
            door.refuse = lambda _: web.Response(status=502)
            probe = wallets(chain(http, door.endpoint), [alice, bob], since=await old_node.time(130))
            with pytest.raises(RemoteError):
                await probe.history()
            door.refuse = lambda _: None

            assert activity(await probe.observe()).outgoing == 2

    async def test_is_as_long_as_the_node_remembers(self, http: Http, old_node: Anvil) -> None:
        alice, bob = (await old_node.accounts())[:2]
        async with relay_to(old_node.url) as door:
            forward = door.answer

            async def forgetful(call: Message) -> Message:
                match call:
                    case {"method": "eth_getTransactionCount", "params": [_, str() as block]} if int(block, 16) < 140:
                        error = {"code": -32000, "message": "missing trie node"}
                        return {"jsonrpc": "2.0", "id": call["id"], "error": error}
                return await forward(call)

            door.answer = forgetful
            probe = wallets(chain(http, door.endpoint), [alice, bob])

            readings = [activity(reading) for reading in await probe.history()]

            assert [read.outgoing for read in readings] == [1, 0, 0]
            assert sum(read.window_seconds for read in readings) == BLOCK_SECONDS * 16

    async def test_asks_in_between_only_for_addresses_that_moved(self, http: Http, old_node: Anvil) -> None:
        accounts = (await old_node.accounts())[:2]
        idle = [f"0x{number:040x}" for number in range(1, 99)]
        async with relay_to(old_node.url) as door:
            await wallets(chain(http, door.endpoint), [*accounts, *idle]).history()

            assert sum(door.sizes) < 2 * 100 + 30


class TestReserves:
    def probe(self, chain: EvmChain, addresses: list[str]) -> ReservesProbe:
        return ReservesProbe(
            chain, Clock(), exchange="kraken", name="kraken-reserves", wallets=known(addresses), tokens=[ETH, USDT]
        )

    async def holders(self, node: Anvil) -> list[str]:
        """Three accounts that hold 2.000001 USDT each, and coins."""
        accounts = (await node.accounts())[:3]
        await node.put_token(USDT.contract or "")
        for account in accounts:
            await node.mint(USDT.contract or "", account, 2_000_001, sender=accounts[0])
        return accounts

    async def test_are_totals_of_one_block_in_whole_coins(self, http: Http, node: Anvil) -> None:
        await node.put_multicall()
        holders = await self.holders(node)

        reading = await self.probe(chain(http, node.endpoint), holders).observe()

        height = await node.height()
        coins = sum([await node.number("eth_getBalance", holder, hex(height)) for holder in holders])
        totals = [total for total in reading if isinstance(total, ReserveBalance)]
        assert [(total.asset, total.amount) for total in totals] == [
            ("ETH", Decimal(coins) / ETHER),
            ("USDT", Decimal("6.000003")),
        ]
        assert {(total.height, total.wallets, total.wallets_read, total.network) for total in totals} == {
            (height, 3, 3, "ethereum")
        }

    async def test_say_how_many_wallets_they_are_of(self, http: Http, node: Anvil) -> None:
        holders = await self.holders(node)
        async with relay_to(node.url) as door:
            door.spoil = lambda answers: answers[:-1] if len(answers) > 2 else answers

            reading = await self.probe(chain(http, door.endpoint), holders).observe()

        totals = [total for total in reading if isinstance(total, ReserveBalance)]
        assert [(total.asset, total.wallets, total.wallets_read) for total in totals] == [
            ("ETH", 3, 3),
            ("USDT", 3, 2),
        ]
        assert totals[1].amount == Decimal("4.000002")

    async def test_of_an_asset_that_cannot_be_read_are_not_given(self, http: Http, node: Anvil) -> None:
        await node.put_multicall()
        holders = await self.holders(node)
        await node.send(holders[0], USDT.contract or "", value=0, data=calldata("pause(bool)", 1))

        reading = await self.probe(chain(http, node.endpoint), holders).observe()

        assert [total.asset for total in reading if isinstance(total, ReserveBalance)] == ["ETH"]

    async def test_of_nothing_at_all_are_a_failure(self, http: Http, node: Anvil) -> None:
        async with relay_to(node.url) as door:
            door.spoil = lambda answers: answers if {"0x1"} & {str(a.get("result")) for a in answers} else answers[:0]
            ours = chain(http, door.endpoint)

            with pytest.raises(RemoteError):
                await self.probe(ours, [STRANGER, "0x" + "dd" * 20]).observe()

    async def test_of_more_digits_than_decimal_keeps_are_exact(self, http: Http, node: Anvil) -> None:
        holders = (await node.accounts())[:1]
        await node.put_multicall()
        await node.rpc("anvil_setBalance", holders[0], hex(10**40 + 1))
        await node.mine()

        reading = await self.probe(chain(http, node.endpoint), holders).observe()

        (total,) = [total for total in reading if isinstance(total, ReserveBalance)]
        assert str(total.amount) == "10000000000000000000000.000000000000000001"
