"""The gate put together in a test: real files, real sockets, and clocks whose hands the test sets."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
from aiohttp import web

from monitor.freeze import pages
from monitor.freeze.database import Database
from monitor.freeze.door import LinkDoor
from monitor.freeze.entry import Origin
from monitor.freeze.gate import Gate
from monitor.freeze.keyring import Key, Keyring
from monitor.freeze.ledger import Found, Ledger
from monitor.freeze.lock import SHORTEST, Lock, Outcome
from monitor.freeze.requests import account_key, signed_headers
from monitor.freeze.server import Api, Shown, middleware
from monitor.freeze.signing import Signer
from monitor.freeze.telemetry import Telemetry
from monitor.freeze.witness import Witness
from tests.hand_clock import HandClock

FIRST = Key("first", b"1" * 32)
SECOND = Key("second", b"2" * 32)
APP = b"the app's secret, thirty-two bytes or more"
TOKEN = "a reader's token of thirty-two characters"  # noqa: S105 - of a test
SIGNER = Signer(b"s" * 32)
TWO_DAYS = timedelta(hours=48)


class GateHouse:
    """`wall` and independent time go together, unless a test sets `independent` or steps the wall clock."""

    def __init__(self, folder: Path, ledger: Ledger, keyring: Keyring, *, clock: HandClock, found: Found) -> None:
        self.folder = folder
        self.ledger = ledger
        self.keyring = keyring
        self.clock = clock
        self.found = found
        self.ahead = timedelta()  # of independent time
        self.is_known = True
        self.lock = Lock(ledger, keyring, clock=clock, independent=self.independent)
        self.gate = Gate(self.lock, ledger, keyring=keyring, signer=SIGNER, clock=clock)
        self.telemetry = Telemetry(version="test")
        self.shown = Shown()
        self.url = ""
        self.stopped = False
        self._nonce = 0

    def independent(self) -> datetime | None:
        return self.clock.now() + self.ahead if self.is_known else None

    def refuse_writing(self) -> None:
        """From now on the database is one that cannot be written: another process holds its lock for good."""
        self._blocker = sqlite3.connect(str(self.folder / "freeze.db"), isolation_level=None)
        self._blocker.execute("BEGIN EXCLUSIVE")

    def passes(self, span: timedelta) -> None:
        self.clock.hand += span.total_seconds()

    async def freeze(self, account: str, duration: timedelta = TWO_DAYS) -> Outcome:
        return await self.lock.freeze(
            self.keyring.accounts(account), duration=duration, requested_at=self.clock.now(), origin=Origin.APP
        )

    def until(self, account: str) -> datetime | None:
        """The end of a freeze that holds."""
        return self.lock.frozen_until(each.account for each in self.keyring.accounts(account))

    def headers(
        self,
        account: str,
        *,
        path: str = "/api/v1/freezes",
        method: str = "POST",
        body: bytes = b"",
        attempt: str = "",
        signed_at: datetime | None = None,
        nonce: str = "",
        key_of: str = "",
    ) -> dict[str, str]:
        """As the exchange's app signs, each time with a nonce of its own."""
        self._nonce += 1
        return signed_headers(
            account_key(APP, key_of or account),
            method=method,
            path=path,
            account=account,
            at=signed_at or self.clock.now(),
            nonce=nonce or f"nonce-number-{self._nonce:06}",
            body=body,
            attempt=attempt,
        )

    def application(self) -> web.Application:
        usual = TWO_DAYS
        api = Api(
            self.lock,
            self.gate,
            self.keyring,
            app_secrets=[b"another app's secret of thirty-two bytes", APP],
            reader_tokens=[TOKEN],
            usual=usual,
            longest=timedelta(days=7),
            public_url="https://freeze.example.org",
            shown=self.shown,
            telemetry=self.telemetry,
            clock=self.clock,
        )
        door = LinkDoor(self.lock, telemetry=self.telemetry, clock=self.clock)
        durations = pages.Durations(shortest=SHORTEST, usual=usual, longest=timedelta(days=7))
        app = web.Application(middlewares=[self._maybe_stopped, middleware(self.telemetry)])
        app.add_routes(api.routes())
        app.add_routes(pages.routes(door, durations=durations, now=lambda: self.lock.moment().start()))
        return app

    @web.middleware
    async def _maybe_stopped(self, request: web.Request, handler: object) -> web.StreamResponse:
        """A gate that is stopped hangs up."""
        if self.stopped and request.transport is not None:
            request.transport.abort()
        return await handler(request)  # type: ignore[operator,no-any-return]


@asynccontextmanager
async def gatehouse(
    folder: Path, *, keys: Sequence[Key] = (FIRST,), clock: HandClock | None = None
) -> AsyncIterator[GateHouse]:
    """A gate on the ledger in `folder`, begun where there is none. A second one goes on where the first one ended."""
    clock = HandClock() if clock is None else clock
    is_new = not (folder / "freeze.db").exists() and not (folder / "freeze.witness").exists()
    ledger = Ledger(Database(f"sqlite+aiosqlite:///{folder / 'freeze.db'}"), Witness(folder / "freeze.witness"))
    try:
        found = Found()
        if is_new:
            await ledger.begin(clock.now())
        else:
            found = await ledger.load(clock.now())
        house = GateHouse(folder, ledger, Keyring(keys), clock=clock, found=found)
        await house.lock.introduce()
        running = asyncio.ensure_future(house.lock.run())
        try:
            yield house
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
    finally:
        await ledger.close()


@asynccontextmanager
async def served(house: GateHouse) -> AsyncIterator[aiohttp.ClientSession]:
    """The gate on a socket, and a session that asks it; `house.url` is where."""
    runner = web.AppRunner(house.application(), access_log=None, auto_decompress=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        house.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with aiohttp.ClientSession(house.url) as session:
            yield session
    finally:
        await runner.cleanup()
