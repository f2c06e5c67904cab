"""From when to when each source says that an incident lasted: the chain 20 minutes, official words three."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from monitor.engine.finding import RESUMED, Finding, moment
from monitor.model import Incident, Source, Span

CHAIN = "chain"
FLAGS = "flags"
OFFICIAL = "official"


RECOVERY_SECONDS = 300.0  # payments count as back by the share of five minutes that they make up
PAUSE_SECONDS = 120.0


class Payments(Struct):
    """Since when payments come again while the chain is silent: they are believed some minutes later."""

    is_silent: bool = False
    newest: float | None = None
    since: float | None = None  # the first after the last pause

    def follow(self, newest: float | None, *, is_silent: bool) -> None:
        """Take in the time of the newest payment."""
        if is_silent and not self.is_silent:
            self.newest = self.since = None
        self.is_silent = is_silent
        if newest is not None and self.newest is not None and newest - self.newest >= PAUSE_SECONDS:
            self.since = newest
        self.newest = newest

    def back_at(self, now: float) -> float:
        """When they were back, if they are now. Where a little was sent all the time, that is a guess."""
        return max(now - RECOVERY_SECONDS, self.since or 0.0)


def followed(
    spans: Sequence[Span], findings: Iterable[Finding], *, ended: Mapping[str, float], now: float
) -> tuple[Span, ...]:
    """What lasts by these findings, and what no finding says any more. `ended`: source -> when it stopped saying so."""
    lasting: dict[str, datetime | None] = {}
    for finding in findings:
        for name in dict.fromkeys(_name(evidence.source) for evidence in finding.evidence):
            lasting[name] = _earlier(lasting, name, finding.since)
    known = {span.source: span for span in spans}
    for name, began_at in lasting.items():
        known[name] = replace(known.get(name, Span(source=name, began_at=began_at)), ended_at=None)
    for name, span in known.items():
        if name not in lasting and name != OFFICIAL and span.ended_at is None:
            known[name] = replace(span, ended_at=_end(span, moment(ended.get(name, now))))
    return _in_order(known.values())


def spoken(incident: Incident) -> Incident:
    """With the time between the first official word and the last one that says it is over."""
    if incident.official_at is None:
        return incident
    over = [e.at for e in incident.evidence if e.unit == RESUMED and e.at >= incident.official_at]
    others = [span for span in incident.spans if span.source != OFFICIAL]
    official = Span(source=OFFICIAL, began_at=incident.official_at, ended_at=max(over, default=None))
    return replace(incident, spans=_in_order([*others, official]))


def are_other(spans: Sequence[Span], before: Sequence[Span]) -> bool:
    """Some source began or ended to say so."""
    return [(s.source, s.ended_at is None) for s in spans] != [(s.source, s.ended_at is None) for s in before]


def _name(source: str) -> str:
    """All that is read of rails is flags; the other sources are called as they are."""
    return FLAGS if source in set(Source) else source


def _earlier(lasting: Mapping[str, datetime | None], name: str, since: float | None) -> datetime | None:
    """What began before we looked, began before anything else."""
    began_at = moment(since) if since is not None else None
    before = lasting.get(name, began_at)
    return None if before is None or began_at is None else min(before, began_at)


def _end(span: Span, at: datetime) -> datetime:
    return at if span.began_at is None else max(at, span.began_at)


def _in_order(spans: Iterable[Span]) -> tuple[Span, ...]:
    """By first sign; what began before we looked comes first."""
    return tuple(
        sorted(spans, key=lambda s: (s.began_at is not None, s.began_at.timestamp() if s.began_at else 0.0, s.source))
    )
