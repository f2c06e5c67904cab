"""What a view says of money in samples: reserves, what flows, the user's own, and what everybody shares.

A total that lacks a wallet or a price it had before is not shown: a part of it would look like money gone.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct

from monitor.exposition.text import STALE_INTERVALS, Group, Intervals, Sample
from monitor.model import BalanceView, ExchangeView, ExposureView, ReservesView

SHOWN_BALANCES = 40  # of an exchange, those of most worth
SMALL_SHARE = Decimal("0.01")  # so much of a total may be old
PRICE_LIFETIME = timedelta(seconds=900)
NOTHING = Decimal(0)


def total_groups(view: ExchangeView, intervals: Intervals, *, once_priced: Collection[str]) -> Iterator[Group]:
    """Of the exchange as a whole, and of the user's own there. `once_priced`: assets that had a price before."""
    valid_until = view.valid_until.timestamp() if view.valid_until is not None else 0.0
    yield Group((Sample("verdict_valid_until_timestamp_seconds", (view.exchange,), valid_until),))
    for exposure in view.exposures:
        yield _coins(view, exposure)
    if view.exposures:
        yield from _exposures(view, timedelta(seconds=STALE_INTERVALS * intervals.rails), once_priced)
    if view.reserves is not None:
        yield from _reserves(view, view.reserves, timedelta(seconds=STALE_INTERVALS * intervals.reserves), once_priced)


def balance_groups(view: ExchangeView, intervals: Intervals) -> Iterator[Group]:
    """Of single assets and networks, those of most worth first. They are what is left out first."""
    reserves = timedelta(seconds=STALE_INTERVALS * intervals.reserves)
    hot = timedelta(seconds=STALE_INTERVALS * intervals.wallets)
    shown = sorted(view.balances, key=lambda balance: -(balance.usd or NOTHING))[:SHOWN_BALANCES]
    assets: dict[str, None] = {}
    for balance in shown:
        yield from _balance(view.exchange, balance, reserves=reserves, hot=hot)
        assets[balance.asset] = None
    for asset in assets:
        yield from _asset(view, asset, reserves)


class Shared(Struct, frozen=True, kw_only=True):
    """What a view says of that which is no exchange's own."""

    at: datetime
    prices: Mapping[str, Decimal]
    chains: Mapping[str, datetime]  # network -> until when it counts as looked at
    stalled: tuple[str, ...]


def share(view: ExchangeView, intervals: Intervals) -> Shared:
    return Shared(at=view.at, prices=view.usd, chains=_chains(view, intervals), stalled=view.stalled)


def shared_groups(shares: Collection[Shared]) -> Iterator[Group]:
    """Prices and chains, of which the newest of the views counts. A chain that nobody reads has no sample."""
    seen: set[str] = set()
    for told in sorted(shares, key=lambda each: each.at, reverse=True):
        for asset, usd in told.prices.items():
            if asset not in seen:
                seen.add(asset)
                price = Sample("price_usd", (asset,), float(usd))
                yield Group((price,), until=told.at + PRICE_LIFETIME, is_detail=True)
    until: dict[str, datetime] = {}
    for told in shares:
        for network, end in told.chains.items():
            until[network] = max(end, until.get(network, end))
    stalled = {network for told in shares for network in told.stalled}
    for network, end in sorted(until.items()):
        yield Group((Sample("chain_stalled", (network,), int(network in stalled)),), until=end)


def _exposures(view: ExchangeView, lifetime: timedelta, once_priced: Collection[str]) -> Iterator[Group]:
    priced = [each for each in view.exposures if each.usd is not None]
    if not priced or any(each.usd is None and each.asset in once_priced for each in view.exposures):
        return
    parts = {
        "withdrawable": sum((_worth(each, each.withdrawable) for each in priced), NOTHING),
        "stuck": sum((_worth(each, each.stuck) for each in priced), NOTHING),
        "unknown": sum((_worth(each, each.unknown) for each in priced), NOTHING),
    }
    samples = (Sample("exposure_usd", (view.exchange, state), float(usd)) for state, usd in parts.items())
    yield Group(tuple(samples), until=view.at + lifetime)


def _coins(view: ExchangeView, exposure: ExposureView) -> Group:
    """Told whether or not it has a price, and never stale: what cannot be seen is unknown."""
    parts = {"withdrawable": exposure.withdrawable, "stuck": exposure.stuck, "unknown": exposure.unknown}
    labels = view.exchange, exposure.asset
    return Group(tuple(Sample("exposure_coins", (*labels, state), float(coins)) for state, coins in parts.items()))


def _worth(exposure: ExposureView, part: Decimal) -> Decimal:
    return exposure.usd * part / exposure.amount if exposure.usd is not None and exposure.amount else NOTHING


def _reserves(
    view: ExchangeView, reserves: ReservesView, lifetime: timedelta, once_priced: Collection[str]
) -> Iterator[Group]:
    newest = max((balance.read_at for balance in view.balances), default=view.at)
    unread = Sample("reserve_wallets_unread", (view.exchange,), reserves.unread)
    yield Group((unread,), until=newest + lifetime)
    if reserves.unread or any(asset in once_priced for asset in reserves.unpriced) or reserves.priced_at is None:
        return
    until = min(_read_until(view.balances, newest) + lifetime, reserves.priced_at + PRICE_LIFETIME)
    yield Group((Sample("reserve_usd", (view.exchange,), float(reserves.usd)),), until=until)


def _read_until(balances: Iterable[BalanceView], newest: datetime) -> datetime:
    """The reading of the oldest that matters: all that are older are a small share of the whole together."""
    oldest_first = sorted(balances, key=lambda balance: balance.read_at)
    total = sum((balance.usd or NOTHING for balance in oldest_first), NOTHING)
    passed = NOTHING
    for balance in oldest_first:
        passed += balance.usd or NOTHING
        if passed > SMALL_SHARE * total:
            return balance.read_at
    return newest


def _balance(exchange: str, balance: BalanceView, *, reserves: timedelta, hot: timedelta) -> Iterator[Group]:
    labels = (exchange, balance.asset, balance.network)
    if balance.wallets_read >= balance.wallets:
        total = Sample("reserve_balance", labels, float(balance.amount))
        yield Group((total,), until=balance.read_at + reserves, is_detail=True)
    if balance.hot is not None and balance.hot_read_at is not None:
        held = Sample("hot_wallet_balance", labels, float(balance.hot))
        lasts = balance.runway_seconds
        runway = () if lasts is None else (Sample("hot_wallet_runway_seconds", labels, lasts),)
        yield Group((held, *runway), until=balance.hot_read_at + hot, is_detail=True)
    for window, inflow, outflow in (
        ("1h", balance.inflow_1h, balance.outflow_1h),
        ("24h", balance.inflow_24h, balance.outflow_24h),
    ):
        if inflow is not None and outflow is not None:
            came = Sample("inflow_coins", (*labels, window), float(inflow))
            left = Sample("outflow_coins", (*labels, window), float(outflow))
            yield Group((came, left), until=balance.read_at + reserves, is_detail=True)


def _asset(view: ExchangeView, asset: str, lifetime: timedelta) -> Iterator[Group]:
    """What is of an asset on all its networks together."""
    balances = [balance for balance in view.balances if balance.asset == asset]
    if any(balance.wallets_read < balance.wallets for balance in balances):
        return
    until = min(balance.read_at for balance in balances) + lifetime
    amount = sum((balance.amount for balance in balances), NOTHING)
    changes = {
        "1h": [balance.change_1h for balance in balances],
        "24h": [balance.change_24h for balance in balances],
        "7d": [balance.change_7d for balance in balances],
    }
    for window, told in changes.items():
        ratio = _ratio(amount, told)
        if ratio is not None:
            change = Sample("reserve_change_ratio", (view.exchange, asset, window), ratio)
            yield Group((change,), until=until, is_detail=True)
    for coverage in view.reserves.coverage if view.reserves is not None else ():
        if coverage.asset == asset and coverage.published > 0:
            ratio = float(coverage.ours / coverage.published)
            yield Group((Sample("reserve_coverage_ratio", (view.exchange, asset), ratio),), until=until, is_detail=True)


def _ratio(amount: Decimal, told: Sequence[Decimal | None]) -> float | None:
    """The change as a share of what was there before; None where a part of it is not known, or nothing was there."""
    changes = [change for change in told if change is not None]
    before = amount - sum(changes, NOTHING)
    return float(sum(changes, NOTHING) / before) if len(changes) == len(told) and before > 0 else None


def _chains(view: ExchangeView, intervals: Intervals) -> dict[str, datetime]:
    """Until when each network counts as looked at."""
    read = [(network.network, network.read_at, intervals.wallets) for network in view.networks]
    read += [(balance.network, balance.read_at, intervals.reserves) for balance in view.balances]
    read += [(network, view.at, intervals.wallets) for network in view.stalled]
    until: dict[str, datetime] = {}
    for network, at, interval in read:
        end = at + timedelta(seconds=STALE_INTERVALS * interval)
        until[network] = max(end, until.get(network, end))
    return until
