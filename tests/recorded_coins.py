"""Small chains of the bitcoin family, recorded off a node, an Electrum server on it, and an Esplora."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal

from monitor.chains.bitcoin import BitcoinChain
from monitor.chains.bitcoin_core import BitcoinCore
from monitor.chains.bitcoin_rpc import CoreEndpoint
from monitor.chains.electrum import Electrum
from monitor.chains.electrum_door import Door
from monitor.chains.electrum_wire import Wire
from monitor.chains.esplora import Esplora
from monitor.chains.ledger import Holding
from monitor.chains.script import ENCODINGS
from monitor.chains.utxo import Utxo
from monitor.clock import Clock
from monitor.http import Http
from monitor.http.names import Names
from tests import esplora_chain
from tests.bitcoin_addresses import legacy, segwit
from tests.electrum_relay import Answers, Ask, line, relay, relay_to
from tests.electrum_relay import Call as ElectrumCall
from tests.electrum_server import electrum_server
from tests.esplora_server import MAINNET, EsploraServer
from tests.hand_clock import HandClock
from tests.litecoin import COIN, GENESIS, PASSWORD, REGTEST, USER, Litecoin, litecoin
from tests.loopback import as_json, asks_for
from tests.recordings import HOSTS, Scene, everything
from tests.tape import Recorder, Replay, ReplayDoor, Tape

IMPATIENT_SECONDS = 0.02


async def esplora() -> list[Scene]:
    clock = HandClock()
    coins = esplora_chain.BitcoinChain(clock)
    alice, bob, carol, empty = segwit("alice"), legacy("bob"), segwit("carol"), segwit("empty")
    coins.fund(alice, 10 * COIN)
    coins.fund(bob, 5 * COIN)
    after = coins.mine().height
    coins.pay([alice], [esplora_chain.to(carol, 3 * COIN), esplora_chain.to(bob, COIN)])
    for number in range(30):  # more than a page
        coins.fund(segwit(f"somebody {number}"), COIN)
    coins.mine()
    coins.pay([bob], [esplora_chain.to(carol, 2 * COIN)])
    coins.mine()

    def opened(http: Http, urls: Sequence[str]) -> BitcoinChain:
        return _bitcoin([Esplora(http, url=url, encoding=ENCODINGS["bitcoin"], allow_private=True) for url in urls])

    def _bitcoin(endpoints: Sequence[Utxo]) -> BitcoinChain:
        return BitcoinChain(HandClock(clock.now()), network="bitcoin", endpoints=endpoints)

    first_block = {"id": MAINNET, "height": 0, "timestamp": 1231006505, "tx_count": 1}
    ours = [alice, bob, empty]
    async with Recorder() as http, EsploraServer(coins) as server:
        server.door.fail(as_json(first_block), when=asks_for(f"/block/{MAINNET}?"))
        ledger = opened(http, [server.url])
        holdings = [Holding(address, ledger.coin) for address in ours]
        asked = await everything(ledger, holdings=holdings, addresses=ours, after=after)
    return [
        Scene(
            name="esplora",
            tape=http.tape,
            open=lambda teller: opened(Replay(teller), [f"http://{host}" for host in HOSTS]),
            asked=asked,
            may_lack=frozenset({"status", "block_hash", "scriptpubkey"}),
            name_themselves=frozenset({"/block/*", "/block/*/txs*", "/address*"}),
        )
    ]


async def litecoins() -> list[Scene]:
    """A node that is asked itself, and an Electrum server on it."""
    async with litecoin() as node:
        ours, after = await _litecoin_life(node)
        clock = HandClock(datetime.fromtimestamp(await node.time(await node.height()), UTC))
        return [await _core(node, clock, ours, after=after), await _electrum(node, clock, ours, after=after)]


async def _litecoin_life(node: Litecoin) -> tuple[list[str], int]:
    ours = [await node.address(kind) for kind in ("bech32", "legacy", "p2sh-segwit")]
    outsider = await node.address()
    paid = await node.pay(ours[0], 3)
    await node.mine()
    after = await node.height()
    source = (paid, await node.output_to(paid, ours[0]))
    await node.spend([source], {outsider: Decimal(1), ours[1]: Decimal("1.5"), ours[0]: Decimal("0.4")})
    await node.mine()
    await node.pay(ours[1], 0.7)
    await node.mine(2)
    return ours, after


def _litecoin_ledger(clock: Clock, endpoints: Sequence[Utxo]) -> BitcoinChain:
    return BitcoinChain(clock, network="litecoin", endpoints=endpoints, genesis=GENESIS)


async def _core(node: Litecoin, clock: Clock, ours: list[str], *, after: int) -> Scene:
    def opened(http: Http, urls: Sequence[str]) -> BitcoinChain:
        endpoints = [CoreEndpoint(url=url, user=USER, password=PASSWORD, allow_private=True) for url in urls]
        return _litecoin_ledger(clock, [BitcoinCore(http, each, encoding=REGTEST) for each in endpoints])

    async with Recorder() as http:
        ledger = opened(http, [node.url])
        holdings = [Holding(address, ledger.coin) for address in ours]
        asked = await everything(ledger, holdings=holdings, addresses=ours, after=after)
    return Scene(
        name="core",
        tape=http.tape,
        open=lambda teller: opened(Replay(teller), [f"http://{host}" for host in HOSTS]),
        asked=asked,
        may_lack=frozenset({"nTx", "prevout"}),
        lies=frozenset({"vin[]", "vout[]"}),
        name_themselves=frozenset({"getblockheader", "getblockhash"}),
    )


async def _electrum(node: Litecoin, clock: Clock, ours: list[str], *, after: int) -> Scene:
    tape = Tape()
    names = Names(HandClock())

    def opened(doors: Sequence[Door], *, timeout: float) -> BitcoinChain:
        wires = [Wire(door, clock, timeout=timeout) for door in doors]
        return _litecoin_ledger(clock, [Electrum(wire, encoding=REGTEST) for wire in wires])

    async with electrum_server(node) as server:
        await server.follow()

        @asynccontextmanager
        async def noted() -> AsyncIterator[Ask]:
            async with relay_to(server.port)() as ask:

                async def note(calls: list[ElectrumCall]) -> Answers:
                    answers = await ask(calls)
                    asked = [{"jsonrpc": "2.0", "id": c.id, "method": c.method, "params": c.params} for c in calls]
                    tape.note("", line(asked), line(answers))
                    return answers

                yield note

        async with relay(noted) as between:
            ledger = opened([Door(names, between.server())], timeout=20.0)
            holdings = [Holding(address, ledger.coin) for address in ours]
            asked = await everything(ledger, holdings=holdings, addresses=ours, after=after)
    await names.close()
    return Scene(
        name="electrum",
        tape=tape,
        open=lambda teller: opened([ReplayDoor(host, teller) for host in HOSTS], timeout=IMPATIENT_SECONDS),
        asked=asked,
        may_lack=frozenset({"result"}),
        lies=frozenset({"height", "result[]"}),
        name_themselves=frozenset(
            {"blockchain.transaction.get", "blockchain.transaction.get+blockchain.block.headers"}
        ),
    )
