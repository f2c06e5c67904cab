"""What goes on beside the requests: counting, reading the ledger again, telling how things are."""

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
import structlog
from aiohttp import web

from monitor.clock import Clock
from monitor.freeze.database import DamagedError, LedgerError
from monitor.freeze.independent import IndependentTime
from monitor.freeze.ledger import Ledger
from monitor.freeze.lock import Lock
from monitor.freeze.server import Shown
from monitor.freeze.state import moment
from monitor.freeze.telemetry import Telemetry

COUNTED_SECONDS = 15.0
VERIFIED_SECONDS = 3_600.0
DRAWERS_A_STEP = 256

log = structlog.get_logger()


class Tending:
    def __init__(
        self,
        lock: Lock,
        ledger: Ledger,
        independent: IndependentTime,
        *,
        shown: Shown,
        telemetry: Telemetry,
        clock: Clock,
        is_reporting: bool,
    ) -> None:
        """`is_reporting`: freezes are told to the exchange; where they are not, none is overdue."""
        self._is_reporting = is_reporting
        self._lock = lock
        self._ledger = ledger
        self._independent = independent
        self._shown = shown
        self._telemetry = telemetry
        self._clock = clock
        self._told = ""
        shown.intact = not shown.wrong

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/healthz", self.health),
            web.get("/readyz", self.ready),
            web.get("/metrics", self.metrics),
        ]

    async def run(self) -> None:
        """For ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._often(self._count, COUNTED_SECONDS), name="freeze counting")
            tasks.create_task(self._often(self._verify, VERIFIED_SECONDS), name="freeze verifying")

    async def health(self, _: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def ready(self, _: web.Request) -> web.Response:
        """503 while a freeze cannot be written. What else is not well is told, and no reason to take us out."""
        if self._lock.failure:
            return web.Response(text="the ledger cannot be written: new freezes are refused\n", status=503)
        told = [text for text in (self._shown.wrong, self._lock.moment().reason()) if text]
        return web.Response(text="".join(f"{line}\n" for line in ["ready", *told]))

    async def metrics(self, request: web.Request) -> web.Response:
        self._show()
        body, content_type = self._telemetry.render(",".join(request.headers.getall("Accept", [])))
        response = web.Response(body=body, headers={"Content-Type": content_type})
        response.enable_compression()
        return response

    async def _often(self, work: Callable[[], Awaitable[None]], seconds: float) -> None:
        while True:
            await work()
            await self._clock.sleep(seconds)

    async def _count(self) -> None:
        """Drawer by drawer, so that nobody waits for it."""
        passed = self._lock.moment().passed()
        after, active, latest = (0 if passed is None else passed.timestamp()), 0, 0
        for number, ends in enumerate(self._lock.state.ends):
            active += sum(1 for end in ends.values() if end > after)
            latest = max(latest, max(ends.values(), default=0))
            if number % DRAWERS_A_STEP == 0:
                await self._clock.sleep(0)
        self._shown.active = active
        self._shown.latest_until = moment(latest) if latest > after else None

    async def _verify(self) -> None:
        try:
            await self._ledger.verify()
        except DamagedError as error:
            self._shown.intact, self._shown.wrong = False, str(error)
            log.critical("freeze_ledger_damaged", wrong=str(error), kept="every freeze that is known")
            raise
        except LedgerError as error:
            log.warning("freeze_ledger_unread", error=str(error))
            return
        self._telemetry.at("ledger_verified_timestamp_seconds", self._clock.now())

    def _show(self) -> None:
        put, state, now = self._telemetry.put, self._lock.state, self._lock.moment()
        put("frozen", value=self._shown.active)
        put("ledger_seq", value=self._lock.seq)
        put("ledger_head", value=int.from_bytes(self._lock.digest[:6]))
        put("ledger_intact", value=self._shown.intact)
        put("write_failing", value=bool(self._lock.failure))
        put("waiting", value=self._lock.waiting)
        put("witness_behind", value=self._ledger.witness_behind)
        put("independent_time_up", value=now.independent is not None)
        put("unreported", value=len(state.unreported) if self._is_reporting else 0)
        put("links", "guardian", value=state.guardians)
        put("links", "owner", value=len(state.links) - state.guardians)
        put("links_without_key", value=self._lock.dead_links)
        self._telemetry.at("ledger_recovered_timestamp_seconds", self._ledger.recovered_at)
        if now.independent is not None:
            put("clock_offset_seconds", value=(now.wall - now.independent).total_seconds())


class Anchor:
    """Posts the ledger's head to an outside place, so that a ledger rewritten from its start can be told."""

    def __init__(self, url: str, *, token: str, session: aiohttp.ClientSession, clock: Clock) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._session = session
        self._clock = clock

    async def keep(self, lock: Lock, *, every: float) -> None:
        """For ever, where there is something new."""
        posted = 0
        while True:
            seq = lock.seq
            if seq != posted and await self._post(lock):
                posted = seq
            await self._clock.sleep(every)

    async def _post(self, lock: Lock) -> bool:
        head = {"ledger": lock.state.ledger, "seq": lock.seq, "digest": lock.digest.hex()}
        told = {**head, "at": self._clock.now().isoformat()}
        try:
            async with self._session.post(
                self._url, json=told, headers=self._headers, allow_redirects=False
            ) as response:
                response.raise_for_status()
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("freeze_head_not_kept", reason=type(error).__name__)
            return False
        return True
