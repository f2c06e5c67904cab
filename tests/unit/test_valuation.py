"""Prices: three sources that agree, or none. A feed that lies, stops or is the exchange's own makes no price."""

import math
from collections.abc import Sequence
from decimal import Decimal

import msgspec
import pytest

import tests.journals as j
from monitor.model import Price
from monitor.reserves.valuation import Prices, PricesMemory

MINUTE = 60.0
START = j.START.timestamp()


def price(minute: float, source: str, usd: str | float, asset: str = "BTC") -> Price:
    return Price(at=j.at(minute), probe=f"prices-{source}", asset=asset, usd=Decimal(str(usd)), source=source)


def heard(told: Sequence[Price], *, apart_from: str = "examplex") -> Prices:
    prices = Prices(PricesMemory(), apart_from=apart_from)
    for each in told:
        prices.hear(each, each.at.timestamp())
    return prices


def three(*usd: str | float, minute: float = 0.0) -> list[Price]:
    return [price(minute, f"source{number}", each) for number, each in enumerate(usd)]


@pytest.mark.parametrize(
    ("told", "usd"),
    [
        pytest.param(three(100, 101, 103), "101", id="three that agree"),
        pytest.param(three(100, 101), None, id="two are too few"),
        pytest.param(three(100, 101, 102, 103), "101.5", id="four"),
        pytest.param(three(100, 101, 102, 10_200), "101", id="a hundredfold one is left out"),
        pytest.param(three(100, 101, 10_100), None, id="a hundredfold one of three leaves too few"),
        pytest.param(three(100, 101, 10_000, 10_100), None, id="two camps"),
        pytest.param(three(100, 101, 0), None, id="zero is no price"),
        pytest.param(three(100, 101, -102), None, id="nor less"),
        pytest.param(three(100, 101, "NaN"), None, id="nor no number"),
        pytest.param(three(100, 101, "Infinity"), None, id="nor no end"),
        pytest.param(three(100, 101, "1e999"), None, id="nor an absurd one"),
        pytest.param([*three(100, 101, 102), price(1, "source2", 0)], None, id="a source that takes its word back"),
        pytest.param([*three(100, 101, 102), price(-1, "source2", 0)], "101", id="what is late is not newer"),
        pytest.param([*three(100, 101), price(0, "examplex", 102)], None, id="the watched exchange is not asked"),
        pytest.param([*three(100, 101), price(0, "otherx", 102)], "101", id="another exchange is"),
        pytest.param([*three(100, 101), price(0, "source1", 102)], None, id="a source is one, however often it speaks"),
        pytest.param([*three(90.9, 100, 110), price(0, "near", 100)], "100", id="a tenth off is near enough"),
        pytest.param([*three(89.9, 100, 101), price(0, "near", 100)], "100", id="more than a tenth is not"),
        pytest.param(three(0.4, 0.41, 0.39), "0.4", id="a coin that should be a dollar is what it is"),
    ],
)
def test_what_a_coin_is_worth(told: list[Price], usd: str | None) -> None:
    quote = heard(told).usd("BTC", now=START)
    assert (quote.usd if quote is not None else None) == (Decimal(usd) if usd is not None else None)


def test_no_stablecoin_is_assumed() -> None:
    assert heard([]).usd("USDT", now=START) is None


def test_a_price_is_known_for_a_quarter_of_an_hour_after_the_oldest_that_it_needs() -> None:
    prices = heard([price(0, "a", 100), *three(100, 101, 102, minute=5)])
    for minute, sources in ((0.0, 4), (15.0, 4), (15.1, 3), (20.0, 3), (20.1, 0), (90.0, 0)):
        quote = prices.usd("BTC", now=START + minute * MINUTE)
        assert (len(quote.sources) if quote is not None else 0) == sources, f"in minute {minute}"


def test_a_wild_source_that_falls_silent_lets_the_others_speak() -> None:
    wild = [price(0, name, 900) for name in ("a", "b", "c")]
    prices = heard([*wild, *three(100, 101, 102, minute=10)])
    assert prices.usd("BTC", now=START + 10 * MINUTE) is None
    quote = prices.usd("BTC", now=START + 16 * MINUTE)
    assert quote is not None
    assert quote.usd == 101


SOURCES = ("a", "b", "c")


def course(minutes: int) -> list[Price]:
    """Up and down by a hundredth each minute; in the first ten hours all of it is a tenth less."""
    usual = [100.0 if minute >= 600 else 90.0 for minute in range(minutes)]
    return [
        price(minute, name, usd * (1.01 if minute % 2 else 1.0)) for minute, usd in enumerate(usual) for name in SOURCES
    ]


def test_the_market_of_a_day() -> None:
    (market,) = heard(course(25 * 60)).market(START + (25 * 60 - 1) * MINUTE)
    assert (market.asset, market.usd, market.at) == ("BTC", 101.0, j.at(25 * 60 - 1))
    assert market.change_24h == pytest.approx(1 / 9, abs=0.02)
    assert market.volatility_1h == pytest.approx(math.log(1.01) * math.sqrt(60), rel=1e-4)


def test_the_market_of_a_few_minutes_is_a_price_only() -> None:
    (market,) = heard(course(20)).market(START + 19 * MINUTE)
    assert (market.change_24h, market.volatility_1h) == (None, None)


def test_an_outage_of_prices_makes_no_volatility_of_minutes() -> None:
    told = [each for each in course(240) if not 150 <= (each.at - j.START).total_seconds() / 60 < 235]
    (market,) = heard(told).market(START + 239 * MINUTE)
    assert market.volatility_1h is None


def test_what_was_heard_survives_a_checkpoint_within_bounds() -> None:
    prices = heard(course(60 * 26))
    body = msgspec.msgpack.encode(prices.memory)
    again = Prices(msgspec.msgpack.decode(body, type=PricesMemory), apart_from="examplex")
    now = START + (26 * 60 - 1) * MINUTE
    assert again.market(now) == prices.market(now)
    assert len(body) < 3000


def test_an_engine_that_begins_later_is_told_the_newest_of_each_source() -> None:
    newest = heard([*three(1, 1, 1), *three(100, 101, 102, minute=3)]).newest()
    assert {each.source: each.usd for each in newest} == {f"source{n}": Decimal(100 + n) for n in range(3)}
