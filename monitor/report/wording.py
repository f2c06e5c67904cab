"""How the figures of a report read. None is "not known" wherever a figure is missing, never nothing."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from monitor.model import ExchangeState, Incident
from monitor.replay.comparing import Outcome
from monitor.replay.truth import TruthSource
from monitor.report.figures import Figures
from monitor.web import phrases, statistics

NOT_KNOWN = "not known"


class Heard(Struct, frozen=True, kw_only=True):
    """When a source first told of an incident."""

    who: str
    at: datetime
    after_seconds: float  # since the first of all
    pieces: int  # of evidence it gave in all


def who_first(incident: Incident) -> list[Heard]:
    """By time. The official words are those of every source of the exchange together."""
    heard = sorted(phrases.first_heard(incident).items(), key=lambda pair: pair[1])
    named = [phrases.source(each.source) for each in incident.evidence]
    words = sum(each.rail is None and each.source in ("status_page", "announcement") for each in incident.evidence)
    return [
        Heard(
            who=who,
            at=at,
            after_seconds=(at - heard[0][1]).total_seconds(),
            pieces=words if who == phrases.OFFICIAL else named.count(who),
        )
        for who, at in heard
    ]


def span(seconds: float | None) -> str:
    return phrases.span(seconds) if seconds is not None else NOT_KNOWN


def later(seconds: float) -> str:
    return "first" if seconds < 1 else f"{phrases.span(seconds)} later"


def coins(amount: Decimal | None) -> str:
    return phrases.amount(amount) if amount is not None else NOT_KNOWN


def signed(amount: Decimal | None) -> str:
    if amount is None:
        return NOT_KNOWN
    return f"{'+' if amount > 0 else ''}{phrases.amount(amount)}"


def share(ratio: float | None) -> str:
    return f"{100 * ratio:+.2f} %" if ratio is not None else ""


def dollars(amount: Decimal | None) -> str:
    return f"{amount:+,.0f} USD" if amount is not None else "no price"


def rate(per_minute: float | None) -> str:
    return f"{statistics.figure(per_minute)} a minute" if per_minute is not None else NOT_KNOWN


def statistic(detector: str, subject: str) -> str:
    return statistics.name(detector, subject)


def against(outcome: Outcome) -> str:
    """ "matched against the 12 events of its truth file"."""
    events = len(outcome.truth.events)
    told = "1 event" if events == 1 else f"{events} events"
    match outcome.truth.source:
        case TruthSource.FILE:
            return f"matched against the {told} of its truth file"
        case TruthSource.STATEMENTS:
            lead = phrases.span(outcome.truth.lead_seconds)
            return f"matched against {told} told by official words in it; a page up to {lead} before counts"
        case TruthSource.NONE:
            return "matched against nothing: no truth file stands beside it, and no official words in it"


def delay(seconds: float | None) -> str:
    """ "2.0 min", "-16.5 min" where the page came before the word, "" where there is none."""
    return f"{seconds / 60:.1f} min" if seconds is not None else ""


def percent(ratio: float | None) -> str:
    return f"{ratio:.0%}" if ratio is not None else ""


def stood(figures: Figures, state: str) -> str:
    """How long an exchange was in a state: "20 min", "-" for never."""
    seconds = figures.seconds[ExchangeState(state)]
    return phrases.span(seconds) if seconds > 0 else "-"


def link(url: str | None) -> str:
    """An address that a reader may follow; others are left out, whatever an exchange wrote."""
    return url if url is not None and url.startswith(("https://", "http://")) else ""


def several(names: Sequence[str], limit: int) -> str:
    return phrases.several(names, limit)
