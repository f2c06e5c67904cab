"""Maintenance that exchanges announced: what is under way or to come, the next first."""

from datetime import datetime

from msgspec import Struct

from monitor.model import ExchangeView
from monitor.web.api.operation import Asked, Desk, NoQuery


class Window(Struct, frozen=True, kw_only=True):
    """`scope` names rails as "asset@network", or is "*"."""

    exchange: str
    starts_at: datetime
    ends_at: datetime
    scope: tuple[str, ...]
    source: str


class Maintenance(Struct, frozen=True, kw_only=True):
    generated_at: datetime
    windows: tuple[Window, ...]


async def listed(desk: Desk, _: Asked[NoQuery, None]) -> Maintenance:
    now = desk.clock.now()
    shown = [each for view in await desk.records.views() if not view.retired for each in windows(view, now)]
    ordered = sorted(shown, key=lambda each: (each.starts_at, each.exchange))
    return Maintenance(generated_at=now, windows=tuple(ordered))


def windows(view: ExchangeView, now: datetime) -> tuple[Window, ...]:
    """Those that are not over, without who told them."""
    return tuple(
        Window(
            exchange=view.exchange,
            starts_at=each.starts_at,
            ends_at=each.ends_at,
            scope=each.scope,
            source=each.source,
        )
        for each in view.windows
        if each.ends_at > now
    )
