"""The ranking of exchanges by what the addresses we know of them hold, as a table, JSON or CSV."""

import csv
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from monitor.cli import screen
from monitor.cli.database import reading
from monitor.cli.outcome import Code, fail
from monitor.cli.screen import celled, quiet
from monitor.config import Config
from monitor.config.yaml_file import suggestion
from monitor.ledgers import COINS
from monitor.model import ExchangeView
from monitor.reserves.ranking import Held, Ranked, coverage, holders, ranking
from monitor.web import money, phrases
from monitor.web.pages import Cell
from monitor.web.phrases import Tone

KNOWN = "the addresses we know"
PIPED_WIDTH = 250
RANKING = (
    "exchange", "usd", "change_1h_usd", "change_24h_usd", "change_7d_usd", "net_flow_24h_usd", "own_tokens_share",
    "unread", "unpriced", "priced_at",
)  # fmt: skip
HOLDERS = (
    "exchange", "asset", "amount", "usd", "change_1h", "change_24h", "change_7d", "net_flow_24h", "coverage", "wallets",
    "wallets_read", "read_at",
)  # fmt: skip


class Form(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class Listed(Struct, frozen=True, kw_only=True):
    generated_at: datetime
    of: str = KNOWN
    exchanges: Sequence[Ranked]


class Holder(Struct, frozen=True, kw_only=True):
    exchange: str
    title: str
    held: Held


class ListedHolders(Struct, frozen=True, kw_only=True):
    generated_at: datetime
    of: str = KNOWN
    asset: str
    exchanges: Sequence[Holder]


async def tell_ranking(config: Config, *, asset: str | None, form: Form) -> None:
    """Print what is held now, of all assets or of one. Raises StoreError."""
    async with reading(config) as desk:
        views = await desk.store.views()
    if asset is not None:
        check_asset(asset, config, views)
    ranked = ranking(views)
    if asset is None:
        _tell_all(ranked, desk.now, money.unread_exchanges(views), form)
    else:
        _tell_one(holders(ranked, asset), asset, desk.now, form)


def check_asset(asset: str, config: Config, views: Iterable[ExchangeView]) -> None:
    """Ends the command where neither the configuration nor any view names the asset."""
    known = {rail.asset for exchange in config.exchanges for rail in config.rails(exchange)}
    known.update(COINS[network] for network in config.chains if network in COINS)
    known.update(token for chain in config.chains.values() for token in chain.tokens)
    known.update(own for settings in config.exchanges.values() for own in settings.exposure)
    for view in views:
        known.update(rail.asset for rail in view.rails)
        known.update(balance.asset for balance in view.balances)
        known.update(exposure.asset for exposure in view.exposures)
        known.update(view.usd)
        if view.reserves is not None:
            known.update(each.asset for each in view.reserves.coverage)
    if asset not in known:
        fail(f"--asset {asset}: nothing here names it{suggestion(asset, known)}", code=Code.USAGE)


def print_json(value: Struct) -> None:
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_csv(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """An empty field is not known."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(headings)
    writer.writerows([_plain(value) for value in row] for row in rows)


def opened() -> Console:
    console = screen.out()
    if not console.is_terminal:
        console.width = PIPED_WIDTH
    return console


def table(*columns: str | Column) -> Table:
    return Table(*columns, box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")


def numbers(*names: str) -> list[Column]:
    return [Column(name, justify="right") for name in names]


def _tell_all(ranked: Sequence[Ranked], now: datetime, unread: Sequence[str], form: Form) -> None:
    match form:
        case Form.JSON:
            print_json(Listed(generated_at=now, exchanges=ranked))
        case Form.CSV:
            print_csv(RANKING, (_values(each) for each in ranked))
        case Form.TABLE:
            _show(ranked, now, unread)


def _show(ranked: Sequence[Ranked], now: datetime, unread: Sequence[str]) -> None:
    console = opened()
    shown = table("", "", *numbers("worth", "1 h", "24 h", "7 d", "net flow 24 h", "own tokens"), "coverage", "priced")
    for place, each in enumerate(ranked, start=1):
        cells = [money.worth(each), *(cell for _, cell in money.changes(each)), money.net_flow(each)]
        cells += [money.own_tokens(each), money.covered(each.assets), money.priced(each, now)]
        shown.add_row(quiet(str(place)), Text(each.title, "bold"), *(celled(cell) for cell in cells))
    if ranked:
        console.print(f"of {KNOWN}; changes of coins, at the prices of now")
        console.print(shown)
    if unread:
        console.print(quiet(f"no balance was read of {', '.join(unread)}"))


def _tell_one(found: Sequence[tuple[Ranked, Held]], asset: str, now: datetime, form: Form) -> None:
    match form:
        case Form.JSON:
            listed = [Holder(exchange=each.exchange, title=each.title, held=held) for each, held in found]
            print_json(ListedHolders(generated_at=now, asset=asset, exchanges=listed))
        case Form.CSV:
            print_csv(HOLDERS, (_held_values(each, held) for each, held in found))
        case Form.TABLE:
            _show_holders(found, asset)


def _show_holders(found: Sequence[tuple[Ranked, Held]], asset: str) -> None:
    console = opened()
    if not found:
        console.print(f"no balance of {asset} was read")
        return
    columns = numbers(asset, "worth", "1 h", "24 h", "7 d", "net flow 24 h", "wallets read")
    shown = table("", "", *columns, "coverage")
    for place, (each, held) in enumerate(found, start=1):
        is_whole = held.wallets_read >= held.wallets
        cells = [
            Cell(phrases.amount(held.amount), None if is_whole else Tone.UNKNOWN),
            money.in_dollars(held.usd),
            *(_moved(coins) for coins in (held.change_1h, held.change_24h, held.change_7d, held.net_flow_24h)),
            Cell(f"{held.wallets_read} of {held.wallets}", None if is_whole else Tone.UNKNOWN),
            money.covered([held]),
        ]
        shown.add_row(quiet(str(place)), Text(each.title, "bold"), *(celled(cell) for cell in cells))
    console.print(f"of {KNOWN}, in coins")
    console.print(shown)


def _moved(coins: Decimal | None) -> Cell:
    return money.UNKNOWN if coins is None else Cell(money.signed_coins(coins))


def _values(each: Ranked) -> list[object]:
    return [getattr(each, name) for name in RANKING]


def _held_values(each: Ranked, held: Held) -> list[object]:
    ratio = coverage(held.published) if held.published is not None else None
    return [
        each.exchange,
        held.asset,
        held.amount,
        held.usd,
        held.change_1h,
        held.change_24h,
        held.change_7d,
        held.net_flow_24h,
        round(ratio, 6).normalize() if ratio is not None else None,
        held.wallets,
        held.wallets_read,
        held.read_at,
    ]


def _plain(value: object) -> str:
    match value:
        case None:
            return ""
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.isoformat()
        case tuple():
            return " ".join(map(str, value))
        case _:
            return str(value)
