"""What each exchange of the registry can tell: a table of all, a page of one. Nothing is asked for it."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec
from msgspec import Struct
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from monitor.cli import screen
from monitor.cli.outcome import Code, fail
from monitor.cli.screen import quiet
from monitor.config.yaml_file import suggestion
from monitor.probes import EXCHANGES
from monitor.probes.exchange import Exchange, Listing

LABEL = 16
PIPED_WIDTH = 200  # enough for any row to be whole: who reads it there has no terminal to fit it to


class Flags(StrEnum):
    """Who is told which rails are open."""

    PUBLIC = "public"
    KEY = "with key"
    BOTH = "public, key"  # a key is told more
    NONE = "no"


class List(Struct, frozen=True, kw_only=True):
    probe: str
    endpoint: str
    needs_key: bool
    where: str
    rule: str
    interval_seconds: float


class Market(Struct, frozen=True, kw_only=True):
    probe: str
    market: str
    endpoint: str


class Ability(Struct, frozen=True, kw_only=True):
    """An exchange as data. Texts are "" where there is nothing."""

    exchange: str
    title: str
    flags: Flags
    lists: tuple[List, ...]
    spot_trades: tuple[Market, ...]
    perpetual_trades: tuple[Market, ...]
    system_status: str
    status_page: str
    announcements: str
    withdrawal_history: str
    live_addresses: str
    account_lock: str
    takes_key: bool
    takes_passphrase: bool
    key_rights_checked: bool
    requests_per_second: float
    traps: tuple[str, ...]


def exchanges(name: str | None, *, as_json: bool) -> None:
    """Print all, or the one that is named. Ends the command where there is none of that name."""
    console = screen.out()
    if name is None:
        abilities = [ability(exchange) for exchange in EXCHANGES.values()]
        if as_json:
            _print_json(abilities)
            return
        if not console.is_terminal:
            console.width = PIPED_WIDTH
        console.print(table(abilities))
        console.print(quiet("\ncexwatch exchanges NAME tells all of one: endpoints, what a key is for, traps"))
        return
    known = EXCHANGES.get(name.lower())
    if known is None:
        fail(f"unknown exchange {name!r}{suggestion(name.lower(), EXCHANGES)}", code=Code.USAGE)
    if as_json:
        _print_json(ability(known))
        return
    for line in page(ability(known)):
        console.print(line)


def ability(exchange: Exchange) -> Ability:
    """What is told of an exchange, with full addresses."""
    markets = [
        Market(probe=trades.probe, market=trades.market, endpoint=f"GET {trades.url or exchange.url}{trades.path}")
        for trades in exchange.trades
    ]
    system, feed, history = exchange.system, exchange.feed, exchange.history
    return Ability(
        exchange=exchange.name,
        title=exchange.title,
        flags=_flags(exchange.lists),
        lists=tuple(_list(exchange, listing) for listing in exchange.lists),
        spot_trades=tuple(market for market in markets if not is_perpetual(market.market)),
        perpetual_trades=tuple(market for market in markets if is_perpetual(market.market)),
        system_status=f"GET {exchange.url}{system.path}" if system is not None else "",
        status_page=exchange.status_page or "",
        announcements=f"GET {feed.url}" if feed is not None else "",
        withdrawal_history=f"{history.method} {exchange.url}{history.path}" if history is not None else "",
        live_addresses=exchange.live_addresses,
        account_lock=exchange.account_lock,
        takes_key=exchange.sign is not None,
        takes_passphrase=exchange.passphrase,
        key_rights_checked=exchange.rights is not None,
        requests_per_second=exchange.per_second,
        traps=exchange.traps,
    )


def is_perpetual(market: str) -> bool:
    """`BTC/USDT:USDT` is one, `BTC/USDT` is spot."""
    return ":" in market


def table(abilities: Iterable[Ability]) -> Table:
    """One row an exchange, within 100 columns. Where there are fewer, all cells but the names are folded."""
    headings = ("flags", "trades", "system", "status\npage", "announce-\nments", "own with-\ndrawals")
    more = ("live ad-\ndresses", "account\nlock", "key rights\nchecked")
    columns = (Column("exchange", no_wrap=True), *(Column(name, overflow="fold") for name in (*headings, *more)))
    found = Table(*columns, box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for each in abilities:
        kinds = [kind for kind, markets in (("spot", each.spot_trades), ("perp", each.perpetual_trades)) if markets]
        found.add_row(
            Text(each.exchange, "bold"),
            each.flags.value,
            "+".join(kinds) or "no",
            _yes(each.system_status),
            _yes(each.status_page),
            _yes(each.announcements),
            "with key" if each.withdrawal_history else "no",
            _yes(each.live_addresses),
            _yes(each.account_lock),
            ("yes" if each.key_rights_checked else "no") if each.takes_key else quiet("takes none"),
        )
    return found


def page(each: Ability) -> list[Padding | Text]:
    """All of one exchange, a fact a line."""
    shown: list[Padding | Text] = [Text(f"{each.title} ({each.exchange})", "bold")]
    for listing in each.lists:
        access = "with a read-only key" if listing.needs_key else "public"
        shown.append(_fact("flags", f"{access}, every {listing.interval_seconds:.0f} s: {listing.endpoint}"))
        shown += [_fact("  path", listing.where), _fact("  rule", listing.rule)]
    if not each.lists:
        shown.append(_fact("flags", "it has no list of them"))
    for label, markets in (("spot trades", each.spot_trades), ("perpetual trades", each.perpetual_trades)):
        told = "; ".join(f"{market.market}: {market.endpoint}" for market in markets)
        shown.append(_fact(label, told or "no"))
    system = f"{each.system_status}, which says nothing of withdrawals" if each.system_status else "no"
    facts = {
        "system status": system,
        "status page": each.status_page or "no",
        "announcements": each.announcements or "no",
        "own withdrawals": f"with a read-only key: {each.withdrawal_history}" if each.withdrawal_history else "no",
        "live addresses": each.live_addresses or "no",
        "account lock": each.account_lock or "none known",
        "key": _key(each),
        "asked at most": f"{each.requests_per_second:g} times a second",
    }
    shown += [_fact(label, told) for label, told in facts.items()]
    shown += [_fact("" if place else "traps", trap) for place, trap in enumerate(each.traps)]
    return shown


def _list(exchange: Exchange, listing: Listing) -> List:
    return List(
        probe=listing.probe,
        endpoint=f"{listing.method} {exchange.url}{listing.path}",
        needs_key=listing.signed,
        where=listing.where,
        rule=listing.rule,
        interval_seconds=listing.interval,
    )


def _flags(lists: Iterable[Listing]) -> Flags:
    kinds = {listing.signed for listing in lists}
    match (False in kinds, True in kinds):
        case (True, True):
            return Flags.BOTH
        case (True, False):
            return Flags.PUBLIC
        case (False, True):
            return Flags.KEY
        case _:
            return Flags.NONE


def _key(each: Ability) -> str:
    if not each.takes_key:
        return "none is used"
    uses = ["flags"] if any(listing.needs_key for listing in each.lists) else []
    if each.withdrawal_history:
        uses.append("own withdrawals")
    third = ", with a passphrase" if each.takes_passphrase else ""
    checked = (
        "what it may do is looked at first, and one that can trade or pay out is refused"
        if each.key_rights_checked
        else "the exchange does not tell what it may do: see to it that it can only read"
    )
    return f"read-only, for {' and '.join(uses) or 'nothing yet'}{third}; {checked}"


def _yes(told: str) -> Text:
    return Text("yes") if told else quiet("no")


def _fact(label: str, told: str) -> Padding:
    grid = Table.grid(Column(width=LABEL), Column(overflow="fold"), padding=(0, 1, 0, 0))
    grid.add_row(quiet(label), told)
    return Padding(grid, 0, expand=False)


def _print_json(value: Ability | list[Ability]) -> None:
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
