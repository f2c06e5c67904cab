"""Whether a chain moves at all. Without new blocks nobody is paid there, and that is no exchange's doing."""

from datetime import datetime

from monitor.chains.ledger import Head, Ledger
from monitor.clock import Clock
from monitor.model import ChainState, FailureReason, Reading, RemoteError

RETOLD_SECONDS = 600.0


class ChainStateProbe:
    """Told on change and every ten minutes. That a chain stands needs two endpoints, or the only one there is."""

    exchange = ""

    def __init__(self, ledger: Ledger, clock: Clock, *, name: str, interval: float, stalls_after: float) -> None:
        self.name = name
        self.interval = interval
        self._ledger = ledger
        self._clock = clock
        self._stalls_after = stalls_after
        self._told: ChainState | None = None

    async def observe(self) -> Reading:
        """One `ChainState`, or nothing where it is as it was. Raises `RemoteError`."""
        told, self._told = self._told, None  # after a failure it is told again
        tips = await self._ledger.tips()
        newest = max(tips, key=lambda tip: tip.number)
        now = self._clock.now()
        age = (now - newest.timestamp).total_seconds()
        if age > self._stalls_after and len(tips) < min(2, self._ledger.endpoints):
            detail = f"one endpoint answers, and its block {newest.number} is {age:.0f} s old"
            raise RemoteError(FailureReason.LAG, detail)
        state = self._state(newest, at=now, is_stalled=age > self._stalls_after)
        if told is not None and told.state == state.state and (now - told.at).total_seconds() < RETOLD_SECONDS:
            self._told = told
            return ()
        self._told = state
        return (state,)

    def _state(self, newest: Head, *, at: datetime, is_stalled: bool) -> ChainState:
        return ChainState(
            at=at,
            probe=self.name,
            network=self._ledger.network,
            state="stalled" if is_stalled else "moving",
            height=newest.number,
        )
