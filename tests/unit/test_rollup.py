"""What an exchange's incident is part of, and whose an incident is."""

import pytest
from msgspec.structs import replace

import tests.journals as j
from monitor.model import Evidence, Incident, IncidentKind, Severity, Stage
from monitor.model import rollup as model
from monitor.web import rollup

NETWORK = Incident(
    id="world-network_incident-ethereum-1",
    exchange="",
    kind=IncidentKind.NETWORK_INCIDENT,
    severity=Severity.WARNING,
    stage=Stage.INVESTIGATING,
    scope=("*@ethereum",),
    summary="ethereum is closed at 3 exchanges: ax, bx, cx",
    opened_at=j.at(6),
    since=j.at(5),
    updated_at=j.at(6),
    subject="ethereum",
    exchanges=("ax", "bx", "cx"),
)
ALONE = replace(NETWORK, id="world-network_incident-ethereum-ax-1", subject="ethereum:ax", exchanges=("ax",))
TRON = replace(NETWORK, id="world-network_incident-tron-1", scope=("*@tron",), subject="tron")
MINE = replace(
    NETWORK,
    id="ax-withdrawals_degraded-1",
    exchange="ax",
    kind=IncidentKind.WITHDRAWALS_DEGRADED,
    scope=("ETH@ethereum", "USDT@ethereum"),
    subject="",
    exchanges=(),
)


@pytest.mark.parametrize(
    ("incident", "others", "explained"),
    [
        pytest.param(MINE, [NETWORK], [NETWORK], id="all of it is on the network"),
        pytest.param(replace(MINE, exchange="dx"), [NETWORK], [], id="another exchange's"),
        pytest.param(replace(MINE, scope=("*",)), [NETWORK], [], id="a whole exchange"),
        pytest.param(replace(MINE, scope=("BTC@bitcoin", "ETH@ethereum")), [NETWORK], [], id="more than the network"),
        pytest.param(
            replace(MINE, scope=("USDT@ethereum", "USDT@tron")), [TRON, NETWORK], [NETWORK, TRON], id="two networks"
        ),
        pytest.param(MINE, [replace(NETWORK, stage=Stage.MONITORING)], [], id="a network that has reopened"),
        pytest.param(MINE, [ALONE], [], id="who is left alone"),
        pytest.param(NETWORK, [NETWORK], [], id="the network's own incident"),
        pytest.param(MINE, [], [], id="none"),
    ],
)
def test_what_explains_an_incident(incident: Incident, others: list[Incident], explained: list[Incident]) -> None:
    assert rollup.explained(incident, others) == explained


def test_what_is_said_of_it() -> None:
    assert rollup.part_of(MINE, [NETWORK]) == f"Part of a network incident: {NETWORK.summary}"
    assert rollup.part_of(MINE, []) == ""


@pytest.mark.parametrize(
    ("incident", "whose"),
    [
        pytest.param(MINE, "ax", id="an exchange's"),
        pytest.param(NETWORK, "several exchanges", id="a network's"),
        pytest.param(ALONE, "ax", id="of who is left alone"),
        pytest.param(replace(NETWORK, kind=IncidentKind.BLIND), "this vantage", id="our own"),
    ],
)
def test_whose_it_is(incident: Incident, whose: str) -> None:
    assert rollup.whose(incident) == whose


BLIND = replace(NETWORK, id="world-blind-1", kind=IncidentKind.BLIND, scope=("*",), summary="blind", exchanges=())


def _seen_by(source: str) -> Incident:
    return replace(MINE, evidence=(Evidence(at=j.at(6), probe="p", source=source, value="x"),))


@pytest.mark.parametrize(
    ("incident", "others", "causes"),
    [
        pytest.param(_seen_by("api"), [NETWORK, BLIND], [BLIND], id="what began while we were blind"),
        pytest.param(_seen_by("queue"), [BLIND], [], id="the own queue needs no sight"),
        pytest.param(replace(MINE, opened_at=j.at(5)), [BLIND], [], id="it was there before"),
        pytest.param(MINE, [replace(BLIND, stage=Stage.RESOLVED)], [], id="we see again"),
        pytest.param(MINE, [NETWORK], [NETWORK], id="a network"),
        pytest.param(BLIND, [BLIND], [], id="nothing explains ourselves"),
    ],
)
def test_the_widest_cause_is_told(incident: Incident, others: list[Incident], causes: list[Incident]) -> None:
    assert model.causes(incident, others) == causes


def test_what_is_explained_is_shown_under_its_cause() -> None:
    other = replace(MINE, id="bx-1", exchange="bx", scope=("ETH@ethereum",))
    wider = replace(MINE, id="cx-1", exchange="cx", scope=("*",))
    over = replace(MINE, id="ax-0", stage=Stage.RESOLVED)
    known = [other, wider, MINE, over, NETWORK]
    assert model.under(NETWORK, known) == [MINE, other]
    assert rollup.beneath(NETWORK, known) == [
        "ax: withdrawals degraded, investigating since 00:06 UTC",
        "bx: withdrawals degraded, investigating since 00:06 UTC",
    ]
    assert model.under(MINE, known) == []
