"""Flags flip at exchanges: what is said of them, how soon, and how it ends."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from monitor.model import Change, DraftState, Entry, Incident, IncidentKind, ListRead, RailVerdict, Severity, Stage
from tests.end_to_end.daemon import daemon
from tests.end_to_end.world import LISTS, world
from tests.servers import RAILS

POLL = timedelta(seconds=30)
LATE = timedelta(seconds=15)  # a loaded machine's
MONITORED = timedelta(minutes=5)


async def test_flags_off_at_one_exchange_and_then_at_all(tmp_path: Path) -> None:
    async with world(LISTS, speed=10) as around, daemon(around.configure(tmp_path), around.clock) as running:
        for name in LISTS:
            await running.state_is(name, "operational")
        flipped_at = around.clock.now()
        around.exchanges["kucoin"].suspend_all()
        incident = await running.incident(IncidentKind.WITHDRAWAL_HALT, exchange="kucoin")
        opened = await running.transition(incident.id, Change.OPENED)
        draft = await running.pending(incident.id)

        assert (opened.severity, opened.scope) == (Severity.CRITICAL, ("*",))
        assert {(e.rail, e.value, e.source, e.probe) for e in opened.evidence} == {
            (str(rail), RailVerdict.SUSPENDED, "api", "kucoin-currencies") for rail in RAILS
        }
        assert incident.since is not None
        assert flipped_at <= incident.since <= flipped_at + POLL + LATE
        assert (draft.stage, draft.problems) == (Stage.INVESTIGATING, ())
        assert draft.created_at == opened.at
        assert "we observe all withdrawals halted at KuCoin (public API)" in draft.text

        await running.state_is("kucoin", "halted")
        metrics = await running.metrics()
        assert {name for name in LISTS if metrics.states(name) == {"operational"}} == {*LISTS} - {"kucoin"}
        assert metrics.value("rails_suspended_ratio", exchange="kucoin") == 1
        assert metrics.value("incident_active", exchange="kucoin", kind="withdrawal_halt", severity="critical") == 1
        assert metrics.value("drafts_pending", channel="file") == 1
        _, page = await running.get("/")
        assert "1 halted, 4 operational" in page
        assert f"/incidents/{incident.id}" in page
        assert (await running.get(f"/incidents/{incident.id}"))[0] == 200
        assert draft.text_sha256 in (await running.get(f"/drafts/{draft.id}"))[1]
        assert running.posted() == []

        others = [name for name in LISTS if name != "kucoin"]
        for name in others:
            around.exchanges[name].suspend_all()
        halts = [await running.incident(IncidentKind.WITHDRAWAL_HALT, exchange=name) for name in others]
        drafts = [await running.pending(halt.id) for halt in halts]
        entries = await running.journal()
        polls = {halt.exchange: polls_that_saw(entries, halt) for halt in [incident, *halts]}
        assert polls == dict.fromkeys(["kucoin", *others], 2)
        assert [draft.created_at for draft in drafts] == [halt.opened_at for halt in halts]


async def test_flags_on_again(tmp_path: Path) -> None:
    async with world(["kucoin"], speed=30) as around, daemon(around.configure(tmp_path), around.clock) as running:
        around.exchanges["kucoin"].suspend_all()
        incident = await running.incident(IncidentKind.WITHDRAWAL_HALT, exchange="kucoin")
        first = await running.pending(incident.id)
        around.exchanges["kucoin"].reopen_all()
        monitoring = await running.transition(incident.id, Change.MONITORING)
        second = await running.draft_of(incident.id, Stage.MONITORING)
        superseded = await running.approve(first)
        resolved = await running.transition(incident.id, Change.RESOLVED)
        third = await running.draft_of(incident.id, Stage.RESOLVED)

        assert not superseded.ok
        assert DraftState.SUPERSEDED in superseded.message
        assert MONITORED <= resolved.at - monitoring.at <= MONITORED + POLL
        assert not (await running.approve(second)).ok
        assert (await running.approve(third)).ok
        await running.draft_becomes(third, DraftState.POSTED)
        assert running.posted() == [third.text.encode()]
        assert [t.transition for t in await running.store.transitions(incident.id)] == [
            Change.OPENED,
            Change.MONITORING,
            Change.RESOLVED,
        ]
        await running.state_is("kucoin", "operational")
        metrics = await running.metrics()
        assert metrics.value("incident_active", exchange="kucoin", kind="withdrawal_halt", severity="critical") == 0


async def test_flags_off_again_while_it_is_monitored(tmp_path: Path) -> None:
    async with world(["kucoin"], speed=30) as around, daemon(around.configure(tmp_path), around.clock) as running:
        exchange = around.exchanges["kucoin"]
        exchange.suspend_all()
        incident = await running.incident(IncidentKind.WITHDRAWAL_HALT, exchange="kucoin")
        first = await running.pending(incident.id)
        exchange.reopen_all()
        recovery = await running.draft_of(incident.id, Stage.MONITORING)
        exchange.suspend_all()
        await running.transition(incident.id, Change.REOPENED)

        refused = await running.approve(recovery)
        assert not refused.ok, "it says that payments go out again, and they do not"
        again = await running.pending(incident.id)
        assert again.stage is Stage.INVESTIGATING
        assert again.id != first.id
        assert (await running.approve(again)).ok
        await running.draft_becomes(again, DraftState.POSTED)
        assert running.posted() == [again.text.encode()]


def polls_that_saw(entries: Sequence[Entry], halt: Incident) -> int:
    """How many times its list was read with the flags off before a halt was told."""
    lists = [e.observation for e in entries if type(e.observation) is ListRead]
    reads = [read for read in lists if read.exchange == halt.exchange and read.at <= halt.opened_at]
    last_change = max(place for place, read in enumerate(reads) if read.changed)
    return len(reads) - last_change
