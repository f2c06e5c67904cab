"""What pages say of money: reserves, what flows, the way out, and how the market stood. Unknown is a word, never 0."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct

from monitor.model import BalanceView, ExchangeView, ExposureView, Market, RailVerdict, WayView
from monitor.reserves.amounts import dollars
from monitor.reserves.exit_words import age, explain
from monitor.reserves.ranking import Held, Ranked, coverage, ranking
from monitor.web.pages import Cell
from monitor.web.phrases import RAIL_TONES, Mark, Tone, ago, amount, clock, several, span
from monitor.web.verdict import exits

OLD = timedelta(minutes=30)
LOW_RUNWAY_SECONDS = 6 * 3600.0
EMPTY_RUNWAY_SECONDS = 3600.0
MAIN_ASSETS = 3
NAMED = 4
UNKNOWN = Cell("unknown", Tone.UNKNOWN)
NOTHING = Decimal(0)


class Exit(Struct, frozen=True):
    """An exposure as a row: its parts, and each way with what holds of it."""

    asset: str
    held: Cell
    parts: tuple[tuple[str, Cell], ...]
    ways: tuple[tuple[str, Mark, str], ...]


def signed(usd: Decimal) -> str:
    """ "+$31.2M"."""
    return f"{'+' if usd > 0 else '-' if usd < 0 else ''}{dollars(abs(usd))}"


def signed_coins(coins: Decimal) -> str:
    """ "+1,204"; from a million on "+1.2M"."""
    sign = "+" if coins > 0 else "-" if coins < 0 else ""
    return f"{sign}{short(abs(coins))}"


def short(coins: Decimal) -> str:
    """Coins in a few figures: "401,346", "1.2M", "3.4bn"."""
    for scale, word in ((Decimal(10) ** 9, "bn"), (Decimal(10) ** 6, "M")):
        if abs(coins) >= scale:
            return f"{coins / scale:,.1f}{word}"
    return amount(coins)


def share(part: Decimal) -> str:
    """ "98 %"; small ones with a digit more."""
    return f"{100 * part:.{1 if abs(part) < Decimal('0.1') else 0}f} %"


def ranked(view: ExchangeView) -> Ranked | None:
    """The exchange as the ranking has it; None where nothing of it was read."""
    return next(iter(ranking([view])), None)


def worth(ranked: Ranked) -> Cell:
    """The total, and what is not in it."""
    told = [f"{ranked.unread} wallet{'s' if ranked.unread > 1 else ''} unread"] if ranked.unread else []
    if ranked.unpriced:
        told.append(f"no price of {several(ranked.unpriced, NAMED)}")
    if ranked.priced_at is None:
        return Cell("unknown", Tone.UNKNOWN, "; ".join(told) or "nothing of it has a price")
    return Cell(dollars(ranked.usd), Tone.UNKNOWN if told else None, "; ".join(told), Tone.UNKNOWN)


def change(usd: Decimal | None, assets: Sequence[tuple[str, Decimal | None]]) -> Cell:
    """In dollars at the prices of now, and in coins of the main assets."""
    coins = [f"{asset}\N{NO-BREAK SPACE}{signed_coins(moved)}" for asset, moved in assets[:MAIN_ASSETS] if moved]
    if usd is None:
        return Cell("unknown", Tone.UNKNOWN, ", ".join(coins))
    return Cell(signed(usd), None, ", ".join(coins))


def changes(ranked: Ranked) -> list[tuple[str, Cell]]:
    assets = ranked.assets
    return [
        ("1 h", change(ranked.change_1h_usd, [(held.asset, held.change_1h) for held in assets])),
        ("24 h", change(ranked.change_24h_usd, [(held.asset, held.change_24h) for held in assets])),
        ("7 d", change(ranked.change_7d_usd, [(held.asset, held.change_7d) for held in assets])),
    ]


def net_flow(ranked: Ranked) -> Cell:
    """In minus out over a day."""
    return change(ranked.net_flow_24h_usd, [(held.asset, held.net_flow_24h) for held in ranked.assets])


def own_tokens(ranked: Ranked) -> Cell:
    if ranked.own_tokens_share is None:
        return UNKNOWN
    tone = Tone.WARNING if ranked.own_tokens_share >= Decimal("0.25") else None
    return Cell(share(ranked.own_tokens_share) if ranked.own_tokens_share else "none", tone)


def covered(held: Iterable[Held]) -> Cell:
    """ "98 % of BTC, 95 % of ETH": ours of what the exchange says it holds, and as of when it says so."""
    told = [(each.asset, each.published) for each in held if each.published is not None]
    ratios = [(asset, ratio) for asset, published in told if (ratio := coverage(published)) is not None]
    if not ratios:
        return Cell("not known", Tone.QUIET, "it publishes no total that we read")
    words = several([f"{share(ratio)} of {asset}" for asset, ratio in ratios], MAIN_ASSETS)
    newest = max((published for _, published in told), key=lambda published: published.as_of)
    return Cell(words, None, f"of its word of {newest.as_of:%Y-%m-%d}: {newest.source.removeprefix('https://')}")


def priced(ranked: Ranked, now: datetime) -> Cell:
    return Cell("never", Tone.UNKNOWN) if ranked.priced_at is None else Cell(ago(ranked.priced_at, now))


def unread_exchanges(views: Iterable[ExchangeView]) -> list[str]:
    """Those of which no balance was ever read."""
    return [view.title or view.exchange for view in views if view.exchange and not view.retired and not view.balances]


def held_coins(balance: BalanceView, now: datetime) -> Cell:
    """What was read, doubtful where it is old or not all of it."""
    is_old = now - balance.read_at > OLD
    is_doubtful = is_old or balance.wallets_read < balance.wallets
    note = f"as of {clock(balance.read_at, now)}" if is_old else ""
    return Cell(amount(balance.amount), Tone.UNKNOWN if is_doubtful else None, note, Tone.UNKNOWN)


def in_dollars(usd: Decimal | None) -> Cell:
    return Cell("no price", Tone.UNKNOWN) if usd is None else Cell(dollars(usd))


def hot(balance: BalanceView, now: datetime) -> Cell:
    if balance.hot is None or balance.hot_read_at is None:
        return UNKNOWN
    is_old = now - balance.hot_read_at > OLD
    note = f"as of {clock(balance.hot_read_at, now)}" if is_old else ""
    return Cell(amount(balance.hot), Tone.UNKNOWN if is_old else None, note, Tone.UNKNOWN)


def moved(balance: BalanceView) -> Cell:
    """Changes in coins, the last day first."""
    told = (("1 h", balance.change_1h), ("7 d", balance.change_7d))
    rest = ", ".join(f"{window} {signed_coins(coins)}" for window, coins in told if coins is not None)
    if balance.change_24h is None:
        return Cell("unknown", Tone.UNKNOWN, rest)
    return Cell(signed_coins(balance.change_24h) or "0", None, rest)


def flows(balance: BalanceView, now: datetime) -> Cell:
    """ "in 9,000, out 7,653" over a day; where the day is not known whole, since when flows are."""
    if balance.inflow_24h is not None and balance.outflow_24h is not None:
        return Cell(f"in {short(balance.inflow_24h)}, out {short(balance.outflow_24h)}")
    note = f"known since {clock(balance.flows_since, now)}" if balance.flows_since is not None else ""
    return Cell("unknown", Tone.UNKNOWN, note)


def runway(balance: BalanceView) -> Cell:
    """How long the hot wallets last at the outflow of the last hour."""
    if balance.runway_seconds is None:
        is_still = balance.hot is not None and balance.outflow_1h == 0
        return Cell("nothing leaves", Tone.QUIET) if is_still else UNKNOWN
    tone = None
    if balance.runway_seconds < LOW_RUNWAY_SECONDS:
        tone = Tone.BAD if balance.runway_seconds < EMPTY_RUNWAY_SECONDS else Tone.WARNING
    return Cell(span(balance.runway_seconds), tone)


def wallets(balance: BalanceView) -> Cell:
    tone = Tone.UNKNOWN if balance.wallets_read < balance.wallets else None
    return Cell(f"{balance.wallets_read} of {balance.wallets}", tone)


def exit_words(view: ExchangeView, now: datetime) -> list[str]:
    """What of the user's own can leave, in sentences."""
    return explain(view.title or view.exchange, exits(view, now), now=now) if view.exposures else []


def exit_rows(view: ExchangeView, now: datetime) -> list[Exit]:
    return [_exit(exposure, now) for exposure in exits(view, now)]


def exit_line(view: ExchangeView, now: datetime) -> Cell | None:
    """ "yours: $18.0M can leave, $13.2M stuck"; None where nothing of the user's is there."""
    held = exits(view, now)
    if not held:
        return None
    told = []
    for words, parts in (
        ("can leave", [(each, each.withdrawable) for each in held]),
        ("stuck", [(each, each.stuck) for each in held]),
        ("unknown", [(each, each.unknown) for each in held]),
    ):
        some = [(each, part) for each, part in parts if part > 0]
        if some:
            told.append(f"{_summed(some)} {words}")
    tone = Tone.BAD if any(each.stuck > 0 for each in held) else None
    if tone is None and any(each.unknown > 0 for each in held):
        tone = Tone.UNKNOWN
    return Cell(f"yours: {', '.join(told) or 'nothing'}", tone or Tone.QUIET)


def market(told: Market) -> str:
    """ "BTC 97,012 USD, -2.1 % in 24 h, 0.8 % volatility in the hour"."""
    price = f"{told.usd:,.0f}" if told.usd >= 1000 else f"{told.usd:,.2f}"
    change_24h = "change in 24 h unknown" if told.change_24h is None else f"{told.change_24h * 100:+.1f} % in 24 h"
    swing = told.volatility_1h
    volatility = "volatility unknown" if swing is None else f"{swing * 100:.1f} % volatility in the hour"
    return f"{told.asset} {price} USD, {change_24h}, {volatility}"


def _exit(exposure: ExposureView, now: datetime) -> Exit:
    parts = (
        ("Can leave now", _part(exposure, exposure.withdrawable, Tone.FINE)),
        ("Stuck", _part(exposure, exposure.stuck, Tone.BAD)),
        ("Unknown", _part(exposure, exposure.unknown, Tone.UNKNOWN)),
    )
    ways = tuple((way.network, _mark(way), _way(way, now)) for way in exposure.ways)
    in_usd = "no price" if exposure.usd is None else dollars(exposure.usd)
    return Exit(exposure.asset, Cell(amount(exposure.amount), None, in_usd), parts, ways)


def _part(exposure: ExposureView, part: Decimal, tone: Tone) -> Cell:
    if not part:
        return Cell("-", Tone.QUIET)
    usd = None if exposure.usd is None else exposure.usd * part / exposure.amount
    return Cell(amount(part), tone, "" if usd is None else dollars(usd))


def _mark(way: WayView) -> Mark:
    """A way that its flag calls open and by which nothing can leave is not fine."""
    is_shut = way.limit == 0 and way.verdict is RailVerdict.OPEN
    return Mark(way.verdict, Tone.WARNING if is_shut else RAIL_TONES[way.verdict])


def _way(way: WayView, now: datetime) -> str:
    told = [] if way.verdict is RailVerdict.OPEN or way.since is None else [age(way.since, now)]
    return ", ".join([*told, way.why] if way.why else told)


def _summed(parts: Sequence[tuple[ExposureView, Decimal]]) -> str:
    """In dollars what has a price, and the rest in coins."""
    usd = [each.usd * part / each.amount for each, part in parts if each.usd is not None]
    coins = [f"{short(part)} {each.asset}" for each, part in parts if each.usd is None]
    return " + ".join([dollars(sum(usd, NOTHING)), *coins] if usd else coins)
