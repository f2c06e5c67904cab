"""What the addresses we know hold: the ranking, and one exchange with its assets by network."""

from datetime import datetime

from msgspec import Struct

from monitor.model import BalanceView
from monitor.reserves.ranking import Ranked, ranking
from monitor.web.api import exchanges
from monitor.web.api.operation import Asked, Desk, NoQuery


class Reserves(Struct, frozen=True, kw_only=True):
    generated_at: datetime
    of: str = "the addresses we know"
    exchanges: list[Ranked]


class ReservesOfOne(Struct, frozen=True, kw_only=True):
    """`reserves` is null where nothing of it was read yet."""

    generated_at: datetime
    of: str = "the addresses we know"
    exchange: str
    reserves: Ranked | None
    balances: tuple[BalanceView, ...]


async def listed(desk: Desk, _: Asked[NoQuery, None]) -> Reserves:
    return Reserves(generated_at=desk.clock.now(), exchanges=ranking(await desk.records.views()))


async def one(desk: Desk, asked: Asked[NoQuery, None]) -> ReservesOfOne:
    view = await exchanges.watched(desk, asked.path["name"])
    return ReservesOfOne(
        generated_at=desk.clock.now(),
        exchange=view.exchange,
        reserves=next(iter(ranking([view])), None),
        balances=view.balances,
    )
