"""What the exchange's withdrawal service asks for: a snapshot of all who are frozen, and what came since.

A snapshot is written a drawer at a time, those that changed only, so that nobody waits for it.
"""

import asyncio
from datetime import datetime, timedelta

from msgspec.structs import replace

from monitor.clock import Clock
from monitor.freeze.keyring import Keyring, check_of
from monitor.freeze.ledger import Ledger
from monitor.freeze.lock import Lock
from monitor.freeze.published import RECORD, Head, KeyNamed, packed, sealed
from monitor.freeze.signing import Signer
from monitor.freeze.state import DRAWERS, State, drawer

MOST_CHANGES = 10_000  # in a delta
SNAPSHOT_HOLDS = timedelta(minutes=1)
DRAWERS_A_STEP = 4  # of a million accounts: a thousand records, a millisecond


class TooOldError(Exception):
    """What came after that is not kept: a snapshot is needed."""


class Gate:
    def __init__(self, lock: Lock, ledger: Ledger, *, keyring: Keyring, signer: Signer, clock: Clock) -> None:
        self._lock = lock
        self._ledger = ledger
        self._keys = tuple(KeyNamed(key.id, check_of(key).hex()) for key in keyring)
        self._signer = signer
        self._clock = clock
        self._first = lock.seq  # deltas reach back to here
        self._drawers: list[bytes] = [b""] * DRAWERS
        self._dirty = set(range(DRAWERS))
        self._seen = lock.seq
        self._snapshot: list[bytes] = []
        self._made_at: datetime | None = None
        self._making = asyncio.Lock()
        self.build_seconds = 0.0

    async def snapshot(self) -> list[bytes]:
        """The pieces of a snapshot at most a minute old; deltas lead on from it."""
        async with self._making:  # one is made, however many ask
            now = self._clock.now()
            if self._made_at is None or now - self._made_at >= SNAPSHOT_HOLDS:
                self._snapshot = await self._build()
                self._made_at = now
        return self._snapshot

    async def delta(self, after: int, challenge: str, *, ledger: str, digest: bytes) -> bytes:
        """What was frozen after the entry `after` of that ledger, whose hash is `digest`. Raises TooOldError."""
        if ledger != self._state.ledger or not await self._ledger.had(after, digest):
            raise TooOldError
        changes = self._lock.changes
        reach = self._first if len(changes) < (changes.maxlen or 0) else changes[0].seq
        if not reach <= after <= self._lock.seq:
            raise TooOldError
        since: dict[bytes, int] = {}
        for change in reversed(changes):  # a freeze only ends later: the newest of an account says it all
            if change.seq <= after:
                break
            since.setdefault(change.account, change.end)
            if len(since) > MOST_CHANGES:
                raise TooOldError  # a snapshot is written in pieces, and keeps nobody waiting
        head = self._head(len(since), after=after, challenge=challenge)
        return b"".join(sealed(head, [packed(since.items())], self._signer))

    @property
    def _state(self) -> State:
        return self._ledger.state

    def _head(self, count: int, *, after: int | None = None, challenge: str = "") -> Head:
        return Head(
            ledger=self._state.ledger,
            after=after,
            seq=self._lock.seq,
            digest=self._lock.digest.hex(),
            count=count,
            made_at=self._clock.now(),
            passed=self._lock.moment().passed(),
            keys=self._keys,
            challenge=challenge,
        )

    async def _build(self) -> list[bytes]:
        """What is frozen while it is written may be in it already; the deltas after `seq` bring it again."""
        started, head = self._clock.monotonic(), self._head(0)
        self._dirty |= self._changed_since(self._seen)
        self._seen = head.seq
        for step, number in enumerate(sorted(self._dirty), start=1):
            self._drawers[number] = packed(sorted(self._state.ends[number].items()))
            if step % DRAWERS_A_STEP == 0:
                await self._clock.sleep(0)
        self._dirty.clear()
        records = list(self._drawers)
        head = replace(head, count=sum(map(len, records)) // RECORD.size)
        pieces = await asyncio.to_thread(sealed, head, records, self._signer)
        self.build_seconds = self._clock.monotonic() - started
        return pieces

    def _changed_since(self, seq: int) -> set[int]:
        changes = self._lock.changes
        if len(changes) == changes.maxlen and changes[0].seq > seq:
            return set(range(DRAWERS))  # more than is kept
        changed = set()
        for change in reversed(changes):
            if change.seq <= seq:
                break
            changed.add(drawer(change.account))
        return changed
