"""What came into and left an exchange's known wallets on one chain, window by window between two blocks.

Read a few blocks below the head, and provisional all the same: what a reorg replaces is taken back and told anew.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal

from msgspec.structs import replace

from monitor.chains.ledger import Head, Ledger, Movements, Token
from monitor.clock import Clock
from monitor.model import FailureReason, Flow, Observation, Reading, RemoteError, Reorg
from monitor.probes.doubts import coins
from monitor.reserves.flows import Tally, tally
from monitor.reserves.roles import Wallets

QUIET_SECONDS = 600.0  # a window in which nothing moves is told when it is this long
REMEMBERED = 64  # ends of windows, to find where a reorg began


class FlowsProbe:
    """`labelled`: every address somebody is known to own, so that a payment to one of them is no unknown move.

    `last` is the newest flow that this probe has told: the blocks after it are read, as far as `reach` blocks go.
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
        last: Flow | None,
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
        self._last = last
        self._told: list[Head] = []  # ends of windows; the newest begins the one to come
        self._quiet: Head | None = None  # up to where nothing has moved since
        self._reorg: Reorg | None = None  # found, and to be told with the next reading

    async def observe(self) -> Reading:
        """One `Flow` an asset for the blocks since the last window, a `Reorg` before it where one took blocks away.

        Empty while nothing moves, for ten minutes at most. Raises `RemoteError`; what was not read is read next time.
        """
        head = await self._ledger.head()
        if not self._told:
            self._told = await self._start(head)
            return ()
        await self._undo(head)
        begin = self._quiet or self._told[-1]
        number = head.number - self._depth
        if number <= begin.number:
            return self._taken_back(self._clock.now())
        upto = head if self._depth == 0 else await self._ledger.block(number)
        moves = await self._moves(begin, upto)
        start = self._told[-1]
        if not moves.moves and (upto.timestamp - start.timestamp).total_seconds() < QUIET_SECONDS:
            self._quiet = upto
            return self._taken_back(self._clock.now())
        self._end_window(upto)
        now = self._clock.now()
        return (*self._taken_back(now), *self._flows(moves, at=now, start=start, upto=upto))

    async def _moves(self, begin: Head, upto: Head) -> Movements:
        """All movements of a window. One that can never be read is left out: the gap between the heights tells."""
        if upto.number - begin.number > self._reach:
            self._end_window(upto)
            detail = f"blocks {begin.number + 1} to {upto.number} are more than the {self._reach} that are read back"
            raise RemoteError(FailureReason.LAG, detail)
        try:
            moves = await self._ledger.movements(self._wallets.addresses, after=begin, upto=upto)
        except RemoteError as error:
            if error.reason is FailureReason.TOO_LARGE:
                self._end_window(upto)
            raise
        if moves.coverage < 1.0:
            self._end_window(upto)
            raise RemoteError(FailureReason.TOO_LARGE, f"movements of {moves.coverage:.0%} of the wallets were read")
        return moves

    async def _start(self, head: Head) -> list[Head]:
        """Where the first window begins: where the last one ended, or now where that is too long ago.

        It may be a block that was replaced meanwhile: then what was told of it is taken back, as far as it was told.
        """
        oldest = head.number - self._reach
        match self._last:
            case Flow(from_height=int(first), to_height=int(last), block_hash=str(digest)) if (
                oldest <= last <= head.number
            ):
                before, now = await self._ledger.block(max(0, first - 1)), await self._ledger.block(last)
                return [before, Head(number=last, hash=digest, timestamp=now.timestamp)]
        return [head if self._depth == 0 else await self._ledger.block(max(0, head.number - self._depth))]

    async def _undo(self, head: Head) -> None:
        """Forget the windows that a reorg has taken away, all at once or none where that cannot be looked at."""
        if self._quiet is not None:
            if await self._stands(self._quiet):
                return
            self._quiet = None
        standing = len(self._told)
        while standing and not await self._stands(self._told[standing - 1]):
            standing -= 1
        if standing == len(self._told):
            return
        gone = self._told[standing]
        now = await self._ledger.block(min(gone.number, head.number))
        self._told = self._told[:standing] or [now]
        first = min(self._told[-1].number + 1, gone.number)
        if self._reorg is None or first < self._reorg.from_height:
            self._reorg = Reorg(
                at=self._clock.now(),
                exchange=self.exchange,
                probe=self.name,
                network=self._ledger.network,
                from_height=first,
                old_hash=gone.hash,
                new_hash=now.hash,
            )

    def _taken_back(self, at: datetime) -> tuple[Observation, ...]:
        reorg, self._reorg = self._reorg, None
        return () if reorg is None else (replace(reorg, at=at),)

    async def _stands(self, block: Head) -> bool:
        """It is still in the chain."""
        try:
            return (await self._ledger.block(block.number)).hash == block.hash
        except RemoteError as error:
            if error.reason is FailureReason.LAG:  # the chain does not go so far: it never was, or was taken back
                return False
            raise

    def _end_window(self, upto: Head) -> None:
        self._told = [*self._told, upto][-REMEMBERED:]
        self._quiet = None

    def _flows(self, moves: Movements, *, at: datetime, start: Head, upto: Head) -> list[Flow]:
        tallies = {each.token: each for each in self._tallied(moves, at)}
        seconds = max(1.0, (upto.timestamp - start.timestamp).total_seconds())
        return [
            _flow(
                tallies.get(token, Tally(token=token)),
                at=at,
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
