"""What came into and left the known wallets since an hour, for a statement: measured whole, or not said."""

from collections.abc import Iterable
from decimal import Decimal

from monitor.engine.finding import moment
from monitor.engine.flows import HOUR, NOTHING, Sums, ends_at
from monitor.engine.money import Money
from monitor.notices import facts

DOLLARS = "USD"
MOST_COINS = 2  # assets that a post has room for, where their prices are not known
OLDEST_SECONDS = 7200.0  # a chain that tells nothing for longer leaves too much out
_CENT = Decimal("0.01")


def starts_at(since: float) -> float:
    """The full hour before: older flows are kept by the hour."""
    return since // HOUR * HOUR


def moved(money: Money, *, since: float, now: float) -> facts.Money | None:
    """In dollars where every price is known, else in coins of an asset or two; None where a part of it is not known."""
    keys, start = sorted(money.memory.flows), starts_at(since)
    if not keys:
        return None
    until = min(ends_at(money.memory.flows[key]) for key in keys)
    if until <= start or until < now - OLDEST_SECONDS:
        return None
    sums: dict[str, list[Sums]] = {}
    for key in keys:
        told = money.flows.span(key, start, until)
        if told is None:
            return None
        sums.setdefault(key[0], []).append(told)
    coins = [_together(asset, each) for asset, each in sums.items()]
    shown = _shown(money, [each for each in coins if each.received or each.sent], now=now)
    return facts.Money(since=moment(start), until=moment(until), moved=shown) if shown else None


def _together(asset: str, sums: Iterable[Sums]) -> facts.Moved:
    received = sent = NOTHING
    for each in sums:
        received, sent = received + each.inflow, sent + each.outflow
    return facts.Moved(asset=asset, received=received, sent=sent)


def _shown(money: Money, coins: list[facts.Moved], *, now: float) -> tuple[facts.Moved, ...]:
    quotes = {each.asset: money.prices.usd(each.asset, now=now) for each in coins}
    received = sent = NOTHING
    for each in coins:
        quote = quotes[each.asset]
        if quote is None:
            return tuple(coins) if len(coins) <= MOST_COINS else ()
        received, sent = received + each.received * quote.usd, sent + each.sent * quote.usd
    dollars = facts.Moved(asset=DOLLARS, received=received.quantize(_CENT), sent=sent.quantize(_CENT))
    return (dollars,) if coins else ()
