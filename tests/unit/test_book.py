from datetime import date
from decimal import Decimal

import pytest

from monitor.reserves.book import Address, BookError, Published, load, read
from monitor.reserves.checksum import checksummed
from monitor.reserves.formats import AddressError, Check

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
OTHER = CHECKSUMMED[3]


def page(*wallets: str, exchange: str = "kraken", network: str = "ethereum") -> str:
    lines = [f"exchange: {exchange}", "lists:", "  - source: a list@c0ffee", "    as_of: 2026-08-22", "    wallets:"]
    return "\n".join([*lines, f"      {network}:", *(f"        - {wallet}" for wallet in wallets)])


def disputed(other: str) -> str:
    return f'{{address: "{MIXED}", disputed_with: {other}}}'


def problems(texts: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(BookError) as caught:
        read(texts)
    return caught.value.problems


@pytest.mark.parametrize("address", CHECKSUMMED)
def test_checksum_is_that_of_eip_55(address: str) -> None:
    assert checksummed(address.lower()) == address


def test_an_entry_is_an_address_or_says_more_about_it() -> None:
    text = page(f'"{MIXED.lower()}"', f'{{address: "{OTHER}", label: cold 1, role: cold}}')

    source, as_of = "a list@c0ffee", date(2026, 8, 22)
    book = read({"kraken.yaml": text})
    assert book.exchanges == ("kraken",)
    assert book.addresses == (
        Address(exchange="kraken", network="ethereum", address=MIXED, source=source, as_of=as_of),
        Address(
            exchange="kraken",
            network="ethereum",
            address=OTHER,
            role="cold",
            label="cold 1",
            source=source,
            as_of=as_of,
        ),
    )
    assert book.addresses[0].check is Check.CHECKSUM


def test_an_address_needs_no_quotes_and_is_never_a_number() -> None:
    (address,) = load({"kraken.yaml": page(MIXED)})

    assert address.address == MIXED


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            page(f'"{MIXED[:-1]}"'),
            "kraken.yaml:7 lists[0].wallets.ethereum[0]: expected 0x and 40 hex digits",
            id="short",
        ),
        pytest.param(page('"0x' + "g" * 40 + '"'), "kraken.yaml:7 lists[0].wallets.ethereum[0]: expected 0x", id="hex"),
        pytest.param(page(f'"{MIXED.swapcase()}"'.replace("X", "x")), "wrong EIP-55 checksum", id="checksum"),
        pytest.param(
            page(f'{{address: "{MIXED}", role: warm}}'),
            "kraken.yaml:7 lists[0].wallets.ethereum[0].role: expected hot or cold, got 'warm'",
            id="unknown role",
        ),
        pytest.param(
            page(f'{{address: "{MIXED}", addres: a}}'),
            "kraken.yaml:7 lists[0].wallets.ethereum[0].addres: unknown field; known here: address, label",
            id="unknown field of a wallet",
        ),
        pytest.param(page("{label: a}"), "wallets.ethereum[0]: missing required field `address`", id="no address"),
        pytest.param(page("[a]"), "kraken.yaml:7 lists[0].wallets.ethereum[0]: expected an address, or {", id="a list"),
        pytest.param(page('""'), "kraken.yaml:7 lists[0].wallets.ethereum[0]: expected an address, or {", id="nothing"),
        pytest.param(
            page(f'"{MIXED}"', network="etherium"),
            "kraken.yaml:7 lists[0].wallets.etherium[0]: expected a network that is known, such as bitcoin, ethereum "
            "or tron, got 'etherium', did you mean ethereum?",
            id="network",
        ),
        pytest.param(page(f'"{MIXED}"', f'"{OTHER}"', network="xyzzy"), "got 'xyzzy'", id="a network is told once"),
        pytest.param(page(f'"{MIXED}"', f'"{MIXED.lower()}"'), "kraken.yaml:8 ", id="listed twice"),
        pytest.param(
            page(f'"{MIXED}"').replace("2026-08-22", "22.8.2026"),
            "kraken.yaml:4 lists[0].as_of: expected a day like 2026-08-22, got '22.8.2026'",
            id="no day",
        ),
        pytest.param(
            page(f'"{MIXED}"').replace("    as_of: 2026-08-22\n", ""),
            "kraken.yaml:3 lists[0]: missing required field `as_of`",
            id="day missing",
        ),
        pytest.param(
            "exchange: kraken\nlists: []\nexchange: htx",
            "kraken.yaml:3 exchange: exchange is written twice",
            id="twice",
        ),
        pytest.param(
            "exchange: kraken\nlists: {}", "kraken.yaml:2 lists: expected a list, got a mapping", id="no list"
        ),
        pytest.param("- kraken", "kraken.yaml:1: expected a mapping like 'key: value', got a list", id="no mapping"),
        pytest.param("exchange: [kraken", "kraken.yaml:1: not YAML", id="not YAML"),
        pytest.param("exchange: a\n\x01", "kraken.yaml:2: not YAML: it holds a control character", id="not text"),
        pytest.param("[" * 2000, "kraken.yaml:1: nested too deeply", id="nested"),
        pytest.param("exchange: kraken", "kraken.yaml:1: missing required field `lists`", id="no lists"),
        pytest.param("", "kraken.yaml:1: expected `exchange` and `lists`, got nothing", id="empty"),
        pytest.param(page(disputed("kraken")), "disputed_with names kraken itself", id="disputed with itself"),
        pytest.param(page(disputed("htx")), f"{MIXED} is not listed for htx; take disputed_with out", id="one-sided"),
        pytest.param(
            page(f'"{MIXED}"') + "\npublished:\n  - {asset: BTC, amount: a lot, as_of: 2026-08-01, source: them}",
            "kraken.yaml:9 published[0].amount: expected whole coins like 412000.5, got 'a lot'",
            id="amount",
        ),
    ],
)
def test_a_problem_says_where_it_is(text: str, problem: str) -> None:
    (found,) = problems({"kraken.yaml": text})

    assert problem in found
    assert found.startswith("kraken.yaml:")


def test_an_address_of_two_exchanges_is_refused_on_both_pages() -> None:
    texts = {"kraken.yaml": page(f'"{MIXED}"'), "htx.yaml": page(f'"{MIXED.lower()}"', exchange="htx")}

    first, second = problems(texts)
    assert first.startswith("kraken.yaml:7 lists[0].wallets.ethereum[0]:")
    assert "say disputed_with: htx here" in first
    assert second.startswith("htx.yaml:7 lists[0].wallets.ethereum[0]:")
    assert "kraken.yaml:7" in second


def test_a_dispute_must_be_told_on_both_sides() -> None:
    texts = {"kraken.yaml": page(disputed("htx")), "htx.yaml": page(f'"{MIXED}"', exchange="htx")}

    (problem,) = problems(texts)
    assert problem.startswith("htx.yaml:7")
    assert "say disputed_with: kraken here" in problem


def test_a_third_claim_is_refused() -> None:
    texts = {"kraken.yaml": page(disputed("htx")), "htx.yaml": page(disputed("kraken"), exchange="htx")}

    (problem,) = problems({**texts, "okx.yaml": page(disputed("htx"), exchange="okx")})
    assert problem.startswith("okx.yaml:7")
    assert "a third time" in problem


def test_a_disputed_address_counts_for_nobody() -> None:
    kraken = page(disputed("htx"), f'"{OTHER}"')
    book = read({"kraken.yaml": kraken, "htx.yaml": page(disputed("kraken"), exchange="htx")})

    assert [(a.exchange, a.disputed_with) for a in book.owners("ethereum", MIXED.lower())] == [
        ("kraken", "htx"),
        ("htx", "kraken"),
    ]
    assert [(a.exchange, a.address) for a in book.counted()] == [("kraken", OTHER)]
    assert [a.address for a in book.of("kraken")] == [MIXED, OTHER]
    assert book.of("htx", network="bsc") == []


def test_an_owner_is_asked_for_in_any_writing_of_the_account() -> None:
    book = read({"kraken.yaml": page("3MSvaVbVFFLML86rt5eqgA9SvW23upaXdY", network="litecoin")})

    (owner,) = book.owners("litecoin", "MTf4tP1TCNBn8dNkyxeBVoPrFCcVzxJvvh")
    assert owner.exchange == "kraken"
    assert book.owners("ethereum", MIXED) == []
    with pytest.raises(AddressError):
        book.owners("litecoin", MIXED)


def test_an_address_may_be_of_two_exchanges_on_two_networks() -> None:
    texts = {"kraken.yaml": page(f'"{MIXED}"'), "htx.yaml": page(f'"{MIXED}"', exchange="htx", network="bsc")}

    assert [address.exchange for address in load(texts)] == ["kraken", "htx"]


def test_what_an_exchange_publishes_itself_stands_beside_its_addresses() -> None:
    total = "{asset: btc, amount: 412000.50, as_of: 2026-08-01, source: its page}"
    book = read({"kraken.yaml": f"{page(MIXED)}\npublished:\n  - {total}"})

    assert book.published == (
        Published(
            exchange="kraken", asset="BTC", amount=Decimal("412000.50"), as_of=date(2026, 8, 1), source="its page"
        ),
    )


def test_an_exchange_without_an_address_is_in_the_book() -> None:
    book = read({"bitstamp.yaml": "exchange: bitstamp\nlists: []"})

    assert (book.exchanges, book.addresses) == (("bitstamp",), ())


def test_all_problems_are_told_at_once() -> None:
    texts = {"kraken.yaml": page('"0x12"', f'"{MIXED}"', '"0x34"', disputed("htx")), "htx.yaml": "lists: ["}

    assert len(problems(texts)) == 4
