from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from monitor.reserves.book import Address, BookError, load
from monitor.reserves.checksum import checksummed

CONFIG = Path(__file__).parents[2] / "config/reserves"

# The examples of EIP-55.
CHECKSUMMED = (
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
)
MIXED = CHECKSUMMED[2]


def page(*wallets: str, exchange: str = "kraken", network: str = "ethereum") -> str:
    lines = [f"exchange: {exchange}", "lists:", "  - source: a list@c0ffee", "    as_of: 2026-08-22", "    wallets:"]
    return "\n".join([*lines, f"      {network}:", *(f"        - {wallet}" for wallet in wallets)])


def problems(texts: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(BookError) as caught:
        load(texts)
    return caught.value.problems


@pytest.mark.parametrize("address", CHECKSUMMED)
def test_checksum_is_that_of_eip_55(address: str) -> None:
    assert checksummed(address.lower()) == address


def test_an_entry_is_an_address_or_says_more_about_it() -> None:
    other = CHECKSUMMED[3]
    text = page(f'"{MIXED.lower()}"', f'{{address: "{other}", label: cold 1, role: cold}}')

    source, as_of = "a list@c0ffee", date(2026, 8, 22)
    assert load({"kraken.yaml": text}) == [
        Address(exchange="kraken", network="ethereum", address=MIXED, source=source, as_of=as_of),
        Address(
            exchange="kraken",
            network="ethereum",
            address=other,
            role="cold",
            label="cold 1",
            source=source,
            as_of=as_of,
        ),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            page(f'"{MIXED[:-1]}"'), "kraken.yaml:7 lists[0].wallets.ethereum[0]: expected 0x and", id="short"
        ),
        pytest.param(page('"0x' + "g" * 40 + '"'), "kraken.yaml:7 lists[0].wallets.ethereum[0]: expected 0x", id="hex"),
        pytest.param(page(f'"{MIXED.swapcase()}"'.replace("X", "x")), "wrong EIP-55 checksum", id="checksum"),
        pytest.param(
            page(MIXED), "kraken.yaml:7 lists[0].wallets.ethereum[0]: expected an address in quotes", id="bare"
        ),
        pytest.param(page(f'{{address: "{MIXED}", role: warm}}'), "kraken.yaml:7 lists[0].wallets", id="unknown role"),
        pytest.param(page(f'{{addres: "{MIXED}"}}'), "unknown field `addres`", id="unknown field of a wallet"),
        pytest.param(page(f'"{MIXED}"', network="etherium"), "kraken.yaml:6 lists[0].wallets.etherium:", id="network"),
        pytest.param(page(f'"{MIXED}"', f'"{MIXED.lower()}"'), "kraken.yaml:8 ", id="listed twice"),
        pytest.param("exchange: kraken\nexchange: htx\nlists: []", "kraken.yaml:2 found duplicate key", id="twice"),
        pytest.param("exchange: [kraken", "kraken.yaml:1 ", id="not YAML"),
        pytest.param("exchange: \x01", "kraken.yaml: ", id="not text"),
        pytest.param("exchange: kraken", "missing required field `lists`", id="no lists"),
        pytest.param("", "kraken.yaml: Expected `object`, got `null`", id="empty"),
    ],
)
def test_a_problem_says_where_it_is(text: str, problem: str) -> None:
    (found,) = problems({"kraken.yaml": text})

    assert problem in found
    assert found.startswith("kraken.yaml:")


def test_an_address_of_two_exchanges_on_one_network_is_refused() -> None:
    texts = {"kraken.yaml": page(f'"{MIXED}"'), "htx.yaml": page(f'"{MIXED.lower()}"', exchange="htx")}

    (problem,) = problems(texts)
    assert problem.startswith("htx.yaml:7 lists[0].wallets.ethereum[0]:")
    assert "kraken.yaml:7" in problem


def test_an_address_may_be_of_two_exchanges_on_two_networks() -> None:
    texts = {"kraken.yaml": page(f'"{MIXED}"'), "htx.yaml": page(f'"{MIXED}"', exchange="htx", network="bsc")}

    assert [address.exchange for address in load(texts)] == ["kraken", "htx"]


def test_all_problems_are_told_at_once() -> None:
    texts = {"kraken.yaml": page('"0x12"', f'"{MIXED}"', '"0x34"'), "htx.yaml": "lists: ["}

    assert len(problems(texts)) == 3


def test_the_shipped_book_holds_every_exchange_of_the_default_configuration() -> None:
    pages = {path.name: path.read_text() for path in CONFIG.glob("*.yaml")}

    count = Counter(address.exchange for address in load(pages))
    assert set(count) == {"kraken", "kucoin", "gate", "htx", "bitget", "binance", "okx", "bybit"}
    assert min(count.values()) >= 15
