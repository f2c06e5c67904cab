"""`Electrum` against a real server on a real node, and against servers that answer as they should not."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from monitor.chains.bitcoin import BitcoinChain
from monitor.chains.bitcoin_core import BitcoinCore
from monitor.chains.electrum import Electrum
from monitor.chains.electrum_door import Door, Server
from monitor.chains.electrum_lines import LARGEST_LINE, MOST_UNASKED, Call, Lines
from monitor.chains.electrum_wire import Unread, Wire
from monitor.chains.ledger import Holding
from monitor.chains.script import ENCODINGS, address_of, script_of, scripthash
from monitor.chains.utxo import Touching
from monitor.clock import Clock
from monitor.http import Http
from monitor.http.names import Names
from monitor.model import FailureReason, RemoteError
from tests.certificates import Authority
from tests.electrum_relay import (
    Answers,
    ElectrumRelay,
    Spoil,
    Spoken,
    line,
    notification,
    refusing,
    relay,
    relay_to,
    scripted,
    truly,
)
from tests.electrum_server import ElectrumServer, electrum_server
from tests.fault_server import black_hole
from tests.hand_clock import NOON, HandClock
from tests.litecoin import COIN, GENESIS, REGTEST, Litecoin, litecoin
from tests.name_server import name_server
from tests.raw_transactions import WITNESS, raw_transaction

BITCOIN = ENCODINGS["bitcoin"]
BALANCE = "blockchain.scripthash.get_balance"
IMPATIENT_SECONDS = 0.5

OWN = [address_of(b"\x00\x14" + bytes([number]) * 20, BITCOIN) for number in (1, 2, 3)]
AMOUNTS = {address: 1_000 * number for number, address in enumerate(OWN, start=1)}
SCRIPTS = {scripthash(script_of(address, BITCOIN)): amount for address, amount in AMOUNTS.items()}


@pytest.fixture
async def opened() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
async def names() -> AsyncIterator[Names]:
    names = Names(HandClock())
    yield names
    await names.close()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


Connect = Callable[[Server], Awaitable[Wire]]


@pytest.fixture
def connect(opened: AsyncExitStack, names: Names, clock: HandClock) -> Connect:
    async def to(server: Server) -> Wire:
        return await opened.enter_async_context(Wire(Door(names, server), clock))

    return to


@pytest.fixture
def connect_impatiently(opened: AsyncExitStack, names: Names, clock: HandClock) -> Connect:
    async def to(server: Server) -> Wire:
        return await opened.enter_async_context(Wire(Door(names, server), clock, timeout=IMPATIENT_SECONDS))

    return to


@pytest.fixture
async def node() -> AsyncIterator[Litecoin]:
    async with litecoin() as running:
        yield running


@pytest.fixture
async def server(node: Litecoin) -> AsyncIterator[ElectrumServer]:
    async with electrum_server(node) as running:
        yield running


@pytest.fixture
async def between(server: ElectrumServer) -> AsyncIterator[ElectrumRelay]:
    async with relay(relay_to(server.port)) as running:
        yield running


@pytest.fixture
async def electrum(between: ElectrumRelay, connect: Connect) -> Electrum:
    """Of the real server, by way of the relay."""
    return Electrum(await connect(between.server()), encoding=REGTEST)


@pytest.fixture
async def amiss() -> AsyncIterator[ElectrumRelay]:
    async with relay(scripted(SCRIPTS, at=NOON), host="127.0.0.2") as running:
        yield running


@pytest.fixture
async def sound() -> AsyncIterator[ElectrumRelay]:
    async with relay(scripted(SCRIPTS, at=NOON), host="127.0.0.3") as running:
        yield running


async def mined(node: Litecoin, server: ElectrumServer, *, to: str | None = None) -> int:
    """The height of a new block that the server knows."""
    await node.mine(to=to)
    await server.follow()
    return await node.height()


async def touching(electrum: Electrum, *numbers: int, of: list[str]) -> Touching:
    return await electrum.transactions([await electrum.block(number) for number in numbers], of=of)


class TestBlocks:
    async def test_the_head_is_the_newest_block(
        self, electrum: Electrum, node: Litecoin, server: ElectrumServer
    ) -> None:
        height = await mined(node, server)

        head = await electrum.head()

        assert (head.number, head.hash) == (height, await node.hash(height))
        assert head.timestamp.timestamp() == await node.time(height)
        assert await electrum.block(height) == head

    async def test_block_0_tells_the_chain(self, electrum: Electrum) -> None:
        assert (await electrum.block(0)).hash == GENESIS

    async def test_one_that_is_not_there_is_not_read(self, electrum: Electrum) -> None:
        with pytest.raises(RemoteError, match="height 5,000 out of range") as caught:
            await electrum.block(5000)
        assert caught.value.reason is FailureReason.LAG

    async def test_a_merge_mined_header_is_hashed_without_its_proof(self, connect: Connect) -> None:
        with_proof = {"height": 9, "hex": "00" * 68 + "01000000" + "00" * 8 + "ff" * 500}
        async with relay(scripted({}, at=NOON)) as running:
            running.spoilt = "blockchain.headers.subscribe"
            running.spoil = lambda answers: truly([{**answers[0], "result": with_proof}, *answers[1:]])
            electrum = Electrum(await connect(running.server()), encoding=ENCODINGS["dogecoin"])

            head = await electrum.head()

            running.spoil = lambda answers: truly(
                [{**answers[0], "result": {"height": 9, "hex": with_proof["hex"][:160]}}, *answers[1:]]  # type: ignore[index]
            )
            assert head == await electrum.head()
            assert head.timestamp.timestamp() == 1

    async def test_the_server_holds_no_small_answer_back(self, electrum: Electrum, between: ElectrumRelay) -> None:
        """It would, for a second, were they smaller than 1 KiB."""
        sizes: list[int] = []

        def measure(answers: Answers) -> Spoken:
            sizes.append(len(line(answers)))
            return truly(answers)

        between.spoilt, between.spoil = "", measure
        await electrum.head()
        await electrum.head()
        await electrum.block(1)

        assert len(sizes) == 4
        assert min(sizes[1:]) > 1024


class TestBalances:
    async def test_of_200_addresses_take_one_round_trip(
        self, electrum: Electrum, node: Litecoin, server: ElectrumServer, between: ElectrumRelay
    ) -> None:
        paid = {await node.address(): round(0.001 * number, 3) for number in range(1, 101)}
        addresses = [*paid, *[await node.address() for _ in range(100)]]
        await node.pay_many(paid)
        await mined(node, server)
        await electrum.head()
        before = len(between.batches)

        balances = await electrum.balances(addresses)

        assert between.batches[before:] == [[BALANCE] * 200]
        assert balances == {address: round(paid.get(address, 0) * COIN) for address in addresses}

    async def test_hold_what_is_in_blocks_alone(
        self, electrum: Electrum, node: Litecoin, server: ElectrumServer
    ) -> None:
        addresses = [await node.address(kind) for kind in ("legacy", "p2sh-segwit", "bech32")]
        await node.pay_many(dict.fromkeys(addresses, 1.5))
        assert await electrum.balances(addresses) == dict.fromkeys(addresses, 0)

        await mined(node, server)

        assert await electrum.balances(addresses) == dict.fromkeys(addresses, 150_000_000)

    async def test_of_no_address_are_none(self, amiss: ElectrumRelay, connect: Connect) -> None:
        electrum = Electrum(await connect(amiss.server()), encoding=BITCOIN)
        assert await electrum.balances([]) == {}
        assert amiss.batches == []

    async def test_what_is_no_address_here_is_unread(self, amiss: ElectrumRelay, connect: Connect) -> None:
        electrum = Electrum(await connect(amiss.server()), encoding=BITCOIN)
        assert await electrum.balances([OWN[0], "bc1nonsense"]) == {OWN[0]: 1_000}

    async def test_of_one_history_that_is_too_large_leave_the_others(
        self, amiss: ElectrumRelay, connect: Connect
    ) -> None:
        amiss.spoil = refusing(1, "history too large", of=[1])
        electrum = Electrum(await connect(amiss.server()), encoding=BITCOIN)
        assert await electrum.balances(OWN) == {OWN[0]: 1_000, OWN[2]: 3_000}


class TestTransactions:
    async def test_are_those_that_a_node_tells(
        self, electrum: Electrum, node: Litecoin, server: ElectrumServer
    ) -> None:
        own = [await node.address(kind) for kind in ("legacy", "p2sh-segwit", "bech32")]
        first = await node.height() + 1
        paid = await node.pay_many(dict.fromkeys(own, 2.0))
        await mined(node, server)
        sources = [(paid, await node.output_to(paid, address)) for address in own[:2]]
        stranger = await node.address()
        await node.spend(sources, {stranger: 1, own[2]: 2.999})  # type: ignore[dict-item]
        await node.pay(own[0], 0.25)
        await mined(node, server, to=own[1])
        await mined(node, server)
        blocks = [await electrum.block(number) for number in range(first, first + 3)]

        told = await electrum.transactions(blocks, of=own)

        async with Http(Clock(), per_second={"127.0.0.1": 10_000.0}) as http:
            core = await BitcoinCore(http, node.endpoint, encoding=REGTEST).transactions(blocks, of=own)
        assert told.unread == core.unread == frozenset()
        assert {number: {each.id: each for each in found} for number, found in told.transactions.items()} == {
            number: {each.id: each for each in found} for number, found in core.transactions.items() if found
        }
        assert [len(told.transactions.get(block.number, [])) for block in blocks] == [1, 3, 0]

    async def test_of_histories_that_did_not_change_are_not_read_again(
        self, electrum: Electrum, node: Litecoin, server: ElectrumServer, between: ElectrumRelay
    ) -> None:
        own = [await node.address() for _ in range(3)]
        await node.pay_many(dict.fromkeys(own, 1.0))
        height = await mined(node, server)
        first = await touching(electrum, height, of=own)
        await mined(node, server, to=own[1])
        before = len(between.batches)

        second = await touching(electrum, height, height + 1, of=own)

        assert second.transactions[height] == first.transactions[height]
        assert len(second.transactions[height + 1]) == 1
        read = [batch for batch in between.batches[before:] if "blockchain.scripthash.get_history" in batch]
        assert [batch.count("blockchain.scripthash.get_history") for batch in read] == [1]

    async def test_after_a_reorg_are_those_of_the_other_branch(
        self, electrum: Electrum, node: Litecoin, server: ElectrumServer
    ) -> None:
        own, miner = await node.address(), await node.address()
        await node.pay(own, 3.0)
        height = await mined(node, server)
        gone = await electrum.block(height)
        (once,) = (await electrum.transactions([gone], of=[own])).transactions[height]

        await node.take_back(height)
        await node.rpc("generateblock", miner, [])
        await mined(node, server)

        there = await touching(electrum, height, height + 1, of=[own])
        assert (await electrum.block(height)).hash != gone.hash
        assert there.transactions == {height + 1: [once]}
        assert await electrum.balances([own]) == {own: 300_000_000}

    async def test_are_asked_of_a_chain_only_while_it_has_the_blocks(
        self, electrum: Electrum, node: Litecoin, server: ElectrumServer
    ) -> None:
        after = await electrum.head()
        await mined(node, server)
        upto = await electrum.head()
        await node.take_back(upto.number)
        await node.rpc("generateblock", await node.address(), [])
        await mined(node, server)
        chain = BitcoinChain(Clock(), network="litecoin", endpoints=[electrum], genesis=GENESIS)

        with pytest.raises(RemoteError) as caught:
            await chain.movements([await node.address()], after=after, upto=upto)

        assert caught.value.reason is FailureReason.LAG

    async def test_of_blocks_that_it_has_not_announced_are_not_read(
        self, amiss: ElectrumRelay, connect: Connect
    ) -> None:
        electrum = Electrum(await connect(amiss.server()), encoding=BITCOIN)
        head = await electrum.head()
        with pytest.raises(RemoteError, match="at block 7, asked about 8") as caught:
            await electrum.transactions([msgspec.structs.replace(head, number=8)], of=OWN)
        assert caught.value.reason is FailureReason.LAG

    async def test_into_and_out_of_litecoins_extension_blocks_are_told(
        self, electrum: Electrum, node: Litecoin, server: ElectrumServer
    ) -> None:
        await node.mine(431 - await node.height())
        async with wallet(node, "hidden"):
            hidden = await node.address("mweb")
        own = await node.address()
        await node.pay(own, 4.0)
        await node.pay(hidden, 5.0)
        first = await mined(node, server)
        async with wallet(node, "hidden"):
            await node.pay(own, 1.0)
        last = await mined(node, server)

        blocks = [await electrum.block(number) for number in range(first, last + 1)]
        told = await electrum.transactions(blocks, of=[own])

        assert told.unread == frozenset()
        assert await electrum.balances([own]) == {own: 500_000_000}
        (out,) = told.transactions[last]
        assert [output.value for output in out.outputs if output.address == own] == [100_000_000]
        raw = await node.text("getrawtransaction", out.id)
        assert raw[8:12] == "0008"  # the flag of the transaction that settles with the extension block


@asynccontextmanager
async def wallet(node: Litecoin, name: str) -> AsyncIterator[None]:
    """Another wallet in place of the node's own."""
    await node.rpc("unloadwallet", "tests")
    known = msgspec.convert(await node.rpc("listwalletdir"), dict[str, list[dict[str, str]]])["wallets"]
    await node.rpc("loadwallet" if {"name": name} in known else "createwallet", name)
    yield
    await node.rpc("unloadwallet", name)
    await node.rpc("loadwallet", "tests")


PARENT = raw_transaction([("00" * 32, 0)], [(b"", 1), (script_of(OWN[2], BITCOIN), 900)])
PAID = raw_transaction([(PARENT.txid, 1)], [(script_of(OWN[0], BITCOIN), 800)], flag=WITNESS)

SAYS_NOTHING = Spoken(b"")

E13 = [
    pytest.param(lambda _: SAYS_NOTHING, FailureReason.TIMEOUT, id="E13 silence"),
    pytest.param(lambda answers: truly(answers[1:]), FailureReason.TIMEOUT, id="E13 all answers but one"),
    pytest.param(lambda _: Spoken(b"", hangs_up=True), FailureReason.CONNECTION, id="E13 it hangs up"),
    pytest.param(
        lambda answers: Spoken(line(answers)[:40], hangs_up=True), FailureReason.CONNECTION, id="E13 half a line"
    ),
    pytest.param(
        lambda answers: Spoken(line(answers[0]) + b"[", hangs_up=True),
        FailureReason.CONNECTION,
        id="E13 it hangs up after one of three answers",
    ),
    pytest.param(lambda _: Spoken(b"<html>\n"), FailureReason.SCHEMA, id="E13 garbage"),
    pytest.param(lambda _: Spoken(b"\xff\xfe\n"), FailureReason.SCHEMA, id="E13 bytes that are no text"),
    pytest.param(lambda _: Spoken(b"[" * 100_000 + b"\n"), FailureReason.SCHEMA, id="E13 nesting without end"),
    pytest.param(lambda _: Spoken(b"x" * (LARGEST_LINE + 1)), FailureReason.TOO_LARGE, id="E13 a line without end"),
    pytest.param(
        lambda answers: truly([{**each, "id": 1_000_000} for each in answers]),
        FailureReason.SCHEMA,
        id="E13 ids that nobody asked with",
    ),
    pytest.param(
        lambda answers: truly([{**each, "id": f"{each['id']}"} for each in answers]),
        FailureReason.SCHEMA,
        id="E13 ids that are text",
    ),
    pytest.param(
        lambda answers: truly([{**answers[0], "result": {"confirmed": 0}}, *answers]),
        FailureReason.SCHEMA,
        id="E13 two answers to one call",
    ),
    pytest.param(
        lambda answers: Spoken(line({**answers[0], "result": {"confirmed": 0}}) + line(answers)),
        FailureReason.SCHEMA,
        id="E13 two answers to one call, on two lines",
    ),
    pytest.param(
        lambda answers: truly([{"id": each["id"]} for each in answers]),
        FailureReason.SCHEMA,
        id="E13 neither result nor error",
    ),
    pytest.param(
        lambda answers: truly([{**each, "result": None} for each in answers]), FailureReason.SCHEMA, id="E13 null"
    ),
    pytest.param(
        lambda answers: truly([{**each, "result": {"confirmed": "0"}} for each in answers]),
        FailureReason.SCHEMA,
        id="E13 balances that are text",
    ),
    pytest.param(
        lambda answers: truly([{**each, "result": {"confirmed": -1}} for each in answers]),
        FailureReason.SCHEMA,
        id="E13 balances below zero",
    ),
    pytest.param(
        lambda answers: truly([{**each, "result": {"unconfirmed": 0}} for each in answers]),
        FailureReason.SCHEMA,
        id="E13 nothing confirmed nor unconfirmed",
    ),
    pytest.param(refusing(1, "history too large"), FailureReason.TOO_LARGE, id="E13 history too large (ElectrumX)"),
    pytest.param(refusing(10_001, "history too large"), FailureReason.TOO_LARGE, id="E13 history too large (e-x)"),
    pytest.param(
        refusing(-32600, "response too large (over 1,000,000 bytes"),
        FailureReason.TOO_LARGE,
        id="E13 response too large",
    ),
    pytest.param(
        refusing(-101, "excessive resource usage"), FailureReason.RATE_LIMITED, id="E13 excessive resource usage"
    ),
    pytest.param(refusing(-102, "server busy - request timed out"), FailureReason.RATE_LIMITED, id="E13 server busy"),
    pytest.param(refusing(2, "daemon error"), FailureReason.SHAPE, id="E13 daemon error"),
    pytest.param(
        lambda answers: truly([{"id": each["id"], "error": "missing history"} for each in answers]),
        FailureReason.SHAPE,
        id="E13 errors without a code",
    ),
    pytest.param(
        lambda _: truly([{"id": None, "error": {"code": -32600, "message": "batch limit exceeded"}}]),
        FailureReason.TOO_LARGE,
        id="E13 no batches",
    ),
    pytest.param(
        lambda _: Spoken(notification("server.ping") * (MOST_UNASKED + 1)),
        FailureReason.TOO_LARGE,
        id="notifications without end",
    ),
]

SOUND = [
    pytest.param(
        lambda answers: Spoken(
            notification("blockchain.headers.subscribe", {"height": 8, "hex": ""})
            + line(answers)
            + notification("blockchain.scripthash.subscribe", "00", None)
        ),
        id="notifications in between",
    ),
    pytest.param(lambda answers: Spoken(b"".join(line(each) for each in answers)), id="a line for each answer"),
    pytest.param(lambda answers: truly(answers[::-1]), id="another order"),
    pytest.param(
        lambda answers: truly([{"jsonrpc": "2.0", "method": "server.ping", "params": []}, *answers]),
        id="a notification among the answers",
    ),
    pytest.param(lambda answers: Spoken(b" " * 2_000 + line(answers)), id="padding"),
    pytest.param(lambda answers: truly([{**each, "error": None} for each in answers]), id="an empty error"),
]


class TestFaults:
    @pytest.mark.parametrize(("spoil", "reason"), E13)
    async def test_nothing_is_read_and_no_balance_is_zero(
        self,
        amiss: ElectrumRelay,
        connect: Connect,
        connect_impatiently: Connect,
        spoil: Spoil,
        reason: FailureReason,
    ) -> None:
        amiss.spoil = spoil
        connect_to = connect_impatiently if reason is FailureReason.TIMEOUT else connect
        electrum = Electrum(await connect_to(amiss.server()), encoding=BITCOIN)

        with pytest.raises(RemoteError, match=r"^\w+: 127\.0\.0\.2: ") as caught:
            await electrum.balances(OWN)

        assert caught.value.reason is reason

    @pytest.mark.parametrize(("spoil", "reason"), E13)
    async def test_another_endpoint_is_asked(
        self,
        amiss: ElectrumRelay,
        sound: ElectrumRelay,
        connect: Connect,
        connect_impatiently: Connect,
        clock: HandClock,
        spoil: Spoil,
        reason: FailureReason,
    ) -> None:
        amiss.spoil = spoil
        connect_to = connect_impatiently if reason is FailureReason.TIMEOUT else connect
        endpoints = [
            Electrum(await connect_to(amiss.server()), encoding=BITCOIN),
            Electrum(await connect(sound.server()), encoding=BITCOIN),
        ]
        chain = BitcoinChain(clock, network="bitcoin", endpoints=endpoints)

        told = await chain.balances([Holding(address, chain.coin) for address in OWN])

        assert told.endpoint == "127.0.0.3"
        assert {holding.address: amount for holding, amount in told.amounts.items()} == AMOUNTS

    @pytest.mark.parametrize("spoil", SOUND)
    async def test_what_is_in_order_is_read(self, amiss: ElectrumRelay, connect: Connect, spoil: Spoil) -> None:
        amiss.spoil = spoil
        electrum = Electrum(await connect(amiss.server()), encoding=BITCOIN)
        assert await electrum.balances(OWN) == AMOUNTS

    async def test_e13_a_history_too_large_is_unread_and_not_empty(self, connect: Connect) -> None:
        results = {"blockchain.scripthash.subscribe": "ab" * 32, "blockchain.scripthash.get_history": []}
        async with relay(scripted({}, at=NOON, results=results)) as running:
            running.spoilt = "blockchain.scripthash.get_history"
            running.spoil = refusing(1, "history too large", of=[0])
            electrum = Electrum(await connect(running.server()), encoding=BITCOIN)

            told = await electrum.transactions([await electrum.head()], of=OWN)

            assert told == Touching(transactions={}, unread=frozenset({OWN[0]}))

    async def test_e13_where_all_histories_are_too_large_nothing_was_read(self, connect: Connect) -> None:
        async with relay(scripted({}, at=NOON, results={"blockchain.scripthash.subscribe": None})) as running:
            running.spoil = refusing(1, "history too large")
            electrum = Electrum(await connect(running.server()), encoding=BITCOIN)
            with pytest.raises(RemoteError, match="history too large") as caught:
                await electrum.transactions([await electrum.head()], of=OWN)
            assert caught.value.reason is FailureReason.TOO_LARGE

    @pytest.mark.parametrize(
        "transactions",
        [
            pytest.param({}, id="E13 a transaction that is null"),
            pytest.param(
                {PAID.txid: PARENT.body, PARENT.txid: PARENT.body}, id="E13 a transaction that is another one"
            ),
            pytest.param({PAID.txid: PAID.body[:-9], PARENT.txid: PARENT.body}, id="E13 a transaction that breaks off"),
            pytest.param({PAID.txid: PAID.body}, id="E13 a transaction whose parent is null"),
        ],
    )
    async def test_a_transaction_that_cannot_be_read_leaves_its_addresses_unread(
        self, connect: Connect, transactions: dict[str, bytes]
    ) -> None:
        results = {
            "blockchain.scripthash.subscribe": "ab" * 32,
            "blockchain.scripthash.get_history": [{"tx_hash": PAID.txid, "height": 7}],
        }
        sound = {PAID.txid: PAID.body, PARENT.txid: PARENT.body}
        async with relay(scripted({}, at=NOON, results=results, transactions=transactions)) as running:
            electrum = Electrum(await connect(running.server()), encoding=BITCOIN)
            told = await electrum.transactions([await electrum.head()], of=OWN[:1])
        async with relay(scripted({}, at=NOON, results=results, transactions=sound)) as running:
            electrum = Electrum(await connect(running.server()), encoding=BITCOIN)
            whole = await electrum.transactions([await electrum.head()], of=OWN[:1])

        assert told == Touching(transactions={}, unread=frozenset(OWN[:1]))
        assert [(each.id, each.fee) for each in whole.transactions[7]] == [(PAID.txid, 100)]


class TestWire:
    async def test_a_batch_too_large_for_the_server_is_halved(self, amiss: ElectrumRelay, connect: Connect) -> None:
        def at_most_four(answers: Answers) -> Spoken:
            if len(answers) > 4:
                return truly([{"id": None, "error": {"code": -32600, "message": "Batch limit exceeded"}}])
            return truly(answers)

        amiss.spoil = at_most_four
        wire = await connect(amiss.server())

        answers = await wire.batch([Call(BALANCE, (script,)) for script in SCRIPTS] * 5)

        assert len(answers) == 15
        assert not any(isinstance(answer, Unread) for answer in answers)
        assert amiss.sizes(BALANCE) == [15, 7, 3, 3, 3, 3, 3]

    async def test_a_call_too_large_even_alone_is_unread(self, amiss: ElectrumRelay, connect: Connect) -> None:
        amiss.spoil = refusing(-32600, "response too large (over 1,000,000 bytes", of=[0])
        wire = await connect(amiss.server())

        (answer,) = await wire.batch([Call(BALANCE, (next(iter(SCRIPTS)),))])

        assert isinstance(answer, Unread)
        assert answer.reason is FailureReason.TOO_LARGE

    async def test_one_connection_serves_all_who_ask_at_once(self, amiss: ElectrumRelay, connect: Connect) -> None:
        electrum = Electrum(await connect(amiss.server()), encoding=BITCOIN)
        told = await asyncio.gather(*(electrum.balances([address]) for address in OWN * 10))
        assert told == [{address: AMOUNTS[address]} for address in OWN * 10]
        assert amiss.connections == 1

    async def test_a_connection_that_was_lost_is_made_again(self, amiss: ElectrumRelay, connect: Connect) -> None:
        electrum = Electrum(await connect(amiss.server()), encoding=BITCOIN)
        amiss.spoil = lambda _: Spoken(b"", hangs_up=True)
        with pytest.raises(RemoteError, match="closed the connection"):
            await electrum.balances(OWN)

        amiss.spoil = truly

        assert await electrum.balances(OWN) == AMOUNTS
        assert amiss.connections == 2

    async def test_who_gives_up_lets_nobody_else_wait(self, amiss: ElectrumRelay, connect: Connect) -> None:
        """A server that leaves one question open does not answer on that connection any more."""
        electrum = Electrum(await connect(amiss.server()), encoding=BITCOIN)
        await electrum.head()
        asked = asyncio.Event()

        def silently(_: Answers) -> Spoken:
            asked.set()
            return SAYS_NOTHING

        amiss.spoil = silently
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(_failure(electrum.balances(OWN)))
            impatient = tasks.create_task(_failure(electrum.balances(OWN[:1])))
            await asked.wait()
            impatient.cancel()
        assert (await waiting).reason is FailureReason.TIMEOUT

    async def test_who_waits_while_it_is_closed_is_told(self, amiss: ElectrumRelay, names: Names) -> None:
        asked = asyncio.Event()

        def silently(_: Answers) -> Spoken:
            asked.set()
            return SAYS_NOTHING

        amiss.spoil = silently
        async with asyncio.TaskGroup() as tasks, Wire(Door(names, amiss.server()), HandClock()) as wire:
            electrum = Electrum(wire, encoding=BITCOIN)
            waiting = tasks.create_task(_failure(electrum.balances(OWN)))
            await asked.wait()
        assert (await waiting).reason is FailureReason.CONNECTION

    async def test_a_server_of_another_protocol_is_refused(self, amiss: ElectrumRelay, connect: Connect) -> None:
        amiss.spoilt = "server.version"
        amiss.spoil = refusing(1, "unsupported protocol version: 1.4")
        electrum = Electrum(await connect(amiss.server()), encoding=BITCOIN)
        assert (await _failure(electrum.head())).reason is FailureReason.SHAPE


async def _failure(work: Awaitable[object]) -> RemoteError:
    with pytest.raises(RemoteError) as caught:
        await work
    return caught.value


class TestDoor:
    async def test_a_private_address_is_refused_unless_allowed(self, amiss: ElectrumRelay, connect: Connect) -> None:
        wire = await connect(msgspec.structs.replace(amiss.server(), allow_private=False))
        failure = await _failure(wire.batch([Call(BALANCE, ("00",))]))
        assert (failure.reason, failure.permanent) == (FailureReason.CONNECTION, True)
        assert amiss.connections == 0

    async def test_where_nobody_listens_is_no_connection(self, connect: Connect) -> None:
        async with relay(scripted({}, at=NOON)) as closed:
            server = closed.server()
        failure = await _failure((await connect(server)).batch([Call(BALANCE, ("00",))]))
        assert (failure.reason, failure.detail) == (FailureReason.CONNECTION, "127.0.0.1: connection refused")

    async def test_who_does_not_answer_the_door_is_a_timeout(self, connect_impatiently: Connect) -> None:
        with black_hole() as port:
            wire = await connect_impatiently(Server(url=f"electrum://127.0.0.1:{port}", allow_private=True))
            assert (await _failure(wire.batch([Call(BALANCE, ("00",))]))).reason is FailureReason.TIMEOUT

    async def test_a_name_that_does_not_exist_is_a_failure_of_names(self, clock: HandClock) -> None:
        async with name_server({}) as server:
            names = Names(clock, nameservers=[server.address])
            async with Wire(Door(names, Server(url="electrum://nobody.test:50001")), clock) as wire:
                assert (await _failure(wire.batch([Call(BALANCE, ("00",))]))).reason is FailureReason.DNS
            await names.close()


class TestCertificates:
    async def test_one_that_an_authority_vouches_for_is_taken_and_no_other_after_it(
        self, names: Names, tmp_path: Path
    ) -> None:
        ours, theirs = Authority(tmp_path), Authority(tmp_path, "another authority of tests")
        async with relay(scripted(SCRIPTS, at=NOON), tls=ours.serving()) as first:
            server = first.server(scheme="electrums")
            door = Door(names, server, trusted=ours.trusted)
            await _hang_up(await door.open())
            await _hang_up(await door.open())
        async with relay(scripted(SCRIPTS, at=NOON), port=server.port, tls=theirs.serving()):
            assert (await _failure(door.open())).reason is FailureReason.TLS
        async with relay(scripted(SCRIPTS, at=NOON), port=server.port, tls=ours.serving()):
            await _hang_up(await door.open())

    async def test_of_those_that_nobody_vouches_for_the_first_one_is_taken_and_no_other_after_it(
        self, names: Names, tmp_path: Path
    ) -> None:
        theirs = Authority(tmp_path)
        shown = theirs.serving()
        async with relay(scripted(SCRIPTS, at=NOON), tls=shown) as first:
            server = first.server(scheme="electrums")
            door = Door(names, server)
            async with Wire(door, HandClock()) as wire:
                assert await Electrum(wire, encoding=BITCOIN).balances(OWN) == AMOUNTS
            await _hang_up(await door.open())
        async with relay(scripted(SCRIPTS, at=NOON), port=server.port, tls=theirs.serving()):
            failure = await _failure(door.open())
            assert failure.reason is FailureReason.TLS
            assert "another certificate than at first" in failure.detail
        async with relay(scripted(SCRIPTS, at=NOON), port=server.port, tls=shown):
            await _hang_up(await door.open())


async def _hang_up(lines: Lines) -> None:
    lines.end(FailureReason.CONNECTION, "hung up")
    await lines.closed()
