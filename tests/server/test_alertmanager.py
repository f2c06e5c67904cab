"""Incidents pushed to the real Alertmanager: they fire, are sent again, and are over when they are."""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from msgspec.structs import replace

from monitor.clock import Clock
from monitor.http import Http
from monitor.model import Drill, ExchangeState, ExchangeView, Incident, IncidentKind, Severity, Stage
from monitor.model.silence import Silence
from monitor.notify.alertmanager import Alertmanager, alerts
from monitor.notify.words import Links
from tests.alertmanager_server import alertmanager, free_port
from tests.end_to_end.daemon import eventually
from tests.notifications import at
from tests.receiver import Receiver
from tests.server.store_samples import incident

INTERVAL = timedelta(seconds=1)
WORLD = ExchangeView(exchange="", at=at(0), withdrawals=ExchangeState.UNKNOWN, since=None, reason="")
LINKS = Links("https://status.example.org")


class Held:
    """Incidents as a store answers them."""

    def __init__(self, *held: Incident) -> None:
        self.held = list(held)
        self.silences: tuple[Silence, ...] = ()

    async def incidents(self, *, open_only: bool = False, limit: int = 100) -> list[Incident]:
        return [each for each in self.held if not (open_only and each.resolved_at is not None)][:limit]

    async def view(self, exchange: str) -> ExchangeView | None:
        return replace(WORLD, silences=self.silences) if not exchange else None


class Drills:
    """Drills as a store answers them."""

    def __init__(self) -> None:
        self.held: list[Drill] = []
        self.took: list[tuple[str, str]] = []

    async def newest(self, limit: int) -> list[Drill]:
        return self.held[:limit]

    async def pushed(self, drills: Iterable[str], *, url: str, at: datetime) -> None:
        assert at.tzinfo is not None
        self.took += [(drill, url) for drill in drills]


def pusher(
    http: Http, urls: list[str], held: Held, clock: Clock, pushed: list[bool], drills: Drills | None = None
) -> Alertmanager:
    return Alertmanager(
        http,
        urls,
        held,
        drills or Drills(),
        clock,
        interval=INTERVAL,
        severities=(Severity.CRITICAL,),
        links=LINKS,
        pushed=pushed.append,
        allow_private=True,
    )


class _Alert(msgspec.Struct):
    status: str
    labels: dict[str, str]
    annotations: dict[str, str]
    generator_url: str = msgspec.field(name="generatorURL")


class _Hook(msgspec.Struct):
    status: str
    alerts: list[_Alert]


def hooks(receiver: Receiver) -> list[_Hook]:
    return [msgspec.json.decode(body, type=_Hook) for path, body in receiver.asked if path == "/hook"]


async def test_a_real_alertmanager_fires_stays_firing_and_resolves(tmp_path: Path) -> None:
    clock = Clock()
    opened = replace(incident("i-1", Stage.INVESTIGATING), opened_at=clock.now(), updated_at=clock.now())
    held, pushed = Held(opened), list[bool]()
    async with Receiver(clock) as receiver, alertmanager(tmp_path, receiver.base) as base, Http(clock) as http:
        pushing = pusher(http, [base], held, clock, pushed)
        await pushing.push()
        await receiver.until(lambda: len(hooks(receiver)) == 1)
        [firing] = hooks(receiver)[0].alerts
        assert firing.status == "firing"
        assert firing.labels == {
            "alertname": "CexwatchWithdrawalHalt",
            "severity": "critical",
            "exchange": "kraken",
            "incident": "i-1",
        }
        assert firing.generator_url == "https://status.example.org/incidents/i-1"
        held.held = [replace(opened, stage=Stage.RESOLVED, resolved_at=clock.now())]
        for _ in range(2):  # sent again, and told once
            await pushing.push()
        await receiver.until(lambda: len(hooks(receiver)) == 2)
        assert hooks(receiver)[1].status == "resolved"
    assert pushed == [True, True, True]


async def test_an_alert_that_nobody_sends_any_more_ends_by_itself_and_one_that_is_sent_does_not(tmp_path: Path) -> None:
    """The dead man's part of the protocol: endsAt is four intervals ahead."""
    clock = Clock()
    held = Held(replace(incident("i-1", Stage.INVESTIGATING), opened_at=clock.now()))
    async with Receiver(clock) as receiver, alertmanager(tmp_path, receiver.base) as base, Http(clock) as http:
        pushing = pusher(http, [base], held, clock, [])
        began = clock.monotonic()
        task = asyncio.create_task(pushing.run())
        await receiver.until(lambda: len(hooks(receiver)) == 1)

        async def six_seconds() -> bool:
            return clock.monotonic() - began > 6

        await eventually(six_seconds)
        assert [hook.status for hook in hooks(receiver)] == ["firing"]
        task.cancel()
        await receiver.until(lambda: len(hooks(receiver)) == 2)
        assert hooks(receiver)[1].status == "resolved"


async def test_every_member_is_told_and_one_that_is_gone_hides_none() -> None:
    clock, pushed = Clock(), list[bool]()
    async with Receiver(clock) as receiver, Http(clock) as http:
        held = Held(incident("i-1", Stage.INVESTIGATING))
        gone = f"http://127.0.0.1:{free_port()}"
        await pusher(http, [gone, receiver.base], held, clock, pushed).push()
        assert [path for path, _ in receiver.asked] == ["/api/v2/alerts"]
    assert sorted(pushed) == [False, True]


async def test_what_was_silenced_before_it_opened_is_held_back_and_what_fires_goes_on() -> None:
    """What is no longer sent is called resolved: a silence that comes later must not do that."""
    clock, pushed = Clock(), list[bool]()
    now = clock.now()
    opened = replace(incident("i-1", Stage.INVESTIGATING), opened_at=now)
    before, after = silence(now - timedelta(seconds=1), clock), silence(now + timedelta(seconds=1), clock)
    async with Receiver(clock) as receiver, Http(clock) as http:
        held = Held(opened)
        pushing = pusher(http, [receiver.base], held, clock, pushed)
        held.silences = (before,)
        await pushing.push()
        assert receiver.asked == []
        held.silences = (after,)
        await pushing.push()
        assert len(receiver.asked) == 1
        held.silences = (before,)
        held.held = [replace(opened, stage=Stage.RESOLVED, resolved_at=now)]
        await pushing.push()
        assert len(receiver.asked) == 2


async def test_part_of_a_larger_incident_is_held_back_until_that_is_over_and_it_is_not() -> None:
    clock, pushed = Clock(), list[bool]()
    now = clock.now()
    network = replace(
        incident("net", Stage.INVESTIGATING),
        exchange="",
        kind=IncidentKind.NETWORK_INCIDENT,
        severity=Severity.WARNING,
        subject="ethereum",
        scope=("*@ethereum",),
        exchanges=("kraken", "okx"),
        opened_at=now - timedelta(minutes=1),
    )
    part = replace(incident("i-1", Stage.INVESTIGATING), scope=("ETH@ethereum",), opened_at=now)
    async with Receiver(clock) as receiver, Http(clock) as http:
        held = Held(network, part)
        pushing = pusher(http, [receiver.base], held, clock, pushed)
        await pushing.push()
        held.held = [replace(network, stage=Stage.MONITORING), replace(part, stage=Stage.MONITORING)]
        await pushing.push()
        assert receiver.asked == []
        held.held = [replace(network, stage=Stage.MONITORING), part]
        await pushing.push()
        assert len(receiver.asked) == 1


def silence(created_at: datetime, clock: Clock) -> Silence:
    until = clock.now() + timedelta(hours=1)
    return Silence(id="s-1", exchange="kraken", created_at=created_at, until=until, comment="known", actor="dana")


def test_what_is_over_is_sent_for_a_while_and_then_no_more() -> None:
    resolved = replace(incident("i-1", Stage.RESOLVED), resolved_at=at(0))
    warning = replace(incident("i-2", Stage.INVESTIGATING), severity=Severity.WARNING, kind=IncidentKind.DRIP)

    def sent(seconds: float) -> list[str]:
        found = alerts(
            [resolved, warning], severities=[Severity.CRITICAL], interval=INTERVAL, links=LINKS, now=at(seconds)
        )
        return [alert.labels["incident"] for alert in found]

    assert sent(899) == ["i-1"]
    assert sent(901) == []
