"""The addresses behind names. A dead name holds up no other one, and a dead resolver takes away no name we know.

Seconds of the cache are the clock's; how long a lookup may take is in real ones.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiodns
from aiohttp.abc import AbstractResolver, ResolveResult
from msgspec import Struct

from monitor.clock import Clock

LONGEST_FRESH_SECONDS = 60.0
SHORTEST_FRESH_SECONDS = 5.0  # whatever the answer's own time to live
LAST_GOOD_SECONDS = 3600.0
LOOKUP_SECONDS = 2.5  # less than connecting may take in all, so that a failure says that the name was it
REFRESH_SECONDS = 0.5  # after which the last good answer will do
AGAIN_SECONDS = 30.0  # between lookups of a name whose last good answer is in use
LOOKUPS = 64  # in flight
LOOKUPS_OF_DEAD_NAMES = 4  # in flight, of names that last went unanswered
LOOKUPS_ANEW = 8  # in flight, each with sockets of its own
TRIES = 3
TRY_SECONDS = 1.0

_FINAL = frozenset({aiodns.error.ARES_ENOTFOUND, aiodns.error.ARES_ENODATA, aiodns.error.ARES_EBADNAME})
_FLAGS = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class _Address(Struct, frozen=True):
    host: str
    family: int


class _Good(Struct):
    """The last good answer for a name. In clock seconds."""

    addresses: tuple[_Address, ...]
    fresh_until: float
    good_until: float


class _Nothing(Struct, frozen=True):
    """A lookup without addresses; `final` where that is the resolver's answer and not its failure."""

    said: str
    final: bool


class Names(AbstractResolver):
    """A resolver for aiohttp's connector, whose own cache must be off.

    An answer is used for its time to live, 5 to 60 s. Where the resolver fails to answer, the last good answer is
    used for up to an hour; "no such name" is an answer. Each name is looked up once at a time.
    """

    def __init__(self, clock: Clock, *, nameservers: Sequence[str] = ()) -> None:
        """`nameservers` as `address:port`, in place of the system's. Needs a running event loop."""
        self._clock = clock
        self._nameservers = nameservers
        self._resolver = self._opened()
        self._good: dict[str, _Good] = {}
        self._lookups: dict[str, asyncio.Future[_Good | _Nothing]] = {}
        self._seats = asyncio.Semaphore(LOOKUPS)
        self._dead: set[str] = set()
        self._seats_of_the_dead = asyncio.Semaphore(LOOKUPS_OF_DEAD_NAMES)
        self._moved: set[str] = set()
        self._seats_anew = asyncio.Semaphore(LOOKUPS_ANEW)

    def _opened(self) -> aiodns.DNSResolver:
        return aiodns.DNSResolver(nameservers=self._nameservers, timeout=TRY_SECONDS, tries=TRIES)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of `host`. Raises OSError within 2.5 s."""
        wanted = (family,) if family else (socket.AF_INET, socket.AF_INET6)
        return [
            ResolveResult(hostname=host, host=address.host, port=port, family=address.family, proto=0, flags=_FLAGS)
            for address in await self._addresses(host)
            if address.family in wanted
        ]

    def forget(self, host: str) -> None:
        """Look `host` up again next time: nobody answered at its addresses."""
        good = self._good.get(host)
        if good is not None:
            good.fresh_until = self._clock.monotonic()
            self._moved.add(host)

    async def close(self) -> None:
        lookups = list(self._lookups.values())
        for lookup in lookups:
            lookup.cancel()
        await asyncio.gather(*lookups, return_exceptions=True)
        await self._resolver.close()

    async def _addresses(self, host: str) -> tuple[_Address, ...]:
        now = self._clock.monotonic()
        good = self._good.get(host)
        if good is not None and now < good.fresh_until:
            return good.addresses
        lookup = self._lookups.get(host)
        if lookup is None:
            lookup = self._lookups[host] = asyncio.ensure_future(self._look_up(host))
        usable = good is not None and now < good.good_until
        # It goes on without us: the next one who asks may find it done.
        await asyncio.wait([lookup], timeout=REFRESH_SECONDS if usable else None)
        if good is not None and not lookup.done():
            return good.addresses
        match lookup.result():
            case _Good(addresses=addresses):
                return addresses
            case _Nothing(final=False) if good is not None and usable:
                return good.addresses
            case _Nothing(said=said):
                raise OSError(None, said)

    async def _look_up(self, host: str) -> _Good | _Nothing:
        try:
            found = await self._asked(host)
        finally:
            del self._lookups[host]
        match found:
            case _Good():
                self._good[host] = found
                self._dead.discard(host)
            case _Nothing(final=True):
                self._good.pop(host, None)
                self._dead.discard(host)
            case _Nothing():
                self._dead.add(host)
                self._go_on_with_the_last(host)
        return found

    def _go_on_with_the_last(self, host: str) -> None:
        good = self._good.get(host)
        if good is not None:
            good.fresh_until = min(self._clock.monotonic() + AGAIN_SECONDS, good.good_until)

    async def _asked(self, host: str) -> _Good | _Nothing:
        try:
            async with asyncio.timeout(LOOKUP_SECONDS), self._seat(host) as resolver:
                answer = await resolver.getaddrinfo(host, type=socket.SOCK_STREAM)
        except TimeoutError:
            return _Nothing("no answer from the resolver", final=False)
        except aiodns.error.DNSError as error:
            number, said = error.args
            return _Nothing(str(said).lower(), final=number in _FINAL)
        now = self._clock.monotonic()
        to_live = min(node.ttl for node in answer.nodes)
        return _Good(
            addresses=tuple(_Address(node.addr[0].decode(), node.family) for node in answer.nodes),
            fresh_until=now + min(max(to_live, SHORTEST_FRESH_SECONDS), LONGEST_FRESH_SECONDS),
            good_until=now + LAST_GOOD_SECONDS,
        )

    @asynccontextmanager
    async def _seat(self, host: str) -> AsyncIterator[aiodns.DNSResolver]:
        async with self._seats_of_the_dead if host in self._dead else self._seats:
            if host not in self._moved:
                yield self._resolver
                return
            # The common one keeps answers for their time to live, and nothing makes it forget one of them.
            async with self._seats_anew, self._opened() as own:
                yield own
