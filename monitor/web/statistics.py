"""How the statistics of detectors read: the ones that matter first, each with its figures and its own words."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from monitor.model import ExchangeView
from monitor.model.view import StatisticState, StatisticView
from monitor.web import pages, phrases
from monitor.web.phrases import Mark, Tone

WORST_FIRST = (
    StatisticState.FIRING,
    StatisticState.SUSPICIOUS,
    StatisticState.LEARNING,
    StatisticState.UNKNOWN,
    StatisticState.QUIET,
)
TONES = {
    StatisticState.FIRING: Tone.BAD,
    StatisticState.SUSPICIOUS: Tone.WARNING,
    StatisticState.LEARNING: Tone.UNKNOWN,
    StatisticState.UNKNOWN: Tone.UNKNOWN,
    StatisticState.QUIET: Tone.QUIET,
}
NONE_KEPT = "no detector keeps a statistic of it yet: nothing that it needs was read"


class Row(Struct, frozen=True):
    """A statistic as shown. A figure that is not known is "unknown", one that there is none of is ""."""

    mark: Mark
    name: str  # "silence of bitcoin"
    stands: str  # "14.9, fires from 14.7"
    seen: str  # "0, usually 49 transactions a minute"
    words: str


def ordered(statistics: Iterable[StatisticView]) -> list[StatisticView]:
    """What fires first, then what is suspicious; those of one state as the engine tells them."""
    return sorted(statistics, key=lambda each: WORST_FIRST.index(each.state))


def rows(statistics: Iterable[StatisticView]) -> list[Row]:
    return [_row(each) for each in ordered(statistics)]


def headline(statistics: Sequence[StatisticView]) -> str:
    """ "1 firing, 2 learning, 12 quiet"."""
    counts = ((state, sum(each.state is state for each in statistics)) for state in WORST_FIRST)
    return ", ".join(f"{number} {state}" for state, number in counts if number) or NONE_KEPT


def learning(view: ExchangeView) -> str:
    """ "learning what is usual: bitcoin 25 min of 6 h"; "" where all of it is learned."""
    still = [each for each in view.networks if each.learned_seconds < pages.LEARNED_SECONDS]
    told = ", ".join(f"{each.network} {pages.learned(each)}" for each in still)
    return f"learning what is usual: {told}" if told else ""


def name(detector: str, subject: str) -> str:
    """ "silence", "silence of bitcoin"."""
    return phrases.worded(detector) if subject in ("*", "") else f"{phrases.worded(detector)} of {subject}"


def figure(value: float) -> str:
    """Three digits that count, whole numbers from 1,000 on."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 and value != round(value) else f"{value:.3g}"


def _row(each: StatisticView) -> Row:
    return Row(
        mark=Mark(each.state, TONES[each.state]),
        name=name(each.detector, each.subject),
        stands=_joined((each.value, ""), (each.threshold, "fires from ")),
        seen=_seen(each),
        words=each.words,
    )


def _seen(each: StatisticView) -> str:
    told = _joined((each.observed, ""), (each.expected, "usually "))
    return f"{told} {each.unit}" if told and each.unit else told


def _joined(*figures: tuple[float | None, str]) -> str:
    parts: Sequence[str] = [f"{before}{figure(value)}" for value, before in figures if value is not None]
    return ", ".join(parts)
