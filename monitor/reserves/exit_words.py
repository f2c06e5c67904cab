"""Exits in words: how much of one's own can leave an exchange now, by which ways, and what the rest waits for."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from monitor.model import ExposureView, RailVerdict, WayView
from monitor.reserves.amounts import coins, dollars
from monitor.reserves.exits import CLOSED, OPEN

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


def explain(title: str, exposures: Sequence[ExposureView], *, now: datetime) -> list[str]:
    """A sentence on all that has a price, in dollars, and one on each exposure that has none, in coins."""
    priced = [each for each in exposures if each.usd is not None]
    total = sum((each.usd for each in priced if each.usd is not None), Decimal(0))
    sentences = [f"{title} {dollars(total)}: {_sentence(priced, now)}"] if priced else []
    unpriced = [each for each in exposures if each.usd is None]
    return sentences + [
        f"{title} {coins(each.amount)} {each.asset} (no price): {_sentence([each], now)}" for each in unpriced
    ]


def _sentence(exposures: Sequence[ExposureView], now: datetime) -> str:
    parts: dict[str, Decimal] = {}
    words = coins if exposures[0].usd is None else dollars
    leaving = [each for each in exposures if each.withdrawable > 0]
    if leaving:
        by = list(dict.fromkeys(way.network for each in leaving for way in each.ways if _carries(way)))
        parts[f"can leave now by {_listed(by)}"] = _sum(leaving, [each.withdrawable for each in leaving])
    for each in exposures:
        for amount, why in ((each.stuck, _stuck(each, now)), (each.unknown, _unknown(each))):
            if amount > 0:
                parts[why] = parts.get(why, Decimal(0)) + _sum([each], [amount])
    said = ", ".join(f"{words(amount)} {why}" for why, amount in parts.items())
    thin = [_thin(each) for each in exposures if each.stuck == 0 and each.hot is not None and each.hot < each.amount]
    return "; ".join([said, *thin])


def age(since: datetime | None, now: datetime) -> str:
    """How long it has been so: "14 min"."""
    if since is None:
        return "since before we looked"
    seconds = max(0.0, (now - since).total_seconds())
    if seconds < 2 * HOUR:
        return f"{seconds // MINUTE:.0f} min"
    return f"{seconds // HOUR:.0f} h" if seconds < 2 * DAY else f"{seconds // DAY:.0f} d"


def _sum(exposures: Sequence[ExposureView], amounts: Sequence[Decimal]) -> Decimal:
    """In dollars, or in coins where there is no price."""
    return sum(
        (amount if e.usd is None else e.usd * amount / e.amount for e, amount in zip(exposures, amounts, strict=True)),
        Decimal(0),
    )


def _stuck(exposure: ExposureView, now: datetime) -> str:
    closed = _listed([f"{w.network} ({_off(w, now)})" for w in exposure.ways if w.verdict in CLOSED])
    hold = f"you hold {coins(exposure.amount)}"
    limited = [f"{w.network} ({w.why})" for w in exposure.ways if w.verdict not in CLOSED]
    if not limited:
        return f"only by {closed}"
    text = f"not now by {_listed(limited)}, {hold}"
    return f"{text}, nor by {closed}" if closed else text


def _unknown(exposure: ExposureView) -> str:
    unknown = [f"{w.network} ({w.why})" for w in exposure.ways if w.limit is None]
    return f"unknown by {_listed(unknown)}" if unknown else "unknown: no network of it is told"


def _thin(exposure: ExposureView) -> str:
    held = coins(exposure.hot or Decimal(0))
    return f"the hot wallet holds {held} {exposure.asset}, you hold {coins(exposure.amount)}"


def _carries(way: WayView) -> bool:
    return way.verdict in OPEN and (way.limit is None or way.limit > 0)


def _off(way: WayView, now: datetime) -> str:
    word = "in maintenance" if way.verdict is RailVerdict.MAINTENANCE else "off"
    return f"{word} {age(way.since, now)}"


def _listed(words: Sequence[str]) -> str:
    *most, last = words or ("",)
    return f"{', '.join(most)} and {last}" if most else last
