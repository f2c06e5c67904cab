"""Probes of exchanges against a real server: what is reported at first, what as a change, what never."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from monitor.clock import Clock
from monitor.http import Http
from monitor.model import (
    Direction,
    FailureReason,
    ListRead,
    ProbeFailure,
    Rail,
    RailState,
    RailStatus,
    RailTerms,
    Reading,
    RemoteError,
    Source,
    SystemStatus,
    TradeActivity,
)
from monitor.probes import EXCHANGES
from monitor.probes.account import Credentials
from monitor.probes.exchange import Own, probes_of
from monitor.probes.probe import Probe
from monitor.probes.rails import RailReading, by_door

BODIES = Path(__file__).parents[1] / "data" / "exchanges"
START = datetime(2026, 2, 3, 12, 0, 12, 500_000, tzinfo=UTC)
KEY = Credentials("S3CR3T-key", "S3CR3T-secret")


class Exchange:
    """An exchange on loopback: a body a path, and the requests it has seen."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self.seen: list[web.Request] = []
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        self.server = TestServer(app)

    async def _answer(self, request: web.Request) -> web.Response:
        self.seen.append(request)
        if request.path not in self.bodies:
            raise web.HTTPNotFound
        return web.Response(body=self.bodies[request.path], content_type="application/json")

    @property
    def url(self) -> str:
        return str(self.server.make_url("")).rstrip("/")


@pytest.fixture
async def staged() -> AsyncIterator[Exchange]:
    exchange = Exchange()
    async with exchange.server:
        yield exchange


@pytest.fixture
def clock() -> Clock:
    return Clock(start=START)


@pytest.fixture
async def http(clock: Clock) -> AsyncIterator[Http]:
    async with Http(clock, per_second={"127.0.0.1": 1000.0}) as http:
        yield http


def looking(
    name: str, staged: Exchange, *, http: Http, clock: Clock, key: Credentials | None = None
) -> dict[str, Probe]:
    """The probes of one exchange, pointed at the staged one."""
    own = Own(url=staged.url, status_page="", allow_private=True, credentials=key, watched=[Rail("USDT", "tron")])
    probes = probes_of(EXCHANGES[name], http=http, clock=clock, own=own)
    return {probe.name: probe for probe in probes}


@pytest.fixture
def coins(staged: Exchange, http: Http, clock: Clock) -> Probe:
    staged.bodies["/api/v3/currencies"] = listed(usdt=True)
    return looking("kucoin", staged, http=http, clock=clock)["kucoin-currencies"]


def listed(*, usdt: bool, assets: int = 20, extra: str = "") -> bytes:
    """A KuCoin list of one rail an asset, all open but perhaps USDT."""
    names = ["USDT", *(f"C{number}" for number in range(assets - 1)), *extra.split()]
    return json.dumps(
        {"code": "200000", "data": [coin(name, is_open=usdt or name != "USDT") for name in names]}
    ).encode()


def coin(name: str, *, is_open: bool) -> dict[str, object]:
    chain = {"chainId": "trx", "chainName": "TRC20", "isWithdrawEnabled": is_open, "isDepositEnabled": True}
    return {"currency": name, "chains": [chain]}


def changed(reading: Reading) -> list[tuple[str, Direction, RailState]]:
    return [(line.asset, line.direction, line.state) for line in reading if isinstance(line, RailStatus)]


def counts(reading: Reading) -> tuple[int, int]:
    match reading[-1]:
        case ListRead(rails=rails, changed=changed):
            return rails, changed
        case other:
            pytest.fail(f"ends with {other}")


async def test_the_first_reading_reports_every_rail_and_ends_with_list_read(coins: Probe) -> None:
    reading = await coins.observe()
    assert len(changed(reading)) == 40
    assert counts(reading) == (40, 40)
    assert reading[0] == RailStatus(
        at=reading[0].at,
        exchange="kucoin",
        probe="kucoin-currencies",
        asset="C0",
        network="tron",
        direction=Direction.WITHDRAWAL,
        state=RailState.OPEN,
        raw="TRC20",
    )
    assert {line.at for line in reading} == {reading[0].at}
    assert reading[0].at >= START


async def test_later_readings_report_only_what_changed(coins: Probe, staged: Exchange) -> None:
    await coins.observe()
    staged.bodies["/api/v3/currencies"] = listed(usdt=False)
    reading = await coins.observe()
    assert changed(reading) == [("USDT", Direction.WITHDRAWAL, RailState.SUSPENDED)]
    assert counts(reading) == (40, 1)


@pytest.mark.parametrize("spaces", [0, 3], ids=["the same bytes", "other bytes that say the same"])
async def test_an_unchanged_list_is_a_reading_without_changes(coins: Probe, staged: Exchange, spaces: int) -> None:
    await coins.observe()
    staged.bodies["/api/v3/currencies"] += b" " * spaces
    reading = await coins.observe()
    assert len(reading) == 1
    assert counts(reading) == (40, 0)


async def test_a_vanished_rail_is_unlisted_once_and_news_when_it_returns(coins: Probe, staged: Exchange) -> None:
    await coins.observe()
    staged.bodies["/api/v3/currencies"] = listed(usdt=True, assets=19, extra="NEW")
    reading = await coins.observe()
    assert changed(reading) == [
        ("C18", Direction.WITHDRAWAL, RailState.UNLISTED),
        ("C18", Direction.DEPOSIT, RailState.UNLISTED),
        ("NEW", Direction.WITHDRAWAL, RailState.OPEN),
        ("NEW", Direction.DEPOSIT, RailState.OPEN),
    ]
    assert counts(reading) == (40, 4)
    staged.bodies["/api/v3/currencies"] = listed(usdt=True, assets=19, extra="NEW") + b" "
    assert changed(await coins.observe()) == []
    staged.bodies["/api/v3/currencies"] = listed(usdt=True, extra="NEW")
    assert changed(await coins.observe()) == [
        ("C18", Direction.WITHDRAWAL, RailState.OPEN),
        ("C18", Direction.DEPOSIT, RailState.OPEN),
    ]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(listed(usdt=True, assets=2), FailureReason.SHAPE, id="nine coins in ten gone"),
        pytest.param(b'{"code": "200000", "data": []}', FailureReason.SHAPE, id="an empty list"),
        pytest.param(b'{"code": "200000", "data": [{"currency": "A"}]}', FailureReason.SCHEMA, id="another shape"),
        pytest.param(b"<html>maintenance</html>", FailureReason.SCHEMA, id="a page"),
    ],
)
async def test_a_list_that_cannot_be_is_a_failure_and_forgets_nothing(
    coins: Probe, staged: Exchange, body: bytes, reason: FailureReason
) -> None:
    await coins.observe()
    staged.bodies["/api/v3/currencies"] = body
    for _ in range(2):
        with pytest.raises(RemoteError) as caught:
            await coins.observe()
        assert caught.value.reason is reason
    staged.bodies["/api/v3/currencies"] = listed(usdt=False)
    assert changed(await coins.observe()) == [("USDT", Direction.WITHDRAWAL, RailState.SUSPENDED)]


async def test_an_empty_first_list_is_no_baseline(coins: Probe, staged: Exchange) -> None:
    staged.bodies["/api/v3/currencies"] = b'{"code": "200000", "data": [{"currency": "TRY", "chains": null}]}'
    with pytest.raises(RemoteError) as caught:
        await coins.observe()
    assert caught.value.reason is FailureReason.SHAPE


def broken(body: bytes, asset: str, **fields: object) -> bytes:
    """`body` with the chain of `asset` changed, or without it where a field is None."""
    answer = json.loads(body)
    for row in answer["data"]:
        if row["currency"] == asset:
            row["chains"][0].update(fields)
    return json.dumps(answer).encode()


def failures(reading: Reading) -> list[tuple[str | None, str | None]]:
    return [(line.asset, line.network) for line in reading if isinstance(line, ProbeFailure)]


async def test_a_row_that_cannot_be_read_costs_itself_and_is_told_once(coins: Probe, staged: Exchange) -> None:
    await coins.observe()
    whole = listed(usdt=False)
    staged.bodies["/api/v3/currencies"] = broken(whole, "C3", isWithdrawEnabled="false")
    reading = await coins.observe()
    assert failures(reading) == [("C3", "tron")]
    assert reading[0].detail.endswith("at `$.data[4].chains[0].isWithdrawEnabled`")  # type: ignore[union-attr]
    assert changed(reading) == [("USDT", Direction.WITHDRAWAL, RailState.SUSPENDED)]
    staged.bodies["/api/v3/currencies"] = broken(whole, "C3", isWithdrawEnabled="false") + b" "
    assert len(await coins.observe()) == 1
    staged.bodies["/api/v3/currencies"] = whole
    assert changed(await coins.observe()) == [
        ("C3", Direction.WITHDRAWAL, RailState.OPEN),
        ("C3", Direction.DEPOSIT, RailState.OPEN),
    ]


async def test_what_vanishes_beside_a_row_without_a_name_is_unread_and_not_unlisted(
    coins: Probe, staged: Exchange
) -> None:
    await coins.observe()
    answer = json.loads(listed(usdt=True))
    answer["data"][5]["currency"] = None
    staged.bodies["/api/v3/currencies"] = json.dumps(answer).encode()
    reading = await coins.observe()
    assert changed(reading) == []
    assert failures(reading) == [("C4", "tron"), (None, None)]


async def test_the_first_reading_says_that_it_is_complete_and_how_many_rows_are_not_in_it(
    coins: Probe, staged: Exchange
) -> None:
    staged.bodies["/api/v3/currencies"] = broken(listed(usdt=True), "C3", isWithdrawEnabled=0)
    reading = await coins.observe()
    assert failures(reading) == [("C3", None)]
    assert counts(reading) == (38, 38)
    assert (reading[-1].complete, reading[-1].flaws) == (True, 1)  # type: ignore[union-attr]


async def test_a_list_is_refused_when_most_of_its_rows_are_none(coins: Probe, staged: Exchange) -> None:
    answer = json.loads(listed(usdt=True))
    for row in answer["data"][:11]:
        row["chains"][0]["isWithdrawEnabled"] = None
    staged.bodies["/api/v3/currencies"] = json.dumps(answer).encode()
    with pytest.raises(RemoteError) as caught:
        await coins.observe()
    assert caught.value.reason is FailureReason.SCHEMA
    assert "11 of 20 rows" in caught.value.detail


async def test_a_list_cut_for_good_is_believed_after_ten_readings(coins: Probe, staged: Exchange) -> None:
    await coins.observe()
    staged.bodies["/api/v3/currencies"] = listed(usdt=True, assets=2)
    for _ in range(10):
        with pytest.raises(RemoteError) as caught:
            await coins.observe()
        assert caught.value.reason is FailureReason.SHAPE
    reading = await coins.observe()
    assert {state for _, _, state in changed(reading)} == {RailState.UNLISTED}
    assert counts(reading) == (4, 36)


async def test_a_whole_list_between_two_short_ones_starts_the_count_anew(coins: Probe, staged: Exchange) -> None:
    await coins.observe()
    for spaces in range(3):
        staged.bodies["/api/v3/currencies"] = listed(usdt=True, assets=2)
        for _ in range(9):
            with pytest.raises(RemoteError):
                await coins.observe()
        staged.bodies["/api/v3/currencies"] = listed(usdt=True) + b" " * (spaces + 1)
        assert changed(await coins.observe()) == []


@pytest.mark.parametrize(
    "name", ["", "x" * 65, 'x"} 1\nfoo', "a\u202eb"], ids=["none", "65 characters", "a line break", "bidi"]
)
async def test_a_name_that_is_none_costs_its_row(coins: Probe, staged: Exchange, name: str) -> None:
    await coins.observe()
    answer = json.loads(listed(usdt=True))
    answer["data"].append(coin(name.encode().decode("unicode_escape"), is_open=False))
    staged.bodies["/api/v3/currencies"] = json.dumps(answer).encode()
    reading = await coins.observe()
    assert changed(reading) == []
    assert failures(reading) == [(None, None)]


async def test_a_hundred_thousand_coins_are_refused(coins: Probe, staged: Exchange) -> None:
    await coins.observe()
    staged.bodies["/api/v3/currencies"] = listed(usdt=True, assets=30_000)
    with pytest.raises(RemoteError) as caught:
        await coins.observe()
    assert caught.value.reason is FailureReason.SHAPE


def terms(reading: Reading) -> list[RailTerms]:
    return [line for line in reading if isinstance(line, RailTerms)]


async def test_terms_of_watched_rails_are_told_when_they_change(coins: Probe, staged: Exchange) -> None:
    staged.bodies["/api/v3/currencies"] = broken(listed(usdt=True), "USDT", withdrawalMinFee="1", maxWithdraw=None)
    [told] = terms(await coins.observe())
    assert (told.asset, told.network, told.fee, told.maximum) == ("USDT", "tron", Decimal(1), None)
    staged.bodies["/api/v3/currencies"] += b" "
    assert terms(await coins.observe()) == []
    staged.bodies["/api/v3/currencies"] = broken(listed(usdt=True), "USDT", withdrawalMinFee="2.5")
    assert [told.fee for told in terms(await coins.observe())] == [Decimal("2.5")]


async def test_a_fee_below_nothing_is_a_failure_and_the_flag_still_counts(coins: Probe, staged: Exchange) -> None:
    staged.bodies["/api/v3/currencies"] = broken(listed(usdt=False), "USDT", withdrawalMinFee="-1")
    reading = await coins.observe()
    assert terms(reading) == []
    assert failures(reading) == [("USDT", None)]
    assert ("USDT", Direction.WITHDRAWAL, RailState.SUSPENDED) in changed(reading)


async def test_a_shuffled_list_has_not_changed(staged: Exchange, http: Http, clock: Clock) -> None:
    coins = json.loads((BODIES / "gate_currencies.json").read_bytes())
    staged.bodies["/api/v4/spot/currencies"] = json.dumps(coins).encode()
    probe = looking("gate", staged, http=http, clock=clock)["gate-currencies"]
    await probe.observe()
    staged.bodies["/api/v4/spot/currencies"] = json.dumps(coins[::-1]).encode()
    assert changed(await probe.observe()) == []


@pytest.mark.parametrize("order", [1, -1], ids=["closed door first", "open door first"])
def test_of_two_doors_to_one_rail_the_more_open_counts(order: int) -> None:
    closed = RailReading("WGP", "ethereum", Direction.WITHDRAWAL, RailState.SUSPENDED, "WGP prohibited")
    is_open = RailReading("WGP", "ethereum", Direction.WITHDRAWAL, RailState.OPEN, "ERC20")
    assert list(by_door([closed, is_open][::order]).values()) == [is_open]


async def test_newest_trade_and_status_are_read_each_time(staged: Exchange, http: Http, clock: Clock) -> None:
    staged.bodies["/0/public/Trades"] = (BODIES / "kraken_trades.json").read_bytes()
    staged.bodies["/0/public/SystemStatus"] = (BODIES / "kraken_system.json").read_bytes()
    probes = looking("kraken", staged, http=http, clock=clock)
    for _ in range(2):
        [trade] = await probes["kraken-trades"].observe()
        [status] = await probes["kraken-system"].observe()
        assert trade == TradeActivity(
            at=trade.at,
            exchange="kraken",
            probe="kraken-trades",
            market="BTC/USD",
            newest_trade_at=START,
            price=Decimal("70111.2"),
        )
        assert status == SystemStatus(
            at=status.at,
            exchange="kraken",
            probe="kraken-system",
            component="trading",
            state="degraded",
            raw="post_only",
            source=Source.SYSTEM_STATUS,
        )


def test_credentials_do_not_show() -> None:
    assert "S3CR3T" not in f"{KEY!r} {KEY}"


@pytest.mark.parametrize("exchange", sorted(EXCHANGES))
async def test_without_a_key_there_is_no_signed_list_and_a_person_is_told(
    exchange: str, staged: Exchange, http: Http, clock: Clock
) -> None:
    known = EXCHANGES[exchange]
    names = set(looking(exchange, staged, http=http, clock=clock))
    assert {listing.probe for listing in known.lists} & names == {
        listing.probe for listing in known.lists if not listing.signed
    }
    assert bool(known.needs_key) is all(listing.signed for listing in known.lists)
    assert f"{exchange}-trades" in names


def test_names_of_probes_are_unique(http: Http, clock: Clock) -> None:
    probes = [
        probe
        for exchange in EXCHANGES.values()
        for probe in probes_of(exchange, http=http, clock=clock, own=Own(credentials=KEY, history=True))
    ]
    assert len({probe.name for probe in probes}) == len(probes)
    assert "kraken-status-page" in {probe.name for probe in probes}


@pytest.mark.parametrize("name", sorted(EXCHANGES))
def test_what_is_asked_of_an_exchange_is_within_its_budget(name: str, http: Http, clock: Clock) -> None:
    probes = probes_of(EXCHANGES[name], http=http, clock=clock, own=Own(credentials=KEY, history=True))
    own = [probe for probe in probes if not probe.name.endswith(("-status-page", "-announcements"))]
    assert sum(1 / probe.interval for probe in own) <= EXCHANGES[name].per_second


def test_an_exchange_that_speaks_another_ones_api_has_probes_of_its_own(http: Http, clock: Clock) -> None:
    known = EXCHANGES["kucoin"]
    other = probes_of(known.spoken_by("mine", title="Mine"), http=http, clock=clock)
    its = probes_of(known, http=http, clock=clock)
    assert [probe.name.removeprefix("mine") for probe in other] == [probe.name.removeprefix("kucoin") for probe in its]
    assert {probe.exchange for probe in other} == {"mine"}


def test_a_persons_interval_is_that_of_the_list_alone(http: Http, clock: Clock) -> None:
    probes = probes_of(EXCHANGES["kraken"], http=http, clock=clock, own=Own(interval=7.0))
    assert {probe.name for probe in probes if probe.interval == 7.0} == {"kraken-assets"}


def test_the_registry_calls_each_exchange_by_its_name() -> None:
    assert all(name == exchange.name for name, exchange in EXCHANGES.items())


async def test_terms_that_leap_a_thousandfold_wait_for_a_second_reading(coins: Probe, staged: Exchange) -> None:
    staged.bodies["/api/v3/currencies"] = broken(listed(usdt=True), "USDT", withdrawalMinFee="1")
    await coins.observe()
    staged.bodies["/api/v3/currencies"] = broken(listed(usdt=True), "USDT", withdrawalMinFee="1000000")
    first = await coins.observe()
    assert (terms(first), failures(first)) == ([], [("USDT", None)])
    assert [told.fee for told in terms(await coins.observe())] == [Decimal(1_000_000)]
    assert terms(await coins.observe()) == []
