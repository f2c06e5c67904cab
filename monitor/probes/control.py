"""Can we see at all? Targets that have nothing to do with any exchange tell our own outage from everybody's halt.

Not seeing is this probe's observation, never its failure. The same answers tell how far our clock is off.
"""

import asyncio
from collections.abc import Sequence
from statistics import median

from msgspec import Struct

from monitor.clock import Clock
from monitor.http import Http
from monitor.http.limits import NotAskedError
from monitor.model import Control, FailureReason, Reading, RemoteError

TIMEOUT_SECONDS = 5.0  # real ones
AGREEMENT_SECONDS = 2.0  # a Date header has whole seconds, and takes a while to arrive

_ANSWERED_WITH = frozenset(
    {
        FailureReason.HTTP_4XX,
        FailureReason.HTTP_5XX,
        FailureReason.RATE_LIMITED,
        FailureReason.BLOCKED,
        FailureReason.AUTH,
        FailureReason.ENCODING,
        FailureReason.TOO_LARGE,
    }
)


class _Look(Struct, frozen=True):
    asked: bool
    answered: bool
    offset_seconds: float | None = None  # the target's Date minus our clock


class ControlProbe:
    """Sees when at least half of the targets it could ask answered with any HTTP status."""

    name = "control"
    exchange = ""

    def __init__(
        self, http: Http, clock: Clock, *, targets: Sequence[str], allow_private: bool, interval: float = 15.0
    ) -> None:
        self.interval = interval
        self._http = http
        self._clock = clock
        self._targets = tuple(targets)
        self._allow_private = allow_private
        self._looks: tuple[_Look, ...] = ()

    async def observe(self) -> Reading:
        """One `Control`. Raises nothing remote.

        Its counts leave out targets that have told us to stop asking, unless all have: they answered us to say so.
        """
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._look(target), name="control") for target in self._targets]
        self._looks = tuple(task.result() for task in tasks)
        voting = [look for look in self._looks if look.asked] or self._looks
        answered = sum(look.answered for look in voting)
        control = Control(
            at=self._clock.now(),
            probe=self.name,
            ok=answered > 0 and 2 * answered >= len(voting),
            targets=len(voting),
            targets_ok=answered,
        )
        return (control,)

    def clock_offset(self) -> float | None:
        """Seconds by which the world is ahead of our clock, from the last `observe`.

        The median of the targets that agree within 2 s; None unless they are at least two, and the most of those that
        gave a date.
        """
        offsets = sorted(look.offset_seconds for look in self._looks if look.offset_seconds is not None)
        groups = (
            [later for later in offsets[n:] if later - first <= AGREEMENT_SECONDS] for n, first in enumerate(offsets)
        )
        agreeing = max(groups, key=len, default=[])
        return median(agreeing) if len(agreeing) >= 2 and 2 * len(agreeing) > len(offsets) else None

    async def _look(self, target: str) -> _Look:
        try:
            answer = await self._http.get(target, allow_private=self._allow_private, timeout=TIMEOUT_SECONDS)
        except NotAskedError:
            return _Look(asked=False, answered=True)
        except RemoteError as error:
            return _Look(asked=True, answered=error.reason in _ANSWERED_WITH)
        if answer.date is None:
            return _Look(asked=True, answered=True)
        offset = (answer.date - self._clock.now()).total_seconds()
        return _Look(asked=True, answered=True, offset_seconds=offset)
