"""Lists of rails: what an exchange says of each way in and out, journaled as what changed since the last reading."""

from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec import Struct

from monitor.clock import Clock
from monitor.model import Direction, FailureReason, ListRead, RailState, RailStatus, Reading, RemoteError
from monitor.probes.answer import Fetch

SHRUNKEN = 10
"""A list with no more than one rail for this many before is a maintenance answer, not a delisting."""

_LEAST_OPEN_FIRST = (
    RailState.UNLISTED,
    RailState.SUSPENDED,
    RailState.MAINTENANCE,
    RailState.DELAYED,
    RailState.OPEN,
)

# Python 3.11 takes longer to look up an enum's member than to make a reading, and there are thousands of them.
_WITHDRAWAL, _DEPOSIT = Direction.WITHDRAWAL, Direction.DEPOSIT
_OPEN, _SUSPENDED = RailState.OPEN, RailState.SUSPENDED


class RailReading(Struct, frozen=True, array_like=True, gc=False):
    """One direction of one rail. `raw`: the exchange's word for the network and, where it is not open, for that."""

    asset: str
    network: str
    direction: Direction
    state: RailState
    raw: str


Decode = Callable[[bytes], list[RailReading]]
Doors = dict[tuple[str, str, bool], RailReading]


def withdrawal(asset: str, network: str, word: str, *, closed: str) -> RailReading:
    """The way out: open, or `closed` in the exchange's words ("" for open), on the network it calls `word`."""
    if closed:
        return RailReading(asset, network, _WITHDRAWAL, _SUSPENDED, f"{word} {closed}")
    return RailReading(asset, network, _WITHDRAWAL, _OPEN, word)


def deposit(asset: str, network: str, word: str, *, closed: str) -> RailReading:
    """The way in, as `withdrawal`."""
    if closed:
        return RailReading(asset, network, _DEPOSIT, _SUSPENDED, f"{word} {closed}")
    return RailReading(asset, network, _DEPOSIT, _OPEN, word)


class ListProbe:
    """Reads a list of rails. The first reading reports every rail, later ones what changed; a vanished rail is
    `unlisted`. `rails` of its `list_read` counts each direction.
    """

    def __init__(
        self, fetch: Fetch, clock: Clock, *, exchange: str, name: str, interval: float, decode: Decode
    ) -> None:
        self.name = name
        self.exchange = exchange
        self.interval = interval
        self._fetch = fetch
        self._clock = clock
        self._decode = decode
        self._digest = b""
        self._doors: Doors = {}

    async def observe(self) -> Reading:
        """Raises `RemoteError`, with reason `shape` for a list that is empty or has lost nine rails in ten."""
        answer = await self._fetch()
        at = self._clock.now()
        if answer.digest == self._digest:
            return (self._read(at, changed=0),)
        doors = by_door(self._decode(answer.body))
        self._refuse_shrunken(doors)
        changed = changes(self._doors, doors)
        self._digest, self._doors = answer.digest, doors
        return (*(self._status(at, reading) for reading in changed), self._read(at, changed=len(changed)))

    def _refuse_shrunken(self, doors: Doors) -> None:
        if not doors:
            raise RemoteError(FailureReason.SHAPE, "an empty list")
        if len(doors) * SHRUNKEN <= len(self._doors):
            raise RemoteError(FailureReason.SHAPE, f"{len(doors)} rails where there were {len(self._doors)}")

    def _status(self, at: datetime, reading: RailReading) -> RailStatus:
        return RailStatus(
            at=at,
            exchange=self.exchange,
            probe=self.name,
            asset=reading.asset,
            network=reading.network,
            direction=reading.direction,
            state=reading.state,
            raw=reading.raw,
        )

    def _read(self, at: datetime, *, changed: int) -> ListRead:
        return ListRead(at=at, exchange=self.exchange, probe=self.name, rails=len(self._doors), changed=changed)


def by_door(readings: Sequence[RailReading]) -> Doors:
    """Readings by asset, network and direction. Of two for one door the more open counts: the asset can pass there."""
    doors = _keyed(readings)
    if len(doors) == len(readings):
        return doors
    return _keyed(sorted(readings, key=lambda reading: (_LEAST_OPEN_FIRST.index(reading.state), reading.raw)))


def _keyed(readings: Sequence[RailReading]) -> Doors:
    # Not the direction itself: an enum's hash is a call into Python.
    return {(reading.asset, reading.network, reading.direction is _DEPOSIT): reading for reading in readings}


def changes(before: Doors, after: Doors) -> list[RailReading]:
    """What is new or different, and what vanished (as `unlisted`), in the order of asset, network, direction."""
    changed = {door: reading for door, reading in after.items() if before.get(door) != reading}
    added = sum(door not in before for door in changed)
    if len(before) + added > len(after):
        changed |= {door: _unlisted(reading) for door, reading in before.items() if door not in after}
    return [changed[door] for door in sorted(changed)]


def _unlisted(reading: RailReading) -> RailReading:
    return RailReading(reading.asset, reading.network, reading.direction, RailState.UNLISTED, "no longer in the list")
