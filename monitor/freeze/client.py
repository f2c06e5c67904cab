"""For the exchange's withdrawal service: may this account be paid, now, without asking anybody.

    client = FreezeClient("https://freeze.internal", public_key=..., keys=[...], file=Path("/var/lib/.../frozen"))
    async with client.following():
        decision = client.decide("account 12345")      # at signing time; microseconds, no network
        if not decision.may_pay: ...

An account that was frozen stays so until the gate has said that the end is past and this machine's clock is past it
too; without the gate, for as long as it takes. All others are paid until nothing was
heard of the gate for `max_staleness`; then nobody is, and `problem` says why.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path

import aiohttp
from msgspec import Struct

from monitor.clock import Clock
from monitor.freeze.kept import Kept, KeptError
from monitor.freeze.keyring import Key, Keyring, check_of
from monitor.freeze.known import Known
from monitor.freeze.published import Head, NonsenseError, Published, read
from monitor.freeze.signing import ForgedError, Verifier
from monitor.freeze.state import moment

INTERVAL_SECONDS = 5.0
MAX_STALENESS = timedelta(minutes=15)
NOTED_EVERY = 30.0
CLOCK_STEP_SECONDS = 5.0
TIMEOUT = aiohttp.ClientTimeout(total=60, connect=5)
SNAPSHOT_AFTER_ADDED = 100_000


class Reason(StrEnum):
    FREE = "free"
    FROZEN = "frozen"
    STALE = "stale"  # the gate was not heard for too long: whether the account is frozen is not known


class Decision(Struct, frozen=True):
    reason: Reason
    until: datetime | None = None  # of a freeze

    @property
    def may_pay(self) -> bool:
        return self.reason is Reason.FREE


class Standing(Struct, frozen=True, kw_only=True):
    """For the metrics of whoever uses the client."""

    heard_seconds: float | None  # ago; None: never
    accounts: int
    seq: int
    kept_though_missing: int  # frozen as we know, and not in the gate's last snapshot: it was rolled back
    problem: str  # "" while all is well


class FreezeClient:
    def __init__(
        self,
        url: str,
        *,
        public_key: bytes,
        keys: Sequence[Key],
        file: Path,
        token: str,
        max_staleness: timedelta = MAX_STALENESS,
        interval_seconds: float = INTERVAL_SECONDS,
        clock: Clock | None = None,
        alarm: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`public_key`: the gate's, as `cexwatch freeze keygen` printed it. `keys`: those that the gate hashes accounts
        with. `file`: where what is known outlives a restart. `token`: for reading. `alarm` is told each new problem, ""
        when it is over. Raises ValueError for a key that is none.
        """
        self._url = url.rstrip("/")
        self._verifier = Verifier(public_key)
        self._keyring = Keyring(keys)
        self._checks = {key.id: check_of(key).hex() for key in keys}
        self._kept = Kept(file)
        self._token = token
        self._patience = max_staleness.total_seconds()
        self._interval = interval_seconds
        self._clock = Clock() if clock is None else clock
        self._alarm = alarm
        self._known = Known()
        self._head: Head | None = None
        self._passed = 0
        self._heard: float | None = None  # by the monotonic clock
        self._noted = float("-inf")
        self._missing = 0
        self._unkept = ""
        self.problem = ""

    def decide(self, account: str) -> Decision:
        """Whether the account may be paid: asks nobody, takes microseconds, raises nothing."""
        hashes = self._keyring.accounts(account)
        end = max(self._known.end(each.account) for each in hashes)
        if end and end > self._over():
            return Decision(Reason.FROZEN, moment(end))
        heard = self._heard
        if heard is None or self._clock.monotonic() - heard > self._patience:
            return Decision(Reason.STALE)
        return Decision(Reason.FREE)

    def standing(self) -> Standing:
        return Standing(
            heard_seconds=None if self._heard is None else self._clock.monotonic() - self._heard,
            accounts=len(self._known),
            seq=0 if self._head is None else self._head.seq,
            kept_though_missing=self._missing,
            problem=self.problem,
        )

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Keep up with the gate while the context is open. Begins with what an earlier life kept, if it can be read."""
        self._recall()
        headers = {"Authorization": f"Bearer {self._token}"}
        async with aiohttp.ClientSession(timeout=TIMEOUT, headers=headers) as session, asyncio.TaskGroup() as group:
            follower = group.create_task(self._follow(session), name="freeze client")
            try:
                yield
            finally:
                follower.cancel()

    async def refresh(self, session: aiohttp.ClientSession) -> None:
        """Ask the gate once."""
        try:
            if self._head is None or self._known.added > SNAPSHOT_AFTER_ADDED or not await self._delta(session):
                await self._snapshot(session)
                await self._delta(session)
        except (aiohttp.ClientError, TimeoutError) as error:
            self._told(f"the freeze gate is not reached: {type(error).__name__}")
        except (ForgedError, NonsenseError) as error:
            self._told(f"the freeze gate's answer is refused: {error}")

    async def _follow(self, session: aiohttp.ClientSession) -> None:
        while True:
            await self.refresh(session)
            await self._clock.sleep(self._interval)

    async def _delta(self, session: aiohttp.ClientSession) -> bool:
        """Whether the gate still knew what came after what we have."""
        if self._head is None:
            return False
        challenge = secrets.token_hex(8)
        query = {
            "after": str(self._head.seq),
            "digest": self._head.digest,
            "ledger": self._head.ledger,
            "challenge": challenge,
        }
        async with session.get(f"{self._url}/api/v1/deltas", params=query, allow_redirects=False) as response:
            if response.status == 410:
                return False
            body = await _body(response)
        found = read(body, self._verifier)
        if (found.head.challenge, found.head.after, found.head.ledger) != (
            challenge,
            self._head.seq,
            self._head.ledger,
        ):
            raise NonsenseError("it answers another question: an old answer, played again?")
        self._known.add(found.records)
        if found.head.count:
            self._save(partial(self._kept.add, body))
        elif self._kept.is_behind:
            self._save(self._kept.catch_up)
        self._arrived(found.head, body)
        return True

    async def _snapshot(self, session: aiohttp.ClientSession) -> None:
        async with session.get(f"{self._url}/api/v1/snapshot", allow_redirects=False) as response:
            body = await _body(response)
        found = await asyncio.to_thread(read, body, self._verifier)
        if found.head.after is not None:
            raise NonsenseError("a delta where a snapshot was expected")
        await self._take(found)
        # What the gate no longer knows stands in what was kept before.
        self._save(partial(self._kept.add if self._missing else self._kept.replace, body))

    async def _take(self, found: Published) -> None:
        """A snapshot says who is frozen, never who no longer is: what we know besides is kept."""
        fresh = await asyncio.to_thread(Known, found.records)
        missing = 0
        for kept in fresh.keep(self._known, passed=self._over()):
            missing += kept
            await self._clock.sleep(0)
        self._known, self._missing, self._head = fresh, missing, found.head

    def _arrived(self, head: Head, answer: bytes) -> None:
        """A fresh answer, which nobody can have recorded before."""
        self._head = head
        self._believe(head)
        lacking = self._lacking(head)
        if lacking:
            self._told(lacking)
            return
        self._heard = self._clock.monotonic()
        if self._heard - self._noted >= NOTED_EVERY and not self._kept.is_behind:
            self._save(partial(self._kept.note, self._clock.now(), answer))
            self._noted = self._heard
        if self._missing:
            self._told(f"{self._missing} accounts are frozen that the gate no longer knows: its ledger was rolled back")
        else:
            self._told(self._unkept)

    def _save(self, write: Callable[[], None]) -> None:
        """A full disk is told and stops no payment: what is known is in memory, and is written once it can be."""
        try:
            write()
        except OSError as error:
            self._unkept = f"what is frozen cannot be kept on disk, for a restart: {error.strerror}"
        else:
            self._unkept = ""

    def _over(self) -> int:
        """Ends up to here are reached, Unix seconds: by the gate's word and by this machine's clock. So neither a wrong
        clock here nor whoever has the gate's signing key opens anything alone."""
        return min(self._passed, int(self._clock.now().timestamp()))

    def _lacking(self, head: Head) -> str:
        """Why somebody who is frozen may not be found here, though the gate is heard; "" where everybody is."""
        for key in head.keys:
            match self._checks.get(key.id):
                case None:
                    return f"the freeze gate hashes accounts with key {key.id}, which this client was not given"
                case key.check:
                    pass
                case _:
                    return f"key {key.id} of this client is not the freeze gate's: it would find nobody"
        return ""

    def _believe(self, head: Head) -> None:
        if head.passed is not None:
            self._passed = max(self._passed, int(head.passed.timestamp()))

    def _recall(self) -> None:
        """What an earlier life kept. How fresh that is this machine's clock alone can tell."""
        try:
            for body in self._kept.bodies():
                found = read(body, self._verifier)
                if found.head.after is None:
                    fresh = Known(found.records)
                    self._missing = sum(fresh.keep(self._known, passed=0))
                    self._known = fresh
                else:
                    self._known.add(found.records)
                self._head = found.head
            noted = self._kept.noted()
            said = None if noted is None else read(noted.answer, self._verifier).head
        except (KeptError, ForgedError, NonsenseError) as error:
            self._known, self._head = Known(), None
            self._told(f"what was kept of frozen accounts is refused, nobody is paid until the gate answers: {error}")
            return
        if noted is None or said is None:
            return
        self._believe(said)
        if self._head is not None and not self._lacking(said):
            age = (self._clock.now() - noted.at).total_seconds()
            if age >= -CLOCK_STEP_SECONDS:  # else the clock was set back, and nobody knows how long ago it was
                self._heard = self._clock.monotonic() - max(age, 0.0)

    def _told(self, problem: str) -> None:
        if problem != self.problem:
            self.problem = problem
            self._alarm(problem)


async def _body(response: aiohttp.ClientResponse) -> bytes:
    if response.status != 200:
        raise NonsenseError(f"it answered {response.status}")
    return await response.read()
