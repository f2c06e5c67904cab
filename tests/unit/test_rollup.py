"""What an exchange's incident is part of, and whose an incident is."""

import pytest
from msgspec.structs import replace

import tests.journals as j
from monitor.model import Incident, IncidentKind, Severity, Stage
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
