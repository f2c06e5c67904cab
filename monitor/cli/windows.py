"""Maintenance in a terminal: what is known of it, what the configuration plans, and a person's word on it."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import msgspec
from msgspec import Struct
from rich.text import Text

from monitor.cli.configured import configured
from monitor.cli.database import reading
from monitor.cli.holdings import opened, table
from monitor.cli.ordering import order_of
from monitor.cli.outcome import Code, fail
from monitor.cli.screen import visible
from monitor.clock import Clock
from monitor.commands import Order
from monitor.config import Config
from monitor.config.maintenance import Maintenance, Occurrence, announced, occurrences
from monitor.config.yaml_file import suggestion
from monitor.model import ExchangeView, Verb
from monitor.model.view import WindowView
from monitor.web import phrases

LOOKED_AHEAD = timedelta(days=5 * 366)
MINUTES = "%Y-%m-%d %H:%M"


class Listed(Struct, frozen=True, kw_only=True):
    exchange: str
    window: WindowView
    is_under_way: bool


class Windows(Struct, frozen=True, kw_only=True):
    generated_at: datetime
    windows: Sequence[Listed]


class Planned(Struct, frozen=True, kw_only=True):
    """A time to come. `note`: what the clocks do to it."""

    name: str
    exchange: str
    scope: tuple[str, ...]
    zone: str
    starts_at: datetime
    ends_at: datetime
    local: str
    note: str


class Preview(Struct, frozen=True, kw_only=True):
    generated_at: datetime
    planned: Sequence[Planned]


async def ls(config: Config, *, as_json: bool) -> None:
    """Print the windows that the daemon knows of. Raises StoreError."""
    async with reading(config) as desk:
        views, now = await desk.store.views(), desk.now
    listed = [
        Listed(exchange=view.exchange, window=window, is_under_way=window.starts_at <= now)
        for view in views
        for window in view.windows
        if window.ends_at > now
    ]
    if as_json:
        _print_json(Windows(generated_at=now, windows=listed))
        return
    console = opened()
    if not listed:
        console.print("no maintenance is known of")
        return
    shown = table("id", "exchange", "when", "scope", "told by", "name")
    for each in listed:
        window = each.window
        when = phrases.between(window.starts_at, window.ends_at, now) + (", now" if each.is_under_way else "")
        scope, by = phrases.several(window.scope, 4), phrases.worded(window.source)
        shown.add_row(*(Text(visible(text)) for text in (window.id, each.exchange, when, scope, by, window.name)))
    console.print(shown)


def show_planned(config: Config, *, times: int, begin: str, as_json: bool) -> None:
    """Print the next occurrences of every rule. Ends the command for a time that is none."""
    now = _moment(begin) if begin else Clock().now()
    planned = [each for rule in config.maintenance for each in islice(_next(rule, now), times)]
    if as_json:
        _print_json(Preview(generated_at=now, planned=planned))
        return
    console = opened()
    if not planned:
        console.print("the configuration plans no maintenance from then on")
        return
    shown = table("name", "exchange", "UTC", "local", "scope", "note")
    for each in planned:
        utc = f"{each.starts_at:{MINUTES}} to {each.ends_at:%H:%M}"
        cells = (each.name, each.exchange, utc, each.local, phrases.several(each.scope, 4), each.note)
        shown.add_row(*(Text(visible(text)) for text in cells))
    console.print(shown)


def announce(
    path: Path, *, exchange: str, start: str, duration: str, scope: Sequence[str], zone: str, name: str, by: str = ""
) -> None:
    """Tell the daemon of a window. Ends the command where the window makes no sense, or the daemon refuses it."""
    config = configured(path).config
    if exchange not in config.exchanges:
        fail(f"{exchange!r} is not watched{suggestion(exchange, config.exchanges)}", code=Code.USAGE)
    begin = Clock().now().replace(tzinfo=None, microsecond=0).isoformat() if start == "now" else start
    zone = "UTC" if start == "now" else zone
    try:
        # One in the past is the daemon's to refuse: it has its own clock.
        rule, found = announced(
            name=name or "maintenance", exchange=exchange, scope=scope, start=begin, duration=duration, zone=zone
        )
    except ValueError as error:
        fail(str(error), code=Code.USAGE)
    if found.asked_at is not None:
        print(f"the clocks leave out {found.asked_at:{MINUTES}}: it begins at {found.local:%H:%M %Z}")
    arguments = {
        "exchange": exchange,
        "starts_at": found.starts_at.isoformat(),
        "ends_at": found.ends_at.isoformat(),
        "scope": ",".join(rule.scope),
        "name": name,
    }
    order_of(config, Order(verb=Verb.MAINTAIN, subject=exchange, arguments=arguments), by=by)


def finish(config: Config, window: str, *, by: str = "") -> None:
    """End a window, at whichever exchange it is. Raises StoreError."""
    views = asyncio.run(_views(config))
    at = next((view.exchange for view in views for known in view.windows if known.id == window), None)
    if at is None:
        fail(f"there is no maintenance {window!r}; `cexwatch maintenance list` lists them")
    order_of(config, Order(verb=Verb.END_MAINTENANCE, subject=window, arguments={"exchange": at}), by=by)


async def _views(config: Config) -> Sequence[ExchangeView]:
    async with reading(config) as desk:
        return await desk.store.views()


def _next(rule: Maintenance, now: datetime) -> Iterator[Planned]:
    for found in occurrences(rule, begin=now, end=now + LOOKED_AHEAD):
        yield Planned(
            name=rule.name,
            exchange=rule.exchange,
            scope=rule.scope,
            zone=rule.zone,
            starts_at=found.starts_at,
            ends_at=found.ends_at,
            local=f"{found.local:{MINUTES} %Z}",
            note=_note(found),
        )


def _note(found: Occurrence) -> str:
    if found.asked_at is not None:
        return f"the clocks leave out {found.asked_at:%H:%M}: it begins at {found.local:%H:%M}"
    return f"{found.local:%H:%M} comes twice: it is the first" if found.is_twice else ""


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        fail(f"--from {text}: expected a time like 2026-02-03T14:00:00Z, or a date", code=Code.USAGE)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _print_json(value: Windows | Preview) -> None:
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
