"""What is believed of the time, where believing a clock too soon would open a lock.

An end is reached when this machine's clock, the highest time ever confirmed and independent time are all past it. Where
independent time is missing, no end is reached.
"""

from datetime import datetime, timedelta

from msgspec import Struct

AHEAD = timedelta(minutes=20)  # a final block of ethereum is about 13 minutes old, so independent time may lag so much
BEHIND = timedelta(minutes=1)


class Moment(Struct, frozen=True, kw_only=True):
    """One look at the clocks. `highest`: the latest time that the others had confirmed before, by the ledger."""

    wall: datetime
    independent: datetime | None
    highest: datetime | None

    def passed(self) -> datetime | None:
        """What all agree is past; None where independent time is missing."""
        # The highest time ever confirmed is past this too: what is confirmed now counts among it.
        return None if self.independent is None else min(self.wall, self.independent)

    def plausible(self) -> datetime:
        """The time for windows of requests: this machine's, unless independent time contradicts it."""
        if self.independent is None or self.independent - BEHIND <= self.wall <= self.independent + AHEAD:
            return self.wall
        return self.independent

    def start(self) -> datetime:
        """Where a new freeze is counted from. A clock set back makes none shorter; nor, while independent time is
        known, does one set ahead make any longer by more than `AHEAD`."""
        return max(each for each in (self.plausible(), self.independent, self.highest) if each is not None)

    def reason(self) -> str:
        """Why ends may not be reached though this machine's clock is past them; "" where nothing is wrong."""
        if self.independent is None:
            return "no independent time: nothing is opened until NTP or final blocks can be read"
        if self.highest is not None and self.wall < self.highest - BEHIND:
            return "this machine's clock was set back: what ends is late by as much"
        if self.wall > self.independent + AHEAD:
            return "this machine's clock is ahead of independent time, which decides"
        return ""
