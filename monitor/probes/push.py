"""The operator's own queue of withdrawals, pushed to us: signed with a shared secret, fresh, and none twice."""

import hmac
import re
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import Annotated

from msgspec import Meta

from monitor.clock import Clock
from monitor.model import FailureReason, Reading, RemoteError
from monitor.probes.answer import decode, shortened
from monitor.probes.queue import MOST_ROWS, QueueRow, line, told_twice

SIGNED_FOR = timedelta(minutes=5)
SILENT_SECONDS = 180.0
LOOK_SECONDS = 60.0
PUSHES_PER_SECOND = 5


class PushedRow(QueueRow, frozen=True, kw_only=True, forbid_unknown_fields=True):
    window_seconds: Annotated[float, Meta(gt=0, le=86_400)]


class Push:
    """Takes the pushes of one exchange, whatever brings them. As a probe it only notices that none come any more."""

    def __init__(self, clock: Clock, *, exchange: str, secret: str) -> None:
        self.name = f"{exchange}-push"
        self.exchange = exchange
        self.interval = LOOK_SECONDS
        self._clock = clock
        self._secret = secret.encode()
        self._since = clock.monotonic()
        self._taken: deque[float] = deque(maxlen=PUSHES_PER_SECOND)

    def verify(self, body: bytes, *, time: str, signature: str) -> datetime:
        """Until when the signature holds: HMAC-SHA256, in hex, over `<time>.<body>`, with the time in unix seconds.

        Raises `RemoteError`: `auth` for any other, `stale` for a time that is more than five minutes from ours.
        """
        expected = hmac.digest(self._secret, time.encode(errors="replace") + b"." + body, "sha256")
        if not hmac.compare_digest(expected, _unhexed(signature)):
            raise RemoteError(FailureReason.AUTH, "the signature is not that of this time and body", permanent=True)
        if not re.fullmatch(r"[0-9]{1,11}", time, re.ASCII):
            raise RemoteError(FailureReason.SCHEMA, "the time is not in whole unix seconds", permanent=True)
        signed_at = datetime.fromtimestamp(int(time), UTC)
        ahead = (signed_at - self._clock.now()).total_seconds()
        if abs(ahead) > SIGNED_FOR.total_seconds():
            where = "ahead of" if ahead > 0 else "behind"
            told = f"the time is {abs(ahead):.0f} s {where} ours, more than {SIGNED_FOR.total_seconds():.0f} s"
            raise RemoteError(FailureReason.STALE, told, permanent=True)
        return signed_at + SIGNED_FOR

    def read(self, body: bytes) -> Reading:
        """Every row or none. Raises `RemoteError` with the path of the first value that does not fit."""
        rows = decode(body, list[PushedRow])
        twice = told_twice(rows)
        if not 0 < len(rows) <= MOST_ROWS:
            raise RemoteError(FailureReason.SHAPE, f"{len(rows)} rows, and a push has 1 to {MOST_ROWS} - at `$`")
        if twice:
            place = [n for n, row in enumerate(rows) if row.rail == twice[0]][1]
            raise RemoteError(FailureReason.SCHEMA, shortened(f"{twice[0]} is there twice - at `$[{place}]`"))
        at = self._clock.now()
        return tuple(
            line(row, at=at, exchange=self.exchange, probe=self.name, window_seconds=row.window_seconds) for row in rows
        )

    def admit(self) -> None:
        """Count a push as taken. Raises `RemoteError` (rate_limited) for more than five a second."""
        now = self._clock.monotonic()
        if len(self._taken) == PUSHES_PER_SECOND and now - self._taken[0] < 1.0:
            raise RemoteError(FailureReason.RATE_LIMITED, f"more than {PUSHES_PER_SECOND} pushes a second")
        self._taken.append(now)

    def dismiss(self) -> None:
        """The newest one was not taken after all."""
        self._taken.pop()

    async def observe(self) -> Reading:
        """Nothing, as pushes come by themselves. Raises `RemoteError` (stale) when they do not."""
        silent = self._clock.monotonic() - (self._taken[-1] if self._taken else self._since)
        if silent > SILENT_SECONDS:
            raise RemoteError(FailureReason.STALE, f"nothing was pushed for {silent:.0f} s")
        return ()


def _unhexed(signature: str) -> bytes:
    return bytes.fromhex(signature) if re.fullmatch(r"[0-9a-fA-F]{64}", signature, re.ASCII) else b""
