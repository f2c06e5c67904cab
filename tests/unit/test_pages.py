"""What the pages say, in the words of somebody who is woken at three."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from monitor.model import (
    Change,
    Direction,
    Draft,
    DraftState,
    Evidence,
    ExchangeState,
    ExchangeView,
    Incident,
    IncidentKind,
    NetworkView,
    ProbeView,
    Problem,
    RailVerdict,
    RailView,
    Role,
    Severity,
    Stage,
    Transition,
)
from monitor.model.view import SampleView, WindowView
from monitor.web import cases, pages, phrases
from monitor.web.pages import Cell
from monitor.web.phrases import Mark, Tone

NOW = datetime(2026, 2, 3, 14, 24, 30, tzinfo=UTC)


def before(**span: float) -> datetime:
    return NOW - timedelta(**span)


VIEW = ExchangeView(exchange="kraken", at=NOW, withdrawals=ExchangeState.OPERATIONAL, since=None, reason="")
ETHEREUM = NetworkView(
    network="ethereum",
    last_outgoing_at=before(seconds=4),
    outgoing_total=10,
    head_age_seconds=1.0,
    read_at=before(seconds=2),
    learned_seconds=1500.0,
    silence_score=0.0,
)
RAIL = RailView(
    asset="ETH",
    network="ethereum",
    direction=Direction.WITHDRAWAL,
    verdict=RailVerdict.SUSPENDED,
    since=before(minutes=12),
    first_read_at=before(hours=3),
    source="api",
    raw="funding_temporarily_disabled",
    read_at=before(seconds=5),
    weight=1.0,
)
INCIDENT = Incident(
    id="kraken-withdrawal_halt-20260203T140510Z",
    exchange="kraken",
    kind=IncidentKind.WITHDRAWAL_HALT,
    severity=Severity.CRITICAL,
    stage=Stage.INVESTIGATING,
    scope=("*",),
    summary="",
    opened_at=before(minutes=19),
    since=before(minutes=21),
    updated_at=before(minutes=19),
)
DRAFT = Draft(
    id="d-3fa9c1b07e",
    incident=INCIDENT.id,
    exchange="kraken",
    stage=Stage.INVESTIGATING,
    channel="file",
    role=Role.OBSERVER,
    text="We observe",
    text_sha256="00",
    state=DraftState.PENDING,
    problems=(),
    created_at=before(minutes=3),
    expires_at=NOW + timedelta(minutes=17),
    claims="",
)


def heard(source: str, *, at: datetime, rail: str | None = None, value: str = "suspended") -> Evidence:
    return Evidence(at=at, probe=f"kraken-{source}", source=source, rail=rail, value=value)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "0 s ago"),
        (0, "0 s ago"),
        (4.4, "4 s ago"),
        (89, "89 s ago"),
        (90, "2 min ago"),
        (12 * 60, "12 min ago"),
        (89 * 60, "89 min ago"),
        (3 * 3600, "3 h ago"),
        (47 * 3600, "47 h ago"),
        (3 * 86_400, "3 d ago"),
        (-12 * 60, "in 12 min"),
    ],
)
def test_an_age_is_one_figure_and_one_unit(seconds: float, words: str) -> None:
    assert phrases.ago(NOW - timedelta(seconds=seconds), NOW) == words


@pytest.mark.parametrize(
    ("at", "words"),
    [
        pytest.param(NOW, "14:24 UTC", id="today"),
        pytest.param(datetime(2026, 2, 2, 8, 5, tzinfo=UTC), "2 Feb 08:05 UTC", id="another day"),
        pytest.param(datetime(2025, 11, 2, 8, 5, tzinfo=UTC), "2025-11-02 08:05 UTC", id="another year"),
        pytest.param(
            datetime.fromisoformat("2026-02-03T15:02:10+01:00"), "14:02 UTC", id="a time that came with an offset"
        ),
    ],
)
def test_an_absolute_time_is_utc_and_says_so(at: datetime, words: str) -> None:
    assert phrases.clock(at, NOW) == words


@pytest.mark.parametrize(
    ("coins", "words"),
    [
        ("1204334981.11", "1,204,334,981"),
        ("401346.25", "401,346"),
        ("999.99999", "1,000"),
        ("12.334410", "12.3344"),
        ("5", "5"),
        ("100", "100"),
        ("0.00001", "0"),
        ("0", "0"),
    ],
)
def test_coins_read_well(coins: str, words: str) -> None:
    assert phrases.amount(Decimal(coins)) == words


def test_a_shortened_text_is_one_line_that_cannot_steer_the_display() -> None:
    assert phrases.shortened("Withdrawals\n\u202eare  paused\x07 now", 21) == "Withdrawals are paus…"


@pytest.mark.parametrize(
    ("evidence", "official_at", "kind", "sentence"),
    [
        pytest.param((), None, IncidentKind.WITHDRAWAL_HALT, "", id="no evidence"),
        pytest.param(
            (heard("api", at=before(minutes=18)), heard("chain", at=before(minutes=20))),
            before(minutes=3),
            IncidentKind.WITHDRAWAL_HALT,
            "The chain knew first, at 14:04:30 UTC; the API 2 min later; the official word 17 min later.",
            id="chain, list, official word",
        ),
        pytest.param(
            (heard("chain", at=before(minutes=20)), heard("chain", at=before(minutes=10))),
            None,
            IncidentKind.WITHDRAWAL_HALT,
            "The chain knew first, at 14:04:30 UTC; no official word in 20 min.",
            id="a source counts from its first word",
        ),
        pytest.param(
            (heard("api", at=before(minutes=20)),),
            before(minutes=25),
            IncidentKind.RAIL_SUSPENDED,
            "The official word came first, at 13:59:30 UTC; the API 5 min later.",
            id="announced before",
        ),
        pytest.param(
            (heard("control", at=before(minutes=20)),),
            None,
            IncidentKind.BLIND,
            "",
            id="our own blindness is no race",
        ),
    ],
)
def test_who_knew_first_and_by_how_many_minutes(
    evidence: tuple[Evidence, ...], official_at: datetime | None, kind: IncidentKind, sentence: str
) -> None:
    incident = replace(INCIDENT, evidence=evidence, official_at=official_at, kind=kind)

    assert phrases.who_knew(incident, NOW) == sentence


def said(source: str, *, at: datetime, over: bool = False) -> Evidence:
    words = "Withdrawals are back" if over else "Withdrawals are paused"
    return Evidence(at=at, probe=f"kraken-{source}", source=source, value=words, unit="resumed" if over else None)


@pytest.mark.parametrize(
    ("evidence", "recovered_at", "sentence"),
    [
        pytest.param((heard("api", at=before(minutes=18)),), None, "", id="nothing said"),
        pytest.param(
            (heard("status_page", at=before(minutes=18), rail="ETH@arbitrum"),), None, "", id="a flag is no word"
        ),
        pytest.param(
            (said("status_page", at=before(minutes=2)), said("status_page", at=before(minutes=1))),
            None,
            "Their first word: status page 14:22 UTC, 17 min after us.",
            id="after us",
        ),
        pytest.param(
            (said("status_page", at=before(minutes=2)), said("announcement", at=before(minutes=22))),
            None,
            "Their first word: announcement 14:02 UTC, 3 min before us; status page 14:22 UTC, 17 min after us.",
            id="each source by itself, the earliest first",
        ),
        pytest.param(
            (said("status_page", at=before(minutes=12)), said("status_page", at=before(minutes=3), over=True)),
            before(minutes=6),
            "Their first word: status page 14:12 UTC, 7 min after us. "
            "They say it is over: status page 14:21 UTC, 3 min after we saw it recover.",
            id="and when they say it is over",
        ),
        pytest.param(
            (said("announcement", at=before(minutes=3), over=True),),
            None,
            "They say it is over: announcement 14:21 UTC, 16 min after us; we have not seen it recover.",
            id="they call it over before we see it",
        ),
    ],
)
def test_how_long_before_or_after_us_they_spoke(
    evidence: tuple[Evidence, ...], recovered_at: datetime | None, sentence: str
) -> None:
    assert phrases.their_words(replace(INCIDENT, evidence=evidence, recovered_at=recovered_at)) == sentence


def test_words_count_once_among_those_who_knew() -> None:
    incident = replace(
        INCIDENT,
        evidence=(heard("chain", at=before(minutes=20)), said("status_page", at=before(minutes=3))),
        official_at=before(minutes=3),
    )
    assert phrases.who_knew(incident, NOW).endswith("UTC; the official word 17 min later.")


WINDOW = WindowView(
    starts_at=NOW + timedelta(hours=3),
    ends_at=NOW + timedelta(hours=5),
    scope=("BTC@bitcoin",),
    source="status_page",
)


@pytest.mark.parametrize(
    ("window", "words"),
    [
        pytest.param(WINDOW, "maintenance 17:24-19:24 UTC: BTC@bitcoin, per its status page", id="today"),
        pytest.param(
            replace(WINDOW, starts_at=NOW + timedelta(hours=8), ends_at=NOW + timedelta(hours=12), scope=("*",)),
            "maintenance 22:24 UTC to 4 Feb 02:24 UTC: everything, per its status page",
            id="over midnight",
        ),
        pytest.param(
            replace(
                WINDOW,
                starts_at=NOW + timedelta(hours=12),
                ends_at=NOW + timedelta(hours=13),
                scope=tuple(f"A{n}@tron" for n in range(5)),
                source="announcement",
            ),
            "maintenance 4 Feb 02:24-03:24 UTC: A0@tron, A1@tron, A2@tron and 2 more, per an announcement",
            id="another day, many rails",
        ),
    ],
)
def test_announced_maintenance(window: WindowView, words: str) -> None:
    assert pages.maintenance(window, NOW) == words
    assert pages.next_maintenance(replace(VIEW, windows=(window,)), NOW) == words


def test_of_maintenance_the_first_page_shows_what_is_near() -> None:
    far = replace(WINDOW, starts_at=NOW + timedelta(days=3), ends_at=NOW + timedelta(days=4))
    assert pages.next_maintenance(replace(VIEW, windows=(far,)), NOW) == ""
    assert pages.next_maintenance(replace(VIEW, windows=(WINDOW, WINDOW, far)), NOW).endswith("status page and 1 more")


SAMPLE = SampleView(
    probe="kraken-withdrawals",
    asset="USDT",
    network="tron",
    read_at=before(seconds=5),
    pending=1,
    oldest_seconds=720.0,
    frozen=False,
    took_seconds=180.0,
    took_at=before(hours=2),
    failed_24h=0,
)


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        pytest.param(SAMPLE, "1 pending for 12 min, last took 3 min", id="one waits"),
        pytest.param(
            replace(SAMPLE, frozen=True), "1 pending for 12 min, last took 3 min; frozen by its owner", id="frozen"
        ),
        pytest.param(
            replace(SAMPLE, pending=0, oldest_seconds=None, took_seconds=None, failed_24h=2),
            "2 failed in 24 h",
            id="failed",
        ),
        pytest.param(
            replace(SAMPLE, pending=0, oldest_seconds=None, took_seconds=None), "none pending", id="nothing to tell"
        ),
    ],
)
def test_own_withdrawals(sample: SampleView, words: str) -> None:
    assert pages.own_withdrawals(sample) == words


def test_silence_of_the_exchange_ends_with_the_incident() -> None:
    evidence = (heard("chain", at=before(hours=5)),)
    over = replace(INCIDENT, evidence=evidence, resolved_at=before(hours=4))

    assert phrases.who_knew(over, NOW).endswith("no official word in 60 min.")


@pytest.mark.parametrize(
    ("view", "cell"),
    [
        pytest.param(
            VIEW,
            Cell("unknown", Tone.UNKNOWN, "no chain was read"),
            id="no chain is read",
        ),
        pytest.param(
            replace(VIEW, networks=(ETHEREUM, replace(ETHEREUM, network="bsc", last_outgoing_at=before(minutes=2)))),
            Cell("4 s ago, ethereum"),
            id="the newest of two networks",
        ),
        pytest.param(
            replace(VIEW, networks=(replace(ETHEREUM, last_outgoing_at=None),)),
            Cell("none seen", Tone.UNKNOWN, "on ethereum"),
            id="read and never seen to pay",
        ),
        pytest.param(
            replace(
                VIEW, networks=(replace(ETHEREUM, last_outgoing_at=before(minutes=26), read_at=before(minutes=23)),)
            ),
            Cell("26 min ago, ethereum", Tone.UNKNOWN, "chain not read since 14:01 UTC", Tone.UNKNOWN),
            id="a chain that is not read any more proves nothing",
        ),
        pytest.param(
            replace(
                VIEW,
                networks=(replace(ETHEREUM, last_outgoing_at=before(minutes=20)),),
                silence_score=15.0,
                silence_threshold=14.0,
            ),
            Cell("20 min ago, ethereum", Tone.BAD),
            id="silence beyond the threshold is red",
        ),
        pytest.param(
            replace(VIEW, networks=(ETHEREUM,), silence_note="learning, 25 min of 6 h"),
            Cell("4 s ago, ethereum", None, "learning, 25 min of 6 h"),
            id="learning",
        ),
    ],
)
def test_when_it_last_paid_somebody(view: ExchangeView, cell: Cell) -> None:
    assert pages.last_paid(view, NOW) == cell


@pytest.mark.parametrize(
    ("view", "cell"),
    [
        pytest.param(
            replace(VIEW, counts={"withdrawal": {"open": 375, "suspended": 30, "maintenance": 7, "unlisted": 9}}),
            Cell("37 of 412", Tone.QUIET, "none new"),
            id="off for long is grey",
        ),
        pytest.param(
            replace(VIEW, counts={"withdrawal": {"open": 375, "suspended": 37}}, newly_off_24h=3),
            Cell("37 of 412", Tone.QUIET, "3 new in 24 h", Tone.BAD),
            id="only the change is red",
        ),
        pytest.param(
            replace(
                VIEW,
                counts={"withdrawal": {}},
                rails=(replace(RAIL, verdict=RailVerdict.UNKNOWN, reason="flags need a read-only key"),),
            ),
            Cell("unknown", Tone.UNKNOWN, "flags need a read-only key"),
            id="unknown says why",
        ),
        pytest.param(
            replace(
                VIEW,
                reason="flags need a read-only key",
                rails=(replace(RAIL, verdict=RailVerdict.UNKNOWN, reason="flags need a read-only key"),),
            ),
            Cell("unknown", Tone.UNKNOWN),
            id="but not twice in a row",
        ),
    ],
)
def test_rails_off(view: ExchangeView, cell: Cell) -> None:
    assert pages.rails_off(view) == cell


@pytest.mark.parametrize(
    ("view", "cell"),
    [
        pytest.param(VIEW, Cell("unknown", Tone.UNKNOWN), id="no trade seen"),
        pytest.param(
            replace(VIEW, last_trade_at=before(seconds=2), trading="operational"),
            Cell("2 s ago", note_tone=Tone.WARNING),
            id="trading",
        ),
        pytest.param(
            replace(VIEW, last_trade_at=before(seconds=2), trading="degraded"),
            Cell("2 s ago", None, "degraded", Tone.WARNING),
            id="it says that trading is degraded",
        ),
        pytest.param(
            replace(VIEW, last_trade_at=before(minutes=22)),
            Cell("22 min ago", Tone.UNKNOWN, note_tone=Tone.WARNING),
            id="an old trade",
        ),
    ],
)
def test_trading(view: ExchangeView, cell: Cell) -> None:
    assert pages.trading(view, NOW) == cell


SEES = ProbeView(probe="kraken-assets", last_success_at=before(seconds=8), failing_since=None)
FAILS = ProbeView(
    probe="kraken-status", last_success_at=None, failing_since=before(minutes=22), reason="connection", detail="refused"
)


@pytest.mark.parametrize(
    ("probes", "cell"),
    [
        pytest.param((), Cell("never read", Tone.UNKNOWN, note_tone=Tone.UNKNOWN), id="nothing looked yet"),
        pytest.param((SEES,), Cell("8 s ago", note_tone=Tone.UNKNOWN), id="all see"),
        pytest.param(
            (SEES, FAILS),
            Cell("8 s ago", None, "kraken-status: no connection since 14:02 UTC", Tone.UNKNOWN),
            id="one cannot see",
        ),
        pytest.param(
            (FAILS, FAILS), Cell("never read", Tone.UNKNOWN, "2 of 2 sources fail", Tone.UNKNOWN), id="none can see"
        ),
        pytest.param(
            (replace(SEES, unread=2, unread_detail="BTC: no bool"),),
            Cell("8 s ago", None, "2 rows unreadable", Tone.UNKNOWN),
            id="one sees in part",
        ),
        pytest.param(
            (replace(SEES, last_success_at=before(minutes=4)),),
            Cell("4 min ago", Tone.UNKNOWN, note_tone=Tone.UNKNOWN),
            id="too old to trust",
        ),
    ],
)
def test_how_old_the_data_is(probes: tuple[ProbeView, ...], cell: Cell) -> None:
    assert pages.age(replace(VIEW, probes=probes), NOW) == cell


@pytest.mark.parametrize(
    ("rail", "mark", "since"),
    [
        pytest.param(RAIL, Mark("suspended", Tone.BAD), "since 14:12 UTC, 12 min", id="went off while we watched"),
        pytest.param(
            replace(RAIL, since=None),
            Mark("suspended", Tone.QUIET),
            "since before 11:24 UTC",
            id="was off when we first looked",
        ),
        pytest.param(
            replace(RAIL, verdict=RailVerdict.OPEN, since=None), Mark("open", Tone.FINE), "", id="was always open"
        ),
        pytest.param(
            replace(RAIL, verdict=RailVerdict.UNKNOWN, reason="cannot see: timeout"),
            Mark("unknown", Tone.UNKNOWN),
            "cannot see: timeout",
            id="unknown says why",
        ),
    ],
)
def test_a_watched_rail(rail: RailView, mark: Mark, since: str) -> None:
    assert pages.rail_mark(rail) == mark
    assert pages.rail_since(rail, NOW, told="") == since


def test_the_worst_exchange_is_on_top_and_the_world_is_none() -> None:
    states = {"a": ExchangeState.OPERATIONAL, "b": ExchangeState.UNKNOWN, "c": ExchangeState.HALTED}
    views = [replace(VIEW, exchange=name, withdrawals=state) for name, state in states.items()]

    shown = pages.exchanges([replace(VIEW, exchange=""), *views])

    assert [view.exchange for view in shown] == ["c", "b", "a"]
    assert pages.headline(shown) == "1 halted, 1 unknown, 1 operational"


def test_open_incidents_are_severest_first() -> None:
    warning = replace(INCIDENT, id="w", severity=Severity.WARNING, opened_at=before(minutes=1))
    newer = replace(INCIDENT, id="n", opened_at=before(minutes=2))
    over = replace(INCIDENT, id="o", resolved_at=NOW)

    shown = cases.open_incidents([warning, INCIDENT, over, newer])

    assert [incident.id for incident in shown] == ["n", INCIDENT.id, "w"]


def test_a_step_of_the_timeline_has_only_what_was_new() -> None:
    chain = heard("chain", at=before(minutes=20), rail="*@ethereum", value="0 sent")
    lists = tuple(heard("api", at=before(minutes=18), rail=rail) for rail in ("BTC@bitcoin", "ETH@ethereum"))

    def transition(change: Change, evidence: tuple[Evidence, ...]) -> Transition:
        return Transition(
            at=NOW,
            incident=INCIDENT.id,
            transition=change,
            kind=INCIDENT.kind,
            severity=INCIDENT.severity,
            exchange="kraken",
            scope=("*",),
            summary="",
            evidence=evidence,
        )

    steps = cases.steps(
        [
            transition(Change.OPENED, (chain,)),
            transition(Change.UPDATED, (chain, *lists)),
            transition(Change.RESOLVED, (chain, *lists)),
        ]
    )

    assert [[found.rails for found in step.findings] for step in steps] == [
        [("ethereum",)],
        [("BTC@bitcoin", "ETH@ethereum")],
        [],
    ]


@pytest.mark.parametrize(
    ("draft", "cell"),
    [
        pytest.param(DRAFT, Cell("expires in 17 min", None, "14:41 UTC"), id="there is time"),
        pytest.param(
            replace(DRAFT, expires_at=NOW + timedelta(minutes=4)),
            Cell("expires in 4 min", Tone.WARNING, "14:28 UTC"),
            id="soon",
        ),
        pytest.param(replace(DRAFT, expires_at=NOW), Cell("expired", Tone.QUIET, "14:24 UTC"), id="over"),
        pytest.param(replace(DRAFT, state=DraftState.POSTED), Cell(""), id="decided"),
    ],
)
def test_how_long_a_draft_can_be_approved(draft: Draft, cell: Cell) -> None:
    assert cases.expiry(draft, NOW) == cell


@pytest.mark.parametrize(
    ("levels", "mark"),
    [
        pytest.param((), Mark("clean", Tone.FINE), id="clean"),
        pytest.param(("warning", "warning"), Mark("2 warnings", Tone.WARNING), id="warnings"),
        pytest.param(("warning", "error"), Mark("1 error", Tone.BAD), id="an error outweighs"),
    ],
)
def test_what_the_linter_says_in_short(levels: tuple[str, ...], mark: Mark) -> None:
    problems = {
        "warning": Problem(rule="r", level="warning", message="m"),
        "error": Problem(rule="r", level="error", message="m"),
    }

    assert cases.lint(replace(DRAFT, problems=tuple(problems[level] for level in levels))) == mark


@pytest.mark.parametrize(
    ("states", "tones"),
    [
        pytest.param(list(ExchangeState), phrases.EXCHANGE_TONES, id="exchange"),
        pytest.param(list(RailVerdict), phrases.RAIL_TONES, id="rail"),
        pytest.param(list(Severity), phrases.SEVERITY_TONES, id="severity"),
        pytest.param(list(Stage), phrases.STAGE_TONES, id="stage"),
        pytest.param(list(DraftState), phrases.DRAFT_TONES, id="draft"),
    ],
)
def test_every_state_has_a_tone(states: list[str], tones: dict[str, Tone]) -> None:
    assert set(states) == set(tones)


@pytest.mark.parametrize(
    ("probe", "mark", "words"),
    [
        pytest.param(SEES, Mark("yes", Tone.FINE), "", id="all rows"),
        pytest.param(
            replace(SEES, unread=1, unread_detail="BTC@bitcoin: expected `bool` - at `$[3]`"),
            Mark("in part", Tone.UNKNOWN),
            "1 row unreadable: BTC@bitcoin: expected `bool` - at `$[3]`",
            id="all but one",
        ),
        pytest.param(
            replace(SEES, unread=3, unread_detail="BTC: no bool"),
            Mark("in part", Tone.UNKNOWN),
            "3 rows unreadable: BTC: no bool and others",
            id="all but three",
        ),
        pytest.param(replace(FAILS, unread=1), Mark("cannot see", Tone.UNKNOWN), "1 row unreadable: ", id="not at all"),
    ],
)
def test_rows_that_cannot_be_read_are_told_at_their_probe(probe: ProbeView, mark: Mark, words: str) -> None:
    assert pages.sees(probe) == mark
    assert pages.unreadable(probe) == words
