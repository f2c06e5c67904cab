"""What went into and out of a set of wallets, counted from what was moved: what moved within the set is neither.

All numbers are whole and in the asset's smallest unit.
"""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

T = TypeVar("T", bound=Hashable)
T_co = TypeVar("T_co", bound=Hashable, covariant=True)


class Move(Protocol[T_co]):
    """What one transaction did to one asset of the wallets (`monitor.chains.ledger.Movement`)."""

    @property
    def token(self) -> T_co: ...

    @property
    def changes(self) -> Mapping[str, int]: ...

    @property
    def payments(self) -> Sequence[tuple[str, int]]: ...


class Tally(Struct, Generic[T], frozen=True, kw_only=True):
    """`inflow` - `outflow` is what the set's balance changed by. Fees are part of `outflow`, and no payment."""

    token: T
    inflow: int = 0
    outflow: int = 0
    inflow_count: int = 0  # transactions that brought more than they took
    outflow_count: int = 0  # single payments to outsiders, of which a batch makes several; so are the next two
    outflow_sum_of_squares: int = 0
    outflow_max: int = 0
    internal: int = 0
    cold_outflow: int = 0  # of the outflow, what cold wallets paid
    unlabelled_outflow: int = 0  # of the outflow, what went to addresses on nobody's list


def tally(
    moves: Iterable[Move[T]], *, own: Collection[str], cold: Collection[str], labelled: Collection[str]
) -> list[Tally[T]]:
    """One tally a token, in the order in which tokens occur.

    `own` are the wallets of the set, `cold` those of them that are cold, `labelled` the known addresses of everybody;
    all are written as in `moves`.
    """
    ours, frozen, known = frozenset(own), frozenset(cold), frozenset(labelled)
    by_token: dict[T, list[Tally[T]]] = {}
    for move in moves:
        by_token.setdefault(move.token, []).append(_of_one(move, own=ours, cold=frozen, labelled=known))
    return [_sum(tallies) for tallies in by_token.values()]


def _of_one(move: Move[T], *, own: frozenset[str], cold: frozenset[str], labelled: frozenset[str]) -> Tally[T]:
    changes = {address: change for address, change in move.changes.items() if address in own}
    left = -sum(change for change in changes.values() if change < 0)
    came = sum(change for change in changes.values() if change > 0)
    outflow, inflow = max(0, left - came), max(0, came - left)
    paid = [(address, amount) for address, amount in move.payments if address not in own and amount]
    unlabelled = sum(amount for address, amount in paid if address not in labelled)
    from_cold = -sum(change for address, change in changes.items() if address in cold)
    return Tally(
        token=move.token,
        inflow=inflow,
        outflow=outflow,
        inflow_count=int(inflow > 0),
        outflow_count=len(paid),
        outflow_sum_of_squares=sum(amount * amount for _, amount in paid),
        outflow_max=max((amount for _, amount in paid), default=0),
        internal=min(left, came),
        cold_outflow=min(outflow, max(0, from_cold)),
        # Strangers may have paid for a part of the transaction, so its payments can be more than ours.
        unlabelled_outflow=min(outflow, unlabelled),
    )


def _sum(tallies: Sequence[Tally[T]]) -> Tally[T]:
    return Tally(
        token=tallies[0].token,
        inflow=sum(each.inflow for each in tallies),
        outflow=sum(each.outflow for each in tallies),
        inflow_count=sum(each.inflow_count for each in tallies),
        outflow_count=sum(each.outflow_count for each in tallies),
        outflow_sum_of_squares=sum(each.outflow_sum_of_squares for each in tallies),
        outflow_max=max(each.outflow_max for each in tallies),
        internal=sum(each.internal for each in tallies),
        cold_outflow=sum(each.cold_outflow for each in tallies),
        unlabelled_outflow=sum(each.unlabelled_outflow for each in tallies),
    )
