"""Our client with a read-only key, against servers written from each exchange's documentation by others.

These servers check signatures, nonces and times as the documentation says they do, so what they answer was asked right.
"""

import base64
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from msgspec import Struct

from monitor.clock import Clock
from monitor.http import Http
from monitor.model import (
    Direction,
    FailureReason,
    ListRead,
    RailState,
    RailStatus,
    Reading,
    RemoteError,
    WithdrawalSample,
)
from monitor.probes import EXCHANGES
from monitor.probes.account import SERVER_TIME_SECONDS, Credentials
from monitor.probes.exchange import Exchange, Own, probes_of
from monitor.probes.history import HistoryProbe
from monitor.probes.listing import ListProbe
from monitor.probes.probe import Probe
from tests.hand_clock import NOON, HandClock
from tests.venues import Keys, Limit, Progress, Rail, Right, Venue, Withdrawal
from tests.venues_binance import binance
from tests.venues_bitget import bitget
from tests.venues_bybit import bybit
from tests.venues_cryptocom import cryptocom
from tests.venues_gate import gate
from tests.venues_htx import htx
from tests.venues_kraken import kraken
from tests.venues_kucoin import kucoin
from tests.venues_mexc import mexc
from tests.venues_okx import okx
from tests.venues_upbit import upbit

SECRET = base64.b64encode(b"S3CR3T-secret").decode()
OTHER = base64.b64encode(b"S3CR3T-of-somebody-else").decode()
KEYS = Keys(key="S3CR3T-key", secret=SECRET, passphrase=SECRET[:8])
OUT, OPEN, SUSPENDED = Direction.WITHDRAWAL, RailState.OPEN, RailState.SUSPENDED
REFUSED = (FailureReason.RATE_LIMITED, FailureReason.BLOCKED)


class Case(Struct, frozen=True, kw_only=True):
    """An exchange and the server that stands for it. Words are the exchange's, rails and states ours."""

    exchange: Exchange
    venue: Callable[[Keys, Clock], Venue]
    base: str = ""  # what its address has behind the host
    word: tuple[str, str] = ("USDT", "TRX")
    rail: tuple[str, str] = ("USDT", "tron")
    listed: tuple[str, str] | None = ("USDT", "tron")  # None where the server has no list
    has_history: bool = True
    ahead: timedelta = timedelta(minutes=4)
    tells_end: bool = True  # its history says when a withdrawal was over
    tells_failure: bool = True  # and what it has for a failure is not the word for one that its owner cancelled
    rights_path: str = ""
    trading: str = ""  # a word of its own for the right to trade
    paying: str = ""


CASES = {
    "binance": Case(
        exchange=EXCHANGES["binance"],
        venue=binance,
        rights_path="/sapi/v1/account/apiRestrictions",
        trading="enableSpotAndMarginTrading",
        paying="enableWithdrawals",
    ),
    "okx": Case(
        exchange=EXCHANGES["okx"],
        venue=okx,
        word=("USDT", "USDT-TRC20"),
        tells_end=False,
        rights_path="/api/v5/account/config",
        trading="trade",
        paying="withdraw",
    ),
    "bybit": Case(
        exchange=EXCHANGES["bybit"],
        venue=bybit,
        rights_path="/v5/user/query-api",
        trading="Spot.SpotTrade",
        paying="Wallet.Withdraw",
    ),
    "kraken": Case(
        exchange=EXCHANGES["kraken"],
        venue=kraken,
        word=("XXBT", "Bitcoin"),
        rail=("BTC", "bitcoin"),
        listed=("BTC", "*"),
        tells_end=False,
        tells_failure=False,
        rights_path="/0/private/GetApiKeyInfo",
        trading="modify-trades",
        paying="withdraw-funds",
    ),
    "mexc": Case(exchange=EXCHANGES["mexc"], venue=mexc),
    "cryptocom": Case(
        exchange=EXCHANGES["cryptocom"],
        venue=cryptocom,
        base="/exchange/v1",
        has_history=False,
        ahead=timedelta(seconds=50),  # it has no page that tells the time, and takes nonces that are 60 s off
    ),
    "upbit": Case(exchange=EXCHANGES["upbit"], venue=upbit, has_history=False),
    # This server knows no page of the key's rights, nor does Bitget's.
    "kucoin": Case(
        exchange=msgspec.structs.replace(EXCHANGES["kucoin"], rights=None),
        venue=kucoin,
        word=("USDT", "trx"),
        listed=None,
    ),
    "gate": Case(exchange=EXCHANGES["gate"], venue=gate, listed=None, tells_end=False, tells_failure=False),
    "bitget": Case(
        exchange=msgspec.structs.replace(EXCHANGES["bitget"], rights=None),
        venue=bitget,
        word=("USDT", "trc20"),
        listed=None,
    ),
    "htx": Case(exchange=EXCHANGES["htx"], venue=htx, word=("usdt", "trc20usdt"), listed=None),
}
LISTS = {name: case for name, case in CASES.items() if case.listed is not None}
HISTORIES = {name: case for name, case in CASES.items() if case.has_history}
TELLING_RIGHTS = {name: case for name, case in CASES.items() if case.rights_path}
TELLING_TIME = {name: case for name, case in CASES.items() if case.exchange.server_time is not None}
PUBLIC_FLAGS = ("kraken", "kucoin", "gate", "bitget", "htx")
OTHERS = (Rail(asset="LINK", network="LINK-ERC20"), Rail(asset="UNI", network="UNI-ERC20"))
"""In every list, so that a rail that closes is one of several."""


def every(cases: dict[str, Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases.values(), ids=cases)


class Desk(Struct, frozen=True):
    """A client at work: its venue, the probes that a key opens, and the hand of both their clocks."""

    venue: Venue
    probes: list[Probe]
    http: Http
    clock: HandClock

    @property
    def lists(self) -> ListProbe:
        return next(probe for probe in self.probes if isinstance(probe, ListProbe))

    @property
    def history(self) -> HistoryProbe:
        return next(probe for probe in self.probes if isinstance(probe, HistoryProbe))

    def asked(self) -> int:
        return sum(self.venue.requests.values())


@asynccontextmanager
async def desk(case: Case, *, secret: str = SECRET, frozen_until: datetime | None = None) -> AsyncIterator[Desk]:
    clock = HandClock()
    async with case.venue(KEYS, clock) as venue, Http(clock, trusted=nobody) as http:
        venue.rails += [Rail(asset=case.word[0], network=case.word[1]), *OTHERS]
        key = Credentials(KEYS.key, secret, KEYS.passphrase)
        own = msgspec.structs.replace(reached(case, venue), credentials=key, frozen_until=frozen_until)
        probes = probes_of(case.exchange, http=http, clock=clock, own=own)
        yield Desk(venue, [probe for probe in probes if is_answered(case, probe)], http, clock)


def nobody() -> ssl.SSLContext:
    """Trusts no certificate, as nothing here shows one."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def reached(case: Case, venue: Venue) -> Own:
    return Own(url=venue.url + case.base, status_page="", allow_private=True, history=True)


def is_answered(case: Case, probe: Probe) -> bool:
    match probe:
        case ListProbe():
            return case.listed is not None
        case HistoryProbe():
            return case.has_history
        case _:
            return False


def requested(case: Case, *, ago: timedelta) -> Withdrawal:
    asset, network = case.word
    return Withdrawal(number=7, asset=asset, network=network, amount=Decimal("250.5"), requested_at=NOON - ago)


def states(reading: Reading) -> dict[tuple[str, str], RailState]:
    """Of the ways out."""
    return {(line.asset, line.network): line.state for line in _statuses(reading)}


def _statuses(reading: Reading) -> list[RailStatus]:
    return [line for line in reading if isinstance(line, RailStatus) and line.direction is OUT]


def samples(reading: Reading) -> list[tuple[str, str, str, float]]:
    told = [line for line in reading if isinstance(line, WithdrawalSample)]
    return [(line.asset, line.network, line.state, line.elapsed_seconds) for line in told]


async def failure(probe: Probe) -> RemoteError:
    with pytest.raises(RemoteError) as caught:
        await probe.observe()
    assert "S3CR3T" not in f"{caught.value!r} {caught.value}"
    assert SECRET not in f"{caught.value!r}"
    return caught.value


@every(LISTS)
async def test_a_list_is_read_from_a_server_whose_clock_is_minutes_ahead(case: Case) -> None:
    async with desk(case) as at:
        at.venue.server_ahead = case.ahead
        reading = await at.lists.observe()
        assert case.listed in states(reading)
        assert set(states(reading).values()) == {OPEN}
        assert isinstance(reading[-1], ListRead)
        assert not at.venue.refusals


@every(HISTORIES)
async def test_a_history_is_read_from_a_server_whose_clock_is_minutes_ahead(case: Case) -> None:
    async with desk(case) as at:
        at.venue.server_ahead = case.ahead
        at.venue.withdrawals.append(requested(case, ago=timedelta(minutes=9)))
        assert [sample[:3] for sample in samples(await at.history.observe())] == [(*case.rail, "pending")]
        assert not at.venue.refusals


@every(TELLING_TIME)
async def test_a_server_whose_clock_is_set_is_followed(case: Case) -> None:
    async with desk(case) as at:
        for ahead in (timedelta(), case.ahead, -case.ahead):
            at.venue.server_ahead = ahead
            at.clock.hand += SERVER_TIME_SECONDS
            for probe in at.probes:
                await probe.observe()
        assert not at.venue.refusals


@every(LISTS)
async def test_a_rail_that_closes_is_suspended_at_the_next_reading(case: Case) -> None:
    async with desk(case) as at:
        await at.lists.observe()
        at.venue.rail(*case.word).withdrawals = False
        assert states(await at.lists.observe()) == {case.listed: SUSPENDED}
        at.venue.rail(*case.word).withdrawals = True
        assert states(await at.lists.observe()) == {case.listed: OPEN}
        assert not at.venue.refusals


@every(TELLING_RIGHTS)
@pytest.mark.parametrize("right", [Right.TRADE, Right.WITHDRAW], ids=["may trade", "may withdraw"])
async def test_a_key_that_may_do_more_than_read_is_only_asked_what_it_may_do(case: Case, right: Right) -> None:
    async with desk(case) as at:
        at.venue.rights = {Right.READ, right}
        at.venue.withdrawals.append(requested(case, ago=timedelta(minutes=9)))
        for _ in range(3):
            error = await failure(at.history)
            assert error.reason is FailureReason.AUTH
            assert (case.trading if right is Right.TRADE else case.paying) in error.detail
        assert case.exchange.server_time is not None
        asked = {case.exchange.server_time.path, case.rights_path}
        assert set(at.venue.requests) == asked
        at.venue.rights = {Right.READ}
        assert samples(await at.history.observe())


@every(CASES)
async def test_a_wrong_secret_is_told_as_one(case: Case) -> None:
    async with desk(case, secret=OTHER) as at:
        for probe in at.probes:
            if probe.name in signed(case):
                assert (await failure(probe)).reason is FailureReason.AUTH
        assert at.venue.refusals


@every(CASES)
@pytest.mark.parametrize("limit", [Limit.SLOW_DOWN, Limit.BANNED], ids=["slowed down", "banned"])
@pytest.mark.parametrize("known", [True, False], ids=["in the middle", "at first contact"])
async def test_who_is_told_to_stop_asks_nothing_until_it_is_over(case: Case, limit: Limit, known: bool) -> None:
    async with desk(case) as at:
        if known:
            for probe in at.probes:
                await probe.observe()
        at.venue.limit = limit
        assert (await failure(at.probes[-1])).reason in REFUSED
        (closure,) = at.http.closed()
        asked = at.asked()
        while at.clock.now() < closure.until - timedelta(seconds=1):
            at.clock.hand += (closure.until - at.clock.now()).total_seconds() / 2
            for probe in at.probes:
                assert (await failure(probe)).reason in REFUSED
        assert at.asked() == asked
        at.venue.limit = Limit.NONE
        at.clock.hand += 2
        for probe in at.probes:
            await probe.observe()


@every({name: CASES[name] for name in ("binance", "mexc")})
async def test_the_wait_that_a_server_names_is_kept(case: Case) -> None:
    async with desk(case) as at:
        at.venue.limit, at.venue.retry_after = Limit.SLOW_DOWN, timedelta(seconds=700)
        assert (await failure(at.probes[0])).reason is FailureReason.RATE_LIMITED
        (closure,) = at.http.closed()
        assert 700 <= (closure.until - NOON).total_seconds() <= 703


@every(HISTORIES)
async def test_what_waits_has_an_age(case: Case) -> None:
    async with desk(case) as at:
        at.venue.withdrawals.append(requested(case, ago=timedelta(minutes=9)))
        assert samples(await at.history.observe()) == [(*case.rail, "pending", 540.0)]
        at.clock.hand += 60
        assert samples(await at.history.observe()) == [(*case.rail, "pending", 600.0)]


@every(HISTORIES)
async def test_what_was_sent_has_the_time_it_took(case: Case) -> None:
    async with desk(case) as at:
        withdrawal = requested(case, ago=timedelta(minutes=9))
        at.venue.withdrawals.append(withdrawal)
        await at.history.observe()
        withdrawal.progress, withdrawal.updated_at = Progress.SENT, NOON + timedelta(minutes=1)
        at.clock.hand += 180
        # Where the exchange does not tell when, it is when we saw it.
        took = 600.0 if case.tells_end else 720.0
        assert samples(await at.history.observe()) == [(*case.rail, "confirmed", took)]
        assert samples(await at.history.observe()) == []


@every(HISTORIES)
async def test_what_failed_is_told_once_unless_its_owner_cancelled_it(case: Case) -> None:
    async with desk(case) as at:
        withdrawal = requested(case, ago=timedelta(minutes=9))
        at.venue.withdrawals.append(withdrawal)
        await at.history.observe()
        withdrawal.progress, withdrawal.updated_at = Progress.FAILED, NOON
        told = [sample[:3] for sample in samples(await at.history.observe())]
        assert told == ([(*case.rail, "failed")] if case.tells_failure else [])
        assert samples(await at.history.observe()) == []


@every(HISTORIES)
async def test_what_waits_on_an_account_that_its_owner_froze_is_frozen(case: Case) -> None:
    async with desk(case, frozen_until=NOON + timedelta(seconds=90)) as at:
        at.venue.withdrawals.append(requested(case, ago=timedelta(minutes=9)))
        assert samples(await at.history.observe()) == [(*case.rail, "frozen", 540.0)]
        at.clock.hand += 100
        assert samples(await at.history.observe()) == [(*case.rail, "pending", 640.0)]


def signed(case: Case) -> set[str]:
    """The probes that need a key."""
    exchange = case.exchange
    assert exchange.history is not None
    return {exchange.history.probe, *(listing.probe for listing in exchange.lists if listing.signed)}


@every(CASES)
async def test_without_a_key_nothing_is_asked_that_needs_one(case: Case) -> None:
    clock = HandClock()
    async with case.venue(KEYS, clock) as venue, Http(clock, trusted=nobody) as http:
        probes = probes_of(case.exchange, http=http, clock=clock, own=reached(case, venue))
        assert probes
        assert not {probe.name for probe in probes} & signed(case)


@every(CASES)
def test_who_has_no_key_is_told_what_that_costs(case: Case) -> None:
    told = "" if case.exchange.name in PUBLIC_FLAGS else "flags need a read-only key; using chain and trades"
    assert case.exchange.needs_key == told
