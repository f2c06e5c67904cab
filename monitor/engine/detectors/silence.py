"""An exchange that stops paying, seen on the chains: counts of outgoing transactions against what is usual.

Each stream has a negative-binomial CUSUM of its own: one that is silent alone is a *watch* and never a page. Over the
exchange `joint` asks whether all have stopped; past the threshold, which its own history sets, that is a halt. A
reading without coverage changes nothing: missing data is neither silence nor payment. Constants: docs/detection.md.
"""

import math
from collections.abc import Collection, Mapping
from types import MappingProxyType

import msgspec
from msgspec import Struct

from monitor.engine.calibration import Maxima, calibrated
from monitor.engine.detectors import joint
from monitor.engine.detectors.baseline import Baseline, batches
from monitor.engine.detectors.dispersion import DRIFT, WEEK_MINUTES
from monitor.engine.detectors.drip import Drip, Typical
from monitor.engine.detectors.joint import Joint, Key, Level, Reading
from monitor.engine.detectors.likelihood import log_ratio, none_sent
from monitor.engine.finding import NEVER
from monitor.model import WalletActivity

VERSION = 2
NOTHING: Mapping[str, float] = MappingProxyType({})
RHO = 0.1  # a halt is a fall to a tenth of the usual rate
WATCH = 8.0  # of a stream's own statistic: a pause of some minutes that is seen once in a month or two
CEILING = 2 * WATCH  # so that a long silence of one stream is forgotten soon after it ends
MONTH_MINUTES = 43_200.0
BUDGET_SHARE = 0.1  # of the pages a month that the user allows: a halt is so sharp that less costs it no time
COLD = math.log(MONTH_MINUTES) + 4.0  # before there is history
HIGHEST = 18.0  # of what history may set
WATCH_MINUTES = 30.0
PAGE_MINUTES = 360.0
REST_SECONDS = 86_400.0  # a stream that is silent alone for longer has changed its ways, and is learned anew
ACTIVE_RATE = 0.05  # transactions a minute below which a stream is not busy
SPARE = 1.98  # the threshold over the cap: two streams just reach it
SPARE_OF_TWO = 1.5  # where there are no others that could speak against
COLD_DRIFT = 0.4  # log standard deviation of the level in the first week, when the hours are not known
MIN_COVERAGE = 0.5
MAX_HEAD_AGE_SECONDS = 300.0
RECOVERY_SECONDS = 300.0
RECOVERY_SHARE = 0.5
DRAINED_SHARE = 0.8
PAID_SECONDS = 300.0
OLD_SECONDS = 900.0  # what a stream said before that is no evidence of what is now
PARTIAL_SECONDS = 600.0  # several streams silent for so long, while others pay


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
    surprise: float = 0.0  # -log of the chance to have sent nothing since the last payment
    drip: Drip = msgspec.field(default_factory=Drip)


class Paid(Struct, frozen=True, array_like=True):
    at: float
    count: int
    expected: float


class SilenceMemory(Struct):
    streams: dict[Key, Stream] = {}  # (network, probe, wallet or "")
    halted: bool = False
    score: float = 0.0  # over the exchange, as of the last judged instant
    rail: float = 0.0
    recent: list[Paid] = []  # readings of the last five minutes
    joint: Joint = msgspec.field(default_factory=Joint)
    excused: tuple[str, ...] = ()  # networks whose silence is announced maintenance


class SilenceLearned(Struct):
    baselines: dict[Key, Baseline] = {}
    typical: dict[Key, Typical] = {}
    maxima: Maxima = msgspec.field(default_factory=Maxima)
    threshold: float | None = None  # by history; None before a week is known
    per_month: float = BUDGET_SHARE  # pages that it aims at


class Silence:
    def __init__(self, memory: SilenceMemory, learned: SilenceLearned) -> None:
        self.memory = memory
        self.learned = learned

    def observe(self, activity: WalletActivity, at: float) -> None:
        """Take in a window of a stream; O(1)."""
        key = (activity.network, activity.probe, activity.wallet or "")
        stream, baseline = self._stream(key, activity)
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
        self._weigh(key, stream, baseline, activity)

    def judge(self, now: float, *, stalled: Collection[str] = (), planned: Mapping[str, float] = NOTHING) -> None:
        """Open by the statistic, end when payments are back at half of what is usual. `stalled` networks pay nobody.
        `planned`: network in maintenance -> since when that is known.
        """
        memory = self.memory
        if not memory.streams:
            return
        joint.prune(memory.joint, now)
        if planned or memory.excused:
            self._excuse(planned, now)
        found = self._level(now, (*stalled, *memory.excused))
        memory.score, memory.rail = found.plain, found.rail
        joint.begin(memory.joint, now)
        if memory.halted:
            self.learned.maxima.leave_out(now)
            if self._share_paid(now) > RECOVERY_SHARE:
                self._end()
        elif found.plain >= self.threshold() or found.rail >= self.guarantee():
            memory.halted, memory.recent = True, []
        else:
            self.learned.maxima.note(found.plain, now)

    def calibrate(self, *, pages_per_month: float, exchanges: int) -> None:
        """Set the threshold anew from the history, for a share of the pages that the user allows."""
        self.learned.per_month = round(BUDGET_SHARE * pages_per_month / max(1, exchanges), 9)
        found = calibrated(self.learned.maxima, per_month=self.learned.per_month)
        least = self.guarantee()
        self.learned.threshold = min(HIGHEST, max(least, found)) if found is not None else None

    def threshold(self) -> float:
        """Of the statistic: by history, or, before a week is known, ln(minutes between pages) and a margin."""
        return COLD if self.learned.threshold is None else self.learned.threshold

    def guarantee(self) -> float:
        """Of the rail: at e^h minutes between false pages, whatever history says."""
        return math.log(MONTH_MINUTES / self.learned.per_month)

    def forget(self, kept: Collection[str]) -> None:
        """Leave out the streams of probes that look no more."""
        memory = self.memory
        gone = [key for key, stream in memory.streams.items() if stream.probe not in kept]
        for key in gone:
            del memory.streams[key]
            for begun in memory.joint.beginnings:
                begun.sums.pop(key, None)
        if not memory.streams:
            self._end()

    def is_drained(self, now: float) -> bool:
        """The backlog is paid out: five minutes at nearly the usual rate, or nothing to compare with."""
        expected = sum(p.expected for p in self.memory.recent if p.at > now - RECOVERY_SECONDS)
        return expected <= 0 or self._share_paid(now) >= DRAINED_SHARE

    def silent(self) -> list[Stream]:
        """Streams that are silent by their own statistic, watched or not."""
        streams = self.memory.streams.items()
        heard = ((key, s) for key, s in streams if s.network not in self.memory.excused)
        return [s for key, s in heard if s.score >= WATCH and self.minutes(key) >= WATCH_MINUTES]

    def stopped(self, now: float) -> list[Stream]:
        """Several streams that stopped for good while others pay, once they know enough; none where it is one."""
        streams = [
            s
            for key, s in self.memory.streams.items()
            if s.score >= WATCH
            and s.network not in self.memory.excused
            and self.minutes(key) >= PAGE_MINUTES
            and PARTIAL_SECONDS <= s.read_at - s.since <= REST_SECONDS
            and now - s.read_at <= OLD_SECONDS
        ]
        return streams if len({s.network for s in streams}) > 1 else []

    def dripping(self, now: float) -> list[Stream]:
        """Streams that pay as often as ever and hardly anything."""
        streams = [s for s in self.memory.streams.values() if s.network not in self.memory.excused]
        return [s for s in streams if s.drip.since is not None and now - s.read_at <= OLD_SECONDS]

    def watching(self) -> list[str]:
        """Networks with a silent stream, by the statistic that a single stream can reach."""
        return sorted({stream.network for stream in self.silent()})

    def learned_seconds(self, key: Key) -> float:
        return self.minutes(key) * 60

    def fresh_until(self, intervals: dict[str, float]) -> float:
        """Until when the youngest stream counts as fresh; -inf where there is none."""
        streams = self.memory.streams.values()
        return max((s.read_at + max(180.0, 3 * intervals.get(s.probe, 60.0)) for s in streams), default=-NEVER)

    def last_paid(self) -> float | None:
        return max((s.last_at for s in self.memory.streams.values() if s.last_at is not None), default=None)

    def paid_recently(self, now: float) -> int:
        return sum(paid.count for paid in self.memory.recent if paid.at > now - PAID_SECONDS)

    def minutes(self, key: Key) -> float:
        """Exposure that a stream has learned from."""
        baseline = self.learned.baselines.get(key)
        return baseline.minutes if baseline is not None else 0.0

    def parts(self) -> int:
        """How many streams of the exchange are busy and know enough to page."""
        baselines = (self.learned.baselines.get(key) for key in self.memory.streams)
        return sum(b is not None and b.minutes >= PAGE_MINUTES and b.rate() >= ACTIVE_RATE for b in baselines)

    def cap(self) -> float:
        """Of one stream: never the threshold alone. Two reach it, of three or more only if nothing speaks against."""
        return self.threshold() / (SPARE_OF_TWO if self.parts() <= 2 else SPARE)

    def _excuse(self, planned: Mapping[str, float], now: float) -> None:
        """Leave out what is silent because of maintenance. What pays again at its end is heard anew from there on."""
        memory = self.memory
        before = memory.excused
        silent = {s.network: s.since for s in memory.streams.values() if s.score >= WATCH and s.network not in before}
        memory.excused = tuple(name for name, told_at in planned.items() if silent.get(name, now) >= told_at)
        ended = [name for name in before if name not in memory.excused]
        if ended and not memory.halted and self._share_paid(now) > RECOVERY_SHARE:
            self._hear_anew(ended)

    def _hear_anew(self, networks: Collection[str]) -> None:
        for key, stream in self.memory.streams.items():
            if stream.network in networks:
                stream.score = 0.0
                for begun in self.memory.joint.beginnings:
                    begun.sums.pop(key, None)

    def _end(self) -> None:
        memory = self.memory
        memory.halted, memory.score, memory.rail = False, 0.0, 0.0
        memory.joint = Joint()
        for stream in memory.streams.values():
            stream.score = 0.0

    def _stream(self, key: Key, activity: WalletActivity) -> tuple[Stream, Baseline]:
        stream = self.memory.streams.get(key)
        if stream is None:
            stream = self.memory.streams[key] = Stream(activity.network, activity.probe, activity.wallet)
        baseline = self.learned.baselines.get(key)
        if baseline is None:
            baseline = self.learned.baselines[key] = Baseline()
        return stream, baseline

    def _weigh(self, key: Key, stream: Stream, baseline: Baseline, activity: WalletActivity) -> None:
        at, count = stream.read_at, activity.outgoing
        minutes = activity.window_seconds / 60 * activity.coverage
        seasonal = baseline.season(at) * minutes
        expected = seasonal * baseline.level()
        self._remember(Paid(at, count, expected))
        if baseline.minutes >= WATCH_MINUTES:
            reading = _reading(key, activity, baseline, expected)
            _follow(stream, reading)
            if self._has_changed(stream):
                self.learned.baselines[key] = Baseline()
                stream.score = 0.0
                return
            if baseline.minutes >= PAGE_MINUTES:
                joint.add(self.memory.joint, reading)
        if activity.amount is not None:
            typical = self.learned.typical.setdefault(key, Typical())
            stream.drip.observe(typical, at=at, count=count, expected=expected, coins=float(activity.amount))
        if not self._is_suspicious(stream):
            baseline.learn(count, at=at, minutes=minutes, seasonal=seasonal, expected=expected)

    def _remember(self, paid: Paid) -> None:
        recent = self.memory.recent
        recent.append(paid)
        while recent[0].at <= paid.at - RECOVERY_SECONDS:
            recent.pop(0)

    def _is_suspicious(self, stream: Stream) -> bool:
        """What is suspicious teaches nothing."""
        return self.memory.halted or self.memory.score >= self.threshold() / 2 or stream.score >= WATCH

    def _has_changed(self, stream: Stream) -> bool:
        """It has been silent alone for so long that what was usual is so no more."""
        is_alone = not self.memory.halted and stream.score >= WATCH
        return is_alone and stream.read_at - stream.since > REST_SECONDS

    def _share_paid(self, now: float) -> float:
        recent = [paid for paid in self.memory.recent if paid.at > now - RECOVERY_SECONDS]
        if not recent or recent[-1].at - recent[0].at < RECOVERY_SECONDS - 120:
            return 0.0
        expected = sum(paid.expected for paid in recent)
        return sum(paid.count for paid in recent) / expected if expected > 0 else 0.0

    def _level(self, now: float, stalled: Collection[str]) -> Level:
        if not self.memory.joint.beginnings:
            return joint.QUIET
        fresh = {
            key: now - stream.read_at <= OLD_SECONDS
            for key, stream in self.memory.streams.items()
            if stream.network not in stalled
        }
        return joint.level(self.memory.joint, fresh, self.cap())


def _shape(k: float, minutes: float, *, learned: float) -> float:
    """Of a window: that of its minutes, and of the level, which long windows do not average out."""
    doubt = DRIFT if learned >= WEEK_MINUTES else COLD_DRIFT
    return 1 / (1 / (k * minutes) + doubt * doubt)


def _reading(key: Key, activity: WalletActivity, baseline: Baseline, expected: float) -> Reading:
    """As the statistics take it: in transactions, or in batches where the wallet sends in batches."""
    minutes, count, dispersion = activity.window_seconds / 60, activity.outgoing, baseline.counts
    if baseline.is_batcher():
        share = baseline.batch_share()
        count, expected, dispersion = batches(count, share, minutes), expected * share, baseline.batches
    shape = _shape(dispersion.k, minutes, learned=baseline.minutes)
    return Reading(key, activity.at.timestamp(), activity.window_seconds, count, expected, shape)


def _follow(stream: Stream, reading: Reading) -> None:
    """The stream's own CUSUM, and how surprising the time since its last payment is."""
    if stream.score <= 0:
        stream.since = reading.at - reading.seconds
        stream.silent_count, stream.silent_expected = 0, 0.0
    stream.silent_count += reading.count
    stream.silent_expected += reading.mean
    step = log_ratio(reading.count, mean=reading.mean, k=reading.k, other=RHO * reading.mean)
    stream.score = min(CEILING, max(0.0, stream.score + step))
    stream.surprise = 0.0 if reading.count else stream.surprise + none_sent(reading.mean, reading.k)
