"""How the figures of a report read."""

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


class Wording:
    """What templates call. None is "not known" wherever a figure is missing, never nothing."""

    @staticmethod
    def span(seconds: float | None) -> str:
        return phrases.span(seconds) if seconds is not None else NOT_KNOWN

    @staticmethod
    def later(seconds: float) -> str:
        return "first" if seconds < 1 else f"{phrases.span(seconds)} later"

    @staticmethod
    def coins(amount: Decimal | None) -> str:
        return phrases.amount(amount) if amount is not None else NOT_KNOWN

    @staticmethod
    def signed(amount: Decimal | None) -> str:
        if amount is None:
            return NOT_KNOWN
        return f"{'+' if amount > 0 else ''}{phrases.amount(amount)}"

    @staticmethod
    def share(share: float | None) -> str:
        return f"{100 * share:+.2f} %" if share is not None else ""

    @staticmethod
    def dollars(amount: Decimal | None) -> str:
        return f"{amount:+,.0f} USD" if amount is not None else "no price"

    @staticmethod
    def rate(rate: float | None) -> str:
        return f"{statistics.figure(rate)} a minute" if rate is not None else NOT_KNOWN

    @staticmethod
    def statistic(detector: str, subject: str) -> str:
        return statistics.name(detector, subject)

    @staticmethod
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

    @staticmethod
    def delay(seconds: float | None) -> str:
        """ "2.0 min", "-16.5 min" where the page came before the word, "" where there is none."""
        return f"{seconds / 60:.1f} min" if seconds is not None else ""

    @staticmethod
    def percent(share: float | None) -> str:
        return f"{share:.0%}" if share is not None else ""

    @staticmethod
    def stood(figures: Figures, state: str) -> str:
        """How long an exchange was in a state: "20 min", "-" for never."""
        seconds = figures.seconds[ExchangeState(state)]
        return phrases.span(seconds) if seconds > 0 else "-"

    @staticmethod
    def link(url: str | None) -> str:
        """An address that a reader may follow; others are left out, whatever an exchange wrote."""
        return url if url is not None and url.startswith(("https://", "http://")) else ""

    @staticmethod
    def several(names: Sequence[str], limit: int) -> str:
        return phrases.several(names, limit)
