"""Transfers of tokens, from the events that their contracts write: as much in one question as the node takes.

Who signed is not in an event, so the address that paid stands for it: an allowance that somebody else spent looks the
same here. A transfer of nothing is left out: anybody can write one from anybody's address.
"""

import re
from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from monitor.chains import eth, eth_logs
from monitor.chains.blocks import Transfer
from monitor.chains.eth_logs import Event, Search, Side
from monitor.chains.jsonrpc import Node, Unread
from monitor.chains.ledger import Head, Token
from monitor.model import FailureReason, RemoteError

MOST_BLOCKS = 1_000
MOST_ADDRESSES = 500  # geth takes 1,000 topics in a place
GROW_AFTER = 20  # questions answered, so that a node with a fixed limit refuses us once in that many

# What nodes say when they will not answer that much at once; their codes differ and are used for other things too.
_TOO_MUCH = (
    "range", "results", "blocks", "size", "large", "topic", "addresses", "parameters", "timeout", "timed out",
    "distance", "logs matched", "many logs", "query",
)  # fmt: skip
_TOO_MANY_ADDRESSES = ("topic", "addresses", "parameters")

_CODE = re.compile(r"^eth_getLogs: -?\d+ ")  # of an error of the node, not of ours in reading its answer

_SLOW = (FailureReason.TIMEOUT, FailureReason.HTTP_5XX)
"""Not asked again at once, as that may take as long; less is asked the next time."""


class _Reach(Struct):
    """How much a node takes in one question, as far as we know."""

    blocks: int = MOST_BLOCKS
    addresses: int = MOST_ADDRESSES
    answered: int = 0  # questions as large as this, since it changed


class TokenTransfers:
    """Reads transfers of `tokens`, all of which have a contract, and remembers how much each node takes at once."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens: Mapping[str, Token] = {token.contract.lower(): token for token in tokens if token.contract}
        self._reaches: dict[Node, _Reach] = {}

    async def read(self, node: Node, watched: Collection[str], *, after: Head, upto: Head) -> list[Transfer]:
        """Transfers from or to `watched` addresses in the blocks above `after` up to `upto`, oldest first.

        Raises `RemoteError`: LAG where an event is not of a block that is in the chain with these two, ...
        """
        events = (
            await self._search(node, watched, first=after.number + 1, last=upto.number)
            if self.tokens and watched
            else []
        )
        if len({(event.number, event.index) for event in events}) < len(set(events)):
            raise RemoteError(FailureReason.SCHEMA, f"{node.host}: two events at one place")
        heads = await _heads(node, events, after=after, upto=upto)
        return [
            self.transfer(event, block=heads[event.number], signer=event.source)
            for event in eth_logs.ordered(events)
            if event.amount and (event.source in watched or event.destination in watched)
        ]

    def transfer(self, event: Event, *, block: Head, signer: str) -> Transfer:
        return Transfer(
            block=block,
            transaction=event.transaction,
            token=self.tokens[event.contract],
            sources=((event.source, event.amount),),
            destinations=((event.destination, event.amount),),
            signers=(signer,),
        )

    def _reach(self, node: Node) -> _Reach:
        return self._reaches.setdefault(node, _Reach())

    async def _search(self, node: Node, watched: Collection[str], *, first: int, last: int) -> list[Event]:
        events: list[Event] = []
        contracts, addresses = tuple(self.tokens), tuple(sorted(watched))
        pending = [Search(contracts=contracts, side=side, addresses=addresses, first=first, last=last) for side in Side]
        while pending:
            search, *others = self._within_reach(node, pending.pop())
            pending += others
            found = await self._find(node, search)
            if found is None:
                pending.append(search)
            else:
                events += found
        return events

    async def _find(self, node: Node, search: Search) -> list[Event] | None:
        """The events, or None where the node will not tell that much at once."""
        # Alone and not in a batch: a refusal says how much of this it takes, and nothing of other calls.
        try:
            answer = await node.call(eth_logs.transfers(search))
        except RemoteError as error:
            if _is_for_its_size(error) and self._shrink(node, search, error.detail) and error.reason not in _SLOW:
                return None
            raise
        match answer:
            case Unread(detail=detail) if _is_refusal(detail) and self._shrink(node, search, detail):
                return None
            case Unread(detail=detail):
                raise RemoteError(FailureReason.SCHEMA, f"{node.host}: {detail}")
            case events:
                self._grow(node, search)
                return [event for event in events if self._is_asked(event, search, host=node.host)]

    def _is_asked(self, event: Event, search: Search, *, host: str) -> bool:
        if not search.first <= event.number <= search.last:
            detail = f"{host}: asked for events of blocks {search.first} to {search.last}, got one of {event.number}"
            raise RemoteError(FailureReason.SCHEMA, detail)
        return event.contract in self.tokens

    def _shrink(self, node: Node, search: Search, detail: str) -> bool:
        """Ask this node for less from now on; false where it cannot be less than this was."""
        reach = self._reach(node)
        blocks, addresses = search.last - search.first + 1, len(search.addresses)
        if blocks == addresses == 1:
            return False
        if addresses > 1 and (blocks == 1 or any(word in detail.lower() for word in _TOO_MANY_ADDRESSES)):
            reach.addresses = min(reach.addresses, addresses // 2)
        else:
            reach.blocks = min(reach.blocks, blocks // 2)
        reach.answered = 0
        return True

    def _within_reach(self, node: Node, search: Search) -> list[Search]:
        """The same in as many pieces as it takes, at least one."""
        reach = self._reach(node)
        return [
            replace(
                search,
                first=start,
                last=min(search.last, start + reach.blocks - 1),
                addresses=search.addresses[place : place + reach.addresses],
            )
            for start in range(search.first, search.last + 1, reach.blocks)
            for place in range(0, len(search.addresses), reach.addresses)
        ]

    def _grow(self, node: Node, search: Search) -> None:
        reach = self._reach(node)
        blocks, addresses = search.last - search.first + 1, len(search.addresses)
        reach.answered += blocks == reach.blocks or addresses == reach.addresses
        if reach.answered >= GROW_AFTER:
            reach.blocks = min(MOST_BLOCKS, 2 * reach.blocks)
            reach.addresses = min(MOST_ADDRESSES, 2 * reach.addresses)
            reach.answered = 0


async def _heads(node: Node, events: Sequence[Event], *, after: Head, upto: Head) -> dict[int, Head]:
    """The blocks of the events, and that all of them and both ends are in one chain. Raises `RemoteError`, LAG."""
    told = {after.number: after.hash, upto.number: upto.hash}
    numbers = sorted({event.number for event in events} | told.keys())
    heads: dict[int, Head] = {}
    for number, answer in zip(numbers, await node.batch([eth.block(number) for number in numbers]), strict=True):
        match answer:
            case Unread(detail=detail):
                raise RemoteError(FailureReason.SCHEMA, f"{node.host}: block {number}: {detail}")
            case None:
                raise RemoteError(FailureReason.LAG, f"{node.host}: no block {number}")
            case head:
                heads[number] = head
    for number, block_hash in [*told.items(), *((event.number, event.block_hash) for event in events)]:
        if heads[number].hash != block_hash:
            raise RemoteError(FailureReason.LAG, f"{node.host}: block {number} {block_hash} is not in the chain")
    return heads


def _is_for_its_size(error: RemoteError) -> bool:
    match error.reason:
        case FailureReason.TOO_LARGE | FailureReason.HTTP_4XX | FailureReason.HTTP_5XX | FailureReason.TIMEOUT:
            return True
        case FailureReason.RATE_LIMITED:  # which is what -32005 becomes, whatever it was meant for
            return _is_too_much(error.detail)
        case _:
            return False


def _is_refusal(detail: str) -> bool:
    """Of what was unread: whether the node said so itself, and for its size."""
    return _CODE.search(detail) is not None and _is_too_much(detail)


def _is_too_much(detail: str) -> bool:
    lowered = detail.lower()
    return any(words in lowered for words in _TOO_MUCH)
