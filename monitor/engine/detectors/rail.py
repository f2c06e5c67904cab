"""What each list says of each rail, held against flicker, and the best-ranked sources' common verdict.

A change counts after it was read in consecutive polls of one list: two, some 30 s apart, when it is for the worse,
three when the rail reopens. The first reading of a rail is its baseline and no change.
"""

from msgspec import Struct

from monitor.model import Direction, ListRead, Rail, RailState, RailStatus, RailVerdict, Source

BAD_POLLS = 2
BAD_SECONDS = 25.0  # two polls 30 s apart, less what the time of an answer varies
GOOD_POLLS = 3
DISPUTE_SECONDS = 300.0
STALE_SECONDS = 180.0
STALE_INTERVALS = 3.0
RANK = {Source.API: 0, Source.SYSTEM_STATUS: 1, Source.STATUS_PAGE: 2, Source.ANNOUNCEMENT: 3}
WORST_FIRST = (RailState.SUSPENDED, RailState.MAINTENANCE, RailState.DELAYED, RailState.UNLISTED, RailState.OPEN)
OFF = (RailVerdict.SUSPENDED, RailVerdict.MAINTENANCE)


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


class ListMemory(Struct):
    probe: str
    rank: int
    polls: int = 0
    read_at: float = 0.0
    rails: dict[Direction, dict[Rail, Heard]] = {}
    pending: dict[tuple[Direction, Rail], None] = {}


class RailsMemory(Struct):
    lists: dict[tuple[str, str], ListMemory] = {}  # (probe, vantage)
    disputed_since: dict[Rail, float] = {}
    changed: bool = True  # since the watched rails were last weighed: some confirmed state or dispute is new


class Held(Struct, frozen=True):
    """What we hold of a rail, by the sources that decide."""

    verdict: RailVerdict
    since: float | None
    first_at: float
    read_at: float
    probe: str
    source: Source
    raw: str


class Rails:
    def __init__(self, memory: RailsMemory) -> None:
        self.memory = memory

    def hear(self, status: RailStatus, at: float) -> None:
        memory = self._list(status.probe, vantage=status.vantage, source=status.source)
        rails = memory.rails.setdefault(status.direction, {})
        rail = Rail(status.asset, status.network)
        heard = rails.get(rail)
        if heard is None:
            since = None if memory.polls == 0 else at
            rails[rail] = Heard(
                status.state,
                status.raw,
                memory.polls + 1,
                at,
                status.state,
                since,
                first_at=at,
                source=status.source,
                told=memory.polls + 1,
            )
            self.memory.changed = True
            return
        heard.told = memory.polls + 1
        if heard.state == status.state:
            return
        heard.state, heard.raw, heard.poll, heard.at = status.state, status.raw, memory.polls + 1, at
        memory.pending[status.direction, rail] = None

    def read(self, done: ListRead, at: float) -> None:
        """A whole list was read: only what changed lately is looked at, so the cost is O(changed)."""
        memory = self._list(done.probe, vantage=done.vantage, source=Source.API)
        memory.polls += 1
        memory.read_at = max(memory.read_at, at)
        if done.changed == done.rails:
            _miss_unnamed(memory, at)
        if not memory.pending:
            return
        for key in list(memory.pending):
            direction, rail = key
            heard = memory.rails[direction][rail]
            if heard.state == heard.confirmed:
                del memory.pending[key]
            elif _is_confirmed(heard, polls=memory.polls - heard.poll + 1, at=at):
                heard.confirmed, heard.since = heard.state, heard.at
                del memory.pending[key]
                self.memory.changed = True

    def held(self, rail: Rail, *, direction: Direction, now: float, intervals: dict[str, float]) -> Held | None:
        """The verdict of the best rank that speaks of the rail; None where no list does, `unknown` if stale."""
        told = self._told(rail, direction)
        if not told:
            return None
        best = min(memory.rank for memory, _ in told)
        deciding = [(memory, heard) for memory, heard in told if memory.rank == best]
        fresh = [pair for pair in deciding if not is_stale(pair[0], now=now, intervals=intervals)]
        memory, heard = min(fresh or deciding, key=lambda pair: (WORST_FIRST.index(pair[1].confirmed), pair[0].probe))
        verdict = RailVerdict(heard.confirmed) if fresh else RailVerdict.UNKNOWN
        if direction is Direction.WITHDRAWAL and now - self.memory.disputed_since.get(rail, now) >= DISPUTE_SECONDS:
            verdict = RailVerdict.DISPUTED
        return Held(verdict, heard.since, heard.first_at, memory.read_at, memory.probe, heard.source, heard.raw)

    def names(self, direction: Direction) -> list[Rail]:
        """Every rail that any list has named, in the order of first naming."""
        seen: dict[Rail, None] = {}
        for memory in self.memory.lists.values():
            seen.update(dict.fromkeys(memory.rails.get(direction, {})))
        return list(seen)

    def fresh_until(self, intervals: dict[str, float]) -> float:
        """Until when the youngest list counts as fresh; -inf where there is none."""
        lists = self.memory.lists.values()
        return max((memory.read_at + _patience(memory, intervals) for memory in lists), default=float("-inf"))

    def disputes_due(self) -> float:
        if not self.memory.disputed_since:
            return float("inf")
        return min((since + DISPUTE_SECONDS for since in self.memory.disputed_since.values()), default=float("inf"))

    def _list(self, probe: str, *, vantage: str, source: Source) -> ListMemory:
        memory = self.memory.lists.get((probe, vantage))
        if memory is None:
            memory = self.memory.lists[probe, vantage] = ListMemory(probe, RANK[source])
        return memory

    def _told(self, rail: Rail, direction: Direction) -> list[tuple[ListMemory, Heard]]:
        told = []
        for memory in self.memory.lists.values():
            rails = memory.rails.get(direction, {})
            heard = rails.get(rail) or rails.get(Rail(rail.asset, "*"))
            if heard is not None:
                told.append((memory, heard))
        return told

    def compare(self, rail: Rail, *, now: float, intervals: dict[str, float]) -> None:
        """Note since when two API-rank lists disagree on a withdrawal rail, each read after the other's change."""
        told = [pair for pair in self._told(rail, Direction.WITHDRAWAL) if pair[0].rank == 0]
        fresh = [pair for pair in told if not is_stale(pair[0], now=now, intervals=intervals)]
        states = {heard.confirmed is RailState.OPEN for _, heard in fresh}
        changed = max((heard.at for _, heard in fresh), default=now)
        if len(states) < 2 or any(memory.read_at < changed for memory, _ in fresh):
            self.memory.disputed_since.pop(rail, None)
        else:
            self.memory.disputed_since.setdefault(rail, now)


def _miss_unnamed(memory: ListMemory, at: float) -> None:
    """The list was told in full, as after a start; what it did not name is no longer listed."""
    for direction, rails in memory.rails.items():
        for rail, heard in rails.items():
            if heard.told != memory.polls and heard.state is not RailState.UNLISTED:
                heard.state, heard.raw, heard.poll, heard.at = RailState.UNLISTED, "", memory.polls, at
                memory.pending[direction, rail] = None


def is_stale(memory: ListMemory, *, now: float, intervals: dict[str, float]) -> bool:
    return now > memory.read_at + _patience(memory, intervals)


def _patience(memory: ListMemory, intervals: dict[str, float]) -> float:
    return max(STALE_SECONDS, STALE_INTERVALS * intervals.get(memory.probe, 60.0))


def _is_confirmed(heard: Heard, *, polls: int, at: float) -> bool:
    if heard.state is RailState.OPEN:
        return polls >= GOOD_POLLS
    return polls >= BAD_POLLS and at - heard.at >= BAD_SECONDS
