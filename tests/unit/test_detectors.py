"""What each detector makes of short journals: what opens, what must not, and what ends it."""

from typing import Literal

import msgspec
import pytest

import tests.journals as j
from monitor.model import (
    ChainState,
    Change,
    ConfigApplied,
    Direction,
    Draft,
    DraftState,
    ExchangeState,
    Incident,
    IncidentKind,
    Judging,
    ListRead,
    Observation,
    Rail,
    RailState,
    RailStatus,
    Role,
    Severity,
    Source,
    Stage,
    Statement,
    Verdict,
    WatchedRail,
    WithdrawalQueue,
)

OFF = RailState.SUSPENDED
OPEN = RailState.OPEN
HALT = "opened withdrawal_halt"
BTC, ETH = j.MAJORS[0], j.MAJORS[1]
ALTS = list(j.ALTS)


ALL = list(j.MAJORS)


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param(j.polled((5, OFF, ALL), until=9), [HALT], id="all watched rails off is a halt"),
        pytest.param(j.polled((5, OFF, ALL), (6, OPEN, ALL), until=30), [], id="off for one poll is a flicker"),
        pytest.param(j.polled((5, OFF, ALL[:3]), until=9), [HALT], id="three of five rails are enough"),
        pytest.param(
            j.polled((5, OFF, ALL[:2]), until=9), ["opened withdrawals_degraded"], id="two of five are degraded"
        ),
        pytest.param(
            j.polled((5, OFF, ALL[:2]), (10, OFF, ALL[2:]), until=14),
            ["opened withdrawals_degraded", "escalated withdrawal_halt"],
            id="the rest within ten minutes escalates",
        ),
        pytest.param(j.polled((5, OFF, ALTS), until=30), [], id="unwatched coins are nobody's halt"),
        pytest.param(
            j.polled((5, OFF, ALL), (9, OPEN, ALL), until=40),
            [HALT, "monitoring withdrawal_halt", "resolved withdrawal_halt"],
            id="reopened rails are monitored and then resolved",
        ),
        pytest.param(
            j.polled((5, OFF, ALL), (9, OPEN, ALL), (20, OFF, ALL), until=24),
            [HALT, "monitoring withdrawal_halt", "resolved withdrawal_halt", "reopened withdrawal_halt"],
            id="closed again within half an hour reopens the same incident",
        ),
    ],
)
def test_flags(entries: list[Observation], expected: list[str]) -> None:
    assert j.told(entries) == expected


def test_a_halt_says_since_when_and_by_what() -> None:
    (opened,) = j.transitions(j.polled((5, OFF, ALL), until=9))
    assert opened.at == j.at(6)
    assert opened.severity is Severity.CRITICAL
    assert opened.scope == ("*",)
    assert {(e.at, e.source, e.rail, e.value) for e in opened.evidence} == {
        (j.at(5), "api", str(rail), "suspended") for rail in ALL
    }


def test_a_single_watched_rail_is_told_after_ten_minutes() -> None:
    watched = tuple(WatchedRail(asset=r.asset, network=r.network) for r in [*ALL, *ALTS[:5]])
    config = ConfigApplied(at=j.at(0), probe="config", config=Judging(watched={"examplex": watched}), sha256="")
    (opened,) = j.transitions([config, *j.polled((5, OFF, [BTC]), until=30)])
    assert (opened.kind, opened.severity) == (IncidentKind.RAIL_SUSPENDED, Severity.WARNING)
    assert (opened.at, opened.scope) == (j.at(15), ("BTC@bitcoin",))


def test_what_was_off_at_the_first_look_is_no_change() -> None:
    entries: list[Observation] = [*j.rail(0, OPEN, rails=ALL[1:]), *j.rail(0, OFF, rails=[BTC]), j.read(0)]
    entries += [j.read(m) for m in range(1, 60)]
    assert j.told([*entries, j.tick(60)]) == []


def test_more_than_half_off_at_the_first_look_is_a_halt_since_nobody_knows_when() -> None:
    (opened,) = j.transitions([*j.rail(0, OFF, rails=ALL), j.read(0), j.tick(0.1)])
    assert opened.kind is IncidentKind.WITHDRAWAL_HALT
    incident = next(o for o in j.outputs([*j.rail(0, OFF, rails=ALL), j.read(0), j.tick(0.1)]) if hasattr(o, "since"))
    assert incident.since is None


def test_an_asset_without_networks_stands_for_the_watched_rail() -> None:
    star = [Rail(rail.asset, "*") for rail in (BTC, ETH, Rail("SOL", "solana"))]
    entries = [*j.rail(0, OPEN, rails=star), j.read(0), *j.rail(1, OFF, rails=star), j.read(1), j.read(2), j.tick(3)]
    assert j.told(entries) == [HALT]


def test_a_status_page_that_says_open_does_not_dispute_the_api() -> None:
    page = [
        RailStatus(
            at=j.at(m),
            exchange="examplex",
            probe="examplex-page",
            asset=rail.asset,
            network=rail.network,
            direction=Direction.WITHDRAWAL,
            state=OPEN,
            raw="operational",
            source=Source.STATUS_PAGE,
        )
        for m in (0,)
        for rail in ALL
    ]
    reads = [ListRead(at=j.at(m), exchange="examplex", probe="examplex-page", rails=5, changed=0) for m in range(12)]
    entries = sorted([*page, *reads, *j.polled((5, OFF, ALL), until=12)], key=lambda entry: entry.at)
    assert j.told(entries) == [HALT]


def payments(quiet: range, *, until: int, learned: int = 8 * 60, networks: tuple[str, ...] = ()) -> list[Observation]:
    """A usual time in which some networks (all where none is named) send nothing in the minutes of `quiet`."""
    entries: list[Observation] = []
    for minute in range(1, until):
        for seen in j.usual(range(minute, minute + 1)):
            silent = minute in quiet and (not networks or any(name in seen.probe for name in networks))
            entries.append(j.paid(minute, seen.probe.split("-")[1], 0) if silent else seen)
    assert quiet.start >= learned
    return [*entries, j.tick(until)]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param(payments(range(600, 620), until=610), [HALT], id="nothing is sent any more"),
        pytest.param(payments(range(600, 604), until=640, networks=("ethereum",)), [], id="one wallet pauses"),
        pytest.param(payments(range(600, 640), until=640, networks=("ethereum",)), [], id="one wallet is only watched"),
        pytest.param(payments(range(200, 220), until=215, learned=0), [], id="four hours are too little to page"),
        pytest.param(
            payments(range(600, 620), until=650),
            [HALT, "monitoring withdrawal_halt", "resolved withdrawal_halt"],
            id="payments are back",
        ),
    ],
)
def test_silence(entries: list[Observation], expected: list[str]) -> None:
    assert j.told(entries) == expected


def test_silence_is_found_within_two_minutes_with_what_was_expected_as_evidence() -> None:
    opened = j.transitions(payments(range(600, 620), until=610))[0]
    assert j.at(600) <= opened.at <= j.at(601)
    assert {e.source for e in opened.evidence} == {"chain"}
    assert any("0 sent of" in e.value for e in opened.evidence)


def test_a_chain_without_blocks_is_no_silence() -> None:
    def states(minute: float, state: Literal["moving", "stalled"]) -> list[Observation]:
        return [ChainState(at=j.at(minute), probe="chains", network=n, state=state, height=1) for n in j.RATES]

    entries = payments(range(600, 700), until=720)
    stalled = sorted([*entries, *states(599.5, "stalled"), *states(699.5, "moving")], key=lambda entry: entry.at)
    assert j.told(stalled) == []
    assert j.told(entries)[0] == HALT


def test_readings_without_coverage_are_no_silence() -> None:
    entries = payments(range(480, 480), until=480)
    for minute in range(480, 600):
        entries += [j.failed(minute, f"examplex-{network}-hot") for network in j.RATES]
    late = [j.paid(600, network, rate * 120, window=7200) for network, rate in j.RATES.items()]
    assert j.told([*entries, *late, *j.usual(range(601, 640)), j.tick(641)]) == []


def queue(minute: float, *, requested: int, broadcast: int, pending: int) -> WithdrawalQueue:
    return WithdrawalQueue(
        at=j.at(minute),
        exchange="examplex",
        probe="examplex-queue",
        asset="BTC",
        network="bitcoin",
        requested=requested,
        broadcast=broadcast,
        pending=pending,
        window_seconds=60,
    )


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([(5, 0)] * 3, [HALT], id="requested and none broadcast for two minutes"),
        pytest.param([(5, 0), (5, 1), (5, 0)], [], id="one was broadcast in between"),
        pytest.param([(0, 0)] * 9, [], id="nobody wants to withdraw"),
        pytest.param(
            [(5, 0), (5, 0), (0, 0), (9, 9)], [HALT, "monitoring withdrawal_halt"], id="the queue moves again"
        ),
    ],
)
def test_queue(rows: list[tuple[int, int]], expected: list[str]) -> None:
    entries: list[Observation] = [
        queue(m, requested=r, broadcast=b, pending=0 if b else 9) for m, (r, b) in enumerate(rows)
    ]
    assert j.told([*entries, j.tick(len(rows))]) == expected


def test_a_halt_is_resolved_only_when_the_queue_is_empty() -> None:
    rows = [queue(m, requested=5, broadcast=0, pending=20) for m in range(3)]
    rows += [queue(m, requested=5, broadcast=9, pending=9) for m in range(3, 20)]
    assert j.told([*rows, j.tick(20)]) == [HALT, "monitoring withdrawal_halt"]
    drained = [queue(m, requested=5, broadcast=5, pending=0) for m in range(20, 23)]
    assert j.told([*rows, *drained, j.tick(23)])[-1] == "resolved withdrawal_halt"


def test_we_are_blind_once_and_nobody_is_halted() -> None:
    entries: list[Observation] = [*j.rail(0, OPEN), j.read(0), j.control(0, ok=True)]
    entries += [e for m in range(1, 60) for e in (j.control(m, ok=False), j.failed(m, "examplex-api"))]
    assert j.told(entries) == ["opened blind"]
    states = [o.withdrawals for o in j.outputs(entries) if type(o) is Verdict]
    assert states[-1] is ExchangeState.UNKNOWN
    assert ExchangeState.HALTED not in states


@pytest.mark.parametrize(
    ("role", "severities"),
    [
        pytest.param(Role.OBSERVER, [Severity.WARNING], id="an observer is told"),
        pytest.param(
            Role.OPERATOR, [Severity.WARNING, Severity.CRITICAL], id="an operator is woken after five minutes"
        ),
    ],
)
def test_blindness_by_role(role: Role, severities: list[Severity]) -> None:
    config = ConfigApplied(at=j.at(0), probe="config", config=Judging(role=role), sha256="")
    entries: list[Observation] = [config, *(j.control(m / 4, ok=False) for m in range(1, 60))]
    assert [t.severity for t in j.transitions(entries)] == severities


def test_official_words_are_evidence_and_tell_who_knew_first() -> None:
    entries = j.polled((5, OFF, ALL), until=25)
    words = [
        j.said(12.5, "Withdrawals are delayed, we are looking", Stage.INVESTIGATING),
        j.said(14.5, "We identified why withdrawals are delayed", Stage.IDENTIFIED),
        j.said(15.5, "Trading fees change on Monday", None),
    ]
    found = j.transitions(sorted([*entries, *words], key=lambda e: e.at))
    assert [t.transition for t in found] == [Change.OPENED, Change.UPDATED, Change.IDENTIFIED]
    assert [e.source for e in found[-1].evidence][-2:] == ["status_page", "status_page"]


def test_a_recognised_topic_is_about_withdrawals_in_any_language_and_its_end_is_not_their_first_word() -> None:
    def announced(minute: float, text: str, topic: str | None) -> Statement:
        word = j.said(minute, text, None)
        return msgspec.structs.replace(word, topic=topic, source=Source.ANNOUNCEMENT)

    words = [
        announced(4.0, "\uc785\ucd9c\uae08 \uc7ac\uac1c", "resumed"),
        announced(4.5, "\ucd9c\uae08 \uc911\ub2e8", "suspended"),
        announced(7.5, "\uac70\ub798", None),
        announced(8.5, "\ucd9c\uae08 \uc7ac\uac1c", "resumed"),
    ]
    entries = sorted([*j.polled((5, OFF, ALL), until=12), *words], key=lambda e: e.at)
    incident = [o for o in j.outputs(entries) if type(o) is Incident][-1]
    spoken = [(e.at, e.source, e.unit) for e in incident.evidence if e.rail is None]
    assert spoken == [(j.at(4.5), "announcement", None), (j.at(8.5), "announcement", "resumed")]
    assert incident.official_at == j.at(4.5)


def test_a_draft_is_not_asked_for_again_because_trading_was_measured_later_but_because_it_no_longer_is() -> None:
    trades = [j.traded(m) for m in (6.2, 6.4, 6.6)]
    entries = sorted([*j.polled((5, OFF, ALL), until=8), *trades, j.tick(9)], key=lambda e: e.at)
    drafts = [o for o in j.outputs(entries) if type(o) is Draft and o.channel == "file"]
    assert [d.state for d in drafts] == [DraftState.PENDING]
    early = sorted(
        [*j.polled((5, OFF, ALL), until=8), *(j.traded(m) for m in (5.8, 6.2)), j.tick(9)], key=lambda e: e.at
    )
    states = [o.state for o in j.outputs(early) if type(o) is Draft and o.channel == "file"]
    assert states == [DraftState.PENDING, DraftState.SUPERSEDED, DraftState.PENDING]


def test_closed_again_while_monitored_takes_back_the_word_that_it_is_over() -> None:
    entries = j.polled((5, OFF, ALL), (9, OPEN, ALL), (12, OFF, ALL), until=15)
    live = {o.id: o for o in j.outputs(entries) if type(o) is Draft and o.channel == "file"}
    pending = [draft.stage for draft in live.values() if draft.state is DraftState.PENDING]
    assert pending == [Stage.INVESTIGATING]


def test_an_exchange_that_is_no_longer_configured_leaves_nothing_open() -> None:
    others = Judging(watched={"otherx": (WatchedRail(asset="BTC", network="bitcoin"),)})
    entries = [*j.polled((5, OFF, ALL), until=9), ConfigApplied(at=j.at(9.5), probe="config", config=others, sha256="")]
    more = [*j.rail(10, OFF), j.read(10), j.read(11), j.tick(12)]
    found = j.transitions([*entries, *more])
    assert [(t.transition, t.summary) for t in found][1:] == [(Change.RESOLVED, "no longer watched")]


def test_a_retired_exchange_that_returns_brings_no_old_halt_with_it() -> None:
    def watching(name: str, minute: float) -> ConfigApplied:
        config = Judging(watched={name: (WatchedRail(asset="BTC", network="bitcoin"),)})
        return ConfigApplied(at=j.at(minute), probe="config", config=config, sha256="")

    entries = [*j.polled((5, OFF, ALL), until=9), watching("otherx", 10), watching("examplex", 4000), j.tick(4001)]
    assert j.told(entries) == [HALT, "resolved withdrawal_halt"]


def test_a_trade_of_the_future_proves_trading_no_longer_than_any_other() -> None:
    ahead = j.traded(5.5, age=-86_400 * 365)
    drafts = [
        o
        for o in j.outputs(sorted([*j.polled((5, OFF, ALL), until=12), ahead], key=lambda e: e.at))
        if type(o) is Draft
    ]
    assert '"trading_unaffected":false' in drafts[-1].claims


def test_old_words_are_not_about_this_outage() -> None:
    old = msgspec.structs.replace(j.said(7.5, "Withdrawals are delayed", Stage.IDENTIFIED), published_at=j.at(-4000))
    found = j.transitions(sorted([*j.polled((5, OFF, ALL), until=12), old], key=lambda e: e.at))
    assert [t.transition for t in found] == [Change.OPENED]


def test_rails_that_vanish_during_a_halt_do_not_end_it() -> None:
    entries = j.polled((5, OFF, ALL), (9, RailState.UNLISTED, ALL), until=60)
    assert j.told(entries) == [HALT]


def test_an_incident_narrows_to_what_still_holds() -> None:
    found = j.transitions(j.polled((5, OFF, ALL), (9, OPEN, ALL[1:]), until=40))
    assert [t.scope for t in found] == [("*",), ("BTC@bitcoin",)]
    assert found[-1].severity is Severity.CRITICAL


def test_words_before_our_detection_make_them_the_first_to_know() -> None:
    words = [j.said(4.5, "Withdrawals are delayed", Stage.INVESTIGATING)]
    incidents = [
        o
        for o in j.outputs(sorted([*j.polled((5, OFF, ALL), until=9), *words], key=lambda e: e.at))
        if hasattr(o, "official_at")
    ]
    assert incidents[0].official_at == j.at(4.5)
