"""How long hot wallets last at what left in the last hour, and which will not: less than six hours, less than one.

Both must be known, the balance now and the hour without a gap; what is not known begins no finding and ends none.
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
REFILLED = 1.25  # times the limit at which it was said, and it is said no more
HOT_SECONDS = 300.0
FLOW_SECONDS = 1200.0  # a flow is told every ten minutes at least
BLOCK_PACED = {"bitcoin": 2 * HOUR}  # where ten minutes may pass without a block, or sixty
LEAST_USD = Decimal(1000)  # an hour's outflow below that empties nobody
LEAST_SHARE = Decimal("0.001")  # of the asset's reserve, where it has no price


class Runway(Struct, frozen=True):
    seconds: float  # `NEVER` where nothing leaves
    hot: Level
    flow: Sums


def runway(money: Money, key: Key, *, now: float) -> Runway | None:
    """Hot balance over the outflow of the last hour; None where one of them is not known."""
    holding, flow = money.memory.holdings.get(key), money.flows.hour(key)
    if holding is None or holding.hot is None or flow is None:
        return None
    hot = holding.hot
    if not hot.is_known(now, HOT_SECONDS) or now - flow.at > BLOCK_PACED.get(key[1], FLOW_SECONDS):
        return None
    seconds = float(hot.amount) / float(flow.hot_outflow) * HOUR if flow.hot_outflow > 0 else NEVER
    return Runway(round(seconds, 6), hot, flow)


def judge(money: Money, now: float) -> None:
    """Look anew at the wallets of which something new was read."""
    memory = money.memory
    for key in memory.touched:
        found = runway(money, key, now=now)
        if found is None:
            continue
        low = _low(found, memory.lows.get(key), now) if _matters(money, key, found.flow, now) else None
        if low is not None:
            memory.lows[key] = low
        else:
            memory.lows.pop(key, None)
    memory.touched = {}


def findings(money: Money) -> list[Finding]:
    return [_finding(key, low) for key, low in sorted(money.memory.lows.items())]


def _low(found: Runway, before: Low | None, now: float) -> Low | None:
    page = PAGE_SECONDS * (REFILLED if before is not None and before.is_critical else 1.0)
    warn = WARN_SECONDS * (REFILLED if before is not None else 1.0)
    if found.seconds >= warn:
        return None
    return Low(
        since=before.since if before is not None else now,
        is_critical=found.seconds < page,
        at=found.hot.at,
        seconds=found.seconds,
        hot=found.hot.amount,
        outflow=found.flow.hot_outflow,
        probe=found.hot.probe,
    )


def _matters(money: Money, key: Key, flow: Sums, now: float) -> bool:
    """A small wallet of which a little leaves is no exchange that runs dry."""
    quote = money.prices.usd(key[0], now=now)
    if quote is not None:
        return flow.hot_outflow * quote.usd >= LEAST_USD
    return flow.hot_outflow >= LEAST_SHARE * money.reserve(key[0])


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
