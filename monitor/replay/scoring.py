"""How good a run was: its pages against what happened, and against the pages of another run."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from statistics import median

from msgspec import Struct

from monitor.model import Change, IncidentKind, Severity, Transition
from monitor.replay.truth import Event, Truth

GRACE = timedelta(minutes=30)
"""A page this long after an event still belongs to it."""
ONE_PAGE = timedelta(hours=1)
"""Pages of one incident within it wake a person once."""
SAME = timedelta(hours=1)
"""Pages of two runs so far apart at most are about the same thing."""

_PAGING = (Change.OPENED, Change.REOPENED, Change.ESCALATED)


class Page(Struct, frozen=True, kw_only=True):
    """Somebody is woken."""

    at: datetime
    exchange: str
    kind: IncidentKind
    incident: str
    summary: str


class Found(Struct, frozen=True, kw_only=True):
    """An event and the first page of it. The delay is negative where the page came before the event was told."""

    event: Event
    page: Page
    delay_seconds: float


class Score(Struct, frozen=True, kw_only=True):
    """`events` must page. `false` pages belong to no event, `unwanted` ones to an event that must not page."""

    events: int
    matched: tuple[Found, ...]
    missed: tuple[Event, ...]
    false: tuple[Page, ...]
    unwanted: tuple[Page, ...]
    kind_right: int
    median_delay_seconds: float | None
    within_2_minutes: float | None  # share of the events
    within_5_minutes: float | None


class Difference(Struct, frozen=True, kw_only=True):
    """Pages of the first run that the second has too and has not, and those that only the second has."""

    kept: tuple[Page, ...]
    lost: tuple[Page, ...]
    new: tuple[Page, ...]


def pages_of(transitions: Iterable[Transition]) -> list[Page]:
    """Critical openings, reopenings and escalations; those of one incident within an hour count once."""
    found: list[Page] = []
    last: dict[str, datetime] = {}
    for each in transitions:
        if each.transition not in _PAGING or each.severity is not Severity.CRITICAL:
            continue
        if each.incident in last and each.at - last[each.incident] < ONE_PAGE:
            continue
        last[each.incident] = each.at
        found.append(
            Page(at=each.at, exchange=each.exchange, kind=each.kind, incident=each.incident, summary=each.summary)
        )
    return found


def score(pages: Sequence[Page], truth: Truth) -> Score:
    """Match pages and events of one exchange by their times."""
    matched: list[Found] = []
    missed: list[Event] = []
    kind_right = 0
    claimed: set[Page] = set()
    unwanted: dict[Page, None] = {}
    for event in truth.events:
        hits = [page for page in pages if _belongs(page, event, truth.lead_seconds)]
        claimed.update(hits)
        if not event.must_page:
            unwanted.update(dict.fromkeys(hits))
        elif hits:
            delay = (hits[0].at - event.start).total_seconds()
            matched.append(Found(event=event, page=hits[0], delay_seconds=delay))
            kind_right += any(page.kind == event.kind for page in hits)
        else:
            missed.append(event)
    return _score(
        matched=matched,
        missed=missed,
        false=[page for page in pages if page not in claimed],
        unwanted=list(unwanted),
        kind_right=kind_right,
    )


def total(scores: Sequence[Score]) -> Score:
    """All of them as one."""
    return _score(
        matched=[found for each in scores for found in each.matched],
        missed=[event for each in scores for event in each.missed],
        false=[page for each in scores for page in each.false],
        unwanted=[page for each in scores for page in each.unwanted],
        kind_right=sum(each.kind_right for each in scores),
    )


def difference(first: Sequence[Page], second: Sequence[Page]) -> Difference:
    """What a second configuration changes."""
    return Difference(
        kept=tuple(page for page in first if _has(second, page)),
        lost=tuple(page for page in first if not _has(second, page)),
        new=tuple(page for page in second if not _has(first, page)),
    )


def _score(
    *,
    matched: Sequence[Found],
    missed: Sequence[Event],
    false: Sequence[Page],
    unwanted: Sequence[Page],
    kind_right: int,
) -> Score:
    delays = [found.delay_seconds for found in matched]
    events = len(matched) + len(missed)
    return Score(
        events=events,
        matched=tuple(matched),
        missed=tuple(missed),
        false=tuple(false),
        unwanted=tuple(unwanted),
        kind_right=kind_right,
        median_delay_seconds=median(delays) if delays else None,
        within_2_minutes=_share(delays, 120.0, of=events),
        within_5_minutes=_share(delays, 300.0, of=events),
    )


def _has(pages: Sequence[Page], wanted: Page) -> bool:
    return any(page.exchange == wanted.exchange and abs(page.at - wanted.at) <= SAME for page in pages)


def _belongs(page: Page, event: Event, lead_seconds: float) -> bool:
    begin = event.start - timedelta(seconds=lead_seconds)
    return page.exchange == event.exchange and begin <= page.at <= event.end + GRACE


def _share(delays: Sequence[float], limit: float, *, of: int) -> float | None:
    return sum(delay <= limit for delay in delays) / of if of else None
