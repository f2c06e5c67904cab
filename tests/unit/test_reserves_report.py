"""Was it moved? Journals of a few hours in, a word and a sentence out."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from monitor.model import Flow, Observation, Price, PublishedReserve, Reorg, ReserveBalance
from monitor.reserves.accounts import Span
from monitor.reserves.report import Asked, Reckoning, Row, Word, answers

BEGIN = datetime(2026, 2, 3, 12, 0, tzinfo=UTC)
END = BEGIN + timedelta(hours=4)
SPAN = Span(BEGIN, END)
KNOWN = {("kraken", "ETH"): Decimal(10_000)}  # what it says it holds


def balance(
    minutes: float, amount: float, *, network: str = "ethereum", read: int = 12, asset: str = "ETH", role: str = ""
) -> ReserveBalance:
    return ReserveBalance(
        at=BEGIN + timedelta(minutes=minutes),
        exchange="kraken",
        probe=f"kraken-{network}-reserves",
        asset=asset,
        network=network,
        role="hot" if role == "hot" else None,
        amount=Decimal(str(amount)),
        height=1000 + int(minutes * 5),
        wallets=12,
        wallets_read=read,
    )


def flow(
    minutes: float,
    *,
    out: float = 0,
    came: float = 0,
    cold: float = 0,
    internal: float = 0,
    network: str = "ethereum",
    asset: str = "ETH",
    first: int | None = None,
) -> Flow:
    """A window of ten minutes, 50 blocks."""
    height = 10_000 + int(minutes * 5)
    return Flow(
        at=BEGIN + timedelta(minutes=minutes),
        exchange="kraken",
        probe=f"kraken-{network}-flows",
        asset=asset,
        network=network,
        window_seconds=600,
        inflow=Decimal(str(came)),
        outflow=Decimal(str(out)),
        internal=Decimal(str(internal)),
        cold_outflow=Decimal(str(cold)),
        from_height=height - 49 if first is None else first,
        to_height=height,
    )


def price(minutes: float, usd: float, *, asset: str = "ETH") -> list[Observation]:
    at = BEGIN + timedelta(minutes=minutes)
    return [
        Price(at=at, probe=f"{source}-prices", asset=asset, usd=Decimal(str(usd)), source=source)
        for source in ("coinbase", "bitstamp", "gemini")
    ]


def quiet(*, amount: float = 9_800, network: str = "ethereum", until: int = 240) -> list[Observation]:
    """Balances and flows every ten minutes, in which nothing moves."""
    minutes = range(0, until + 1, 10)
    return [s for m in minutes for s in (balance(m, amount, network=network), flow(m, network=network))]


def moved(*flows: Flow) -> list[Observation]:
    """The same with other windows at their minutes."""
    instead = {each.at: each for each in flows}
    return [instead.get(seen.at, seen) if type(seen) is Flow else seen for seen in quiet()]


def without(
    kind: type[Observation], entries: Iterable[Observation], *, after: float, until: float
) -> list[Observation]:
    """Entries but for those of a kind in some minutes."""
    first, last = BEGIN + timedelta(minutes=after), BEGIN + timedelta(minutes=until)
    return [seen for seen in entries if type(seen) is not kind or not first < seen.at < last]


def reckoned(
    entries: Iterable[Observation], *, published: dict[tuple[str, str], Decimal] = KNOWN, asset: str | None = None
) -> list[Row]:
    reckoning = Reckoning(SPAN, published=published, asset=asset)
    for entry in sorted(entries, key=lambda entry: entry.at):
        reckoning.hear(entry)
    return reckoning.rows()


@pytest.mark.parametrize(
    ("entries", "published", "word", "why"),
    [
        pytest.param(
            moved(flow(60, out=1200, came=300, cold=1000)),
            KNOWN,
            Word.MOVED,
            "1,200 ETH left the addresses we know, 1,000 of it from cold wallets, 300 came in",
            id="it left",
        ),
        pytest.param(quiet(), KNOWN, Word.NOT_MOVED, "no ETH left them, and they hold 98 %", id="nothing left"),
        pytest.param(moved(flow(60, internal=5000)), KNOWN, Word.NOT_MOVED, "no ETH left", id="among its own wallets"),
        pytest.param(
            moved(flow(60, out=1200)),
            {("kraken", "ETH"): Decimal(20_000)},
            Word.NOT_ON_OUR_LIST,
            "they hold 49 % of what it says it holds",
            id="half of its addresses are known",
        ),
        pytest.param(quiet(), {}, Word.NOT_ON_OUR_LIST, "no total that it published", id="nothing is published"),
        pytest.param(
            [*quiet(until=230), flow(240), balance(240, 9_700, read=11)],
            KNOWN,
            Word.CANNOT_SEE,
            "1 of 12 wallets on ethereum unread",
            id="a wallet is unread",
        ),
        pytest.param(
            without(ReserveBalance, quiet(), after=40, until=140),
            KNOWN,
            Word.CANNOT_SEE,
            "balances on ethereum missing for 29 % of the time",
            id="balances are missing",
        ),
        pytest.param(
            without(ReserveBalance, quiet(), after=40, until=80),
            KNOWN,
            Word.NOT_MOVED,
            "no ETH left",
            id="balances are missing for a short while",
        ),
        pytest.param(
            without(Flow, moved(flow(150, out=7)), after=40, until=90),
            KNOWN,
            Word.CANNOT_SEE,
            "flows on ethereum missing for 17 % of the time; 7 ETH left the addresses we know as far as it was seen",
            id="flows are missing",
        ),
        pytest.param(
            without(Flow, quiet(), after=-1, until=241),
            KNOWN,
            Word.CANNOT_SEE,
            "flows on ethereum missing for 100 % of the time",
            id="flows are not read",
        ),
        pytest.param(
            [*quiet(), *without(Flow, quiet(amount=10, network="base"), after=-1, until=241)],
            KNOWN,
            Word.NOT_MOVED,
            "no ETH left",
            id="a network that holds little is not seen",
        ),
    ],
)
def test_a_row_says_what_it_proves(
    entries: list[Observation], published: dict[tuple[str, str], Decimal], word: Word, why: str
) -> None:
    [row] = reckoned(entries, published=published)
    assert (row.word, why in row.why) == (word, True), row.why


def test_a_row_adds_up_all_networks_and_only_totals() -> None:
    entries = [
        *moved(flow(60, out=1200, came=300, cold=1000, internal=50)),
        *quiet(amount=1_000, network="base"),
        balance(-5, 11_000),
        balance(200, 400, role="hot"),
        balance(240, 8_900),
        *price(235, 2500),
    ]
    [row] = reckoned(entries)
    assert (row.at_start, row.at_end) == (Decimal(10_800), Decimal(9_900))
    assert (row.inflow, row.outflow, row.net) == (Decimal(300), Decimal(1200), Decimal(-900))
    assert (row.internal, row.from_cold) == (Decimal(50), Decimal(1000))
    assert (row.usd, row.coverage) == (Decimal(2500), Decimal("0.99"))
    assert row.missing == pytest.approx(0.0)


def test_what_is_not_of_the_span_does_not_count() -> None:
    entries = [flow(-10, out=5), *quiet(), flow(250, out=9), balance(250, 1)]
    [row] = reckoned(entries)
    assert (row.outflow, row.at_end) == (Decimal(0), Decimal(9_800))


def test_a_reorg_takes_back_what_its_blocks_told_and_the_new_ones_count() -> None:
    first = flow(60, out=1200)
    taken = Reorg(
        at=BEGIN + timedelta(minutes=62),
        exchange="kraken",
        probe="kraken-ethereum-flows",
        network="ethereum",
        from_height=first.from_height or 0,
        old_hash="0xa",
        new_hash="0xb",
    )
    again = flow(63, out=7, first=first.from_height)
    [row] = reckoned([*moved(first), taken, again])
    assert row.outflow == 7


def test_a_window_told_twice_counts_once() -> None:
    again = flow(61, out=1200, first=10_000 + 251)
    [row] = reckoned([*moved(flow(60, out=1200)), again])
    assert row.outflow == 1200


def test_many_windows_add_up() -> None:
    steps = [flow(minute, out=1, first=10_000 + minute * 5 - 4) for minute in range(1, 241)]
    [row] = reckoned([*without(Flow, quiet(), after=-1, until=241), *steps])
    assert row.outflow == 240


def test_only_the_asset_asked_for_is_reckoned() -> None:
    entries = [*quiet(), balance(10, 5, asset="USDC"), flow(10, asset="USDC")]
    assert [row.asset for row in reckoned(entries, asset="ETH")] == ["ETH"]


def test_a_price_of_the_watched_exchange_or_an_old_one_is_no_price() -> None:
    own = [Price(at=END, probe="kraken-prices", asset="ETH", usd=Decimal(1), source="kraken")]
    [row] = reckoned([*quiet(), *price(239, 2500)[:2], *own])
    assert row.usd is None
    [row] = reckoned([*quiet(), *price(200, 2500)])
    assert row.usd is None


@pytest.mark.parametrize(
    ("entries", "asked", "word", "left", "why"),
    [
        pytest.param(
            moved(flow(60, out=1200)),
            Asked(amount=Decimal(1000), in_coins=True),
            Word.MOVED,
            1200,
            "1,200 left the addresses we know, of 1,000 asked for",
            id="more in coins",
        ),
        pytest.param(
            [*moved(flow(60, out=1200)), *price(239, 2500)],
            Asked(amount=Decimal(3_000_000), in_coins=False),
            Word.MOVED,
            3_000_000,
            "$3.0M left the addresses we know, of $3.0M asked for",
            id="as much in dollars",
        ),
        pytest.param(
            [*moved(flow(60, out=1200)), *price(239, 2500)],
            Asked(amount=Decimal(1_000_000_000), in_coins=False),
            Word.NOT_MOVED,
            3_000_000,
            "$3.0M left the addresses we know, of $1.0bn asked for: and they hold 98 %",
            id="less",
        ),
        pytest.param(
            moved(flow(60, out=1200)),
            Asked(amount=Decimal(1_000_000_000), in_coins=False),
            Word.CANNOT_SEE,
            None,
            "1,200 ETH left, which has no price",
            id="no price",
        ),
        pytest.param(
            without(Flow, moved(flow(150, out=1200)), after=-1, until=140),
            Asked(amount=Decimal(1000), in_coins=True),
            Word.MOVED,
            1200,
            "1,200 left",
            id="what was seen is enough",
        ),
        pytest.param(
            without(Flow, moved(flow(150, out=1200)), after=-1, until=140),
            Asked(amount=Decimal(2000), in_coins=True),
            Word.CANNOT_SEE,
            1200,
            "flows on ethereum missing",
            id="what was seen is not enough",
        ),
        pytest.param(
            [],
            Asked(amount=Decimal(1), in_coins=True),
            Word.CANNOT_SEE,
            None,
            "no balance and no flow",
            id="nothing was read",
        ),
    ],
)
def test_the_question_is_answered_in_a_word(
    entries: list[Observation], asked: Asked, word: Word, left: int | None, why: str
) -> None:
    [answer] = answers(reckoned(entries), asked, exchanges=["kraken"])
    assert (answer.word, why in answer.why) == (word, True), answer.why
    assert answer.left == left


def test_where_half_of_the_addresses_are_known_less_is_not_no() -> None:
    rows = reckoned(moved(flow(60, out=1200)), published={("kraken", "ETH"): Decimal(20_000)})
    [answer] = answers(rows, Asked(amount=Decimal(5000), in_coins=True), exchanges=["kraken"])
    assert (answer.word, "49 %" in answer.why) == (Word.NOT_ON_OUR_LIST, True)


@pytest.mark.parametrize(
    ("days", "coverage"),
    [pytest.param(100, Decimal("0.98"), id="of this quarter"), pytest.param(101, None, id="older is not known")],
)
def test_a_published_total_counts_for_a_hundred_days(days: int, coverage: Decimal | None) -> None:
    published = PublishedReserve(
        at=BEGIN,
        exchange="kraken",
        probe="kraken-published",
        asset="ETH",
        amount=Decimal(10_000),
        as_of=SPAN.end - timedelta(days=days),
        source="https://kraken.com",
    )
    [row] = reckoned([published, *quiet()], published={})
    assert row.coverage == coverage
