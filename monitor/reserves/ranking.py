"""Exchanges by what the addresses we know of them hold now, told by their views. What is not known is None."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from monitor.model import BalanceView, CoverageView, ExchangeView, ReservesView

NOTHING = Decimal(0)


class Held(Struct, frozen=True, kw_only=True):
    """An asset on all its networks together, of the addresses we know. Amounts are coins."""

    asset: str
    amount: Decimal
    usd: Decimal | None
    change_1h: Decimal | None
    change_24h: Decimal | None
    change_7d: Decimal | None
    net_flow_24h: Decimal | None  # what came in from others minus what left to others
    published: CoverageView | None  # what the exchange says it holds
    wallets: int
    wallets_read: int
    read_at: datetime  # of the network that was read longest ago


class Ranked(Struct, frozen=True, kw_only=True):
    """An exchange in the ranking. Sums are of what could be read and priced, changes at the prices of now."""

    exchange: str
    title: str
    usd: Decimal
    change_1h_usd: Decimal | None
    change_24h_usd: Decimal | None
    change_7d_usd: Decimal | None
    net_flow_24h_usd: Decimal | None
    own_tokens_share: Decimal | None  # of `usd`, in tokens that the exchange issued itself
    unread: int
    unpriced: tuple[str, ...]
    priced_at: datetime | None
    assets: tuple[Held, ...]  # that of most worth first


def ranking(views: Iterable[ExchangeView]) -> list[Ranked]:
    """Those of which something was read, the one with most first."""
    found = [_ranked(view, view.reserves) for view in views if view.reserves is not None and not view.retired]
    return sorted(found, key=lambda each: (-each.usd, each.exchange))


def holders(ranked: Iterable[Ranked], asset: str) -> list[tuple[Ranked, Held]]:
    """Those that hold an asset, the one with most coins first."""
    found = [(each, held) for each in ranked for held in each.assets if held.asset == asset]
    return sorted(found, key=lambda pair: (-pair[1].amount, pair[0].exchange))


def coverage(published: CoverageView) -> Decimal | None:
    """Ours as a share of what is published; None where that is nothing."""
    return published.ours / published.published if published.published > 0 else None


def _ranked(view: ExchangeView, reserves: ReservesView) -> Ranked:
    by_asset: dict[str, list[BalanceView]] = {}
    for balance in view.balances:
        by_asset.setdefault(balance.asset, []).append(balance)
    published = {each.asset: each for each in reserves.coverage}
    assets = [_held(asset, balances, published.get(asset)) for asset, balances in by_asset.items()]
    return Ranked(
        exchange=view.exchange,
        title=view.title or view.exchange,
        usd=reserves.usd,
        change_1h_usd=reserves.change_1h_usd,
        change_24h_usd=reserves.change_24h_usd,
        change_7d_usd=reserves.change_7d_usd,
        net_flow_24h_usd=reserves.net_flow_24h_usd,
        own_tokens_share=reserves.own_tokens_usd / reserves.usd if reserves.usd > 0 else None,
        unread=reserves.unread,
        unpriced=reserves.unpriced,
        priced_at=reserves.priced_at,
        assets=tuple(sorted(assets, key=lambda held: (-(held.usd or NOTHING), held.asset))),
    )


def _held(asset: str, balances: Sequence[BalanceView], published: CoverageView | None) -> Held:
    nets = [
        None if balance.inflow_24h is None or balance.outflow_24h is None else balance.inflow_24h - balance.outflow_24h
        for balance in balances
    ]
    return Held(
        asset=asset,
        amount=sum((balance.amount for balance in balances), NOTHING),
        usd=_whole([balance.usd for balance in balances]),
        change_1h=_whole([balance.change_1h for balance in balances]),
        change_24h=_whole([balance.change_24h for balance in balances]),
        change_7d=_whole([balance.change_7d for balance in balances]),
        net_flow_24h=_whole(nets),
        published=published,
        wallets=sum(balance.wallets for balance in balances),
        wallets_read=sum(balance.wallets_read for balance in balances),
        read_at=min(balance.read_at for balance in balances),
    )


def _whole(parts: Sequence[Decimal | None]) -> Decimal | None:
    """The sum; None where a part is not known."""
    known = [part for part in parts if part is not None]
    return sum(known, NOTHING) if len(known) == len(parts) else None
