"""Which wallets are hot and which are cold, as the daemon would tell after a restart: the book, and what was sent."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct
from rich.table import Column, Table
from rich.text import Text

from monitor.cli.book import library
from monitor.cli.configured import configured
from monitor.cli.database import reading
from monitor.cli.holdings import numbers, opened, print_json, table
from monitor.cli.outcome import Code, fail
from monitor.cli.screen import marked, quiet
from monitor.config import Config
from monitor.config.yaml_file import suggestion
from monitor.model import WalletUsage
from monitor.reserves.book import Address, WalletRole
from monitor.reserves.roles import Wallets
from monitor.web.phrases import Mark, Tone

NEITHER = "neither"
TONES = {"hot": Tone.WARNING, "cold": Tone.FINE, NEITHER: Tone.UNKNOWN}


class Wallet(Struct, frozen=True, kw_only=True):
    exchange: str
    network: str
    address: str
    role: WalletRole | None
    why: str


class Proposal(Struct, frozen=True, kw_only=True):
    exchange: str
    network: str
    text: str


class Told(Struct, frozen=True, kw_only=True):
    generated_at: datetime
    wallets: Sequence[Wallet]
    proposals: Sequence[Proposal]


async def tell(path: Path, *, exchange: str | None, network: str | None, explain: bool, as_json: bool) -> None:
    """Print roles of the wallets that are watched: how many of each, or each with its reason. Raises StoreError."""
    config = configured(path).config
    for name, known in ((exchange, config.exchanges), (network, config.chains)):
        if name is not None and name not in known:
            fail(f"{name!r} is not watched{suggestion(name, known)}", code=Code.USAGE)
    addresses = [
        address
        for address in library(path).book.counted()
        if _is_watched(address, config) and exchange in (None, address.exchange) and network in (None, address.network)
    ]
    async with reading(config) as desk:
        usages = await desk.store.usages()
    told = _told(addresses, usages, desk.now)
    if as_json:
        print_json(told)
    else:
        _show(told, explain=explain)


def _is_watched(address: Address, config: Config) -> bool:
    return address.exchange in config.exchanges and address.network in config.chains


def _told(addresses: Iterable[Address], usages: Sequence[WalletUsage], now: datetime) -> Told:
    together: dict[tuple[str, str], list[Address]] = {}
    for address in addresses:
        together.setdefault((address.exchange, address.network), []).append(address)
    wallets: list[Wallet] = []
    proposals: list[Proposal] = []
    for (exchange, network), found in sorted(together.items(), key=lambda item: item[0]):
        known = Wallets(found)
        known.recall(used for used in usages if used.network == network)
        for account in known.addresses:
            verdict = known.verdict(account, now)
            wallets.append(
                Wallet(exchange=exchange, network=network, address=account, role=verdict.role, why=verdict.why)
            )
        proposals += [Proposal(exchange=exchange, network=network, text=text) for text in known.proposals(now)]
    return Told(generated_at=now, wallets=wallets, proposals=proposals)


def _show(told: Told, *, explain: bool) -> None:
    console = opened()
    if not told.wallets:
        console.print("no address of the book is on a chain that is watched")
        return
    shown = _each(told.wallets) if explain else _counted(told.wallets)
    console.print(shown)
    if not explain:
        console.print(quiet("each address and why: cexwatch reserves roles --explain"))
    for proposal in told.proposals:
        console.print(Text(f"{proposal.exchange} {proposal.network}: {proposal.text}"))


def _counted(wallets: Sequence[Wallet]) -> Table:
    counts: dict[tuple[str, str], Counter[str]] = {}
    for wallet in wallets:
        counts.setdefault((wallet.exchange, wallet.network), Counter())[wallet.role or NEITHER] += 1
    shown = table("exchange", "network", *numbers("wallets", "hot", "cold", NEITHER))
    for (exchange, network), roles in counts.items():
        each = [f"{roles[role]:,}" if roles[role] else quiet("-") for role in ("hot", "cold", NEITHER)]
        shown.add_row(Text(exchange, "bold"), network, f"{roles.total():,}", *each)
    return shown


def _each(wallets: Sequence[Wallet]) -> Table:
    fixed = (Column(name, no_wrap=True) for name in ("exchange", "network"))
    shown = table(*fixed, Column("address", overflow="fold"), Column("role", no_wrap=True), "why")
    for wallet in wallets:
        role = wallet.role or NEITHER
        mark = marked(Mark(role, TONES[role]))
        shown.add_row(Text(wallet.exchange, "bold"), wallet.network, Text(wallet.address), mark, wallet.why)
    return shown
