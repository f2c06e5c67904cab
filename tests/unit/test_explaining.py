"""Which word of which answer led to a state, and what each probe would ask: made of data alone."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace
from pydantic import SecretStr

from monitor.cli.abilities import ability
from monitor.cli.explaining import Explanation, Result, Word, explain, network_word, planned
from monitor.config import ExchangeSettings
from monitor.exchange_probes import exchange_of
from monitor.model import (
    Direction,
    ExchangeState,
    ExchangeView,
    ProbeView,
    RailState,
    RailStatus,
    RailVerdict,
    RailView,
    Source,
)
from monitor.probes import EXCHANGES
from monitor.probes.announcements import Feed, Posts

NOW = datetime(2026, 2, 3, 14, 2, 10, tzinfo=UTC)
KRAKEN, BINANCE = EXCHANGES["kraken"], EXCHANGES["binance"]
AS_IT_COMES = ExchangeSettings()
API, PAGE = "kraken-assets", "kraken-status-page"
SUSPENDED, OPEN = RailState.SUSPENDED, RailState.OPEN


def says(probe: str, network: str, state: RailState, raw: str) -> RailStatus:
    return RailStatus(
        at=NOW,
        exchange="kraken",
        probe=probe,
        asset="ETH",
        network=network,
        direction=Direction.WITHDRAWAL,
        state=state,
        raw=raw,
        source=Source.STATUS_PAGE if probe == PAGE else Source.API,
    )


def view(verdict: RailVerdict, probe: str, *, reason: str = "", probes: tuple[ProbeView, ...] = ()) -> ExchangeView:
    rail = RailView(
        asset="ETH",
        network="arbitrum",
        direction=Direction.WITHDRAWAL,
        verdict=verdict,
        since=None,
        first_read_at=NOW,
        source="api",
        raw="",
        read_at=NOW,
        weight=1.0,
        reason=reason,
        probe=probe,
    )
    unknown = ExchangeState.UNKNOWN
    return ExchangeView(
        exchange="kraken", at=NOW, withdrawals=unknown, since=None, reason="", rails=(rail,), probes=probes
    )


def explained(shown: ExchangeView, *statuses: RailStatus) -> Explanation:
    return explain(shown, exchange=KRAKEN, settings=AS_IT_COMES, statuses=statuses)


def words(shown: ExchangeView, *statuses: RailStatus) -> tuple[Word, ...]:
    return explained(shown, *statuses).rails[0].words


PAGE_OFF = says(PAGE, "arbitrum", SUSPENDED, "Ethereum (ETH) - Arbitrum One: major_outage")
PAGE_OPEN = says(PAGE, "arbitrum", OPEN, "Ethereum (ETH) - Arbitrum One")
API_OPEN = says(API, "*", OPEN, "enabled")
API_OFF = says(API, "*", SUSPENDED, "deposit_only")
KEY_OPEN = says("kraken-methods", "arbitrum", OPEN, "Arbitrum One")


@pytest.mark.parametrize(
    ("decider", "statuses", "whys"),
    [
        pytest.param(API, [API_OFF], ["the only source"], id="one source"),
        pytest.param(
            PAGE,
            [API_OPEN, PAGE_OFF],
            [
                "the worse of what is said of the network and of the asset",
                "less bad, and the worse of network and asset holds",
            ],
            id="a page on the network is worse than the API on the asset",
        ),
        pytest.param(
            "kraken-methods",
            [KEY_OPEN, PAGE_OFF],
            ["the best rank, api", "status_page ranks below api"],
            id="of two on the network the better rank decides",
        ),
        pytest.param(
            API,
            [API_OFF, PAGE_OFF],
            ["the worse of what is said of the network and of the asset", "says the same"],
            id="both say so",
        ),
    ],
)
def test_why_a_word_decides_or_does_not(decider: str, statuses: list[RailStatus], whys: list[str]) -> None:
    verdict = RailVerdict.OPEN if decider == "kraken-methods" else RailVerdict.SUSPENDED
    found = words(view(verdict, decider), *statuses)
    assert [word.why for word in found] == whys
    assert [word.decides for word in found] == [True, *[False] * (len(whys) - 1)]


def test_an_unknown_rail_has_words_and_no_decider() -> None:
    (word,) = words(view(RailVerdict.UNKNOWN, API, reason="cannot see: timeout"), API_OPEN)
    assert (word.decides, word.why) == (False, "cannot see: timeout")


@pytest.mark.parametrize(
    ("status", "path"),
    [
        pytest.param(PAGE_OFF, "components[name=Ethereum (ETH) - Arbitrum One].status", id="a component that is out"),
        pytest.param(PAGE_OPEN, "components[name=Ethereum (ETH) - Arbitrum One].status", id="a component that works"),
        pytest.param(KEY_OPEN, "", id="a source whose answers we have no path for"),
    ],
)
def test_the_path_in_the_answer(status: RailStatus, path: str) -> None:
    (word,) = words(view(RailVerdict.OPEN, status.probe), status)
    assert word.path == path


def test_a_coins_own_flag_is_no_word_on_a_rail_where_the_list_names_networks() -> None:
    found = words(view(RailVerdict.OPEN, API), API_OPEN, says(API, "arbitrum", OPEN, "ARB"))
    assert [word.says_of for word in found] == ["ETH@arbitrum"]


@pytest.mark.parametrize(
    ("raw", "network", "word"),
    [
        pytest.param("TRX", "tron", "TRX", id="open"),
        pytest.param("TRX withdraw_disabled", "tron", "TRX", id="closed"),
        pytest.param("BNB Smart Chain withdrawal is paused", "bsc", "BNB Smart Chain", id="a word of several"),
        pytest.param("XYZ closed", "elsewhere", "XYZ", id="a network that we have no name for"),
    ],
)
def test_the_exchanges_own_word_for_the_network(raw: str, network: str, word: str) -> None:
    state = OPEN if " " not in raw else SUSPENDED
    assert network_word(says(API, network, state, raw)) == word


def test_what_fails_comes_first_with_its_reason() -> None:
    probes = (
        ProbeView(probe="kraken-trades", last_success_at=NOW, failing_since=None),
        ProbeView(probe=API, last_success_at=None, failing_since=NOW, reason="timeout", detail="no answer in 10 s"),
        ProbeView(probe=PAGE, last_success_at=NOW, failing_since=None, unread=1, unread_detail="ETH: why"),
    )
    found = explained(view(RailVerdict.UNKNOWN, "", probes=probes)).probes
    assert [(asked.probe, asked.result, asked.detail) for asked in found[:2]] == [
        (API, Result.FAILED, "timeout: no answer in 10 s"),
        (PAGE, Result.IN_PART, "1 unreadable: ETH: why"),
    ]
    assert (found[-1].probe, found[-1].result) == ("kraken-trades", Result.OK)


def test_a_signed_list_tells_its_key_and_never_the_key() -> None:
    without = {asked.probe: asked for asked in planned(BINANCE, AS_IT_COMES)}["binance-coins"]
    assert (without.key, without.detail) == ("missing", "it needs a read-only key and none is configured")
    key = SecretStr("canary-key")
    own = AS_IT_COMES.model_copy(update={"api_key": key, "api_secret": SecretStr("canary-secret")})
    having = {asked.probe: asked for asked in planned(BINANCE, own)}["binance-coins"]
    assert (having.key, having.detail) == ("configured", "")
    assert having.endpoint == "GET https://api.binance.com/sapi/v1/capital/config/getall"
    assert "canary" not in repr(planned(BINANCE, own))


def test_with_an_address_of_ones_own_nothing_else_is_asked() -> None:
    own = ExchangeSettings(url="https://proxy.example/binance", announcements="")
    asked = {each.probe: each for each in planned(BINANCE, own)}
    assert "perpetual_url" in asked["binance-perpetual-trades"].detail
    endpoints = [each.endpoint for each in asked.values() if not each.detail]
    assert endpoints
    assert all(endpoint.startswith("GET https://proxy.example/binance/") for endpoint in endpoints)


def test_of_an_exchange_read_through_ccxt_no_list_of_ours_is_told() -> None:
    settings = ExchangeSettings(ccxt="binance")
    exchange = exchange_of("binance", settings)
    assert (exchange.title, exchange.needs_key) == ("Binance", "")
    assert planned(exchange, settings) == []


def test_a_feed_of_ones_own_is_shown_without_its_query() -> None:
    feed = Feed(url="https://feed.example/rss", probe="kraken-announcements", decode=lambda _: Posts([]))
    exchange = replace(KRAKEN, feed=feed)
    own = ExchangeSettings(announcements="https://feed.example/own?token=canary")
    endpoints = [asked.endpoint for asked in planned(exchange, own) if asked.probe == feed.probe]
    assert endpoints == ["GET https://feed.example/own"]


@pytest.mark.parametrize("name", list(EXCHANGES))
def test_every_exchange_says_where_its_flags_are_and_what_they_mean(name: str) -> None:
    told = ability(EXCHANGES[name])
    assert all(listing.where and listing.rule for listing in told.lists)
    assert told.lists
    assert told.spot_trades or told.perpetual_trades
