"""From rails to an exchange: how much of the watched weight is newly off, and which watched rail stays off.

At least half of the watched weight newly off is a halt, a fifth within ten minutes is degraded, a single rail is told
after ten minutes. What was off at the first look is the exchange's normal state, unless it is more than half of all.
What is off by a lower rank's word alone, against the API's, is degraded at most: a status page pages nobody.
Maintenance is told and warns nobody: a single rail's, by the exchange's own word, and what was announced, of any size.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from monitor.engine.detectors.closed import Closed, ClosedMemory, Off, Watched
from monitor.engine.detectors.halt_words import (
    evidence_of,
    first_off,
    listed,
    said_of_flapping,
    said_of_maintenance,
    said_of_overdue,
)
from monitor.engine.finding import NEVER, Finding
from monitor.model import IncidentKind, MaintenanceWindow, Rail, RailVerdict, Severity
from monitor.model.view import StatisticState, StatisticView

WINDOW_SECONDS = 600.0
HALT_SHARE = 0.5
DEGRADED_SHARE = 0.2


class HaltMemory(Struct):
    halted: bool = False
    degraded: bool = False
    group: dict[Rail, None] = {}  # the rails that went off together
    closed: ClosedMemory = msgspec.field(default_factory=ClosedMemory)
    excused: dict[Rail, None] = {}  # off within announced maintenance
    share_off: float = 0.0  # of the readable watched weight, off now, whatever the time it went
    share_newly_off: float = 0.0  # of what is not excused, what was open when we first looked
    share_excused: float = 0.0
    networks_off: tuple[str, ...] = ()  # that closed while we looked: no watched rail of them is open
    turns_at: float = NEVER  # from when on they are weighed anew with every reading


class Halt:
    def __init__(self, memory: HaltMemory) -> None:
        self.memory = memory
        self._closed = Closed(memory.closed)

    @property
    def weights(self) -> dict[Rail, float]:
        """Of the watched rails that some source names."""
        return self.memory.closed.weights

    @property
    def _off(self) -> dict[Rail, Off]:
        return self.memory.closed.off

    def weigh(self, watched: Sequence[Watched], windows: Sequence[MaintenanceWindow], now: float) -> None:
        """Look at the watched rails anew. A rail that cannot be read stays as it was last confirmed."""
        memory = self.memory
        self._closed.weigh(watched, windows, now)
        memory.excused = dict.fromkeys(rail for rail, off in self._off.items() if off.is_excused())
        memory.turns_at = self._closed.turns_at()
        self._decide()
        memory.share_off = _share(self._off, self.weights)
        memory.share_excused = _share(memory.excused, self.weights)
        memory.networks_off = self._networks_off()

    @property
    def reopened_at(self) -> float | None:
        """The first reading of the last reopening of a watched rail."""
        return self.memory.closed.reopened_at

    def is_flapping(self, rail: Rail) -> bool:
        return self._closed.flaps.is_flapping(rail)

    def is_any_off(self) -> bool:
        """Some watched rail is off, for whatever reason."""
        return bool(self._off)

    def findings(self, now: float, *, silent: Collection[str]) -> list[Finding]:
        """What is not maintenance. On `silent` networks a wallet stopped: a second witness, so nobody waits."""
        if self.memory.halted or self.memory.degraded:
            return [self._together(now)]
        if not self._off:
            return []
        lasting = [rail for rail in self._lasting() if not self._is_named_maintenance(rail)]
        agreed = [rail for rail in sorted(self._newly()) if rail.network in silent and rail not in lasting]
        told = [
            (lasting, "suspended for more than 10 minutes"),
            (agreed, "suspended, and a hot wallet there stopped sending"),
        ]
        return [
            self._finding(
                IncidentKind.RAIL_SUSPENDED, Severity.WARNING, rails, f"{listed(rails)} {how}{self._said(rails, now)}"
            )
            for rails, how in told
            if rails
        ]

    def maintenance(self) -> list[Finding]:
        """What was announced, for as long as it lasts, and single rails in maintenance by the exchange's own word."""
        if not self._off:
            return []
        planned = sorted(rail for rail, off in self._off.items() if off.planned_until is not None)
        is_more = self.memory.halted or self.memory.degraded
        named = [] if is_more else [rail for rail in self._lasting() if self._is_named_maintenance(rail)]
        if not planned and not named:
            return []
        said = said_of_maintenance(planned, named, self._off)
        return [self._finding(IncidentKind.MAINTENANCE, Severity.INFO, sorted([*planned, *named]), said)]

    def statistics(self) -> list[StatisticView]:
        """The share of the watched weight that went off while we looked."""
        share = self.memory.share_newly_off if self.weights else None
        now = "no list names a watched rail" if share is None else f"{share:.0%} of the watched weight newly off"
        planned = f", {self.memory.share_excused:.0%} in announced maintenance" if self.memory.excused else ""
        return [
            StatisticView(
                detector="flags",
                subject="*",
                state=self._state(),
                value=share,
                threshold=HALT_SHARE,
                observed=None if share is None else self.memory.share_off,
                unit="of the watched weight",
                words=f"{now}{planned}; degraded from {DEGRADED_SHARE:.0%} within 10 min, a halt from {HALT_SHARE:.0%}",
            )
        ]

    def _state(self) -> StatisticState:
        if not self.weights:
            return StatisticState.UNKNOWN
        if self.memory.halted or self.memory.degraded:
            return StatisticState.FIRING
        return StatisticState.SUSPICIOUS if self.memory.share_newly_off > 0 else StatisticState.QUIET

    def _decide(self) -> None:
        memory, judged = self.memory, self._judged()
        together = self._went_together(judged)
        share = _share(together, judged)
        if _share(together, self.weights) >= DEGRADED_SHARE <= share:  # maintenance makes no halt of a single rail
            memory.group.update(dict.fromkeys(together))
            memory.halted = memory.halted or _share(self._sure(together), judged) >= HALT_SHARE
            memory.degraded = not memory.halted
        still = [rail for rail in memory.group if rail in self._off and rail not in memory.excused]
        if _share(still, judged) < DEGRADED_SHARE:
            memory.halted = memory.degraded = False
            memory.group = {}
        elif memory.halted and _share(self._sure(still), judged) < DEGRADED_SHARE:
            memory.halted, memory.degraded = False, True

    def _went_together(self, judged: Mapping[Rail, float]) -> list[Rail]:
        """The rails that closed together. Closed one after the other is closed too, once it is half of all."""
        newly = self._newly()
        self.memory.share_newly_off = _share(newly, judged)
        baseline = [rail for rail in self._off if rail in judged and rail not in newly]
        if not newly:
            return baseline if _share(baseline, judged) > HALT_SHARE else []
        latest = max(newly.values())
        is_half = self.memory.share_newly_off >= HALT_SHARE
        return [rail for rail, since in newly.items() if is_half or since >= latest - WINDOW_SECONDS]

    def _judged(self) -> dict[Rail, float]:
        """Weights of what is not in announced maintenance."""
        return {rail: weight for rail, weight in self.weights.items() if rail not in self.memory.excused}

    def _newly(self) -> dict[Rail, float]:
        """When each rail went off that was open at the first look, and is not excused."""
        offs = self._off.items()
        return {r: off.since for r, off in offs if off.since is not None and r not in self.memory.excused}

    def _lasting(self) -> list[Rail]:
        return sorted(rail for rail, off in self._off.items() if off.is_lasting() and rail not in self.memory.excused)

    def _is_named_maintenance(self, rail: Rail) -> bool:
        off = self._off[rail]
        return off.held.verdict is RailVerdict.MAINTENANCE and off.planned_until is None

    def _networks_off(self) -> tuple[str, ...]:
        newly = {rail.network for rail in self._newly()}
        is_open = {rail.network for rail in self.weights if rail not in self._off}
        return tuple(sorted(newly - is_open))

    def _sure(self, rails: list[Rail]) -> list[Rail]:
        return [rail for rail in rails if not self._off[rail].held.is_doubted]

    def _together(self, now: float) -> Finding:
        rails = sorted(rail for rail in self.memory.group if rail in self._off and rail not in self.memory.excused)
        halted = self.memory.halted
        share = round(100 * _share(rails, self._judged()))
        finding = self._finding(
            IncidentKind.WITHDRAWAL_HALT if halted else IncidentKind.WITHDRAWALS_DEGRADED,
            Severity.CRITICAL if halted else Severity.WARNING,
            rails,
            f"withdrawals {'halted' if halted else 'degraded'}: {share} % of the watched weight is off"
            f" ({listed(rails)}){self._said(rails, now)}",
        )
        is_whole = halted and share == 100 and not self.memory.excused
        return msgspec.structs.replace(finding, scope=("*",)) if is_whole else finding

    def _said(self, rails: list[Rail], now: float) -> str:
        flapping = said_of_flapping(rails, self.memory.closed.flaps)
        return flapping + said_of_overdue((self._off[rail] for rail in rails), now)

    def _finding(self, kind: IncidentKind, severity: Severity, rails: list[Rail], summary: str) -> Finding:
        return Finding(
            kind=kind,
            severity=severity,
            scope=tuple(str(rail) for rail in rails),
            summary=summary,
            since=first_off(rails, self._off),
            evidence=evidence_of(rails, self._off),
        )


def _share(rails: Iterable[Rail], weights: Mapping[Rail, float]) -> float:
    """The part of all `weights` that `rails` have."""
    total = sum(weights.values())
    return round(sum(weights[rail] for rail in rails if rail in weights) / total, 6) if total > 0 else 0.0
