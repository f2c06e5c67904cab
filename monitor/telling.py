"""What tells our own people, put together from the configuration: notifications, Alertmanager and the heartbeat."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from monitor.clock import Clock
from monitor.config import Config, NotifyTarget, Paging, revealed, urls_of
from monitor.config.yaml_file import Where, read
from monitor.http import Http
from monitor.metrics import Metrics
from monitor.model import ExchangeView, RemoteError, Severity
from monitor.notify.alertmanager import Alertmanager
from monitor.notify.heartbeat import Heartbeat, Pulse
from monitor.notify.loudspeaker import Loudspeaker, unreadable
from monitor.notify.notifier import Notifier
from monitor.notify.sender import Target
from monitor.notify.words import Links
from monitor.schedule import at_times, every
from monitor.store.store import Store
from monitor.web.feeds import Feeds, Voice

UNREAD = timedelta(minutes=5)  # without any source read for so long we cannot see
UNREAD_INTERVALS = 3
KEPT = timedelta(days=30)  # what was told
FORGET_AT = "27 3 * * *"


class Commits(Protocol):
    """Who commits what is told."""

    changed: asyncio.Event  # transitions or drafts were committed; who tells them clears this

    def is_turning(self) -> bool: ...

    def trouble(self) -> str:
        """Why nothing can be committed now; "" where all can."""
        ...


class Telling:
    @classmethod
    async def begin(
        cls, config: Config, *, store: Store, http: Http, clock: Clock, metrics: Metrics, commits: Commits
    ) -> "Telling":
        """Before anything else is committed."""
        telling = cls(config, store=store, http=http, clock=clock, metrics=metrics, commits=commits)
        head = await store.head()
        await telling.notifier.begin(head.seq if head is not None else 0)
        return telling

    def __init__(
        self,
        config: Config,
        *,
        store: Store,
        http: Http,
        clock: Clock,
        metrics: Metrics,
        commits: Commits,
    ) -> None:
        self._config = config
        self._store = store
        self._clock = clock
        self._commits = commits
        self._began_at = clock.now()
        links = Links(config.external_url)
        urls = {name: urls_of(target) for name, target in config.notify.targets.items()}
        self.notifier = Notifier(
            store,
            store.notifications,
            clock,
            drills=store.drills,
            targets=targets_of(config),
            says=lambda name: Loudspeaker(urls[name]).say,
            links=links,
            counters=metrics,
        )
        self._alertmanager = _alertmanager(config, http, store, clock, links, metrics)
        self._heartbeat = _heartbeat(config, http, clock, self.pulse, metrics)

    async def run(self) -> None:
        """All of it, for ever."""
        forget = at_times(FORGET_AT, clock=self._clock, work=self._forget)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow(self._commits.changed), name="changes")
            tasks.create_task(forget, name="forget")
            tasks.create_task(self.notifier.run(), name="notifier")
            if self._alertmanager is not None:
                tasks.create_task(self._alertmanager.run(), name="alertmanager")
            if self._heartbeat is not None and self._config.heartbeat is not None:
                interval = self._config.heartbeat.interval.total_seconds()
                beating = every(interval, phase=0.0, clock=self._clock, work=self._heartbeat.beat)
                tasks.create_task(beating, name="heartbeat")

    async def _follow(self, changed: asyncio.Event) -> None:
        while True:
            await changed.wait()
            changed.clear()
            self.notifier.ring()
            if self._alertmanager is not None:
                self._alertmanager.ring()

    async def _forget(self) -> None:
        await self._store.notifications.prune(before=self._clock.now() - KEPT)

    async def pulse(self) -> Pulse:
        """Whether we truly watch. Silent just after a start: what we know then may be of before it."""
        if not self._commits.is_turning():
            return Pulse(turns=False)
        if trouble := self._commits.trouble():
            return Pulse(turns=True, trouble=trouble)
        now = self._clock.now()
        unread = _unread(self._config)
        blindness = blind(await self._store.views(), now, unread=unread)
        if blindness and now - self._began_at < unread:
            return Pulse(turns=False)
        return Pulse(turns=True, trouble=blindness or self.notifier.mute())


def feeds_of(config: Config, store: Store, *, clock: Clock, alive: Callable[[], bool]) -> Feeds:
    """What everybody else is told, for those who ask."""
    voice = Voice(role=config.role, speaks_for=config.speaks_for, external_url=config.external_url)
    return Feeds(store, voice=voice, clock=clock, alive=alive)


def told_by(config: Config) -> tuple[object, ...]:
    """The settings of it: what is told by others needs a restart."""
    return (config.notify, config.paging, config.alertmanager, config.heartbeat, config.external_url)


def targets_of(config: Config) -> list[Target]:
    return [
        Target(name=name, about=target.about, fallback=target.fallback, fallback_after=target.fallback_after)
        for name, target in config.notify.targets.items()
    ]


def blind(views: list[ExchangeView], now: datetime, *, unread: timedelta) -> str:
    """Why we cannot see; "" where we can."""
    if any(view.blind for view in views if not view.exchange):
        return "blind: our own control targets do not answer"
    looks = (probe.last_success_at for view in views if view.exchange for probe in view.probes)
    newest = max((at for at in looks if at is not None), default=None)
    if newest is None:
        return "blind: no exchange was ever read"
    return f"blind: no exchange was read since {newest:%H:%M} UTC" if now - newest > unread else ""


async def target_problems(path: Path, config: Config) -> list[str]:
    """What is wrong with the URLs of targets, each with its line in the file at `path`; none of them is repeated."""
    found = [await _problem(name, target) for name, target in config.notify.targets.items()]
    if not any(message for _, message in found):
        return []
    file = read(path)
    return [str(file.problem(where, message)) for where, message in found if message]


async def _problem(name: str, target: NotifyTarget) -> tuple[Where, str]:
    """Where a target names its URLs, and what is wrong with them; "" where nothing is."""
    key, named = ("urls_file", target.urls_file) if target.urls_file is not None else ("urls_env", target.urls_env)
    where: Where = ("notify", "targets", name, key)
    try:
        places = await unreadable(urls_of(target))
    except RemoteError as error:
        return where, f"apprise cannot be run: {error.detail}"
    if not places:
        return where, ""
    which = f"URL {places[0]}" if len(places) == 1 else f"URLs {', '.join(map(str, places))}"
    return where, f"{which} in {named} cannot be read by apprise: see https://appriseit.com/services/ for their schemas"


def _unread(config: Config) -> timedelta:
    slowest = max((e.interval for e in config.exchanges.values() if e.interval is not None), default=UNREAD)
    return max(UNREAD, UNREAD_INTERVALS * slowest)


def _alertmanager(
    config: Config, http: Http, store: Store, clock: Clock, links: Links, metrics: Metrics
) -> Alertmanager | None:
    settings = config.alertmanager
    if settings is None or config.paging is not Paging.DIRECT:
        return None
    severities = (Severity.CRITICAL, Severity.WARNING) if settings.warnings else (Severity.CRITICAL,)
    return Alertmanager(
        http,
        settings.urls,
        store,
        store.drills,
        clock,
        interval=settings.interval,
        severities=severities,
        links=links,
        pushed=metrics.pushed,
        allow_private=settings.allow_private,
    )


def _heartbeat(
    config: Config, http: Http, clock: Clock, feel: Callable[[], Awaitable[Pulse]], metrics: Metrics
) -> Heartbeat | None:
    settings = config.heartbeat
    if settings is None:
        return None
    url = revealed(settings.url)
    return Heartbeat(http, url, clock, feel=feel, beaten=metrics.beat, allow_private=settings.allow_private)
