"""Something that leaves as it should not: it only grows while it lasts, and ends after a time seen to be calm.

Time that was not told is neither: it ends nothing.
"""

from enum import StrEnum

from msgspec import Struct

from monitor.model import IncidentKind, Severity

HOUR = 3600.0


class Cause(StrEnum):
    MOVE = "move"
    BURST = "burst"
    BLEED = "bleed"
    SPIKE = "spike"
    DRAIN = "drain"


CALM: dict[Cause, float] = {
    Cause.MOVE: HOUR / 2,
    Cause.BURST: HOUR / 2,
    Cause.BLEED: 6 * HOUR,
    Cause.SPIKE: HOUR,
    Cause.DRAIN: HOUR,
}
"""Seconds seen to be calm after which it is over."""


class Alarm(Struct, array_like=True):
    kind: IncidentKind
    severity: Severity
    since: float
    at: float
    coins: float = 0.0  # that left because of it, the most that was seen
    share: float | None = None  # of the reserve
    total: float = 0.0  # share of all the exchange held, of a move
    count: float | None = None  # payments
    expected: float | None = None  # coins or payments that are usual
    payees: float | None = None  # N_eff without the largest
    window: str = ""
    disagrees: bool = False  # the reserve did not fall by what left
    from_cold: bool = False
    calm: float = 0.0

    def grow(self, other: "Alarm") -> None:
        """Take in how it stands now; kind and coins never shrink."""
        is_worse = other.severity is Severity.CRITICAL and self.severity is not Severity.CRITICAL
        if is_worse:
            self.kind, self.severity = other.kind, other.severity
        if other.coins >= self.coins:
            self.coins, self.share, self.payees = other.coins, other.share, other.payees
            self.total = other.total
            self.count, self.expected, self.window = other.count, other.expected, other.window
        self.from_cold = self.from_cold or other.from_cold
        self.disagrees = other.disagrees
        self.at, self.calm = other.at, 0.0


Alarms = dict[Cause, Alarm]


def follow(alarms: Alarms, cause: Cause, found: Alarm | None, *, lasts: bool, seconds: float) -> None:
    """One reading of `seconds`: `found` raises the alarm or makes it grow; it lasts while `lasts`, and then some."""
    alarm = alarms.get(cause)
    if alarm is None:
        if found is not None:
            alarms[cause] = found
        return
    if found is not None:
        alarm.grow(found)
    elif lasts:
        alarm.calm = 0.0
    else:
        alarm.calm += seconds
        if alarm.calm >= CALM[cause]:
            del alarms[cause]
