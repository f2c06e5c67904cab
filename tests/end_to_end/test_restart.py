"""A stop and a start in the middle of a halt: it goes on as if nothing had been, and nothing is said twice."""

from pathlib import Path

from monitor.model import Change, Draft, DraftState, IncidentKind, ListRead
from tests.end_to_end.daemon import Daemon, daemon, eventually
from tests.end_to_end.world import world

WATCHED = ("bitget", "kucoin")


async def test_restart_during_a_halt(tmp_path: Path) -> None:
    async with world(WATCHED, speed=10) as around:
        for exchange in around.exchanges.values():
            exchange.suspend_all()
        config = around.configure(tmp_path, interval="10s")
        async with daemon(config, around.clock) as running:
            approved = await draft_of(running, "bitget")
            assert (await running.approve(approved)).ok
            await running.draft_becomes(approved, DraftState.POSTED)
            await draft_of(running, "kucoin")
            before = await running.store.incidents()
            drafts = await running.store.drafts()
            head = await running.store.head()
            await running.stop()
        assert head is not None

        async with daemon(config, around.clock) as running:
            metrics = await running.metrics()
            await read_twice(running, after=head.seq)
            assert metrics.value("replay_divergence_total") == 0
            for name in WATCHED:
                assert metrics.states(name) == {"halted"}
                active = metrics.value("incident_active", exchange=name, kind="withdrawal_halt", severity="critical")
                assert active == 1
            assert metrics.value("drafts_pending", channel="file") == 1
            after = await running.store.incidents()
            assert [i.id for i in after] == [i.id for i in before]
            for incident in after:
                changes = [t.transition for t in await running.store.transitions(incident.id)]
                assert changes.count(Change.OPENED) == 1
            assert await running.store.drafts() == drafts
            assert running.posted() == [approved.text.encode()]

            around.exchanges["bitget"].reopen_all()
            halt = next(i for i in before if i.exchange == "bitget")
            await running.transition(halt.id, Change.MONITORING)


async def draft_of(running: Daemon, exchange: str) -> Draft:
    incident = await running.incident(IncidentKind.WITHDRAWAL_HALT, exchange=exchange)
    return await running.pending(incident.id)


async def read_twice(running: Daemon, *, after: int) -> None:
    async def done() -> bool:
        entries = [entry.observation async for entry in running.store.entries(after=after)]
        lists = [observation.exchange for observation in entries if type(observation) is ListRead]
        return all(lists.count(name) >= 2 for name in WATCHED)

    await eventually(done)
