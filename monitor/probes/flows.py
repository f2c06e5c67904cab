"""What came into and left an exchange's known wallets on one chain, window by window between two blocks.

Read a few blocks below the head, and provisional all the same: what a reorg replaces is taken back and told anew.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal

from monitor.chains.ledger import Head, Ledger, Movements, Token
from monitor.chains.times import block_before
from monitor.clock import Clock
from monitor.model import FailureReason, Flow, Observation, Reading, RemoteError, Reorg
from monitor.probes.doubts import coins
from monitor.reserves.flows import Tally, tally
from monitor.reserves.roles import Wallets

QUIET_SECONDS = 600.0  # a window in which nothing moves is told when it is this long
REMEMBERED = 64  # ends of windows, to find where a reorg began


class FlowsProbe:
    """`labelled`: every address somebody is known to own, so that a payment to one of them is no unknown move.

    `since` is the time of this probe's last committed reading: the blocks after it are read as far as they reach.
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
        tokens: Sequence[Token],
        labelled: Collection[str],
        depth: int,
        reach: int,
        since: datetime | None,
    ) -> None:
        self.exchange = exchange
        self.name = name
        self.interval = interval
        self._ledger = ledger
        self._clock = clock
        self._wallets = wallets
        self._tokens = tuple(tokens)
        self._labelled = labelled
        self._depth = depth
        self._reach = reach
        self._since = since
        self._told: list[Head] = []  # ends of windows; the newest begins the one to come
        self._quiet: Head | None = None  # up to where nothing has moved since

    async def observe(self) -> Reading:
        """One `Flow` an asset for the blocks since the last window, a `Reorg` before it where one took blocks away.

        Empty while nothing moves, for ten minutes at most. Raises `RemoteError`; what was not read is read next time.
        """
        head = await self._ledger.head()
        if not self._told:
            self._told.append(await self._start(head))
            return ()
        undone = await self._undone()
        begin = self._quiet or self._told[-1]
        number = head.number - self._depth
        if number <= begin.number:
            return undone
        upto = head if self._depth == 0 else await self._ledger.block(number)
        moves = await self._ledger.movements(self._wallets.addresses, after=begin, upto=upto)
        if moves.coverage < 1.0:
            self._end_window(upto)  # what could not be read is left out: the gap between the heights tells
            raise RemoteError(FailureReason.TOO_LARGE, f"movements of {moves.coverage:.0%} of the wallets were read")
        start = self._told[-1]
        if not moves.moves and (upto.timestamp - start.timestamp).total_seconds() < QUIET_SECONDS:
            self._quiet = upto
            return undone
        self._end_window(upto)
        return (*undone, *self._flows(moves, start=start, upto=upto))

    async def _start(self, head: Head) -> Head:
        """Where the first window begins: at the last committed reading, or now where that is too long ago."""
        if self._since is not None:
            oldest = await block_before(self._ledger, self._since, head=head, depth=self._reach)
            if oldest.timestamp <= self._since:
                return oldest
        return head if self._depth == 0 else await self._ledger.block(max(0, head.number - self._depth))

    async def _undone(self) -> tuple[Observation, ...]:
        """Forget the windows that a reorg has taken away, and say so."""
        if self._quiet is not None:
            if await self._stands(self._quiet):
                return ()
            self._quiet = None
        gone: Head | None = None
        while self._told and not await self._stands(self._told[-1]):
            gone = self._told.pop()
        if gone is None:
            return ()
        now = await self._ledger.block(gone.number)
        if not self._told:
            self._told.append(now)
        first = min(self._told[-1].number + 1, gone.number)
        reorg = Reorg(
            at=self._clock.now(),
            exchange=self.exchange,
            probe=self.name,
            network=self._ledger.network,
            from_height=first,
            old_hash=gone.hash,
            new_hash=now.hash,
        )
        return (reorg,)

    async def _stands(self, block: Head) -> bool:
        """It is still in the chain."""
        return (await self._ledger.block(block.number)).hash == block.hash

    def _end_window(self, upto: Head) -> None:
        self._told = [*self._told, upto][-REMEMBERED:]
        self._quiet = None

    def _flows(self, moves: Movements, *, start: Head, upto: Head) -> list[Flow]:
        now = self._clock.now()
        tallies = {each.token: each for each in self._tallied(moves, now)}
        seconds = max(1.0, (upto.timestamp - start.timestamp).total_seconds())
        return [
            _flow(
                tallies.get(token, Tally(token=token)),
                at=now,
                exchange=self.exchange,
                probe=self.name,
                network=self._ledger.network,
                seconds=seconds,
                first=start.number + 1,
                upto=upto,
            )
            for token in self._tokens
        ]

    def _tallied(self, moves: Movements, now: datetime) -> list[Tally[Token]]:
        wallets = self._wallets
        return tally(moves.moves, own=wallets.addresses, cold=wallets.cold(now), labelled=self._labelled)


def _flow(
    told: Tally[Token],
    *,
    at: datetime,
    exchange: str,
    probe: str,
    network: str,
    seconds: float,
    first: int,
    upto: Head,
) -> Flow:
    token = told.token
    return Flow(
        at=at,
        exchange=exchange,
        probe=probe,
        asset=told.token.asset,
        network=network,
        window_seconds=seconds,
        inflow=coins(told.inflow, token),
        outflow=coins(told.outflow, token),
        inflow_count=told.inflow_count,
        outflow_count=told.outflow_count,
        outflow_sum_of_squares=Decimal(f"{told.outflow_sum_of_squares}e-{2 * token.decimals}"),
        outflow_max=coins(told.outflow_max, token),
        internal=coins(told.internal, token),
        from_height=first,
        to_height=upto.number,
        block_hash=upto.hash,
        cold_outflow=coins(told.cold_outflow, token),
        unlabelled_outflow=coins(told.unlabelled_outflow, token),
    )
