"""What an exchange says of each way in and out, whatever its list looks like."""

from collections.abc import Callable, Collection, Iterator, Sequence
from decimal import Decimal

from msgspec import Struct

from monitor.model import Direction, RailState
from monitor.probes.rows import Flaw

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
    """One direction of one rail. `raw`: the exchange's word for the network and, where it is not open, for that.

    Network `*` is what the exchange says of the asset as a whole, beside or instead of its networks.
    """

    asset: str
    network: str
    direction: Direction
    state: RailState
    raw: str


class Terms(Struct, frozen=True, array_like=True, gc=False):
    """What leaving costs and how much may leave, in whole coins; None where the list does not tell."""

    asset: str
    network: str
    fee: Decimal | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    remaining: Decimal | None = None
    confirmations: int | None = None


class Offers(Struct, frozen=True):
    """Terms that are made when somebody asks for an asset's: a list has thousands, and few of them are watched."""

    make: Callable[[Callable[[str], bool]], Iterator[Terms]]
    """The terms of those assets of which what it is given says that they are wanted."""

    def __iter__(self) -> Iterator[Terms]:
        return self.make(lambda _: True)

    def of(self, assets: Collection[str]) -> Iterator[Terms]:
        return self.make(assets.__contains__)


class Listed(Struct, frozen=True):
    """What a list says. A row of it that cannot be read is a flaw."""

    rails: list[RailReading]
    flaws: Sequence[Flaw] = ()
    terms: Sequence[Terms] | Offers = ()

    def terms_of(self, assets: Collection[str]) -> Iterator[Terms]:
        match self.terms:
            case Offers() as offers:
                return offers.of(assets)
            case told:
                return (each for each in told if each.asset in assets)


Decode = Callable[[bytes], Listed]
Door = tuple[str, str, bool]
"""Asset, network, and whether it is the way in."""
Doors = dict[Door, RailReading]


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


def coin(asset: str, direction: Direction, *, closed: str) -> RailReading:
    """What an exchange says of the asset as a whole, beside its networks. `closed`: its words, "" for open."""
    return RailReading(asset, "*", direction, _SUSPENDED if closed else _OPEN, closed or "open")


def by_door(readings: Sequence[RailReading]) -> Doors:
    """Readings by asset, network and direction. Of two for one door the more open counts: the asset can pass there."""
    doors = _keyed(readings)
    if len(doors) == len(readings):
        return doors
    return _keyed(sorted(readings, key=lambda reading: (_LEAST_OPEN_FIRST.index(reading.state), reading.raw)))


def door_of(reading: RailReading) -> Door:
    # Not the direction itself: an enum's hash is a call into Python.
    return reading.asset, reading.network, reading.direction is _DEPOSIT


def _keyed(readings: Sequence[RailReading]) -> Doors:
    return {(reading.asset, reading.network, reading.direction is _DEPOSIT): reading for reading in readings}


def changes(
    before: Doors, after: Doors, *, unread: Collection[Door] = (), was_unread: Collection[Door] = ()
) -> list[RailReading]:
    """What is new, different or readable again, and what vanished (as `unlisted`), by asset, network, direction."""
    changed = {door: reading for door, reading in after.items() if before.get(door) != reading or door in was_unread}
    added = sum(door not in before for door in changed)
    if len(before) + added > len(after):
        vanished = (door for door in before if door not in after and door not in unread)
        changed |= {door: _unlisted(before[door]) for door in vanished}
    return [changed[door] for door in sorted(changed)]


def _unlisted(reading: RailReading) -> RailReading:
    return RailReading(reading.asset, reading.network, reading.direction, RailState.UNLISTED, "no longer in the list")
