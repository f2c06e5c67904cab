"""What a read-only key's own account holds, asked of servers that check signatures as each exchange documents it."""

import base64
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
from msgspec import Struct

from monitor.clock import Clock
from monitor.http import Http
from monitor.model import Exposure, FailureReason, Reading, RemoteError
from monitor.probes import EXCHANGES
from monitor.probes.account import Credentials
from monitor.probes.exchange import Exchange, Own, probes_of
from monitor.probes.exposure import FundsProbe
from tests.hand_clock import HandClock
from tests.venues import Balance, Keys, Limit, Right, Venue
from tests.venues_binance import binance
from tests.venues_bitget import bitget
from tests.venues_bybit import bybit
from tests.venues_cryptocom import cryptocom
from tests.venues_gate import gate
from tests.venues_kraken import kraken
from tests.venues_kucoin import kucoin
from tests.venues_mexc import mexc
from tests.venues_okx import okx
from tests.venues_upbit import upbit

SECRET = base64.b64encode(b"S3CR3T-secret").decode()
OTHER = base64.b64encode(b"S3CR3T-of-somebody-else").decode()
KEYS = Keys(key="S3CR3T-key", secret=SECRET, passphrase=SECRET[:8])
FREE, LOCKED = Decimal("3200.5"), Decimal("1799.5")
EVERYTHING = Decimal(5000)


class Case(Struct, frozen=True, kw_only=True):
    """An exchange and the server that stands for it."""

    exchange: Exchange
    venue: Callable[[Keys, Clock], Venue]
    base: str = ""  # what its address has behind the host
    word: str = "BTC"  # what the exchange calls Bitcoin
    ahead: timedelta = timedelta(minutes=4)
    rights_path: str = ""
    trading: str = ""  # a word of its own for the right to trade


CASES = {
    "binance": Case(
        exchange=EXCHANGES["binance"],
        venue=binance,
        rights_path="/sapi/v1/account/apiRestrictions",
        trading="enableSpotAndMarginTrading",
    ),
    "okx": Case(exchange=EXCHANGES["okx"], venue=okx, rights_path="/api/v5/account/config", trading="trade"),
    "bybit": Case(exchange=EXCHANGES["bybit"], venue=bybit, rights_path="/v5/user/query-api", trading="Spot.SpotTrade"),
    "kraken": Case(
        exchange=EXCHANGES["kraken"],
        venue=kraken,
        word="XXBT",
        rights_path="/0/private/GetApiKeyInfo",
        trading="modify-trades",
    ),
    "mexc": Case(exchange=EXCHANGES["mexc"], venue=mexc),
    "cryptocom": Case(
        exchange=EXCHANGES["cryptocom"],
        venue=cryptocom,
        base="/exchange/v1",
        ahead=timedelta(seconds=50),  # it has no page that tells the time, and takes nonces that are 60 s off
    ),
    "upbit": Case(exchange=EXCHANGES["upbit"], venue=upbit),
    # This server knows no page of the key's rights, nor does Bitget's.
    "kucoin": Case(exchange=msgspec.structs.replace(EXCHANGES["kucoin"], rights=None), venue=kucoin),
    "gate": Case(exchange=EXCHANGES["gate"], venue=gate),
    "bitget": Case(exchange=msgspec.structs.replace(EXCHANGES["bitget"], rights=None), venue=bitget),
}
TELLING_RIGHTS = {name: case for name, case in CASES.items() if case.rights_path}


def every(cases: dict[str, Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases.values(), ids=cases)


class Desk(Struct, frozen=True):
    venue: Venue
    probe: FundsProbe
    clock: HandClock

    def hold(self, *balances: Balance) -> None:
        self.venue.balances = list(balances)


@asynccontextmanager
async def desk(case: Case, *, secret: str = SECRET) -> AsyncIterator[Desk]:
    clock = HandClock()
    async with case.venue(KEYS, clock) as venue, Http(clock, trusted=nobody) as http:
        own = msgspec.structs.replace(reached(case, venue), credentials=Credentials(KEYS.key, secret, KEYS.passphrase))
        probes = probes_of(case.exchange, http=http, clock=clock, own=own)
        (probe,) = (each for each in probes if isinstance(each, FundsProbe))
        yield Desk(venue, probe, clock)


def nobody() -> ssl.SSLContext:
    """Trusts no certificate, as nothing here shows one."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def reached(case: Case, venue: Venue) -> Own:
    return Own(url=venue.url + case.base, status_page="", allow_private=True, funds=True)


def bitcoin(case: Case, *, free: Decimal = FREE, locked: Decimal = LOCKED) -> Balance:
    return Balance(asset=case.word, free=free, locked=locked)


def told(reading: Reading) -> dict[str, Decimal]:
    lines = [line for line in reading if isinstance(line, Exposure)]
    assert len(lines) == len(reading) == len({line.asset for line in lines})
    return {line.asset: line.amount for line in lines}


async def failure(probe: FundsProbe) -> RemoteError:
    with pytest.raises(RemoteError) as caught:
        await probe.observe()
    assert "S3CR3T" not in f"{caught.value!r} {caught.value}"
    assert SECRET not in f"{caught.value!r}"
    return caught.value


@every(CASES)
async def test_what_is_free_and_what_is_locked_is_told_together(case: Case) -> None:
    async with desk(case) as at:
        at.hold(bitcoin(case), Balance(asset="USDT", free=Decimal("0.00000001")), Balance(asset="LINK"))
        reading = await at.probe.observe()
        assert told(reading) == {"BTC": EVERYTHING, "USDT": Decimal("0.00000001")}
        for line in reading:
            assert isinstance(line, Exposure)
            assert (line.exchange, line.at) == (case.exchange.name, at.clock.now())
        assert not at.venue.refusals


@every(CASES)
async def test_a_server_whose_clock_is_minutes_ahead_is_followed(case: Case) -> None:
    async with desk(case) as at:
        at.hold(bitcoin(case))
        at.venue.server_ahead = case.ahead
        assert told(await at.probe.observe()) == {"BTC": EVERYTHING}
        assert not at.venue.refusals


@every(TELLING_RIGHTS)
async def test_a_key_that_may_trade_is_refused_before_anything_is_told(case: Case) -> None:
    async with desk(case) as at:
        at.hold(bitcoin(case))
        at.venue.rights = {Right.READ, Right.TRADE}
        for _ in range(3):
            error = await failure(at.probe)
            assert error.reason is FailureReason.AUTH
            assert case.trading in error.detail
        assert case.exchange.server_time is not None
        assert set(at.venue.requests) == {case.exchange.server_time.path, case.rights_path}
        at.venue.rights = {Right.READ}
        assert told(await at.probe.observe()) == {"BTC": EVERYTHING}


@every(CASES)
async def test_an_asset_that_is_gone_is_told_as_zero_once(case: Case) -> None:
    async with desk(case) as at:
        at.hold(bitcoin(case), Balance(asset="USDT", free=Decimal(20)))
        await at.probe.observe()
        at.hold(bitcoin(case, locked=Decimal(0)))
        assert told(await at.probe.observe()) == {"BTC": FREE, "USDT": Decimal(0)}
        at.hold(bitcoin(case, free=Decimal(0), locked=Decimal(0)))
        assert told(await at.probe.observe()) == {"BTC": Decimal(0)}
        assert told(await at.probe.observe()) == {}


@every(CASES)
async def test_an_account_with_nothing_says_so_once(case: Case) -> None:
    """At the first look a zero: what was held before a restart is gone."""
    async with desk(case) as at:
        assert [seen.amount for seen in await at.probe.observe() if type(seen) is Exposure] == [Decimal(0)]
        assert await at.probe.observe() == ()
        assert not at.venue.refusals


@every(CASES)
@pytest.mark.parametrize("amount", [Decimal("NaN"), Decimal(-1)], ids=["not a number", "below zero"])
@pytest.mark.parametrize("is_free", [True, False], ids=["free", "locked"])
async def test_an_amount_that_is_none_takes_nothing_back(case: Case, amount: Decimal, *, is_free: bool) -> None:
    async with desk(case) as at:
        at.hold(bitcoin(case), Balance(asset="USDT", free=Decimal(20)))
        await at.probe.observe()
        nothing = Decimal(0)
        wrong = bitcoin(case, free=amount, locked=nothing) if is_free else bitcoin(case, free=nothing, locked=amount)
        at.hold(wrong)
        assert (await failure(at.probe)).reason is FailureReason.SCHEMA
        at.hold(bitcoin(case))
        assert told(await at.probe.observe()) == {"BTC": EVERYTHING, "USDT": Decimal(0)}


@every(CASES)
async def test_a_wrong_secret_is_told_as_one(case: Case) -> None:
    async with desk(case, secret=OTHER) as at:
        at.hold(bitcoin(case))
        assert (await failure(at.probe)).reason is FailureReason.AUTH
        assert at.venue.refusals


@every(CASES)
async def test_who_is_told_to_slow_down_takes_nothing_back(case: Case) -> None:
    async with desk(case) as at:
        at.hold(bitcoin(case))
        await at.probe.observe()
        at.venue.limit = Limit.SLOW_DOWN
        assert (await failure(at.probe)).reason is FailureReason.RATE_LIMITED
        at.venue.limit = Limit.NONE
        at.clock.hand += 3600
        assert told(await at.probe.observe()) == {"BTC": EVERYTHING}


async def test_krakens_ledgers_of_an_asset_are_one() -> None:
    case = CASES["kraken"]
    async with desk(case) as at:
        ledgers = {"XXBT": 1, "XBT.F": 2, "XBT.M": 4, "DOT": 8, "DOT28.S": 16, "ZUSD": 32, "USD.HOLD": 64}
        at.hold(*(Balance(asset=name, free=Decimal(amount)) for name, amount in ledgers.items()))
        assert told(await at.probe.observe()) == {"BTC": Decimal(7), "DOT": Decimal(24), "USD": Decimal(96)}


@every(CASES)
async def test_balances_are_asked_for_only_with_a_key_and_where_wanted(case: Case) -> None:
    clock = HandClock()
    async with case.venue(KEYS, clock) as venue, Http(clock, trusted=nobody) as http:
        own = reached(case, venue)
        key = Credentials(KEYS.key, SECRET, KEYS.passphrase)
        for unasked in (own, msgspec.structs.replace(own, credentials=key, funds=False)):
            probes = probes_of(case.exchange, http=http, clock=clock, own=unasked)
            assert not any(isinstance(probe, FundsProbe) for probe in probes)
