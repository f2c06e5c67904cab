"""Many users freezing their own withdrawals at once (`freeze_surge`): word of thefts, of force, or of a stolen app key.

Counted over ten minutes and over an hour, against the usual hour of the last week or so. It ends when the hour holds
less than half of what warns. While one is on nothing is learned from it, for a day at most. A gate that is silent is
not a quiet one: nothing ends and nothing is learned by it.
"""

import math

from msgspec import Struct

from monitor.engine.finding import Finding, moment
from monitor.model import Evidence, FreezeActivated, IncidentKind, Severity
from monitor.model.view import FreezesView, StatisticState, StatisticView

HOUR = 3600.0
SHORT_SECONDS = 600.0
LEARN_HOURS = 24.0
MEMORY_HOURS = 168.0
FROZEN_SECONDS = 86_400.0
BIN_SECONDS = 60.0
# Chosen, not measured: no exchange has published how often its users freeze.
FEWEST_SHORT, FEWEST_LONG = 10, 25
UNLEARNED_SHORT, UNLEARNED_LONG = 20, 60
UNLEARNED_TIMES = 4  # of what was seen so far: at a large exchange a busy hour is a usual one from the first day on
SIGMAS = 6.0
SPREAD = 0.1  # of the negative binomial: counts of people who read the same news vary more than Poisson has it


class Surge(Struct):
    since: float
    at: float
    count: int  # the most within an hour


class FreezesMemory(Struct):
    total: int | None = None
    activations: int = 0  # seen by us, never less
    active: int | None = None
    until: float = 0.0
    read_at: float | None = None
    probe: str = ""
    recent: list[tuple[float, int]] = []  # (minute, activations) of the last hour, oldest first
    hourly: float = 0.0  # the usual hour
    learned_hours: float = 0.0
    surge: Surge | None = None


class Freezes:
    def __init__(self, memory: FreezesMemory) -> None:
        self.memory = memory

    def observe(self, told: FreezeActivated, at: float) -> None:
        memory = self.memory
        before = memory.read_at
        if before is not None and at < before:
            return
        count = self._growth(told)
        memory.read_at, memory.active, memory.probe = at, told.active, told.probe
        memory.until = told.until.timestamp()
        memory.activations += count
        span = None if before is None else at - before
        if span is None or span > HOUR:
            memory.recent = []  # when in so long a silence it was nobody knows: it is counted, and judged by nothing
            return
        # After a silence it was some time within the hour, and not surely within ten minutes.
        self._count(count, at if span <= SHORT_SECONDS else at - SHORT_SECONDS - BIN_SECONDS)
        self._follow(at)
        self._learn(count, span, at)

    def findings(self) -> list[Finding]:
        surge, memory = self.memory.surge, self.memory
        if surge is None or memory.read_at is None:
            return []
        told = f"{surge.count} freezes by users within an hour, {self._usual()}"
        return [
            Finding(
                kind=IncidentKind.FREEZE_SURGE,
                severity=Severity.WARNING,
                scope=("*",),
                summary=told,
                since=surge.since,
                evidence=(
                    Evidence(
                        at=moment(surge.at),
                        probe=memory.probe,
                        source="freezes",
                        value=str(surge.count),
                        unit="freezes/h",
                    ),
                ),
            )
        ]

    def statistics(self) -> list[StatisticView]:
        memory = self.memory
        if memory.read_at is None:
            return []
        hour, (_, long) = self._within(HOUR, memory.read_at), self._thresholds()
        learning = "" if self._has_learned() else f"; learning, {memory.learned_hours:.0f} h of {LEARN_HOURS:.0f} h"
        state = StatisticState.FIRING if memory.surge is not None else StatisticState.QUIET
        return [
            StatisticView(
                detector="freezes",
                subject="*",
                state=state,
                value=float(hour),
                threshold=float(long),
                unit="freezes/h",
                words=f"users froze {hour} times within an hour, {self._usual()}{learning}",
            )
        ]

    def view(self) -> FreezesView | None:
        memory = self.memory
        if memory.read_at is None:
            return None
        return FreezesView(
            active=memory.active,
            activations_total=memory.activations if memory.total is None else memory.total,
            latest_until=moment(memory.until),
            read_at=moment(memory.read_at),
        )

    def _growth(self, told: FreezeActivated) -> int:
        """Activations since the reading before; none at the first one, and where another ledger counts anew."""
        former, self.memory.total = self.memory.total, told.total
        if told.total is None:
            return max(0, told.count)
        if former is None or told.total < former:
            return 0
        return told.total - former

    def _count(self, count: int, at: float) -> None:
        memory, minute = self.memory, at // BIN_SECONDS * BIN_SECONDS
        memory.recent = [each for each in memory.recent if each[0] > at - 2 * HOUR]
        if count:
            last = memory.recent[-1] if memory.recent else None
            if last is not None and last[0] == minute:
                memory.recent[-1] = (minute, last[1] + count)
            else:
                memory.recent.append((minute, count))

    def _follow(self, at: float) -> None:
        short, long = self._thresholds()
        hour, surge = self._within(HOUR, at), self.memory.surge
        if surge is None:
            if hour >= long or self._within(SHORT_SECONDS, at) >= short:
                self.memory.surge = Surge(since=self.memory.recent[0][0], at=at, count=hour)
        elif hour > surge.count:
            surge.count, surge.at = hour, at
        elif hour < min(short, long) / 2:
            self.memory.surge = None

    def _learn(self, count: int, span: float, at: float) -> None:
        """A mean that forgets: over the first week each hour weighs alike."""
        memory = self.memory
        if memory.surge is not None and at - memory.surge.since < FROZEN_SECONDS:
            return
        hours = span / HOUR
        memory.learned_hours = min(memory.learned_hours + hours, MEMORY_HOURS)
        weight = hours / memory.learned_hours
        memory.hourly = round(memory.hourly + weight * (count / hours - memory.hourly), 9)

    def _has_learned(self) -> bool:
        return self.memory.learned_hours >= LEARN_HOURS

    def _usual(self) -> str:
        return f"usual are {self.memory.hourly:.1f}" if self._has_learned() else "what is usual is not known yet"

    def _thresholds(self) -> tuple[int, int]:
        """From how many on it is a surge, within ten minutes and within an hour."""
        usual = self.memory.hourly
        if not self._has_learned():
            several = UNLEARNED_TIMES * usual
            return (
                max(UNLEARNED_SHORT, math.ceil(several * SHORT_SECONDS / HOUR)),
                max(UNLEARNED_LONG, math.ceil(several)),
            )
        return (
            max(FEWEST_SHORT, _rare(usual * SHORT_SECONDS / HOUR)),
            max(FEWEST_LONG, _rare(usual)),
        )

    def _within(self, seconds: float, at: float) -> int:
        return sum(count for minute, count in self.memory.recent if minute > at - seconds)


def _evidence(surge: Surge, probe: str) -> Evidence:
    return Evidence(at=moment(surge.at), probe=probe, source="freezes", value=str(surge.count), unit="freezes/h")


def _rare(mean: float) -> int:
    return math.ceil(mean + SIGMAS * math.sqrt(mean + SPREAD * mean * mean))
