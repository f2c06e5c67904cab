"""A tiny Tron: transactions, blocks and forks. Amounts are sun; addresses are the `T...` form.

What is scripted waits for `mine`. Written from the documentation of java-tron.
"""

import hashlib
from collections.abc import Callable, Collection, Sequence
from copy import deepcopy

from msgspec import Struct

from monitor.clock import Clock
from tests.tron_state import NOBODY, Account, Log, Outcome, Sent, State, Trc20, account, in_hex

FIRST_BLOCK = 79_000_000
SLOT_MS = 3_000
NEW_ACCOUNT_FEE = 1_100_000  # 1 TRX for the account and 0.1 TRX for bandwidth
TOKEN_FEE = 6_765_000  # energy 6.42 TRX and bandwidth 0.345 TRX
SUPPLY = 100_000_000_000 * 1_000_000
FOUNTAIN = account("fountain")
"""Holds all TRX that nobody was given yet."""


Effect = Callable[[State], dict[str, int]]
"""Changes the state; gives the amounts that the transaction's info tells, by their documented names."""


class Transaction(Struct, frozen=True, kw_only=True):
    """`value` is the contract's parameter; its fields that end in `_address` hold addresses."""

    id: str
    kind: str
    owner: str
    value: dict[str, object]
    effect: Effect
    fee: int
    outcome: Outcome = Outcome.SUCCESS
    contract: str | None = None  # the one that is called or made
    logs: tuple[Log, ...] = ()
    internal: tuple[Sent, ...] = ()


class Block(Struct, frozen=True, kw_only=True):
    number: int
    id: str
    parent: str
    time_ms: int
    transactions: tuple[Transaction, ...]
    told: dict[str, dict[str, int]]  # transaction -> amounts of its info
    state: State  # after the block


def nothing(_state: State) -> dict[str, int]:
    return {}


class TronChain:
    """Starts with `length` empty blocks up to now. Blocks are dated by the clock and never twice at one millisecond."""

    def __init__(self, clock: Clock, *, length: int = 20) -> None:
        self._clock = clock
        self._branch = 0
        self._made = 0
        self._pending: list[Transaction] = []
        self.blocks: list[Block] = []
        state = State(accounts={FOUNTAIN: Account(balance=SUPPLY)})
        for n in range(length):
            self._append((), state=state, at_ms=self._now() - (length - 1 - n) * SLOT_MS)

    @property
    def head(self) -> Block:
        return self.blocks[-1]

    def block(self, number: int) -> Block | None:
        place = number - FIRST_BLOCK
        return self.blocks[place] if 0 <= place < len(self.blocks) else None

    def mine(self, blocks: int = 1) -> Block:
        """The first of `blocks` takes all that waits. Gives the last one. Raises ValueError for what cannot be paid."""
        for _ in range(blocks):
            waiting, self._pending = tuple(self._pending), []
            self._append(waiting, state=self.head.state, at_ms=max(self._now(), self.head.time_ms + 1))
        return self.head

    def fork(self, depth: int, *, blocks: int | None = None, keep: Collection[str] = ()) -> Block:
        """Replace the last `depth` blocks by `blocks` others (as many by default).

        Of the lost transactions those in `keep` are in the first new block. Gives the new head.
        """
        lost = self.blocks[-depth:]
        del self.blocks[-depth:]
        self._branch += 1
        times = [block.time_ms for block in lost]
        kept = tuple(tx for block in lost for tx in block.transactions if tx.id in keep)
        for n in range(depth if blocks is None else blocks):
            at_ms = times[n] if n < len(times) else max(self._now(), self.head.time_ms + 1)
            self._append(kept if n == 0 else (), state=self.head.state, at_ms=at_ms)
        return self.head

    def fund(self, address: str, sun: int) -> str:
        return self.transfer(FOUNTAIN, address, sun, fee=0)

    def transfer(self, sender: str, receiver: str, sun: int, *, fee: int | None = None) -> str:
        """Without a `fee` it is what the network takes: nothing (free bandwidth), or the price of a new account."""
        new = receiver not in self.head.state.accounts

        def effect(state: State) -> dict[str, int]:
            state.take(sender, sun)
            state.give(receiver, sun)
            return {}

        value: dict[str, object] = {"amount": sun, "owner_address": sender, "to_address": receiver}
        charged = fee if fee is not None else NEW_ACCOUNT_FEE if new else 0
        return self._wait("TransferContract", sender, value, effect=effect, fee=charged)

    def issue(self, symbol: str, *, decimals: int, holder: str, amount: int) -> str:
        """Deploy a TRC-20 token whose whole supply is `holder`'s. Gives the contract."""
        contract = account(f"contract of {symbol}")

        def effect(state: State) -> dict[str, int]:
            state.tokens[contract] = Trc20(symbol=symbol, decimals=decimals)
            state.accounts[contract] = Account(is_contract=True, created_ms=state.time_ms)
            state.move_token(contract, sender=NOBODY, receiver=holder, amount=amount)
            return {}

        self._wait(
            "CreateSmartContract",
            FOUNTAIN,
            {"owner_address": FOUNTAIN, "new_contract": {"name": symbol}},
            effect=effect,
            contract=contract,
            logs=(Sent(sender=NOBODY, receiver=holder, amount=amount, token=contract).log(),),
        )
        return contract

    def send_token(
        self,
        contract: str,
        sender: str,
        receiver: str,
        amount: int,
        *,
        fee: int = TOKEN_FEE,
        outcome: Outcome = Outcome.SUCCESS,
    ) -> str:
        """A call of `transfer(address,uint256)`."""
        return self.call(
            sender,
            contract,
            data=f"a9059cbb{in_hex(receiver)[2:].rjust(64, '0')}{amount:064x}",
            moves=(Sent(sender=sender, receiver=receiver, amount=amount, token=contract),),
            fee=fee,
            outcome=outcome,
        )

    def call(
        self,
        caller: str,
        contract: str,
        *,
        data: str = "",
        sun: int = 0,
        moves: Sequence[Sent] = (),
        logs: Sequence[Log] = (),
        fee: int = TOKEN_FEE,
        outcome: Outcome = Outcome.SUCCESS,
    ) -> str:
        """Call a contract with `sun`, and let it make `moves`. `logs` are told beside those of the moves.

        Where the outcome is no success, nothing moves but the fee; one that runs out of energy still tells its logs.
        """

        def effect(state: State) -> dict[str, int]:
            state.take(caller, sun)
            state.give(contract, sun)
            for move in moves:
                match move.token:
                    case None:
                        state.take(move.sender, move.amount)
                        state.give(move.receiver, move.amount)
                    case token:
                        state.move_token(token, sender=move.sender, receiver=move.receiver, amount=move.amount)
            return {}

        value: dict[str, object] = {"data": data, "owner_address": caller, "contract_address": contract}
        if sun:
            value["call_value"] = sun
        told = (*(move.log() for move in moves if move.token is not None), *logs)
        return self._wait(
            "TriggerSmartContract",
            caller,
            value,
            effect=effect if outcome is Outcome.SUCCESS else nothing,
            fee=fee,
            outcome=outcome,
            contract=contract,
            logs=() if outcome is Outcome.REVERT else told,
            internal=tuple(move for move in moves if move.token is None),
        )

    def reward(self, address: str, sun: int) -> None:
        """Let the network owe the account a voter's reward, from the next block on."""

        def effect(state: State) -> dict[str, int]:
            state.take(FOUNTAIN, sun)
            state.accounts[address].allowance += sun
            return {}

        self._wait("VoteWitnessContract", FOUNTAIN, {"owner_address": FOUNTAIN}, effect=effect)

    def claim(self, address: str) -> str:
        """Withdraw the rewards that are owed."""

        def effect(state: State) -> dict[str, int]:
            claimed, state.accounts[address].allowance = state.accounts[address].allowance, 0
            state.give(address, claimed)
            return {"withdraw_amount": claimed}

        return self._wait("WithdrawBalanceContract", address, {"owner_address": address}, effect=effect)

    def stake(self, kind: str, owner: str, value: dict[str, object], effect: Effect) -> str:
        """A transaction of `tests.tron_stakes`."""
        return self._wait(kind, owner, {"owner_address": owner, **value}, effect=effect)

    def _wait(
        self,
        kind: str,
        owner: str,
        value: dict[str, object],
        *,
        effect: Effect,
        fee: int = 0,
        outcome: Outcome = Outcome.SUCCESS,
        contract: str | None = None,
        logs: Sequence[Log] = (),
        internal: Sequence[Sent] = (),
    ) -> str:
        self._made += 1
        tx = Transaction(
            id=hashlib.sha256(f"transaction {self._made} {kind} {owner}".encode()).hexdigest(),
            kind=kind,
            owner=owner,
            value=value,
            effect=effect,
            fee=fee,
            outcome=outcome,
            contract=contract,
            logs=tuple(logs),
            internal=tuple(internal),
        )
        self._pending.append(tx)
        return tx.id

    def _append(self, transactions: Sequence[Transaction], *, state: State, at_ms: int) -> None:
        after = deepcopy(state)
        after.time_ms = at_ms
        told: dict[str, dict[str, int]] = {}
        for tx in transactions:
            after.take(tx.owner, tx.fee)
            after.burned += tx.fee
            told[tx.id] = tx.effect(after)
        number = FIRST_BLOCK + len(self.blocks)
        parent = self.head.id if self.blocks else f"{number - 1:016x}{'0' * 48}"
        content = f"{self._branch} {parent} {at_ms} {[tx.id for tx in transactions]}"
        block_id = f"{number:016x}{hashlib.sha256(content.encode()).hexdigest()[16:]}"
        self.blocks.append(
            Block(
                number=number,
                id=block_id,
                parent=parent,
                time_ms=at_ms,
                transactions=tuple(transactions),
                told=told,
                state=after,
            )
        )

    def _now(self) -> int:
        return int(self._clock.now().timestamp() * 1000)
