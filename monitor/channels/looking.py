"""When to look whether a post of unknown outcome is up, and when to believe that it is not."""

from datetime import datetime, timedelta

from msgspec import Struct

FIRST = timedelta(seconds=15)
LONGEST = timedelta(hours=1)
GROWTH = 2
APART = timedelta(minutes=1)
"""Two looks this far apart that saw everything and not the post: it is not there."""
DAYS = timedelta(days=1)
"""Past that nobody looks any more: the channel tells nothing, and each look may cost."""


class Looks(Struct):
    """What was seen of one attempt, since we began to look for it."""

    next_at: datetime
    until: datetime
    wait: timedelta = FIRST
    missed_at: datetime | None = None  # the first look that saw everything, and not the post

    def is_due(self, now: datetime) -> bool:
        return self.next_at <= now < self.until

    def missed(self, now: datetime) -> bool:
        """A look saw everything, and not the post. Whether that is enough to believe it."""
        if self.missed_at is None:
            self.missed_at = now
        self.failed(now)
        self.next_at = max(self.next_at, self.missed_at + APART)
        return now - self.missed_at >= APART

    def failed(self, now: datetime) -> None:
        """A look saw nothing, or not enough: the next one comes later."""
        self.wait = min(self.wait * GROWTH, LONGEST)
        self.next_at = now + self.wait


def begun(now: datetime) -> Looks:
    return Looks(next_at=now + FIRST, until=now + DAYS)
