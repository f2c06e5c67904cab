"""From rails to an exchange: how much of the watched weight is newly off, and which watched rail stays off.

At least half of the watched weight newly off is a halt, a fifth within ten minutes is degraded, a single rail is told
after ten minutes. What was off at the first look is the exchange's normal state, unless it is more than half of all.
What is off by a lower rank's word alone, against the API's, is degraded at most: a status page pages nobody.
"""

from msgspec import Struct

from monitor.engine.detectors.sources import Held
from monitor.engine.finding import NEVER, Finding, moment
from monitor.model import Evidence, IncidentKind, Rail, RailVerdict, Severity
from monitor.model.view import StatisticState, StatisticView

WINDOW_SECONDS = 600.0
HALT_SHARE = 0.5
DEGRADED_SHARE = 0.2
RAIL_SECONDS = 600.0
LISTED_IN_SUMMARY = 4


class Off(Struct, frozen=True):
    since: float | None  # None: off when we first looked
    held: Held


class HaltMemory(Struct):
    halted: bool = False
    degraded: bool = False
    group: dict[Rail, None] = {}  # the rails that went off together
    off: dict[Rail, Off] = {}
    weights: dict[Rail, float] = {}  # of the watched rails that some source names
    share_off: float = 0.0  # of the readable watched weight, off now, whatever the time it went
    share_newly_off: float = 0.0  # of it, what was open when we first looked
    networks_off: tuple[str, ...] = ()


class Watched(Struct, frozen=True):
    """A watched rail with what we hold of it; None: no source names it."""

    rail: Rail
    weight: float
    held: Held | None


class Halt:
    def __init__(self, memory: HaltMemory) -> None:
        self.memory = memory

    def weigh(self, watched: list[Watched]) -> None:
        """Look at the watched rails anew. A rail that cannot be read stays as it was last confirmed."""
        known = [w for w in watched if w.held is not None and self._is_known(w.rail, w.held)]
        self.memory.weights = {w.rail: w.weight for w in known}
        self.memory.off = {w.rail: self._off(w.rail, w.held) for w in known if w.held is not None and self._is_off(w)}
        newly = {rail: off for rail, off in self.memory.off.items() if off.since is not None}
        latest = max((off.since for off in newly.values() if off.since is not None), default=0.0)
        together = [r for r, off in newly.items() if off.since is not None and off.since >= latest - WINDOW_SECONDS]
        self._decide(together)
        self.memory.share_off = self._share(list(self.memory.off))
        self.memory.networks_off = tuple(sorted({rail.network for rail in self.memory.off}))

    def findings(self, now: float) -> list[Finding]:
        if self.memory.halted or self.memory.degraded:
            return [self._together()]
        if not self.memory.off:
            return []
        lasting = [r for r, off in self.memory.off.items() if off.since is not None and now - off.since >= RAIL_SECONDS]
        if not lasting:
            return []
        rails = sorted(lasting)
        return [
            Finding(
                kind=IncidentKind.RAIL_SUSPENDED,
                severity=Severity.WARNING,
                scope=tuple(str(rail) for rail in rails),
                summary=f"{_listed(rails)} suspended for more than 10 minutes",
                since=self._since(rails),
                evidence=self._evidence(rails),
            )
        ]

    def due(self, now: float) -> float:
        """When a watched rail will have been off long enough to be told."""
        if self.memory.halted or not self.memory.off:
            return NEVER
        times = [off.since + RAIL_SECONDS for off in self.memory.off.values() if off.since is not None]
        return min((time for time in times if time > now), default=NEVER)

    def statistics(self) -> list[StatisticView]:
        """The share of the watched weight that went off while we looked."""
        memory = self.memory
        share = memory.share_newly_off
        now = f"{share:.0%} of the watched weight newly off" if memory.weights else "no list names a watched rail"
        return [
            StatisticView(
                detector="flags",
                subject="*",
                state=self._state(),
                value=share if memory.weights else None,
                threshold=HALT_SHARE,
                observed=memory.share_off if memory.weights else None,
                unit="of the watched weight",
                words=f"{now}; degraded from {DEGRADED_SHARE:.0%} within 10 min, a halt from {HALT_SHARE:.0%}",
            )
        ]

    def _state(self) -> StatisticState:
        if not self.memory.weights:
            return StatisticState.UNKNOWN
        if self.memory.halted or self.memory.degraded:
            return StatisticState.FIRING
        return StatisticState.SUSPICIOUS if self.memory.share_newly_off > 0 else StatisticState.QUIET

    def _is_known(self, rail: Rail, held: Held) -> bool:
        """A rail that is no longer listed counts for nothing, unless it went while it was off."""
        return held.verdict is not RailVerdict.UNLISTED or rail in self.memory.off

    def _is_off(self, watched: Watched) -> bool:
        assert watched.held is not None  # noqa: S101 - told to the type checker; the caller filtered
        match watched.held.verdict:
            case RailVerdict.SUSPENDED | RailVerdict.MAINTENANCE:
                return True
            case RailVerdict.UNKNOWN | RailVerdict.DISPUTED | RailVerdict.UNLISTED:
                return watched.rail in self.memory.off
            case _:
                return False

    def _off(self, rail: Rail, held: Held) -> Off:
        """Off since it first went off, whichever source says so now; what cannot be read is as it was."""
        before = self.memory.off.get(rail)
        if before is None:
            return Off(held.since, held)
        if held.verdict in (RailVerdict.UNKNOWN, RailVerdict.DISPUTED):
            return before
        return Off(before.since, held)

    def _decide(self, together: list[Rail]) -> None:
        memory = self.memory
        baseline = [rail for rail, off in self.memory.off.items() if off.since is None]
        if not together and self._share(baseline) > HALT_SHARE:
            together = baseline
        newly = [rail for rail, off in self.memory.off.items() if off.since is not None]
        self.memory.share_newly_off = self._share(newly)
        if self.memory.share_newly_off >= HALT_SHARE:
            together = newly  # closed one after the other is closed too
        share = self._share(together)
        if self._share(self._sure(together)) >= HALT_SHARE:
            memory.halted = True
        elif share >= DEGRADED_SHARE and not memory.halted:
            memory.degraded = True
        if share >= DEGRADED_SHARE:
            memory.group.update(dict.fromkeys(together))
        still = [rail for rail in memory.group if rail in memory.off]
        if self._share(still) < DEGRADED_SHARE:
            memory.halted = memory.degraded = False
            memory.group = {}
        elif memory.halted and self._share(self._sure(still)) < DEGRADED_SHARE:
            memory.halted, memory.degraded = False, True

    def _sure(self, rails: list[Rail]) -> list[Rail]:
        return [rail for rail in rails if not self.memory.off[rail].held.is_doubted]

    def _together(self) -> Finding:
        rails = sorted(rail for rail in self.memory.group if rail in self.memory.off)
        halted = self.memory.halted
        word = "halted" if halted else "degraded"
        share = round(100 * self._share(rails))
        whole = halted and share == 100
        return Finding(
            kind=IncidentKind.WITHDRAWAL_HALT if halted else IncidentKind.WITHDRAWALS_DEGRADED,
            severity=Severity.CRITICAL if halted else Severity.WARNING,
            scope=("*",) if whole else tuple(str(rail) for rail in rails),
            summary=f"withdrawals {word}: {share} % of the watched weight is off ({_listed(rails)})",
            since=self._since(rails),
            evidence=self._evidence(rails),
        )

    def _share(self, rails: list[Rail]) -> float:
        weights = self.memory.weights
        total = sum(weights.values())
        return round(sum(weights[rail] for rail in rails) / total, 6) if total > 0 else 0.0

    def _since(self, rails: list[Rail]) -> float | None:
        return min((off.since for r in rails if (off := self.memory.off[r]).since is not None), default=None)

    def _evidence(self, rails: list[Rail]) -> tuple[Evidence, ...]:
        offs = sorted(
            ((self.memory.off[rail], rail) for rail in rails), key=lambda pair: (pair[0].since or 0.0, pair[1])
        )
        return tuple(
            Evidence(
                at=moment(off.held.first_at if off.since is None else off.since),
                probe=off.held.probe,
                source=off.held.source,
                rail=str(rail),
                value=off.held.verdict,
            )
            for off, rail in offs
        )


def _listed(rails: list[Rail]) -> str:
    shown = ", ".join(str(rail) for rail in rails[:LISTED_IN_SUMMARY])
    more = len(rails) - LISTED_IN_SUMMARY
    return f"{shown} and {more} more" if more > 0 else shown
