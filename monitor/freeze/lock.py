"""The lock itself: the one task that decides and writes. Everybody else asks it, and reads.

What can be asked is to freeze, to make a link that can freeze, and to take such a link back while nothing is frozen.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from monitor.clock import Clock
from monitor.freeze.database import DamagedError, LedgerError
from monitor.freeze.entry import (
    Entry,
    FreezeActivated,
    KeyIntroduced,
    LinkMade,
    LinkRevoked,
    Origin,
    Reported,
    TimeConfirmed,
)
from monitor.freeze.keyring import Hashed, Keyring, check_of
from monitor.freeze.ledger import Ledger
from monitor.freeze.moments import Moment
from monitor.freeze.state import Link, State, drawer, moment, seconds

SHORTEST = timedelta(hours=24)
LONGEST = timedelta(days=7)
LINKS = 8  # an account's pages and guardians
GROUP = 500
MOST_WAITING = 20_000
CHANGES_KEPT = 200_000  # what a client may have missed without fetching everything anew
TIME_KEPT_EVERY = timedelta(minutes=10)


class NotWrittenError(Exception):
    """The ledger could not keep it: nothing was done."""


class ReplayedError(Exception):
    """The same signed request again: it does nothing a second time. `until` is the end that stands, if there is one."""

    def __init__(self, until: datetime | None) -> None:
        super().__init__("this signed request was used before")
        self.until = until


class StillFrozenError(Exception):
    """Links are taken back only while the account is not frozen."""

    def __init__(self, until: datetime) -> None:
        super().__init__("a link is taken back only while the account is not frozen")
        self.until = until


class TooManyLinksError(Exception):
    """The account has as many links as it may have."""


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of an activation. `former`: the end that stood before, or was over, None where there was none."""

    at: datetime
    until: datetime
    former: datetime | None
    repeated: bool = False  # the app's attempt was taken before; nothing was written


class Change(Struct, frozen=True, gc=False):
    seq: int
    account: bytes
    end: int  # Unix seconds


class _Freeze(Struct, frozen=True, kw_only=True):
    accounts: tuple[Hashed, ...]
    duration: timedelta
    requested_at: datetime
    origin: Origin
    request: bytes | None
    attempt: bytes | None


class _Make(Struct, frozen=True, kw_only=True):
    accounts: tuple[Hashed, ...]
    link: bytes
    is_guardian: bool
    remind: bool
    request: bytes | None


class _Revoke(Struct, frozen=True, kw_only=True):
    accounts: tuple[Hashed, ...]
    link: bytes


class _Note(Struct, frozen=True, kw_only=True):
    """What is written without a decision."""

    entries: tuple[Entry, ...]


class _Asked(Struct, frozen=True):
    what: _Freeze | _Make | _Revoke | _Note
    answer: "asyncio.Future[Outcome | None]"


class Lock:
    """Asked by many, served by the one task that `run` is."""

    def __init__(
        self, ledger: Ledger, keyring: Keyring, *, clock: Clock, independent: Callable[[], datetime | None]
    ) -> None:
        self._ledger = ledger
        self._keyring = keyring
        self._clock = clock
        self._independent = independent
        self._asked: asyncio.Queue[_Asked] = asyncio.Queue(maxsize=MOST_WAITING)
        self._put_off: list[_Asked] = []
        self.changes: deque[Change] = deque(maxlen=CHANGES_KEPT)
        self.changed = asyncio.Event()
        self.failure = ""  # why the last group could not be written

    @property
    def state(self) -> State:
        """What is written, to read and not to change."""
        return self._ledger.state

    @property
    def seq(self) -> int:
        return 0 if self._ledger.head is None else self._ledger.head.seq

    @property
    def digest(self) -> bytes:
        return b"" if self._ledger.head is None else self._ledger.head.digest

    def moment(self) -> Moment:
        return Moment(wall=self._clock.now(), independent=self._independent(), highest=self.state.highest)

    def until(self, accounts: Iterable[bytes]) -> datetime | None:
        """The end that stands, whether or not it is reached."""
        return self.state.until(accounts)

    def frozen_until(self, accounts: Iterable[bytes], at: Moment | None = None) -> datetime | None:
        """The end of a freeze that holds now; None where nothing is frozen."""
        until = self.state.until(accounts)
        passed = (at or self.moment()).passed()
        return until if until is not None and (passed is None or until > passed) else None

    def link(self, token: str) -> tuple[bytes, Link] | None:
        """What the token of an address opens."""
        links = self.state.links
        return next(((name, links[name]) for name in self._keyring.tokens(token) if name in links), None)

    def links(self, accounts: Iterable[bytes]) -> list[tuple[bytes, Link]]:
        state = self.state
        return [(name, state.links[name]) for account in accounts for name in state.made.get(account, ())]

    async def freeze(
        self,
        accounts: Sequence[Hashed],
        *,
        duration: timedelta,
        requested_at: datetime,
        origin: Origin,
        request: bytes | None = None,
        attempt: bytes | None = None,
    ) -> Outcome:
        """Freeze the account, or freeze it for longer; on disk when this returns.

        `request` and `attempt` name a signed request and what the app calls its attempt. Raises ReplayedError,
        NotWrittenError, and ValueError for a duration out of bounds.
        """
        if not SHORTEST <= duration <= LONGEST:
            raise ValueError("expected a duration of 24 hours to 7 days")
        outcome = await self._ask(
            _Freeze(
                accounts=tuple(accounts),
                duration=duration,
                requested_at=requested_at,
                origin=origin,
                request=request,
                attempt=attempt,
            )
        )
        if outcome is None:
            raise TypeError("an activation has an outcome")
        return outcome

    async def make_link(
        self, accounts: Sequence[Hashed], *, is_guardian: bool, remind: bool, request: bytes | None = None
    ) -> tuple[str, bytes]:
        """A token for an address and the link's name. The token is known to whoever gets it, and to nobody else.

        Raises TooManyLinksError, ReplayedError, NotWrittenError.
        """
        token = secrets.token_urlsafe(24)
        link = self._keyring.tokens(token)[0]
        await self._ask(
            _Make(accounts=tuple(accounts), link=link, is_guardian=is_guardian, remind=remind, request=request)
        )
        return token, link

    async def revoke(self, accounts: Sequence[Hashed], link: bytes) -> None:
        """Raises KeyError for a link that is not the account's, StillFrozenError, NotWrittenError."""
        await self._ask(_Revoke(accounts=tuple(accounts), link=link))

    async def report(self, reports: Sequence[str]) -> None:
        """The exchange has taken note. Raises NotWrittenError."""
        await self._ask(_Note(entries=(Reported(at=self._clock.now(), reports=tuple(reports)),)))

    async def introduce(self) -> None:
        """Write down the keys that are new. Raises ValueError for a key that is not the one it was."""
        known = self.state.checks
        for key in self._keyring:
            if known.get(key.id, check_of(key)) != check_of(key):
                raise ValueError(f"key {key.id} is not the one that the ledger was written with")
        new = [key for key in self._keyring if key.id not in known]
        if new:
            now = self._clock.now()
            await self._ledger.append([KeyIntroduced(at=now, key_id=key.id, check=check_of(key)) for key in new])

    def missing_keys(self) -> list[str]:
        """Keys without which somebody who is frozen could not be found."""
        needed = self.state.keys_needed(self.moment().passed() or self.state.highest)
        return [key for key in needed if key not in self._keyring]

    @property
    def waiting(self) -> int:
        """How many wait to be decided and written."""
        return self._asked.qsize() + len(self._put_off)

    @property
    def dead_links(self) -> int:
        """Links made with a key that is no longer here: they open nothing."""
        return sum(links for key, links in self.state.link_keys.items() if key not in self._keyring)

    async def run(self) -> None:
        """For ever. Raises DamagedError where the ledger is no longer what was written: a restart mends it."""
        while True:
            await self._serve(await self._group())

    async def keep_time(self) -> None:
        """For ever: note how far the clocks agree that time has come, and let go of what is long over."""
        while True:
            now = self.moment()
            passed = now.passed()
            if passed is not None and (now.highest is None or passed >= now.highest + TIME_KEPT_EVERY):
                for _ in self.state.forget(passed=passed, now=now.plausible()):
                    await self._clock.sleep(0)
                try:
                    await self._ask(_Note(entries=(TimeConfirmed(at=passed),)))
                except NotWrittenError as error:
                    self.failure = str(error)
            await self._clock.sleep(60)

    async def _ask(self, what: _Freeze | _Make | _Revoke | _Note) -> Outcome | None:
        answer: asyncio.Future[Outcome | None] = asyncio.get_running_loop().create_future()
        try:
            self._asked.put_nowait(_Asked(what, answer))
        except asyncio.QueueFull as error:
            raise NotWrittenError("too much waits to be written") from error
        return await answer

    async def _group(self) -> list[_Asked]:
        """Those who wait, each account once: whoever comes again is decided after the first is written."""
        waiting = self._put_off or [await self._asked.get()]
        while len(waiting) < GROUP and not self._asked.empty():
            waiting.append(self._asked.get_nowait())
        taken: set[bytes] = set()
        group: list[_Asked] = []
        self._put_off = []
        for asked in waiting:
            names = _names(asked.what)
            (self._put_off if names & taken else group).append(asked)
            taken |= names
        return group

    async def _serve(self, group: Sequence[_Asked]) -> None:
        now = self.moment()
        decided: list[tuple[_Asked, list[Entry]]] = []
        for asked in group:
            try:
                decided.append((asked, self._decide(asked.what, now)))
            except (ReplayedError, StillFrozenError, TooManyLinksError, KeyError) as error:
                _answer(asked, error)
            except _SettledError as settled:
                _answer(asked, settled.outcome)
        entries = [entry for _, made in decided for entry in made]
        if not entries:
            return
        formers = [self._former(asked.what) for asked, _ in decided]
        try:
            await self._ledger.append(entries)
        except LedgerError as error:
            self.failure = str(error)
            for asked, _ in decided:
                _answer(asked, NotWrittenError(self.failure))
            if type(error) is DamagedError:
                raise
            return
        self.failure = ""
        self._tell(entries)
        for (asked, made), former in zip(decided, formers, strict=True):
            _answer(asked, _outcome(made, former))

    def _decide(self, what: _Freeze | _Make | _Revoke | _Note, now: Moment) -> list[Entry]:
        match what:
            case _Freeze():
                return self._frozen(what, now)
            case _Make(accounts=accounts):
                hashes = [each.account for each in accounts]
                if what.request is not None and what.request in self.state.requests:
                    raise ReplayedError(self.state.until(hashes))
                if len(self.links(hashes)) >= LINKS:
                    raise TooManyLinksError
                return [
                    LinkMade(
                        at=now.plausible(),
                        link=what.link,
                        account=accounts[0].account,
                        key_id=accounts[0].key_id,
                        is_guardian=what.is_guardian,
                        remind=what.remind,
                        request=what.request,
                    )
                ]
            case _Revoke(accounts=accounts, link=link):
                hashes = [each.account for each in accounts]
                if link not in [name for name, _ in self.links(hashes)]:
                    raise KeyError("no such link of this account")
                until = self.frozen_until(hashes, now)
                if until is not None:
                    raise StillFrozenError(until)
                return [LinkRevoked(at=now.plausible(), link=link)]
            case _Note(entries=entries):
                return list(entries)

    def _frozen(self, what: _Freeze, now: Moment) -> list[Entry]:
        state = self.state
        hashes = [each.account for each in what.accounts]
        former = state.until(hashes)
        start = now.start()
        if what.attempt is not None and what.attempt in state.attempts:
            at, until = state.attempts[what.attempt]
            raise _SettledError(Outcome(at=at, until=former or until, former=former, repeated=True))
        if what.request is not None and what.request in state.requests:
            raise ReplayedError(former)
        end = seconds(start + what.duration)
        until = moment(end if former is None else max(end, seconds(former)))
        # Under an older key too, where something of the account is known by it: its links open that one.
        known = [each for each in what.accounts[1:] if state.end(each.account) or state.made.get(each.account)]
        return [
            FreezeActivated(
                at=start,
                account=each.account,
                key_id=each.key_id,
                until=until,
                requested_at=what.requested_at,
                origin=what.origin,
                begins=former is None or former <= start,
                request=what.request if n == 0 else None,
                idempotency=what.attempt if n == 0 else None,
            )
            for n, each in enumerate([what.accounts[0], *known])
        ]

    def _former(self, what: _Freeze | _Make | _Revoke | _Note) -> datetime | None:
        match what:
            case _Freeze(accounts=accounts):
                return self.state.until(each.account for each in accounts)
            case _:
                return None

    def _tell(self, entries: Sequence[Entry]) -> None:
        first = self.seq - len(entries) + 1
        for seq, entry in enumerate(entries, start=first):
            match entry:
                case FreezeActivated(account=account):
                    end = self.state.ends[drawer(account)][account]
                    self.changes.append(Change(seq, account, end))
                case _:
                    pass
        self.changed.set()


class _SettledError(Exception):
    """The app's attempt was taken before, and is told the same again."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


def _outcome(made: Sequence[Entry], former: datetime | None) -> Outcome | None:
    match made:
        case [FreezeActivated(at=at, until=until), *_]:
            return Outcome(at=at, until=until, former=former)
        case _:
            return None


def _names(what: _Freeze | _Make | _Revoke | _Note) -> set[bytes]:
    match what:
        case _Note():
            return set()
        case _:
            return {each.account for each in what.accounts}


def _answer(asked: _Asked, with_what: Outcome | Exception | None) -> None:
    if asked.answer.done():
        return  # whoever asked has gone
    match with_what:
        case Exception():
            asked.answer.set_exception(with_what)
        case _:
            asked.answer.set_result(with_what)
