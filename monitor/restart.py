"""Starting again: the newest checkpoint plus the entries after it, which must lead to what is already committed."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import structlog

from monitor.engine.run import Engines, judge, without
from monitor.engine.state import Committed
from monitor.model import Draft, DraftState, Drill, Entry, EntryRefused, Output, Transition
from monitor.store.step import Checkpoint
from monitor.store.store import Store

EVERY = 1_000_000
LONG_TAIL = 1_000  # entries after which a start saves its work, so that many short lives do not make it ever longer
LIVE = (DraftState.PENDING, DraftState.APPROVED, DraftState.UNKNOWN_OUTCOME)

log = structlog.get_logger()


class Resumed(msgspec.Struct, frozen=True):
    engines: Engines
    seq: int  # of the newest entry
    diverged: int  # entries that led to something else than what is committed
    saved_at: datetime | None  # of the newest checkpoint


_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


async def resume(store: Store) -> Resumed:
    """Bring the engines to the head of the journal. What was committed stays as it is, whatever is derived now."""
    checkpoint = await store.checkpoint()
    engines, after = Engines.fresh(), 0
    if checkpoint is not None:
        try:
            engines, after = Engines.restore(checkpoint.engines), checkpoint.seq
        except msgspec.ValidationError as error:
            log.warning("checkpoint_of_another_version", detail=str(error), action="reading the whole journal again")
    tail = [entry async for entry in store.entries(after=after)]
    committed = _by_entry(await store.outputs(after=after))
    refused = {(e.observation.seq, e.observation.exchange) for e in tail if type(e.observation) is EntryRefused}
    diverged = sum(_differs(engines, entry, committed.get(entry.seq, []), refused) for entry in tail)
    if diverged:
        log.error("replay_diverged", entries=diverged, action="the committed decisions are kept")
    is_adopted = diverged > 0 or store.rescued is not None
    if is_adopted:
        await _keep_committed(store, engines)
    head = await store.head()
    if is_adopted or len(tail) >= LONG_TAIL:  # what was adopted is in no journal, and a kill would lose it
        saved = {name: engines.checkpoint(name) for name in engines.names()}
        seq, at = (0, _BEGINNING) if head is None else (head.seq, head.observation.at)
        checkpoint = Checkpoint(seq, at, saved)
        await store.commit([], checkpoint=checkpoint)
    saved_at = checkpoint.at if checkpoint is not None else None
    return Resumed(engines, head.seq if head is not None else 0, diverged, saved_at)


async def _keep_committed(store: Store, engines: Engines) -> None:
    incidents = await store.incidents(limit=EVERY)
    drafts = await store.drafts(limit=EVERY)
    engines.adopt(
        Committed(
            incidents=sorted(incidents, key=lambda incident: incident.opened_at),
            drafts=sorted((d for d in drafts if d.state in LIVE), key=lambda draft: draft.created_at),
            signed=await store.preapprovals(),
            drills=sorted(await store.drills.newest(EVERY), key=lambda drill: drill.incident.opened_at),
            held=await store.held(),
        )
    )


async def relearn(store: Store, exchanges: Sequence[str]) -> dict[str, bytes]:
    """What the engines of these exchanges learn from the readings that are kept; their conclusions are dropped."""
    engines = Engines.fresh()
    async for entry in store.entries():
        if entry.observation.exchange in ("", *exchanges):
            judge(engines, entry.observation, engines.apply)
    return {name: engines.learned(name) for name in exchanges if name in engines.names()}


def _differs(engines: Engines, entry: Entry, committed: list[Output], refused: set[tuple[int, str]]) -> bool:
    attempt = without(engines, entry.seq, refused)
    derived = [o for o in judge(engines, entry.observation, attempt) if type(o) in (Transition, Draft, Drill)]
    return derived != committed


def _by_entry(outputs: list[tuple[int, Output]]) -> dict[int, list[Output]]:
    found: dict[int, list[Output]] = {}
    for seq, output in outputs:
        found.setdefault(seq, []).append(output)
    return found
