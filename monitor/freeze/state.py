"""What the ledger's entries add up to: who is frozen until when, which links open what, what was not reported yet.

Pure. Ends only grow; whoever is to be frozen longer is, and nobody is ever taken out before the end is long past.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from monitor.freeze.entry import (
    Entry,
    FreezeActivated,
    KeyIntroduced,
    LedgerBegun,
    LinkMade,
    LinkRevoked,
    Recovered,
    Reported,
    TimeConfirmed,
)

DRAWERS = 4096  # by the first 12 bits of the account: what is published is written again a drawer at a time
REQUESTS_KEPT = timedelta(minutes=30)  # longer than the window in which a signed request is taken
ATTEMPTS_KEPT = timedelta(hours=24)
FORGOTTEN_AFTER = timedelta(days=8)  # after an end: longer than any freeze, so that no clock could have been so wrong


class Link(Struct, frozen=True):
    account: bytes
    key_id: str
    is_guardian: bool
    remind: bool


class Activation(Struct, frozen=True):
    """The newest of an account, where somebody waits for a word of it."""

    seq: int
    account: bytes
    key_id: str
    at: datetime


def drawer(account: bytes) -> int:
    return int.from_bytes(account[:2]) >> 4


class State:
    def __init__(self) -> None:
        self.ends: tuple[dict[bytes, int], ...] = tuple({} for _ in range(DRAWERS))  # Unix seconds
        self.links: dict[bytes, Link] = {}
        self.checks: dict[str, bytes] = {}  # key id -> what tells the key
        self.key_ends: dict[str, int] = {}  # key id -> the last end of an account hashed with it
        self.requests: dict[bytes, datetime] = {}
        self.attempts: dict[bytes, tuple[datetime, datetime]] = {}  # -> when, and the end that was told
        self.unreported: dict[int, Activation] = {}
        self.made: dict[bytes, list[bytes]] = {}  # account -> its links
        self.newest: dict[bytes, Activation] = {}  # of accounts with a guardian who wants a word before the end
        self.reminded: dict[str, datetime] = {}  # report's id -> when
        self.guardians = 0  # links for somebody else
        self.link_keys: Counter[str] = Counter()  # key id -> links made with it
        self.activations = 0
        self.accounts = 0
        self.highest: datetime | None = None
        self.ledger = ""

    def apply(self, entry: Entry, *, seq: int) -> None:
        match entry:
            case FreezeActivated():
                self._activated(entry, seq)
            case LinkMade(link=link) if link not in self.links:
                self.links[link] = Link(entry.account, entry.key_id, entry.is_guardian, entry.remind)
                self.made.setdefault(entry.account, []).append(link)
                self.guardians += entry.is_guardian
                self.link_keys[entry.key_id] += 1
                if entry.request is not None:
                    self.requests[entry.request] = entry.at
            case LinkRevoked(link=link):
                self._revoked(link)
            case KeyIntroduced(key_id=key_id, check=check):
                self.checks.setdefault(key_id, check)
            case Reported(at=at, reports=reports):
                self._reported(reports, at)
            case TimeConfirmed(at=at):
                self.highest = at if self.highest is None else max(self.highest, at)
            case LedgerBegun(ledger=ledger):
                self.ledger = ledger
            case LinkMade() | Recovered():
                pass

    def until(self, accounts: Iterable[bytes]) -> datetime | None:
        """The latest end known of an account under any of its hashes; None where it was never frozen, or long ago."""
        ends = [end for account in accounts if (end := self.ends[drawer(account)].get(account)) is not None]
        return moment(max(ends)) if ends else None

    def end(self, account: bytes) -> int:
        """Unix seconds; 0 where none is known."""
        return self.ends[drawer(account)].get(account, 0)

    def active(self, passed: datetime | None) -> int:
        """How many hashes are frozen at a time that has passed; None where it is not known: all count."""
        after = 0.0 if passed is None else passed.timestamp()
        return sum(sum(1 for end in ends.values() if end > after) for ends in self.ends)

    def keys_needed(self, passed: datetime | None) -> list[str]:
        """Keys without which somebody who is or was just frozen could not be found."""
        after = 0.0 if passed is None else (passed - FORGOTTEN_AFTER).timestamp()
        return sorted(key for key, end in self.key_ends.items() if end > after)

    def forget(self, *, passed: datetime, now: datetime) -> Iterator[None]:
        """Let go of what nobody will ask for, some of it at each step. The ledger keeps it."""
        before = seconds(passed - FORGOTTEN_AFTER)
        for ends in self.ends:
            for account in [account for account, end in ends.items() if end < before]:
                del ends[account]
            yield
        for n, (seq, activation) in enumerate(list(self.unreported.items())):
            if not self.end(activation.account):
                self.unreported.pop(seq, None)
            if n % 1_000 == 0:
                yield
        for n, account in enumerate(list(self.newest)):
            if not self.end(account):
                self.newest.pop(account, None)
            if n % 1_000 == 0:
                yield
        self.requests = {each: at for each, at in self.requests.items() if at > now - REQUESTS_KEPT}
        self.attempts = {each: told for each, told in self.attempts.items() if told[0] > now - ATTEMPTS_KEPT}
        self.reminded = {each: at for each, at in self.reminded.items() if at > now - FORGOTTEN_AFTER}

    def _activated(self, entry: FreezeActivated, seq: int) -> None:
        ends, until = self.ends[drawer(entry.account)], seconds(entry.until)
        former = ends.get(entry.account)
        self.accounts += former is None
        ends[entry.account] = until if former is None else max(former, until)
        self.key_ends[entry.key_id] = max(self.key_ends.get(entry.key_id, 0), until)
        self.activations += 1
        if entry.request is not None:
            self.requests[entry.request] = entry.at
        if entry.idempotency is not None:
            self.attempts[entry.idempotency] = (entry.at, moment(ends[entry.account]))
        activation = Activation(seq, entry.account, entry.key_id, entry.at)
        if entry.begins:
            self.unreported[seq] = activation
        if any(self.links[link].remind for link in self.made.get(entry.account, ())):
            self.newest[entry.account] = activation

    def _revoked(self, link: bytes) -> None:
        known = self.links.pop(link, None)
        if known is not None:
            self.made[known.account].remove(link)
            self.guardians -= known.is_guardian
            self.link_keys[known.key_id] -= 1

    def _reported(self, reports: tuple[str, ...], at: datetime) -> None:
        for report in reports:
            if report.isdigit():
                self.unreported.pop(int(report), None)
            else:
                self.reminded[report] = at


def moment(unix: int) -> datetime:
    return datetime.fromtimestamp(unix, UTC)


def seconds(at: datetime) -> int:
    """Whole Unix seconds, later rather than earlier: an end is never rounded down."""
    return math.ceil(at.timestamp())
