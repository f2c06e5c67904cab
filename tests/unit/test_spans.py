"""How long an incident lasted by each source, who knew first, and when it recovers, is resolved and is reopened."""

import pytest
from msgspec.structs import replace

import tests.journals as j
from monitor.model import Incident, Observation, Rail, RailState, Span, Stage, WithdrawalQueue
from monitor.web.spans import by_source

OFF, OPEN = RailState.SUSPENDED, RailState.OPEN
ALL = list(j.MAJORS)
START = 10 * 60


def lived(
    *, quiet: range = range(0), flags: tuple[int, int] | None = None, words: list[Observation] | None = None, until: int
) -> list[Observation]:
    """Ten usual hours and then until a minute: nothing is sent in `quiet`, and all rails are closed between two."""
    entries: list[Observation] = [*j.rail(0, OPEN), j.read(0), *(words or [])]
    changes = {} if flags is None else {flags[0]: OFF, flags[1]: OPEN}
    for minute in range(1, START + until):
        since = minute - START
        if since in changes:
            entries += j.rail(minute, changes[since])
        entries += [j.read(minute), *j.usual(range(minute, minute + 1), factor=0 if since in quiet else 1)]
    return sorted([*entries, j.tick(START + until)], key=lambda entry: entry.at)


def said(minute: float, text: str, stage: Stage) -> Observation:
    return j.said(START + minute, text, stage)


def newest(entries: list[Observation]) -> Incident:
    return [o for o in j.outputs(entries) if type(o) is Incident][-1]


def shown(spans: tuple[Span, ...]) -> dict[str, tuple[float | None, float | None]]:
    """Source -> minutes after the start of the story."""

    def minutes(at: object) -> float | None:
        return None if at is None else round((at - j.at(START)).total_seconds() / 60, 1)  # type: ignore[operator]

    return {span.source: (minutes(span.began_at), minutes(span.ended_at)) for span in spans}


WORDS = [
    said(17, "We are looking into withdrawals", Stage.INVESTIGATING),
    said(20, "Withdrawals are back", Stage.RESOLVED),
]


def test_the_chain_lasted_twenty_minutes_the_flags_fourteen_and_official_words_three() -> None:
    incident = newest(lived(quiet=range(20), flags=(6, 20), words=WORDS, until=40))
    assert incident.stage is Stage.RESOLVED
    assert shown(incident.spans) == {"chain": (-1.0, 20.0), "flags": (6.0, 20.0), "official": (17.0, 20.0)}


@pytest.mark.parametrize(
    ("entries", "spans"),
    [
        pytest.param(lived(flags=(6, 20), until=12), {"flags": (6.0, None)}, id="it goes on"),
        pytest.param(
            lived(flags=(6, 20), words=WORDS[:1], until=40),
            {"flags": (6.0, 20.0), "official": (17.0, None)},
            id="they never say that it is over",
        ),
        pytest.param(
            lived(flags=(6, 20), words=[said(35, "Withdrawals are back", Stage.RESOLVED)], until=40),
            {"flags": (6.0, 20.0)},
            id="that it is over is no first word",
        ),
        pytest.param(
            lived(flags=(6, 20), words=[WORDS[0], said(35, "Withdrawals are back", Stage.RESOLVED)], until=40),
            {"flags": (6.0, 20.0), "official": (17.0, 35.0)},
            id="they say late that it is over",
        ),
        pytest.param(
            [*j.rail(0, OFF), *(j.read(m) for m in range(3)), j.tick(3)],
            {"flags": (None, None)},
            id="so at the first look",
        ),
    ],
)
def test_spans(entries: list[Observation], spans: dict[str, tuple[float | None, float | None]]) -> None:
    assert shown(newest(entries).spans) == spans


def test_a_source_that_ends_before_the_others_is_told() -> None:
    incident = newest(lived(quiet=range(20), flags=(6, 60), until=50))
    assert shown(incident.spans) == {"chain": (-1.0, 20.0), "flags": (6.0, None)}


@pytest.mark.parametrize(
    ("entries", "stage"),
    [
        pytest.param(
            lived(quiet=range(20), flags=(6, 60), until=58),
            Stage.INVESTIGATING,
            id="not by payments while flags are off",
        ),
        pytest.param(
            lived(quiet=range(40), flags=(6, 20), until=38),
            Stage.INVESTIGATING,
            id="not by flags while nothing is sent",
        ),
        pytest.param(lived(quiet=range(20), flags=(6, 20), until=40), Stage.RESOLVED, id="by both"),
    ],
)
def test_recovery(entries: list[Observation], stage: Stage) -> None:
    assert newest(entries).stage is stage
    assert len([t for t in j.transitions(entries) if t.transition == "monitoring"]) == (stage is Stage.RESOLVED)


def queue(minute: int, pending: int, broadcast: int) -> WithdrawalQueue:
    return WithdrawalQueue(
        at=j.at(minute),
        exchange="examplex",
        probe="examplex-queue",
        asset="BTC",
        network="bitcoin",
        requested=5,
        broadcast=broadcast,
        pending=pending,
        window_seconds=60,
    )


def test_an_incident_is_resolved_once_the_backlog_is_drained() -> None:
    closed = j.polled((5, OFF, ALL), (10, OPEN, ALL), until=60)
    backlog: list[Observation] = [queue(minute, 30 - minute if minute < 30 else 0, 6) for minute in range(60)]
    found = j.transitions(sorted([*closed, *backlog], key=lambda entry: entry.at))
    assert [(t.transition, t.at) for t in found][1:] == [("monitoring", j.at(12)), ("resolved", j.at(30))]


@pytest.mark.parametrize(
    ("minute", "transition", "same"),
    [
        pytest.param(46, "reopened", True, id="within half an hour it keeps its id"),
        pytest.param(49, "opened", False, id="after that it is another one"),
    ],
)
def test_reopening(minute: int, transition: str, same: bool) -> None:
    found = j.transitions(j.polled((5, OFF, ALL), (10, OPEN, ALL), (minute, OFF, ALL), until=minute + 4))
    assert [t.transition for t in found] == ["opened", "monitoring", "resolved", transition]
    assert (found[-1].incident == found[0].incident) is same


def test_what_lasts_again_has_not_ended() -> None:
    entries = j.polled((5, OFF, ALL), (10, OPEN, ALL), (16, OFF, ALL), until=20)
    (span,) = newest(entries).spans
    assert span == replace(span, source="flags", began_at=j.at(5), ended_at=None)


def test_a_single_rail_is_no_end_of_what_flags_say() -> None:
    (span,) = newest(j.polled((5, OFF, ALL), (10, OPEN, [Rail("BTC", "bitcoin")]), until=20)).spans
    assert span.ended_at is None


def test_durations_in_words() -> None:
    incident = newest(lived(quiet=range(20), flags=(6, 20), words=WORDS, until=40))
    assert by_source(incident, incident.updated_at) == [
        "The chain: from 09:59 UTC, 60 s before we told, 18 min before their first word; lasted 21 min",
        "Flags: from 10:06 UTC, 6 min after we told, 11 min before their first word; lasted 14 min",
        "Official words: from 10:17 UTC, 17 min after we told; lasted 3 min",
    ]


def test_durations_of_what_goes_on_in_words() -> None:
    open_still = newest(lived(flags=(6, 20), words=WORDS[:1], until=19))
    assert by_source(open_still, j.at(START + 19)) == [
        "Flags: from 10:06 UTC, 60 s before we told, 11 min before their first word; goes on, 13 min so far",
        "Official words: from 10:17 UTC, 10 min after we told; they have not said that it is over",
    ]
    first_look = newest([*j.rail(0, OFF), *(j.read(m) for m in range(3)), j.tick(3)])
    assert by_source(first_look, j.at(3)) == ["Flags: from before we looked; goes on"]
