"""The verdict on a rail, from all lists that speak of it.

Of those that name its network the best rank decides, and so it does of those that know only the asset; the worse of the
two holds, because an asset that may leave says nothing of one network. A lower rank's "open" never disputes, and its
closing of a network says nothing more once it is silent, unreadable or unlisted: then the better rank's word holds.

A component of a status page does not say which direction it means. Where the better rank has the other direction of
the asset closed, and this one open, a network that the lower rank closes both ways is closed in that other direction.
Where it has both open, the network is shown as closed, but on the word of the lower rank alone: `is_doubted`.
"""

from collections.abc import Collection, Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from monitor.engine.detectors.rail import RANK, Heard, ListMemory
from monitor.model import Direction, ListRead, ProbeFailure, Rail, RailState, RailStatus, RailVerdict, Source

DISPUTE_SECONDS = 300.0
ANY = "*"
WORST_FIRST = (RailState.SUSPENDED, RailState.MAINTENANCE, RailState.DELAYED, RailState.UNLISTED, RailState.OPEN)
OFF = (RailVerdict.SUSPENDED, RailVerdict.MAINTENANCE)
_OTHER = {Direction.WITHDRAWAL: Direction.DEPOSIT, Direction.DEPOSIT: Direction.WITHDRAWAL}
_CLOSED = (RailState.SUSPENDED, RailState.MAINTENANCE)
_WORDLESS = (RailVerdict.UNLISTED, RailVerdict.UNKNOWN)
_WORST_VERDICT_FIRST = (
    RailVerdict.SUSPENDED,
    RailVerdict.MAINTENANCE,
    RailVerdict.DELAYED,
    RailVerdict.UNKNOWN,
    RailVerdict.UNLISTED,
    RailVerdict.OPEN,
)


class RailsMemory(Struct):
    lists: dict[tuple[str, str], ListMemory] = {}  # (probe, vantage)
    disputed_since: dict[Rail, float] = {}
    changed: bool = True  # since the watched rails were last weighed: some confirmed state or dispute is new
    silent: dict[tuple[str, str], None] = {}  # lists below the API's rank that were stale when these were weighed


class Held(Struct, frozen=True):
    """What we hold of a rail, by the sources that decide."""

    verdict: RailVerdict
    since: float | None
    first_at: float
    read_at: float
    probe: str
    source: Source
    raw: str
    unread: str = ""  # why the row it stands in cannot be read
    confirmed: RailState | None = None  # what was last confirmed, also where that is stale; None in old checkpoints
    is_doubted: bool = False  # off by a lower rank alone, where the better one has the asset open
    is_reopening: bool = False  # it says "open" again, which is not confirmed yet


class Tally(Struct, frozen=True):
    """All rails of all lists, each counted once."""

    counts: dict[Direction, dict[str, int]]  # by verdict
    went_off: tuple[float, ...]  # when withdrawals that are off went off, where we saw it


Said = dict[Rail, tuple[ListMemory, Heard]]
"""Each rail with a list and its word, of the best rank that names it."""
Told = tuple[ListMemory, Heard, Rail]
"""A list, what it says, and of what: the rail, or the asset as a whole."""


class Rails:
    def __init__(self, memory: RailsMemory) -> None:
        self.memory = memory
        self._networked = {key: _networked(known) for key, known in memory.lists.items()}
        self._tally: Tally | None = None

    def hear(self, status: RailStatus, at: float) -> None:
        key = status.probe, status.vantage
        memory = self._list(key)
        if status.network != ANY:
            self._networked[key][status.asset] = None
        self._note(memory.hear(status, at))

    def lose(self, failure: ProbeFailure) -> None:
        """A row of a list cannot be read."""
        self._note(self._list((failure.probe, failure.vantage)).lose(failure))

    def read(self, done: ListRead, at: float, *, watched: Collection[Rail]) -> None:
        """A list was read; what is not `watched` it may forget once it is long gone."""
        key = done.probe, done.vantage
        if not done.rails and key not in self.memory.lists:  # what was read may be no list of rails at all
            return
        memory = self._list(key)
        self._note(memory.read(done, at))
        if memory.forget(watched):
            self._networked[key] = _networked(memory)
            self._note(True)

    def forget(self, kept: Collection[str]) -> None:
        """Leave out the lists of probes that look no more."""
        for key in [key for key in self.memory.lists if key[0] not in kept]:
            del self.memory.lists[key], self._networked[key]
            self._note(True)

    def prepare(self, watched: Collection[Rail], *, now: float, intervals: dict[str, float]) -> None:
        """Before the watched rails are weighed: leave out what was disputed of others, and note which lists speak."""
        since = self.memory.disputed_since
        self.memory.disputed_since = {rail: at for rail, at in since.items() if rail in watched}
        if self.has_turned(now, intervals):
            self.memory.silent, self._tally = self._silent(now, intervals), None

    def has_turned(self, now: float, intervals: dict[str, float]) -> bool:
        """A list below the API's rank fell silent, or speaks again, since the watched rails were last weighed."""
        return self.memory.silent != self._silent(now, intervals)

    def turns_at(self, now: float, intervals: dict[str, float]) -> float:
        """When the next list below the API's rank falls silent."""
        times = [m.fresh_until(intervals) + 1 for m in self.memory.lists.values() if m.rank]
        return min((time for time in times if time > now), default=float("inf"))

    def held(self, rail: Rail, *, direction: Direction, now: float, intervals: dict[str, float]) -> Held | None:
        """The verdict; None where no list speaks of the rail, `unknown` where those that decide cannot be read."""
        exactly, broadly = self._both(rail, direction, now=now, intervals=intervals)
        held = _worse(exactly, broadly)
        if held is not None and held is exactly and _is_opposed(exactly, broadly):
            beside, beyond = self._both(rail, _OTHER[direction], now=now, intervals=intervals)
            is_both_ways = beside is not None and beside.verdict is held.verdict
            if is_both_ways and beyond is not None and beyond.confirmed in _CLOSED:
                held = broadly
            else:
                held = replace(held, is_doubted=True)
        if held is None or direction is not Direction.WITHDRAWAL:
            return held
        if now - self.memory.disputed_since.get(rail, now) >= DISPUTE_SECONDS:
            return replace(held, verdict=RailVerdict.DISPUTED)
        return held

    def deciders(self, rail: Rail) -> tuple[tuple[ListMemory, ...], ...]:
        """Lists by which a rail's withdrawals are known: as long as one of each is fresh."""
        groups = [_best(told) for told in self._told(rail, Direction.WITHDRAWAL) if told]
        if len(groups) == 2 and groups[1][0][0].rank < groups[0][0][0].rank:
            del groups[0]  # without the lower rank's word the better one's holds
        return tuple(
            tuple(memory for memory, heard, named in told if memory.speaks_of(named, heard)) for told in groups
        )

    def names(self, direction: Direction) -> list[Rail]:
        """Every rail that any list has named, in the order of first naming."""
        seen: dict[Rail, None] = {}
        for key, memory in self.memory.lists.items():
            networked = self._networked[key]
            rails = memory.rails.get(direction, {})
            seen.update((rail, None) for rail in rails if rail.network != ANY or rail.asset not in networked)
        return list(seen)

    def tally(self) -> Tally:
        """Counted anew only after something changed."""
        if self._tally is None:
            self._tally = self._count()
        return self._tally

    def flaws(self, asset: str) -> str:
        """Why a row of an asset, of which no rail was ever told, cannot be read; "" where all can."""
        flaws = (memory.flawed.get(asset) for memory in self.memory.lists.values())
        return next((flaw.detail for flaw in flaws if flaw is not None), "")

    def fresh_until(self, intervals: dict[str, float]) -> float:
        """Until when the youngest list counts as fresh; -inf where there is none."""
        return max((memory.fresh_until(intervals) for memory in self.memory.lists.values()), default=float("-inf"))

    def disputed(self, now: float) -> list[Rail]:
        """Rails on which two lists of the best rank have disagreed for five minutes."""
        since = sorted(self.memory.disputed_since.items())
        return [rail for rail, at in since if now - at >= DISPUTE_SECONDS]

    def disputes_due(self) -> float:
        if not self.memory.disputed_since:
            return float("inf")
        return min((since + DISPUTE_SECONDS for since in self.memory.disputed_since.values()), default=float("inf"))

    def compare(self, rail: Rail, *, now: float, intervals: dict[str, float]) -> None:
        """Note since when two API-rank lists disagree on a withdrawal rail, each read after the other's change.

        One that names the network and one that knows only the asset speak of two things.
        """
        groups = (
            [
                (memory, heard)
                for memory, heard, named in told
                if memory.rank == 0 and memory.speaks_of(named, heard) and not memory.is_stale(now, intervals)
            ]
            for told in self._told(rail, Direction.WITHDRAWAL)
        )
        if any(_disagree(told) for told in groups):
            self.memory.disputed_since.setdefault(rail, now)
        else:
            self.memory.disputed_since.pop(rail, None)

    def _note(self, is_changed: bool) -> None:
        if is_changed:
            self.memory.changed, self._tally = True, None

    def _list(self, key: tuple[str, str]) -> ListMemory:
        memory = self.memory.lists.get(key)
        if memory is None:
            memory = self.memory.lists[key] = ListMemory(key[0], RANK[Source.API])
            self._networked[key] = {}
        return memory

    def _silent(self, now: float, intervals: dict[str, float]) -> dict[tuple[str, str], None]:
        lists = self.memory.lists.items()
        return {key: None for key, memory in lists if memory.rank and memory.is_stale(now, intervals)}

    def _both(
        self, rail: Rail, direction: Direction, *, now: float, intervals: dict[str, float]
    ) -> tuple[Held | None, Held | None]:
        exactly, broadly = self._told(rail, direction)
        return _decided(exactly, now=now, intervals=intervals), _decided(broadly, now=now, intervals=intervals)

    def _told(self, rail: Rail, direction: Direction) -> tuple[list[Told], list[Told]]:
        """Who names the rail, and who knows only its asset. A list that names networks of it does not mean others."""
        exactly: list[Told] = []
        broadly: list[Told] = []
        for key, memory in self.memory.lists.items():
            rails = memory.rails.get(direction, {})
            heard = rails.get(rail)
            if heard is not None:
                exactly.append((memory, heard, rail))
            elif rail.asset not in self._networked[key]:
                asset = Rail(rail.asset, ANY)
                heard = rails.get(asset)
                if heard is not None:
                    broadly.append((memory, heard, asset))
        return exactly, broadly

    def _count(self) -> Tally:
        named = {asset: None for networked in self._networked.values() for asset in networked}
        counts: dict[Direction, dict[str, int]] = {direction: {} for direction in Direction}
        went_off: list[float] = []
        said = {direction: self._said(direction) for direction in Direction}
        for direction, by_verdict in counts.items():
            rails, others = said[direction], said[_OTHER[direction]]
            for rail, (memory, heard) in rails.items():
                asset = Rail(rail.asset, ANY)
                if rail == asset and rail.asset in named:
                    continue
                broad = rails.get(asset)
                if broad is not None and (
                    WORST_FIRST.index(broad[1].confirmed) < WORST_FIRST.index(heard.confirmed)
                    or (broad[0].rank < memory.rank and self._is_void(rail, rails, others))
                ):
                    rail, (memory, heard) = asset, broad  # noqa: PLW2901 - what holds of the two is counted
                state = heard.confirmed if memory.speaks_of(rail, heard) else RailVerdict.UNKNOWN
                by_verdict[state] = by_verdict.get(state, 0) + 1
                if state in OFF and heard.since is not None and direction is Direction.WITHDRAWAL:
                    went_off.append(heard.since)
        return Tally(counts, tuple(went_off))

    def _said(self, direction: Direction) -> Said:
        said: Said = {}
        for key, memory in sorted(self.memory.lists.items(), key=lambda item: item[1].rank):
            networked = self._networked[key]
            for rail, heard in memory.rails.get(direction, {}).items():
                if rail.network != ANY or rail.asset not in networked:
                    said.setdefault(rail, (memory, heard))
        return said

    def _is_void(self, rail: Rail, rails: Said, others: Said) -> bool:
        """A lower rank's word on a rail that holds nothing against the better one's on the asset, as in `held`."""
        memory, heard = rails[rail]
        is_silent = any(self.memory.lists.get(key) is memory for key in self.memory.silent)
        if is_silent or heard.confirmed is RailState.UNLISTED or not memory.speaks_of(rail, heard):
            return True
        beside, beyond = others.get(rail), others.get(Rail(rail.asset, ANY))
        is_both_ways = beside is not None and beside[1].confirmed is heard.confirmed is not RailState.OPEN
        return is_both_ways and beyond is not None and beyond[1].confirmed in _CLOSED


def _networked(memory: ListMemory) -> dict[str, None]:
    """The assets of which a list names networks."""
    return {rail.asset: None for rails in memory.rails.values() for rail in rails if rail.network != ANY}


def _best(told: Sequence[Told]) -> list[Told]:
    best = min(memory.rank for memory, _, _ in told)
    return [each for each in told if each[0].rank == best]


def _decided(told: Sequence[Told], *, now: float, intervals: dict[str, float]) -> Held | None:
    if not told:
        return None
    deciding = _best(told)
    fresh = [each for each in deciding if each[0].speaks_of(each[2], each[1]) and not each[0].is_stale(now, intervals)]
    memory, heard, named = min(
        fresh or deciding, key=lambda each: (WORST_FIRST.index(each[1].confirmed), each[0].probe)
    )
    verdict = RailVerdict(heard.confirmed) if fresh else RailVerdict.UNKNOWN
    unread = "" if memory.speaks_of(named, heard) else memory.unread[named].detail
    return Held(
        verdict,
        heard.since,
        heard.first_at,
        memory.read_at,
        memory.probe,
        heard.source,
        heard.raw,
        unread,
        heard.confirmed,
        is_reopening=heard.state is RailState.OPEN and heard.confirmed is not RailState.OPEN,
    )


def _worse(exactly: Held | None, broadly: Held | None) -> Held | None:
    """Of two that say the same, the one that knew of a closing first, and of an opening last."""
    if exactly is None or broadly is None:
        return exactly or broadly
    if exactly.verdict in _WORDLESS and RANK[broadly.source] < RANK[exactly.source]:
        return broadly  # a page that names it no more, or is not read, has nothing to say of it
    if exactly.verdict is not broadly.verdict:
        return min(exactly, broadly, key=lambda held: _WORST_VERDICT_FIRST.index(held.verdict))
    pick = max if exactly.verdict is RailVerdict.OPEN else min
    return pick(exactly, broadly, key=lambda held: held.since if held.since is not None else float("-inf"))


def _is_opposed(exactly: Held, broadly: Held | None) -> bool:
    """A lower rank has closed what the better one has open, or had when it was last read."""
    if broadly is None or broadly.confirmed is not RailState.OPEN or exactly.verdict is RailVerdict.OPEN:
        return False
    return RANK[broadly.source] < RANK[exactly.source]


def _disagree(told: Iterable[tuple[ListMemory, Heard]]) -> bool:
    told = list(told)
    states = {heard.confirmed is RailState.OPEN for _, heard in told}
    changed = max((heard.at for _, heard in told), default=0.0)
    return len(states) == 2 and all(memory.read_at >= changed for memory, _ in told)
