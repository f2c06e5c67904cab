"""The staged world of the demo over real sockets, and its chains call by call."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import pairwise

import aiohttp
import msgspec
import pytest
from msgspec import Struct

from monitor.clock import Clock
from monitor.replay.payments import NETWORKS, SENDERS, Network, Payments
from monitor.replay.script import Script
from monitor.replay.stage import Stage
from monitor.replay.staged_chain import StagedChain

SCRIPT = Script()
MINUTE = timedelta(minutes=1)
ETHEREUM = NETWORKS[0]
STRANGER = "0x" + "12" * 20
CALL = {"to": STRANGER, "data": "0x"}


class Coin(Struct, rename="camel"):
    currency: str
    chains: list["Chain"] | None


class Chain(Struct, rename="camel", forbid_unknown_fields=True):
    """Every documented field of a chain in KuCoin's list."""

    chain_name: str
    withdrawal_min_size: str
    deposit_min_size: str | None
    withdraw_fee_rate: str
    withdrawal_min_fee: str
    is_withdraw_enabled: bool
    is_deposit_enabled: bool
    confirms: int
    pre_confirms: int
    contract_address: str
    withdraw_precision: int
    max_withdraw: str | None
    max_deposit: str | None
    need_tag: bool
    chain_id: str


class CoinList(Struct):
    code: str
    data: list[Coin]

    def chains(self) -> list[Chain]:
        return [chain for coin in self.data for chain in coin.chains or ()]


class Trade(Struct):
    sequence: str
    price: str
    size: str
    side: str
    time: int


class Trades(Struct):
    code: str
    data: list[Trade]


class Update(Struct):
    status: str
    body: str
    created_at: datetime


class Incident(Struct):
    status: str
    resolved_at: datetime | None
    incident_updates: list[Update]


class Summary(Struct):
    incidents: list[Incident]
    components: list[dict[str, object]]
    status: dict[str, str]


class Incidents(Struct):
    incidents: list[Incident]


class Block(Struct, rename="camel"):
    number: str
    hash: str
    parent_hash: str
    timestamp: str


class Response(Struct):
    jsonrpc: str
    id: int | str | None
    result: object = None
    error: dict[str, object] | None = None


def at(minute: float) -> datetime:
    return SCRIPT.start + minute * MINUTE


@pytest.fixture(scope="module")
def payments() -> Payments:
    return Payments(SCRIPT)


@pytest.fixture(scope="module")
def chain(payments: Payments) -> StagedChain:
    return StagedChain(ETHEREUM, script=SCRIPT, payments=payments)


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def call(chain: StagedChain, method: str, *params: object, now: datetime = SCRIPT.start) -> Response:
    request = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
    body = chain.answer(msgspec.json.encode(request), now)
    assert body is not None
    return msgspec.json.decode(body, type=Response)


def number(chain: StagedChain, method: str, *params: object, now: datetime = SCRIPT.start) -> int:
    result = call(chain, method, *params, now=now).result
    assert isinstance(result, str)
    return int(result, 16)


def block(chain: StagedChain, tag: str, *, now: datetime = SCRIPT.start) -> Block:
    return msgspec.convert(call(chain, "eth_getBlockByNumber", tag, False, now=now).result, type=Block)


@pytest.mark.parametrize(
    ("method", "params", "result"),
    [
        pytest.param("eth_chainId", (), "0x1", id="chain id"),
        pytest.param("eth_blockNumber", (), hex(ETHEREUM.height), id="height at the start of the story"),
        pytest.param("eth_getBlockByNumber", (hex(ETHEREUM.height + 1), False), None, id="a block to come is null"),
        pytest.param("eth_getTransactionCount", (STRANGER, "latest"), "0x0", id="a stranger sent nothing"),
        pytest.param("eth_getBalance", (STRANGER, "latest"), "0x0", id="a stranger has nothing"),
        pytest.param("eth_getBalance", (STRANGER,), "0x0", id="the block may be left out"),
        pytest.param("eth_call", (CALL, "latest"), "0x", id="no contract answers a call"),
        pytest.param("eth_getCode", (STRANGER, "latest"), "0x", id="no code"),
    ],
)
def test_results(chain: StagedChain, method: str, params: tuple[object, ...], result: object) -> None:
    response = call(chain, method, *params)
    assert (response.result, response.error, response.id) == (result, None, 7)


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        pytest.param("eth_sendRawTransaction", ("0x00",), -32601, id="unknown method"),
        pytest.param("eth_getBalance", (), -32602, id="no address"),
        pytest.param("eth_getBalance", ("0x1234", "latest"), -32602, id="not an address"),
        pytest.param("eth_getBalance", (STRANGER, "newest"), -32602, id="not a tag"),
        pytest.param("eth_getBalance", (STRANGER, "0x0001"), -32602, id="a quantity with leading zeros"),
        pytest.param("eth_getBalance", (STRANGER, 24_370_000), -32602, id="a height as a JSON number"),
        pytest.param("eth_getBlockByNumber", ("latest",), -32602, id="block without saying how much of it"),
        pytest.param("eth_getBalance", (STRANGER, hex(ETHEREUM.height + 1)), -32001, id="state of a block to come"),
        pytest.param("eth_getBalance", (STRANGER, {"blockHash": "0x" + "ab" * 32}), -32001, id="unknown block hash"),
    ],
)
def test_errors(chain: StagedChain, method: str, params: tuple[object, ...], code: int) -> None:
    response = call(chain, method, *params)
    assert response.error is not None
    assert (response.error["code"], response.result, response.id) == (code, None, 7)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(b"{", -32700, id="no JSON"),
        pytest.param(b"[]", -32600, id="an empty batch"),
        pytest.param(b'{"id":1,"method":"eth_chainId"}', -32600, id="no version"),
        pytest.param(b'"eth_chainId"', -32600, id="no object"),
    ],
)
def test_what_is_no_request_is_answered_without_an_id(chain: StagedChain, body: bytes, code: int) -> None:
    answer = chain.answer(body, SCRIPT.start)
    assert answer is not None
    response = msgspec.json.decode(answer, type=Response)
    assert response.error is not None
    assert (response.error["code"], response.id) == (code, None)


def test_a_batch_echoes_ids_and_leaves_notifications_out(chain: StagedChain) -> None:
    requests = [
        {"jsonrpc": "2.0", "id": 2, "method": "eth_chainId"},
        {"jsonrpc": "2.0", "method": "eth_chainId"},
        {"jsonrpc": "2.0", "id": "one", "method": "eth_nothing"},
        5,
    ]
    body = chain.answer(msgspec.json.encode(requests), SCRIPT.start)
    assert body is not None
    responses = msgspec.json.decode(body, type=list[Response])
    assert [(r.id, r.result, r.error and r.error["code"]) for r in responses] == [
        (2, "0x1", None),
        ("one", None, -32601),
        (None, None, -32600),
    ]
    assert chain.answer(msgspec.json.encode(requests[1]), SCRIPT.start) is None


@pytest.mark.parametrize(
    ("network", "seconds"),
    [pytest.param(n, s, id=n.name) for n, s in zip(NETWORKS, (12, 3, 2, 1, 2), strict=True)],
)
def test_blocks_come_at_their_pace_and_are_linked(payments: Payments, network: Network, seconds: int) -> None:
    chain, now = StagedChain(network, script=SCRIPT, payments=payments), at(3.3)
    head = block(chain, "latest", now=now)
    parent = block(chain, hex(int(head.number, 16) - 1), now=now)
    assert head.parent_hash == parent.hash != head.hash
    assert int(head.timestamp, 16) - int(parent.timestamp, 16) == seconds
    assert 0 <= now.timestamp() - int(head.timestamp, 16) < seconds


def test_nonces_by_block_add_up_to_the_payments(chain: StagedChain, payments: Payments) -> None:
    blocks_per_minute = 60 // ETHEREUM.block_seconds
    heights = [ETHEREUM.height + minute * blocks_per_minute for minute in range(-20, 41)]
    sent = [
        sum(number(chain, "eth_getTransactionCount", w, hex(h), now=at(40)) for w in chain.wallets) for h in heights
    ]
    counts = payments.counts(ETHEREUM.name, first=-20, last=40).sum(axis=0).tolist()
    assert [after - before for before, after in pairwise(sent)] == counts


def test_only_two_wallets_send(chain: StagedChain) -> None:
    def nonces(now: datetime) -> list[int]:
        return [number(chain, "eth_getTransactionCount", wallet, "latest", now=now) for wallet in chain.wallets]

    moved = [after > before for before, after in zip(nonces(at(-5)), nonces(at(5)), strict=True)]
    assert moved == [True] * SENDERS + [False] * 4


def test_addresses_are_read_in_any_case(chain: StagedChain) -> None:
    wallet = chain.wallets[0]
    upper = "0x" + wallet[2:].upper()
    assert call(chain, "eth_getBalance", upper, "latest") == call(chain, "eth_getBalance", wallet, "latest")


def test_reserves_rise_by_height_and_by_hash(chain: StagedChain) -> None:
    now = SCRIPT.ends_at + MINUTE
    before = hex(chain.height(SCRIPT.campaign_at))
    head = block(chain, "latest", now=now)

    def total(tag: object) -> int:
        return sum(number(chain, "eth_getBalance", wallet, tag, now=now) for wallet in chain.wallets)

    assert total({"blockHash": head.hash, "requireCanonical": True}) == total("latest") == total(head.number)
    assert total(before) == ETHEREUM.reserve * 10**18
    assert total("latest") / total(before) == pytest.approx(1.006)


async def test_coin_list_closes_and_opens_with_the_story(client: aiohttp.ClientSession) -> None:
    async def coins(minute: float) -> CoinList:
        async with Stage(SCRIPT, Clock(start=at(minute))) as stage:
            response = await client.get(f"{stage.exchange_url}/api/v3/currencies")
            return msgspec.json.decode(await response.read(), type=CoinList)

    before, halted, after = [await coins(minute) for minute in (12, 20, 31)]
    assert before.code == "200000"
    assert len(before.data) == 208
    assert {coin.currency for coin in before.data[:8]} == {"BTC", "ETH", "USDT", "USDC", "SOL", "XRP", "TRX", "BNB"}
    assert any(coin.chains is None for coin in before.data)
    closed = [chain for chain in before.chains() if not chain.is_withdraw_enabled]
    assert len(closed) / len(before.chains()) == pytest.approx(0.08, abs=0.01)
    assert not any(chain.is_withdraw_enabled for chain in halted.chains())
    assert [c.is_deposit_enabled for c in halted.chains()] == [c.is_deposit_enabled for c in before.chains()]
    assert after == before


async def test_trading_goes_on_in_the_halt(client: aiohttp.ClientSession) -> None:
    clock = Clock(start=at(20))
    async with Stage(SCRIPT, clock) as stage:
        response = await client.get(f"{stage.exchange_url}/api/v1/market/histories", params={"symbol": "BTC-USDT"})
        trades = msgspec.json.decode(await response.read(), type=Trades)
        moment = await (await client.get(f"{stage.exchange_url}/api/v1/timestamp")).json()
        unknown = await (await client.get(f"{stage.exchange_url}/api/v1/market/histories")).json()
    times = [trade.time for trade in trades.data]
    newest = datetime.fromtimestamp(times[-1] / 1e9, UTC)
    assert len(times) == 100
    assert times == sorted(times)
    assert timedelta(0) <= clock.now() - newest < timedelta(seconds=5)
    assert abs(moment["data"] / 1000 - clock.now().timestamp()) < 5
    assert unknown["code"] != "200000"


@pytest.mark.parametrize(
    ("minute", "stages", "indicator", "withdrawals"),
    [
        pytest.param(20, [], "none", "operational", id="nothing said yet"),
        pytest.param(28, ["investigating"], "major", "major_outage", id="first word"),
        pytest.param(31, ["identified", "investigating"], "major", "partial_outage", id="identified"),
        pytest.param(36, [], "none", "operational", id="resolved: the summary lists unresolved incidents only"),
    ],
)
async def test_status_page(
    client: aiohttp.ClientSession, minute: float, stages: list[str], indicator: str, withdrawals: str
) -> None:
    async with Stage(SCRIPT, Clock(start=at(minute))) as stage:
        response = await client.get(f"{stage.status_url}/api/v2/summary.json")
        summary = msgspec.json.decode(await response.read(), type=Summary)
    assert [update.status for incident in summary.incidents for update in incident.incident_updates] == stages
    assert summary.status["indicator"] == indicator
    assert summary.components[0]["name"] == "Withdrawals"
    assert [component["status"] for component in summary.components] == [withdrawals, *["operational"] * 3]


async def test_resolved_incident_is_among_all_incidents(client: aiohttp.ClientSession) -> None:
    async with Stage(SCRIPT, Clock(start=at(36))) as stage:
        response = await client.get(f"{stage.status_url}/api/v2/incidents.json")
        (incident,) = msgspec.json.decode(await response.read(), type=Incidents).incidents
    assert (incident.status, incident.resolved_at) == ("resolved", SCRIPT.drained_at)
    assert [update.created_at for update in incident.incident_updates] == [
        SCRIPT.drained_at,
        SCRIPT.resumed_at,
        SCRIPT.official_at,
    ]


async def test_stage_answers_by_its_clock_and_stops(client: aiohttp.ClientSession) -> None:
    async with Stage(SCRIPT, Clock(start=at(5), speed=30)) as stage:
        for url in stage.control_urls:
            response = await client.get(url)
            assert response.status == 204
            assert abs(parsedate_to_datetime(response.headers["Date"]) - at(5)) < timedelta(minutes=2)
        for network in NETWORKS:
            request = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
            answer = await (await client.post(stage.chain_urls[network.name], json=request)).json()
            assert answer == {"jsonrpc": "2.0", "id": 1, "result": hex(network.chain_id)}
            assert len(set(stage.wallets[network.name])) == 6
            assert all(wallet == wallet.lower() for wallet in stage.wallets[network.name])
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.get(stage.exchange_url)
