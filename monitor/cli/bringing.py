"""`cexwatch journal from-csv` and `from-prometheus`: history of others into a journal file."""

import asyncio
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from monitor.cli.outcome import Code, fail, tell
from monitor.cli.screen import counting, visible
from monitor.clock import Clock
from monitor.http import Http
from monitor.imports.mapping import read_mapping
from monitor.imports.ranges import Prometheus, Span, fresh, may_hold
from monitor.imports.series import MEASURES, Made, Wish, WishError, check, made
from monitor.imports.table import read_table, told
from monitor.model import Observation
from monitor.replay.journal import write_line

PER_SECOND = 20.0
_NAMED = re.compile(r"(?P<name>[a-z_]+)=(?![~=])(?P<rest>.+)", re.DOTALL)


def from_csv(mapping: Path, table: Path, out: Path) -> Code:
    """Write the rows that can be read and tell of each that cannot. Raises ConfigError, TableError, OSError."""
    read = read_table(table, read_mapping(mapping))
    for line in told(table, read.bad):
        tell(visible(line))
    if not read.entries:
        fail(f"{table}: no row could be read, so nothing is written")
    _write(out, read.entries)
    left = f", {len(read.bad):,} rows left out" if read.bad else ""
    print(f"{out}: {_summed(read.entries)}{left}")
    return Code.UNKNOWN if read.bad else Code.FINE


def from_prometheus(wish: Wish, span: Span, *, url: str, token: str, out: Path) -> Code:
    """Write what the series tell and why some tell nothing. Raises RemoteError, OSError."""
    try:
        check(wish)
    except WishError as error:
        fail(str(error), code=Code.USAGE)
    for name, query in wish.queries.items():
        if may_hold(query):
            tell(
                f"{name}: a server may hold a value for five minutes after its last scrape, which looks like nothing "
                f"sent; {fresh('x', span.step)} inside of the query keeps what was not scraped apart"
            )
    found = asyncio.run(_asked(wish, span, url=url, token=token))
    for left in found.left:
        labels = ", ".join(f'{name}="{value}"' for name, value in left.labels.items())
        tell(visible(f"{{{labels}}}: {left.why}"))
    if not found.entries:
        fail("no series tells anything of that time, so nothing is written")
    _write(out, found.entries)
    more = f", {len(found.left):,} series left out" if found.left else ""
    print(f"{out}: {_summed(found.entries)}{more}")
    return Code.UNKNOWN if found.left else Code.FINE


def queries_of(kind: str, given: Iterable[str]) -> dict[str, str]:
    """`inflow=sum(...)` by measure; one without a name is of the first measure. Ends the command for others."""
    if kind not in MEASURES:
        fail(f"--kind {kind}: expected one of {', '.join(MEASURES)}", code=Code.USAGE)
    queries: dict[str, str] = {}
    for text in given:
        named = _NAMED.fullmatch(text.strip())
        name, query = (named["name"], named["rest"]) if named is not None else (MEASURES[kind][0], text)
        if name in queries:
            fail(f"--query: two of {name}", code=Code.USAGE)
        queries[name] = query
    return queries


def pairs_of(option: str, given: Iterable[str]) -> dict[str, str]:
    """`exchange=kraken` ... Ends the command for what is no such pair."""
    pairs: dict[str, str] = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name or not value:
            fail(f"{option} {text}: expected FIELD=VALUE", code=Code.USAGE)
        pairs[name] = value
    return pairs


async def _asked(wish: Wish, span: Span, *, url: str, token: str) -> Made:
    async with Http(Clock(), per_second=_paces(url)) as http:
        server = Prometheus(http, url, token=token)
        with counting("asking", unit="points") as progress:
            series = {name: await server.series(query, span, progress=progress) for name, query in wish.queries.items()}
    return made(wish, series)


def _paces(url: str) -> dict[str, float]:
    host = re.sub(r"^https?://(?:[^@/]*@)?", "", url).split("/")[0].rsplit(":", 1)[0]
    return {host: PER_SECOND}


def _write(out: Path, entries: Sequence[Observation]) -> None:
    with out.open("wb") as file:
        file.writelines(write_line(entry) for entry in entries)


def _summed(entries: Sequence[Observation]) -> str:
    return f"{len(entries):,} entries from {entries[0].at:%Y-%m-%d %H:%M} to {entries[-1].at:%Y-%m-%d %H:%M} UTC"
