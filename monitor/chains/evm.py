"""An EVM chain behind two or more endpoints: its head, nonces, balances and movements, each at a named block.

An endpoint of another chain, or that syncs, or whose head is old or goes back, is not used; nothing unread becomes a
number.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import TypeVar

from monitor.chains import eth
from monitor.chains.admission import Admission
from monitor.chains.balances import Balances, Decimals
from monitor.chains.eth import Syncing
from monitor.chains.evm_movements import EvmMovements
from monitor.chains.jsonrpc import Call, Endpoint, Node, Unread
from monitor.chains.ledger import Head, Holding, Movements, Snapshot, Token
from monitor.clock import Clock
from monitor.http import Http
from monitor.model import FailureReason, RemoteError

STALE_SECONDS = 90.0
ETHER = Token(asset="ETH")

T = TypeVar("T")
K = TypeVar("K")


class EvmChain:
    """`tokens` are those whose balances and movements are read, `coin` is the chain's own, whose movements are told
    where `whole_blocks` are read. `stale_seconds` is how old the newest block may be; `contracts_see_height` is false
    where `block.number` is not the chain's own (both as `EvmNetwork` has them)."""

    def __init__(
        self,
        http: Http,
        clock: Clock,
        *,
        network: str,
        chain_id: int,
        endpoints: Sequence[Endpoint],
        coin: Token = ETHER,
        tokens: Sequence[Token] = (),
        whole_blocks: bool = False,
        stale_seconds: float = STALE_SECONDS,
        contracts_see_height: bool = True,
    ) -> None:
        self.network = network
        self.coin = coin
        self.endpoints = len(endpoints)
        self.whole_blocks = whole_blocks
        self._chain_id = chain_id
        self._nodes = Admission(
            [Node(http, clock, endpoint) for endpoint in endpoints],
            clock,
            network=network,
            newest=self._newest,
            stale_seconds=stale_seconds,
        )
        self._balances = Balances(clock, contracts_see_height=contracts_see_height)
        self._decimals = Decimals(clock, tokens, network=network)
        self._moved = EvmMovements(
            self._nodes.use, network=network, coin=coin, tokens=tokens, whole_blocks=whole_blocks
        )

    def watch(self, addresses: Iterable[str]) -> None:
        self._moved.watch(addresses)

    async def head(self) -> Head:
        """The newest block. Raises `RemoteError`: WRONG_CHAIN, LAG (old, or lower than one seen before), ..."""
        return await self._nodes.head()

    async def tips(self) -> list[Head]:
        """The newest block of every endpoint of this chain that does not sync, however old it is."""
        return await self._nodes.tips()

    async def block(self, number: int) -> Head:
        """The block at this height. Raises `RemoteError`, LAG where there is none."""

        async def read(node: Node) -> Head:
            match await node.call(eth.block(number)):
                case Head() as block:
                    return block
                case None:
                    raise RemoteError(FailureReason.LAG, f"{node.host}: has no block {number}")
                case Unread(detail=detail):
                    raise RemoteError(FailureReason.SCHEMA, f"{node.host}: {detail}")

        return await self._nodes.use(read)

    async def nonces(self, addresses: Sequence[str], *, at: int) -> dict[str, int]:
        """Transactions sent by each address as of block number `at`; an address that could not be read is missing.

        Raises `RemoteError` where none could.
        """
        calls = [eth.nonce(address, at=at) for address in addresses]

        async def read(node: Node) -> dict[str, int]:
            return _some(node, _values(zip(addresses, await node.batch(calls), strict=True)), asked=calls)

        return await self._nodes.use(read)

    async def balances(self, holdings: Sequence[Holding]) -> Snapshot:
        """Balances at the newest block; a holding that could not be read is missing.

        Raises `RemoteError` where none could, or where the block is gone before all are read (reorg).
        """

        async def read(node: Node) -> Snapshot:
            return await self._snapshot(node, holdings, head=await self._nodes.admit(node))

        return await self._nodes.use(read)

    async def second(self, holdings: Sequence[Holding], *, first: Snapshot) -> Snapshot:
        """Balances at the block of `first`, by its hash, from another host. Raises `RemoteError`, LAG where that has
        no such block, DISAGREEMENT where there is no other."""

        async def read(node: Node, _newest: Head) -> Snapshot:
            return await self._snapshot(node, holdings, head=first.head)

        return await self._nodes.use_another(read, apart_from=first.endpoint)

    async def movements(self, addresses: Collection[str], *, after: Head, upto: Head) -> Movements:
        """Of tokens, and of the chain's own coin where whole blocks are read; `EvmMovements` says what is not seen."""
        return await self._moved.movements(addresses, after=after, upto=upto)

    async def _snapshot(self, node: Node, holdings: Sequence[Holding], *, head: Head) -> Snapshot:
        wrong = await self._decimals.wrong(node, head=head)
        asked = [holding for holding in holdings if holding.token not in wrong] if wrong else holdings
        if holdings and not asked:
            raise RemoteError(FailureReason.SCHEMA, f"{node.host}: {'; '.join(wrong.values())}")
        amounts = _some(node, await self._balances.read(node, asked, head=head), asked=asked)
        return Snapshot(head=head, endpoint=node.host, amounts=amounts)

    async def _newest(self, node: Node) -> Head:
        """Raises `RemoteError`: WRONG_CHAIN, and LAG at a node that says it syncs. Many do not answer that question."""
        questions: tuple[Call[int | Head | Syncing | None], ...] = (eth.chain_id(), eth.latest(), eth.syncing())
        match await node.batch(questions):
            case [int() as chain_id, _, _] if chain_id != self._chain_id:
                detail = f"{node.host}: {self.network} is chain {self._chain_id}, this is {chain_id}"
                raise RemoteError(FailureReason.WRONG_CHAIN, detail)
            case [int(), _, Syncing(height=height, goal=goal)]:
                raise RemoteError(FailureReason.LAG, f"{node.host}: is syncing, at block {height} of {goal}")
            case [int(), Head() as head, _]:
                return head
            case answers:
                unread = "; ".join(answer.detail for answer in answers if isinstance(answer, Unread))
                raise RemoteError(FailureReason.SCHEMA, f"{node.host}: {unread}")


def _values(answers: Iterable[tuple[K, T | Unread]]) -> dict[K, T]:
    return {key: answer for key, answer in answers if not isinstance(answer, Unread)}


def _some(node: Node, read: dict[K, T], *, asked: Sequence[object]) -> dict[K, T]:
    if asked and not read:
        raise RemoteError(FailureReason.SCHEMA, f"{node.host}: none of {len(asked)} was answered")
    return read
