"""The gate's process, put together. It starts only where nobody who is frozen could be overlooked."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import structlog
from aiohttp import web

from monitor.clock import Clock
from monitor.config import revealed
from monitor.config.gate import LoadedGate
from monitor.config.values import Listen
from monitor.freeze import pages
from monitor.freeze.database import Database, LedgerError
from monitor.freeze.door import LinkDoor
from monitor.freeze.gate import Gate
from monitor.freeze.independent import IndependentTime
from monitor.freeze.keyring import Key, Keyring
from monitor.freeze.ledger import Ledger, NoLedgerError
from monitor.freeze.lock import SHORTEST, Lock
from monitor.freeze.reports import Untold
from monitor.freeze.server import Api, Shown, middleware
from monitor.freeze.signing import Signer
from monitor.freeze.telemetry import Telemetry
from monitor.freeze.tending import Anchor, Tending
from monitor.freeze.webhook import Webhook, reporting
from monitor.freeze.witness import InUseError, Witness
from monitor.supervisor import supervised

log = structlog.get_logger()

OUTSIDE = aiohttp.ClientTimeout(total=15)
SHUTDOWN_SECONDS = 2.0


class CannotServeError(Exception):
    """The gate does not start; the text says why and what to do. `may_mend`: it can work later, as it is."""

    def __init__(self, text: str, *, may_mend: bool = False) -> None:
        super().__init__(text)
        self.may_mend = may_mend


async def begin(loaded: LoadedGate, clock: Clock) -> None:
    """Make the ledger, once. Raises CannotServeError where there is one."""
    async with _ledger(loaded) as ledger:
        try:
            await ledger.begin(clock.now())
        except LedgerError as error:
            raise CannotServeError(str(error)) from error


async def serve(
    loaded: LoadedGate,
    *,
    clock: Clock,
    environ: Mapping[str, str],
    version: str,
    say: Callable[[str], None],
    stop: asyncio.Event,
) -> None:
    """Serve until `stop`. Raises CannotServeError, and DamagedError where the ledger was altered while it ran: what
    starts it again mends that."""
    config, telemetry = loaded.config, Telemetry(version=version)
    async with AsyncExitStack() as stack:
        ledger = await stack.enter_async_context(_ledger(loaded))
        shown = Shown(intact=True, wrong=await _loaded(ledger, clock))
        session = await stack.enter_async_context(aiohttp.ClientSession(timeout=OUTSIDE))
        independent = _independent(config.time, clock=clock, session=session)
        await independent.ask()
        keyring = Keyring([Key(name, secret) for name, secret in loaded.keys.items()])
        lock = Lock(ledger, keyring, clock=clock, independent=independent.now)
        await _introduced(lock)
        gate = Gate(lock, ledger, keyring=keyring, signer=Signer(loaded.signing), clock=clock)
        api = Api(
            lock,
            gate,
            keyring,
            app_secrets=list(loaded.apps.values()),
            reader_tokens=list(loaded.readers.values()),
            usual=config.durations.usual,
            longest=config.durations.longest,
            public_url=config.public_url,
            shown=shown,
            telemetry=telemetry,
            clock=clock,
        )
        tending = Tending(
            lock,
            ledger,
            independent,
            shown=shown,
            telemetry=telemetry,
            clock=clock,
            is_reporting=config.reports is not None,
        )
        durations = pages.Durations(shortest=SHORTEST, usual=config.durations.usual, longest=config.durations.longest)
        door = LinkDoor(lock, telemetry=telemetry, clock=clock)
        public = pages.routes(door, durations=durations, now=lambda: lock.moment().start())
        own = [*api.routes(), *tending.routes()]
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        running = [
            tasks.create_task(lock.run(), name="freeze lock"),
            tasks.create_task(lock.keep_time(), name="freeze time"),
            tasks.create_task(independent.watch(), name="independent time"),
            tasks.create_task(tending.run(), name="freeze tending"),
        ]
        if config.reports is not None:
            untold = Untold(lock, remind=config.reports.remind, clock=clock)
            webhook = Webhook(config.reports.url, secret=loaded.reports, clock=clock, session=session)
            running.append(
                tasks.create_task(
                    reporting(untold, webhook, clock=clock, failed=telemetry.report_failed), name="freeze reports"
                )
            )
        if config.anchor is not None:
            anchor = Anchor(config.anchor.url, token=revealed(config.anchor.token), session=session, clock=clock)
            every = config.anchor.interval.total_seconds()
            running.append(tasks.create_task(anchor.keep(lock, every=every), name="freeze anchor"))
        if config.public_listen is None:
            own += public
        else:
            address = await stack.enter_async_context(_listening(public, config.public_listen, telemetry))
            say(f"the pages are at {address}")
        address = await stack.enter_async_context(_listening(own, config.listen, telemetry))
        supervisor = await stack.enter_async_context(supervised(environ))
        say(f"the freeze gate is at {address}; {ledger.state.accounts} accounts were ever frozen")
        await supervisor.ready()
        running.append(tasks.create_task(supervisor.watch(clock, lambda: True), name="supervisor"))
        await stop.wait()
        await supervisor.stopping()
        for task in running:
            task.cancel()


def _independent(sources: Sequence[str], *, clock: Clock, session: aiohttp.ClientSession) -> IndependentTime:
    try:
        return IndependentTime(sources, clock=clock, session=session)
    except ValueError as error:
        raise CannotServeError(f"time: {error}") from error


async def _loaded(ledger: Ledger, clock: Clock) -> str:
    """What was wrong with the ledger; it is mended now."""
    try:
        found = await ledger.load(clock.now())
    except NoLedgerError as error:
        raise CannotServeError(
            "there is no ledger and no witness of one. If this gate is new, run `cexwatch freeze init`; if it is not, "
            "restore either of them: nothing is begun afresh where somebody may be frozen"
        ) from error
    except LedgerError as error:
        raise CannotServeError(str(error), may_mend=True) from error
    if found.wrong:
        log.critical("freeze_ledger_damaged", wrong=found.wrong, kept="every freeze that either copy tells of")
    if found.note:
        log.warning("freeze_ledger_mended", note=found.note)
    return found.wrong


async def _introduced(lock: Lock) -> None:
    try:
        missing = lock.missing_keys()
        if missing:
            raise CannotServeError(
                f"keys {', '.join(missing)} are not configured, and accounts hashed with them are or were just frozen: "
                "put them back under `keys`; a key can go 8 days after its last freeze has ended"
            )
        await lock.introduce()
    except ValueError as error:
        raise CannotServeError(str(error)) from error
    except LedgerError as error:
        raise CannotServeError(str(error), may_mend=True) from error


@asynccontextmanager
async def _ledger(loaded: LoadedGate) -> AsyncIterator[Ledger]:
    try:
        database = Database(loaded.config.ledger)
        for file in (database.file, loaded.witness):
            if file is not None:
                file.parent.mkdir(parents=True, exist_ok=True)
        witness = Witness(loaded.witness)
    except InUseError as error:
        raise CannotServeError(str(error), may_mend=True) from error
    except LedgerError as error:
        raise CannotServeError(str(error)) from error
    except OSError as error:
        raise CannotServeError(f"{error.filename}: {error.strerror}", may_mend=True) from error
    ledger = Ledger(database, witness)
    try:
        held = await database.lock()
        try:
            yield ledger
        finally:
            if held is not None:
                await held.close()
    except LedgerError as error:
        raise CannotServeError(str(error), may_mend=True) from error
    finally:
        await ledger.close()


@asynccontextmanager
async def _listening(routes: list[web.RouteDef], listen: Listen, telemetry: Telemetry) -> AsyncIterator[str]:
    app = web.Application(middlewares=[middleware(telemetry)])
    app.add_routes(routes)
    # Bodies stay as they were sent: a few packed bytes unpack to gigabytes before any handler could refuse them.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS, auto_decompress=False)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, listen.host, listen.port).start()
        except OSError as error:
            raise CannotServeError(f"{listen}: {error.strerror}", may_mend=True) from error
        yield f"http://{Listen(listen.host, runner.addresses[0][1])}"
    finally:
        await runner.cleanup()
