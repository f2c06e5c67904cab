"""What an engine shows of money: balances with their changes and flows, all of it in dollars, and the way out."""

from collections.abc import Iterable
from decimal import Decimal

from msgspec import Struct

from monitor.engine.finding import NEVER, moment
from monitor.engine.flows import Key
from monitor.engine.holdings import Holding, Level
from monitor.engine.money import Money
from monitor.engine.runway import runway
from monitor.model import BalanceView, CoverageView, ReservesView
from monitor.reserves.amounts import cents
from monitor.reserves.valuation import Quote

NOTHING = Decimal(0)


class Worth(Struct, frozen=True):
    """A balance with the price of its asset now."""

    view: BalanceView
    quote: Quote | None


def balances(money: Money, now: float) -> list[Worth]:
    """Of every asset and network of which a total was read, in order."""
    quotes: dict[str, Quote | None] = {}
    shown = []
    for key, holding in sorted(money.memory.holdings.items(), key=lambda item: item[0]):
        if holding.total is not None:
            if key[0] not in quotes:
                quotes[key[0]] = money.prices.usd(key[0], now=now)
            shown.append(Worth(_balance(money, key, holding, holding.total, quotes[key[0]], now), quotes[key[0]]))
    return shown


def reserves(money: Money, worth: list[Worth], own_tokens: tuple[str, ...]) -> ReservesView | None:
    """Everything together, None where nothing was read."""
    if not worth:
        return None
    priced = [each for each in worth if each.quote is not None]
    quotes = [each.quote for each in priced if each.quote is not None]
    return ReservesView(
        usd=_total(priced),
        unpriced=tuple(dict.fromkeys(w.view.asset for w in worth if w.quote is None and w.view.amount)),
        unread=_unread(worth),
        own_tokens_usd=_total([each for each in priced if each.view.asset in own_tokens]),
        change_1h_usd=_change((each.view.change_1h, each.quote) for each in priced),
        change_24h_usd=_change((each.view.change_24h, each.quote) for each in priced),
        change_7d_usd=_change((each.view.change_7d, each.quote) for each in priced),
        net_flow_24h_usd=_change((_net(each.view), each.quote) for each in priced if each.view.flows_since is not None),
        coverage=tuple(_coverage(money, worth)),
        priced_at=moment(min(quote.at for quote in quotes)) if quotes else None,
    )


def prices(money: Money, worth: list[Worth], now: float) -> dict[str, Decimal]:
    """What a coin of each asset costs that the exchange or the user holds."""
    held = {each.view.asset: each.quote for each in worth}
    mine = {asset: money.prices.usd(asset, now=now) for asset, _ in money.exposures()}
    return {asset: quote.usd for asset, quote in sorted((held | mine).items()) if quote is not None}


def _balance(money: Money, key: Key, holding: Holding, total: Level, quote: Quote | None, now: float) -> BalanceView:
    stream, hour, day = money.memory.flows.get(key), money.flows.hour(key), money.flows.day(key)
    lasts = runway(money, key, now=now)
    return BalanceView(
        asset=key[0],
        network=key[1],
        amount=total.amount,
        read_at=moment(total.at),
        wallets=total.wallets,
        wallets_read=total.wallets_read,
        height=total.height,
        usd=cents(total.amount * quote.usd) if quote is not None else None,
        hot=holding.hot.amount if holding.hot is not None else None,
        hot_read_at=moment(holding.hot.at) if holding.hot is not None else None,
        cold=holding.cold.amount if holding.cold is not None else None,
        change_1h=holding.change("hour", now=now),
        change_24h=holding.change("day", now=now),
        change_7d=holding.change("week", now=now),
        inflow_1h=hour.inflow if hour is not None else None,
        outflow_1h=hour.outflow if hour is not None else None,
        inflow_24h=day.inflow if day is not None else None,
        outflow_24h=day.outflow if day is not None else None,
        flows_since=moment(stream.since) if stream is not None else None,
        runway_seconds=lasts.seconds if lasts is not None and lasts.seconds != NEVER else None,
    )


def _total(worth: Iterable[Worth]) -> Decimal:
    return sum((each.view.usd for each in worth if each.view.usd is not None), NOTHING)


def _unread(worth: Iterable[Worth]) -> int:
    """Of each network the wallets that lack an asset at least: the same ones hold all of its assets."""
    unread: dict[str, int] = {}
    for view in (each.view for each in worth):
        unread[view.network] = max(unread.get(view.network, 0), view.wallets - view.wallets_read)
    return sum(unread.values())


def _net(view: BalanceView) -> Decimal | None:
    return None if view.inflow_24h is None or view.outflow_24h is None else view.inflow_24h - view.outflow_24h


def _change(changes: Iterable[tuple[Decimal | None, Quote | None]]) -> Decimal | None:
    """In dollars of now; None where one of them is not known, or there is none."""
    total, is_any = NOTHING, False
    for coins, quote in changes:
        if coins is None or quote is None:
            return None
        total, is_any = total + coins * quote.usd, True
    return cents(total) if is_any else None


def _coverage(money: Money, worth: list[Worth]) -> Iterable[CoverageView]:
    """By asset, what the exchange published last."""
    ours: dict[str, Decimal] = {}
    for view in (each.view for each in worth):
        ours[view.asset] = ours.get(view.asset, NOTHING) + view.amount
    newest: dict[str, tuple[float, str]] = {}
    for (asset, source), told in sorted(money.memory.published.items(), key=lambda item: item[0]):
        if asset not in newest or told.as_of >= newest[asset][0]:
            newest[asset] = told.as_of, source
    for asset, (as_of, source) in newest.items():
        published = money.memory.published[asset, source].amount
        yield CoverageView(
            asset=asset, ours=ours.get(asset, NOTHING), published=published, as_of=moment(as_of), source=source
        )
