"""Nothing is published without a person's approval of exactly that text, and what is approved is published once."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from monitor.model import Draft, DraftState, IncidentKind, Verb
from tests.end_to_end.daemon import Daemon, daemon
from tests.end_to_end.world import world


@asynccontextmanager
async def halted(folder: Path, *, more: str = "") -> AsyncIterator[tuple[Daemon, Draft]]:
    """A daemon that finds an exchange closed at its first look, and a draft that says so."""
    async with world(["kucoin"], speed=10) as around:
        around.exchanges["kucoin"].suspend_all()
        async with daemon(around.configure(folder, more=more), around.clock) as running:
            incident = await running.incident(IncidentKind.WITHDRAWAL_HALT, exchange="kucoin")
            yield running, await running.pending(incident.id)


async def test_the_approved_text_is_published_once_and_not_while_held(tmp_path: Path) -> None:
    async with halted(tmp_path) as (running, draft):
        assert (await running.order(Verb.HOLD)).ok
        refused = await running.approve(draft)
        held = await running.metrics()
        assert not refused.ok
        assert "held" in refused.message
        assert "Publishing is held" in (await running.get("/"))[1]
        assert running.posted() == []

        assert (await running.order(Verb.RELEASE)).ok
        first, second = await asyncio.gather(running.approve(draft), running.approve(draft))
        posted = await running.draft_becomes(draft, DraftState.POSTED)
        after = [await running.approve(draft), await running.order(Verb.REJECT, draft.id)]
        assert {first.ok, second.ok} == {True, False}
        assert [reply.ok for reply in after] == [False, False]
        assert all(DraftState.POSTED in reply.message for reply in after)
        assert running.posted() == [draft.text.encode()]
        assert (posted.remote_id, posted.text) == (next(running.posts.iterdir()).name, draft.text)
        assert posted.decided_by is not None
        metrics = await running.metrics()
        assert metrics.value("posts_total", channel="file") == 1
        assert metrics.value("drafts_pending", channel="file") == 0
        assert (held.value("publishing_held"), metrics.value("publishing_held")) == (1, 0)
        await running.stop()
        assert running.posted() == [draft.text.encode()]


async def test_only_the_hash_of_the_shown_text_approves(tmp_path: Path) -> None:
    async with halted(tmp_path) as (running, draft):
        wrong = hashlib.sha256(b"another text").hexdigest()
        refused = [
            await running.order(Verb.APPROVE, draft.id, text_sha256=wrong),
            await running.order(Verb.APPROVE, draft.id),
            await running.order(Verb.APPROVE, "d-0000000000", text_sha256=draft.text_sha256),
        ]
        assert [reply.ok for reply in refused] == [False, False, False]
        assert draft.text_sha256 in refused[0].message
        assert "sha256" in refused[1].message
        assert "d-0000000000" in refused[2].message

        text = draft.text.replace("we observe", "we observe, by its public API,")
        edit = await running.order(Verb.EDIT, draft.id, text=text)
        edited = await running.pending(draft.incident)
        assert edit.ok
        assert (edited.id, edited.text, edited.text_sha256) == (
            draft.id,
            text,
            hashlib.sha256(text.encode()).hexdigest(),
        )
        assert edited.text_sha256 in edit.message
        assert not (await running.approve(draft)).ok, "the hash of the text before the edit"
        assert running.posted() == []

        assert (await running.approve(edited)).ok
        await running.draft_becomes(draft, DraftState.POSTED)
        assert running.posted() == [text.encode()]


async def test_expired_and_rejected_drafts_are_refused(tmp_path: Path) -> None:
    async with halted(tmp_path, more="drafts: {expiry: 1m}") as (running, draft):
        await running.draft_becomes(draft, DraftState.EXPIRED)
        expired = await running.approve(draft)
        renewed = await running.pending(draft.incident)
        rejected = await running.order(Verb.REJECT, renewed.id)
        refused = [await running.order(Verb.REJECT, renewed.id), await running.approve(renewed)]

        assert not expired.ok
        assert DraftState.EXPIRED in expired.message
        assert renewed.created_at >= draft.expires_at
        assert rejected.ok
        assert [reply.ok for reply in refused] == [False, False]
        assert all(DraftState.REJECTED in reply.message for reply in refused)
        assert (await running.draft_becomes(renewed, DraftState.REJECTED)).decided_by is not None
        assert running.posted() == []
