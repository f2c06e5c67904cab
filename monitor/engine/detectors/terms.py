"""A soft closing: withdrawals stay open, and the exchange lets less through at a time.

A maximum cut or a minimum raised fivefold, on three watched rails within an hour, is told (`terms_tightened`). It ends
when fewer than three are left: their terms are nearly back to what they were, or have been the usual ones for a day.
Fees are no part of it. A limit that is not told stays as it was, and one of 0 is nothing to measure a change against.
"""

from collections.abc import Collection, Mapping
from decimal import Decimal

from msgspec import Struct

from monitor.engine.detectors.halt_words import listed
from monitor.engine.finding import NEVER, Finding, moment
from monitor.engine.money import is_amount
from monitor.model import Evidence, IncidentKind, Rail, RailTerms, Severity
from monitor.model.view import StatisticState, StatisticView
from monitor.reserves.amounts import coins

FACTOR = 5
RAILS = 3
WINDOW_SECONDS = 3600.0
USUAL_SECONDS = 86_400.0


class Level(Struct, frozen=True, array_like=True):
    since: float
    amount: Decimal


class Limit(Struct):
    """A rail's maximum or minimum as one probe tells it."""

    levels: list[Level] = []  # that held at some time of the last hour, oldest first


class Tight(Struct, frozen=True):
    """A limit that became a fifth, or five times, of what it was within the hour before."""

    since: float
    before: Decimal
    after: Decimal


Key = tuple[str, Rail, str]
"""Probe, rail and "maximum" or "minimum"."""


class TermsMemory(Struct):
    limits: dict[Key, Limit] = {}
    tight: dict[Key, Tight] = {}


class Terms:
    def __init__(self, memory: TermsMemory) -> None:
        self.memory = memory

    def observe(self, terms: RailTerms, at: float) -> bool:
        """Take in the terms of a rail; answers whether some limit is tighter, or not any more."""
        rail = Rail(terms.asset, terms.network)
        told = {"maximum": terms.maximum, "minimum": terms.minimum}
        tight = dict(self.memory.tight)
        for name, amount in told.items():
            if amount is not None and is_amount(amount):
                self._hear((terms.probe, rail, name), amount, at)
        return tight != self.memory.tight

    def forget(self, kept: Collection[str]) -> None:
        """Leave out what probes told that look no more."""
        memory = self.memory
        memory.limits = {key: limit for key, limit in memory.limits.items() if key[0] in kept}
        memory.tight = {key: tight for key, tight in memory.tight.items() if key[0] in kept}

    def findings(self, now: float, watched: Collection[Rail]) -> list[Finding]:
        if not self.memory.tight:
            return []
        tight = self._tight(now, watched)
        rails = _together({key[1]: each.since for key, each in tight.items()})
        if not rails:
            return []
        return [
            Finding(
                kind=IncidentKind.TERMS_TIGHTENED,
                severity=Severity.WARNING,
                scope=tuple(str(rail) for rail in rails),
                summary=f"a maximum cut or a minimum raised at least {FACTOR} times: {listed(rails)}",
                since=min(each.since for key, each in tight.items() if key[1] in rails),
                evidence=tuple(_evidence(key, each) for key, each in sorted(tight.items()) if key[1] in rails),
            )
        ]

    def due(self, now: float) -> float:
        """When the next tight limit is the usual one."""
        if not self.memory.tight:
            return NEVER
        times = (tight.since + USUAL_SECONDS for tight in self.memory.tight.values())
        return min((time for time in times if time > now), default=NEVER)

    def statistics(self, now: float, watched: Collection[Rail]) -> list[StatisticView]:
        """How many watched rails let less through than an hour before."""
        tight = self._tight(now, watched)
        rails = sorted({key[1]: None for key in tight})
        known = StatisticState.SUSPICIOUS if rails else StatisticState.QUIET
        state = known if self.memory.limits else StatisticState.UNKNOWN
        told = f"tighter on {listed(rails)}" if rails else "no watched rail is tighter"
        return [
            StatisticView(
                detector="terms",
                subject="*",
                state=StatisticState.FIRING if self.findings(now, watched) else state,
                value=float(len(rails)) if self.memory.limits else None,
                threshold=float(RAILS),
                unit="watched rails",
                words=f"{told if self.memory.limits else 'no terms are told'}; warns when a maximum is cut or a minimum"
                f" raised {FACTOR} times on {RAILS} within an hour",
            )
        ]

    def _hear(self, key: Key, amount: Decimal, at: float) -> None:
        limit = self.memory.limits.setdefault(key, Limit())
        if limit.levels and at < limit.levels[-1].since:
            return
        limit.levels = _within_the_hour(limit.levels, at)
        tight = self.memory.tight.get(key)
        if tight is not None and (at >= tight.since + USUAL_SECONDS or not _is_tighter(key, amount, tight.before)):
            del self.memory.tight[key]
            tight = None
        if tight is None:
            before = _loosest(key, limit.levels)
            if before is not None and _is_tighter(key, amount, before):
                self.memory.tight[key] = Tight(at, before, amount)
        if not limit.levels or limit.levels[-1].amount != amount:
            limit.levels.append(Level(at, amount))

    def _tight(self, now: float, watched: Collection[Rail]) -> dict[Key, Tight]:
        tight = self.memory.tight.items()
        return {key: each for key, each in tight if key[1] in watched and now < each.since + USUAL_SECONDS}


def _within_the_hour(levels: list[Level], at: float) -> list[Level]:
    """Those that held later than an hour ago; the newest always does."""
    ends = [*(level.since for level in levels[1:]), NEVER]
    return [level for level, end in zip(levels, ends, strict=False) if end > at - WINDOW_SECONDS]


def _loosest(key: Key, levels: list[Level]) -> Decimal | None:
    pick = max if key[2] == "maximum" else min
    return pick((level.amount for level in levels if level.amount > 0), default=None)


def _is_tighter(key: Key, amount: Decimal, before: Decimal) -> bool:
    return amount * FACTOR <= before if key[2] == "maximum" else amount >= before * FACTOR


def _together(since: Mapping[Rail, float]) -> list[Rail]:
    """All of them, if three changed within an hour of each other."""
    times = sorted(since.values())
    spans = (last - first for first, last in zip(times, times[RAILS - 1 :], strict=False))
    return sorted(since) if any(span <= WINDOW_SECONDS for span in spans) else []


def _evidence(key: Key, tight: Tight) -> Evidence:
    probe, rail, name = key
    return Evidence(
        at=moment(tight.since),
        probe=probe,
        source="terms",
        rail=str(rail),
        value=f"{name} {coins(tight.before)} to {coins(tight.after)}",
        unit=rail.asset,
    )
