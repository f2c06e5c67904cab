"""When nobody answers it is our own blindness: said once, and nobody is reported halted."""

from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

from monitor.model import Change, ExchangeState, IncidentKind, RailVerdict, Severity
from tests.end_to_end.daemon import Daemon, daemon, eventually
from tests.end_to_end.world import closed_port, configure, world

WATCHED = ("gate", "kraken")
STALE = timedelta(minutes=4)


async def test_an_outage_of_our_own(tmp_path: Path) -> None:
    async with world(WATCHED, speed=60) as around, daemon(around.configure(tmp_path), around.clock) as running:
        for name in WATCHED:
            await running.state_is(name, "operational")
        around.switch_off()
        blind = await running.incident(IncidentKind.BLIND)
        for name in WATCHED:
            await running.state_is(name, "unknown")
        _, page = await running.get("/")
        assert "We cannot see" in page
        assert "2 unknown" in page

        await read_until(running, after=blind.opened_at + STALE)
        metrics = await running.metrics()
        assert metrics.value("blind") == 1
        assert [metrics.states(name) for name in WATCHED] == [{"unknown"}, {"unknown"}]

        around.switch_on()
        for name in WATCHED:
            await running.state_is(name, "operational")
        await running.transition(blind.id, Change.RESOLVED)
        assert (blind.severity, blind.exchange) == (Severity.WARNING, "")
        assert [incident.id for incident in await running.store.incidents()] == [blind.id]
        assert [t.transition for t in await running.store.transitions(blind.id)] == [
            Change.OPENED,
            Change.MONITORING,
            Change.RESOLVED,
        ]
        assert (await running.metrics()).value("blind") == 0
        assert await running.store.drafts() == []


async def test_no_network_at_the_start(tmp_path: Path) -> None:
    with ExitStack() as ports:
        config = configure(
            tmp_path,
            exchanges={name: ports.enter_context(closed_port()) for name in WATCHED},
            status_page=ports.enter_context(closed_port()),
            controls=[ports.enter_context(closed_port()) for _ in range(2)],
        )
        async with world([], speed=60) as around, daemon(config, around.clock) as running:
            blind = await running.incident(IncidentKind.BLIND)
            await read_until(running, after=blind.opened_at + STALE)

            for name in WATCHED:
                view = await running.store.view(name)
                assert view is not None
                assert (view.withdrawals, len(view.rails)) == (ExchangeState.UNKNOWN, 18)
                assert {rail.verdict for rail in view.rails} == {RailVerdict.UNKNOWN}
                assert all("connection" in rail.reason for rail in view.rails)
                _, page = await running.get(f"/exchanges/{name}")
                assert "cannot see" in page
            assert "We cannot see" in (await running.get("/"))[1]
            assert len(running.events("incident")) == 1
            assert [t.transition for t in await running.store.transitions(blind.id)] == [Change.OPENED]
            assert [incident.id for incident in await running.store.incidents()] == [blind.id]
            first, *_ = await running.journal()
            assert blind.opened_at - first.observation.at < timedelta(minutes=2)


async def read_until(running: Daemon, *, after: datetime) -> None:
    """Wait until the journal is past a time."""

    async def is_past() -> bool:
        head = await running.store.head()
        return head is not None and head.observation.at > after

    await eventually(is_past)
