"""Of what nobody is told: what a person silenced, what a larger incident explains; and when it is told at last."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from monitor.model import Change, Happened, Incident, IncidentKind, Queued, Severity, Stage, Told
from monitor.model.silence import Silence
from monitor.notify.hush import audible, hushed, never_told, settling, silenced
from tests.notifications import at, notification, transition

OPENED, ESCALATED, REOPENED, RESOLVED = Happened.OPENED, Happened.ESCALATED, Happened.REOPENED, Happened.RESOLVED

HALT = Incident(
    id="kraken-withdrawals_degraded-1",
    exchange="kraken",
    kind=IncidentKind.WITHDRAWALS_DEGRADED,
    severity=Severity.WARNING,
    stage=Stage.INVESTIGATING,
    scope=("ETH@ethereum", "USDT@ethereum"),
    summary="two rails are closed",
    opened_at=at(60),
    since=at(0),
    updated_at=at(60),
)
NETWORK = replace(
    HALT,
    id="world-network_incident-ethereum-1",
    exchange="",
    kind=IncidentKind.NETWORK_INCIDENT,
    scope=("*@ethereum",),
    subject="ethereum",
    exchanges=("kraken", "okx"),
    opened_at=at(30),
)
BLIND = replace(NETWORK, id="world-blind-1", kind=IncidentKind.BLIND, scope=("*",), subject="", exchanges=())
SILENCE = Silence(id="s-1", exchange="kraken", created_at=at(0), until=at(600), comment="known", actor="dana")


@pytest.mark.parametrize(
    ("others", "silences", "is_hushed"),
    [
        pytest.param([], [], False, id="nothing speaks against it"),
        pytest.param([], [SILENCE], True, id="a person silenced it"),
        pytest.param([], [replace(SILENCE, until=at(100))], False, id="until a moment ago"),
        pytest.param([], [replace(SILENCE, exchange="okx")], False, id="a silence of another exchange"),
        pytest.param([NETWORK], [], True, id="part of a network's incident"),
        pytest.param([replace(NETWORK, stage=Stage.MONITORING)], [], False, id="the network is back"),
        pytest.param([replace(NETWORK, exchanges=("okx",))], [], False, id="the network is closed elsewhere"),
        pytest.param([BLIND], [], True, id="we could not see when it opened"),
        pytest.param([replace(BLIND, opened_at=at(90))], [], False, id="we saw when it opened"),
    ],
)
def test_what_nobody_is_told_of(others: list[Incident], silences: list[Silence], is_hushed: bool) -> None:
    assert (HALT.id in hushed([HALT, *others], silences, at(100))) is is_hushed
    assert not hushed(others, (), at(100)), "what explains is told itself"


def test_what_fired_before_it_was_hushed_is_known_from_what_never_did() -> None:
    later = replace(HALT, opened_at=at(10))
    assert never_told([HALT, NETWORK], (), at(100)) == {HALT.id}
    assert never_told([later, NETWORK], (), at(100)) == set()
    assert never_told([HALT], [SILENCE], at(100)) == {HALT.id}
    assert never_told([HALT], [replace(SILENCE, created_at=at(70))], at(100)) == set()


def test_a_transition_is_silenced_as_of_its_own_time() -> None:
    during, after = transition(Change.OPENED, seconds=10), transition(Change.REOPENED, seconds=700)
    assert silenced([during], [SILENCE]) == {during.incident}
    assert silenced([after], [SILENCE]) == set()
    assert silenced([transition(Change.RESOLVED, seconds=10)], [SILENCE]) == set()


def test_only_what_was_put_off_is_left_alone_while_it_settles() -> None:
    ending = replace(HALT, stage=Stage.MONITORING)
    assert settling([ending], {HALT.id}) == {HALT.id}
    assert settling([ending], set()) == set()
    assert settling([HALT], {HALT.id}) == set()


def queued(*happened: Happened, put_off: bool) -> list[Queued]:
    return [
        Queued(notification=notification(seq, each), put_off=put_off and each is not RESOLVED)
        for seq, each in enumerate(happened, start=1)
    ]


@pytest.mark.parametrize(
    ("waiting", "heard", "hush", "now", "fold"),
    [
        pytest.param(queued(OPENED, put_off=False), [], False, [OPENED], [], id="what is not hushed is told"),
        pytest.param(queued(OPENED, put_off=True), [], True, [], [], id="what is hushed waits"),
        pytest.param(queued(OPENED, put_off=False), [], True, [], [], id="also where it was hushed later"),
        pytest.param(queued(OPENED, ESCALATED, put_off=True), [], False, [OPENED, ESCALATED], [], id="and is told"),
        pytest.param(
            queued(OPENED, RESOLVED, put_off=True), [], False, [], [OPENED, RESOLVED], id="it was over by then"
        ),
        pytest.param(
            queued(OPENED, RESOLVED, put_off=False), [], False, [OPENED, RESOLVED], [], id="it was not hushed"
        ),
        pytest.param(queued(RESOLVED, put_off=True), [OPENED], True, [RESOLVED], [], id="who heard of it"),
        pytest.param(
            queued(ESCALATED, RESOLVED, put_off=True), [OPENED], True, [RESOLVED], [ESCALATED], id="even if it grew"
        ),
        pytest.param(
            queued(OPENED, RESOLVED, REOPENED, put_off=True),
            [],
            False,
            [REOPENED],
            [OPENED, RESOLVED],
            id="it is back",
        ),
        pytest.param(queued(RESOLVED, put_off=False), [], False, [RESOLVED], [], id="an end of what was of old"),
    ],
)
def test_what_of_a_queue_can_be_told(
    waiting: list[Queued], heard: Sequence[Happened], hush: bool, now: list[Happened], fold: list[Happened]
) -> None:
    told = [Told(subject="i-1", happened=each, message="m", sent_at=at(-10)) for each in heard]
    found = audible(waiting, told, {"i-1"} if hush else set())
    assert [each.happened for each in found.now] == now
    assert [each.happened for each in found.fold] == fold
