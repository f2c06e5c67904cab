"""Time that is not this machine's: whoever sets our clock does not end a freeze.

Late is safe, early is not. So where sources leave a choice it is the earlier time, and where too few answer it is none.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import SplitResult, urlsplit

import aiohttp
import structlog
from msgspec import Struct

from monitor.clock import Clock
from monitor.freeze import final_block, sntp
from monitor.model import RemoteError

ROUND_SECONDS = 60.0
FRESH_SECONDS = 600.0

log = structlog.get_logger()

Ask = Callable[[], Awaitable[datetime]]
"""Raises RemoteError."""


class Told(Struct, frozen=True, kw_only=True):
    """What a source is worth now."""

    source: str  # its host; never the rest of the URL, which may hold a key
    seconds_since: float | None  # since its last answer, None where it has never answered
    offset_seconds: float | None  # how far it is ahead of our clock, as last told and moved on; None as above


class _Heard(Struct, frozen=True):
    time: datetime
    at: float  # on the monotonic clock

    def moved_on(self, monotonic: float) -> datetime:
        return self.time + timedelta(seconds=monotonic - self.at)


class _Source:
    """One source and its last answer. What goes wrong with it is logged when it begins and when it ends."""

    def __init__(self, name: str, ask: Ask, *, clock: Clock) -> None:
        self.name = name
        self.heard: _Heard | None = None
        self._ask = ask
        self._clock = clock
        self._is_silent = False

    async def ask(self) -> None:
        try:
            time = await self._ask()
        except RemoteError as error:
            if not self._is_silent:
                log.warning("time_source_silent", source=self.name, reason=error.reason, detail=error.detail)
            self._is_silent = True
            return
        if self._is_silent:
            log.info("time_source_answers", source=self.name)
        self._is_silent = False
        self.heard = _Heard(time, self._clock.monotonic())


class IndependentTime:
    """The median of what several sources tell, moved on by the monotonic clock.

    A source is `ntp://host[:port]`, or `http(s)://...` of a JSON-RPC node of an EVM chain, whose newest final block
    tells it. Of an even number the median is the earlier of the two in the middle. One answer is kept in place of the
    one before, also an earlier one. A machine that was suspended makes it late, never early.
    """

    def __init__(self, sources: Sequence[str], *, clock: Clock, session: aiohttp.ClientSession) -> None:
        """Raises ValueError for a source that is none, and for a host that is there twice.

        Whoever runs it would have two votes; the port and the path make no difference to that.
        """
        self._clock = clock
        self._sources = [_source(url, clock=clock, session=session) for url in sources]
        names = [source.name for source in self._sources]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"more than one source of time at {', '.join(twice)}")
        self._highest: datetime | None = None

    async def watch(self) -> None:
        """Ask every source every minute, for ever."""
        while True:
            await self.ask()
            await self._clock.sleep(ROUND_SECONDS)

    async def ask(self) -> None:
        """Ask every source once, all at the same time, each under its timeout of at most 10 s."""
        async with asyncio.TaskGroup() as group:
            for source in self._sources:
                group.create_task(source.ask(), name=f"time of {source.name}")

    def now(self) -> datetime | None:
        """The time, never earlier than it was before.

        None unless more than half of the sources have answered within the last ten minutes.
        """
        monotonic = self._clock.monotonic()
        heard = [source.heard for source in self._sources if source.heard is not None]
        times = sorted(one.moved_on(monotonic) for one in heard if monotonic - one.at <= FRESH_SECONDS)
        if 2 * len(times) <= len(self._sources):
            return None
        median = times[(len(times) - 1) // 2]
        self._highest = median if self._highest is None else max(self._highest, median)
        return self._highest

    def answers(self) -> Sequence[Told]:
        """For each source, in the order they were given."""
        return [_told(source, self._clock) for source in self._sources]


def _told(source: _Source, clock: Clock) -> Told:
    if source.heard is None:
        return Told(source=source.name, seconds_since=None, offset_seconds=None)
    monotonic = clock.monotonic()
    ahead = source.heard.moved_on(monotonic) - clock.now()
    since = monotonic - source.heard.at
    return Told(source=source.name, seconds_since=since, offset_seconds=ahead.total_seconds())


def _source(url: str, *, clock: Clock, session: aiohttp.ClientSession) -> _Source:
    parts = urlsplit(url)
    host = parts.hostname
    if not host:
        raise ValueError("a source of time without a host: expected ntp://host[:port] or an http(s) URL")
    return _Source(host, _ask(url, parts, host, clock=clock, session=session), clock=clock)


def _ask(url: str, parts: SplitResult, host: str, *, clock: Clock, session: aiohttp.ClientSession) -> Ask:
    match parts.scheme:
        case "ntp" if parts.path in ("", "/"):
            port = sntp.PORT if parts.port is None else parts.port
            return partial(sntp.ask, host, port, clock=clock)
        case "http" | "https":
            return partial(final_block.ask, url, clock=clock, session=session)
        case _:
            raise ValueError(f"{host}: expected ntp://host[:port] or the http(s) URL of a node of an EVM chain")
