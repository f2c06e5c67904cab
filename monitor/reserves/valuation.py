"""What coins are worth: the median of sources that are independent, fresh and agree. Fewer than three is not known.

No price is assumed, a stablecoin's neither, and the watched exchange is never believed about prices.
"""

import math
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from statistics import median

from msgspec import Struct

from monitor.model import Market, Price

FRESH_SECONDS = 900.0
FEWEST = 3
WILD = Decimal("0.1")  # further than this share from the median it is another thing that is priced
LARGEST_EXPONENT = 30  # either way
FORGET_SECONDS = 86_400.0
MARKET = ("BTC", "ETH")
HOUR = 60  # minutes
DAY = 24 * HOUR
NEAR = 35  # minutes that the price of a day ago may be off: one an hour is kept
FEWEST_RETURNS = 30
SHORTEST = 50  # minutes that returns must span to stand for an hour


class Told(Struct, frozen=True, array_like=True):
    """The newest word of a source on an asset."""

    usd: Decimal
    at: float
    probe: str


class Point(Struct, frozen=True, array_like=True):
    minute: int
    usd: float


class Course(Struct):
    """Medians as time went by, oldest first."""

    minutes: list[Point] = []  # of the last hour
    hours: list[Point] = []  # the first of each hour of the last day


class PricesMemory(Struct):
    told: dict[str, dict[str, Told]] = {}  # asset -> source
    courses: dict[str, Course] = {}


class Quote(Struct, frozen=True, kw_only=True):
    usd: Decimal
    at: float  # of the oldest price in it
    sources: tuple[str, ...]


class Prices:
    """As an engine needs them: `apart_from` is the exchange that it watches."""

    def __init__(self, memory: PricesMemory, *, apart_from: str) -> None:
        self.memory = memory
        self._apart_from = apart_from
        self._known: dict[str, tuple[float, Quote | None]] = {}  # with until when it is so

    def hear(self, price: Price, at: float) -> None:
        """Take in a price. One that is no price at all takes its source's former one back."""
        told = self.memory.told.setdefault(price.asset, {})
        before = told.get(price.source)
        if before is None:
            for old in [source for source, word in told.items() if at - word.at > FORGET_SECONDS]:
                del told[old]
        elif at < before.at:
            return
        if price.usd.is_finite() and price.usd > 0 and abs(price.usd.adjusted()) <= LARGEST_EXPONENT:
            told[price.source] = Told(price.usd, at, price.probe)
        else:
            told.pop(price.source, None)
        self._known.pop(price.asset, None)
        if price.asset in MARKET:
            self._chart(price.asset, at)

    def usd(self, asset: str, *, now: float) -> Quote | None:
        """The price of one coin, None where it is not known."""
        until, quote = self._known.get(asset, (-math.inf, None))
        if now > until:
            until, quote = self._ask(asset, now)
            self._known[asset] = until, quote
        return quote

    def newest(self) -> list[Price]:
        """What each source told last, as it can be told again."""
        return [
            Price(at=_moment(word.at), probe=word.probe, asset=asset, usd=word.usd, source=source)
            for asset, told in self.memory.told.items()
            for source, word in told.items()
        ]

    def market(self, now: float) -> tuple[Market, ...]:
        """Bitcoin and ether at this minute, those of them that are known."""
        known = [(asset, self.usd(asset, now=now)) for asset in MARKET]
        return tuple(self._market(asset, quote, now) for asset, quote in known if quote is not None)

    def _ask(self, asset: str, now: float) -> tuple[float, Quote | None]:
        told = [
            (word, source)
            for source, word in sorted(self.memory.told.get(asset, {}).items())
            if source != self._apart_from and now - word.at <= FRESH_SECONDS
        ]
        until = min((word.at for word, _ in told), default=math.inf) + FRESH_SECONDS
        if len(told) < FEWEST:
            return until, None
        middle = median(word.usd for word, _ in told)
        agreeing = [(word, source) for word, source in told if abs(word.usd - middle) <= WILD * middle]
        if len(agreeing) < FEWEST:
            return until, None
        quote = Quote(
            usd=median(word.usd for word, _ in agreeing),
            at=min(word.at for word, _ in agreeing),
            sources=tuple(source for _, source in agreeing),
        )
        return until, quote

    def _chart(self, asset: str, at: float) -> None:
        quote = self.usd(asset, now=at)
        if quote is None:
            return
        course = self.memory.courses.setdefault(asset, Course())
        point = Point(int(at // 60), float(quote.usd))
        newest = course.minutes[-1] if course.minutes else None
        if newest is not None and newest.minute > point.minute:
            return
        if newest is not None and newest.minute == point.minute:
            course.minutes.pop()
        course.minutes.append(point)
        while course.minutes[0].minute < point.minute - HOUR:
            course.minutes.pop(0)
        if course.hours and course.hours[-1].minute == point.minute:
            course.hours[-1] = point
        elif not course.hours or course.hours[-1].minute // HOUR != point.minute // HOUR:
            course.hours.append(point)
        while course.hours[0].minute < point.minute - DAY - HOUR:
            course.hours.pop(0)

    def _market(self, asset: str, quote: Quote, now: float) -> Market:
        course = self.memory.courses.get(asset, Course())
        minute = int(now // 60)
        usd = float(quote.usd)
        return Market(
            asset=asset,
            at=_moment(now),
            usd=round(usd, 6),
            change_24h=_change(course.hours, usd, minute - DAY),
            volatility_1h=_volatility([point for point in course.minutes if point.minute >= minute - HOUR]),
        )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _change(hours: list[Point], usd: float, minute: int) -> float | None:
    near = min(hours, key=lambda point: abs(point.minute - minute), default=None)
    if near is None or abs(near.minute - minute) > NEAR:
        return None
    return round(usd / near.usd - 1, 6)


def _volatility(minutes: list[Point]) -> float | None:
    """Realised: the root of the summed squared log returns. A minute that is missing makes one return longer."""
    if len(minutes) <= FEWEST_RETURNS or minutes[-1].minute - minutes[0].minute < SHORTEST:
        return None
    pairs = pairwise(minutes)
    return round(math.sqrt(sum(math.log(later.usd / earlier.usd) ** 2 for earlier, later in pairs)), 6)
