"""The address book: which addresses an exchange is said to hold, by whom and as of when. A claim, not a proof.

Reads YAML text that the caller has loaded, and tells all that is wrong with it at once.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Literal

import msgspec
from msgspec import Struct
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from monitor.reserves.checksum import checksummed

NETWORKS = ("ethereum", "bsc", "arbitrum", "optimism", "base", "polygon", "avalanche")

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")

WalletRole = Literal["hot", "cold"]


class Address(Struct, frozen=True, kw_only=True):
    exchange: str
    network: str
    address: str  # with its EIP-55 checksum
    role: WalletRole | None = None
    label: str = ""
    source: str
    as_of: date


class BookError(Exception):
    """All that is wrong with the address book; each problem with its file, line and path."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class _Wallet(Struct, forbid_unknown_fields=True):
    address: str
    label: str = ""
    role: WalletRole | None = None


class _List(Struct, forbid_unknown_fields=True):
    source: str
    as_of: date
    wallets: dict[str, list[object]]  # network -> an address, or a `_Wallet`


class _Page(Struct, forbid_unknown_fields=True):
    exchange: str
    lists: list[_List]


class _Claim(Struct, frozen=True):
    address: Address
    where: str


def load(texts: Mapping[str, str]) -> list[Address]:
    """Read the pages, file name -> YAML text. Raises `BookError` with every problem of every page.

    A page is an `exchange` and `lists`; a list has a `source`, the day it is `as_of`, and `wallets`: by network, each
    an address in quotes or `{address, label, role}` with role `hot` or `cold`.
    """
    problems: list[str] = []
    claims: dict[tuple[str, str], _Claim] = {}
    for name, text in texts.items():
        for found in _claims(name, text):
            match found:
                case str():
                    problems.append(found)
                case _Claim(address=address, where=where):
                    first = claims.setdefault((address.network, address.address), found)
                    if first is not found:
                        owner = first.address.exchange
                        problems.append(f"{where}: {address.address} is listed for {owner} at {first.where} already")
    if problems:
        raise BookError(problems)
    return [claim.address for claim in claims.values()]


def _claims(name: str, text: str) -> Iterator[_Claim | str]:
    try:
        tree = YAML(typ="rt").load(text)
        page = msgspec.convert(tree, _Page)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        yield f"{name}:{line} {error.problem}"
        return
    except (YAMLError, msgspec.ValidationError) as error:
        yield f"{name}: {error}"
        return
    for number, part in enumerate(page.lists):
        lines = tree["lists"][number]["wallets"]
        for network, wallets in part.wallets.items():
            path = f"lists[{number}].wallets.{network}"
            if network not in NETWORKS:
                yield f"{name}:{lines.lc.key(network)[0] + 1} {path}: expected one of {', '.join(NETWORKS)}"
                continue
            for index, wallet in enumerate(wallets):
                where = f"{name}:{lines[network].lc.item(index)[0] + 1} {path}[{index}]"
                yield _claim(page.exchange, part, wallet, network=network, where=where)


def _claim(exchange: str, part: _List, entry: object, *, network: str, where: str) -> _Claim | str:
    """The claim, or what is wrong with it."""
    match entry:
        case str():
            wallet = _Wallet(entry)
        case int():
            return f"{where}: expected an address in quotes, got a number"
        case _:
            try:
                wallet = msgspec.convert(entry, _Wallet)
            except msgspec.ValidationError as error:
                return f"{where}: {error}"
    if not _ADDRESS.fullmatch(wallet.address):
        return f"{where}: expected 0x and 40 hex digits, got {wallet.address!r}"
    address = checksummed(wallet.address)
    digits = wallet.address[2:]
    if digits not in (digits.lower(), digits.upper(), address[2:]):
        return f"{where}: {wallet.address} has the wrong EIP-55 checksum; is a digit mistyped?"
    return _Claim(
        Address(
            exchange=exchange,
            network=network,
            address=address,
            role=wallet.role,
            label=wallet.label,
            source=part.source,
            as_of=part.as_of,
        ),
        where,
    )
