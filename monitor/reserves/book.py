"""The address book: which addresses an exchange is said to hold, by whom and as of when. A claim, not a proof.

Reads YAML text that the caller has loaded, and tells all that is wrong with it at once.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

from msgspec import Struct

from monitor.reserves import pages
from monitor.reserves.formats import FORMATS, AddressError, Check, written
from monitor.reserves.pages import Page, Place, Wallet

WalletRole = pages.WalletRole


class Address(Struct, frozen=True, kw_only=True):
    exchange: str
    network: str
    address: str  # as `formats.written` gives it: one account is one text
    role: WalletRole | None = None
    label: str = ""
    disputed_with: str = ""  # the exchange that is said to hold it too: it counts in neither total
    source: str
    as_of: date

    @property
    def check(self) -> Check:
        return FORMATS[self.network].check


class Published(Struct, frozen=True, kw_only=True):
    """A total that the exchange has published itself, in whole coins."""

    exchange: str
    asset: str
    amount: Decimal
    as_of: date
    source: str


class Book(Struct, frozen=True, kw_only=True):
    """All pages. `exchanges` are those that have one, also where it holds no address."""

    exchanges: tuple[str, ...]
    addresses: tuple[Address, ...]
    published: tuple[Published, ...]

    def counted(self) -> list[Address]:
        """Those that count in a total: nobody else is said to hold them."""
        return [address for address in self.addresses if not address.disputed_with]

    def of(self, exchange: str, *, network: str | None = None) -> list[Address]:
        """All of an exchange, or on one network, with those that are disputed."""
        return [a for a in self.addresses if a.exchange == exchange and network in (None, a.network)]

    def owners(self, network: str, address: str) -> list[Address]:
        """The claims to an account, however it is written: one, two that dispute it, or none.

        Raises `AddressError` for no address of that network, KeyError for a network that is not known.
        """
        account = written(network, address)
        return [a for a in self.addresses if a.network == network and a.address == account]


class BookError(Exception):
    """All that is wrong with the address book; each problem with its file, line and path."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class _Claim(Struct, frozen=True):
    address: Address
    place: Place


def read(texts: Mapping[str, str]) -> Book:
    """Read the pages, file name -> YAML text. Raises `BookError` with every problem of every page.

    A page is an `exchange`, `lists` and optionally `published`. A list has a `source`, the day it is `as_of`, and
    `wallets`: by network, each an address or `{address, label, role, disputed_with}` with role `hot` or `cold`. A
    published total is `{asset, amount, as_of, source}`.
    """
    found = [pages.read(file, text) for file, text in texts.items()]
    problems = [problem for page in found for problem in page.problems]
    addresses: list[Address] = []
    claims: dict[tuple[str, str], list[_Claim]] = {}
    for page in found:
        for claim in _claims(page):
            match claim:
                case str():
                    problems.append(claim)
                case _Claim(address=address):
                    addresses.append(address)
                    claims.setdefault((address.network, address.address), []).append(claim)
    is_whole = not problems
    for same in claims.values():
        problems += _disputes(same, is_whole=is_whole)
    if problems:
        raise BookError(problems)
    return Book(
        exchanges=tuple(dict.fromkeys(page.exchange for page in found)),
        addresses=tuple(addresses),
        published=tuple(total for page in found for total in _published(page)),
    )


def load(texts: Mapping[str, str]) -> list[Address]:
    """The addresses of `read` that count in a total. Raises `BookError`."""
    return read(texts).counted()


def unknown_network(name: str) -> str:
    """What to say of a network that no address can be of."""
    close = difflib.get_close_matches(name, FORMATS, n=1)
    hint = f", did you mean {close[0]}?" if close else ""
    return f"expected a network that is known, such as bitcoin, ethereum or tron, got {name!r}{hint}"


def _claims(page: Page) -> Iterator[_Claim | str]:
    """Each wallet, or what is wrong with it; an unknown network once."""
    unknown: dict[str, None] = {}
    for wallet in page.wallets:
        path = wallet.place.path.rpartition("[")[0]
        if wallet.network in FORMATS:
            yield _claim(page.exchange, wallet)
        elif path not in unknown:
            unknown[path] = None
            yield f"{wallet.place}: {unknown_network(wallet.network)}"


def _claim(exchange: str, wallet: Wallet) -> _Claim | str:
    try:
        account = written(wallet.network, wallet.address)
    except AddressError as error:
        return f"{wallet.place}: {error}"
    if exchange and wallet.disputed_with == exchange:
        return f"{wallet.place}: disputed_with names {exchange} itself; name the other exchange"
    address = Address(
        exchange=exchange,
        network=wallet.network,
        address=account,
        role=wallet.role,
        label=wallet.label,
        disputed_with=wallet.disputed_with,
        source=wallet.source,
        as_of=wallet.as_of,
    )
    return _Claim(address, wallet.place)


def _disputes(claims: Sequence[_Claim], *, is_whole: bool) -> Iterator[str]:
    """What is wrong with the claims to one account. A page that could not be read may hold the other side of one."""
    first, *others = claims
    account, owner = first.address.address, first.address.exchange
    if not others:
        other = first.address.disputed_with
        if other and is_whole:
            yield f"{first.place}: {account} is not listed for {other}; take disputed_with out, or list it there"
        return
    second, *more = others
    for claim in more:
        yield f"{claim.place}: {account} is listed a third time, after {first.place} and {second.place}; keep two"
    if second.address.exchange == owner:
        yield f"{second.place}: {account} is listed for {owner} at {first.place} already; keep one"
        return
    for claim, rival in ((first, second), (second, first)):
        if claim.address.disputed_with != rival.address.exchange:
            yield (
                f"{claim.place}: {account} is listed for {rival.address.exchange} too, at {rival.place}: "
                f"take out the wrong one, or say disputed_with: {rival.address.exchange} here and the reverse there"
            )


def _published(page: Page) -> Iterable[Published]:
    for total in page.published:
        yield Published(
            exchange=page.exchange, asset=total.asset, amount=total.amount, as_of=total.as_of, source=total.source
        )
