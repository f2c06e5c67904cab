"""`cexwatch reserves scan`: every known balance, read now from the chains themselves, without a daemon."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from pathlib import Path

import msgspec
from msgspec import Struct
from rich.table import Column, Table
from rich.text import Text

from monitor import polls
from monitor.chains.ledger import Head, Holding, Ledger
from monitor.cli import screen
from monitor.cli.configured import configured
from monitor.cli.judged import book_of
from monitor.cli.outcome import Code, fail
from monitor.cli.screen import quiet
from monitor.clock import Clock
from monitor.config import Config
from monitor.config.yaml_file import suggestion
from monitor.ledgers import Reach, Read, read_of
from monitor.model import RemoteError
from monitor.reserves.book import Book
from monitor.web import phrases

CHUNK = 200  # wallets between two steps of the bar
FUTILE = 2  # readings in a row that brought nothing new: what is missing then cannot be read


class Held(Struct, frozen=True, kw_only=True):
    """What known wallets hold of one asset on one network; `amount` is a part where not all were read."""

    exchange: str
    asset: str
    network: str
    amount: Decimal
    wallets: int
    wallets_read: int
    height: int


class Unseen(Struct, frozen=True, kw_only=True):
    exchange: str
    network: str
    reason: str
    detail: str


class Found(Struct, frozen=True):
    held: list[Held]
    unseen: list[Unseen]


class _Job(Struct, frozen=True):
    exchange: str
    read: Read
    addresses: tuple[str, ...]


def scan(path: Path, *, exchanges: Sequence[str], networks: Sequence[str], as_json: bool) -> Code:
    """Read, print, and say whether everything was read."""
    config = configured(path).config
    book = book_of(config)
    _check(exchanges, book.exchanges, what="exchange with an address book")
    _check(networks, config.chains, what="chain in the configuration")
    wanted = exchanges or list(config.exchanges)
    with screen.counting("reading", unit="wallets") as progress:
        found = asyncio.run(_scan(config, book, exchanges=wanted, networks=networks, progress=progress))
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    else:
        _show(found)
    is_whole = not found.unseen and all(held.wallets_read == held.wallets for held in found.held)
    return Code.FINE if is_whole else Code.UNKNOWN


def _check(named: Iterable[str], known: Iterable[str], *, what: str) -> None:
    known = list(known)
    for name in named:
        if name not in known:
            fail(f"no {what} {name!r}{suggestion(name, known)}", code=Code.USAGE)


async def _scan(
    config: Config,
    book: Book,
    *,
    exchanges: Sequence[str],
    networks: Sequence[str],
    progress: Callable[[int, int], None],
) -> Found:
    clock = Clock()
    chains = {name: chain for name, chain in config.chains.items() if name in networks or not networks}
    async with polls.opened(config, clock) as ways:
        reach = Reach(ways.http, clock, ways.wires)
        reads = {name: read_of(name, chain, reach=reach) for name, chain in chains.items()}
        jobs = [
            _Job(exchange, read, addresses)
            for network, read in reads.items()
            for exchange in exchanges
            if (addresses := tuple(a.address for a in book.counted() if (a.exchange, a.network) == (exchange, network)))
        ]
        steps = _Steps(sum(len(job.addresses) for job in jobs), progress)
        found = Found([], [])
        async with asyncio.TaskGroup() as group:
            for network in reads:
                own = [job for job in jobs if job.read.ledger.network == network]
                group.create_task(_of_chain(own, found, steps), name=network)
        return found


class _Steps:
    def __init__(self, total: int, progress: Callable[[int, int], None]) -> None:
        self._done = 0
        self._total = total
        self._progress = progress
        progress(0, total)

    def walk(self, wallets: int) -> None:
        self._done += wallets
        self._progress(self._done, self._total)


async def _of_chain(jobs: Sequence[_Job], found: Found, steps: _Steps) -> None:
    """One exchange after the other: the chains are read side by side, and each host has its pace."""
    for job in jobs:
        ledger = job.read.ledger
        for start in range(0, len(job.addresses), CHUNK):
            part = job.addresses[start : start + CHUNK]
            try:
                amounts, head = await _balances(ledger, job.read, part)
            except RemoteError as error:
                unseen = Unseen(exchange=job.exchange, network=ledger.network, reason=error.reason, detail=error.detail)
                found.unseen.append(unseen)
                steps.walk(len(job.addresses) - start)
                break
            _add(found, job, part, amounts, head)
            steps.walk(len(part))


async def _balances(ledger: Ledger, read: Read, addresses: Sequence[str]) -> tuple[dict[Holding, int], Head]:
    """What can be read of them; a host that gives a few at a time is asked until it gives no more."""
    holdings = [Holding(address, token) for token in read.tokens for address in addresses]
    snapshot = await ledger.balances(holdings)
    amounts, futile = dict(snapshot.amounts), 0
    while len(amounts) < len(holdings) and futile < FUTILE:
        snapshot = await ledger.balances([holding for holding in holdings if holding not in amounts])
        futile = 0 if snapshot.amounts else futile + 1
        amounts |= snapshot.amounts
    return amounts, snapshot.head


def _add(found: Found, job: _Job, addresses: Sequence[str], amounts: dict[Holding, int], head: Head) -> None:
    for token in job.read.tokens:
        read = [amounts[each] for address in addresses if (each := Holding(address, token)) in amounts]
        held = Held(
            exchange=job.exchange,
            asset=token.asset,
            network=job.read.ledger.network,
            amount=Decimal(f"{sum(read)}e-{token.decimals}"),
            wallets=len(addresses),
            wallets_read=len(read),
            height=head.number,
        )
        _merge(found.held, held)


def _merge(known: list[Held], new: Held) -> None:
    for place, held in enumerate(known):
        if (held.exchange, held.asset, held.network) == (new.exchange, new.asset, new.network):
            known[place] = msgspec.structs.replace(
                held,
                amount=held.amount + new.amount,
                wallets=held.wallets + new.wallets,
                wallets_read=held.wallets_read + new.wallets_read,
                height=min(held.height, new.height),
            )
            return
    known.append(new)


def _show(found: Found) -> None:
    console = screen.out()
    names = (Column(name, no_wrap=True) for name in ("exchange", "asset", "network"))
    numbers = (Column(name, justify="right", no_wrap=True) for name in ("coins", "wallets read", "block"))
    table = Table(*names, *numbers, box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for held in sorted(found.held, key=lambda held: (held.exchange, held.asset, held.network)):
        read = f"{held.wallets_read} of {held.wallets}"
        is_whole = held.wallets_read == held.wallets
        table.add_row(
            Text(held.exchange, "bold"),
            held.asset,
            held.network,
            phrases.amount(held.amount) if held.wallets_read else quiet("unknown"),
            read if is_whole else Text(read, "magenta"),
            f"{held.height:,}",
        )
    if found.held:
        console.print(table)
    for line in _failures(found.unseen):
        console.print(Text(line))


def _failures(unseen: Sequence[Unseen]) -> list[str]:
    """A line a network: why it could not be read, the first detail of each reason, and of whom."""
    together: dict[str, list[Unseen]] = {}
    for each in unseen:
        together.setdefault(each.network, []).append(each)
    lines = []
    for network, failed in together.items():
        reasons: dict[str, str] = {}
        for each in failed:
            reasons.setdefault(each.reason, screen.visible(each.detail))
        why = "; ".join(f"{reason}, {detail}" for reason, detail in reasons.items())
        lines.append(f"{network} was not read to the end, of {', '.join(each.exchange for each in failed)}: {why}")
    return lines
