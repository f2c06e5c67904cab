"""Which endpoint of a chain is believed: one of that chain, whose newest block is not old nor lower than one before.

What an endpoint cannot show of itself is `LAG` or `WRONG_CHAIN`, and the next one is asked.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from monitor.chains.failover import Endpoint, Endpoints
from monitor.chains.heights import Height
from monitor.chains.ledger import Head
from monitor.clock import Clock
from monitor.model import FailureReason, RemoteError

E = TypeVar("E", bound=Endpoint)
T = TypeVar("T")


class Admission(Generic[E]):
    """`newest` is the newest block of an endpoint, however old; it raises `RemoteError` at one of another chain."""

    def __init__(
        self,
        endpoints: Sequence[E],
        clock: Clock,
        *,
        network: str,
        newest: Callable[[E], Awaitable[Head]],
        stale_seconds: float,
    ) -> None:
        self._endpoints = Endpoints(endpoints, network=network)
        self._clock = clock
        self._newest = newest
        self._stale_seconds = stale_seconds
        self._admitted: set[E] = set()
        self._highest = Height(clock)

    def __len__(self) -> int:
        return len(self._endpoints)

    async def head(self) -> Head:
        """The newest block of the preferred endpoint. Raises `RemoteError`: WRONG_CHAIN, LAG, ..."""
        return await self._endpoints.use(self.admit)

    async def tips(self) -> list[Head]:
        """The newest block of every endpoint of this chain, however old it is."""
        return await self._endpoints.each(self._present)

    async def use(self, work: Callable[[E], Awaitable[T]]) -> T:
        """Do the whole of `work` on one endpoint that may be believed."""

        async def on_admitted(endpoint: E) -> T:
            if endpoint not in self._admitted:
                await self.admit(endpoint)
            return await work(endpoint)

        return await self._endpoints.use(on_admitted)

    async def use_another(self, work: Callable[[E, Head], Awaitable[T]], *, apart_from: str) -> T:
        """Do `work` with the newest block of an endpoint of this chain that is not on the host `apart_from`.

        It may be a block behind: whether it has the block that matters is for `work` to see.
        """

        async def on_chain(endpoint: E) -> T:
            return await work(endpoint, await self._present(endpoint))

        return await self._endpoints.use(on_chain, apart_from=apart_from)

    async def admit(self, endpoint: E) -> Head:
        """The newest block of `endpoint`, which may be believed. Raises `RemoteError` where it may not."""
        self._admitted.discard(endpoint)
        floor = self._highest.now()  # before we ask: answers to questions asked at once may overtake each other
        head = await self._present(endpoint)
        age = (self._clock.now() - head.timestamp).total_seconds()
        if age > self._stale_seconds:
            raise RemoteError(FailureReason.LAG, f"{endpoint.host}: newest block {head.number} is {age:.0f} s old")
        if head.number < floor:
            raise RemoteError(FailureReason.LAG, f"{endpoint.host}: height went back from {floor} to {head.number}")
        self._admitted.add(endpoint)
        self._highest.raise_to(head.number)
        return head

    async def _present(self, endpoint: E) -> Head:
        head = await self._newest(endpoint)
        # As far as it may be behind: the time from block to block is what no payment in it is weighed by.
        if (head.timestamp - self._clock.now()).total_seconds() > self._stale_seconds:
            raise RemoteError(
                FailureReason.SCHEMA, f"{endpoint.host}: newest block {head.number} is of {head.timestamp}"
            )
        return head
