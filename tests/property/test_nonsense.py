"""Answers turned into nonsense, for every decoder: it reads them or raises RemoteError, and no state comes of nonsense.

Seeds are the samples beside the tests and, where `CEXWATCH_EVAL_DATA` points to them, real answers. The slice here is
short; `make soak` gives each decoder a minute.
"""

import asyncio
import json
import os
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest
from msgspec import Struct

from monitor.http import Answer
from monitor.model import RailStatus, Reading, RemoteError, SystemStatus, WithdrawalQueue
from monitor.probes import EXCHANGES, longtail
from monitor.probes.announcements import Posts, statement
from monitor.probes.answer import Endpoint, decode
from monitor.probes.feeds import posts
from monitor.probes.history import Withdrawal
from monitor.probes.push import Push
from monitor.probes.queue import QueueRow, row_of
from monitor.probes.rails import Listed
from monitor.probes.status_json import word_at
from monitor.probes.status_page import StatusPageProbe
from monitor.probes.system_status import SystemReading
from tests.hand_clock import NOON, HandClock

SAMPLES = Path(__file__).parents[1] / "data" / "exchanges"
DATA = os.environ.get("CEXWATCH_EVAL_DATA")
SLICE = 500  # of each sample
SLICE_OF_RECORDED = 40
SOAK_SECONDS = 60.0
LARGEST_SEED = 400_000

Decoder = Callable[[bytes], object]
Facts = dict[tuple[str, ...], str]
"""What must not become another thing by nonsense; what is missing afterwards was given up."""

RECORDED = {
    "binance-coins": ("binance_capital_config_getall_docsample", "binance_fetchCurrencies_live_2022-12-05_07ed53d"),
    "binance-system": ("binance_fetchStatus",),
    "binance-withdrawals": ("binance_fetchWithdrawals",),
    "bitfinex-system": ("bitfinex_platform_status",),
    "bitget-coins": ("bitget_coins_docsample",),
    "bitget-withdrawals": ("bitget_fetchWithdrawals",),
    "bithumb-coins": ("bithumb_walletstate_live_2022-12-08_2a9e55f",),
    "bybit-coins": ("bybit_coin_query_info_docsample", "bybit_fetchCurrencies_live_2022-12-05_8a991c6"),
    "bybit-system": ("bybit_fetchStatus",),
    "bybit-withdrawals": ("bybit_fetchWithdrawals",),
    "coinbase-currencies": ("coinbaseexchange_fetchCurrencies_live_2022-12-05_07ed53d",),
    "cryptocom-networks": ("cryptocom_GetAssets", "cryptocom_fetchCurrencies_live_2022-12-03_1ee3221"),
    "gate-currencies": ("gate_fetchCurrencies_docsample", "gate_xchange_spot_currencies"),
    "gate-withdrawals": ("gate_fetchWithdrawals",),
    "htx-currencies": ("htx_reference_currencies_docsample", "htx_fetchCurrencies_live_2022-12-05_55b5a2c"),
    "htx-system": ("htx_market_status",),
    "htx-withdrawals": ("htx_fetchWithdrawals",),
    "kraken-assets": ("kraken_fetchCurrencies_Assets",),
    "kraken-system": ("kraken_fetchStatus",),
    "kraken-withdrawals": ("kraken_fetchWithdrawals_WithdrawStatus",),
    "kucoin-currencies": ("kucoin_currencies_v3_docsample",),
    "kucoin-system": ("kucoin_futures_service_status",),
    "kucoin-withdrawals": ("kucoin_fetchWithdrawals",),
    "mexc-coins": ("mexc_capital_config_getall_docsample",),
    "mexc-withdrawals": ("mexc_fetchWithdrawals",),
    "okx-currencies": ("okx_fetchCurrencies_docsample", "okx_fetchCurrencies_live_2022-11-30_db3d257"),
    "okx-withdrawals": ("okx_fetchWithdrawals",),
    "status-incidents": ("kraken_statuspage_incidents_shape",),
    "upbit-wallets": ("upbit_walletstate_live_2022-12-06_90455c1",),
}

NULLABLE = {
    "coinbase-withdrawals": ("completed_at",),  # null until it is
    "longtail-coins": ("withdraw", "deposit"),  # null where nobody tells
    "upbit-wallets": ("block_state",),  # null where a wallet follows no chain
}
"""Fields in which null, or their absence, is a word of its own."""


class Seeded(Struct, frozen=True):
    """A decoder and the file that its samples begin with."""

    name: str
    decode: Decoder
    suffix: str = "json"

    def sample(self) -> bytes:
        return (SAMPLES / f"{self.name.replace('-', '_')}.{self.suffix}").read_bytes()

    def bodies(self) -> list[bytes]:
        found = [self.sample()]
        for file in RECORDED.get(self.name, ()) if DATA is not None else ():
            path = Path(DATA or "") / "recorded" / f"{file}.json"
            found.append(json.dumps(json.loads(path.read_bytes())["response"]).encode())
        return [body for body in found if len(body) <= LARGEST_SEED]


def _decoders() -> Iterator[Seeded]:
    for exchange in EXCHANGES.values():
        yield from (Seeded(listing.probe, listing.decode) for listing in exchange.lists)
        yield from (Seeded(trades.probe, trades.decode) for trades in exchange.trades)
        if exchange.system is not None:
            yield Seeded(exchange.system.probe, exchange.system.decode)
        if exchange.history is not None:
            yield Seeded(exchange.history.probe, exchange.history.decode)
        if exchange.rights is not None:
            yield Seeded(f"{exchange.name}-rights", exchange.rights.decode)
        if exchange.server_time is not None:
            yield Seeded(f"{exchange.name}-time", partial(_dated, exchange.server_time.decode))
        if exchange.feed is not None:
            yield Seeded(exchange.feed.probe, partial(_announced, exchange.feed.decode))
    feed = partial(_announced, partial(posts, base="https://news.example.org/"))
    yield Seeded("feed-rss", feed, "xml")
    yield Seeded("feed-atom", feed, "xml")
    yield Seeded("status-summary", _summary)
    yield Seeded("status-incidents", _incidents)
    yield Seeded("status-word", partial(word_at, path="services[?name=='wallet'] | [0].up"))
    yield Seeded("push", Push(HandClock(), exchange="examplex", secret=SAMPLES.name).read)
    yield Seeded("queue-row", lambda body: row_of(decode(body, dict[str, object])))
    yield Seeded("longtail-coins", longtail.rails)


def _dated(read: Callable[[bytes], datetime], body: bytes) -> datetime:
    """The time of a call that is signed by the exchange's clock."""
    return NOON + (read(body) - NOON)


def _announced(read: Callable[[bytes], Posts], body: bytes) -> object:
    """Posts, each as the statement it is told as."""
    told = read(body)
    for post in told.posts:
        statement(post, at=NOON, exchange="examplex", probe="examplex-feed", published_at=post.published_at)
    return told


def _summary(body: bytes) -> Reading:
    return asyncio.run(_status_page([body], b"").observe())


def _incidents(body: bytes) -> Reading:
    """What a page tells whose incident has left its summary."""
    summary = json.loads((SAMPLES / "status_summary.json").read_bytes())
    probe = _status_page([json.dumps(summary).encode(), json.dumps(summary | {"incidents": []}).encode()], body)

    async def both() -> Reading:
        await probe.observe()
        return await probe.observe()

    return asyncio.run(both())


def _status_page(summaries: list[bytes], history: bytes) -> StatusPageProbe:
    return StatusPageProbe(
        Endpoint(partial(_answered, summaries), _unheeded, interval=60.0),
        Endpoint(partial(_answered, [history]), _unheeded, interval=60.0),
        HandClock(),
        exchange="examplex",
        name="examplex-status-page",
        interval=60.0,
    )


async def _answered(bodies: list[bytes]) -> Answer:
    body = bodies.pop(0)
    return Answer(status=200, body=body, date=None, elapsed_seconds=0.0, read_at=0.0)


async def _unheeded(_: RemoteError) -> None:
    pass


DECODERS = list(_decoders())
every_decoder = pytest.mark.parametrize("decoder", [pytest.param(each, id=each.name) for each in DECODERS])

GONE = object()
JUNK: tuple[object, ...] = (
    None, "false", "true", "", "x", 0, 1, 2, -1, 0.5, 1e300, 10**400, True, False, [], {}, [[]], {"a": 1}, "\u0000",
    "a" * 5000, "\ud800", "\u0662", "NaN", "1e999999", "9" * 40, "0001-01-01T00:00:00+14:00", "9999-12-31 23:59:59-14",
    GONE,
)  # fmt: skip
MARKUP = (b"", b"<", b"&bogus;", b"<b>", b"]]>", b"\x00", b"\xff", b"0", b"2026-02-30", b"a" * 5000, b"<!DOCTYPE x>")
_WRITTEN = re.compile(rb"(?<=>)[^<]+|(?<=\")[^\"<>]*(?=\")|<[^>]*>")

Way = tuple[str | int, ...]


class Mutant(Struct, frozen=True):
    """A body with one place turned into junk: that place, what was there, and the junk."""

    body: bytes
    way: Way
    was: object
    junk: object

    def is_nonsense(self, nullable: tuple[str, ...]) -> bool:
        """A flag in the place of a flag is an answer; so is a shorter list."""
        last = self.way[-1]
        if last in nullable and (self.was is None or self.junk is None or self.junk is GONE):
            return False
        return _kind(self.was) != _kind(self.junk) and not (self.junk is GONE and isinstance(last, int))

    def __str__(self) -> str:
        junk = "nothing" if self.junk is GONE else repr(self.junk)[:60]
        return f"{'.'.join(map(str, self.way))}: {self.was!r:.60} became {junk}"


class Seed:
    """A body, taken apart once."""

    def __init__(self, body: bytes, decode: Decoder) -> None:
        self.body = body
        self.facts = _facts(_read(decode, body))
        self._value = None if body.startswith(b"<") else json.loads(body)
        self._places = list(_places(self._value))

    def mutant(self, chance: random.Random) -> Mutant:
        if not self._places:
            return self._garbled(chance)
        way, junk = chance.choice(self._places), chance.choice(JUNK)
        parent = _at(self._value, way[:-1])
        match parent, way[-1]:
            case dict(), str(key):
                changed: object = {
                    k: junk if k == key else v for k, v in parent.items() if k != key or junk is not GONE
                }
            case list(), int(number):
                changed = [*parent[:number], *([] if junk is GONE else [junk]), *parent[number + 1 :]]
            case _:
                raise AssertionError(way)
        body = json.dumps(_put(self._value, way[:-1], changed)).encode()
        return Mutant(body, way, _at(self._value, way), junk)

    def _garbled(self, chance: random.Random) -> Mutant:
        found, junk = chance.choice(list(_WRITTEN.finditer(self.body))), chance.choice(MARKUP)
        body = self.body[: found.start()] + junk + self.body[found.end() :]
        return Mutant(body, (f"byte {found.start()}",), found[0], junk)

    def torn(self, chance: random.Random) -> bytes:
        """The body with bytes flipped, lost or repeated."""
        body = self.body
        at = chance.randrange(len(body))
        match chance.randrange(5):
            case 0:
                return body[:at]
            case 4:
                return body[:at] + b"[" * 10_000 + body[at:]
            case 1:
                return body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :]
            case 2:
                return body[:at] + body[at + chance.randrange(1, 40) :]
            case _:
                return body[:at] + body[at : at + 40] * 2 + body[at + 40 :]


def _kind(value: object) -> str:
    match value:
        case bool():
            return "flag"
        case int() | float():
            return "number"
        case _:
            return type(value).__name__


def _places(value: object, way: Way = ()) -> Iterator[Way]:
    if way:
        yield way
    match value:
        case dict():
            for key, inner in value.items():
                yield from _places(inner, (*way, key))
        case list():
            for number, inner in enumerate(value):
                yield from _places(inner, (*way, number))


def _at(value: object, way: Way) -> object:
    for step in way:
        value = value[step]  # type: ignore[index]
    return value


def _put(value: object, way: Way, changed: object) -> object:
    """`value` with `changed` at `way`; what is on the way is made anew."""
    if not way:
        return changed
    match value, way[0]:
        case dict(), str(key):
            return value | {key: _put(value[key], way[1:], changed)}
        case list(), int(number):
            return [*value[:number], _put(value[number], way[1:], changed), *value[number + 1 :]]
        case _:
            raise AssertionError(way)


def _read(decode: Decoder, body: bytes) -> object:
    try:
        return decode(body)
    except RemoteError:
        return None


def _facts(read: object) -> Facts:
    match read:
        case Listed(rails=rails):
            # Of two rows for one door the more open counts, so that of these the one that is left may change it.
            doors = [(rail.asset, rail.network, rail.direction.value) for rail in rails]
            often = Counter(doors)
            return {door: rail.state.value for door, rail in zip(doors, rails, strict=True) if often[door] == 1}
        case SystemReading(component=component, state=state):
            return {(component,): state}
        case QueueRow():
            return {("requested",): str(read.requested), ("pending",): str(read.pending)}
        case list() | tuple():
            return dict(fact for line in read for fact in _told(line))
        case _:
            return {}


def _told(line: object) -> Iterator[tuple[tuple[str, ...], str]]:
    match line:
        case Withdrawal():
            # Whether one that is under way has a transaction yet is an optional field.
            yield (line.id,), line.state if line.state in ("confirmed", "failed") else "under way"
        case str():
            yield (line,), "a right"
        case RailStatus():
            yield (line.asset, line.network, line.direction.value), line.state.value
        case SystemStatus():
            yield (line.component,), line.state
        case WithdrawalQueue():
            for name in ("requested", "broadcast", "pending"):
                yield (line.asset, line.network, name), str(getattr(line, name))


def _hunt(decoder: Seeded, seed: Seed, chance: random.Random) -> None:
    _read(decoder.decode, seed.torn(chance))
    mutant = seed.mutant(chance)
    read = _read(decoder.decode, mutant.body)
    if read is not None and mutant.is_nonsense(NULLABLE.get(decoder.name, ())):
        before, after = seed.facts, _facts(read)
        wrong = {fact: told for fact, told in after.items() if before.get(fact, told) != told}
        assert not wrong, f"{mutant}, and of it came {wrong}"
        if decoder.name.endswith("-rights") and mutant.junk is not GONE:
            assert before.keys() <= after.keys(), f"{mutant}, and a right is no longer seen"


def _seeds(decoder: Seeded) -> list[Seed]:
    return [Seed(body, decoder.decode) for body in decoder.bodies()]


@every_decoder
def test_a_sample_is_read_as_a_whole(decoder: Seeded) -> None:
    match decoder.decode(decoder.sample()):
        case Listed(flaws=flaws) | Posts(flaws=flaws):
            assert list(flaws) == []
        case told:
            assert told


@every_decoder
def test_no_state_comes_of_nonsense(decoder: Seeded) -> None:
    chance = random.Random(decoder.name)
    sample, *recorded = _seeds(decoder)
    for seed, times in ((sample, SLICE), *((each, SLICE_OF_RECORDED) for each in recorded)):
        for _ in range(times):
            _hunt(decoder, seed, chance)


@pytest.mark.soak
@every_decoder
def test_no_state_comes_of_a_minute_of_nonsense(decoder: Seeded) -> None:
    chance, seeds = random.Random(f"{decoder.name} at length"), _seeds(decoder)
    until = time.monotonic() + SOAK_SECONDS
    while time.monotonic() < until:
        _hunt(decoder, chance.choice(seeds), chance)
