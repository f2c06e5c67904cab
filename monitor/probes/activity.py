"""Outgoing transactions of an exchange on a chain that has no nonces: counted from what was moved, block by block.

A batch that pays many is one transaction; how many it paid is told by the flows.
"""

from datetime import datetime
from decimal import Decimal

from monitor.chains.ledger import Head, Ledger, Movement, Movements
from monitor.chains.times import block_before
from monitor.clock import Clock
from monitor.model import FailureReason, Reading, RemoteError, WalletActivity
from monitor.probes.doubts import coins
from monitor.probes.usage import usages
from monitor.reserves.flows import tally
from monitor.reserves.roles import Wallets

REORG_DEPTH = 6  # blocks that are read again when the newest one we read was replaced
REMEMBERED = 5_000  # transactions, so that one that a reorg puts into another block is counted once


class ActivityProbe:
    """Read at the head. Empty while no block has a later time: time without a block is neither coverage nor silence.

    `since` is the time of this probe's last committed reading; None at the first start.
    """

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        *,
        exchange: str,
        name: str,
        interval: float,
        wallets: Wallets,
        reach: int,
        since: datetime | None,
    ) -> None:
        self.exchange = exchange
        self.name = name
        self.interval = interval
        self._ledger = ledger
        self._clock = clock
        self._wallets = wallets
        self._reach = reach
        self._since = since
        self._seen: Head | None = None
        self._counted: dict[str, None] = {}
        self._last_at: datetime | None = None

    async def history(self) -> list[Reading]:
        """One reading from the last committed one to now, or of the newest blocks at a first start.

        To be called once, before `observe`. Raises `RemoteError`.
        """
        head = await self._ledger.head()
        if self._since is None:
            begin = await self._ledger.block(max(0, head.number - self._reach))
        else:
            begin = await block_before(self._ledger, self._since, head=head, depth=self._reach)
        if begin.timestamp >= head.timestamp:
            return []
        moves = await self._ledger.movements(self._wallets.addresses, after=begin, upto=head)
        self._seen = head
        return [self._told(moves, since=begin, head=head, at=head.timestamp)]

    async def observe(self) -> Reading:
        """One `WalletActivity`, or nothing where there is no new block. Raises `RemoteError`."""
        head = await self._ledger.head()
        seen = self._seen
        if seen is None or head.number < seen.number - REORG_DEPTH:  # such a head was none: begin anew
            self._seen = head
            return ()
        if head.timestamp <= seen.timestamp or head.number <= seen.number:
            return ()
        if head.number - seen.number > self._reach:  # what is further back is neither coverage nor silence
            seen = await self._ledger.block(head.number - self._reach)
        begin = seen
        if (await self._ledger.block(seen.number)).hash != seen.hash:
            begin = await self._ledger.block(max(0, seen.number - REORG_DEPTH))
        moves = await self._moves(begin, head)
        self._seen = head
        # What a reorg lets us read again is time that was told already.
        return self._told(moves, since=seen, head=head, at=self._clock.now())

    async def _moves(self, begin: Head, head: Head) -> Movements:
        try:
            return await self._ledger.movements(self._wallets.addresses, after=begin, upto=head)
        except RemoteError as error:
            if error.reason is FailureReason.TOO_LARGE:  # and it would be larger next time
                self._seen = head
            raise

    def _told(self, moves: Movements, *, since: Head, head: Head, at: datetime) -> Reading:
        sent = self._new(moves)
        self._wallets.watched(since.timestamp)
        for move in sent:
            for sender in move.senders:
                self._wallets.sent(sender, 1, at=move.block.timestamp)
        if sent:
            self._last_at = max(move.block.timestamp for move in sent)
        activity = WalletActivity(
            at=at,
            exchange=self.exchange,
            probe=self.name,
            network=self._ledger.network,
            outgoing=len(sent),
            amount=self._amount(moves, sent),
            last_at=self._last_at,
            window_seconds=(head.timestamp - since.timestamp).total_seconds(),
            coverage=moves.coverage,
            head_age_seconds=max(0.0, (at - head.timestamp).total_seconds()),
        )
        return (activity, *usages(self._wallets, at=at, exchange=self.exchange, probe=self.name, ledger=self._ledger))

    def _new(self, moves: Movements) -> list[Movement]:
        """One movement of each transaction that known wallets sent and that was not counted before."""
        new: dict[str, Movement] = {}
        for move in moves.moves:
            if move.senders and move.transaction not in self._counted:
                new.setdefault(move.transaction, move)
        self._counted.update(dict.fromkeys(new))
        for old in list(self._counted)[: max(0, len(self._counted) - REMEMBERED)]:
            del self._counted[old]
        return list(new.values())

    def _amount(self, moves: Movements, sent: list[Movement]) -> Decimal | None:
        if moves.coverage < 1.0:
            return None
        ours = {move.transaction for move in sent}
        told = tally(
            [move for move in moves.moves if move.transaction in ours],
            own=self._wallets.addresses,
            cold=(),
            labelled=(),
        )
        coin = self._ledger.coin
        return coins(sum(each.outflow for each in told if each.token == coin), coin)
