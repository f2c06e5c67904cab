"""A tiny XRP Ledger: accounts, transactions with their metadata, validated ledgers. Amounts are drops.

What is scripted waits for `close`. The metadata is the difference a transaction made, so the two cannot disagree.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy

from msgspec import Struct

from monitor.clock import Clock
from tests.xrp_metadata import root_node, touched_node, trust_line
from tests.xrp_state import FIRST_LEDGER, GENESIS, RIPPLE_EPOCH, Root, State, hash_of

FEE = 12
PARTIAL_PAYMENT = 131_072
SUPPLY = 100_000_000_000 * 1_000_000
DELETION_FEE = 200_000


class Applied(Struct, frozen=True, kw_only=True):
    """A transaction in a ledger, and what it changed."""

    hash: str
    tx: dict[str, object]
    meta: dict[str, object]
    position: int
    accounts: frozenset[str]  # whose history it is in


class Ledger(Struct, frozen=True, kw_only=True):
    index: int
    hash: str
    parent_hash: str
    close_time: int  # seconds since the Ripple epoch
    parent_close_time: int
    transactions: tuple[Applied, ...]
    state: State


Effect = Callable[[State, int], None]
"""Changes the state in the ledger of that index."""


class _Waiting(Struct, frozen=True, kw_only=True):
    hash: str
    tx: dict[str, object]
    effect: Effect
    fee: int
    result: str
    delivered: object
    is_partial: bool
    threads: tuple[str, ...]
    others: tuple[dict[str, object], ...]


def nothing(_state: State, _ledger: int) -> None:
    pass


class XrpLedger:
    """Starts with `length` empty ledgers four seconds apart, the last one closed now."""

    def __init__(self, clock: Clock, *, length: int = 10) -> None:
        self._clock = clock
        self._made = 0
        self._waiting: list[_Waiting] = []
        self.ledgers: list[Ledger] = []
        state = State(roots={GENESIS: Root(balance=SUPPLY, sequence=1)})
        for n in range(length):
            self._append((), state=state, close_time=self._now() - 4 * (length - 1 - n))

    @property
    def newest(self) -> Ledger:
        return self.ledgers[-1]

    def close(self, ledgers: int = 1) -> Ledger:
        """The first of `ledgers` takes all that waits. Each closes at least a second after the one before."""
        for _ in range(ledgers):
            waiting, self._waiting = tuple(self._waiting), []
            close_time = max(self._now(), self.newest.close_time + 1)
            self._append(waiting, state=self.newest.state, close_time=close_time)
        return self.newest

    def open_state(self) -> State:
        """What the ledger that is not closed yet would hold; nothing of it is final."""
        state = deepcopy(self.newest.state)
        for position, waiting in enumerate(self._waiting):
            _apply(waiting, state, ledger=self.newest.index + 1, position=position)
        return state

    def fund(self, address: str, drops: int) -> str:
        return self.pay(GENESIS, address, drops)

    def pay(self, sender: str, receiver: str, drops: int, *, fee: int = FEE, claims: int | None = None) -> str:
        """A payment of XRP. With `claims` it is partial: that is its `Amount`, and `drops` is what arrives."""

        def effect(state: State, ledger: int) -> None:
            state.take(sender, drops)
            state.give(receiver, drops, ledger=ledger)

        amount = drops if claims is None else claims
        return self._wait(
            "Payment",
            sender,
            {"Destination": receiver, "Amount": str(amount), "Flags": 0 if claims is None else PARTIAL_PAYMENT},
            effect=effect,
            fee=fee,
            delivered=str(drops),
            is_partial=claims is not None,
        )

    def fail_to_pay(
        self, sender: str, receiver: str, drops: int, *, fee: int = FEE, result: str = "tecUNFUNDED_PAYMENT"
    ) -> str:
        """A payment that only costs its fee."""
        return self._wait(
            "Payment",
            sender,
            {"Destination": receiver, "Amount": str(drops), "Flags": 0},
            effect=nothing,
            fee=fee,
            result=result,
        )

    def pay_token(self, sender: str, receiver: str, value: str, *, issuer: str, fee: int = FEE) -> str:
        """A payment of issued dollars, of which the XRP balances see only the fee."""
        amount = {"currency": "USD", "issuer": issuer, "value": value}
        return self._wait(
            "Payment",
            sender,
            {"Destination": receiver, "Amount": amount, "Flags": 0},
            effect=nothing,
            fee=fee,
            delivered=amount,
            others=(trust_line(sender, issuer, value),),
        )

    def trust(self, sender: str, issuer: str, *, fee: int = FEE) -> str:
        """A trust line. The issuer's account is touched and not changed."""

        def effect(state: State, _ledger: int) -> None:
            state.roots[sender].owner_count += 1

        limit = {"currency": "USD", "issuer": issuer, "value": "10000"}
        return self._wait("TrustSet", sender, {"LimitAmount": limit}, effect=effect, fee=fee, threads=(issuer,))

    def sell(self, taker: str, maker: str, drops: int, *, fee: int = FEE) -> str:
        """An offer of `taker` takes XRP out of an offer of `maker`, who signed nothing here."""

        def effect(state: State, ledger: int) -> None:
            state.take(maker, drops)
            state.give(taker, drops, ledger=ledger)

        wanted: dict[str, object] = {
            "TakerPays": str(drops),
            "TakerGets": {"currency": "USD", "issuer": GENESIS, "value": "1"},
        }
        return self._wait("OfferCreate", taker, wanted, effect=effect, fee=fee)

    def lock(self, sender: str, receiver: str, drops: int, *, fee: int = FEE) -> str:
        """Put XRP into an escrow for `receiver`."""

        def effect(state: State, _ledger: int) -> None:
            state.take(sender, drops)
            state.locked += drops

        return self._wait(
            "EscrowCreate", sender, {"Destination": receiver, "Amount": str(drops)}, effect=effect, fee=fee
        )

    def release(self, finisher: str, receiver: str, drops: int, *, fee: int = FEE) -> str:
        """`finisher` ends an escrow, and `receiver` has its XRP."""

        def effect(state: State, ledger: int) -> None:
            state.locked -= drops
            state.give(receiver, drops, ledger=ledger)

        return self._wait("EscrowFinish", finisher, {"Owner": GENESIS, "OfferSequence": 1}, effect=effect, fee=fee)

    def delete(self, address: str, *, beneficiary: str) -> str:
        """Close an account: what is left after the fee goes to `beneficiary`, and the account is no more."""

        def effect(state: State, ledger: int) -> None:
            left = state.roots[address].balance
            state.take(address, left)
            state.give(beneficiary, left, ledger=ledger)
            del state.roots[address]

        left = self.open_state().roots[address].balance - DELETION_FEE
        return self._wait(
            "AccountDelete", address, {"Destination": beneficiary}, effect=effect, fee=DELETION_FEE, delivered=str(left)
        )

    def _wait(
        self,
        kind: str,
        sender: str,
        values: dict[str, object],
        *,
        effect: Effect,
        fee: int,
        result: str = "tesSUCCESS",
        delivered: object = None,
        is_partial: bool = False,
        threads: Sequence[str] = (),
        others: Sequence[dict[str, object]] = (),
    ) -> str:
        self._made += 1
        name = hash_of("transaction", self._made, kind, sender)
        tx = {"TransactionType": kind, "Account": sender, "Fee": str(fee), **values}
        self._waiting.append(
            _Waiting(
                hash=name,
                tx=tx,
                effect=effect,
                fee=fee,
                result=result,
                delivered=delivered,
                is_partial=is_partial,
                threads=tuple(threads),
                others=tuple(others),
            )
        )
        return name

    def _append(self, waiting: Sequence[_Waiting], *, state: State, close_time: int) -> None:
        index = FIRST_LEDGER + len(self.ledgers)
        parent_hash = self.newest.hash if self.ledgers else hash_of("before the first ledger")
        after = deepcopy(state)
        applied = tuple(_apply(one, after, ledger=index, position=place) for place, one in enumerate(waiting))
        self.ledgers.append(
            Ledger(
                index=index,
                hash=hash_of("ledger", parent_hash, close_time, [one.hash for one in applied]),
                parent_hash=parent_hash,
                close_time=close_time,
                parent_close_time=self.newest.close_time if self.ledgers else close_time - 4,
                transactions=applied,
                state=after,
            )
        )

    def _now(self) -> int:
        return int(self._clock.now().timestamp()) - RIPPLE_EPOCH


def _apply(waiting: _Waiting, state: State, *, ledger: int, position: int) -> Applied:
    before = deepcopy(state.roots)
    sender = str(waiting.tx["Account"])
    sequence = state.roots[sender].sequence
    state.take(sender, waiting.fee)
    state.burned += waiting.fee
    state.roots[sender].sequence += 1
    waiting.effect(state, ledger)
    changed = [address for address in {**before, **state.roots} if before.get(address) != state.roots.get(address)]
    nodes = [root_node(address, before.get(address), state.roots.get(address)) for address in changed]
    nodes += [touched_node(address, before[address]) for address in waiting.threads if address not in changed]
    for address in (*changed, *waiting.threads):
        if address in state.roots:
            state.roots[address].touched_by, state.roots[address].touched_in = waiting.hash, ledger
    meta: dict[str, object] = {
        "AffectedNodes": [*nodes, *waiting.others],
        "TransactionIndex": position,
        "TransactionResult": waiting.result,
    }
    if waiting.is_partial:
        meta["DeliveredAmount"] = waiting.delivered
    if waiting.delivered is not None:
        meta["delivered_amount"] = waiting.delivered
    tx = {
        **waiting.tx,
        "Sequence": sequence,
        "LastLedgerSequence": ledger + 18,
        "SigningPubKey": f"ED{waiting.hash}",
        "TxnSignature": waiting.hash * 2,
    }
    accounts = frozenset((*changed, *waiting.threads))
    return Applied(hash=waiting.hash, tx=tx, meta=meta, position=position, accounts=accounts)
