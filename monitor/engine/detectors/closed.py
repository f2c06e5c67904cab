"""Which watched rails are off, since when, and whether that was announced. Missing data changes none of it.

Time alone changes nothing either: that a rail lasts, is overdue or is calm again is so once it is read after that.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from monitor.engine.detectors.flapping import Flap, Flaps
from monitor.engine.detectors.sources import OFF, Held
from monitor.engine.finding import NEVER
from monitor.engine.windows import GRACE_SECONDS, grace, planned
from monitor.model import MaintenanceWindow, Rail, RailVerdict

RAIL_SECONDS = 600.0
_SILENT = (RailVerdict.UNKNOWN, RailVerdict.DISPUTED, RailVerdict.UNLISTED)
"""What says neither that a rail is off nor that it is not."""


class Watched(Struct, frozen=True):
    """A watched rail with what we hold of it; None: no source names it."""

    rail: Rail
    weight: float
    held: Held | None


class Off(Struct, frozen=True):
    since: float | None  # None: off when we first looked
    held: Held  # as it was when it was last told to be off
    planned_until: float | None = None  # end of the announced maintenance within which it went off
    grace: float = GRACE_SECONDS  # that it is excused for after that

    def lasts_at(self) -> float:
        """Read at that time or later, it has been off long enough to be told."""
        return NEVER if self.since is None else self.since + RAIL_SECONDS

    def overdue_at(self) -> float:
        """Read at that time or later, it is off for longer than was announced."""
        if self.planned_until is None:
            return NEVER
        # A list that says "open" again is believed after three polls: until then the end was kept.
        return self.planned_until + (GRACE_SECONDS if self.held.is_reopening else self.grace)

    def is_lasting(self) -> bool:
        return self.held.read_at >= self.lasts_at()

    def is_excused(self) -> bool:
        return self.planned_until is not None and self.held.read_at < self.overdue_at()


class ClosedMemory(Struct):
    off: dict[Rail, Off] = {}
    weights: dict[Rail, float] = {}  # of the watched rails that some source names
    flaps: dict[Rail, Flap] = {}
    reopened_at: float | None = None  # first reading of the last reopening


class Closed:
    def __init__(self, memory: ClosedMemory) -> None:
        self.memory = memory
        self.flaps = Flaps(memory.flaps)

    def weigh(self, watched: Sequence[Watched], windows: Sequence[MaintenanceWindow], now: float) -> None:
        """Look at the watched rails anew. A rail that cannot be read stays as it was last confirmed."""
        memory = self.memory
        known = [(w, w.held) for w in watched if w.held is not None and self._is_known(w.rail, w.held)]
        for each, held in known:
            self._follow(each.rail, held, now)
        self.flaps.forget({each.rail: each.weight for each in watched})
        memory.weights = {each.rail: each.weight for each, _ in known}
        was_off = memory.off
        memory.off = {w.rail: self._off(w.rail, held, windows, now) for w, held in known if self._is_off(w.rail, held)}
        self._note_reopened(was_off, known)

    def turns_at(self) -> float:
        """From when on a reading changes what is held, though it brings nothing new."""
        offs = self.memory.off.values()
        times = [time for off in offs for time in (off.lasts_at(), off.overdue_at()) if off.held.read_at < time]
        return min([self.flaps.calm_at(), *times])

    def _note_reopened(self, was_off: Mapping[Rail, Off], known: Sequence[tuple[Watched, Held]]) -> None:
        since = [
            h.since for w, h in known if w.rail in was_off and w.rail not in self.memory.off and h.since is not None
        ]
        self.memory.reopened_at = max(since, default=self.memory.reopened_at)

    def _is_known(self, rail: Rail, held: Held) -> bool:
        """A rail that is no longer listed counts for nothing, unless it went while it was off."""
        return held.verdict is not RailVerdict.UNLISTED or rail in self.memory.off

    def _follow(self, rail: Rail, held: Held, now: float) -> None:
        if held.verdict in _SILENT:
            return
        at = held.first_at if held.since is None else held.since
        self.flaps.observe(rail, is_off=held.verdict in OFF, at=at, now=now)

    def _is_off(self, rail: Rail, held: Held) -> bool:
        if held.verdict in OFF:
            return True
        return rail in self.memory.off and (held.verdict in _SILENT or self.flaps.is_flapping(rail))

    def _off(self, rail: Rail, held: Held, windows: Sequence[MaintenanceWindow], now: float) -> Off:
        """Off since it first went off, whichever source says so now; what cannot be read is as it was."""
        off = self.memory.off.get(rail, Off(held.since, held))
        if held.verdict in OFF or held.verdict is RailVerdict.UNLISTED:
            off = replace(off, held=held)
        off_at = held.first_at if off.since is None else off.since
        window = planned(windows, rail, off_at=off_at, is_known=off.since is not None)
        if window is not None:
            return replace(off, planned_until=window.ends_at.timestamp(), grace=grace(window))
        is_over = off.planned_until is not None and off.planned_until <= now
        return off if is_over else replace(off, planned_until=None)
