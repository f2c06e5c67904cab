"""The user's own at each exchange in a terminal: what can leave now, what is stuck, and what nobody knows."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct
from rich.table import Column, Table
from rich.text import Text

from monitor.cli import screen
from monitor.cli.database import reading
from monitor.cli.outcome import Code, fail
from monitor.cli.screen import celled, marked, quiet, visible
from monitor.clock import Clock
from monitor.config import Config
from monitor.config.yaml_file import suggestion
from monitor.model import ExchangeView, ExposureView
from monitor.web import money, pages
from monitor.web.money import Exit
from monitor.web.verdict import exits, is_stale

PIPED_WIDTH = 200


class Out(Struct, frozen=True, kw_only=True):
    exchange: str
    title: str
    stale: bool  # nothing was read lately, so all of it is unknown
    sentences: Sequence[str]
    exits: Sequence[ExposureView]


class Told(Struct, frozen=True):
    generated_at: datetime
    exchanges: Sequence[Out]
    unread: Sequence[str]  # exchanges where something of the user's is configured, and none of it was read yet


async def tell(config: Config, *, exchange: str | None, as_json: bool) -> Code:
    """Print what can leave. Answers 1 if something is stuck, else 2 if something is unknown. Raises StoreError.

    Ends the command where nothing of the user's is told.
    """
    if exchange is not None and exchange not in config.exchanges:
        fail(f"{exchange!r} is not watched{suggestion(exchange, config.exchanges)}", code=Code.USAGE)
    async with reading(config) as desk:
        views = await desk.store.views()
    # The newest entry is the past where no daemon runs, and what could leave then need not be able to now.
    now = max(desk.now, Clock().now())
    shown = [view for view in pages.exchanges(views) if exchange in (None, view.exchange) and view.exposures]
    unread = _unread(config, exchange, read=[view.exchange for view in shown])
    if not shown and not unread:
        fail(
            "nothing of yours is told: `exposure:` or `exposure_of_key: true` of an exchange tells it", code=Code.USAGE
        )
    told = Told(now, [_out(view, now) for view in shown], unread)
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
    else:
        _show(shown, unread, now)
    code = _code(each for out in told.exchanges for each in out.exits)
    return Code.UNKNOWN if unread and code is Code.FINE else code


def _unread(config: Config, exchange: str | None, *, read: Sequence[str]) -> list[str]:
    return [
        name
        for name, own in config.exchanges.items()
        if exchange in (None, name) and name not in read and (own.exposure or own.exposure_of_key)
    ]


def _out(view: ExchangeView, now: datetime) -> Out:
    return Out(
        exchange=view.exchange,
        title=view.title or view.exchange,
        stale=is_stale(view, now),
        sentences=money.exit_words(view, now),
        exits=exits(view, now),
    )


def _code(exposures: Iterable[ExposureView]) -> Code:
    held = list(exposures)
    if any(each.stuck > 0 for each in held):
        return Code.FAILED
    return Code.UNKNOWN if any(each.unknown > 0 for each in held) else Code.FINE


def _show(views: Sequence[ExchangeView], unread: Sequence[str], now: datetime) -> None:
    console = screen.out()
    if not console.is_terminal:
        console.width = PIPED_WIDTH
    for place, view in enumerate(views):
        if place:
            console.print()
        for sentence in money.exit_words(view, now):
            console.print(Text(visible(sentence)))
        console.print(_table(money.exit_rows(view, now)))
    if views and unread:
        console.print()
    for name in unread:
        console.print(f"{name}: not read yet")


def _table(rows: Sequence[Exit]) -> Table:
    numbers = [Column(name, justify="right", no_wrap=True) for name in ("amount", "can leave", "stuck", "unknown")]
    table = Table(
        "", *numbers, Column("ways", ratio=1), box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim"
    )
    for row in rows:
        cells = (row.held, *(part for _, part in row.parts))
        table.add_row(Text(visible(row.asset), "bold"), *(celled(cell) for cell in cells), _ways(row))
    return table


def _ways(row: Exit) -> Text:
    lines = Text()
    for place, (network, state, why) in enumerate(row.ways):
        if place:
            lines.append("\n")
        lines.append(f"{'any network' if network == '*' else visible(network)} ").append_text(marked(state))
        lines.append_text(quiet(f" {visible(why)}" if why else ""))
    return lines if row.ways else quiet("no network of it is told")
