"""Lists put into pages as text, and a list beside the book."""

from datetime import date
from difflib import ndiff

import pytest

from monitor.reserves.book import Book, read
from monitor.reserves.comparing import Said, SaidList, addition, compare
from monitor.reserves.writing import Addition, Entry, NoPlaceError, added, page

DAY = date(2026, 9, 1)
FIRST, SECOND, THIRD = (
    "34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo",
    "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
)
WAVES = "3PJaDyprvekvPXPuAtxrapacuDJopgJRaU3"
NEW = Addition(source="a list: of 2026 #1", as_of=DAY, wallets={"bitcoin": [Entry(address=SECOND)]})

PAGE = f"""\
# Kept by hand.
exchange: kraken
lists:
  - source: a list  # the best
    as_of: 2026-08-22
    wallets:
      bitcoin:
        - "{FIRST}"
"""
BESIDE_DASHES = f"exchange: kraken\nlists:\n- source: a\n  as_of: 2026-08-22\n  wallets: {{bitcoin: [{FIRST}]}}"
WITH_MORE = (
    f"{PAGE}\n# What it says itself.\npublished:\n  - {{asset: BTC, amount: 3, as_of: 2026-08-01, source: its page}}\n"
)


def accounts(book: Book) -> list[str]:
    return [address.address for address in book.addresses]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(PAGE, id="a list is the end"),
        pytest.param(PAGE.rstrip("\n"), id="no line end at the end"),
        pytest.param(PAGE + "\n\n# The end.\n", id="remarks at the end"),
        pytest.param(BESIDE_DASHES, id="dashes without an indent"),
        pytest.param(WITH_MORE, id="something follows"),
    ],
)
def test_a_list_is_added_and_every_line_stays(text: str) -> None:
    longer = added(text, NEW)

    before, after = read({"p": text}), read({"p": longer})
    assert accounts(after) == [*accounts(before), SECOND]
    assert after.addresses[-1].source == NEW.source
    assert after.published == before.published
    assert [line for line in ndiff(text.splitlines(), longer.splitlines()) if line.startswith("- ")] == []


def test_a_page_without_a_list_gets_its_first() -> None:
    text = "# They serve it themselves.\nexchange: bitstamp\nlists: []  # none\npublished: []\n"

    assert accounts(read({"p": added(text, NEW)})) == [SECOND]


def test_a_list_in_brackets_is_left_alone() -> None:
    text = f"exchange: kraken\nlists: [{{source: a, as_of: 2026-08-22, wallets: {{bitcoin: [{FIRST}]}}}}]\n"

    with pytest.raises(NoPlaceError, match="in brackets"):
        added(text, NEW)


def test_a_new_page_holds_all_that_is_known_of_a_wallet() -> None:
    entries = [Entry(address=FIRST, role="hot", label='the "old" one: 1', disputed_with="htx"), Entry(address=SECOND)]
    text = page("okx", [Addition(source="https://a.example/list", as_of=DAY, wallets={"bitcoin": entries})])
    rival = page(
        "htx", [Addition(source="b", as_of=DAY, wallets={"bitcoin": [Entry(address=FIRST, disputed_with="okx")]})]
    )

    first, second, _ = read({"okx.yaml": text, "htx.yaml": rival}).addresses
    assert (first.role, first.label, first.disputed_with) == ("hot", 'the "old" one: 1', "htx")
    assert (second.address, second.source, second.as_of) == (SECOND, "https://a.example/list", DAY)


def said(*addresses: tuple[str, str]) -> SaidList:
    found = tuple(Said(network=network, address=address) for network, address in addresses)
    return SaidList(exchange="kraken", source="a list", as_of=DAY, addresses=found)


def test_a_list_is_compared_without_dropping_anything() -> None:
    wallets = {
        "bitcoin": [Entry(address=FIRST), Entry(address=SECOND)],
        "tron": [Entry(address="TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t")],
    }
    rival = page("htx", [Addition(source="b", as_of=DAY, wallets={"bitcoin": [Entry(address=THIRD)]})])
    book = read({"kraken": page("kraken", [Addition(source="a", as_of=DAY, wallets=wallets)]), "htx": rival})
    new = "bc1sw50qgdz25j"
    rows = [("bitcoin", FIRST), ("bitcoin", THIRD), ("bitcoin", new.upper()), ("bitcoin", new), ("bitcoin", WAVES)]

    found = compare(book, said(*rows, ("litecoyn", FIRST)))

    assert found.same == 1
    assert [a.address for a in found.added] == [new]
    assert [a.address for a in found.missing] == [SECOND]
    assert [(each.address, each.owner) for each in found.claimed] == [(THIRD, "htx")]
    assert [each.address for each in found.refused] == [WAVES, FIRST]
    assert "Waves" in found.refused[0].reason
    assert "did you mean litecoin" in found.refused[1].reason
    assert found.untold == {"tron": 1}
    assert addition(found).wallets == {"bitcoin": [Entry(address=new)]}


def test_the_form_of_an_account_in_a_list_does_not_matter() -> None:
    wallets = {"litecoin": [Entry(address="MTf4tP1TCNBn8dNkyxeBVoPrFCcVzxJvvh")]}
    book = read({"kraken": page("kraken", [Addition(source="a", as_of=DAY, wallets=wallets)])})

    found = compare(book, said(("litecoin", "3MSvaVbVFFLML86rt5eqgA9SvW23upaXdY")))
    assert (found.same, found.added, found.missing) == (1, (), ())
