"""Exchanges that we have nothing of our own for, read through ccxt in a process of its own.

Its flags are mapped by many hands: the exchange's own ones stay beside them in `raw`, and None is no state.
"""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from decimal import Decimal
from types import TracebackType
from typing import Self

import msgspec
from msgspec import Raw, Struct

from monitor.clock import Clock
from monitor.http import Answer, Remember, forgotten
from monitor.http.limits import BANNED, TOO_MANY, Budget, Host
from monitor.model import Closure, Direction, FailureReason, RailState, RemoteError
from monitor.probes.account import Credentials
from monitor.probes.answer import decode
from monitor.probes.networks import our_network
from monitor.probes.rails import Listed, RailReading, Terms
from monitor.probes.rows import rows

READER = "monitor.ccxt_reader"
LONGTAIL_SECONDS = 60.0
ANSWER_SECONDS = 60.0  # of which an import of ccxt takes some, once
LARGEST_ANSWER = 16 * 2**20
HOST = "ccxt "  # how the closures of its exchanges are named, whose hosts only ccxt knows

_STOPS = {FailureReason.RATE_LIMITED: TOO_MANY, FailureReason.BLOCKED: BANNED}


class _Question(Struct, frozen=True):
    number: int
    exchange: str
    url: str | None
    key: dict[str, str] | None


class _Outcome(Struct, frozen=True):
    reason: str | None = None


class _Told(Struct, frozen=True):
    coins: list[Raw] | None = None
    reason: FailureReason | None = None
    detail: str = ""


class _Network(Struct, frozen=True, gc=False):
    network: str | None
    word: str | None
    withdraw: bool | None
    deposit: bool | None
    raw: str
    fee: Decimal | None
    minimum: Decimal | None
    maximum: Decimal | None


class _Coin(Struct, frozen=True, gc=False):
    asset: str
    withdraw: bool | None
    deposit: bool | None
    raw: str
    networks: list[_Network]


class Longtail:
    """The reading process, started with the first question and again when it died. One question at a time.

    `closures` are those of former runs whose host begins with `HOST`; new ones are handed to `remember`.
    """

    def __init__(self, clock: Clock, *, closures: Sequence[Closure] = (), remember: Remember = forgotten) -> None:
        self._clock = clock
        self._remember = remember
        self._process: Process | None = None
        self._turn = asyncio.Semaphore(1)
        self._questions = 0
        self._hosts: dict[str, Host] = {}
        for closure in closures:
            self._host(closure.host.removeprefix(HOST)).hold(closure)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    @property
    def process_id(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def ask(self, exchange: str, *, url: str | None, credentials: Credentials | None) -> Answer:
        """The coin list of ccxt's `exchange`, to be read by `rails`. Raises `RemoteError`."""
        host = self._host(exchange)
        await host.turn()
        async with self._turn:
            began = self._clock.monotonic()
            self._questions += 1
            body = await self._answer(_Question(self._questions, exchange, url, _key(credentials)))
        if decode(body, _Outcome).reason is None:
            host.answered()
        secrets = () if credentials is None else credentials.parts
        read_at = self._clock.monotonic()
        return Answer(
            status=200,
            body=body,
            date=None,
            elapsed_seconds=read_at - began,
            read_at=read_at,
        ).without(secrets)

    async def heed(self, exchange: str, error: RemoteError) -> None:
        """Leave an exchange alone that said, through ccxt, that we ask too much."""
        stop = _STOPS.get(error.reason)
        if stop is not None:
            await self._remember(self._host(exchange).close(stop, told=None))

    def _host(self, exchange: str) -> Host:
        if exchange not in self._hosts:
            self._hosts[exchange] = Host(HOST + exchange, self._clock, port=0, budget=Budget())
        return self._hosts[exchange]

    async def _answer(self, question: _Question) -> bytes:
        """A question given up on, as by a reload, ends the process: what it would still say answers no later one."""
        is_answered = False
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                body = await self._answered(question)
            is_answered = True
        except TimeoutError:
            raise RemoteError(FailureReason.TIMEOUT, f"ccxt: no answer within {ANSWER_SECONDS:g} s") from None
        finally:
            if not is_answered:
                await self._end()
        return body

    async def _answered(self, question: _Question) -> bytes:
        process = await self._running()
        assert process.stdin is not None  # noqa: S101 - it was asked for
        assert process.stdout is not None  # noqa: S101
        try:
            process.stdin.write(msgspec.json.encode(question) + b"\n")
            await process.stdin.drain()
            line = await process.stdout.readline()
        except (ConnectionError, ValueError) as error:  # it died, or its line is longer than we take
            raise RemoteError(FailureReason.CONNECTION, "ccxt: its process did not answer") from error
        if not line.endswith(b"\n"):
            raise RemoteError(FailureReason.CONNECTION, "ccxt: its process ended; is the extra installed? (docs)")
        number, _, body = line.partition(b" ")
        if number != b"%d" % question.number:
            raise RemoteError(FailureReason.CONNECTION, "ccxt: its process answered another question")
        return body

    async def _running(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", READER, stdin=PIPE, stdout=PIPE, limit=LARGEST_ANSWER
            )
        return self._process

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            if process.returncode is None:
                process.kill()
            await process.wait()


def rails(body: bytes) -> Listed:
    """An answer of the reading process. Raises `RemoteError` with the reason that it gives."""
    told = decode(body, _Told)
    if told.coins is None:
        raise RemoteError(told.reason or FailureReason.SCHEMA, f"ccxt: {told.detail}")
    read = rows(told.coins, _Coin, asset="asset", path="$.coins")
    readings: list[RailReading] = []
    terms: list[Terms] = []
    for each in read.good:
        readings += _of_coin(each)
        for network in each.networks:
            if network.network is not None:
                readings += _of_network(each, network, our_network(network.network))
                terms.append(_terms(each.asset, network, our_network(network.network)))
    if not readings:
        raise RemoteError(FailureReason.SCHEMA, "ccxt: it tells no flags of this exchange")
    return Listed(readings, read.flaws, terms)


def _of_coin(each: _Coin) -> list[RailReading]:
    readings = []
    for direction, is_open in ((Direction.WITHDRAWAL, each.withdraw), (Direction.DEPOSIT, each.deposit)):
        if is_open is not None:
            raw = f"coin {'open' if is_open else 'closed'} {each.raw}".strip()
            state = RailState.OPEN if is_open else RailState.SUSPENDED
            readings.append(RailReading(each.asset, "*", direction, state, raw))
    return readings


def _of_network(each: _Coin, network: _Network, ours: str) -> list[RailReading]:
    readings = []
    ways = (
        (Direction.WITHDRAWAL, each.withdraw, network.withdraw),
        (Direction.DEPOSIT, each.deposit, network.deposit),
    )
    for direction, of_coin, of_network in ways:
        if of_network is None:
            continue
        is_open = of_network and of_coin is not False
        closes = "" if is_open else " coin closed" if of_network else " network closed"
        raw = f"{network.word or network.network}{closes} {network.raw}".strip()
        state = RailState.OPEN if is_open else RailState.SUSPENDED
        readings.append(RailReading(each.asset, ours, direction, state, raw))
    return readings


def _terms(asset: str, network: _Network, ours: str) -> Terms:
    return Terms(asset, ours, network.fee, network.minimum, network.maximum)


def _key(credentials: Credentials | None) -> dict[str, str] | None:
    if credentials is None:
        return None
    key = {"apiKey": credentials.api_key, "secret": credentials.api_secret}
    return {**key, "password": credentials.passphrase} if credentials.passphrase else key
