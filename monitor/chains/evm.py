"""An EVM chain behind two or more endpoints: its head, nonces and balances, each at a named block.

An endpoint of another chain, or whose head is old or goes back, is not used; nothing unread becomes a number.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from monitor.chains import eth
from monitor.chains.balances import Balances
from monitor.chains.failover import Endpoints
from monitor.chains.jsonrpc import Call, Endpoint, Node, Unread
from monitor.chains.ledger import Head, Holding
from monitor.clock import Clock
from monitor.http import Http
from monitor.model import FailureReason, RemoteError

STALE_SECONDS = 90.0
FORGET_HEIGHT_SECONDS = 900.0  # one false height must not blind us for ever

T = TypeVar("T")
K = TypeVar("K")


class EvmChain:
    """`stale_seconds` is how old the newest block may be; `contracts_see_height` is false where `block.number` is not
    the chain's own (`EvmNetwork`)."""

    def __init__(
        self,
        http: Http,
        clock: Clock,
        *,
        network: str,
        chain_id: int,
        endpoints: Sequence[Endpoint],
        stale_seconds: float = STALE_SECONDS,
        contracts_see_height: bool = True,
    ) -> None:
        self.network = network
        self._clock = clock
        self._chain_id = chain_id
        self._stale_seconds = stale_seconds
        self._nodes = Endpoints([Node(http, clock, endpoint) for endpoint in endpoints], network=network)
        self._admitted: set[Node] = set()
        self._balances = Balances(contracts_see_height=contracts_see_height)
        self._highest = 0
        self._highest_at = 0.0  # on the monotonic clock

    async def head(self) -> Head:
        """The newest block. Raises `RemoteError`: WRONG_CHAIN, LAG (old, or lower than one seen before), ..."""
        return await self._nodes.use(self._admit)

    async def block(self, number: int) -> Head:
        return await self._use(lambda node: _one(node, eth.block(number)))

    async def block_before(self, when: datetime, *, head: Head, depth: int) -> Head:
        """The newest block not younger than `when`, but at most `depth` blocks behind `head`."""
        if head.timestamp <= when:
            return head
        older = await self.block(max(0, head.number - depth))
        newer = head
        while older.timestamp <= when and newer.number - older.number > 1:
            middle = await self.block((older.number + newer.number) // 2)
            if middle.timestamp <= when:
                older = middle
            else:
                newer = middle
        return older

    async def nonces(self, addresses: Sequence[str], *, at: int) -> dict[str, int]:
        """Transactions sent by each address as of block number `at`; an address that could not be read is missing.

        Raises `RemoteError` where none could.
        """
        calls = [eth.nonce(address, at=at) for address in addresses]

        async def read(node: Node) -> dict[str, int]:
            return _some(node, _values(zip(addresses, await node.batch(calls), strict=True)), asked=calls)

        return await self._use(read)

    async def balances(self, holdings: Sequence[Holding], *, head: Head) -> dict[Holding, int]:
        """Balances in smallest units at block `head`; a holding that could not be read is missing.

        Raises `RemoteError` where none could, or where the block is gone (reorg).
        """

        async def read(node: Node) -> dict[Holding, int]:
            return _some(node, await self._balances.read(node, holdings, head=head), asked=holdings)

        return await self._use(read)

    async def _use(self, work: Callable[[Node], Awaitable[T]]) -> T:
        async def on_admitted(node: Node) -> T:
            if node not in self._admitted:
                await self._admit(node)
            return await work(node)

        return await self._nodes.use(on_admitted)

    async def _admit(self, node: Node) -> Head:
        self._admitted.discard(node)
        floor = self._floor()  # before we ask: answers to questions asked at once may overtake each other
        questions: tuple[Call[int | Head], ...] = (eth.chain_id(), eth.latest())
        match await node.batch(questions):
            case [int() as chain_id, Head() as head]:
                self._check(node, head, chain_id=chain_id, floor=floor)
            case answers:
                unread = "; ".join(answer.detail for answer in answers if isinstance(answer, Unread))
                raise RemoteError(FailureReason.SCHEMA, f"{node.host}: {unread}")
        self._admitted.add(node)
        self._highest, self._highest_at = max(head.number, self._floor()), self._clock.monotonic()
        return head

    def _floor(self) -> int:
        """The height below which no head may be."""
        return self._highest if self._clock.monotonic() - self._highest_at < FORGET_HEIGHT_SECONDS else 0

    def _check(self, node: Node, head: Head, *, chain_id: int, floor: int) -> None:
        if chain_id != self._chain_id:
            detail = f"{node.host}: {self.network} is chain {self._chain_id}, this is {chain_id}"
            raise RemoteError(FailureReason.WRONG_CHAIN, detail)
        age = (self._clock.now() - head.timestamp).total_seconds()
        if age > self._stale_seconds:
            raise RemoteError(FailureReason.LAG, f"{node.host}: newest block {head.number} is {age:.0f} s old")
        if head.number < floor:
            raise RemoteError(FailureReason.LAG, f"{node.host}: height went back from {floor} to {head.number}")


async def _one(node: Node, call: Call[T]) -> T:
    answer = await node.call(call)
    if isinstance(answer, Unread):
        raise RemoteError(FailureReason.SCHEMA, f"{node.host}: {answer.detail}")
    return answer


def _values(answers: Iterable[tuple[K, T | Unread]]) -> dict[K, T]:
    return {key: answer for key, answer in answers if not isinstance(answer, Unread)}


def _some(node: Node, read: dict[K, T], *, asked: Sequence[object]) -> dict[K, T]:
    if asked and not read:
        raise RemoteError(FailureReason.SCHEMA, f"{node.host}: none of {len(asked)} was answered")
    return read
