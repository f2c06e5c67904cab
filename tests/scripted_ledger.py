"""A chain in memory that tests script: payments, blocks, forks, endpoints that fail, lie or stand still."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from msgspec import Struct

from monitor.chains.ledger import Head, Holding, Movement, Movements, Snapshot, Token
from monitor.model import FailureReason, RemoteError

START = datetime(2026, 2, 3, 12, 0, tzinfo=UTC)
COIN = Token(asset="ETH")


class Pay(Struct, frozen=True, kw_only=True):
    """A transaction: `sender` pays each of `to`, and `fee` to nobody."""

    sender: str
    to: tuple[tuple[str, int], ...]
    fee: int = 0
    token: Token = COIN


class Block(Struct, frozen=True):
    head: Head
    payments: tuple[Pay, ...]


class ScriptedLedger:
    """Implements `Ledger`. Two endpoints, "one.example" and "two.example", that tell the same unless a test says so."""

    def __init__(self, network: str = "ethereum", *, coin: Token = COIN, block_seconds: float = 12.0) -> None:
        self.network = network
        self.coin = coin
        self.endpoints = 2
        self.whole_blocks = True
        self.blocks: list[Block] = []
        self.funds: dict[Holding, int] = {}
        self.unread: set[Holding] = set()
        self.lies: dict[Holding, int] = {}  # what the first endpoint tells instead
        self.coverage = 1.0
        self.refuse: Callable[[str], RemoteError | None] = lambda _: None
        self.asked: list[str] = []
        self._pace = timedelta(seconds=block_seconds)
        self._forks = 0
        self.mine()

    @property
    def tip(self) -> Head:
        return self.blocks[-1].head

    def fund(self, address: str, units: int, *, token: Token = COIN) -> None:
        self.funds[Holding(address, token)] = units

    def mine(self, *payments: Pay) -> Head:
        number = len(self.blocks)
        digest = sha256(f"{self.network} {self._forks} {number}".encode()).hexdigest()
        head = Head(number=number, hash=f"0x{digest}", timestamp=START + number * self._pace)
        self.blocks.append(Block(head, payments))
        return head

    def mine_empty(self, count: int) -> Head:
        for _ in range(count):
            self.mine()
        return self.tip

    def fork(self, depth: int, *payments: Pay) -> Head:
        """Replace the newest `depth` blocks by as many and one more; the payments are in the first of them."""
        del self.blocks[-depth:]
        self._forks += 1
        self.mine(*payments)
        return self.mine_empty(depth)

    def balance(self, address: str, *, token: Token | None = None, at: int | None = None) -> int:
        token = token or self.coin
        upto = self.tip.number if at is None else at
        held = self.funds.get(Holding(address, token), 0)
        for block in self.blocks[: upto + 1]:
            held += sum(_changes(pay).get(address, 0) for pay in block.payments if pay.token == token)
        return held

    def watch(self, addresses: Iterable[str]) -> None:
        """Everything is known here."""

    async def head(self) -> Head:
        self._ask("head")
        return self.tip

    async def tips(self) -> list[Head]:
        self._ask("tips")
        return [self.tip] * self.endpoints

    async def block(self, number: int) -> Head:
        self._ask("block")
        if not 0 <= number < len(self.blocks):
            raise RemoteError(FailureReason.LAG, f"no block {number}")
        return self.blocks[number].head

    async def balances(self, holdings: Sequence[Holding]) -> Snapshot:
        self._ask("balances")
        amounts = {each: self.balance(each.address, token=each.token) for each in holdings if each not in self.unread}
        lies = {each: amount for each, amount in self.lies.items() if each in amounts}
        return Snapshot(head=self.tip, endpoint="one.example", amounts=amounts | lies)

    async def second(self, holdings: Sequence[Holding], *, first: Snapshot) -> Snapshot:
        self._ask("second")
        at = first.head.number
        amounts = {each: self.balance(each.address, token=each.token, at=at) for each in holdings}
        return Snapshot(head=first.head, endpoint="two.example", amounts=amounts)

    async def movements(self, addresses: Collection[str], *, after: Head, upto: Head) -> Movements:
        self._ask("movements")
        for end in (after, upto):
            if self.blocks[end.number].head != end:
                raise RemoteError(FailureReason.LAG, f"block {end.number} is gone")
        moves = [
            move
            for block in self.blocks[after.number + 1 : upto.number + 1]
            for index, pay in enumerate(block.payments)
            if (move := _movement(block.head, f"{block.head.number}-{index}", pay, addresses)).changes
        ]
        return Movements(moves=tuple(moves), coverage=self.coverage)

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        refused = self.refuse(what)
        if refused is not None:
            raise refused


def _changes(pay: Pay) -> dict[str, int]:
    changes = {pay.sender: -pay.fee - sum(amount for _, amount in pay.to)}
    for address, amount in pay.to:
        changes[address] = changes.get(address, 0) + amount
    return changes


def _movement(block: Head, transaction: str, pay: Pay, addresses: Collection[str]) -> Movement:
    known = frozenset(addresses)
    is_ours = pay.sender in known
    return Movement(
        block=block,
        transaction=transaction,
        token=pay.token,
        changes={address: change for address, change in _changes(pay).items() if address in known},
        payments=tuple(each for each in pay.to if is_ours and each[0] not in known),
        senders=(pay.sender,) if is_ours else (),
        fee=pay.fee if is_ours else 0,
    )
