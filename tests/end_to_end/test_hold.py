"""A hold stops what was approved before it, also after the machine went down, and says who holds and why."""

from datetime import datetime, timedelta
from pathlib import Path

from monitor.model import DraftState, IncidentKind, Verb
from tests.end_to_end.daemon import Daemon, daemon, eventually
from tests.end_to_end.world import world

LONG = timedelta(minutes=3)  # the outbox tries again after seconds


async def test_what_was_approved_before_a_hold_waits_for_its_release(tmp_path: Path) -> None:
    async with world(["kucoin"], speed=30) as around:
        around.exchanges["kucoin"].suspend_all()
        config = around.configure(tmp_path, more="drafts: {expiry: 2h}")
        (tmp_path / "posts").write_text("no folder: nothing can be written here yet")
        async with daemon(config, around.clock) as running:
            incident = await running.incident(IncidentKind.WITHDRAWAL_HALT, exchange="kucoin")
            draft = await running.pending(incident.id)
            assert (await running.approve(draft)).ok
            await eventually(lambda: _failed(running))
            assert (await running.order(Verb.HOLD, text="legal looks at it")).ok
            (tmp_path / "posts").unlink()
            await _passes(running, LONG)
            await _is_held(running)
            await running.kill()

        async with daemon(config, around.clock) as running:
            await _passes(running, LONG)
            await _is_held(running)
            assert (await running.draft_becomes(draft, DraftState.APPROVED)).decided_by is not None

            assert (await running.order(Verb.RELEASE)).ok
            await running.draft_becomes(draft, DraftState.POSTED)
            assert running.posted() == [draft.text.encode()]
            assert (await running.metrics()).value("publishing_held") == 0
            assert "Publishing is held" not in (await running.get("/"))[1]


async def _is_held(running: Daemon) -> None:
    assert running.posted() == []
    assert (await running.metrics()).value("publishing_held") == 1
    page = (await running.get("/"))[1]
    assert "Publishing is held" in page
    assert "legal looks at it" in page


async def _failed(running: Daemon) -> bool:
    """The outbox has tried once and put the draft back."""
    return bool(running.events("draft_not_sent"))


async def _passes(running: Daemon, span: timedelta) -> None:
    """So much time of the journal."""
    begin = await _now(running)

    async def passed() -> bool:
        return await _now(running) - begin >= span

    await eventually(passed, within=60.0)


async def _now(running: Daemon) -> datetime:
    head = await running.store.head()
    assert head is not None
    return head.observation.at
