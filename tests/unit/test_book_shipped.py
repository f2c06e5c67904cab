"""The pages that come with the project hold what their source holds, but for what docs/reserves.md tells."""

import json
import os
import re
import resource
from collections import Counter
from pathlib import Path

import pytest
from msgspec import Struct

from monitor.probes import EXCHANGES
from monitor.reserves.book import Book, read
from monitor.reserves.formats import Check

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "config/reserves"
DOCUMENT = ROOT / "docs/reserves.md"
DATA = "CEXWATCH_EVAL_DATA"
CPU_SECONDS = 3.0  # usually 0.7; a restart and a reload wait for it

_EXCHANGES = re.compile(r"^\| `([\w-]+)` \| the source's `([\w.-]+)` \|$", re.MULTILINE)
_NETWORKS = re.compile(r"^\| `([\w-]+)` \| `(\w+)` \|$", re.MULTILINE)
_REJECT = re.compile(r"^\| `([\w-]+)` \| `([\w-]+)` \| `(\S+)` \| (.+) \|$", re.MULTILINE)
_TOTAL = re.compile(r"^([\d,]+) addresses of (\d+) exchanges on (\d+) networks", re.MULTILINE)


class Chain(Struct):
    addresses: list[str]


def shipped() -> Book:
    return read({path.name: path.read_text() for path in sorted(PAGES.glob("*.yaml"))})


def documented(pattern: re.Pattern[str]) -> list[tuple[str, ...]]:
    return pattern.findall(DOCUMENT.read_text())


def test_the_shipped_book_is_as_large_as_the_documentation_says() -> None:
    book = shipped()

    ((addresses, exchanges, networks),) = documented(_TOTAL)
    assert len(book.addresses) == int(addresses.replace(",", ""))
    assert len(book.exchanges) == int(exchanges)
    assert len({address.network for address in book.addresses}) == int(networks)
    assert {f"{exchange}.yaml" for exchange in book.exchanges} == {path.name for path in PAGES.glob("*.yaml")}


def test_the_shipped_book_is_read_at_once() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    shipped()

    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - before < CPU_SECONDS


def test_exchanges_that_we_can_read_have_a_page_by_our_name() -> None:
    without = {"bithumb", "coinbase", "coinone", "upbit"}  # nobody publishes a list of theirs

    assert set(EXCHANGES) - set(shipped().exchanges) == without


def test_what_is_disputed_is_told_in_the_documentation() -> None:
    text = DOCUMENT.read_text()
    disputed = [address for address in shipped().addresses if address.disputed_with]

    assert len(disputed) == 4
    assert all(f"`{a.address}`" in text and f"`{a.exchange}`" in text for a in disputed)


def test_most_of_the_book_has_a_checksum_that_holds() -> None:
    checks = Counter(address.check for address in shipped().addresses)

    assert checks[Check.CHECKSUM] > 6000
    assert checks[Check.LISTED] < 20


@pytest.mark.skipif(DATA not in os.environ, reason=f"{DATA} is not set")
def test_the_book_holds_what_its_source_holds_but_for_the_rejects() -> None:
    source = json.loads(Path(os.environ[DATA], "reserve_addresses.json").read_text())["exchanges"]
    ours = {theirs: name for name, theirs in documented(_EXCHANGES)}
    networks = {theirs: name for name, theirs in documented(_NETWORKS)}
    expected: Counter[tuple[str, str]] = Counter()
    for exchange, entry in source.items():
        for network, chain in entry["chains"].items():
            expected[ours.get(exchange, exchange), networks.get(network, network)] += len(chain["addresses"])
    for exchange, network, _, reason in documented(_REJECT):
        if "left out by the source" not in reason:
            expected[exchange, network] -= 1

    found = Counter((address.exchange, address.network) for address in shipped().addresses)
    assert found == +expected
    assert {ours.get(exchange, exchange) for exchange in source} == set(shipped().exchanges)


@pytest.mark.skipif(DATA not in os.environ, reason=f"{DATA} is not set")
def test_every_reject_of_the_source_is_documented() -> None:
    rejected = json.loads(Path(os.environ[DATA], "reserve_addresses.json").read_text())["rejected_by_format"]

    told = {address for _, _, address, _ in documented(_REJECT)}
    assert {each["address"] for each in rejected} <= told
