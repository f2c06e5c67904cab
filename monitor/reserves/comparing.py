"""A list of addresses beside the book: what it adds, and what it no longer holds. Nothing of ours is ever dropped."""

from datetime import date

from msgspec import Struct

from monitor.reserves.book import Address, Book, unknown_network
from monitor.reserves.formats import FORMATS, AddressError, written
from monitor.reserves.pages import WalletRole
from monitor.reserves.writing import Addition, Entry


class Said(Struct, frozen=True, kw_only=True):
    """An address as a list tells it, not verified yet. `network` is our word where we have one."""

    network: str
    address: str
    role: WalletRole | None = None
    label: str = ""


class SaidList(Struct, frozen=True, kw_only=True):
    """All of a list, read to its end."""

    exchange: str
    source: str
    as_of: date
    addresses: tuple[Said, ...]


class Refused(Struct, frozen=True, kw_only=True):
    network: str
    address: str
    reason: str


class Claimed(Struct, frozen=True, kw_only=True):
    """An address that the book has for another exchange."""

    network: str
    address: str
    owner: str


class Comparison(Struct, frozen=True, kw_only=True):
    exchange: str
    source: str
    as_of: date
    same: int
    added: tuple[Address, ...]
    missing: tuple[Address, ...]  # ours, on a network that the list tells of, and no longer in it
    claimed: tuple[Claimed, ...]
    refused: tuple[Refused, ...]
    untold: dict[str, int]  # network -> how many are ours there, where the list tells nothing


def compare(book: Book, said: SaidList) -> Comparison:
    """Every address of `said` is in one of `same`, `added`, `claimed` or `refused`; every one of ours in `same`,
    `missing` or `untold`.
    """
    ours = {(a.network, a.address): a for a in book.of(said.exchange)}
    others = {(a.network, a.address): a.exchange for a in book.addresses if a.exchange != said.exchange}
    listed: dict[tuple[str, str], Said] = {}
    refused = []
    for each in said.addresses:
        try:
            listed.setdefault((each.network, _account(each)), each)
        except AddressError as error:
            refused.append(Refused(network=each.network, address=each.address, reason=str(error)))
    told = {network: None for network, _ in listed}
    new = [key for key in listed if key not in ours]
    untold: dict[str, int] = {}
    for network, _ in ours:
        if network not in told:
            untold[network] = untold.get(network, 0) + 1
    return Comparison(
        exchange=said.exchange,
        source=said.source,
        as_of=said.as_of,
        same=len(listed) - len(new),
        added=tuple(_address(said, listed[key], account=key[1]) for key in new if key not in others),
        missing=tuple(a for key, a in ours.items() if key[0] in told and key not in listed),
        claimed=tuple(
            Claimed(network=network, address=account, owner=others[network, account])
            for network, account in new
            if (network, account) in others
        ),
        refused=tuple(refused),
        untold=untold,
    )


def addition(comparison: Comparison) -> Addition:
    """What to add to the exchange's page: `added`, by network."""
    wallets: dict[str, list[Entry]] = {}
    for each in comparison.added:
        entry = Entry(address=each.address, role=each.role, label=each.label)
        wallets.setdefault(each.network, []).append(entry)
    return Addition(source=comparison.source, as_of=comparison.as_of, wallets=wallets)


def _account(said: Said) -> str:
    if said.network not in FORMATS:
        raise AddressError(unknown_network(said.network))
    return written(said.network, said.address)


def _address(said: SaidList, each: Said, *, account: str) -> Address:
    return Address(
        exchange=said.exchange,
        network=each.network,
        address=account,
        role=each.role,
        label=each.label,
        source=said.source,
        as_of=said.as_of,
    )
