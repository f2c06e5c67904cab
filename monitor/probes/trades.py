"""The newest public trade of one market: whether the exchange trades at all."""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from operator import attrgetter

from msgspec import Struct

from monitor.clock import Clock
from monitor.model import FailureReason, Reading, RemoteError, TradeActivity
from monitor.probes.answer import Endpoint
from monitor.probes.figures import MOST_DIGITS, moment

_HIGHEST_PRICE = 10**12


class NewestTrade(Struct, frozen=True):
    at: datetime
    price: Decimal


def newest(trades: Iterable[tuple[Decimal, Decimal]], *, per_second: int) -> NewestTrade:
    """The newest of (time, price), where times count `per_second` a second since 1970.

    Raises `RemoteError`: shape where there is none, schema where a number cannot be a time or a price.
    """
    read = [NewestTrade(moment(time, per_second=per_second), _price(price)) for time, price in trades]
    if not read:
        raise RemoteError(FailureReason.SHAPE, "no trades")
    return max(read, key=attrgetter("at"))


def _price(price: Decimal) -> Decimal:
    if not price.is_finite() or not 0 < price < _HIGHEST_PRICE or len(price.as_tuple().digits) > MOST_DIGITS:
        raise RemoteError(FailureReason.SCHEMA, "a trade's price is none")
    return price


class TradesProbe:
    def __init__(
        self,
        endpoint: Endpoint,
        clock: Clock,
        *,
        exchange: str,
        name: str,
        interval: float,
        market: str,
        decode: Callable[[bytes], NewestTrade],
    ) -> None:
        self.name = name
        self.exchange = exchange
        self.interval = interval
        self._endpoint = endpoint
        self._clock = clock
        self._market = market
        self._decode = decode

    async def observe(self) -> Reading:
        answer = await self._endpoint.fetch()
        at = self._clock.now()
        trade = await self._endpoint.read(answer, self._decode)
        return (
            TradeActivity(
                at=at,
                exchange=self.exchange,
                probe=self.name,
                market=self._market,
                newest_trade_at=trade.at,
                price=trade.price,
            ),
        )
