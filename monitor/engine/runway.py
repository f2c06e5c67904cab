"""How long hot wallets last at what left in the last hour, and which will not: less than six hours warns at once.

Less than one pages when it was so for ninety minutes without a refill: one large payment is no wallet that runs dry,
nor are the last minutes before a refill that comes as always. Wallets that are often as low as that are warned of when
they last half as long as on any day of the week before. Both must be known, the balance now and the hour without a
gap; what is not known begins no finding and ends none, unless no wallet of the asset is hot any more.
"""

from decimal import Decimal

from msgspec import Struct

from monitor.engine.finding import NEVER, Finding, moment
from monitor.engine.flows import Key, Sums
from monitor.engine.holdings import Level
from monitor.engine.money import Low, Money
from monitor.model import Evidence, IncidentKind, Rail, Severity
from monitor.reserves.amounts import coins

HOUR = 3600.0
WARN_SECONDS = 6 * HOUR
PAGE_SECONDS = HOUR
UNFILLED_SECONDS = 1.5 * HOUR  # so long below the limit that pages: longer than one payment stays in the hour
REFILLED = 1.25  # times the limit at which it was said, and it is said no more
DRY_SHARE = Decimal(1) / 24  # of the worst hour: a wallet that pays nobody because it is empty is no calm one
HOT_SECONDS = 300.0
FLOW_SECONDS = 1200.0  # a flow is told every ten minutes at least
BLOCK_PACED = {"bitcoin": 2 * HOUR}  # where ten minutes may pass without a block, or sixty
DAY = 86_400.0
USUAL_DAYS = 7
LEARNED_DAYS = 2  # before the day of which the lows are known
UNUSUAL = 0.5
LEAST_USD = Decimal(1000)  # an hour's outflow below that empties nobody
LEAST_SHARE = Decimal("0.001")  # of the asset's reserve, where it has no price


class Runway(Struct, frozen=True):
    seconds: float  # `NEVER` where nothing leaves
    hot: Level
    flow: Sums


def runway(money: Money, key: Key, *, now: float) -> Runway | None:
    """Hot balance over the outflow of the last hour; None where one of them is not known."""
    holding = money.memory.holdings.get(key)
    hot = holding.hot if holding is not None else None
    if hot is None or not hot.is_known(now, HOT_SECONDS):
        return None
    flow = money.flows.hour(key)
    if flow is None or now - flow.at > BLOCK_PACED.get(key[1], FLOW_SECONDS):
        return None
    return Runway(_lasts(hot.amount, flow.hot_outflow), hot, flow)


def judge(money: Money, now: float) -> None:
    """Look anew at the wallets of which something new was read."""
    memory = money.memory
    for key in memory.touched:
        found = runway(money, key, now=now)
        if found is None:
            continue
        before = memory.lows.get(key)
        worst = max(found.flow.hot_outflow, before.worst if before is not None else found.flow.hot_outflow)
        usual = _usual(memory.runways.setdefault(key, {}), now)
        low = _low(found, before, worst, usual, now) if _matters(money, key, worst, now) else None
        if low is None or not low.is_critical:
            _learn(memory.runways[key], found.seconds, now)
        if low is not None:
            memory.lows[key] = low
        else:
            memory.lows.pop(key, None)
    for key in [key for key in memory.lows if memory.holdings[key].is_without_hot()]:
        del memory.lows[key]
    memory.touched = {}


def findings(money: Money) -> list[Finding]:
    if not money.memory.lows:
        return []
    return [_finding(key, low) for key, low in sorted(money.memory.lows.items())]


def _usual(days: dict[int, float], now: float) -> float:
    """The least that the wallets lasted on a day of the week before; `NEVER` where too few days are known."""
    today = int(now // DAY)
    known = [least for day, least in days.items() if today - USUAL_DAYS <= day < today]
    return min(known) if len(known) >= LEARNED_DAYS else NEVER


def _learn(days: dict[int, float], seconds: float, now: float) -> None:
    today = int(now // DAY)
    days[today] = min(seconds, days.get(today, NEVER))
    for day in [day for day in days if day < today - USUAL_DAYS]:
        del days[day]


def _low(found: Runway, before: Low | None, worst: Decimal, usual: float, now: float) -> Low | None:
    page = min(PAGE_SECONDS, UNUSUAL * usual)
    warn = min(WARN_SECONDS, UNUSUAL * usual)
    page *= REFILLED if before is not None and before.short_since is not None else 1.0
    warn *= REFILLED if before is not None else 1.0
    seconds = min(found.seconds, _lasts(found.hot.amount, worst * DRY_SHARE)) if before is not None else found.seconds
    if seconds >= warn:
        return None
    short_since = None
    if seconds < page:
        short_since = before.short_since if before is not None and before.short_since is not None else now
    return Low(
        since=before.since if before is not None else now,
        is_critical=short_since is not None and now - short_since >= UNFILLED_SECONDS,
        at=found.hot.at,
        seconds=seconds,
        hot=found.hot.amount,
        outflow=found.flow.hot_outflow,
        probe=found.hot.probe,
        short_since=short_since,
        worst=worst,
    )


def _lasts(hot: Decimal, hourly: Decimal) -> float:
    return round(float(hot) / float(hourly) * HOUR, 6) if hourly > 0 else NEVER


def _matters(money: Money, key: Key, outflow: Decimal, now: float) -> bool:
    """A small wallet of which a little leaves is no exchange that runs dry."""
    quote = money.prices.usd(key[0], now=now)
    if quote is not None:
        return outflow * quote.usd >= LEAST_USD
    return outflow >= LEAST_SHARE * money.reserve(key[0])


def _finding(key: Key, low: Low) -> Finding:
    rail = str(Rail(*key))
    value = f"{coins(low.hot)} {key[0]} in hot wallets, {coins(low.outflow)} sent in an hour"
    evidence = Evidence(at=moment(low.since), probe=low.probe, source="chain", rail=rail, value=value)
    lasts = f"{low.seconds / HOUR:.1f} h" if low.seconds >= 2 * HOUR else f"{low.seconds / 60:.0f} min"
    return Finding(
        kind=IncidentKind.RUNWAY_LOW,
        severity=Severity.CRITICAL if low.is_critical else Severity.WARNING,
        scope=(rail,),
        summary=f"the hot wallets of {rail} last {lasts} at the pace of the last hour",
        since=low.since,
        evidence=(evidence,),
    )
