"""How often an exchange stopped paying, for how long, and who said so when. Reckoned from its incidents alone.

What too little is known of is None, never 0.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from statistics import median

from msgspec import Struct

from monitor.model import Direction, ExchangeView, Incident, IncidentKind
from monitor.web.closed import Stretch, by_source, stretch, total, united, within
from monitor.web.pages import Cell
from monitor.web.phrases import Tone, clock, count, span

WINDOWS = (timedelta(days=90), timedelta(days=365))
FLAGS = "flags"
UNKNOWN = Cell("not enough known", Tone.UNKNOWN)


class Figure(Struct, frozen=True):
    """A number with the incidents it comes from, newest first. A `value` of None is not enough known."""

    value: float | None
    of: tuple[Incident, ...] = ()


class Score(Struct, frozen=True, kw_only=True):
    """One exchange over one window. Times are seconds, `flags_right` is a share of 0 to 1."""

    exchange: str
    window: timedelta
    known_since: datetime | None  # None: nothing of it was ever read
    halts: Figure
    closed: Figure
    official: Figure  # median from the first sign to the first official word, of those that had one
    flags_right: Figure
    ours: Figure  # median from the first sign to our telling


def known_since(view: ExchangeView, began: datetime | None) -> datetime | None:
    """From when on we know of an exchange: its list was first read; where it has none, since the journal `began`."""
    first = min((rail.first_read_at for rail in view.rails if rail.first_read_at is not None), default=None)
    if view.networks and began is not None:
        return min(began, first) if first is not None else began
    return first


def reads_flags(view: ExchangeView) -> bool:
    """Whether its own list of what is open is read."""
    return bool(view.counts.get(Direction.WITHDRAWAL))


def score(
    view: ExchangeView, incidents: Iterable[Incident], *, window: timedelta, began: datetime | None, now: datetime
) -> Score:
    """`incidents` may be of any exchange and kind; `began` is when the journal does."""
    since = known_since(view, began)
    halts = _halts(view.exchange, incidents, Stretch(now - window, now), now)
    of = tuple(halts)
    return Score(
        exchange=view.exchange,
        window=window,
        known_since=since,
        halts=Figure(float(len(of)) if of or since is not None else None, of),
        closed=_closed(of, Stretch(now - window, now), is_known=since is not None, now=now),
        official=_median(of, _until_official),
        flags_right=_flags_right(of, Stretch(now - window, now), is_read=reads_flags(view), now=now),
        ours=_median(of, _until_told),
    )


def _halts(exchange: str, incidents: Iterable[Incident], window: Stretch, now: datetime) -> list[Incident]:
    """Those of which a part lies in the window, newest first."""
    its = (each for each in incidents if each.exchange == exchange and each.kind is IncidentKind.WITHDRAWAL_HALT)
    inside = [each for each in its if (lasted := stretch(each, now)) is not None and within([lasted], window)]
    return sorted(inside, key=lambda each: each.opened_at, reverse=True)


def _closed(of: tuple[Incident, ...], window: Stretch, *, is_known: bool, now: datetime) -> Figure:
    seconds = total(_of(of, window, now)).total_seconds()
    return Figure(seconds if of or is_known else None, of)


def _of(halts: Iterable[Incident], window: Stretch, now: datetime) -> list[Stretch]:
    return united(within([each for halt in halts if (each := stretch(halt, now)) is not None], window))


def _flags_right(halts: tuple[Incident, ...], window: Stretch, *, is_read: bool, now: datetime) -> Figure:
    """Of the minutes of halts, those in which its own list said so.

    A list that is not read, and of which no halt says that it ever was, is neither right nor wrong.
    """
    told = [each for halt in halts if (each := by_source(halt, FLAGS, now)) is not None]
    closed = total(_of(halts, window, now))
    if not closed or not (told or is_read):
        return Figure(None)
    return Figure(total(united(within(told, window))) / closed, halts)


def _median(halts: Sequence[Incident], seconds: Callable[[Incident], float | None]) -> Figure:
    told = [(found, halt) for halt in halts if (found := seconds(halt)) is not None]
    if not told:
        return Figure(None)
    return Figure(median(found for found, _ in told), tuple(halt for _, halt in told))


def _until_official(halt: Incident) -> float | None:
    """0 for a word that was there before the first sign."""
    if halt.official_at is None or halt.since is None:
        return None
    return max(0.0, (halt.official_at - halt.since).total_seconds())


def _until_told(halt: Incident) -> float | None:
    return None if halt.since is None else max(0.0, (halt.opened_at - halt.since).total_seconds())


def shown(score: Score, now: datetime) -> list[tuple[str, Cell, tuple[Incident, ...]]]:
    """The figures as a row: heading, cell, and the incidents each comes from."""
    spoke = f"{len(score.official.of)} of {len(score.halts.of)} spoken of"
    figures = (
        ("Halts", score.halts, _whole, _known(score, now)),
        ("Closed", score.closed, lasted, ""),
        ("To their first word", score.official, span, spoke if score.halts.of else ""),
        ("Flags right", score.flags_right, _per_cent, ""),
        ("We told after", score.ours, span, ""),
    )
    return [(name, _cell(figure, words, note), figure.of) for name, figure, words, note in figures]


def _cell(figure: Figure, words: Callable[[float], str], note: str) -> Cell:
    if figure.value is None:
        return Cell(UNKNOWN.text, UNKNOWN.tone, note)
    return Cell(words(figure.value), None, note)


def lasted(seconds: float) -> str:
    """ "23 min", "0 min"; hours keep their minutes, days their hours: a sum is not rounded like an age."""
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} d {hours % 24} h" if hours % 24 else f"{hours // 24} d"


def _whole(number: float) -> str:
    return count(int(number)) if number else "none"


def _per_cent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _known(score: Score, now: datetime) -> str:
    """From when on it is known, where that is less than the window."""
    if score.known_since is None or score.known_since <= now - score.window:
        return ""
    return f"known since {clock(score.known_since, now)}"
