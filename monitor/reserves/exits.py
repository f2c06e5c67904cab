"""What of a holding can leave an exchange now, by which networks, and what is stuck. Unknown is never called stuck.

The three parts always add up to the holding. Limits of several open ways add up; a way of which no limit is known can
carry everything.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Context, Decimal

from msgspec import Struct

from monitor.model import RailVerdict, WayView
from monitor.reserves.amounts import coins

OPEN = (RailVerdict.OPEN, RailVerdict.DELAYED)
CLOSED = (RailVerdict.SUSPENDED, RailVerdict.MAINTENANCE)
NOTHING = Decimal(0)
EXACT_DIGITS = 100  # a coin of 18 decimals in billions has more than the usual 28


class Way(Struct, frozen=True, kw_only=True):
    """A network as a way out of one asset. None is not known; amounts are coins."""

    network: str  # "*" where the exchange tells of the asset only
    verdict: RailVerdict
    since: datetime | None = None
    reason: str = ""  # why it is not known
    minimum: Decimal | None = None  # of one withdrawal
    maximum: Decimal | None = None
    remaining: Decimal | None = None  # of the quota
    hot: Decimal | None = None  # in the hot wallets there
    blocked: str = ""  # why nothing leaves by it whatever its flag says; "" where nothing is known to be in the way


class Parts(Struct, frozen=True, kw_only=True):
    """withdrawable + stuck + unknown is the whole amount, exactly."""

    withdrawable: Decimal = NOTHING
    stuck: Decimal = NOTHING
    unknown: Decimal = NOTHING
    ways: tuple[WayView, ...] = ()
    hot: Decimal | None = None  # known of the ways that are open
    waits: bool = False  # what is stuck waits for a refill or the next quota of a way that is open


def leave(asset: str, amount: Decimal, ways: Sequence[Way], *, unpaid: str = "", unseen: str = "") -> Parts:
    """Divide `amount` (coins, not negative) by what holds of the ways out.

    `unpaid`: why flags that say open are not believed, as the chain shows that nobody is paid. `unseen`: why we cannot
    see at all. Both "" where that is not so; what cannot be seen is unknown, before anything else.
    """
    listed = [way for way in ways if way.verdict is not RailVerdict.UNLISTED]
    seen = tuple(_seen(way, asset, amount, unpaid=unpaid, unseen=unseen) for way in listed)
    hot = [way.hot for way in listed if way.verdict in OPEN and way.hot is not None]
    held = _sum(hot) if hot else None
    if unseen or not listed:
        return Parts(unknown=amount, ways=seen, hot=held)
    if unpaid:
        return Parts(stuck=amount, ways=seen, hot=held)
    limits = [view.limit for view in seen if view.verdict in OPEN]
    known = [limit for limit in limits if limit is not None]
    carried = amount if len(known) < len(limits) else min(amount, _sum(known))
    rest = Context(prec=EXACT_DIGITS).subtract(amount, carried)
    if any(_may_carry(way, amount) for way in listed):
        return Parts(withdrawable=carried, unknown=rest, ways=seen, hot=held)
    waits = rest > 0 and any(_is_passable(way, amount) for way in listed)
    return Parts(withdrawable=carried, stuck=rest, ways=seen, hot=held, waits=waits)


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    exact = Context(prec=EXACT_DIGITS)
    total = NOTHING
    for amount in amounts:
        total = exact.add(total, amount)
    return total


def _may_carry(way: Way, amount: Decimal) -> bool:
    """Nobody knows whether it is open; where that is all that is in the way."""
    is_known = way.verdict in OPEN or way.verdict in CLOSED
    return not is_known and not way.blocked and not _is_below(way, amount)


def _is_passable(way: Way, amount: Decimal) -> bool:
    return way.verdict in OPEN and not way.blocked and not _is_below(way, amount)


def _seen(way: Way, asset: str, amount: Decimal, *, unpaid: str, unseen: str) -> WayView:
    limit, why = _limit(way, asset, amount, unpaid=unpaid, unseen=unseen)
    return WayView(network=way.network, verdict=way.verdict, since=way.since, limit=limit, why=why)


def _limit(way: Way, asset: str, amount: Decimal, *, unpaid: str, unseen: str) -> tuple[Decimal | None, str]:
    """What can leave by a way, None where no limit of it is known, and what limits it."""
    if unseen:
        return None, unseen
    if way.verdict in CLOSED:
        return NOTHING, ""
    if unpaid or way.blocked:
        return NOTHING, unpaid or way.blocked
    if way.minimum is not None and _is_below(way, amount):
        return NOTHING, f"at least {coins(way.minimum)} {asset} a withdrawal"
    if way.verdict not in OPEN:
        return None, way.reason or way.verdict
    limit, why = _narrowest(way, asset)
    if limit is not None and way.minimum is not None and limit < way.minimum:
        limit, why = NOTHING, f"{why}, less than the smallest withdrawal"
    parts = ["it is slow"] if way.verdict is RailVerdict.DELAYED else []
    parts.append(why)
    if way.maximum is not None and way.maximum < amount:
        parts.append(f"at most {coins(way.maximum)} {asset} a withdrawal")
    return limit, "; ".join(parts)


def _narrowest(way: Way, asset: str) -> tuple[Decimal | None, str]:
    if way.remaining is not None and (way.hot is None or way.remaining <= way.hot):
        return max(NOTHING, way.remaining), f"{coins(way.remaining)} {asset} are left of the quota"
    if way.hot is not None:
        return max(NOTHING, way.hot), f"the hot wallet holds {coins(way.hot)} {asset}"
    return None, "what its hot wallet holds is not known"


def _is_below(way: Way, amount: Decimal) -> bool:
    return way.minimum is not None and amount < way.minimum
