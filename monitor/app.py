"""The composition root: opens what the daemon needs, connects the rooms, and keeps every task in one group."""

import asyncio
import gc
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path

import structlog
from msgspec.structs import replace

from monitor import __version__
from monitor.channels.outbox import Outbox
from monitor.clock import Clock
from monitor.closed_hosts import ClosedHosts
from monitor.config import Config, Loaded, judging_sha256, secrets_of
from monitor.exchange_probes import Ways, pushes_of, x_cost_of
from monitor.life import Life
from monitor.maintenance import changes
from monitor.memory import give_back, trim
from monitor.metrics import Metrics
from monitor.model import ConfigApplied, Delivery, DeliveryOutcome
from monitor.nightly import Nightly
from monitor.on_disk import OnDisk
from monitor.pipeline import Pipeline
from monitor.polls import (
    Poll,
    control_of,
    flows_names,
    judged_by,
    opened,
    polls_of,
    since_names,
)
from monitor.probes.control import ControlProbe
from monitor.reception import receiving, show_audit
from monitor.reserves.book import Book
from monitor.restart import relearn, resume
from monitor.schedule import at_times, every, measure_lag
from monitor.starting import (
    StartError,
    TooEarlyError,
    intervals,
    read_addresses,
    read_at_start,
    read_config,
    set_up_log,
)
from monitor.store.step import StoreError, UnavailableError
from monitor.store.store import Store
from monitor.supervisor import Supervisor, supervised
from monitor.telling import Telling, feeds_of, target_problems
from monitor.timekeeping import Timekeeping, set_at_start
from monitor.voices import channels_of, paces_of
from monitor.watching import Watching
from monitor.web.configured import ConfigurationPage
from monitor.web.live import Live
from monitor.web.push import Pushes

log = structlog.get_logger()

TRIM_SECONDS = 3600.0
NIGHTLY_AT = "17 3 * * *"
PLAN_AT = "0 0 * * *"
AHEAD = timedelta(seconds=60)  # how far the journal may be ahead of the clock
HOSTS_SECONDS = 5.0
DATABASE_SECONDS = 2.0  # real ones
AUDIT_SECONDS = 15.0


async def run(
    path: Path, *, clock: Clock, environ: Mapping[str, str], stop: asyncio.Event, told: Callable[[str], None]
) -> None:
    """Watch until `stop`, which SIGTERM and SIGINT set too. `told` gets the page's address. Raises StartError."""
    give_back()
    loaded = read_config(path, environ)
    set_up_log(loaded.config)
    if problems := await target_problems(path, loaded.config):
        raise StartError("\n".join(problems))
    async with AsyncExitStack() as resources:
        supervisor = await resources.enter_async_context(supervised(environ))
        daemon = await Daemon.open(path, loaded, clock=clock, environ=environ, resources=resources)
        await daemon.watch(stop, told, supervisor)


class Daemon:
    """The running parts, and what a reload replaces of them."""

    def __init__(self, path: Path, loaded: Loaded, *, environ: Mapping[str, str], clock: Clock) -> None:
        self._path = path
        self._loaded = loaded
        self._environ = environ
        self._clock = clock
        self._tasks: list[asyncio.Task[None]] = []
        self._is_ready = False
        self._judging_sha256: str | None = None
        self._life = Life()

    @classmethod
    async def open(
        cls, path: Path, loaded: Loaded, *, clock: Clock, environ: Mapping[str, str], resources: AsyncExitStack
    ) -> "Daemon":
        """Open the database and bring the engines to where they were. Raises StartError."""
        daemon = cls(path, loaded, environ=environ, clock=clock)
        config = loaded.config
        daemon._book = read_addresses(config)
        try:
            daemon._store = await Store.open(config.database)
        except StoreError as error:
            raise StartError(str(error)) from error
        resources.push_async_callback(daemon._store.close)
        resources.callback(daemon._life.stop)
        daemon._patient = daemon._store.patient(daemon._wait_for_database)
        daemon._closed_hosts = ClosedHosts(daemon._store)
        closures, remember = await daemon._store.closures(), daemon._closed_hosts.remember
        ways = opened(config, clock, closures=closures, remember=remember, paces=paces_of(config))
        daemon._ways = await resources.enter_async_context(ways)
        await daemon._connect()
        daemon._live = Live(daemon._patient, metrics=daemon._metrics)
        return daemon

    _store: Store
    _patient: Store  # for work in the background, which no full disk is to end
    _closed_hosts: ClosedHosts
    _watching: Watching
    _ways: Ways
    _book: Book
    _metrics: Metrics
    _pipeline: Pipeline
    _control: ControlProbe
    _outbox: Outbox
    _telling: Telling
    _unlearned: list[str]
    _live: Live

    @property
    def _config(self) -> Config:
        return self._loaded.config

    async def _connect(self) -> None:
        config, clock = self._config, self._clock
        self._metrics = Metrics(version=__version__, intervals=intervals(config), max_series=config.limits.max_series)
        timekeeping = Timekeeping(clock, stepped=self._metrics.stepped, off_by=self._metrics.clock_off)
        if (rescued := self._store.rescued) is not None:
            self._metrics.rescued()
            log.error(
                "database_was_damaged", aside=str(rescued.aside), unread=rescued.unread, action="a fresh one goes on"
            )
        resumed = await resume(self._store)
        head = await self._store.head()
        control = control_of(config, http=self._ways.http, clock=clock)
        await set_at_start(clock, control, head=None if head is None else head.observation.at)
        if head is not None and head.observation.at > clock.now() + AHEAD:
            raise TooEarlyError(
                f"the clock says {clock.now():%Y-%m-%d %H:%M:%S} UTC, but the journal goes to "
                f"{head.observation.at:%Y-%m-%d %H:%M:%S}: set the clock right, or move {config.database} away"
            )
        for _ in range(resumed.diverged):
            self._metrics.diverged()
        self._metrics.checkpointed(resumed.saved_at or await self._store.began() or clock.now())
        self._unlearned = resumed.engines.unlearned()
        self._pipeline = Pipeline(
            store=self._store,
            engines=resumed.engines,
            clock=clock,
            metrics=self._metrics,
            seq=resumed.seq,
            stood_still=self._life.stood_still,
        )
        self._watching = Watching(
            self._pipeline, clock=clock, metrics=self._metrics, life=self._life, timekeeping=timekeeping
        )
        channels = await channels_of(config, http=self._ways.http, clock=clock, spent=self._metrics.spent)
        self._outbox = Outbox(self._patient, channels, clock, self._deliver)
        self._nightly = Nightly(
            self._patient, retention=lambda: self._config.retention, clock=clock, metrics=self._metrics
        )
        self._telling = await Telling.begin(
            config,
            store=self._patient,
            http=self._ways.http,
            clock=clock,
            metrics=self._metrics,
            commits=self._pipeline,
        )
        for view in await self._store.views():
            self._metrics.show(view)
        copied_at = self._store.backed_up_at()
        if copied_at is not None:
            self._metrics.backed_up(copied_at)
        self._metrics.show_incidents(await self._store.shown())
        self._metrics.show_drafts(await self._store.drafts(pending_only=True))
        self._metrics.show_drills(await self._store.drills.open())

    async def watch(self, stop: asyncio.Event, told: Callable[[str], None], supervisor: Supervisor) -> None:
        """Start every task and go on until somebody ends it."""
        reload = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        loop.add_signal_handler(signal.SIGHUP, reload.set)
        pushes = Pushes(
            self._clock,
            receivers=lambda: self._ways.pushes,
            taken_before=self._store.taken_before,
            take=self._pipeline.take,
        )
        feeds = feeds_of(self._config, self._store, clock=self._clock, alive=self._pipeline.is_alive)
        async with (
            receiving(
                self._store,
                config=lambda: self._config,
                metrics=self._metrics,
                clock=self._clock,
                alive=self._pipeline.is_alive,
                silent=self._life.silent,
                ready=lambda: None if self._is_ready else "starting",
                doubt=self._pipeline.trouble,
                config_sha256=lambda: self._judging_sha256,
                ask=self._pipeline.ask,
                routes=lambda show: [
                    pushes.route(),
                    self._live.route(),
                    *feeds.routes(),
                    ConfigurationPage(self._on_disk().look, show=show).route(),
                ],
            ) as address,
            asyncio.TaskGroup() as group,
        ):
            await self._start(group)
            self._tasks.append(group.create_task(self._reload_on(reload, group), name="reload"))
            beating = supervisor.watch(self._clock, self._is_well)
            self._tasks.append(group.create_task(beating, name="watchdog"))
            self._is_ready = True
            gc.freeze()  # what is here now stays: a collection that walks it stops the loop for tens of milliseconds
            told(address)
            await supervisor.ready()
            log.info("watching", page=address, exchanges=list(self._config.exchanges))
            await stop.wait()
            log.info("stopping")
            await supervisor.stopping()
            self._watching.end()
            for task in self._tasks:
                task.cancel()
            self._pipeline.stop()

    def _on_disk(self) -> OnDisk:
        read = partial(read_config, self._path, self._environ)
        return OnDisk(self._path, running=lambda: self._loaded, read=read, refusals=StartError)

    async def _start(self, group: asyncio.TaskGroup) -> None:
        group.create_task(self._pipeline.run(), name="pipeline")
        polls = await self._look(self._config)
        await self._apply(self._config, polls)
        self._taken_over()
        audit = partial(show_audit, self._patient, self._metrics)
        work = {
            "outbox": self._outbox.run(),
            "approvals": self._ring_outbox(),
            "live": self._live.run(self._pipeline.committed),
            "telling": self._telling.run(),
            "hosts": every(HOSTS_SECONDS, phase=0.0, clock=self._clock, work=self._show_hosts),
            "audit": every(AUDIT_SECONDS, phase=0.0, clock=self._clock, work=audit),
            "lag": measure_lag(self._clock, self._lagged),
            "relearn": self._relearn(),
            "maintenance": at_times(PLAN_AT, clock=self._clock, work=self._plan),
            "trim": every(TRIM_SECONDS, phase=TRIM_SECONDS, clock=self._clock, work=trim),
            "nightly": at_times(NIGHTLY_AT, clock=self._clock, work=self._nightly.run),
        }
        working = [group.create_task(task, name=name) for name, task in work.items()]
        self._life.expect(task for task in working if task.get_name() != "relearn")
        self._tasks += working
        self._watching.begin(polls, self._control, group)

    async def _look(self, config: Config) -> list[Poll]:
        cost = x_cost_of(config)
        if cost is not None:
            log.info("reading_x", costs=str(cost))
        self._control = control_of(config, http=self._ways.http, clock=self._clock)
        self._ways = replace(self._ways, pushes=pushes_of(config.exchanges, self._clock))
        self._ways.http.hide(secrets_of(config))
        store = self._patient
        since = {name: at for name in since_names(config) if (at := await store.last_reading(name)) is not None}
        flows = {name: flow for name in flows_names(config) if (flow := await store.last_flow(name)) is not None}
        usages, views = await store.usages(), await store.views()
        return polls_of(
            config, ways=self._ways, book=self._book, since=since, last_flows=flows, usages=usages, views=views
        )

    async def _apply(self, config: Config, polls: Sequence[Poll]) -> None:
        """Put what the engines judge by into the journal, where it differs from what is in force."""
        judged = judged_by(config, polls)
        sha256 = judging_sha256(judged)
        await self._pipeline.ask(ConfigApplied(at=self._clock.now(), probe="config", config=judged, sha256=sha256))
        self._judging_sha256 = sha256
        await self._plan()

    async def _plan(self) -> None:
        """Tell maintenance ahead of its time, where that is not known yet."""
        told = changes(self._config, await self._patient.views(), self._clock.now())
        await self._pipeline.take(tuple(told))

    def _lagged(self, seconds: float) -> None:
        self._metrics.lagged(seconds)
        self._life.turn()

    def _is_well(self) -> bool:
        return self._pipeline.is_turning() and not self._life.silent()

    async def _reload_on(self, rung: asyncio.Event, group: asyncio.TaskGroup) -> None:
        while True:
            await rung.wait()
            rung.clear()
            try:
                loaded = read_config(self._path, self._environ)
                config = loaded.config
                book = await asyncio.to_thread(read_addresses, config)  # thousands take more than a second
            except StartError as error:
                self._metrics.reloaded(False, self._clock.now())
                log.warning("reload_refused", problems=str(error), action="the former configuration stays in use")
                continue
            before = read_at_start(self._config)
            fixed = [name for name, value in read_at_start(config).items() if value != before[name]]
            if fixed:
                log.warning("needs_a_restart", settings=fixed, action="the rest of the configuration is taken over")
            self._loaded, self._book = loaded, book
            set_up_log(config)
            polls = await self._look(config)
            await self._apply(config, polls)
            self._watching.begin(polls, self._control, group)
            self._metrics.expect(intervals(config))
            self._taken_over()
            log.info("reloaded", exchanges=list(config.exchanges))

    def _taken_over(self) -> None:
        self._metrics.configured(self._loaded.sha256)
        self._metrics.reloaded(True, self._clock.now())

    async def _deliver(self, delivery: Delivery) -> None:
        await self._pipeline.ask(delivery)
        if delivery.searched:
            self._metrics.sought(delivery.channel, delivery.outcome)
            return
        self._metrics.posted(delivery.channel)
        if delivery.outcome is not DeliveryOutcome.POSTED:
            self._metrics.post_failed(delivery.channel, delivery.outcome)

    async def _ring_outbox(self) -> None:
        while True:
            await self._pipeline.approved.wait()
            self._pipeline.approved.clear()
            self._outbox.ring()

    async def _wait_for_database(self, error: UnavailableError) -> None:
        log.debug("waiting_for_database", detail=str(error))
        await self._clock.sleep(DATABASE_SECONDS * self._clock.speed)

    async def _show_hosts(self) -> None:
        await self._closed_hosts.keep()
        http = self._ways.http
        self._metrics.show_hosts(http.closed(), http.certificates())

    async def _relearn(self) -> None:
        if self._unlearned:
            log.warning("learning_again", exchanges=self._unlearned, why="the way of learning has changed")
            self._pipeline.teach(await relearn(self._patient, self._unlearned))
