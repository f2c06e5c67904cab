"""An exchange that stops paying, seen on the chains: counts of outgoing transactions against what is usual.

Per stream a negative-binomial CUSUM tests the usual rate against a tenth of it; over an exchange the capped statistics
are added up, so that one silent wallet is a *watch* and never a page. A reading without coverage changes nothing:
missing data is neither silence nor payment. Method and constants: docs/detection.md.
"""

import math
from collections.abc import Collection

from msgspec import Struct

from monitor.engine.detectors.baseline import Baseline
from monitor.engine.finding import NEVER, Finding, moment
from monitor.model import Evidence, IncidentKind, Severity, WalletActivity

VERSION = 1
RHO = 0.1  # a halt is a fall to a tenth of the usual rate
CAP = 8.0  # of one stream in the sum: below the threshold, so that it takes two; 12 gave three times the false pages
CEILING = 2 * CAP  # of a statistic, so that a long silence of one stream is forgotten soon after it ends
ARL_MINUTES = 43_200.0  # minutes between false alarms that the threshold aims at: one month
THRESHOLD = math.log(ARL_MINUTES) + 4.0
WATCH_MINUTES = 30.0
PAGE_MINUTES = 360.0
MIN_COVERAGE = 0.5
MAX_HEAD_AGE_SECONDS = 300.0
RECOVERY_SECONDS = 300.0
RECOVERY_SHARE = 0.5
DRAINED_SHARE = 0.8
PAID_SECONDS = 300.0
OLD_SECONDS = 900.0  # what a stream said before that is no evidence of what is now
STILL_SENDING_SECONDS = 60.0


class Stream(Struct):
    """One (network, probe, wallet) as it stands."""

    network: str
    probe: str
    wallet: str | None
    read_at: float = 0.0
    last_at: float | None = None  # newest outgoing
    total: int = 0
    head_age: float | None = None
    score: float = 0.0
    since: float = 0.0  # start of the window in which the score left zero
    silent_count: int = 0  # sent and expected since then
    silent_expected: float = 0.0


class Paid(Struct, frozen=True, array_like=True):
    at: float
    count: int
    expected: float


class SilenceMemory(Struct):
    streams: dict[tuple[str, str, str], Stream] = {}  # (network, probe, wallet or "")
    halted: bool = False
    score: float = 0.0  # fused, as of the last judged instant
    recent: list[Paid] = []  # readings of the last five minutes


class SilenceLearned(Struct):
    baselines: dict[tuple[str, str, str], Baseline] = {}


class Silence:
    def __init__(self, memory: SilenceMemory, learned: SilenceLearned) -> None:
        self.memory = memory
        self.learned = learned

    def observe(self, activity: WalletActivity, at: float) -> None:
        """Take in a window of a stream; O(1)."""
        stream, baseline = self._stream(activity)
        if at <= stream.read_at or activity.window_seconds <= 0:
            return
        stream.read_at, stream.head_age = at, activity.head_age_seconds
        if activity.coverage < MIN_COVERAGE or (activity.head_age_seconds or 0.0) > MAX_HEAD_AGE_SECONDS:
            return
        stream.total += activity.outgoing
        if activity.last_at is not None:
            stream.last_at = max(stream.last_at or 0.0, min(at, activity.last_at.timestamp()))
        elif activity.outgoing:
            stream.last_at = at
        self._weigh(stream, baseline, activity, at)

    def judge(self, now: float) -> None:
        """Open by the fused statistic, end when payments are back at half of what is usual."""
        memory = self.memory
        memory.score = self._fused(now)
        if not memory.halted and memory.score >= THRESHOLD:
            memory.halted, memory.recent = True, []
        elif memory.halted and self._share_paid(now) > RECOVERY_SHARE:
            memory.halted, memory.score = False, 0.0
            for stream in memory.streams.values():
                stream.score = 0.0

    def forget(self, kept: Collection[str]) -> None:
        """Leave out the streams of probes that look no more."""
        memory = self.memory
        for key in [key for key, stream in memory.streams.items() if stream.probe not in kept]:
            del memory.streams[key]
        if not memory.streams:
            memory.halted, memory.score, memory.recent = False, 0.0, []

    def findings(self) -> list[Finding]:
        if not self.memory.halted:
            return []
        newest = max((s.read_at for s in self.memory.streams.values()), default=0.0)
        silent = sorted(
            (s for s in self.memory.streams.values() if s.score > 0 and newest - s.read_at <= OLD_SECONDS),
            key=lambda s: (s.network, s.probe),
        )
        networks = ", ".join(sorted({s.network for s in silent}))
        return [
            Finding(
                kind=IncidentKind.WITHDRAWAL_HALT,
                severity=Severity.CRITICAL,
                scope=("*",),
                summary=f"hot wallets stopped sending on {networks}",
                since=_since(silent),
                evidence=tuple(_evidence(s) for s in silent),
            )
        ]

    def is_drained(self, now: float) -> bool:
        """The backlog is paid out: five minutes at nearly the usual rate, or nothing to compare with."""
        expected = sum(p.expected for p in self.memory.recent if p.at > now - RECOVERY_SECONDS)
        return expected <= 0 or self._share_paid(now) >= DRAINED_SHARE

    def watching(self) -> list[str]:
        """Networks with a silent stream, by the statistic that a single stream can reach."""
        keys = self.memory.streams.items()
        return sorted({s.network for key, s in keys if s.score >= CAP and self._minutes(key) >= WATCH_MINUTES})

    def learned_seconds(self, key: tuple[str, str, str]) -> float:
        return self._minutes(key) * 60

    def fresh_until(self, intervals: dict[str, float]) -> float:
        """Until when the youngest stream counts as fresh; -inf where there is none."""
        streams = self.memory.streams.values()
        return max((s.read_at + max(180.0, 3 * intervals.get(s.probe, 60.0)) for s in streams), default=-NEVER)

    def last_paid(self) -> float | None:
        return max((s.last_at for s in self.memory.streams.values() if s.last_at is not None), default=None)

    def paid_recently(self, now: float) -> int:
        return sum(paid.count for paid in self.memory.recent if paid.at > now - PAID_SECONDS)

    def _stream(self, activity: WalletActivity) -> tuple[Stream, Baseline]:
        key = (activity.network, activity.probe, activity.wallet or "")
        stream = self.memory.streams.get(key)
        if stream is None:
            stream = self.memory.streams[key] = Stream(activity.network, activity.probe, activity.wallet)
        baseline = self.learned.baselines.get(key)
        if baseline is None:
            baseline = self.learned.baselines[key] = Baseline()
        return stream, baseline

    def _weigh(self, stream: Stream, baseline: Baseline, activity: WalletActivity, at: float) -> None:
        minutes = activity.window_seconds / 60
        count = activity.outgoing
        usual = baseline.expected(at)
        expected = usual * minutes * activity.coverage
        recent = self.memory.recent
        recent.append(Paid(at, count, expected))
        while recent[0].at <= at - RECOVERY_SECONDS:
            recent.pop(0)
        if baseline.minutes < WATCH_MINUTES:
            baseline.learn(count, at=at, minutes=minutes, expected=expected)
            return
        if stream.score <= 0:
            stream.since = at - activity.window_seconds
            stream.silent_count, stream.silent_expected = 0, 0.0
        stream.silent_count += count
        stream.silent_expected += expected
        step = _log_ratio(count, mean=expected, k=baseline.k() * minutes)
        stream.score = min(CEILING, max(0.0, stream.score + step))
        if not self.memory.halted and self.memory.score < THRESHOLD / 2:  # what is suspicious teaches nothing
            baseline.learn(count, at=at, minutes=minutes, expected=expected)

    def _share_paid(self, now: float) -> float:
        recent = [paid for paid in self.memory.recent if paid.at > now - RECOVERY_SECONDS]
        if not recent or recent[-1].at - recent[0].at < RECOVERY_SECONDS - 120:
            return 0.0
        expected = sum(paid.expected for paid in recent)
        return sum(paid.count for paid in recent) / expected if expected > 0 else 0.0

    def _fused(self, now: float) -> float:
        """Sum of the capped statistics of the streams that know enough to page and were read lately."""
        fused = 0.0
        for key, stream in self.memory.streams.items():
            if stream.score > 0 and now - stream.read_at <= OLD_SECONDS and self._minutes(key) >= PAGE_MINUTES:
                fused += min(stream.score, CAP)
        return fused

    def _minutes(self, key: tuple[str, str, str]) -> float:
        baseline = self.learned.baselines.get(key)
        return baseline.minutes if baseline is not None else 0.0


def _log_ratio(count: int, *, mean: float, k: float) -> float:
    """log P(count | rho * mean) / P(count | mean) of negative binomials with shape k."""
    if mean <= 0:
        return 0.0
    return count * math.log(RHO) + (count + k) * math.log((mean + k) / (RHO * mean + k))


def _since(silent: list[Stream]) -> float | None:
    """The newest payment of the silent streams; where they still send a little, since when it is too little."""
    if not silent:
        return None
    newest = max((s.last_at for s in silent if s.last_at is not None), default=0.0)
    since = min(s.since for s in silent)
    return newest if since <= newest <= max(s.read_at for s in silent) - STILL_SENDING_SECONDS else since


def _evidence(stream: Stream) -> Evidence:
    expected = f"{stream.silent_count} sent of {stream.silent_expected:.0f} expected"
    return Evidence(
        at=moment(stream.read_at),
        probe=stream.probe,
        source="chain",
        rail=f"*@{stream.network}",
        value=f"{expected} since {moment(stream.since):%H:%M:%S} UTC",
        unit="transactions",
    )
