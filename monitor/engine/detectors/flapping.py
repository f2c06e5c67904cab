"""Rails that close again and again: on 1 November 2021 an exchange reopened and closed again within minutes.

One that closed three times within an hour flaps, and counts as off whatever its list says at the moment, until it has
stood still for half an hour. So a flapping rail is one incident and not one for each closing.
"""

from msgspec import Struct

from monitor.engine.finding import NEVER
from monitor.model import Rail

CLOSINGS = 3
WINDOW_SECONDS = 3600.0
CALM_SECONDS = 1800.0


class Flap(Struct):
    """The comings and goings of one rail, as they were confirmed."""

    is_off: bool
    changed_at: float
    closings: list[float] = []  # of the last hour
    is_flapping: bool = False


class Flaps:
    def __init__(self, memory: dict[Rail, Flap]) -> None:
        self.memory = memory

    def observe(self, rail: Rail, *, is_off: bool, at: float, now: float) -> None:
        """Take in what is confirmed of a rail since `at`. Of one that cannot be read nothing is taken in."""
        flap = self.memory.get(rail)
        if flap is None:
            self.memory[rail] = Flap(is_off, at)
            return
        if is_off is not flap.is_off:
            flap.is_off, flap.changed_at = is_off, at
            if is_off:
                flap.closings = [*(each for each in flap.closings if each > at - WINDOW_SECONDS), at]
                flap.is_flapping = flap.is_flapping or len(flap.closings) >= CLOSINGS
        if flap.is_flapping and now - flap.changed_at >= CALM_SECONDS:
            flap.is_flapping, flap.closings = False, []

    def forget(self, watched: dict[Rail, float]) -> None:
        for rail in [rail for rail in self.memory if rail not in watched]:
            del self.memory[rail]

    def is_flapping(self, rail: Rail) -> bool:
        flap = self.memory.get(rail)
        return flap is not None and flap.is_flapping

    def calm_at(self) -> float:
        """When the next flapping rail will have stood still for long enough; passed, where it cannot be read since."""
        return min((flap.changed_at + CALM_SECONDS for flap in self.memory.values() if flap.is_flapping), default=NEVER)
