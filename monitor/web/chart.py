"""The chart of reserves: how long its bars are. A template draws them; colours are those of the style sheet."""

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from monitor.reserves.amounts import dollars
from monitor.reserves.ranking import Ranked
from monitor.web.money import signed

WHOLE = 100  # as long as a bar can be
MOST = 12  # exchanges: the ranking has the rest


class Then(Struct, frozen=True):
    """Where it stood so long ago: the coins of then at the prices of now."""

    name: str  # "day", "week"
    at: float


class Line(Struct, frozen=True):
    """One exchange: of `WHOLE`, how long its bar is."""

    exchange: str
    length: float
    then: tuple[Then, ...]
    worth: str
    change: str  # "-$10.0M in 24 h"; "" where it is not known


def lines(ranked: Sequence[Ranked]) -> list[Line]:
    """Of those whose worth is known, the most first."""
    shown = [each for each in ranked if each.priced_at is not None and each.usd > 0][:MOST]
    worths = [worth for each in shown for worth in (each.usd, *(then for _, then in _then(each)))]
    most = max(worths, default=Decimal(0))
    return [_line(each, most) for each in shown]


def _line(each: Ranked, most: Decimal) -> Line:
    then = tuple(Then(name, _part(worth, most)) for name, worth in _then(each))
    change = "" if each.change_24h_usd is None else f"{signed(each.change_24h_usd) or '0'} in 24 h"
    return Line(each.exchange, _part(each.usd, most), then, dollars(each.usd), change)


def _then(each: Ranked) -> list[tuple[str, Decimal]]:
    changes = (("day", each.change_24h_usd), ("week", each.change_7d_usd))
    return [(name, max(Decimal(0), each.usd - change)) for name, change in changes if change is not None]


def _part(worth: Decimal, most: Decimal) -> float:
    return round(float(worth / most) * WHOLE, 1)
