"""Whatever a node answers: what is told is right, or missing, or a `RemoteError`; and it ends."""

import asyncio
import itertools
import json
import random
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import cache, partial

import pytest
from msgspec import Struct
from structlog.testing import capture_logs

from monitor.chains.bitcoin_balances import KeptBalances, Scan
from monitor.chains.electrum_transaction import read_transaction
from monitor.chains.ledger import Head, Ledger
from monitor.chains.matching import matched
from monitor.chains.utxo import Touching
from monitor.http import Answer
from monitor.model import FailureReason, Price, RemoteError
from monitor.probes.address_lists import LISTS, decode_bybit, decode_file
from monitor.probes.answer import Endpoint
from monitor.probes.prices import PRICE_SOURCES, PricesProbe
from monitor.reserves.comparing import Said
from tests import recorded_accounts, recorded_coins
from tests.hand_clock import NOON, HandClock
from tests.mutants import GONE, Change, Value, Way, change, put
from tests.raw_transactions import raw_transaction
from tests.recordings import QUESTIONS, Asked, Facts, Scene, nonces
from tests.tape import Spoil, Teller, truly

SLICE = 60  # of each question
SLICE_OF_BODIES = 500
SOAK_SECONDS = 60.0  # of each chain
MOST = 500  # questions of one look, which takes 20 as a rule
SLOW_SECONDS = 10.0

Record = Callable[[], Awaitable[list[Scene]]]
RECORDS: dict[str, Record] = {
    "evm": recorded_accounts.evm,
    "tron": recorded_accounts.tron,
    "xrp": recorded_accounts.xrp,
    "solana": recorded_accounts.solana,
    "esplora": recorded_coins.esplora,
    "core and electrum": recorded_coins.litecoins,
}
every_chain = pytest.mark.parametrize("chain", RECORDS)


@cache
def recorded(chain: str) -> list[Scene]:
    async def record() -> list[Scene]:
        return await RECORDS[chain]()

    return asyncio.run(record())


class Spoiler:
    """Turns the `at`-th answer into nonsense, and where it `lasts` those of the same kind after it."""

    def __init__(self, chance: random.Random, scene: Scene, *, at: int, lasts: bool) -> None:
        self.change: Change | None = None
        self._chance = chance
        self._scene = scene
        self._at = at
        self._lasts = lasts
        self._kind = ""

    def __call__(self, kind: str, body: bytes, other: bytes) -> bytes:
        self._at -= 1
        if self._at == -1:
            self._kind = kind
            self.change = change(
                body,
                other,
                self._chance,
                may_lack=self._scene.may_lack,
                lies=self._scene.lies,
                names_itself=kind in self._scene.name_themselves,
            )
        elif self.change is None or not self._lasts or kind != self._kind:
            return body
        made = self.change.make(body)
        return body if made is None else made

    @property
    def is_judged(self) -> bool:
        return self.change is not None and self.change.is_judged

    def __str__(self) -> str:
        return f"{self._kind}{', always' if self._lasts else ''}: {self.change.words if self.change else 'nothing'}"


class Look:
    """A question to a chain, and what it is told where nobody lies."""

    def __init__(self, scene: Scene, ask: Callable[[Ledger, Asked], Awaitable[Facts]]) -> None:
        self.scene = scene
        self._ask = ask

    async def begin(self) -> None:
        teller = Teller(self.scene.tape, truly, random.Random(0), most=MOST)
        self._facts = await self._ask(self.scene.open(teller), self.scene.asked)
        self.questions = teller.told

    async def wrong(self, spoil: Spoil, chance: random.Random, *, is_judged: Callable[[], bool]) -> str:
        """What is told and not right, or lost without a word; "" where nothing is."""
        crashes: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: crashes.append(context))
        teller = Teller(self.scene.tape, spoil, chance, most=MOST)
        began = time.monotonic()
        try:
            with capture_logs():
                told = await self._ask(self.scene.open(teller), self.scene.asked)
        except RemoteError:
            told = {}
        assert not crashes
        assert time.monotonic() - began < SLOW_SECONDS
        # What is told to a question that was not recorded is another's, and so a lie that nobody can see.
        return self._difference(told) if told and is_judged() and not teller.has_strayed else ""

    def _difference(self, told: Facts) -> str:
        wrong = {key: value for key, value in told.items() if key != "coverage" and self._facts.get(key) != value}
        if wrong:
            return f"told {wrong}"
        lost = self._facts.keys() - told.keys()
        return f"lost {lost}" if lost and told.get("coverage") == 1.0 else ""


async def hunt(look: Look, chance: random.Random) -> None:
    spoiler = Spoiler(chance, look.scene, at=chance.randrange(look.questions), lasts=chance.random() < 0.5)
    try:
        wrong = await look.wrong(spoiler, chance, is_judged=lambda: spoiler.is_judged)
    except BaseException as error:
        error.add_note(f"{look.scene.name}: {spoiler}")
        raise
    assert not wrong, f"{look.scene.name}: {spoiler}, and it {wrong}"


async def looks_of(scenes: Sequence[Scene]) -> list[Look]:
    looks = [Look(scene, ask) for scene in scenes for ask in QUESTIONS.values()]
    looks += [Look(scene, nonces) for scene in scenes if scene.name.startswith("evm")]
    for look in looks:
        await look.begin()
    return looks


@every_chain
def test_nothing_comes_of_nonsense(chain: str) -> None:
    scenes, chance = recorded(chain), random.Random(chain)

    async def slice_of_it() -> None:
        for look in await looks_of(scenes):
            for _ in range(SLICE):
                await hunt(look, chance)

    asyncio.run(slice_of_it())


@pytest.mark.soak
@every_chain
def test_nothing_comes_of_a_minute_of_nonsense(chain: str) -> None:
    scenes, chance = recorded(chain), random.Random(f"{chain} at length")

    async def all_of_it() -> None:
        looks = await looks_of(scenes)
        until = time.monotonic() + SOAK_SECONDS
        while time.monotonic() < until:
            await hunt(chance.choice(looks), chance)

    asyncio.run(all_of_it())


HUGE = 2**256


class Found(Struct, frozen=True):
    """A wrong answer that was once believed, never ended or broke the reader: `junk` at `way` in answers of `kind`.

    The first `after` of them, which tell the chain, are left as they are.
    """

    scene: str
    question: str
    kind: str
    way: Way
    junk: Value
    after: int = 0

    def __str__(self) -> str:
        junk = "nothing" if self.junk is GONE else f"{self.junk!r:.30}"
        return f"{self.scene} {self.question} {self.kind} {'.'.join(map(str, self.way))} {junk}"

    def spoil(self) -> Spoil:
        heard = itertools.count()

        def spoil(kind: str, body: bytes, _: bytes) -> bytes:
            if not kind.startswith(self.kind) or next(heard) < self.after:
                return body
            try:
                return put(body, self.way, self.junk)
            except LookupError:
                return body

        return spoil


FOUND = [
    Found("core", "balances", "scantxoutset", (0, "result", "unspents", 0, "amount"), -1),
    Found("core", "balances", "scantxoutset", (0, "result", "unspents", 0, "amount"), "NaN"),
    Found("core", "balances", "scantxoutset", (0, "result", "unspents", 0, "amount"), "1e999999"),
    Found("core", "balances", "scantxoutset", (0, "result", "unspents"), []),
    Found("core", "head", "getblockheader", (0, "result", "hash"), "ab" * 32, after=1),
    Found("core", "head", "getblockheader", (0, "result", "height"), HUGE, after=1),
    Found("core", "movements", "getblock", (0, "result", "tx", 1, "vin", 0, "txid"), GONE),
    Found("core", "movements", "getblock", (0, "result", "tx", 1, "vout", 0, "value"), GONE),
    Found("core", "movements", "getblock", (0, "result", "tx", 1, "vout", 0, "scriptPubKey"), GONE),
    Found("core", "movements", "getblock", (0, "result", "tx", 1), GONE),
    Found("electrum", "balances", "blockchain.scripthash.get_balance", (0, "result", "confirmed"), HUGE),
    Found("electrum", "head", "blockchain.headers.subscribe", (0, "result", "height"), HUGE),
    Found("esplora", "head", "/block/*", ("height",), HUGE, after=1),
    Found("esplora", "balances", "/address", ("chain_stats", "funded_txo_sum"), HUGE),
    Found("esplora", "movements", "/block/*", ("tx_count",), 2**40),
    Found("esplora", "movements", "/block/*/txs", (1, "txid"), "x"),
    Found("esplora", "movements", "/block/*/txs", (1, "vin"), []),
    Found("esplora", "movements", "/block/*/txs", (1, "vout", 0, "value"), 7),
    Found("evm", "head", "eth_chainId", (1, "result", "number"), hex(HUGE - 1)),
    Found("evm", "nonces", "eth_getTransactionCount", (0, "result"), hex(HUGE - 1)),
    Found("evm", "movements", "eth_getBlockByNumber", ("result", "transactions"), []),
    Found("evm", "movements", "eth_getBlockByNumber", ("result", "transactions", 0, "to"), GONE),
    Found("evm", "movements", "eth_getBlockReceipts", ("result", 0, "logs", 0, "topics", 0), "x"),
    Found("evm", "movements", "eth_getBlockReceipts", ("result", 0, "logs", 0, "address"), "x"),
    Found("solana", "movements", "getSignaturesForAddress", ("result",), [{"signature": "s", "slot": 2**40}] * 100),
    Found("solana", "movements", "getSignaturesForAddress", ("result", 0, "slot"), 2**64),
    Found("solana", "balances", "getMultipleAccounts", ("result", "value", 0, "lamports"), -7),
    Found("solana", "balances", "getMultipleAccounts", ("result", "value", 0, "lamports"), HUGE),
    Found("solana", "head", "getBlock", ("result", "blockhash"), "x"),
    Found("solana", "movements", "getTransaction", ("result", "slot"), 400_000_001),
    Found("solana", "movements", "getTransaction", ("result", "meta", "fee"), -1),
    Found("solana", "movements", "getTransaction", ("result", "meta", "fee"), HUGE),
    Found("solana", "movements", "getTransaction", ("result", "meta", "preBalances", 1), -1),
    Found("solana", "movements", "getTransaction", ("result", "meta", "postBalances", 1), -1),
    Found("solana", "movements", "getTransaction", ("result", "meta", "preTokenBalances"), GONE),
    Found("solana", "movements", "getTransaction", ("result", "meta", "postTokenBalances"), GONE),
    Found("solana", "movements", "getTransaction", ("result", "meta", "preTokenBalances", 0, "mint"), "x"),
    Found(
        "solana",
        "movements",
        "getTransaction",
        ("result", "meta", "postTokenBalances", 0, "uiTokenAmount", "amount"),
        "9" * 20,
    ),
    Found("solana", "movements", "getTransaction", ("result", "transaction", "message", "accountKeys", 1), "x"),
    Found(
        "solana",
        "movements",
        "getTransaction",
        ("result", "transaction", "message", "header", "numRequiredSignatures"),
        2,
    ),
    Found("tron", "head", "/wallet/getblock", ("blockID",), "x", after=1),
    Found("tron", "tips", "/wallet/getblock", ("block_header", "raw_data", "timestamp"), GONE),
    Found("tron", "balances", "/wallet/getaccount", ("balance",), -5),
    Found("tron", "balances", "/wallet/getaccount", ("frozenV2", 1, "amount"), HUGE),
    Found("tron", "balances", "/wallet/getaccount", (), {"error": "rate limit exceeded"}),
    Found("tron", "movements", "/wallet/getblockbylimitnext", ("block", 0, "transactions"), GONE),
    Found("tron", "movements", "/wallet/getblockbylimitnext", ("block", 0, "transactions", 0), GONE),
    Found(
        "tron",
        "movements",
        "/wallet/getblockbylimitnext",
        ("block", 0, "transactions", 0, "ret", 0, "contractRet"),
        "x",
    ),
    Found(
        "tron",
        "movements",
        "/wallet/getblockbylimitnext",
        ("block", 0, "transactions", 0, "raw_data", "contract"),
        [],
    ),
    Found("tron", "movements", "/wallet/gettransactioninfobyblocknum", (2, "log", 0, "topics", 0), "x"),
    Found("tron", "movements", "/wallet/gettransactioninfobyblocknum", (2, "log", 0, "data"), ""),
    Found("tron", "movements", "/wallet/gettransactioninfobyblocknum", (2, "log", 0, "address"), "x"),
    Found("xrp", "head", "ledger", ("result", "ledger_hash"), "x"),
    Found("xrp", "tips", "ledger", ("result", "ledger_index"), HUGE),
    Found("xrp", "head", "server_info", ("result",), {"error": "actNotFound"}),
    Found("xrp", "block", "ledger", ("result",), {"error": "actNotFound"}),
    Found(
        "xrp",
        "balances",
        "account_info",
        ("result",),
        {"error": "actNotFound", "request": {"account": "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"}},
    ),
    Found("xrp", "movements", "account_info", ("result", "account_data", "PreviousTxnLgrSeq"), -1),
    Found("xrp", "movements", "account_tx", ("result", "marker"), {"ledger": 7}),
    Found("xrp", "movements", "account_tx", ("result", "marker"), GONE),
    Found(
        "xrp",
        "movements",
        "account_tx",
        ("result", "transactions", 0, "meta", "AffectedNodes", 0, "ModifiedNode", "FinalFields", "Account"),
        GONE,
    ),
]


def scene_of(name: str) -> Scene:
    chain = next(each for each in RECORDS if name.split(maxsplit=1)[0] in each)
    return next(scene for scene in recorded(chain) if scene.name == name)


def wrong_of(name: str, question: str, spoil: Spoil) -> str:
    """What comes of answers that are spoilt, as some of them must be."""
    scene, spoilt = scene_of(name), []

    def noted(kind: str, body: bytes, other: bytes) -> bytes:
        made = spoil(kind, body, other)
        spoilt.append(made != body)
        return made

    async def look_once() -> str:
        look = Look(scene, {**QUESTIONS, "nonces": nonces}[question])
        await look.begin()
        return await look.wrong(noted, random.Random(0), is_judged=lambda: True)

    wrong = asyncio.run(look_once())
    assert any(spoilt)
    return wrong


@pytest.mark.parametrize("found", FOUND, ids=str)
def test_what_was_once_believed_is_not(found: Found) -> None:
    assert wrong_of(found.scene, found.question, found.spoil()) == ""


DATED = [
    ("evm", "eth_chainId", (1, "result", "timestamp"), hex(253402300799)),
    ("tron", "/wallet/getblock", ("block_header", "raw_data", "timestamp"), 253402300799000),
    ("xrp", "ledger", ("result", "ledger", "close_time"), 2**32 - 1),
    ("solana", "getBlock", ("result", "blockTime"), 253402300799),
    ("esplora", "/block/*", ("timestamp",), 2**32 - 1),
    ("core", "getblockheader", (0, "result", "time"), 2**32 - 1),
]


@pytest.mark.parametrize(("chain", "kind", "way", "junk"), DATED, ids=[each[0] for each in DATED])
@pytest.mark.parametrize("question", ["head", "tips", "balances"])
def test_no_head_is_of_the_far_future(chain: str, kind: str, way: Way, junk: Value, question: str) -> None:
    scene, found = scene_of(chain), Found(chain, question, kind, way, junk)

    async def ask() -> None:
        await QUESTIONS[question](
            scene.open(Teller(scene.tape, found.spoil(), random.Random(0), most=MOST)), scene.asked
        )

    with pytest.raises(RemoteError, match="is of") as caught, capture_logs():
        asyncio.run(ask())
    assert caught.value.reason is FailureReason.SCHEMA


def test_a_hash_in_capitals_is_the_same_hash() -> None:
    def loudly(kind: str, body: bytes, _: bytes) -> bytes:
        value = json.loads(body)
        if kind == "eth_getBlockByNumber":
            value["result"]["hash"] = f"0x{value['result']['hash'][2:].upper()}"
            return json.dumps(value).encode()
        return body

    assert wrong_of("evm", "block", loudly) == ""


def test_an_amount_of_bytes_that_are_no_text_is_none() -> None:
    def garbled(kind: str, body: bytes, _: bytes) -> bytes:
        return body.replace(b'"Balance":"', b'"Balance":"\xff') if kind == "account_tx" else body

    assert wrong_of("xrp", "movements", garbled) == ""


def test_an_event_told_twice_moved_once() -> None:
    def twice(kind: str, body: bytes, _: bytes) -> bytes:
        value = json.loads(body)
        if kind == "eth_getBlockReceipts":
            for receipt in value["result"]:
                receipt["logs"] *= 2
            return json.dumps(value).encode()
        return body

    assert wrong_of("evm", "movements", twice) == ""


class Stuck:
    """Tells one block for every height, and a newest one that is far above it."""

    def __init__(self, *, newest: int) -> None:
        self.newest = newest
        self.asked = 0

    async def head(self) -> Head:
        return Head(number=self.newest, hash="cd" * 32, timestamp=NOON)

    async def block(self, number: int) -> Head:
        self.asked += 1
        assert self.asked < MOST, f"asked for block {number}, without end"
        return Head(number=5, hash="ab" * 32, timestamp=NOON)

    async def transactions(self, blocks: Sequence[Head], *, of: Collection[str]) -> Touching:
        return Touching(transactions={block.number: [] for block in blocks}, unread=frozenset(of))


@pytest.mark.parametrize(("newest", "words"), [(9, "asked for block 6, got 5"), (2**31 - 1, "at once")])
async def test_balances_are_not_kept_up_for_ever(newest: int, words: str) -> None:
    node = Stuck(newest=newest)

    async def scan(addresses: Collection[str]) -> Scan:
        return Scan(head=await node.block(5), amounts=dict.fromkeys(addresses, 7))

    with pytest.raises(RemoteError, match=words):
        await KeptBalances(node, scan).read(["somebody"])


def test_what_is_nobodys_has_no_effect_on_who_gave_to_whom() -> None:
    assert list(matched({"": 5, "hot": -7, "cold": 2})) == [("hot", "cold", 2), ("hot", "", 5)]
    assert list(matched({"": -5, "hot": -7})) == [("hot", "", 7)]


def test_a_transaction_without_inputs_is_none() -> None:
    raw = raw_transaction([], [(b"\x51", 5)], flag=1)
    with pytest.raises(ValueError, match="without inputs"):
        read_transaction(raw.body, txid=raw.txid)


NOON_SECONDS = str(int(NOON.timestamp()))
PRICES: dict[str, Value] = {
    "kraken": {
        "error": [],
        "result": {
            pair: {"a": ["1", "1", "1"], "c": [last, "0.1"]} for pair, last in (("XXBTZUSD", "97"), ("SOLUSD", "2"))
        },
    },
    "coinbase": {"data": {"currency": "USD", "rates": {"BTC": "0.00001", "SOL": "0.005"}}},
    "bitstamp": [{"pair": f"{asset}/USD", "last": "97", "timestamp": NOON_SECONDS} for asset in ("BTC", "SOL")],
    "bitfinex": [[f"t{asset}USD", 1, 2, 3, 4, 5, 0.01, 97.5, 10, 11, 12] for asset in ("BTC", "SOL")],
    "gemini": [{"pair": f"{asset}USD", "price": "97.00", "percentChange24h": "0.01"} for asset in ("BTC", "SOL")],
    "coinpaprika": [
        {"symbol": asset, "rank": rank, "last_updated": "2026-02-03T11:59:00Z", "quotes": {"USD": {"price": price}}}
        for asset, rank, price in (("BTC", 1, 97.5), ("SOL", 5, 2.5), ("BTC", 900, 0.5))
    ],
}
# An answer in the place of an answer: another asset's name, and a row of which one counts.
PRICE_LIES = frozenset({"pair", "symbol", "c[]", "rank", ""})


async def prices_of(source: str, body: bytes) -> Facts:
    async def answered() -> Answer:
        return Answer(status=200, body=body, date=None, elapsed_seconds=0.0, read_at=0.0)

    async def unheeded(_: RemoteError) -> None:
        pass

    probe = PricesProbe(
        Endpoint(answered, unheeded, interval=60.0),
        HandClock(),
        name=source,
        source=source,
        interval=60.0,
        assets=("BTC", "SOL"),
        read=PRICE_SOURCES[source].decode,
    )
    return {line.asset: line.usd for line in await probe.observe() if isinstance(line, Price)}


async def listed(name: str, body: bytes) -> Facts:
    """Every page after the first is empty."""

    async def ask(url: str) -> bytes:
        return b'{"wallets": {}}' if url.endswith("page=2") else body

    found = await LISTS[name].read(ask, "https://lists.example.org", NOON.date())
    return {f"{each.network} {each.address}": each.label for each in found.addresses}


async def filed(read: Callable[[bytes], list[Said]], body: bytes) -> Facts:
    return {f"{each.network} {each.address}": each.label for each in read(body)}


BODIES: dict[str, tuple[Callable[[bytes], Awaitable[Facts]], bytes, frozenset[str]]] = {
    **{name: (partial(prices_of, name), json.dumps(body).encode(), PRICE_LIES) for name, body in PRICES.items()},
    "binance list": (
        partial(listed, "binance"),
        json.dumps(
            {
                "code": "000000",
                "data": [{"network": "BTC", "address": f"1{n}", "thirdPartyCustodianName": None} for n in "ab"],
            }
        ).encode(),
        frozenset({"network", "address", "thirdPartyCustodianName", "data[]"}),
    ),
    "bitstamp list": (
        partial(listed, "bitstamp"),
        b'{"wallets": {"BTC": [{"address": "1a", "network": "bitcoin"}, {"address": "1b", "network": "bitcoin"}]}}',
        frozenset({"network", "address", "BTC[]", "wallets"}),
    ),
    "bybit list": (
        partial(filed, decode_bybit),
        b"Coin,Height,Amount,Address\r\nBTC(ALL),,9.5,\r\nBTC-Bitcoin,1,9.5,1a 1b\r\nUSDT-TRX,2,1,Tc\r\n",
        frozenset(),
    ),
    "file": (partial(filed, decode_file), b"network,address,role,label\nbitcoin,1a,hot,ours\ntron,Tc,,\n", frozenset()),
}


@pytest.mark.parametrize("name", BODIES)
def test_no_price_and_no_address_comes_of_nonsense(name: str) -> None:
    read, body, lies = BODIES[name]
    chance = random.Random(name)

    async def slice_of_it() -> None:
        sound = await read(body)
        assert sound
        for _ in range(SLICE_OF_BODIES):
            tried = change(body, body, chance, may_lack=("*",), lies=lies, names_itself=False)
            made = tried.make(body)
            try:
                told = await read(body if made is None else made)
            except RemoteError:
                continue
            if tried.is_judged and not tried.is_number:
                assert told.items() <= sound.items(), tried.words

    asyncio.run(slice_of_it())


@pytest.mark.parametrize(
    ("source", "way", "junk"),
    [
        pytest.param("coinbase", ("data", "rates", "BTC"), "1e-9999999", id="so little that a coin has no price"),
        pytest.param("coinbase", ("data", "rates", "BTC"), "1e-30", id="a coin worth more than all money"),
        pytest.param("gemini", (0, "price"), "\u0662", id="digits that are not ours"),
        pytest.param("gemini", (0, "price"), "1_0", id="digits apart"),
        pytest.param("gemini", (0, "price"), f"1.{'0' * 5000}1", id="digits without end"),
        pytest.param("gemini", (0, "price"), "1e-9999999", id="next to nothing"),
        pytest.param("coinpaprika", (0, "last_updated"), "2026-02-03T11:59:00", id="a time of no zone"),
        pytest.param("coinpaprika", (0, "last_updated"), "9999-12-31T23:59:59Z", id="a time to come"),
        pytest.param("coinpaprika", (0, "rank"), -1, id="a rank before the first"),
        pytest.param("bitstamp", (0, "timestamp"), "99999999999", id="seconds to come"),
        pytest.param("bitfinex", (0, 1), GONE, id="a row with a column less"),
    ],
)
def test_no_price_is_made_of(source: str, way: Way, junk: Value) -> None:
    async def told() -> Facts:
        try:
            return await prices_of(source, put(json.dumps(PRICES[source]).encode(), way, junk))
        except RemoteError:
            return {}

    assert "BTC" not in asyncio.run(told())


def test_a_list_of_bybit_that_breaks_off_is_none() -> None:
    with pytest.raises(RemoteError, match="line 3 breaks off"):
        decode_bybit(b"Coin,Height,Amount,Address\nBTC-Bitcoin,1,9.5,1a\nBTC-Bitcoin,1,9.")
