"""What is said of rails that are off, and by which readings."""

from collections.abc import Iterable, Mapping, Sequence

from monitor.engine.detectors.closed import Off
from monitor.engine.detectors.flapping import Flap
from monitor.engine.finding import moment
from monitor.model import Evidence, Rail

LISTED_IN_SUMMARY = 4


def listed(rails: Sequence[Rail]) -> str:
    """ "BTC@bitcoin, ETH@ethereum and 4 more"."""
    shown = ", ".join(str(rail) for rail in rails[:LISTED_IN_SUMMARY])
    more = len(rails) - LISTED_IN_SUMMARY
    return f"{shown} and {more} more" if more > 0 else shown


def said_of_flapping(rails: Sequence[Rail], flaps: Mapping[Rail, Flap]) -> str:
    """ "; flapping: BTC@bitcoin closed 3 times within an hour", or ""."""
    times = {rail: len(flap.closings) for rail in rails if (flap := flaps.get(rail)) is not None and flap.is_flapping}
    if not times:
        return ""
    return f"; flapping: {listed(list(times))} closed {max(times.values())} times within an hour"


def said_of_overdue(offs: Iterable[Off], now: float) -> str:
    """ "; maintenance ended at 10:30 UTC and withdrawals are still closed", or ""."""
    ends = [off.planned_until for off in offs if off.planned_until is not None and off.planned_until <= now]
    return said_of_the_end(min(ends)) if ends else ""


def said_of_the_end(at: float) -> str:
    return f"; maintenance ended at {moment(at):%H:%M} UTC and withdrawals are still closed"


def said_of_maintenance(planned: Sequence[Rail], named: Sequence[Rail], offs: Mapping[Rail, Off]) -> str:
    """`planned` went off within announced maintenance, `named` are in maintenance by the word of a source alone."""
    ends = [end for rail in planned if (end := offs[rail].planned_until) is not None]
    parts = [f"{listed(planned)} in maintenance, announced until {moment(max(ends)):%H:%M} UTC"] if ends else []
    if named:
        parts.append(f"{listed(named)} in maintenance, as the exchange says")
    return "; ".join(parts)


def first_off(rails: Iterable[Rail], offs: Mapping[Rail, Off]) -> float | None:
    """When the first of them went off; None where all were off at the first look."""
    return min((since for rail in rails if (since := offs[rail].since) is not None), default=None)


def evidence_of(rails: Iterable[Rail], offs: Mapping[Rail, Off]) -> tuple[Evidence, ...]:
    """In order of arrival."""
    told = sorted(((offs[rail], rail) for rail in rails), key=lambda pair: (pair[0].since or 0.0, pair[1]))
    return tuple(
        Evidence(
            at=moment(off.held.first_at if off.since is None else off.since),
            probe=off.held.probe,
            source=off.held.source,
            rail=str(rail),
            value=off.held.verdict,
        )
        for off, rail in told
    )
