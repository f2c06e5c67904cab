"""The clock of an engine: the newest entry's time, moved from instant to instant and from deadline to deadline.

An instant is judged when the clock leaves it, so the order of entries within one instant decides nothing. Empty time is
jumped over; a deadline is judged at its own time, on a grid of one second.
"""

import math
from collections.abc import Callable

from msgspec import Struct

from monitor.engine.finding import NEVER


class Instants(Struct):
    now: float = 0.0
    dirty: bool = False  # something was taken in at `now` that is not judged yet
    deadline: float = NEVER

    def advance(self, at: float, judge: Callable[[float], float]) -> None:
        """Move to `at`. `judge(now)` judges one instant and answers when the next is due."""
        if at <= self.now:
            return
        if self.dirty:
            self.judge(judge)
        while (due := math.ceil(self.deadline) if self.deadline < at else NEVER) <= at:
            self.now = max(self.now, float(due))
            self.judge(judge)
        self.now = at

    def judge(self, judge: Callable[[float], float]) -> None:
        self.dirty = False
        self.deadline = judge(self.now)


def next_of(times: list[float], now: float) -> float:
    """The earliest of `times` that is still to come."""
    return min((time for time in times if time > now), default=NEVER)
