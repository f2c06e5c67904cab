"""What is judged and not on disk yet. Committed in groups, each whole or not at all.

Between judging and commit nothing is dropped: while the database cannot be written, what is judged waits in memory for
the next try and the metrics show it already. Beyond a limit nothing more is judged.
"""

import asyncio
from collections.abc import Iterable, Sequence

import structlog

from monitor.clock import Clock
from monitor.engine.run import Engines, Tails
from monitor.metrics import Metrics
from monitor.model import Draft, DraftState, Drill, ExchangeView, Incident, Output, Reply, Transition
from monitor.store.step import Checkpoint, Step, UnavailableError
from monitor.store.store import Store

log = structlog.get_logger()

GROUP_ENTRIES = 500
GROUP_SECONDS = 0.5  # real ones, as are all here but the age of a checkpoint
ASKED_SECONDS = 0.1
HELD_ENTRIES = 20_000  # judged ones that wait for a database; 40 MB at most, about
FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 10.0
HANGS_SECONDS = 120.0  # a try that lasts twice as long as the database waits for a lock
LAST_TRY_SECONDS = 60.0  # a tick alone is due every five
CHECKPOINT_ENTRIES = 5_000
CHECKPOINT_SECONDS = 600.0


class Commits:
    """Belongs to the pipeline, whose task alone adds and writes."""

    def __init__(
        self, *, store: Store, engines: Engines, tails: Tails, clock: Clock, metrics: Metrics, seq: int
    ) -> None:
        self._store = store
        self._engines = engines
        self._tails = tails
        self._clock = clock
        self._metrics = metrics
        self._steps: list[Step] = []
        self._waiting: list[tuple[asyncio.Future[Reply], Reply]] = []
        self._touched: dict[str, None] = {}
        self._grouped_at = 0.0
        self._newest = seq  # the last that was added
        self._checkpoint_seq = seq
        self._checkpoint_at = clock.monotonic()
        self._trying_since: float | None = None
        self._tried_at = asyncio.get_running_loop().time()
        self._retry_seconds = 0.0
        self._incidents: Sequence[Incident] = ()  # as last read
        self._drafts: Sequence[Draft] = ()
        self.trouble = ""  # why nothing can be written now
        self.approved = asyncio.Event()  # a draft was approved and committed
        self.committed = asyncio.Event()  # something was committed: whoever shows it live clears this
        self.changed = asyncio.Event()  # transitions or drafts were committed

    def add(self, step: Step) -> None:
        if not self._steps:
            self._grouped_at = asyncio.get_running_loop().time()
        self._steps.append(step)
        self._newest = step.entry.seq

    def touch(self, name: str) -> None:
        """An engine read something: its view goes with the next commit."""
        self._touched[name] = None

    def promise(self, answer: asyncio.Future[Reply], reply: Reply) -> None:
        """Give an answer as soon as what is added so far is on disk."""
        self._waiting.append((answer, reply))

    def is_full(self) -> bool:
        """Nothing more is to be judged before the next commit."""
        return len(self._steps) >= (HELD_ENTRIES if self.trouble else GROUP_ENTRIES)

    def is_trying(self) -> bool:
        """The database is at work on a commit, and not for so long that it hangs."""
        since = self._trying_since
        return since is not None and asyncio.get_running_loop().time() - since < HANGS_SECONDS

    def is_turning(self) -> bool:
        """Something was committed or refused within the last minute, or is about to be."""
        return self.is_trying() or asyncio.get_running_loop().time() - self._tried_at < LAST_TRY_SECONDS

    def due_in(self) -> float | None:
        """Seconds until the next commit is due; None where there is nothing to commit."""
        if not self._steps:
            return None
        now = asyncio.get_running_loop().time()
        if self.trouble:
            return max(0.0, self._tried_at + self._retry_seconds - now)
        patience = ASKED_SECONDS if self._waiting else GROUP_SECONDS
        return 0.0 if self.is_full() else max(0.0, self._grouped_at + patience - now)

    def save_soon(self) -> None:
        """Let the next commit carry a checkpoint."""
        self._checkpoint_at = -CHECKPOINT_SECONDS

    async def write(self, *, checkpoint: bool = False) -> None:
        """Commit all that was added. Where the database cannot be written now, it is left for the next try.

        Raises StoreError for what trying again cannot mend, DamagedError among it: a start may.
        """
        loop = asyncio.get_running_loop()
        views = [self._engines.view(name) for name in self._touched]
        saved = self._checkpoint() if checkpoint or self._is_checkpoint_due() else None
        self._trying_since = started = loop.time()
        try:
            await self._store.commit(await self._unwritten(), views=views, checkpoint=saved)
        except UnavailableError as error:
            await self._hold(str(error), views)
        else:
            await self._written(views, saved, seconds=loop.time() - started)
        finally:
            self._trying_since, self._tried_at = None, loop.time()

    def give_up(self, reply: Reply) -> None:
        """At the end of a life whose last commit failed: say what is lost, and give no answer that is not kept."""
        if self._steps:
            log.error("entries_not_written", entries=len(self._steps), why=self.trouble)
        for answer, _ in self._waiting:
            _answer(answer, reply)

    async def _unwritten(self) -> list[Step]:
        """A try that failed may have got through all the same, as where a server's last word was lost."""
        if not self.trouble:
            return self._steps
        head = await self._store.head()
        return [step for step in self._steps if head is None or step.entry.seq > head.seq]

    async def _hold(self, why: str, views: Sequence[ExchangeView]) -> None:
        """Keep it all for the next try, and let those see it who ask for metrics: they say nothing of our database."""
        if not self.trouble:
            log.error("database_cannot_be_written", detail=why, action="what is judged is held in memory")
        self.trouble = why
        self._retry_seconds = min(max(FIRST_RETRY_SECONDS, 2 * self._retry_seconds), LONGEST_RETRY_SECONDS)
        self._metrics.persist_failed()
        self._show(views)
        held = {output.id: output for step in self._steps for output in step.outputs if type(output) is Incident}
        if held:
            stored = [incident for incident in await self._stored_incidents() if incident.id not in held]
            self._metrics.show_incidents([*stored, *held.values()])

    async def _written(self, views: Sequence[ExchangeView], saved: Checkpoint | None, *, seconds: float) -> None:
        steps, self._steps = self._steps, []
        waiting, self._waiting = self._waiting, []
        self._touched = {}
        if self.trouble:
            log.warning("database_can_be_written", entries=len(steps))
            self.trouble, self._retry_seconds = "", 0.0
        if saved is not None:
            self._saved(saved)
        if steps:
            last = steps[-1].entry
            self._metrics.committed(seq=last.seq, at=last.observation.at, seconds=seconds)
        self._show(views)
        for answer, reply in waiting:
            _answer(answer, reply)
        self.committed.set()
        await self._follow([output for step in steps for output in step.outputs])

    def _show(self, views: Iterable[ExchangeView]) -> None:
        self._metrics.held_back(len(self._steps))
        for view in views:
            self._metrics.show(view)

    async def _follow(self, outputs: list[Output]) -> None:
        """Tell the faces and the outbox what was just committed."""
        if any(type(output) in (Transition, Draft, Drill) for output in outputs):
            self.changed.set()
        if any(type(output) is Drill for output in outputs):
            await self._show_drills()
        if any(type(output) in (Incident, Draft) for output in outputs):
            self._metrics.show_incidents(await self._stored_incidents())
            self._metrics.show_drafts(await self._stored_drafts())
        for output in outputs:
            match output:
                case Transition(transition=change, incident=incident, summary=summary, severity=severity):
                    log.warning("incident", change=change, incident=incident, severity=severity, summary=summary)
                case Drill(happened=happened):
                    log.warning("drill", change=happened.transition, incident=happened.incident)
                case Draft(state=DraftState.APPROVED, glass=reason):
                    self.approved.set()
                    if reason:
                        self._metrics.broke_glass()
                        log.warning("glass_broken", draft=output.id, by=output.decided_by, reason=reason)
                case Draft(state=DraftState.PENDING, id=draft, incident=incident):
                    log.warning("draft_waiting", draft=draft, incident=incident)
                case _:
                    pass

    async def _show_drills(self) -> None:
        try:
            self._metrics.show_drills(await self._store.drills.open())
        except UnavailableError as error:
            log.warning("database_cannot_be_read", detail=str(error))

    async def _stored_incidents(self) -> Sequence[Incident]:
        try:
            self._incidents = await self._store.shown()
        except UnavailableError as error:
            log.warning("database_cannot_be_read", detail=str(error))
        return self._incidents

    async def _stored_drafts(self) -> Sequence[Draft]:
        try:
            self._drafts = await self._store.drafts(pending_only=True)
        except UnavailableError as error:
            log.warning("database_cannot_be_read", detail=str(error))
        return self._drafts

    def _is_checkpoint_due(self) -> bool:
        entries = self._newest - self._checkpoint_seq
        age = self._clock.monotonic() - self._checkpoint_at
        return entries >= CHECKPOINT_ENTRIES or (entries > 0 and age >= CHECKPOINT_SECONDS)

    def _checkpoint(self) -> Checkpoint:
        engines = {name: self._engines.checkpoint(name) for name in self._engines.names()}
        return Checkpoint(self._newest, self._clock.now(), engines)

    def _saved(self, checkpoint: Checkpoint) -> None:
        self._tails.rebase(checkpoint.engines)
        self._checkpoint_seq, self._checkpoint_at = checkpoint.seq, self._clock.monotonic()
        self._metrics.checkpointed(checkpoint.at)


def _answer(answer: asyncio.Future[Reply], reply: Reply) -> None:
    if not answer.cancelled():
        answer.set_result(reply)
