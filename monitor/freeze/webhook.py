"""What the exchange is told of a freeze: that what is pending has to be cancelled, and that the end comes near.

Told at least once and in no order. The receiver knows by the id what it has. Nothing is given up: whoever was frozen
under threat does not know that a server answered 410.
"""

import asyncio
import zlib
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from hmac import digest
from itertools import count
from typing import Protocol

import aiohttp
import msgspec
import structlog
from msgspec import Struct

from monitor.clock import Clock

TIMEOUT_SECONDS = 10.0  # clock ones
SEATS = 8  # requests at the same time
MOST_WAITING = 10_000  # reports in memory; the rest stays where it is
FULL_SECONDS = 1.0
SHORTEST_WAIT, LONGEST_WAIT = 1.0, 300.0

log = structlog.get_logger()


class ReportEvent(StrEnum):
    ACCOUNT_FROZEN = "account_frozen"
    FREEZE_ENDS_SOON = "freeze_ends_soon"


class Report(Struct, frozen=True, kw_only=True):
    """One thing that the exchange has to hear of an account."""

    id: str  # the ledger's number, or "reminder-<number>": by it the receiver knows what it has
    event: ReportEvent
    account: bytes  # 16 bytes of a keyed hash, told in hex
    key_id: str  # of the key that the hash was made with, so that the exchange finds its account
    until: datetime
    activated_at: datetime
    guardian: str | None  # of a reminder: the id of the guardian's link


class NotDelivered(Exception):  # noqa: N818 - it says what is so
    """It may have arrived all the same. `reason` is one of few words, for a counter; the text says more.

    Neither tells the address, which may hold a key, or anything of the account.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Waiting(Protocol):
    """The ledger's side: what is still to be told."""

    def unreported(self, limit: int) -> Sequence[Report]:
        """At most `limit`, oldest first, also those of an earlier process."""
        ...

    async def reported(self, ids: Sequence[str]) -> None:
        """They are not told again, also after a crash, once this has returned."""
        ...

    async def wait(self) -> None:
        """Return when there may be new ones since `unreported` was called last."""
        ...


class Webhook:
    """A POST to the exchange, signed as Standard Webhooks 1.0.0 has it.

    `webhook-signature` is `v1,` and the base64 of the HMAC-SHA256 over `<webhook-id>.<webhook-timestamp>.<body>`, with
    the time of the attempt in unix seconds. `Idempotency-Key` is the id as well, as with our other webhook.
    The body is a JSON object with the fields of `Report`; `account` is hex, times are RFC 3339.
    See https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """

    def __init__(self, url: str, *, secret: bytes, clock: Clock, session: aiohttp.ClientSession) -> None:
        """`secret` is the key itself: what stands behind `whsec_`, decoded."""
        self._url = url
        self._secret = secret
        self._clock = clock
        self._session = session

    async def deliver(self, report: Report) -> None:
        """Send it once; a 2xx says that it arrived. Raises NotDelivered for anything else, a redirect too."""
        body = _body(report)
        headers = self._headers(report.id, body)
        # aiohttp's errors carry the URL and our headers, so none of them may stand behind ours in a traceback.
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS / self._clock.speed):
                status = await self._posted(body, headers)
        except TimeoutError:
            raise NotDelivered("timeout", f"no answer within {TIMEOUT_SECONDS:g} s") from None
        except aiohttp.ClientError as error:
            raise NotDelivered("connection", type(error).__name__) from None
        if not 200 <= status < 300:
            raise NotDelivered(f"http_{status // 100}xx", f"status {status}")

    async def _posted(self, body: bytes, headers: Mapping[str, str]) -> int:
        """The status. Of what it says besides nothing is read, whatever its size."""
        async with self._session.post(self._url, data=body, headers=headers, allow_redirects=False) as response:
            return response.status

    def _headers(self, key: str, body: bytes) -> Mapping[str, str]:
        time = str(int(self._clock.now().timestamp()))
        signature = digest(self._secret, f"{key}.{time}.".encode() + body, "sha256")
        return {
            "Content-Type": "application/json",
            "Idempotency-Key": key,
            "webhook-id": key,
            "webhook-timestamp": time,
            "webhook-signature": f"v1,{b64encode(signature).decode()}",
        }


class _Told(Struct, frozen=True, kw_only=True):
    id: str
    event: ReportEvent
    account: str
    key_id: str
    until: datetime
    activated_at: datetime
    guardian: str | None


def _body(report: Report) -> bytes:
    told = _Told(
        id=report.id,
        event=report.event,
        account=report.account.hex(),
        key_id=report.key_id,
        until=report.until,
        activated_at=report.activated_at,
        guardian=report.guardian,
    )
    return msgspec.json.encode(told)


async def reporting(waiting: Waiting, webhook: Webhook, *, clock: Clock, failed: Callable[[str], None]) -> None:
    """Deliver what is waiting, and what comes, for ever.

    At most 8 requests at a time. One that fails waits on its own, from 1 s up to 5 min, and holds back no other, until
    10,000 of them wait. `failed` gets the reason of every attempt that did.
    """
    await _Reporting(waiting, webhook, clock=clock, failed=failed).run()


class _Reporting:
    """A task for each report that is waiting, and one that says which of them have arrived."""

    def __init__(self, waiting: Waiting, webhook: Webhook, *, clock: Clock, failed: Callable[[str], None]) -> None:
        self._waiting = waiting
        self._webhook = webhook
        self._clock = clock
        self._failed = failed
        self._taken: set[str] = set()
        self._arrived: asyncio.Queue[str] = asyncio.Queue(maxsize=MOST_WAITING)
        self._seats = asyncio.Semaphore(SEATS)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._note(), name="freeze reports: arrived")
            while True:
                found = self._waiting.unreported(MOST_WAITING)
                for report in found:
                    if report.id not in self._taken:
                        self._taken.add(report.id)
                        group.create_task(self._tell(report), name=f"freeze report {report.id}")
                if len(found) < MOST_WAITING:
                    await self._waiting.wait()
                else:  # there may be more, which nobody will tell us of
                    await self._clock.sleep(FULL_SECONDS)

    async def _tell(self, report: Report) -> None:
        """Try until it has arrived. What fails is logged when it begins, when it fails otherwise and when it ends."""
        before = ""
        for attempt in count():
            try:
                async with self._seats:
                    await self._webhook.deliver(report)
            except NotDelivered as error:
                self._failed(error.reason)
                if error.reason != before:
                    log.warning("freeze_report_failed", report=report.id, reason=error.reason, detail=str(error))
                before = error.reason
            else:
                break
            await self._clock.sleep(seconds_before(report.id, attempt))
        if before:
            log.info("freeze_report_delivered", report=report.id, attempts=attempt + 1)
        self._arrived.put_nowait(report.id)

    async def _note(self) -> None:
        while True:
            ids = [await self._arrived.get()]
            while not self._arrived.empty():
                ids.append(self._arrived.get_nowait())
            await self._waiting.reported(ids)
            self._taken.difference_update(ids)


def seconds_before(report: str, attempt: int) -> float:
    """How long a report waits after its `attempt`, counted from 0: from 1 s, doubled each time, to less than 5 min.

    Up to twice as long by its id, the same in every run, so that those that failed together do not come together.
    """
    least = min(SHORTEST_WAIT * 2.0 ** min(attempt, 16), LONGEST_WAIT / 2)
    share = zlib.crc32(f"{report} {attempt}".encode()) / 2**32
    return least * (1 + share)
