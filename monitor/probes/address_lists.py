"""Lists of reserve addresses, as exchanges serve them and in files. A list is read whole or not at all."""

import csv
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import date
from typing import Literal

from msgspec import Struct

from monitor.model import FailureReason, RemoteError
from monitor.probes.answer import Envelope, decode, enveloped, shortened
from monitor.probes.networks import our_network
from monitor.reserves.comparing import Said, SaidList

Ask = Callable[[str], Awaitable[bytes]]
"""The body at a URL. Raises `RemoteError`."""

MONTHS_BACK = 2  # a monthly file comes out days after its month began, or weeks
PAGE = 100  # addresses; Bitstamp refuses to give more at once
MOST_PAGES = 500
LONGEST_LABEL = 100

_BYBIT = ["Coin", "Height", "Amount", "Address"]

_NOT_OUT_YET = (FailureReason.HTTP_4XX, FailureReason.SCHEMA)  # no such file, or a page of words in its place

_WORDS = {
    "avalanche-c-chain": "avalanche",
    "avax": "avalanche",
    "chz2": "chiliz",
    "era": "zksync",
    "hyperevm": "hyperliquid",
    "kavaevm": "kava",
    "stk": "starknet",
    "xdc-network": "xdc",
}
"""What such lists mean by a word that is another network's elsewhere, or nobody else's."""


class LiveList(Struct, frozen=True):
    url: str
    read: Callable[[Ask, str, date], Awaitable[SaidList]]
    """Asks below a URL, as of a day. Raises `RemoteError`."""


class _Reserve(Struct, frozen=True, rename="camel"):
    network: str
    address: str
    third_party_custodian_name: str | None = None


class _Wallet(Struct, frozen=True):
    address: str
    network: str


class _Transparency(Struct, frozen=True):
    wallets: dict[str, list[_Wallet]]


async def read_binance(ask: Ask, url: str, today: date) -> SaidList:
    """One JSON document, `{code: "000000", data: [{network, address, thirdPartyCustodianName}]}`."""
    rows = enveloped(await ask(url), Envelope[list[_Reserve]], fine="000000")
    return _said("binance", url, today, (_reserve(row) for row in rows))


async def read_bybit(ask: Ask, url: str, today: date) -> SaidList:
    """The newest of the monthly files `bybit_por_YYYYMM.csv`, of this month or one of the two before."""
    *newer, oldest = _months(today)
    for month in newer:
        try:
            return await _bybit_of(month, ask, url)
        except RemoteError as error:
            if error.reason not in _NOT_OUT_YET:
                raise
    return await _bybit_of(oldest, ask, url)


async def read_bitstamp(ask: Ask, url: str, today: date) -> SaidList:
    """The union of pages `{wallets: {asset: [{address, network}]}}`, up to the first that is empty.

    What a page holds differs from call to call, so neither a page that is not full nor one that ends like the one
    before means the end.
    """
    found: list[Said] = []
    for page in range(1, MOST_PAGES + 1):
        answer = decode(await ask(f"{url}?perPage={PAGE}&page={page}"), _Transparency)
        wallets = [wallet for wallets in answer.wallets.values() for wallet in wallets]
        if not wallets:
            return _said("bitstamp", url, today, found)
        found += [Said(network=_network(wallet.network), address=wallet.address.strip()) for wallet in wallets]
    raise RemoteError(FailureReason.SHAPE, f"no end after {MOST_PAGES} pages")


LISTS = {
    "binance": LiveList("https://www.binance.com/bapi/apex/v1/public/apex/market/por/address", read_binance),
    "bitstamp": LiveList("https://www.bitstamp.net/api/v2/wallet_transparency/", read_bitstamp),
    "bybit": LiveList("https://api2.bybit.com/common-static/por", read_bybit),
}
"""Exchange -> where its own list is. All of them are for its web pages: undocumented, and closed to some countries."""


def decode_bybit(body: bytes) -> list[Said]:
    """Rows `Coin,Height,Amount,Address`: a coin and a network joined by a dash, and addresses apart by spaces.

    Rows of `(ALL)` are sums without an address. Raises `RemoteError` (encoding, schema).
    """
    rows = _rows(body)
    if next(rows, [])[:1] != _BYBIT[:1]:
        raise RemoteError(FailureReason.SCHEMA, "the first line is not Coin,Height,Amount,Address")
    found = []
    for line, row in enumerate(rows, start=2):
        coin, addresses = (row[0], " ".join(row[3:])) if row else ("(ALL)", "")
        if "(ALL)" not in coin:
            if len(row) < len(_BYBIT):
                raise RemoteError(FailureReason.SCHEMA, f"line {line} breaks off")
            network = _network(coin.rpartition("-")[2])
            found += [Said(network=network, address=address) for address in addresses.split()]
    return found


def decode_file(body: bytes) -> list[Said]:
    """A CSV file with a line of headings: `network` and `address`, and if wanted `role` (hot or cold) and `label`.

    Raises `RemoteError` (encoding, schema) with the line.
    """
    rows = _rows(body)
    headings = [heading.strip().lower() for heading in next(rows, [])]
    if not {"network", "address"} <= set(headings) <= {"network", "address", "role", "label"}:
        raise RemoteError(FailureReason.SCHEMA, "the first line must hold network and address, and may role and label")
    found = []
    for line, row in enumerate(rows, start=2):
        if not any(row):
            continue
        if len(row) != len(headings):
            raise RemoteError(FailureReason.SCHEMA, f"line {line} has {len(row)} values, not {len(headings)}")
        values = dict(zip(headings, (value.strip() for value in row), strict=True))
        role = _role(values.get("role", ""), line=line)
        label = _label(values.get("label", ""))
        found.append(Said(network=_network(values["network"]), address=values["address"], role=role, label=label))
    return found


async def _bybit_of(month: date, ask: Ask, url: str) -> SaidList:
    file = f"{url}/bybit_por_{month:%Y%m}.csv"
    return _said("bybit", file, month, decode_bybit(await ask(file)))


def _said(exchange: str, source: str, as_of: date, found: Iterable[Said]) -> SaidList:
    addresses = tuple(dict.fromkeys(found))
    if not addresses:
        raise RemoteError(FailureReason.SHAPE, "an empty list")
    return SaidList(exchange=exchange, source=source, as_of=as_of, addresses=addresses)


def _reserve(row: _Reserve) -> Said:
    custodian = row.third_party_custodian_name or ""
    label = _label(f"held by {custodian}") if custodian.strip() else ""
    return Said(network=_network(row.network), address=row.address.strip(), label=label)


def _months(today: date) -> list[date]:
    """The first days of this month and of those before, newest first."""
    months = [today.year * 12 + today.month - 1 - back for back in range(MONTHS_BACK + 1)]
    return [date(month // 12, month % 12 + 1, 1) for month in months]


def _rows(body: bytes) -> Iterator[list[str]]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RemoteError(FailureReason.ENCODING, f"not UTF-8: {error.reason} at byte {error.start}") from error
    try:
        yield from csv.reader(text.splitlines())
    except csv.Error as error:
        raise RemoteError(FailureReason.SCHEMA, shortened(f"not CSV: {error}")) from error


def _network(word: str) -> str:
    key = word.strip().lower()
    return _WORDS.get(key) or our_network(key)


def _role(word: str, *, line: int) -> Literal["hot", "cold"] | None:
    match word.lower():
        case "":
            return None
        case "hot":
            return "hot"
        case "cold":
            return "cold"
        case _:
            raise RemoteError(FailureReason.SCHEMA, f"line {line}: the role is hot or cold, not {word!r}")


def _label(text: str) -> str:
    return "".join(character for character in text if character.isprintable())[:LONGEST_LABEL]
