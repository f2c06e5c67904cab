"""Balances of many addresses at one block, through Multicall3 where the network has it.

A token that reverts or burns all gas is found by halving and costs the others nothing but time.
"""

from collections.abc import Sequence

from monitor.chains import eth, multicall
from monitor.chains.jsonrpc import SMALLER_MAY_PASS, Call, Node, Unread
from monitor.chains.ledger import Head, Holding, Token
from monitor.chains.multicall import Miss
from monitor.model import FailureReason, RemoteError

READS_PER_CALL = 150  # about 70 kB of request: under the 100 kB that public nodes of Polygon take


class Balances:
    """Reads balances of one network, and remembers which tokens must not be asked together with others."""

    def __init__(self, *, contracts_see_height: bool) -> None:
        self._contracts_see_height = contracts_see_height
        self._offenders: set[Token] = set()

    async def read(self, node: Node, holdings: Sequence[Holding], *, head: Head) -> dict[Holding, int]:
        """Balances in smallest units at exactly block `head`; a holding that could not be read is missing.

        Raises `RemoteError` where the node does not answer for that block.
        """
        balances: dict[Holding, int] = {}
        failing: set[Token] = set()
        pending = self._groups(holdings)
        while pending:
            group = [holding for holding in pending.pop() if holding.token not in failing]
            if not group:
                continue
            numbers = await self._ask(node, group, head=head)
            if numbers is None:
                return await _one_by_one(node, holdings, head=head)
            failed = []
            for holding, number in zip(group, numbers, strict=True):
                match number:
                    case int():
                        balances[holding] = number
                    case Miss.FAILED:
                        failed.append(holding)
            if len(group) == 1:
                failing.update(holding.token for holding in failed)
            else:
                pending += _halves(failed)
        self._offenders.difference_update(holding.token for holding in holdings)
        self._offenders |= failing
        return balances

    def _groups(self, holdings: Sequence[Holding]) -> list[list[Holding]]:
        """What to ask together, last first. Of a known offender a single holding decides whether the rest is asked."""
        by_token: dict[Token, list[Holding]] = {}
        for holding in holdings:
            by_token.setdefault(holding.token, []).append(holding)
        groups: list[list[Holding]] = []
        trusted: list[Holding] = []
        for token, held in by_token.items():
            if token in self._offenders:
                groups += [*_chunks(held[1:]), held[:1]]
            else:
                trusted += held
        return groups + _chunks(trusted)

    async def _ask(self, node: Node, group: Sequence[Holding], *, head: Head) -> list[int | Miss] | None:
        """One number or miss a holding; None where the network has no Multicall3."""
        match await self._aggregate(node, group, head=head):
            case None:
                return None
            case Unread():
                # A node that cannot even tell the height lacks this block; else somebody in the group is to blame.
                await self._assert_answers(node, head=head)
                return [Miss.FAILED] * len(group)
            case list() as numbers:
                return numbers

    async def _assert_answers(self, node: Node, *, head: Head) -> None:
        match await self._aggregate(node, (), head=head):
            case Unread(detail=detail):
                raise RemoteError(FailureReason.LAG, f"{node.host}: no state of block {head.number}: {detail}")

    async def _aggregate(self, node: Node, group: Sequence[Holding], *, head: Head) -> list[int | Miss] | Unread | None:
        reads = (multicall.BLOCK_NUMBER, *(_read_of(holding) for holding in group))
        try:
            answer = await node.call(eth.data(multicall.aggregate3(reads), head=head))
        except RemoteError as error:
            if not group or error.reason not in SMALLER_MAY_PASS:
                raise
            return Unread(error.detail)
        match answer:
            case Unread():
                return answer
            case b"":
                return None
            case bytes():
                return self._decoded(node, answer, count=len(reads), head=head)

    def _decoded(self, node: Node, answer: bytes, *, count: int, head: Head) -> list[int | Miss]:
        try:
            number, *numbers = multicall.decode(answer, count=count)
        except ValueError as error:
            raise RemoteError(FailureReason.SCHEMA, f"{node.host}: aggregate3: {error}") from error
        if self._contracts_see_height and number != head.number:
            raise RemoteError(FailureReason.LAG, f"{node.host}: asked for block {head.number}, answered for {number}")
        return numbers


async def _one_by_one(node: Node, holdings: Sequence[Holding], *, head: Head) -> dict[Holding, int]:
    answers = await node.batch([_call_of(holding, head=head) for holding in holdings])
    balances: dict[Holding, int] = {}
    for holding, answer in zip(holdings, answers, strict=True):
        match answer:
            case int():
                balances[holding] = answer
    return balances


def _read_of(holding: Holding) -> multicall.Read:
    if holding.token.contract is None:
        return multicall.coin_balance(holding.address)
    return multicall.token_balance(holding.address, token=holding.token.contract)


def _call_of(holding: Holding, *, head: Head) -> Call[int]:
    if holding.token.contract is None:
        return eth.coin_balance(holding.address, head=head)
    return eth.word(multicall.token_balance(holding.address, token=holding.token.contract), head=head)


def _chunks(holdings: Sequence[Holding]) -> list[list[Holding]]:
    return [list(holdings[start : start + READS_PER_CALL]) for start in range(0, len(holdings), READS_PER_CALL)]


def _halves(holdings: list[Holding]) -> list[list[Holding]]:
    middle = len(holdings) // 2
    return [half for half in (holdings[:middle], holdings[middle:]) if half]
