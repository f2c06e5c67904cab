"""Lists of rails, journaled as what changed since the reading before."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from monitor.clock import Clock
from monitor.model import (
    FailureReason,
    ListRead,
    Observation,
    ProbeFailure,
    Rail,
    RailStatus,
    RailTerms,
    Reading,
    RemoteError,
    Source,
)
from monitor.probes.answer import Endpoint, is_leap
from monitor.probes.figures import MOST_COINS, MOST_DIGITS
from monitor.probes.rails import Decode, Door, Doors, Listed, RailReading, Terms, by_door, changes, door_of
from monitor.probes.rows import LONGEST_NAME, Flaw

SHRUNKEN = 10
"""A list with no more than one rail for this many before is a maintenance answer, not a delisting ..."""
BELIEVED_AFTER = 10
"""... until it was that short in this many readings one after the other."""
MOST_RAILS = 50_000
LONGEST_RAW = 200


class Compared(Struct, frozen=True):
    """A list beside the one before."""

    rails: list[RailReading]  # as told
    doors: Doors  # with those that could not be read as they last were
    unread: dict[Door, str]  # what could not be read, and why
    changed: list[RailReading]
    flaws: list[Flaw]
    terms: dict[Rail, Terms]
    waiting: dict[Rail, Terms]  # terms that would be another unit's, to be read once more


class RailMemory:
    """What a list said at its last reading. `compared` looks, `told` remembers and says what is new.

    Terms are told of the `watched` rails only: everywhere else fees that follow the network's would fill the journal.
    """

    def __init__(
        self, *, exchange: str, probe: str, source: Source = Source.API, watched: Collection[Rail] = ()
    ) -> None:
        self._exchange = exchange
        self._probe = probe
        self._source = source
        self._watched = frozenset(watched)
        self._known = Compared([], {}, {}, [], [], {}, {})
        self._short_lists = 0

    @property
    def rails(self) -> int:
        return len(self._known.doors)

    @property
    def is_waiting(self) -> bool:
        """Something of the last reading is to be read once more."""
        return bool(self._known.waiting)

    def compared(self, listed: Listed) -> Compared:
        """Raises `RemoteError` (shape) for more than 50,000 rails. Changes nothing, so it may run beside the loop."""
        return compare(self._known, listed, watched=self._watched)

    def told(self, at: datetime, compared: Compared) -> Reading:
        """What is new, its `ListRead` last. Raises `RemoteError` (shape) for a list that has lost nine rails in ten."""
        self._refuse_shrunken(len(compared.doors))
        told: list[Observation] = [*self._failures(at, compared), *self._terms(at, compared)]
        told += self._statuses(at, compared)
        is_first = not self._known.doors
        self._known = compared
        return (*told, self._read(at, changed=len(compared.changed), complete=is_first))

    def read(self, at: datetime) -> ListRead:
        """The list was read, and it is what it was."""
        return self._read(at, changed=0, complete=False)

    def _read(self, at: datetime, *, changed: int, complete: bool) -> ListRead:
        return ListRead(
            at=at,
            exchange=self._exchange,
            probe=self._probe,
            rails=len(self._known.doors),
            changed=changed,
            complete=complete,
            flaws=len(self._known.flaws),
        )

    def _refuse_shrunken(self, rails: int) -> None:
        before = len(self._known.doors)
        if before and rails * SHRUNKEN <= before and self._short_lists < BELIEVED_AFTER:
            self._short_lists += 1
            raise RemoteError(FailureReason.SHAPE, f"{rails} rails where there were {before}")
        self._short_lists = 0

    def _failures(self, at: datetime, compared: Compared) -> Iterator[ProbeFailure]:
        """Each rail that can no longer be read, and flaws that cost no rail we knew."""
        known = self._known
        lost = {Rail(asset, network): why for (asset, network, _), why in _newly(compared.unread, known.unread)}
        for rail, why in lost.items():
            yield self._failure(at, why, asset=rail.asset, network=rail.network)
        told = {flaw.asset for flaw in known.flaws} | {rail.asset for rail in lost}
        for flaw in compared.flaws:
            if flaw.asset not in told:
                told.add(flaw.asset)
                yield self._failure(at, flaw.detail, asset=flaw.asset or None, network=None)

    def _failure(self, at: datetime, detail: str, *, asset: str | None, network: str | None) -> ProbeFailure:
        return ProbeFailure(
            at=at,
            exchange=self._exchange,
            probe=self._probe,
            reason=FailureReason.SCHEMA,
            detail=detail,
            asset=asset,
            network=network,
        )

    def _terms(self, at: datetime, compared: Compared) -> Iterator[RailTerms]:
        for rail, terms in compared.terms.items():
            if self._known.terms.get(rail) != terms:
                yield RailTerms(
                    at=at,
                    exchange=self._exchange,
                    probe=self._probe,
                    asset=terms.asset,
                    network=terms.network,
                    fee=terms.fee,
                    minimum=terms.minimum,
                    maximum=terms.maximum,
                    remaining=terms.remaining,
                    confirmations=terms.confirmations,
                )

    def _statuses(self, at: datetime, compared: Compared) -> Iterator[RailStatus]:
        for reading in compared.changed:
            yield RailStatus(
                at=at,
                exchange=self._exchange,
                probe=self._probe,
                asset=reading.asset,
                network=reading.network,
                direction=reading.direction,
                state=reading.state,
                raw=reading.raw[:LONGEST_RAW],
                source=self._source,
            )


class ListProbe:
    """Reads a list of rails. The first reading reports every rail, later ones what changed; a vanished rail is
    `unlisted`, one whose row cannot be read a failure of its own. `rails` of its `list_read` counts each direction.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        clock: Clock,
        *,
        exchange: str,
        name: str,
        interval: float,
        decode: Decode,
        watched: Collection[Rail] = (),
    ) -> None:
        self.name = name
        self.exchange = exchange
        self.interval = interval
        self._endpoint = endpoint
        self._clock = clock
        self._decode = decode
        self._memory = RailMemory(exchange=exchange, probe=name, watched=watched)
        self._digest = b""

    async def observe(self) -> Reading:
        """Raises `RemoteError`, with reason `shape` for a list that is empty or has lost nine rails in ten."""
        answer = await self._endpoint.fetch()
        at = self._clock.now()
        digest = answer.digest
        if digest == self._digest and not self._memory.is_waiting:
            return (self._memory.read(at),)
        compared = await self._endpoint.read(answer, self._compared)
        told = self._memory.told(at, compared)
        self._digest = digest
        return told

    def _compared(self, body: bytes) -> Compared:
        compared = self._memory.compared(self._decode(body))
        if not compared.doors:
            raise RemoteError(FailureReason.SHAPE, "an empty list")
        return compared


def compare(known: Compared, listed: Listed, *, watched: Collection[Rail]) -> Compared:
    """`listed` beside what is `known`. What vanishes while a row of its asset, or of an unknown one, is flawed is
    unread and not `unlisted`. Raises `RemoteError` (shape) for more than 50,000 rails.
    """
    terms, waiting, wrong = _checked(listed, watched, known)
    beside = _beside(known, listed)
    if beside is not None:
        doors = known.doors | {door_of(reading): reading for reading in beside}
        changed = sorted(beside, key=door_of)
        return Compared(listed.rails, doors, {}, changed, wrong, terms, waiting)
    doors = by_door(listed.rails)
    if len(doors) > MOST_RAILS:
        raise RemoteError(FailureReason.SHAPE, f"{len(doors)} rails, more than {MOST_RAILS}")
    strange = {door: None for door in doors if door not in known.doors and not _is_name(door)}
    if strange:
        wrong.append(Flaw("a name that is none"))
        doors = {door: reading for door, reading in doors.items() if door not in strange}
    unread = _unread(known, doors, listed.flaws)
    changed = changes(known.doors, doors, unread=unread, was_unread=known.unread)
    doors |= {door: known.doors[door] for door in unread}
    return Compared(listed.rails, doors, unread, changed, [*listed.flaws, *wrong], terms, waiting)


def _beside(known: Compared, listed: Listed) -> list[RailReading] | None:
    """What differs, where a list tells the same rails in the same order as before, as most do; None for any other."""
    before, now = known.rails, listed.rails
    if known.unread or listed.flaws or not len(known.doors) == len(before) == len(now):
        return None
    differing = [pair for pair in zip(now, before, strict=True) if pair[0] != pair[1]]
    is_same = all(door_of(reading) == door_of(former) for reading, former in differing)
    return [reading for reading, _ in differing] if is_same else None


def _unread(known: Compared, doors: Doors, flaws: Sequence[Flaw]) -> dict[Door, str]:
    why = {flaw.asset: flaw.detail for flaw in flaws}
    if not why:
        return {}
    anonymous = why.get("")
    vanished = (door for door in known.doors if door not in doors)
    return {door: told for door in vanished if (told := why.get(door[0], anonymous)) is not None}


def _is_name(door: Door) -> bool:
    return all(0 < len(name) <= LONGEST_NAME and name.isprintable() for name in door[:2])


def _checked(
    listed: Listed, watched: Collection[Rail], known: Compared
) -> tuple[dict[Rail, Terms], dict[Rail, Terms], list[Flaw]]:
    """The terms of watched rails, those that are doubtful, and flaws for these and for amounts that cannot be."""
    terms: dict[Rail, Terms] = {}
    waiting: dict[Rail, Terms] = {}
    flaws: list[Flaw] = []
    for each in listed.terms_of(frozenset(rail.asset for rail in watched)):
        rail = Rail(each.asset, each.network)
        if rail not in watched or (_is_untold(each) and rail not in known.terms):
            continue
        before = known.terms.get(rail, each)
        if not all(_is_amount(value) for value in _amounts(each)):
            flaws.append(Flaw(f"an amount that is none in the terms of {rail}", each.asset))
        elif _has_leapt(before, each) and _has_leapt(known.waiting.get(rail, before), each):
            waiting[rail], terms[rail] = each, before
            flaws.append(Flaw(f"the terms of {rail} are a thousand times what they were: to be read again", each.asset))
        else:
            terms[rail] = each
    return terms, waiting, flaws


def _is_untold(terms: Terms) -> bool:
    return terms.confirmations is None and all(value is None for value in _amounts(terms))


def _amounts(terms: Terms) -> tuple[Decimal | None, ...]:
    return terms.fee, terms.minimum, terms.maximum, terms.remaining


def _has_leapt(before: Terms, after: Terms) -> bool:
    pairs = zip(_amounts(before), _amounts(after), strict=True)
    return any(was is not None and now is not None and is_leap(was, now) for was, now in pairs)


def _is_amount(value: Decimal | None) -> bool:
    return value is None or (
        value.is_finite() and 0 <= value <= MOST_COINS and len(value.as_tuple().digits) <= MOST_DIGITS
    )


def _newly(unread: dict[Door, str], was_unread: dict[Door, str]) -> list[tuple[Door, str]]:
    return sorted((door, why) for door, why in unread.items() if door not in was_unread)
