"""What one list says of each rail, held against flicker.

A change counts after it was read in consecutive polls of the list: two, some 30 s apart, when it is for the worse,
three when the rail reopens. The first reading of a rail is its baseline and no change. A row that cannot be read
confirms nothing: its rails stay as they were last confirmed, and nobody speaks for them. What is unlisted for a week
is forgotten, unless it is watched.
"""

from collections.abc import Collection

from msgspec import Struct

from monitor.model import Direction, ListRead, ProbeFailure, Rail, RailState, RailStatus, Source

BAD_POLLS = 2
BAD_SECONDS = 25.0  # two polls 30 s apart, less what the time of an answer varies
GOOD_POLLS = 3
STALE_SECONDS = 180.0
STALE_INTERVALS = 3.0
DAY = 86_400.0
UNLISTED_SECONDS = 7 * DAY
RANK = {Source.API: 0, Source.SYSTEM_STATUS: 1, Source.STATUS_PAGE: 2, Source.ANNOUNCEMENT: 3}


class Heard(Struct):
    """One list on one rail: what it says now, and what of that is confirmed."""

    state: RailState
    raw: str
    poll: int  # the list's poll in which it first said so
    at: float
    confirmed: RailState
    since: float | None  # first reading of the confirmed state; None: baseline
    first_at: float
    source: Source
    told: int = 0  # the list's poll in which it last spoke of the rail


class Unread(Struct, frozen=True):
    """A row that could not be read in the list's poll `poll`, nor since."""

    detail: str
    poll: int


class ListMemory(Struct):
    probe: str
    rank: int
    polls: int = 0
    read_at: float = 0.0
    rails: dict[Direction, dict[Rail, Heard]] = {}
    pending: dict[tuple[Direction, Rail], None] = {}
    unread: dict[Rail, Unread] = {}
    flawed: dict[str, Unread] = {}  # asset -> a row of it that holds no rail we know
    cleared_at: float = 0.0  # when what is long unlisted was last forgotten

    def hear(self, status: RailStatus, at: float) -> bool:
        """Take in a word on a rail; answers whether what holds of it is another now."""
        self.rank = RANK[status.source]
        rail, poll = Rail(status.asset, status.network), self.polls + 1
        is_back = bool(self.unread or self.flawed) and self._finds(rail, at)
        rails = self.rails.setdefault(status.direction, {})
        heard = rails.get(rail)
        if heard is None:
            rails[rail] = Heard(
                status.state,
                status.raw,
                poll,
                at,
                confirmed=status.state,
                since=None if self.polls == 0 else at,
                first_at=at,
                source=status.source,
                told=poll,
            )
            return True
        heard.told, heard.raw = poll, status.raw
        if heard.state != status.state:
            heard.state, heard.poll, heard.at = status.state, poll, at
            self.pending[status.direction, rail] = None
        return is_back

    def lose(self, failure: ProbeFailure) -> bool:
        """A row cannot be read; answers whether that costs a rail we know."""
        if failure.asset is None:
            return False
        unread = Unread(failure.detail, self.polls + 1)
        if failure.network is None:
            self.flawed[failure.asset] = unread
            return False
        self.unread[Rail(failure.asset, failure.network)] = unread
        return True

    def read(self, done: ListRead, at: float) -> bool:
        """The whole list was read; answers as `hear`. Only what changed lately is looked at: O(changed)."""
        self.polls += 1
        self.read_at = max(self.read_at, at)
        is_changed = False
        is_whole = done.changed == done.rails if done.complete is None else done.complete
        is_most = 2 * done.changed >= done.rails if done.complete is None else done.complete
        if is_whole and not done.flaws:
            is_changed = self._clear(at)
            self._miss_unnamed(at)
        elif done.flaws == 0:
            is_changed = self._clear(at)
        elif self.flawed and is_most:
            is_changed = self._lose_untold()
        for key in list(self.pending):
            direction, rail = key
            heard = self.rails[direction][rail]
            if heard.state == heard.confirmed:
                del self.pending[key]
            elif self.speaks_of(rail, heard) and _is_confirmed(heard, polls=self.polls - heard.poll + 1, at=at):
                heard.confirmed, heard.since = heard.state, heard.at
                del self.pending[key]
                is_changed = True
        return is_changed

    def forget(self, watched: Collection[Rail]) -> bool:
        """Leave out what is unlisted for a week and not watched, once a day; answers whether there was any."""
        if self.read_at - self.cleared_at < DAY:
            return False
        self.cleared_at = self.read_at
        gone = [
            (direction, rail)
            for direction, rails in self.rails.items()
            for rail, heard in rails.items()
            if rail not in watched and self._is_long_unlisted(heard)
        ]
        for direction, rail in gone:
            del self.rails[direction][rail]
        return bool(gone)

    def speaks_of(self, rail: Rail, heard: Heard) -> bool:
        """Its word on a rail can be read. A direction that was told beside the failure of the other one can."""
        unread = self.unread.get(rail)
        return unread is None or heard.told == unread.poll

    def is_stale(self, now: float, intervals: dict[str, float]) -> bool:
        return now > self.fresh_until(intervals)

    def fresh_until(self, intervals: dict[str, float]) -> float:
        return self.read_at + max(STALE_SECONDS, STALE_INTERVALS * intervals.get(self.probe, 60.0))

    def flaws(self) -> list[str]:
        """The rows that cannot be read, each as "what it is about: why"."""
        rows: dict[str, str] = {}
        for rail, unread in self.unread.items():
            rows.setdefault(unread.detail, str(rail))
        for asset, flaw in self.flawed.items():
            rows.setdefault(flaw.detail, asset)
        return [f"{what}: {why}" for why, what in rows.items()]

    def _finds(self, rail: Rail, at: float) -> bool:
        """A rail is told: its row can be read again, so that the count of polls in one state begins anew."""
        poll = self.polls + 1
        flaw, unread = self.flawed.get(rail.asset), self.unread.get(rail)
        if flaw is not None and flaw.poll < poll:
            del self.flawed[rail.asset]
        if unread is None:
            return False
        if unread.poll < poll:
            del self.unread[rail]
            self._begin_anew(rail, poll=poll, at=at)
        return True

    def _begin_anew(self, rail: Rail, *, poll: int, at: float) -> None:
        for rails in self.rails.values():
            heard = rails.get(rail)
            if heard is not None and heard.state != heard.confirmed:
                heard.poll, heard.at = poll, at

    def _clear(self, at: float) -> bool:
        """The list was read without a flaw: every row of it can be read again."""
        unread = self.unread
        self.unread, self.flawed = {}, {}
        for rail in unread:
            self._begin_anew(rail, poll=self.polls, at=at)
        return bool(unread)

    def _is_long_unlisted(self, heard: Heard) -> bool:
        if not heard.state is heard.confirmed is RailState.UNLISTED:
            return False
        return self.read_at - (heard.first_at if heard.since is None else heard.since) >= UNLISTED_SECONDS

    def _miss_unnamed(self, at: float) -> None:
        """The list was told in full, as after a start; what it did not name is no longer listed."""
        for direction, rails in self.rails.items():
            for rail, heard in rails.items():
                if heard.told != self.polls and heard.state is not RailState.UNLISTED:
                    heard.state, heard.raw, heard.poll, heard.at = RailState.UNLISTED, "", self.polls, at
                    self.pending[direction, rail] = None

    def _lose_untold(self) -> bool:
        """Most of the list was told, as after a start; what a flawed row may have held is not known any more."""
        flawed = {asset: flaw for asset, flaw in self.flawed.items() if flaw.poll == self.polls}
        lost = {
            rail: flawed[rail.asset]
            for rails in self.rails.values()
            for rail, heard in rails.items()
            if rail.asset in flawed and heard.told != self.polls and heard.state is not RailState.UNLISTED
        }
        self.unread |= lost
        return bool(lost)


def _is_confirmed(heard: Heard, *, polls: int, at: float) -> bool:
    if heard.state is RailState.OPEN:
        return polls >= GOOD_POLLS
    return polls >= BAD_POLLS and at - heard.at >= BAD_SECONDS
