"""A chain that was asked everything once, and what it is asked."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec
from msgspec import Struct

from monitor.chains.evm import EvmChain
from monitor.chains.jsonrpc import Endpoint
from monitor.chains.ledger import Head, Holding, Ledger, Snapshot
from tests.tape import Tape, Teller

HOSTS = ("one.example.org", "two.example.org")

Facts = dict[str, object]


class Asked(Struct, frozen=True, kw_only=True):
    """What a chain is asked about. `first` is what the first host told before."""

    holdings: Sequence[Holding]
    addresses: Sequence[str]
    after: Head
    upto: Head
    first: Snapshot


class Scene(Struct, frozen=True, kw_only=True):
    """A recorded chain; `open` makes a ledger of two hosts that has asked nothing yet.

    `may_lack` and `lies` are as `mutants.change` has them.
    """

    name: str
    tape: Tape
    open: Callable[[Teller], Ledger]
    asked: Asked
    may_lack: frozenset[str] = frozenset()
    lies: frozenset[str] = frozenset()
    name_themselves: frozenset[str] = frozenset()  # the kinds of answers that say what they answer


async def head(ledger: Ledger, _: Asked) -> Facts:
    return {"head": await ledger.head()}


async def tips(ledger: Ledger, _: Asked) -> Facts:
    return {f"tip {tip}": tip for tip in await ledger.tips()}


async def block(ledger: Ledger, asked: Asked) -> Facts:
    return {"block": await ledger.block(asked.after.number)}


async def balances(ledger: Ledger, asked: Asked) -> Facts:
    return _amounts(await ledger.balances(asked.holdings))


async def second(ledger: Ledger, asked: Asked) -> Facts:
    return _amounts(await ledger.second(asked.holdings, first=asked.first))


async def movements(ledger: Ledger, asked: Asked) -> Facts:
    """`coverage` is less than 1 where some may be missing."""
    told = await ledger.movements(asked.addresses, after=asked.after, upto=asked.upto)
    facts: Facts = {"coverage": told.coverage}
    for move in told.moves:
        key = f"{move.transaction} {move.token.asset}"
        facts[f"{key} {sum(known.startswith(key) for known in facts)}"] = move
    return facts


async def nonces(ledger: Ledger, asked: Asked) -> Facts:
    assert isinstance(ledger, EvmChain)
    return {**await ledger.nonces(asked.addresses, at=asked.upto.number)}


QUESTIONS: Mapping[str, Callable[[Ledger, Asked], Awaitable[Facts]]] = {
    each.__name__: each for each in (head, tips, block, balances, second, movements)
}


def _amounts(told: Snapshot) -> Facts:
    return {"head": told.head, **{str(holding): amount for holding, amount in told.amounts.items()}}


async def everything(ledger: Ledger, *, holdings: Sequence[Holding], addresses: Sequence[str], after: int) -> Asked:
    """Ask all of it, so that it is on the tape."""
    first = msgspec.structs.replace(await ledger.balances(holdings), endpoint=HOSTS[0])
    since, upto = await ledger.block(after), await ledger.head()
    asked = Asked(holdings=holdings, addresses=addresses, after=since, upto=upto, first=first)
    for ask in QUESTIONS.values():
        await ask(ledger, asked)
    return asked


def local(url: str) -> Sequence[Endpoint]:
    return [Endpoint(url=url, allow_private=True)]


def afar() -> Sequence[Endpoint]:
    return [Endpoint(url=f"http://{host}") for host in HOSTS]
