"""The bar of ninety days: for each the worst that stood in it, and for how long. A day nobody looked is unknown."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby

from msgspec import Struct

from monitor.model import ExchangeView, Incident, IncidentKind
from monitor.web.closed import Stretch, stretch, total, united, within
from monitor.web.phrases import Tone
from monitor.web.scorecard import known_since, lasted

DAYS = 90
KINDS = {
    IncidentKind.WITHDRAWAL_HALT: Tone.BAD,
    IncidentKind.WITHDRAWALS_DEGRADED: Tone.WARNING,
    IncidentKind.DRIP: Tone.WARNING,
    IncidentKind.RAIL_SUSPENDED: Tone.WARNING,
    IncidentKind.MAINTENANCE: Tone.QUIET,
}
"""What closes a way out, and how it is shown."""
_WORST_FIRST = (Tone.BAD, Tone.WARNING, Tone.QUIET)
_WORDS = {Tone.BAD: "halted", Tone.WARNING: "partly closed", Tone.QUIET: "maintenance"}
_DAY = timedelta(days=1)


class Run(Struct, frozen=True):
    """Days in a row that look alike: `at` counts from the oldest, so that a bar needs few shapes."""

    at: int
    days: int
    tone: Tone
    words: str


class Bar(Struct, frozen=True):
    name: str
    runs: tuple[Run, ...]
    words: str  # what the bar shows, for those who do not see it


def bar(
    name: str, incidents: Iterable[Incident], *, since: datetime | None, now: datetime, rail: str | None = None
) -> Bar:
    """Of `incidents` of one exchange; with `rail` ("asset@network") of those that concern it."""
    lasting = [
        (KINDS[each.kind], found)
        for each in incidents
        if each.kind in KINDS and (rail is None or concerns(each, rail)) and (found := stretch(each, now)) is not None
    ]
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [_day(Stretch(begin, begin + _DAY), lasting, since) for begin in _begins(today)]
    return Bar(name, tuple(_runs(days)), _told(lasting, Stretch(today - (DAYS - 1) * _DAY, now), since))


def bars(
    views: Iterable[ExchangeView], past: Sequence[Incident], *, began: datetime | None, now: datetime
) -> list[Bar]:
    """One an exchange, by name. `past` may be of any exchange; `began` is when the journal does."""
    return [
        bar(
            view.exchange,
            [each for each in past if each.exchange == view.exchange],
            since=known_since(view, began),
            now=now,
        )
        for view in sorted(views, key=lambda view: view.title or view.exchange)
    ]


def rail_bars(view: ExchangeView, past: Iterable[Incident], *, began: datetime | None, now: datetime) -> list[Bar]:
    """Of the whole exchange, then one a watched rail."""
    its = [each for each in past if each.exchange == view.exchange]
    since = known_since(view, began)
    rails = dict.fromkeys(f"{rail.asset}@{rail.network}" for rail in view.rails)
    of_rails = [bar(rail, its, since=since, now=now, rail=rail) for rail in rails]
    return [bar("everything", its, since=since, now=now), *of_rails]


def concerns(incident: Incident, rail: str) -> bool:
    """Whether a rail is, or in its course was, in an incident's scope."""
    _, _, network = rail.partition("@")
    named = {*incident.scope, *(each.rail for each in incident.evidence if each.rail is not None)}
    return bool(named & {"*", rail, f"*@{network}"})


def _begins(today: datetime) -> list[datetime]:
    return [today - n * _DAY for n in reversed(range(DAYS))]


def _day(day: Stretch, lasting: Sequence[tuple[Tone, Stretch]], since: datetime | None) -> tuple[Tone, str]:
    for tone in _WORST_FIRST:
        closed = united(within([each for its, each in lasting if its is tone], day))
        if closed:
            return tone, f"{day.begin:%Y-%m-%d}: {_WORDS[tone]} for {lasted(total(closed).total_seconds())}"
    if since is None or day.end <= since:
        return Tone.UNKNOWN, "not watched"
    return Tone.FINE, "nothing closed"


def _runs(days: Sequence[tuple[Tone, str]]) -> list[Run]:
    runs: list[Run] = []
    at = 0
    for (tone, words), alike in groupby(days):
        number = len(list(alike))
        runs.append(Run(at, number, tone, words))
        at += number
    return runs


def _told(lasting: Sequence[tuple[Tone, Stretch]], window: Stretch, since: datetime | None) -> str:
    """ "halted for 23 min, maintenance for 2 h; known since 12 Nov", for the whole of the bar."""
    parts = []
    for tone in _WORST_FIRST:
        closed = united(within([each for its, each in lasting if its is tone], window))
        if closed:
            parts.append(f"{_WORDS[tone]} for {lasted(total(closed).total_seconds())}")
    if since is None:
        return ", ".join(parts) or "not enough known"
    known = f"; known since {since:%Y-%m-%d}" if since > window.begin else ""
    return f"{', '.join(parts) or 'nothing closed'}{known}"
