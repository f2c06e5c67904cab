"""Silences in a terminal."""

from collections.abc import Sequence
from datetime import datetime
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
from monitor.config.values import duration as length_of
from monitor.config.yaml_file import suggestion
from monitor.model import IncidentKind, Verb
from monitor.model.silence import Silence, active
from monitor.web import pages, phrases


class Listed(Struct, frozen=True, kw_only=True):
    generated_at: datetime
    silences: Sequence[Silence]


async def ls(config: Config, *, as_json: bool) -> None:
    """Print what is silenced now. Raises StoreError."""
    async with reading(config) as desk:
        world, now = await desk.store.view(""), desk.now
    silences = active(world.silences if world is not None else (), now)
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(Listed(generated_at=now, silences=silences)), indent=2).decode())
        return
    console = opened()
    if not silences:
        console.print("nothing is silenced")
        return
    shown = table("id", "no notifications of", "until", "by", "why")
    for each in silences:
        cells = (each.id, pages.matched(each), phrases.clock(each.until, now), each.actor, each.comment)
        shown.add_row(*(Text(visible(text)) for text in cells))
    console.print(shown)


def begin(
    path: Path, *, comment: str, duration: str, exchange: str, kind: str, scope: Sequence[str], by: str = ""
) -> None:
    """Ask the daemon for a silence. Ends the command where it makes no sense, or the daemon refuses it."""
    config = configured(path).config
    if exchange and exchange not in config.exchanges:
        fail(f"{exchange!r} is not watched{suggestion(exchange, config.exchanges)}", code=Code.USAGE)
    kinds = [known.value for known in IncidentKind]
    if kind and kind not in kinds:
        fail(f"--kind {kind}: there is no such kind of incident{suggestion(kind, kinds)}", code=Code.USAGE)
    try:
        until = Clock().now() + length_of(duration)
    except ValueError as error:
        fail(f"--for: {error}", code=Code.USAGE)
    told = {"exchange": exchange, "kind": kind, "scope": ",".join(scope), "until": until.isoformat(), "text": comment}
    order_of(config, Order(verb=Verb.SILENCE, arguments=told), by=by)
