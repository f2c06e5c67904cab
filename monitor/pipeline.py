"""The one loop: bell -> observe -> journal -> engine -> commit.

Polls put whole readings into a queue; one task owns the engines and the store. It appends, judges, and commits in
groups: an entry, what it caused and the outbox rows are one transaction. People's words are answered after the commit.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial

import structlog
from msgspec.structs import replace

from monitor.clock import Clock
from monitor.committing import Commits
from monitor.engine.run import Engines, Tails, judge
from monitor.metrics import Metrics
from monitor.model import (
    Command,
    ConfigApplied,
    Delivery,
    Entry,
    EntryRefused,
    FailureReason,
    Observation,
    Output,
    ProbeFailure,
    Reading,
    RemoteError,
    Reply,
    Tick,
    Verdict,
)
from monitor.probes.probe import Probe
from monitor.store.step import Step
from monitor.store.store import Store

log = structlog.get_logger()

AHEAD = timedelta(seconds=5)
TICK_SECONDS = 5.0
LOOK_SECONDS = 1800.0  # real ones: two hundred addresses at a host that allows one each five seconds
NOT_KEPT = Reply(ok=False, message="the database could not be written, and the daemon has stopped: it is not kept")
STOPPING = Reply(ok=False, message="the daemon is stopping: ask again when it runs")
QUEUE_READINGS = 2_000
QUEUE_ASKS = 100

_OUR_OWN = (FailureReason.TIMEOUT, FailureReason.CONNECTION, FailureReason.DNS, FailureReason.TLS)
"""What a look can fail with because we were away."""

Asked = Command | Delivery | ConfigApplied
"""Entries that somebody waits for: a person, the outbox, a start or reload."""


Unseen = Callable[[Probe, FailureReason, str], Reading]
"""What a failure to look becomes."""


class Ask:
    def __init__(self, observation: Asked) -> None:
        self.observation = observation
        self.answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()


class Pipeline:
    """`stood_still` tells whether the event loop did, since a time of the loop's."""

    def __init__(
        self,
        *,
        store: Store,
        engines: Engines,
        clock: Clock,
        metrics: Metrics,
        seq: int,
        stood_still: Callable[[float], bool] = lambda _: False,
    ) -> None:
        self._stood_still = stood_still
        self._engines = engines
        self._clock = clock
        self._metrics = metrics
        self._tails = Tails(engines)
        self._seq = seq
        self._readings: asyncio.Queue[Reading] = asyncio.Queue(QUEUE_READINGS)
        self._asks: asyncio.Queue[Ask] = asyncio.Queue(QUEUE_ASKS)
        self._bell = asyncio.Event()
        self._is_stopping = False
        self._aftermath: list[Observation] = []
        self._verdicts = 0
        self._failing: dict[str, FailureReason] = {}  # logged already
        self._details: dict[str, str] = {}  # of those that fail
        self._told: dict[str, None] = {}  # those whose failure has a line in the log
        self._flawed: dict[str, str | None] = {}  # the asset last logged
        self._ticked_at = clock.monotonic()
        self._beat_at = asyncio.get_running_loop().time()
        self._commits = Commits(store=store, engines=engines, tails=self._tails, clock=clock, metrics=metrics, seq=seq)
        self.approved = self._commits.approved
        self.committed = self._commits.committed
        self.changed = self._commits.changed

    def is_alive(self) -> bool:
        """The loop has turned within the last ten seconds, or waits for the database."""
        return self._commits.is_trying() or asyncio.get_running_loop().time() - self._beat_at < 10.0

    def is_turning(self) -> bool:
        """It lives, and has committed something within the last minute, or knows that it cannot."""
        return self.is_alive() and self._commits.is_turning()

    def trouble(self) -> str:
        """Why nothing can be written now, "" where all can."""
        return self._commits.trouble

    async def observe(self, probe: Probe) -> bool:
        """Look once and queue what was seen, whole or not at all. True if the look ended as none may."""
        started = asyncio.get_running_loop().time()
        reading = await self._seen(probe, partial(self._looked, probe), unseen=self._failed)
        self._metrics.probed(probe.exchange, probe.name, asyncio.get_running_loop().time() - started)
        self._metrics.looked(probe.exchange, probe.name, self._clock.now())
        await self.take(reading)
        return any(type(seen) is ProbeFailure and seen.reason is FailureReason.BUG for seen in reading)

    async def _looked(self, probe: Probe) -> Reading:
        """What failed while our own loop stood still says nothing of the source: it is looked at once more."""
        began = asyncio.get_running_loop().time()
        try:
            return await _in_time(probe)
        except RemoteError as error:
            if error.reason not in _OUR_OWN or not self._stood_still(began):
                raise
        self._metrics.contaminated(probe.exchange, probe.name)
        return await _in_time(probe)

    async def recall(self, probe: Probe, history: Callable[[], Awaitable[list[Reading]]]) -> None:
        """Queue what a probe can tell of the time before it started. That it cannot is no failure to look."""

        async def recalled() -> Reading:
            for reading in await history():
                await self.take(reading)
            return ()

        await self._seen(probe, recalled, unseen=_not_recalled)

    async def _seen(self, probe: Probe, look: Callable[[], Awaitable[Reading]], *, unseen: Unseen) -> Reading:
        """The border around a probe: what it raises is a failure to look, and nothing else stops."""
        try:
            reading = await look()
            self._count_violations(probe, reading)
            self._details.pop(probe.name, None)
            if self._failing.pop(probe.name, None) is not None and probe.name in self._told:
                del self._told[probe.name]
                log.info("probe_recovered", probe=probe.name)
        except RemoteError as error:
            return unseen(probe, error.reason, error.detail)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # A library's own cancellation that got out: nobody would miss the task that it ends.
            log.exception("probe_raised", probe=probe.name)
            return self._raised(probe)
        except Exception:
            log.exception("probe_raised", probe=probe.name)
            return self._raised(probe)
        return reading

    def _raised(self, probe: Probe) -> Reading:
        self._metrics.restarted(probe.exchange, probe.name)
        return (self._failure(probe, FailureReason.BUG, "the probe raised; see the log"),)

    def _failed(self, probe: Probe, reason: FailureReason, detail: str) -> Reading:
        return (self._failure(probe, reason, detail),)

    def _count_violations(self, probe: Probe, reading: Reading) -> None:
        for seen in reading:
            if type(seen) is ProbeFailure:
                self._metrics.violated(probe.exchange, probe.name)
                if self._flawed.get(probe.name) != seen.asset:
                    log.warning("row_unreadable", probe=probe.name, detail=seen.detail)
                self._flawed[probe.name] = seen.asset

    async def take(self, reading: Reading) -> None:
        """Queue a reading. When the queue is full its poll waits: a list that told its changes must not lose them."""
        if reading:
            latest = self._clock.now() + AHEAD
            timely = tuple(replace(seen, at=latest) if seen.at > latest else seen for seen in reading)
            await self._readings.put(timely)
            self._measure()
            self._bell.set()

    async def ask(self, observation: Asked) -> Reply:
        """Append an entry and wait until it is judged and committed."""
        if self._is_stopping:
            return STOPPING
        if self._commits.trouble and type(observation) is Command:
            return Reply(ok=False, message=f"{self._commits.trouble}: say it again when that is over")
        ask = Ask(observation)
        await self._asks.put(ask)
        self._measure()
        self._bell.set()
        return await ask.answer

    def teach(self, learned: Mapping[str, bytes]) -> None:
        """Give engines what was learned anew; the next commit carries a checkpoint, so that a restart has it too."""
        for name, body in learned.items():
            self._engines.teach(name, body)
        self._commits.save_soon()

    async def run(self) -> None:
        """Own the engines and the store until told to stop; then commit with a checkpoint, for a quick next start."""
        while not self._is_stopping:
            self._beat_at = asyncio.get_running_loop().time()
            self._drain()
            if self._commits.due_in() == 0.0:
                await self._commits.write()
            await self._rest()
        self._drain()
        await self._commits.write(checkpoint=True)
        self._commits.give_up(NOT_KEPT)
        while not self._asks.empty():
            self._asks.get_nowait().answer.set_result(STOPPING)

    def stop(self) -> None:
        """Let `run` come to its end. It is not to be cancelled: an entry that was judged is to be committed."""
        self._is_stopping = True
        self._bell.set()

    def _drain(self) -> None:
        self._bell.clear()
        while not self._asks.empty():
            self._answer(self._asks.get_nowait())
        while not self._readings.empty() and not self._commits.is_full():
            for observation in self._readings.get_nowait():
                self._append(observation)
        self._measure()
        if not self._commits.is_full() and self._clock.monotonic() - self._ticked_at >= TICK_SECONDS:
            self._append(Tick(at=self._clock.now(), probe="tick"))

    def _measure(self) -> None:
        """Also when something is queued: who owns the queues may be held up by the store."""
        self._metrics.queued(readings=self._readings.qsize(), commands=self._asks.qsize())

    def _answer(self, ask: Ask) -> None:
        outputs = self._append(ask.observation)
        replies = [output for output in outputs if type(output) is Reply]
        unanswered = Reply(ok=type(ask.observation) is not Command, message="refused: see the log")
        self._commits.promise(ask.answer, replies[0] if replies else unanswered)

    def _append(self, observation: Observation) -> list[Output]:
        """Give the entry its place and let it be judged; what it caused is committed with it."""
        if observation.exchange == "":
            self._ticked_at = self._clock.monotonic()
        self._seq += 1
        entry, self._aftermath, self._verdicts = Entry(self._seq, observation), [], 0
        outputs = judge(self._engines, observation, self._judge)
        self._commits.add(Step(entry, tuple(outputs)))
        self._metrics.appended(kind_of(observation))
        derived = [output for output in outputs if type(output) is Verdict]
        for follower in [*derived, *self._aftermath]:
            self._seq += 1
            self._commits.add(Step(Entry(self._seq, follower), ()))
            self._metrics.appended(kind_of(follower))
        return outputs

    def _judge(self, name: str, observation: Observation) -> list[Output]:
        """The border around an engine: one that raises is rebuilt without the entry, and everything else goes on."""
        self._commits.touch(name)
        self._tails.meet(name)
        self._verdicts += type(observation) is Verdict
        seq = self._seq + self._verdicts if type(observation) is Verdict else self._seq  # a verdict follows its entry
        try:
            outputs = self._engines.apply(name, observation)
        except Exception as error:
            log.exception("engine_raised", exchange=name, kind=kind_of(observation), seq=seq)
            self._metrics.refused(name)
            self._tails.rebuild(name)
            reason = f"{type(error).__name__}: {error}"
            at = observation.at
            self._aftermath.append(EntryRefused(at=at, exchange=name, probe="engine", seq=seq, reason=reason))
            return []
        self._tails.read(name, observation)
        return outputs

    async def _rest(self) -> None:
        """Sleep until something is queued, a group is due or a tick is."""
        if not self._commits.is_full() and not (self._readings.empty() and self._asks.empty()):
            return
        due = self._commits.due_in()
        until = min(TICK_SECONDS / self._clock.speed, 1.0)
        try:
            async with asyncio.timeout(until if due is None else min(until, due)):
                await self._bell.wait()
        except TimeoutError:
            return

    def _failure(self, probe: Probe, reason: FailureReason, detail: str) -> ProbeFailure:
        self._metrics.failed(probe.exchange, probe.name, reason)
        # Probes of many exchanges look at one chain: the first that cannot see it says so for all.
        if self._failing.get(probe.name) != reason and detail not in self._details.values():
            self._told[probe.name] = None
            log.warning("probe_failed", probe=probe.name, reason=reason, detail=detail)
        self._failing[probe.name], self._details[probe.name] = reason, detail
        return ProbeFailure(
            at=self._clock.now(), exchange=probe.exchange, probe=probe.name, reason=reason, detail=detail
        )


async def _in_time(probe: Probe) -> Reading:
    """Each wait of a look has its limit; that their number has none must not hold up a chain for days."""
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            return await probe.observe()
    except TimeoutError as error:
        detail = f"the look took more than {LOOK_SECONDS / 60:.0f} min"
        raise RemoteError(FailureReason.TIMEOUT, detail) from error


def _not_recalled(probe: Probe, reason: FailureReason, detail: str) -> Reading:
    log.debug("history_not_read", probe=probe.name, reason=reason, detail=detail)
    return ()


def kind_of(observation: Observation) -> str:
    """The word that tells the type in the journal."""
    return str(type(observation).__struct_config__.tag)
