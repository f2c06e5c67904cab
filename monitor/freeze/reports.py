"""What the exchange is to be told: freezes whose pending withdrawals it must cancel, and ends that come near."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice

from monitor.clock import Clock
from monitor.freeze.lock import Lock, NotWrittenError
from monitor.freeze.state import Activation
from monitor.freeze.webhook import Report, ReportEvent

RETRY_SECONDS = 5.0
LOOK_SECONDS = 60.0  # an end that comes near rings no bell


class Untold:
    """The ledger's side of the webhook: what was not taken note of, also what an earlier life left."""

    def __init__(self, lock: Lock, *, remind: timedelta | None, clock: Clock) -> None:
        self._lock = lock
        self._clock = clock
        self._remind = remind

    def unreported(self, limit: int) -> Sequence[Report]:
        """The oldest first; also of freezes that are over, for what was pending at them is still to be cancelled."""
        return list(islice(self._due(), limit))

    async def reported(self, ids: Sequence[str]) -> None:
        """Written down, however long the ledger cannot be: until then a restart would tell them again."""
        while True:
            try:
                return await self._lock.report(ids)
            except NotWrittenError:
                await self._clock.sleep(RETRY_SECONDS)

    async def wait(self) -> None:
        self._lock.changed.clear()
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._lock.changed.wait()
        except TimeoutError:
            return

    def _due(self) -> Iterator[Report]:
        state, now = self._lock.state, self._lock.moment().plausible()
        for activation in list(state.unreported.values()):
            until = self._lock.until([activation.account])
            if until is not None:
                yield _report(activation, until, ReportEvent.ACCOUNT_FROZEN, str(activation.seq))
        if self._remind is not None:
            for activation in list(state.newest.values()):
                yield from self._reminders(activation, now, self._remind)

    def _reminders(self, activation: Activation, now: datetime, remind: timedelta) -> Iterator[Report]:
        until = self._lock.until([activation.account])
        if until is None or not now < until <= now + remind:
            return
        for name, link in self._lock.links([activation.account]):
            told = f"reminder-{activation.seq}-{name.hex()}"
            if link.remind and told not in self._lock.state.reminded:
                yield _report(activation, until, ReportEvent.FREEZE_ENDS_SOON, told, guardian=name.hex())


def _report(
    activation: Activation, until: datetime, event: ReportEvent, name: str, *, guardian: str | None = None
) -> Report:
    return Report(
        id=name,
        event=event,
        account=activation.account,
        key_id=activation.key_id,
        until=until,
        activated_at=activation.at,
        guardian=guardian,
    )
