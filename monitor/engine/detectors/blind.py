"""Can we see at all? Everything failing at once is our outage and nobody's halt."""

from msgspec import Struct

from monitor.engine.finding import Finding, moment
from monitor.model import Control, Evidence, IncidentKind, Role, Severity
from monitor.model.view import StatisticState, StatisticView

BLIND_READINGS = 2
PAGE_SECONDS = 300.0


class Blindness(Struct):
    since: float
    readings: int = 1
    probe: str = ""
    detail: str = ""


class BlindMemory(Struct):
    vantages: dict[str, Blindness] = {}


class Blind:
    def __init__(self, memory: BlindMemory) -> None:
        self.memory = memory

    def observe(self, control: Control, at: float) -> bool:
        """Take in a look at our own targets; answers whether anything is to be judged."""
        if control.ok:
            return self.sees(control.vantage)
        blindness = self.memory.vantages.get(control.vantage)
        if blindness is None:
            detail = f"{control.targets_ok} of {control.targets} control targets answer"
            self.memory.vantages[control.vantage] = Blindness(at, probe=control.probe, detail=detail)
        else:
            blindness.readings += 1
        return True

    def sees(self, vantage: str) -> bool:
        """Any good reading of a vantage ends its blindness; answers whether there was one."""
        return self.memory.vantages.pop(vantage, None) is not None

    def is_blind(self) -> bool:
        return any(blindness.readings >= BLIND_READINGS for blindness in self.memory.vantages.values())

    def findings(self, now: float, role: Role) -> list[Finding]:
        if not self.memory.vantages:
            return []
        blind = [(v, b) for v, b in sorted(self.memory.vantages.items()) if b.readings >= BLIND_READINGS]
        if not blind:
            return []
        since = min(b.since for _, b in blind)
        pages = role is Role.OPERATOR and now - since >= PAGE_SECONDS
        return [
            Finding(
                kind=IncidentKind.BLIND,
                severity=Severity.CRITICAL if pages else Severity.WARNING,
                scope=("*",),
                summary="we cannot see: " + "; ".join(f"from {v} {b.detail}" for v, b in blind),
                since=since,
                evidence=tuple(
                    Evidence(at=moment(b.since), probe=b.probe, source="control", value=b.detail) for _, b in blind
                ),
            )
        ]

    def statistics(self) -> list[StatisticView]:
        """Readings in a row in which our own control targets were silent, of the worst vantage."""
        worst = max((b.readings for b in self.memory.vantages.values()), default=0)
        state = StatisticState.SUSPICIOUS if worst else StatisticState.QUIET
        return [
            StatisticView(
                detector="blind",
                subject="*",
                state=StatisticState.FIRING if worst >= BLIND_READINGS else state,
                value=float(worst),
                threshold=float(BLIND_READINGS),
                unit="readings in a row",
                words=f"our own control targets were silent {worst} times in a row; blind from {BLIND_READINGS}",
            )
        ]

    def due(self, now: float) -> float:
        times = (b.since + PAGE_SECONDS for b in self.memory.vantages.values())
        return min((time for time in times if time > now), default=float("inf"))
