"""Drills in a terminal: begun, ended, and how long it took until people knew."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.text import Text

from monitor.cli.configured import configured
from monitor.cli.database import Desk, reading
from monitor.cli.holdings import opened
from monitor.cli.ordering import order_of
from monitor.cli.outcome import Code, fail
from monitor.cli.screen import indented, visible
from monitor.commands import Order
from monitor.config import Config, Paging
from monitor.config.values import duration as length_of
from monitor.config.yaml_file import suggestion
from monitor.model import Drill, IncidentKind, Severity, Verb
from monitor.store.drills import Arrival
from monitor.web import phrases

SHOWN = 20
WAYS = {
    Paging.PROMETHEUS: "paging: prometheus, so Prometheus and Alertmanager page: your pager knows when it came",
    Paging.NONE: "paging: none, so nobody is paged",
    Paging.DIRECT: "",
}
"""Who pages where this daemon does not."""


class Knew(Struct, frozen=True, kw_only=True):
    """After how long `whom` was told; None: not yet, or never."""

    whom: str
    after_seconds: float | None


class Listed(Struct, frozen=True, kw_only=True):
    drill: Drill
    told: Sequence[Knew]
    acknowledged_after_seconds: float | None


class Drilled(Struct, frozen=True, kw_only=True):
    generated_at: datetime
    drills: Sequence[Listed]


def begin(path: Path, *, exchange: str, kind: str, severity: str, duration: str, text: str, by: str = "") -> None:
    """Ask the daemon for a drill. Ends the command where it makes no sense, or the daemon refuses it."""
    config = configured(path).config
    if exchange not in config.exchanges:
        fail(f"{exchange!r} is not watched{suggestion(exchange, config.exchanges)}", code=Code.USAGE)
    for option, given, known in (("kind", kind, IncidentKind), ("severity", severity, Severity)):
        words = [word.value for word in known]
        if given not in words:
            fail(f"--{option} {given}: there is no such {option}{suggestion(given, words)}", code=Code.USAGE)
    try:
        seconds = int(length_of(duration).total_seconds())
    except ValueError as error:
        fail(f"--for: {error}", code=Code.USAGE)
    told = {"exchange": exchange, "kind": kind, "severity": severity, "seconds": str(seconds), "text": text}
    order_of(config, Order(verb=Verb.DRILL, subject=exchange, arguments=told), by=by)
    if WAYS[config.paging]:
        print(WAYS[config.paging])


def end(config: Config, drill: str, *, by: str = "") -> None:
    """End the one that is open, or the one of that id, and tell how it went. Raises StoreError."""
    running = [each.incident.id for each in asyncio.run(_open(config))]
    if not drill and len(running) != 1:
        several = f"{len(running)} drills are open, name one: {', '.join(running)}" if running else "no drill is open"
        fail(f"{several}; `cexwatch drill list` lists them")
    name = drill or running[0]
    order_of(config, Order(verb=Verb.END_DRILL, subject=name), by=by)
    asyncio.run(_tell_one(config, name))


async def ls(config: Config, *, as_json: bool) -> None:
    """Print the newest drills. Raises StoreError."""
    async with reading(config) as desk:
        found = [await _listed(desk, drill) for drill in await desk.store.drills.newest(SHOWN)]
    if as_json:
        shown = Drilled(generated_at=desk.now, drills=found)
        print(msgspec.json.format(msgspec.json.encode(shown), indent=2).decode())
        return
    console = opened()
    if not found:
        console.print("no drill was ever begun")
    for each in found:
        _tell(console, each, config, desk.now)


async def _open(config: Config) -> Sequence[Drill]:
    async with reading(config) as desk:
        return await desk.store.drills.open()


async def _tell_one(config: Config, name: str) -> None:
    async with reading(config) as desk:
        drill = await desk.store.drills.one(name)
        found = await _listed(desk, drill) if drill is not None else None
    if found is not None:
        _tell(opened(), found, config, desk.now)


async def _listed(desk: Desk, drill: Drill) -> Listed:
    began, acknowledged = drill.incident.opened_at, drill.acknowledged_at
    arrivals = await desk.store.drills.arrivals(drill.incident.id)
    return Listed(
        drill=drill,
        told=[_knew(each, began) for each in arrivals],
        acknowledged_after_seconds=None if acknowledged is None else (acknowledged - began).total_seconds(),
    )


def _knew(arrival: Arrival, began: datetime) -> Knew:
    after = None if arrival.at is None else round((arrival.at - began).total_seconds(), 3)
    return Knew(whom=arrival.whom, after_seconds=after)


def _tell(console: Console, listed: Listed, config: Config, now: datetime) -> None:
    drill, incident = listed.drill, listed.drill.incident
    standing = f"until {phrases.clock(drill.until, now)}" if incident.resolved_at is None else _over(drill, now)
    heading = f"{incident.severity}  {incident.exchange}  {phrases.worded(incident.kind)}, {standing}"
    console.print(Text(visible(heading), "bold"))
    lines = [
        f"begun {phrases.clock(incident.opened_at, now)} by {drill.actor}",
        *(f"{each.whom}: {_after(each.after_seconds, 'told', 'not told')}" for each in listed.told),
        *([WAYS[config.paging]] if WAYS[config.paging] else []),
        _acknowledged(listed),
    ]
    for line in lines:
        console.print(indented(Text(visible(line))))
    console.print(indented(Text(incident.id, "dim")), soft_wrap=True)


def _over(drill: Drill, now: datetime) -> str:
    incident = drill.incident
    by = f"stopped by {incident.resolved_by}" if incident.resolved_by is not None else "its time was up"
    return f"over {phrases.clock(incident.resolved_at or now, now)}: {by}"


def _after(seconds: float | None, done: str, undone: str) -> str:
    return undone if seconds is None else f"{done} after {seconds:.1f} s"


def _acknowledged(listed: Listed) -> str:
    after, by = listed.acknowledged_after_seconds, listed.drill.incident.acknowledged_by
    return "not acknowledged" if after is None else f"acknowledged after {after:.1f} s by {by}"
