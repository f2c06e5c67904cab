"""What a scraper reads back is what was shown, in both formats, whatever the exchanges call their coins."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import prometheus_client
import pytest
from msgspec.structs import replace
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from monitor.exposition import (
    GATE,
    PREFIX,
    SHOWN,
    Family,
    Intervals,
    Kind,
    exchange_groups,
    share,
    shared_groups,
    table,
)
from monitor.metrics import CATALOGUE, Metrics
from monitor.model import (
    BalanceView,
    Change,
    CoverageView,
    DeliveryOutcome,
    Direction,
    Draft,
    DraftState,
    Drill,
    ExchangeState,
    ExchangeView,
    ExposureView,
    FailureReason,
    Incident,
    IncidentKind,
    NetworkView,
    ProbeView,
    RailVerdict,
    RailView,
    ReservesView,
    Role,
    Severity,
    Stage,
)
from monitor.model.view import FlowView, FreezesView, StatisticState, StatisticView
from tests.installed import content
from tests.notifications import transition

NOW = datetime(2026, 2, 3, 14, 2, 30, tzinfo=UTC)
INTERVALS = Intervals(rails=30.0, wallets=60.0, reserves=600.0)
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def rail(asset: str, network: str, verdict: RailVerdict, *, since: datetime | None = None) -> RailView:
    return RailView(
        asset=asset,
        network=network,
        direction=Direction.WITHDRAWAL,
        verdict=verdict,
        since=since,
        first_read_at=NOW - timedelta(hours=1),
        source="api",
        raw="withdrawal_only",
        read_at=NOW - timedelta(seconds=10),
        weight=1.0,
    )


def network(name: str, *, read_at: datetime = NOW) -> NetworkView:
    return NetworkView(
        network=name,
        last_outgoing_at=read_at - timedelta(seconds=4),
        outgoing_total=120_345,
        head_age_seconds=6.0,
        read_at=read_at,
        learned_seconds=90_000.0,
        silence_score=0.25,
    )


ETHER = BalanceView(
    asset="ETH",
    network="ethereum",
    amount=Decimal("401346.25"),
    read_at=NOW,
    wallets=12,
    wallets_read=12,
    usd=Decimal("1003365625.00"),
    hot=Decimal(3100),
    hot_read_at=NOW,
    change_1h=Decimal("-1346.25"),
    change_24h=Decimal("1346.25"),
    inflow_1h=Decimal(10),
    outflow_1h=Decimal("1356.25"),
    inflow_24h=Decimal(9000),
    outflow_24h=Decimal("7653.75"),
    runway_seconds=8228.0,
)
RESERVES = ReservesView(
    usd=Decimal("1003365625.00"),
    coverage=(
        CoverageView(asset="ETH", ours=Decimal("401346.25"), published=Decimal(802692), as_of=NOW, source="kraken"),
    ),
    priced_at=NOW,
)


def talk(days: float | None) -> StatisticView:
    state = StatisticState.QUIET if days is not None else StatisticState.LEARNING
    threshold = 21.0 if days is not None else None
    return StatisticView(
        detector="campaign", subject="kraken 5 min", state=state, value=days, threshold=threshold, words="as it is"
    )


EXPOSURE = ExposureView(
    asset="ETH",
    amount=Decimal(5000),
    told_at=NOW,
    withdrawable=Decimal(3100),
    stuck=Decimal(1900),
    unknown=Decimal(0),
    usd=Decimal(12_500_000),
)


def spread(subject: str, value: float, threshold: float) -> StatisticView:
    return StatisticView(
        detector="outflow",
        subject=subject,
        state=StatisticState.QUIET,
        value=value,
        threshold=threshold,
        words="as usual",
    )


FULL = ExchangeView(
    exchange="kraken",
    at=NOW,
    freezes=FreezesView(active=3, activations_total=9, latest_until=NOW, read_at=NOW),
    withdrawals=ExchangeState.DEGRADED,
    since=NOW - timedelta(minutes=12),
    reason="ETH@ethereum suspended",
    rails=(
        rail("ETH", "ethereum", RailVerdict.SUSPENDED, since=NOW - timedelta(minutes=12)),
        rail("BTC", "bitcoin", RailVerdict.OPEN),
        rail("SOL", "solana", RailVerdict.UNKNOWN),
    ),
    counts={"withdrawal": {"open": 380, "suspended": 37}},
    weight_off=0.333333,
    networks=(network("ethereum"), network("tron")),
    silence_score=3.5,
    silence_threshold=14.206,
    probes=(
        ProbeView(probe="kraken-assets", last_success_at=NOW - timedelta(seconds=10), failing_since=None),
        ProbeView(probe="kraken-status", last_success_at=None, failing_since=NOW - timedelta(minutes=3)),
    ),
    balances=(ETHER,),
    reserves=RESERVES,
    exposures=(EXPOSURE,),
    valid_until=NOW + timedelta(minutes=3),
    usd={"ETH": Decimal(2500)},
    flows=(FlowView(asset="ETH", network="ethereum", inflow_total=10.5, outflow_total=30.25, read_at=NOW),),
    statistics=(
        talk(12.5),
        talk(3.25),
        talk(None),
        spread("ETH@ethereum 24h", 1.5, 3.0),
        spread("SOL@solana 24h", 2.5, 6.0),
    ),
    stalled=("solana",),
)
UNKNOWN = ExchangeView(
    exchange="binance", at=NOW, withdrawals=ExchangeState.UNKNOWN, since=None, reason="flags need a read-only key"
)
HOSTILE = ExchangeView(
    exchange='x"} 1\nfoo\\',
    at=NOW,
    withdrawals=ExchangeState.OPERATIONAL,
    since=None,
    reason="",
    rails=(rail("A" * 10_000, "\u202eΩß\ud800", RailVerdict.OPEN), rail("\\n", '"', RailVerdict.DELAYED)),
)
WORLD = ExchangeView(
    exchange="",
    at=NOW,
    withdrawals=ExchangeState.UNKNOWN,
    since=None,
    reason="",
    probes=(ProbeView(probe="control", last_success_at=NOW, failing_since=None),),
    blind=True,
)


def incident(kind: IncidentKind, *, opened: timedelta, official: timedelta | None = None) -> Incident:
    return Incident(
        id=f"kraken-{kind}-{opened.total_seconds():.0f}",
        exchange="kraken",
        kind=kind,
        severity=Severity.CRITICAL,
        stage=Stage.INVESTIGATING,
        scope=("*",),
        summary="",
        opened_at=NOW + opened,
        since=None,
        updated_at=NOW + opened,
        official_at=NOW + official if official is not None else None,
    )


def drilled() -> Drill:
    played = incident(IncidentKind.WITHDRAWAL_HALT, opened=timedelta(0))
    return Drill(incident=played, happened=transition(Change.OPENED), until=NOW + timedelta(minutes=10), actor="dana")


def draft(channel: str, state: DraftState, *, created: timedelta) -> Draft:
    return Draft(
        id=f"{channel}-{created.total_seconds():.0f}",
        incident="kraken-withdrawal_halt",
        exchange="kraken",
        stage=Stage.INVESTIGATING,
        channel=channel,
        role=Role.OBSERVER,
        text="We observe",
        text_sha256="00",
        state=state,
        problems=(),
        created_at=NOW + created,
        expires_at=NOW + created + timedelta(minutes=20),
        claims="",
    )


def fresh(max_series: int = 10_000) -> Metrics:
    return Metrics(version="0.1.0", intervals=INTERVALS, max_series=max_series)


def read(metrics: Metrics, *, now: datetime = NOW, accept: str = "text/plain") -> Samples:
    """What a scraper understands: (name, labels) -> value. Raises where it would not understand."""
    body, _ = metrics.render(accept, now=now)
    parse = parse_openmetrics if "openmetrics" in accept else parse_text
    families = list(parse(body.decode()))
    assert len({family.name for family in families}) == len(families), "a family is in two pieces"
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def named(samples: Samples, name: str) -> dict[str, float]:
    """The samples of one metric, by their label values in the order of the label names."""
    return {"/".join(v for _, v in labels): value for (n, labels), value in samples.items() if n == PREFIX + name}


def library_of(view: ExchangeView) -> prometheus_client.CollectorRegistry:
    """A registry of prometheus_client that is given the same samples."""
    registry = prometheus_client.CollectorRegistry()
    gauges = {
        f.name: prometheus_client.Gauge(PREFIX + f.name, f.help, f.labels, registry=registry)
        for f in SHOWN
        if f.kind is Kind.GAUGE
    }
    counters = {
        f.name: prometheus_client.Counter(PREFIX + f.name, f.help, f.labels, registry=registry)
        for f in SHOWN
        if f.kind is Kind.COUNTER
    }
    for group in (*exchange_groups(view, INTERVALS), *shared_groups([share(view, INTERVALS)])):
        for sample in group.samples:
            values = [value[:64].encode("utf-8", "replace").decode() for value in sample.labels]
            if sample.family in counters:
                counters[sample.family].labels(*values).inc(sample.value)
            elif values:
                gauges[sample.family].labels(*values).set(sample.value)
            else:
                gauges[sample.family].set(sample.value)
    return registry


def lines_of(body: bytes, *, world: bool) -> set[str]:
    """The lines of what is shown. The library has 0 for what only the world tells."""
    shown = tuple(PREFIX + family.name for family in SHOWN if family.labels or world)
    lines = body.decode().split("\n")
    assert len({*lines} - {""}) == len([line for line in lines if line]), "a line is there twice"
    return {line for line in lines if line.startswith(shown) and re.split(r"[ {]", line)[0] in shown}


@pytest.mark.parametrize(
    ("accept", "write"),
    [
        pytest.param("text/plain", prometheus_client.generate_latest, id="text"),
        pytest.param(OPENMETRICS, generate_openmetrics, id="OpenMetrics"),
    ],
)
@pytest.mark.parametrize(
    "view",
    [
        pytest.param(FULL, id="an exchange with everything"),
        pytest.param(UNKNOWN, id="an exchange of which nothing is known"),
        pytest.param(HOSTILE, id="names with quotes, line ends, backslashes and 10,000 characters"),
        pytest.param(WORLD, id="the world"),
    ],
)
def test_the_lines_are_those_that_the_library_writes(
    view: ExchangeView, accept: str, write: Callable[[prometheus_client.CollectorRegistry], bytes]
) -> None:
    metrics = fresh()
    metrics.show(view)

    body, _ = metrics.render(accept, now=NOW)

    theirs = write(library_of(view))
    assert lines_of(body, world=view is WORLD) == lines_of(theirs, world=view is WORLD)
    headers = {line for line in body.decode().split("\n") if line.startswith("#") and line != "# EOF"}
    shown = {line for line in headers if line.split()[2] in {PREFIX + f.name.removesuffix("_total") for f in SHOWN}}
    assert shown <= set(theirs.decode().split("\n"))
    assert read(metrics, accept=accept)


def test_each_state_has_a_series_and_exactly_one_is_true() -> None:
    metrics = fresh()
    metrics.show(FULL)
    metrics.show(UNKNOWN)

    samples = read(metrics)

    states = named(samples, "withdrawals_state")
    assert len(states) == 2 * len(ExchangeState)
    assert {series for series, value in states.items() if value == 1} == {"kraken/degraded", "binance/unknown"}
    solana = {s: v for s, v in named(samples, "rail_state").items() if s.startswith("SOL/withdrawal/kraken/solana/")}
    assert len(solana) == len(RailVerdict)
    assert sum(solana.values()) == solana["SOL/withdrawal/kraken/solana/unknown"] == 1


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        pytest.param("last_outgoing_timestamp_seconds", 180, id="chain"),
        pytest.param("silence_score", 180, id="silence"),
        pytest.param("campaign_score", 900, id="talk"),
        pytest.param("campaign_threshold", 900, id="threshold of talk"),
        pytest.param("rails_suspended_ratio", 80, id="list"),
        pytest.param("rails", 80, id="counts of the list"),
        pytest.param("reserve_balance", 1800, id="balances"),
        pytest.param("reserve_coverage_ratio", 1800, id="coverage"),
        pytest.param("reserve_change_ratio", 1800, id="changes"),
        pytest.param("reserve_wallets_unread", 1800, id="unread wallets"),
        pytest.param("outflow_coins", 1800, id="flows"),
        pytest.param("hot_wallet_balance", 180, id="hot wallets"),
        pytest.param("hot_wallet_runway_seconds", 180, id="runway"),
        pytest.param("exposure_usd", 90, id="the user's own"),
        pytest.param("reserve_usd", 900, id="a total, with its prices"),
        pytest.param("price_usd", 900, id="prices"),
        pytest.param("chain_stalled", 1800, id="chains"),
    ],
)
def test_a_value_vanishes_after_three_intervals(name: str, seconds: float) -> None:
    metrics = fresh()
    metrics.show(FULL)

    assert named(read(metrics, now=NOW + timedelta(seconds=seconds - 1)), name)
    assert not named(read(metrics, now=NOW + timedelta(seconds=seconds)), name)


@pytest.mark.parametrize(
    "name",
    [
        "withdrawals_state",
        "rail_state",
        "probe_up",
        "probe_last_success_timestamp_seconds",
        "verdict_valid_until_timestamp_seconds",
    ],
)
def test_states_and_probes_never_vanish(name: str) -> None:
    metrics = fresh()
    metrics.show(FULL)

    before = named(read(metrics), name)

    assert named(read(metrics, now=NOW + timedelta(days=1)), name) == before


def test_money_is_told_in_figures() -> None:
    metrics = fresh()
    metrics.show(FULL)

    samples = read(metrics)

    assert named(samples, "reserve_usd") == {"kraken": 1_003_365_625}
    assert named(samples, "reserve_coverage_ratio") == {"ETH/kraken": pytest.approx(0.5, rel=1e-5)}
    changes = named(samples, "reserve_change_ratio")
    assert changes == {
        "ETH/kraken/1h": pytest.approx(-1346.25 / 402692.5),
        "ETH/kraken/24h": pytest.approx(1346.25 / 400000),
    }
    assert named(samples, "hot_wallet_runway_seconds") == {"ETH/kraken/ethereum": 8228}
    assert named(samples, "outflow_coins") == {
        "ETH/kraken/ethereum/1h": 1356.25,
        "ETH/kraken/ethereum/24h": 7653.75,
    }
    assert named(samples, "exposure_usd") == {
        "kraken/withdrawable": 7_750_000,
        "kraken/stuck": 4_750_000,
        "kraken/unknown": 0,
    }
    assert named(samples, "price_usd") == {"ETH": 2500}
    assert named(samples, "chain_stalled") == {"ethereum": 0, "solana": 1, "tron": 0}


@pytest.mark.parametrize(
    ("view", "missing"),
    [
        pytest.param(
            replace(
                FULL,
                balances=(replace(ETHER, wallets_read=11, change_1h=None, change_24h=None),),
                reserves=replace(RESERVES, unread=1),
            ),
            ["reserve_balance", "reserve_usd", "reserve_coverage_ratio", "reserve_change_ratio"],
            id="a wallet is unread",
        ),
        pytest.param(
            replace(
                FULL,
                balances=(replace(ETHER, usd=None),),
                reserves=replace(RESERVES, usd=Decimal(0), unpriced=("ETH",), priced_at=None),
                exposures=(replace(EXPOSURE, usd=None),),
                usd={},
            ),
            ["reserve_usd", "exposure_usd", "price_usd"],
            id="its price is lost",
        ),
        pytest.param(
            replace(
                FULL,
                balances=(ETHER, replace(ETHER, asset="BTC", network="bitcoin", read_at=NOW - timedelta(hours=1))),
            ),
            ["reserve_usd"],
            id="half of the worth is old",
        ),
        pytest.param(
            replace(FULL, balances=(replace(ETHER, runway_seconds=None, inflow_1h=None, inflow_24h=None),)),
            ["hot_wallet_runway_seconds", "inflow_coins", "outflow_coins"],
            id="flows are not known whole",
        ),
        pytest.param(
            replace(FULL, reserves=None, balances=(), exposures=()), ["reserve_usd", "exposure_usd"], id="no money"
        ),
    ],
)
def test_what_is_not_known_whole_is_no_sample_and_never_less(view: ExchangeView, missing: list[str]) -> None:
    metrics = fresh()
    metrics.show(FULL)
    assert [name for name in missing if not named(read(metrics), name)] == []

    metrics.show(view)

    assert [name for name in missing if named(read(metrics), name)] == []


def test_a_coin_that_never_had_a_price_hides_no_total() -> None:
    metrics = fresh()
    metrics.show(replace(FULL, reserves=replace(RESERVES, unpriced=("KCS",))))

    assert named(read(metrics), "reserve_usd")


def test_a_small_balance_that_is_old_hides_no_total() -> None:
    metrics = fresh()
    dust = replace(ETHER, network="base", usd=Decimal(100_000), read_at=NOW - timedelta(days=1))
    metrics.show(replace(FULL, balances=(ETHER, dust)))

    assert named(read(metrics), "reserve_usd")


def test_of_many_balances_those_of_most_worth_are_shown() -> None:
    metrics = fresh()
    many = tuple(replace(ETHER, asset=f"COIN{n}", usd=Decimal(n)) for n in range(100))
    metrics.show(replace(UNKNOWN, balances=many))

    shown = named(read(metrics), "reserve_balance")

    assert set(shown) == {f"COIN{n}/binance/ethereum" for n in range(60, 100)}


def test_a_price_is_told_once_and_by_the_newest_view() -> None:
    metrics = fresh()
    metrics.show(replace(FULL, usd={"ETH": Decimal(2500), "KCS": Decimal(10)}))
    metrics.show(replace(UNKNOWN, at=NOW + timedelta(seconds=5), usd={"ETH": Decimal(2501)}))

    assert named(read(metrics), "price_usd") == {"ETH": 2501, "KCS": 10}

    metrics.forget("binance")

    assert named(read(metrics), "price_usd") == {"ETH": 2500, "KCS": 10}


def test_a_stalled_chain_does_not_hide_the_other() -> None:
    metrics = fresh()
    stale = network("tron", read_at=NOW - timedelta(minutes=10))
    metrics.show(replace(FULL, networks=(network("ethereum"), stale)))

    assert set(named(read(metrics), "last_outgoing_timestamp_seconds")) == {"kraken/ethereum"}


@pytest.mark.parametrize("exchanges", [("kraken", "binance"), ("binance", "kraken")])
def test_a_chain_counts_as_looked_at_as_long_as_anybody_looked(exchanges: tuple[str, str]) -> None:
    metrics = fresh()
    newer, older = exchanges
    for exchange, read_at in sorted([(newer, NOW), (older, NOW - timedelta(seconds=100))]):
        networks = (network("tron", read_at=read_at),)
        metrics.show(replace(FULL, exchange=exchange, networks=networks, balances=(), stalled=()))

    assert named(read(metrics, now=NOW + timedelta(seconds=179)), "chain_stalled") == {"tron": 0}
    assert named(read(metrics, now=NOW + timedelta(seconds=180)), "chain_stalled") == {}


def test_no_known_rail_is_no_ratio_and_not_zero() -> None:
    metrics = fresh()
    unseen = rail("ETH", "ethereum", RailVerdict.UNKNOWN)
    metrics.show(replace(FULL, rails=(unseen,), weight_off=0.0))

    assert not named(read(metrics), "rails_suspended_ratio")


def test_a_list_that_was_never_read_is_no_count_and_not_zero() -> None:
    metrics = fresh()
    metrics.show(replace(FULL, counts={"withdrawal": {}, "deposit": {}}))

    assert not named(read(metrics), "rails")


def test_the_cap_leaves_whole_rails_out_and_counts_them() -> None:
    metrics = fresh(max_series=40)
    many = tuple(rail(f"COIN{n}", "ethereum", RailVerdict.OPEN) for n in range(20))
    metrics.show(replace(UNKNOWN, rails=many))

    samples = read(metrics)

    assert sum(named(samples, "withdrawals_state").values()) == 1
    shown = named(samples, "rail_state")
    assert 0 < len(shown) <= 40
    assert len(shown) % len(RailVerdict) == 0
    assert named(samples, "series_dropped_total") == {"": 20 * len(RailVerdict) - len(shown)}


def test_the_rails_of_one_exchange_do_not_hide_the_verdict_of_another() -> None:
    metrics = fresh(max_series=100)
    many = tuple(rail(f"COIN{n}", "ethereum", RailVerdict.OPEN) for n in range(200))
    metrics.show(replace(FULL, rails=many))
    metrics.show(replace(UNKNOWN, rails=many))

    samples = read(metrics)

    assert named(samples, "withdrawals_state")["binance/unknown"] == 1
    shown = {series for series in samples if series[0] in {PREFIX + family.name for family in SHOWN}}
    assert len(shown) <= 100


def test_an_exchange_that_is_forgotten_makes_room() -> None:
    metrics = fresh(max_series=100)
    many = tuple(rail(f"COIN{n}", "ethereum", RailVerdict.OPEN) for n in range(200))
    metrics.show(replace(FULL, rails=many))
    metrics.show(UNKNOWN)

    metrics.forget("kraken")
    metrics.show(replace(UNKNOWN, rails=many))

    samples = read(metrics)
    assert not [series for series in samples if ("exchange", "kraken") in series[1]]
    assert len(named(samples, "rail_state")) >= 70


def test_labels_that_are_the_same_once_cut_are_shown_once() -> None:
    metrics = fresh()
    twins = (
        rail("A" * 64 + "x", "ethereum", RailVerdict.OPEN),
        rail("A" * 64 + "y", "ethereum", RailVerdict.SUSPENDED),
    )
    metrics.show(replace(UNKNOWN, rails=twins))

    samples = read(metrics)

    assert sum(named(samples, "rail_state").values()) == 1
    assert named(samples, "series_dropped_total") == {"": len(RailVerdict)}


def test_incidents_are_counted_and_fall_back_to_zero() -> None:
    metrics = fresh()
    halt = IncidentKind.WITHDRAWAL_HALT
    metrics.show_incidents([incident(halt, opened=timedelta(minutes=-3)), incident(halt, opened=timedelta(minutes=-9))])
    samples = read(metrics)
    assert named(samples, "incident_active") == {"kraken/withdrawal_halt/critical": 2}
    opened = named(samples, "incident_opened_timestamp_seconds")
    assert opened == {"kraken/withdrawal_halt/critical": (NOW - timedelta(minutes=9)).timestamp()}

    metrics.show_incidents([])

    samples = read(metrics)
    assert named(samples, "incident_active") == {"kraken/withdrawal_halt/critical": 0}
    assert not named(samples, "incident_opened_timestamp_seconds")


def test_the_lead_is_that_of_the_newest_incident_with_an_official_word() -> None:
    metrics = fresh()
    old = incident(IncidentKind.WITHDRAWAL_HALT, opened=timedelta(days=-2), official=timedelta(days=-2, minutes=5))
    new = incident(IncidentKind.WITHDRAWAL_HALT, opened=timedelta(minutes=-20), official=timedelta(minutes=-3))
    silent = incident(IncidentKind.CAMPAIGN, opened=timedelta(minutes=-1))

    metrics.show_incidents([silent, new, old])

    assert named(read(metrics), "detection_lead_seconds") == {"kraken": 17 * 60}


def test_only_drafts_that_wait_are_pending() -> None:
    metrics = fresh()
    waiting = [draft("file", DraftState.PENDING, created=timedelta(minutes=-m)) for m in (2, 6)]
    metrics.show_drafts([*waiting, draft("x", DraftState.POSTED, created=timedelta(minutes=-9))])
    samples = read(metrics)
    assert named(samples, "drafts_pending") == {"file": 2}
    oldest = {"file": (NOW - timedelta(minutes=6)).timestamp()}
    assert named(samples, "draft_oldest_pending_timestamp_seconds") == oldest

    metrics.show_drafts([])

    assert named(read(metrics), "drafts_pending") == {"file": 0}


@pytest.mark.parametrize(
    ("tell", "name", "expected"),
    [
        pytest.param(lambda m: m.probed("k", "p", 0.1), "probes_total", {"k/p": 1}, id="a look"),
        pytest.param(lambda m: m.probed("k", "p", 0.1), "probe_duration_seconds_sum", {"k/p": 0.1}, id="its time"),
        pytest.param(
            lambda m: m.failed("k", "p", FailureReason.HTTP_5XX),
            "probe_failures_total",
            {"k/p/http_5xx": 1},
            id="a failed look",
        ),
        pytest.param(lambda m: m.appended("list_read", 3), "journal_entries_total", {"list_read": 3}, id="entries"),
        pytest.param(lambda m: m.committed(seq=7, at=NOW, seconds=0.1), "journal_head_seq", {"": 7}, id="the head"),
        pytest.param(
            lambda m: m.committed(seq=7, at=NOW, seconds=0.1),
            "journal_head_timestamp_seconds",
            {"": NOW.timestamp()},
            id="the head's time",
        ),
        pytest.param(
            lambda m: m.committed(seq=7, at=NOW, seconds=0.1), "commit_duration_seconds_count", {"": 1}, id="a commit"
        ),
        pytest.param(
            lambda m: m.checkpointed(NOW), "checkpoint_timestamp_seconds", {"": NOW.timestamp()}, id="a checkpoint"
        ),
        pytest.param(lambda m: m.refused("k"), "entries_refused_total", {"k": 1}, id="a refused entry"),
        pytest.param(lambda m: m.queued(readings=12, commands=3), "readings_queued", {"": 12}, id="the queue"),
        pytest.param(
            lambda m: m.queued(readings=12, commands=3), "commands_queued", {"": 3}, id="what people wait for"
        ),
        pytest.param(lambda m: m.streamed(readers=4, behind=9), "event_readers", {"": 4}, id="readers of events"),
        pytest.param(lambda m: m.streamed(readers=4, behind=9), "events_queued", {"": 9}, id="the slowest of them"),
        pytest.param(lambda m: m.reader_dropped(), "event_readers_dropped_total", {"": 1}, id="one who fell behind"),
        pytest.param(lambda m: m.turned_away(), "scrapes_refused_total", {"": 1}, id="a scrape too many"),
        pytest.param(lambda m: m.clock_off(-7.5), "clock_offset_seconds", {"": -7.5}, id="a wrong clock"),
        pytest.param(lambda m: m.configured("3fa9"), "config_hash_info", {"3fa9": 1}, id="what it judges by"),
        pytest.param(
            lambda m: m.looked("k", "p", NOW),
            "probe_last_look_timestamp_seconds",
            {"k/p": NOW.timestamp()},
            id="the end of a look",
        ),
        pytest.param(lambda m: m.diverged(), "replay_divergence_total", {"": 1}, id="a divergence"),
        pytest.param(lambda m: m.lagged(0.03), "loop_lag_seconds_count", {"": 1}, id="loop lag"),
        pytest.param(lambda m: m.stepped(), "clock_steps_total", {"": 1}, id="a clock step"),
        pytest.param(lambda m: m.posted("file"), "posts_total", {"file": 1}, id="a post"),
        pytest.param(
            lambda m: m.post_failed("x", DeliveryOutcome.UNKNOWN_OUTCOME),
            "post_failures_total",
            {"x/unknown_outcome": 1},
            id="a post of unknown outcome",
        ),
        pytest.param(lambda m: m.held(True), "publishing_held", {"": 1}, id="publishing held"),
        pytest.param(lambda m: m.reloaded(True, NOW), "config_last_reload_successful", {"": 1}, id="a good reload"),
        pytest.param(lambda m: m.reloaded(False, NOW), "config_last_reload_successful", {"": 0}, id="a bad reload"),
        pytest.param(
            lambda m: m.reloaded(True, NOW),
            "config_last_reload_success_timestamp_seconds",
            {"": NOW.timestamp()},
            id="the time of a good reload",
        ),
    ],
)
def test_what_the_daemon_does_is_counted(
    tell: Callable[[Metrics], None], name: str, expected: dict[str, float]
) -> None:
    metrics = fresh()

    tell(metrics)

    assert named(read(metrics), name) == expected


def test_a_configuration_takes_the_place_of_the_former_one() -> None:
    metrics = fresh()
    metrics.configured("3fa9")

    metrics.configured("c001")

    assert named(read(metrics), "config_hash_info") == {"c001": 1}


def test_a_clock_that_nobody_confirms_is_no_offset_of_zero() -> None:
    metrics = fresh()
    assert math.isnan(named(read(metrics), "clock_offset_seconds")[""])

    metrics.clock_off(1.5)
    metrics.clock_off(math.nan)

    assert math.isnan(named(read(metrics), "clock_offset_seconds")[""])


def test_a_probe_that_looks_no_more_has_no_interval_and_the_others_keep_their_last_look() -> None:
    metrics = fresh()
    metrics.watch({("kraken", "rails"): 30.0, ("kraken", "old"): 60.0}, NOW)
    metrics.looked("kraken", "rails", NOW + timedelta(seconds=20))

    metrics.watch({("kraken", "rails"): 45.0, ("", "control"): 15.0}, NOW + timedelta(seconds=50))

    samples = read(metrics)
    assert named(samples, "probe_interval_seconds") == {"kraken/rails": 45, "/control": 15}
    assert named(samples, "probe_last_look_timestamp_seconds") == {
        "kraken/rails": (NOW + timedelta(seconds=20)).timestamp(),
        "/control": (NOW + timedelta(seconds=50)).timestamp(),
    }


def test_a_host_that_is_not_asked_any_more_shows_no_certificate() -> None:
    metrics = fresh()
    metrics.show_hosts([], {"a.example": NOW, "b.example": NOW})

    metrics.show_hosts([], {"b.example": NOW})

    assert named(read(metrics), "certificate_not_after_timestamp_seconds") == {"b.example": NOW.timestamp()}


def test_process_metrics_and_the_build_are_there() -> None:
    samples = read(fresh())

    assert samples[("process_resident_memory_bytes", ())] > 0
    assert list(named(samples, "build_info").values()) == [1]


def test_only_catalogued_metrics_are_exposed() -> None:
    metrics = everything()
    catalogued = {PREFIX + family.name.removesuffix("_total") for family in CATALOGUE}

    exposed = {family.name for family in parse_text(metrics.render("text/plain", now=NOW)[0].decode())}

    assert {name for name in exposed if not name.startswith("process_")} == catalogued


def test_outflow_is_told_by_window_and_of_the_asset_nearest_to_its_threshold() -> None:
    metrics = fresh()
    metrics.show(FULL)
    samples = read(metrics)
    assert named(samples, "outflow_total") == {"ETH/kraken/ethereum": 30.25}
    assert named(samples, "outflow_score") == {"kraken/24h": 1.5}
    assert named(samples, "outflow_threshold") == {"kraken/24h": 3.0}


def test_promtool_finds_nothing() -> None:
    body, _ = everything().render("text/plain", now=NOW)
    assert content("promtool", "check", "metrics", text=body.decode()) == ""


@pytest.mark.parametrize(
    ("page", "catalogue"),
    [
        pytest.param("metrics.md", CATALOGUE, id="of the daemon"),
        pytest.param("freeze-metrics.md", GATE, id="of the freeze gate"),
    ],
)
def test_the_documented_table_is_the_catalogue(page: str, catalogue: tuple[Family, ...]) -> None:
    written = (Path(__file__).parents[2] / "docs" / page).read_text()

    assert written.endswith(table(catalogue)), "make docs"


def everything() -> Metrics:
    """Metrics that have been told of everything once."""
    metrics = fresh()
    for view in (FULL, UNKNOWN, HOSTILE, WORLD):
        metrics.show(view)
    metrics.show_incidents([incident(IncidentKind.WITHDRAWAL_HALT, opened=timedelta(0), official=timedelta(minutes=1))])
    metrics.show_drafts([draft("file", DraftState.PENDING, created=timedelta(0))])
    metrics.show_drills([drilled()])
    metrics.probed("kraken", "kraken-assets", 0.1)
    metrics.failed("kraken", "kraken-assets", FailureReason.TIMEOUT)
    metrics.appended("list_read")
    metrics.refused("kraken")
    metrics.posted("file")
    metrics.post_failed("file", DeliveryOutcome.REJECTED)
    return metrics
