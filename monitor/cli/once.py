"""`cexwatch probe once`: what is asked, one look, and what is printed of it."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from monitor.cli import explained, looking, screen
from monitor.cli.configured import configured
from monitor.cli.explaining import Explanation, explain
from monitor.cli.judged import book_of
from monitor.cli.looking import Look
from monitor.cli.outcome import Code, fail
from monitor.cli.running import run
from monitor.cli.tables import Sheet
from monitor.clock import Clock
from monitor.config import Config
from monitor.config.yaml_file import suggestion
from monitor.exchange_probes import exchange_of
from monitor.model import ExchangeState, RailStatus
from monitor.web import pages, phrases

CODES = {
    ExchangeState.OPERATIONAL: Code.FINE,
    ExchangeState.DEGRADED: Code.FAILED,
    ExchangeState.HALTED: Code.FAILED,
    ExchangeState.UNKNOWN: Code.UNKNOWN,
}


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asks to see; empty is everything that is configured."""

    exchanges: Sequence[str]
    assets: Sequence[str]
    as_json: bool
    strict: bool
    explain: bool


def once(path: Path, wanted: Wanted) -> Code:
    """Look, print, and say how it is."""
    config = configured(path).config
    exchanges = _exchanges(config, wanted.exchanges)
    assets = _assets(config, wanted.assets, exchanges=exchanges)
    book = book_of(config)
    with screen.counting("looking", unit="probes") as progress:
        sighting = run(looking.look(config, book=book, exchanges=exchanges, clock=Clock(), progress=progress))
    seen = _only(sighting.look, assets) if assets else sighting.look
    if wanted.explain:
        seen = replace(seen, explained=tuple(_explained(config, seen, sighting.statuses)))
    if wanted.as_json:
        print(msgspec.json.format(msgspec.json.encode(seen), indent=2).decode())
    else:
        _show(seen)
    return _code([looking.withdrawals(seen), *([looking.rails(seen)] if wanted.strict else [])])


def _exchanges(config: Config, wanted: Sequence[str]) -> list[str]:
    names = [name.lower() for name in wanted]
    for name in names:
        if name not in config.exchanges:
            fail(f"unknown exchange {name!r}{suggestion(name, config.exchanges)}", code=Code.USAGE)
    return list(dict.fromkeys(names)) or list(config.exchanges)


def _assets(config: Config, wanted: Sequence[str], *, exchanges: Iterable[str]) -> list[str]:
    watched = {rail.asset for exchange in exchanges for rail in config.rails(exchange)}
    names = [name.upper() for name in wanted]
    for name in names:
        if name not in watched:
            fail(f"--asset {name}: not watched there{suggestion(name, watched)}", code=Code.USAGE)
    return names


def _only(seen: Look, assets: Sequence[str]) -> Look:
    views = (replace(v, rails=tuple(rail for rail in v.rails if rail.asset in assets)) for v in seen.exchanges)
    return replace(seen, exchanges=tuple(views))


def _explained(config: Config, seen: Look, statuses: Sequence[RailStatus]) -> Iterator[Explanation]:
    """The worst exchange first."""
    for view in pages.exchanges(seen.exchanges):
        settings = config.exchanges[view.exchange]
        known = exchange_of(view.exchange, settings)
        yield explain(view, exchange=known, settings=settings, statuses=statuses)


def _show(seen: Look) -> None:
    console, now = screen.out(), seen.generated_at
    sheet = Sheet(seen.exchanges, now=now, width=console.width)
    console.print(f"{pages.headline(seen.exchanges)}, at {phrases.exact(now)}", style="bold")
    if seen.control is not None and not seen.control.ok:
        told = f"{seen.control.targets_ok} of {seen.control.targets}"
        console.print(f"We cannot see: {told} of our own control targets answer, so the fault may be ours.")
    if seen.explained is not UNSET:
        titles = {view.exchange: f"{view.title} {view.withdrawals}: {view.reason}" for view in seen.exchanges}
        explained.show(console, [(titles[each.exchange], each) for each in seen.explained], now=now)
        return
    unseen = sheet.unseen(seen.unseen, without_wallets=seen.without_wallets)
    for table in (sheet.exchanges(), sheet.reasons(), sheet.rails(), unseen):
        if table.row_count:
            console.print()
            console.print(table)


def _code(states: Sequence[ExchangeState]) -> Code:
    codes = [CODES[state] for state in states]
    return next((code for code in (Code.FAILED, Code.UNKNOWN) if code in codes), Code.FINE)
