"""Balances of many addresses at one block, through Multicall3 where the network has it.

A token that reverts or burns all gas is found by halving and costs the others nothing but time.
"""

import math
from collections.abc import Sequence

import structlog

from monitor.chains import eth, multicall
from monitor.chains.jsonrpc import SMALLER_MAY_PASS, Call, Node, Unread
from monitor.chains.ledger import Head, Holding, Token
from monitor.chains.multicall import Miss, Results
from monitor.clock import Clock
from monitor.model import FailureReason, RemoteError

FIRST_CHUNK = 150  # reads a call: about 70 kB of request, under the 100 kB that public nodes of Polygon take
LARGEST_CHUNK = 2300  # a request of 1 MiB, which is what nginx takes unless told otherwise
REGROW_SECONDS = 300.0  # so a node with a fixed limit refuses us once in that time, and one that erred recovers
DECIMALS_SECONDS = 86400.0

log = structlog.get_logger()


class _NoMulticallError(Exception):
    """The network has no Multicall3."""


class _Chunk:
    """How many reads at once a node takes: doubled while it takes them, and after a refusal what it took then."""

    def __init__(self, clock: Clock) -> None:
        self.size = FIRST_CHUNK
        self._clock = clock
        self._refused_at = -math.inf  # on the monotonic clock

    def taken(self, reads: int) -> None:
        if reads == self.size and self._clock.monotonic() - self._refused_at > REGROW_SECONDS:
            self.size = min(2 * self.size, LARGEST_CHUNK)

    def refused(self, *, instead: int) -> None:
        self.size = instead
        self._refused_at = self._clock.monotonic()


class Balances:
    """Reads balances of one network, and remembers which tokens must not be asked together with others."""

    def __init__(self, clock: Clock, *, contracts_see_height: bool) -> None:
        self._clock = clock
        self._contracts_see_height = contracts_see_height
        self._offenders: set[Token] = set()
        self._chunks: dict[Node, _Chunk] = {}

    async def read(self, node: Node, holdings: Sequence[Holding], *, head: Head) -> dict[Holding, int]:
        """Balances in smallest units at exactly block `head`; a holding that could not be read is missing.

        Raises `RemoteError` where the node does not answer for that block.
        """
        chunk = self._chunks.setdefault(node, _Chunk(self._clock))
        reading = _Reading(node, chunk, head=head, contracts_see_height=self._contracts_see_height)
        # Of a known offender a single holding decides whether the rest is asked.
        suspects: dict[Token, Holding] = {}
        if self._offenders:
            suspects = {holding.token: holding for holding in holdings if holding.token in self._offenders}
        try:
            for suspect in suspects.values():
                await reading.take([suspect])
            await reading.take(holdings)
        except _NoMulticallError:
            return await _one_by_one(node, holdings, head=head)
        self._offenders.difference_update(suspects)
        self._offenders |= reading.failing
        return reading.amounts


class _Reading:
    """What one node told of one block."""

    def __init__(self, node: Node, chunk: _Chunk, *, head: Head, contracts_see_height: bool) -> None:
        self.amounts: dict[Holding, int] = {}
        self.failing: set[Token] = set()
        self._node = node
        self._chunk = chunk
        self._head = head
        self._contracts_see_height = contracts_see_height
        self._least = FIRST_CHUNK

    async def take(self, holdings: Sequence[Holding]) -> None:
        start = 0
        while start < len(holdings):
            part = holdings[start : start + self._chunk.size]
            start += len(part)
            group = self._not_failing(part)
            try:
                await self._settle(group)
            except RemoteError as error:
                if error.reason is FailureReason.TIMEOUT and len(group) > FIRST_CHUNK:
                    self._chunk.refused(instead=max(len(group) // 2, FIRST_CHUNK))  # the next time: we waited enough
                raise

    async def _settle(self, group: Sequence[Holding]) -> None:
        """Ask, and halve what failed until it is known which token does."""
        self._least = FIRST_CHUNK
        pending = [group]
        most = 0  # answers to one call
        while pending:
            asked = self._not_failing(pending.pop())
            failed = await self._ask(asked) if asked else ()
            most = max(most, len(asked) - len(failed))
            if len(asked) == 1:
                self.failing.update(holding.token for holding in failed)
            else:
                pending += _halves(failed)
        if most == len(group):
            self._chunk.taken(most)
        elif len(group) > self._least:
            self._chunk.refused(instead=max(most, self._least))

    def _not_failing(self, group: Sequence[Holding]) -> Sequence[Holding]:
        return [holding for holding in group if holding.token not in self.failing] if self.failing else group

    async def _ask(self, group: Sequence[Holding]) -> Sequence[Holding]:
        """Keeps what was told; returns what failed."""
        answer: Results | Unread
        try:
            answer = await self._aggregate(group)
        except RemoteError as error:
            if error.reason not in SMALLER_MAY_PASS:
                raise
            self._least = 1  # a token that fails makes no chunk smaller than the first, but a limit on requests does
            answer = Unread(error.detail)
        match answer:
            case Unread():
                # A node that cannot even tell the height lacks this block; else somebody in the group is to blame.
                await self._assert_answers()
                return group
            case Results():
                return self._keep(group, answer)

    def _keep(self, group: Sequence[Holding], results: Results) -> list[Holding]:
        misses = results.misses
        read = [holding for place, holding in enumerate(group, 1) if place not in misses] if misses else group
        self.amounts.update(zip(read, results.numbers[1:], strict=True))
        return [group[place - 1] for place, why in misses.items() if why is Miss.FAILED]

    async def _assert_answers(self) -> None:
        match await self._aggregate(()):
            case Unread(detail=detail):
                where = f"{self._node.host}: no state of block {self._head.number}"
                raise RemoteError(FailureReason.LAG, f"{where}: {detail}")

    async def _aggregate(self, group: Sequence[Holding]) -> Results | Unread:
        """The block's number comes first, and then what was asked."""
        match await self._node.call(eth.data(multicall.balances(group), head=self._head)):
            case Unread() as unread:
                return unread
            case b"":
                raise _NoMulticallError
            case answer:
                return self._decoded(answer, count=1 + len(group))

    def _decoded(self, answer: bytes, *, count: int) -> Results:
        host, height = self._node.host, self._head.number
        try:
            results = multicall.decode(answer, count=count)
        except ValueError as error:
            raise RemoteError(FailureReason.SCHEMA, f"{host}: aggregate3: {error}") from error
        if 0 in results.misses:
            raise RemoteError(FailureReason.SCHEMA, f"{host}: aggregate3: not even the block's number was told")
        if self._contracts_see_height and results.numbers[0] != height:
            told = results.numbers[0]
            raise RemoteError(FailureReason.LAG, f"{host}: asked for block {height}, answered for {told}")
        return results


class Decimals:
    """Whether tokens have the decimals that we were told: another number of them makes other coins of a balance."""

    def __init__(self, clock: Clock, tokens: Sequence[Token], *, network: str) -> None:
        self._clock = clock
        self._network = network
        self._checked: dict[Token, float] = dict.fromkeys(tokens, -math.inf)
        self._wrong: dict[Token, str] = {}

    async def wrong(self, node: Node, *, head: Head) -> dict[Token, str]:
        """The tokens whose contract tells other decimals, and what it tells. Each is asked once a day while right.

        A token that tells none is not among them: ERC-20 leaves that to it. Raises `RemoteError`.
        """
        now = self._clock.monotonic()
        due = {
            token: token.contract
            for token, checked in self._checked.items()
            if token.contract is not None and now - checked > DECIMALS_SECONDS
        }
        calls = [eth.word(multicall.decimals(contract), head=head) for contract in due.values()]
        for token, told in zip(due, await node.batch(calls), strict=True):
            match told:
                case int() if told != token.decimals:
                    self._doubt(token, told)
                case int():
                    self._checked[token] = now
                    self._wrong.pop(token, None)
        return self._wrong

    def _doubt(self, token: Token, told: int) -> None:
        if token not in self._wrong:
            log.warning(
                "token_decimals_differ", network=self._network, asset=token.asset, expected=token.decimals, told=told
            )
        self._wrong[token] = f"{token.asset} has {told} decimals, {token.decimals} were expected"


async def _one_by_one(node: Node, holdings: Sequence[Holding], *, head: Head) -> dict[Holding, int]:
    answers = await node.batch([_call_of(holding, head=head) for holding in holdings])
    balances: dict[Holding, int] = {}
    for holding, answer in zip(holdings, answers, strict=True):
        match answer:
            case int():
                balances[holding] = answer
    return balances


def _call_of(holding: Holding, *, head: Head) -> Call[int]:
    if holding.token.contract is None:
        return eth.coin_balance(holding.address, head=head)
    return eth.word(multicall.token_balance(holding.address, token=holding.token.contract), head=head)


def _halves(holdings: Sequence[Holding]) -> list[Sequence[Holding]]:
    middle = len(holdings) // 2
    return [half for half in (holdings[:middle], holdings[middle:]) if half]
