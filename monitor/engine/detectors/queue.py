"""The operator's own queue: withdrawals requested and none broadcast for two minutes is a halt, and certain.

Windows of readings may overlap. How long one waits is told (`oldest_seconds`), or known from when none waited yet.
"""

from collections.abc import Collection

from msgspec import Struct

from monitor.engine.finding import NEVER, Finding, moment
from monitor.model import Evidence, IncidentKind, Rail, Severity, WithdrawalQueue
from monitor.model.view import StatisticState, StatisticView

HALT_SECONDS = 120.0
STALE_SECONDS = 180.0


class Stuck(Struct):
    since: float  # by when the oldest one had been requested
    requested: int = 0
    pending: int = 0
    read_at: float = 0.0
    probe: str = ""


class QueueMemory(Struct):
    rails: dict[Rail, Stuck] = {}
    pending: dict[Rail, int] = {}
    read_at: float = -NEVER
    read: dict[Rail, float] = {}
    probes: dict[Rail, str] = {}  # whose the newest reading is


class Queue:
    def __init__(self, memory: QueueMemory) -> None:
        self.memory = memory

    def observe(self, queue: WithdrawalQueue, at: float) -> None:
        rail = Rail(queue.asset, queue.network)
        self.memory.pending[rail] = queue.pending
        self.memory.read_at = max(self.memory.read_at, at)
        before = self.memory.read.get(rail, at)
        self.memory.read[rail], self.memory.probes[rail] = at, queue.probe
        if queue.broadcast > 0 or (queue.requested == 0 and queue.pending == 0):
            self.memory.rails.pop(rail, None)
            return
        if queue.requested == 0 and rail not in self.memory.rails:
            return
        stuck = self.memory.rails.setdefault(rail, Stuck(since=_since(queue, at=at, before=before)))
        is_apart = at - queue.window_seconds >= stuck.read_at
        stuck.requested = stuck.requested + queue.requested if is_apart else max(stuck.requested, queue.requested)
        stuck.pending, stuck.read_at, stuck.probe = queue.pending, at, queue.probe

    def forget(self, kept: Collection[str]) -> None:
        """Leave out what probes said that look no more."""
        memory = self.memory
        probes = {rail: stuck.probe for rail, stuck in memory.rails.items()} | memory.probes
        for rail in [rail for rail, probe in probes.items() if probe not in kept]:
            memory.rails.pop(rail, None)
            memory.pending.pop(rail, None)
            memory.read.pop(rail, None)
            memory.probes.pop(rail, None)

    def stuck(self) -> dict[Rail, float]:
        """Rails that are asked and do not pay, with since when."""
        return {rail: s.since for rail, s in sorted(self.memory.rails.items()) if s.read_at - s.since >= HALT_SECONDS}

    def findings(self, excused: Collection[Rail] = ()) -> list[Finding]:
        """What is no maintenance."""
        if not self.memory.rails:
            return []
        stuck = [(rail, self.memory.rails[rail]) for rail in self.stuck() if rail not in excused]
        if not stuck:
            return []
        rails = ", ".join(str(rail) for rail, _ in stuck)
        return [
            Finding(
                kind=IncidentKind.WITHDRAWAL_HALT,
                severity=Severity.CRITICAL,
                scope=tuple(str(rail) for rail, _ in stuck),
                summary=f"withdrawals requested and none broadcast on {rails}",
                since=min(s.since for _, s in stuck),
                evidence=tuple(_evidence(rail, s) for rail, s in stuck),
            )
        ]

    def statistics(self, now: float) -> list[StatisticView]:
        """Of every rail whose queue is read: for how long it has been asked and not paid."""
        return [self._statistic(rail, read_at, now) for rail, read_at in sorted(self.memory.read.items())]

    def fresh_until(self) -> float:
        """Until when the newest reading counts as fresh; -inf where there is none."""
        return self.memory.read_at + STALE_SECONDS

    def is_drained(self, now: float) -> bool:
        """Nothing waits that was read lately. What is not read any more holds nothing open."""
        read = self.memory.read
        return not any(
            count and now - read.get(rail, -NEVER) <= STALE_SECONDS for rail, count in self.memory.pending.items()
        )

    def _statistic(self, rail: Rail, read_at: float, now: float) -> StatisticView:
        stuck = self.memory.rails.get(rail)
        waited = stuck.read_at - stuck.since if stuck is not None else 0.0
        told = f"requested and none broadcast for {waited:.0f} s" if stuck is not None else "it pays what is requested"
        is_read = now - read_at <= STALE_SECONDS
        return StatisticView(
            detector="queue",
            subject=str(rail),
            state=_state(waited, is_read=is_read),
            value=round(waited, 6),
            threshold=HALT_SECONDS,
            observed=float(self.memory.pending.get(rail, 0)),
            unit="waiting withdrawals",
            words=f"{told}{'' if is_read else f' (last read {moment(read_at):%H:%M} UTC)'}; a halt from 120 s",
        )


def _state(waited: float, *, is_read: bool) -> StatisticState:
    if waited >= HALT_SECONDS:
        return StatisticState.FIRING
    if not is_read:
        return StatisticState.UNKNOWN
    return StatisticState.SUSPICIOUS if waited else StatisticState.QUIET


def _since(queue: WithdrawalQueue, *, at: float, before: float) -> float:
    """None was broadcast within the window, but who waits may have come only now: at the latest reading none did."""
    start = at - queue.window_seconds
    return max(start, before if queue.oldest_seconds is None else at - queue.oldest_seconds)


def _evidence(rail: Rail, stuck: Stuck) -> Evidence:
    return Evidence(
        at=moment(stuck.read_at),
        probe=stuck.probe,
        source="queue",
        rail=str(rail),
        value=f"{stuck.requested} requested, 0 broadcast",
        unit="withdrawals",
    )
