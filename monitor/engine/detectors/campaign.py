"""Much more talk than usual: up-side DSPOT on counts of mentions, per (probe, query). Information, and never a page.

An episode opens when five minutes or four hours of a query stand as high above its own day as happens once in four
weeks. It ends after four hours in which neither is above its tail's threshold; until that was so for half a day, only
what is rarer still opens another. While one is on, the day's mean and the thresholds stay as they were, for a day at
most: what lasts longer is the new usual. Missing windows are no bins, so they open nothing and end nothing.
"""

from collections.abc import Collection, Iterator

from msgspec import Struct

from monitor.engine.detectors.mentions import BIN_SECONDS, LEARN_BINS, SPAN_BINS, Height, Stream
from monitor.engine.detectors.tail import BINS_A_DAY
from monitor.engine.finding import moment
from monitor.model import Evidence, Mentions
from monitor.model.view import StatisticState, StatisticView

VERSION = 1
RARE_DAYS = 28.0
FEWEST = 10.0  # mentions in five minutes, or in four hours: fewer are no campaign, however quiet it was
FREEZE_SECONDS = 86_400.0
STALE_SECONDS = 900.0

Key = tuple[str, str]
"""(probe, query)"""


class Episode(Struct):
    """A campaign, and the rarest moment of it. One that is over is kept until what comes next is no part of it."""

    since: float
    opened_at: float
    at: float
    seconds: float  # of the window that was the rarest
    mentions: float
    usual: float
    days: float
    is_over: bool = False


class Standing(Struct, frozen=True, array_like=True):
    """A stream as of its newest full bin; None where it is not known."""

    at: float
    short: Height | None
    long: Height | None


class CampaignMemory(Struct):
    episodes: dict[Key, Episode] = {}
    standings: dict[Key, Standing] = {}


class CampaignLearned(Struct):
    streams: dict[Key, Stream] = {}


class Campaign:
    def __init__(self, memory: CampaignMemory, learned: CampaignLearned) -> None:
        self.memory = memory
        self.learned = learned

    def observe(self, seen: Mentions, at: float) -> None:
        """Take in a window of a query; O(1), and O(bins) of a window that stands for many."""
        key = seen.probe, seen.query
        stream = self.learned.streams.get(key)
        if stream is None:
            stream = self.learned.streams[key] = Stream()
        bins = stream.hear(seen, at)
        if not bins:
            return
        height = stream.height()
        for _ in range(bins):
            self._take(key, stream, height, at)

    def forget(self, kept: Collection[str]) -> None:
        """Leave out the streams of probes that look no more."""
        for known in (self.memory.episodes, self.memory.standings, self.learned.streams):
            for key in [key for key in known if key[0] not in kept]:
                del known[key]

    def episodes(self) -> list[tuple[str, Episode]]:
        """Those that are on, each with its query."""
        return [(query, episode) for (_, query), episode in self._on()]

    def evidence(self) -> list[Evidence]:
        return [
            Evidence(
                at=moment(episode.opened_at),
                probe=probe,
                source=f'mentions of "{query}"',
                value=described(episode),
                unit="mentions",
            )
            for (probe, query), episode in self._on()
        ]

    def statistics(self, now: float, intervals: dict[str, float]) -> list[StatisticView]:
        return [view for key in sorted(self.learned.streams) for view in self._shown(key, now, intervals)]

    def _on(self) -> list[tuple[Key, Episode]]:
        if not self.memory.episodes:
            return []
        return [(key, episode) for key, episode in sorted(self.memory.episodes.items()) if not episode.is_over]

    def _take(self, key: Key, stream: Stream, height: int, at: float) -> None:
        episode = self.memory.episodes.get(key)
        is_frozen = episode is not None and not episode.is_over and at - episode.opened_at <= FREEZE_SECONDS
        short, long = stream.take(height, learning=not is_frozen)
        is_judged = stream.is_judged()
        self.memory.standings[key] = Standing(at, short if is_judged else None, long if is_judged else None)
        if is_judged:
            rarest = max(_rare(short, BIN_SECONDS), _rare(long, SPAN_BINS * BIN_SECONDS), key=lambda found: found[0])
            self._tell(key, rarest, at)
        if episode is not None and short is not None and stream.is_calm():
            episode.is_over = True
            if stream.is_apart():
                self.memory.episodes.pop(key, None)

    def _tell(self, key: Key, rarest: tuple[float, float, Height | None], at: float) -> None:
        days, seconds, height = rarest
        episode = self.memory.episodes.get(key)
        if height is None or days < RARE_DAYS or (episode is not None and days <= episode.days):
            return
        found = Episode(at - seconds, at, at, seconds, height.mentions, height.usual, days)
        if episode is not None and not episode.is_over:
            found.since, found.opened_at = episode.since, episode.opened_at
        self.memory.episodes[key] = found

    def _shown(self, key: Key, now: float, intervals: dict[str, float]) -> Iterator[StatisticView]:
        stream, standing = self.learned.streams[key], self.memory.standings.get(key)
        is_stale = standing is None or now - stream.end > max(STALE_SECONDS, 3 * intervals.get(key[0], 0.0))
        if standing is None or is_stale:
            yield _unread(key, stream)
        elif standing.short is None:
            yield _learning(key, stream)
        else:
            is_on = key in dict(self._on())
            yield _statistic(key, standing.short, BIN_SECONDS, is_on=is_on)
            if standing.long is not None:
                yield _statistic(key, standing.long, SPAN_BINS * BIN_SECONDS, is_on=is_on)


def described(episode: Episode) -> str:
    """ "1,240 in 5 min, 90 usual"."""
    return f"{episode.mentions:,.0f} in {_span(episode.seconds)}, {episode.usual:,.0f} usual"


def _rare(height: Height | None, seconds: float) -> tuple[float, float, Height | None]:
    if height is None or height.mentions < FEWEST:
        return 0.0, seconds, None
    return height.days, seconds, height


def _span(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.0f} h"


def _unread(key: Key, stream: Stream) -> StatisticView:
    return StatisticView(
        detector="campaign",
        subject=key[1],
        state=StatisticState.UNKNOWN,
        words=f'no count of mentions of "{key[1]}" since {moment(stream.end):%Y-%m-%d %H:%M} UTC',
    )


def _learning(key: Key, stream: Stream) -> StatisticView:
    days = min(stream.learned, LEARN_BINS) / BINS_A_DAY
    whole = "" if stream.learned < LEARN_BINS else "; the last day had a hole and is learned anew"
    return StatisticView(
        detector="campaign",
        subject=key[1],
        state=StatisticState.LEARNING,
        words=f'mentions of "{key[1]}": learning, {days:.1f} of {LEARN_BINS // BINS_A_DAY} days{whole}',
    )


def _statistic(key: Key, height: Height, seconds: float, *, is_on: bool) -> StatisticView:
    span = _span(seconds)
    rare = f"as happens once in {height.days:,.0f} days" if height.days >= 1 else "as happens every day"
    state = StatisticState.QUIET if height.days < 1 else StatisticState.SUSPICIOUS
    return StatisticView(
        detector="campaign",
        subject=f"{key[1]} {span}",
        state=StatisticState.FIRING if is_on else state,
        value=height.days,
        threshold=RARE_DAYS,
        observed=round(height.mentions, 6),
        expected=round(height.usual, 6),
        unit=f"mentions in {span}",
        words=f'{height.mentions:,.0f} mentions of "{key[1]}" in {span}, {height.usual:,.0f} usual: {rare}; a campaign '
        f"is told at what happens once in {RARE_DAYS:.0f} days",
    )
