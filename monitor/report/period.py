"""The time that a report shows, and the grid it is shown on."""

from datetime import datetime, timedelta

from msgspec import Struct

MINUTE = timedelta(minutes=1)
POINTS = 720  # of a picture at most


class Period(Struct, frozen=True):
    """From `begin` to `end`. Pictures begin `before` and end `after` it, so that what is usual can be seen."""

    begin: datetime
    end: datetime
    before: timedelta = timedelta(0)
    after: timedelta = timedelta(0)

    @property
    def shown_from(self) -> datetime:
        return self.begin - self.before

    @property
    def shown_to(self) -> datetime:
        return self.end + self.after

    @property
    def step(self) -> timedelta:
        """Whole minutes, as many that a picture stays legible."""
        minutes = (self.shown_to - self.shown_from) / MINUTE
        return MINUTE * max(1, round(minutes / POINTS))

    @property
    def whole(self) -> "Period":
        """All that is shown, as the period itself. The grid must stay the same, so it has nothing around it."""
        return Period(self.shown_from, self.shown_to)

    def bin_of(self, at: datetime) -> int:
        """The place on the grid, from 0; below it before the period is shown."""
        return (at - self.shown_from) // self.step

    def moment(self, place: int) -> datetime:
        return self.shown_from + place * self.step

    def covers(self, at: datetime) -> bool:
        """Whether it is of the period itself, and not of the time around it."""
        return self.begin <= at <= self.end


def around(begin: datetime, end: datetime) -> Period:
    """A period with as much around it as shows what is usual: its own length, between half an hour and six hours."""
    margin = min(max(end - begin, 30 * MINUTE), 360 * MINUTE)
    return Period(begin, end, before=margin, after=margin / 2)
