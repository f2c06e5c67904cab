"""No order of freezes, links, keys, clock steps, restarts, losses and restored copies makes an end earlier.

The machine keeps its own account of every end that was acknowledged, and compares at every step: with the gate, and
with a client that heard of some of it.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from monitor.freeze.entry import Origin
from monitor.freeze.gate import TooOldError
from monitor.freeze.keyring import Hashed, Key
from monitor.freeze.known import Known
from monitor.freeze.lock import LONGEST, SHORTEST, StillFrozenError, TooManyLinksError
from monitor.freeze.published import Head, read
from monitor.freeze.signing import Verifier
from tests.freeze.gatehouse import FIRST, SECOND, SIGNER, GateHouse, gatehouse
from tests.hand_clock import HandClock
from tests.property.examples import examples

T = TypeVar("T")
THIRD = Key("third", b"3" * 32)
VERIFIER = Verifier(SIGNER.public)
accounts = st.sampled_from(["anna", "bert", "carl"])
spans = st.sampled_from([timedelta(minutes=m) for m in (0, 1, 30, 25 * 60, 49 * 60, 8 * 24 * 60)])
lengths = st.sampled_from([SHORTEST, timedelta(hours=48, seconds=1), LONGEST])
COPIES = ("freeze.db", "freeze.db-wal", "freeze.db-shm", "freeze.witness")


class SteppedClock(HandClock):
    """A wall clock that an attacker may set; the world's own time is `world`."""

    def __init__(self) -> None:
        super().__init__()
        self.world = self.now()
        self.off = timedelta()

    def now(self) -> datetime:
        """Read afresh, as after a restart: also back."""
        if not hasattr(self, "world"):
            return super().now()
        return self.world + self.off


class Freezes(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="freeze-"))
        self.loop = asyncio.new_event_loop()
        self.clock = SteppedClock()
        self.keys = [FIRST]
        self.known_time = True
        self.lag = timedelta()
        self.ends: dict[str, datetime] = {}  # what was acknowledged
        self.links: dict[str, tuple[str, bool]] = {}  # token -> whose, a guardian's
        self.client = Known()
        self.head: Head | None = None
        self.passed = 0
        self.client_ends: dict[bytes, int] = {}
        self.damaged = False  # since the last start
        self.open()

    def do(self, work: Awaitable[T]) -> T:
        return self.loop.run_until_complete(work)

    def open(self) -> None:
        self.stack = AsyncExitStack()
        self.house: GateHouse = self.do(
            self.stack.enter_async_context(gatehouse(self.folder, keys=self.keys, clock=self.clock))
        )
        self.house.independent = self.independent  # type: ignore[method-assign]
        self.house.lock._independent = self.independent  # noqa: SLF001 - the machine holds the clocks
        self.damaged = False

    def close(self) -> None:
        self.do(self.stack.aclose())

    def independent(self) -> datetime | None:
        return self.clock.world - self.lag if self.known_time else None

    @rule(account=accounts, length=lengths)
    def freeze(self, account: str, length: timedelta) -> None:
        before, begun = self.ends.get(account), self.clock.world
        outcome = self.do(self.house.freeze(account, length))
        assert before is None or outcome.until >= before
        if self.known_time:
            assert outcome.until >= begun - self.lag + length, "a clock set back makes none shorter"
        self.ends[account] = outcome.until

    @precondition(lambda self: self.links)
    @rule(data=st.data(), length=lengths)
    def freeze_by_link(self, data: st.DataObject, length: timedelta) -> None:
        token = list(self.links)[data.draw(st.integers(0, len(self.links) - 1))]  # tokens differ in every run
        account, guards = self.links[token]
        found = self.house.lock.link(token)
        if found is None:
            raise AssertionError("a link opens until it is taken back")
        link = found[1]
        assert link.is_guardian == guards
        outcome = self.do(
            self.house.lock.freeze(
                [Hashed(link.key_id, link.account)],
                duration=length,
                requested_at=self.clock.now(),
                origin=Origin.GUARDIAN if guards else Origin.LINK,
            )
        )
        self.ends[account] = max(outcome.until, self.ends.get(account, outcome.until))

    @rule(account=accounts, guards=st.booleans())
    def make_link(self, account: str, guards: bool) -> None:
        try:
            token, _ = self.do(
                self.house.lock.make_link(self.house.keyring.accounts(account), is_guardian=guards, remind=guards)
            )
        except TooManyLinksError:
            return
        self.links[token] = (account, guards)

    @precondition(lambda self: self.links)
    @rule(data=st.data())
    def revoke(self, data: st.DataObject) -> None:
        token = list(self.links)[data.draw(st.integers(0, len(self.links) - 1))]  # tokens differ in every run
        account, _ = self.links[token]
        found = self.house.lock.link(token)
        if found is None:
            return
        frozen = self.house.until(account) is not None
        try:
            self.do(self.house.lock.revoke(self.house.keyring.accounts(account), found[0]))
        except StillFrozenError:
            assert frozen
        else:
            assert not frozen
            del self.links[token]

    @rule(span=spans)
    def time_passes(self, span: timedelta) -> None:
        self.clock.world += span
        self.clock.hand += span.total_seconds()

    @precondition(lambda self: self.ends)
    @rule(early=st.sampled_from([timedelta(seconds=1), timedelta(hours=3)]), which=st.sampled_from(["wall", "world"]))
    def one_clock_passes_an_end(self, early: timedelta, which: str) -> None:
        """The other one is just before it."""
        end = max(self.ends.values())
        self.clock.world = max(self.clock.world, end + self.lag - early)
        self.clock.off = end + early - self.clock.world
        if which == "world":
            self.clock.world, self.clock.off = end + self.lag + early, -self.lag - 2 * early

    @rule(span=spans, back=st.booleans())
    def wall_clock_is_set(self, span: timedelta, back: bool) -> None:
        self.clock.off = -span if back else span

    @rule(is_known=st.booleans(), lag=st.integers(0, 14))
    def independent_time_changes(self, is_known: bool, lag: int) -> None:
        self.known_time, self.lag = is_known, timedelta(minutes=lag)

    @rule(data=st.data(), how=st.integers(0, 6))
    def disturb(self, data: st.DataObject, how: int) -> None:
        """Of the process and its files, so that freezes and clocks have as many turns."""
        match how:
            case 0:
                self.restart()
            case 1:
                self.crash()
            case 2:
                self.rotate(data)
            case 3:
                self.keep_a_copy()
            case 4:
                self.restore_the_copy()
            case 5:
                self.lose(data)
            case _:
                self.flip(data)

    def restart(self) -> None:
        self.close()
        self.open()

    def crash(self) -> None:
        """What is on disk now is what the next life finds."""
        aside = self.folder / "crash"
        aside.mkdir(exist_ok=True)
        for name in COPIES:
            if (self.folder / name).exists():
                shutil.copy(self.folder / name, aside / name)
        self.close()
        for name in COPIES:
            (self.folder / name).unlink(missing_ok=True)
            if (aside / name).exists():
                shutil.move(aside / name, self.folder / name)
        self.open()

    def rotate(self, data: st.DataObject) -> None:
        """A key goes first; those that were used stay."""
        new = data.draw(st.sampled_from([FIRST, SECOND, THIRD]))
        self.close()
        self.keys = [new, *(key for key in self.keys if key != new)]
        self.open()

    def keep_a_copy(self) -> None:
        (self.folder / "copy").mkdir(exist_ok=True)
        self.close()
        shutil.copy(self.folder / "freeze.db", self.folder / "copy" / "freeze.db")
        self.open()

    def restore_the_copy(self) -> None:
        if not (self.folder / "copy" / "freeze.db").exists():
            return
        self.close()
        shutil.copy(self.folder / "copy" / "freeze.db", self.folder / "freeze.db")
        self.open()

    def lose(self, data: st.DataObject) -> None:
        which = data.draw(st.sampled_from(["freeze.db", "freeze.witness"]))
        self.close()
        (self.folder / which).unlink()
        self.open()

    def flip(self, data: st.DataObject) -> None:
        which, place = data.draw(st.sampled_from(["freeze.db", "freeze.witness"])), data.draw(st.floats(0, 0.999))
        self.close()
        body = bytearray((self.folder / which).read_bytes())
        start = int(len(body) * place)
        body[start : start + 16] = bytes(each ^ 0x55 for each in body[start : start + 16])
        (self.folder / which).write_bytes(body)
        self.open()

    @rule()
    def fetch(self) -> None:
        """The client asks for what came since, and for all where that is not known any more."""
        try:
            head = self.head
            after, ledger, digest = (head.seq, head.ledger, bytes.fromhex(head.digest)) if head else (-1, "", b"")
            found = read(self.do(self.house.gate.delta(after, "c", ledger=ledger, digest=digest)), VERIFIER)
            self.client.add(found.records)
        except TooOldError:
            found = read(b"".join(self.do(self.house.gate.snapshot())), VERIFIER)
            fresh = Known(found.records)
            for _ in fresh.keep(self.client, passed=self.passed):
                pass
            self.client = fresh
        self.head = found.head
        if found.head.passed is not None:
            self.passed = max(self.passed, int(found.head.passed.timestamp()))
        for account, acknowledged in self.ends.items():
            ends = [self.client.end(each.account) for each in self.house.keyring.accounts(account)]
            assert max(ends) >= acknowledged.timestamp(), "a client that asked knows what was acknowledged"
            for each in self.house.keyring.accounts(account):
                end = self.client.end(each.account)
                known = self.client_ends.get(each.account, 0)
                assert end >= known or known <= self.passed
                self.client_ends[each.account] = max(end, known)

    @invariant()
    def nobody_is_freed_early(self) -> None:
        for account, end in self.ends.items():
            hashes = [each.account for each in self.house.keyring.accounts(account)]
            stands = self.house.lock.until(hashes)
            assert stands is not None
            assert stands >= end
            wall, independent = self.clock.now(), self.independent()
            if independent is None or wall < end or independent < end:
                assert self.house.until(account) is not None, "frozen while any source says so"

    @invariant()
    def a_client_that_heard_of_it_holds_it(self) -> None:
        for account, end in self.client_ends.items():
            assert self.client.end(account) >= end or end <= self.passed

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            self.close()
            self.loop.close()
            shutil.rmtree(self.folder)


Freezes.TestCase.settings = settings(max_examples=examples(60), stateful_step_count=30, deadline=None)
TestFreezes = Freezes.TestCase
