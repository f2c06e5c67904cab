"""A report as one HTML document: nothing in it is from elsewhere, and the same journal gives the same bytes."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from monitor.model import ExchangeState, Incident, Statement, Transition
from monitor.replay.comparing import Backtest, Outcome
from monitor.report import backtest_pictures, pictures, wording
from monitor.report.case import Case, Origin
from monitor.report.drawing import Picture
from monitor.report.figures import Figures, figures
from monitor.report.marks import TimeMark, marks_of
from monitor.report.period import Period
from monitor.report.recorder import Recorder
from monitor.report.rendering import render
from monitor.report.series import Statistic, Track
from monitor.report.wording import Heard, who_first
from monitor.web import cases, phrases

STATISTICS = 10  # of an exchange that are drawn
FLOWS = 3  # assets of an exchange whose flows are drawn
FEW = 6  # exchanges of a period that are drawn whatever happened
DRAWN = 20  # at most


class Chapter(Struct, frozen=True, kw_only=True):
    """An exchange in a report."""

    figures: Figures
    pictures: Sequence[Picture]
    quiet: Sequence[str]  # statistics that were known and neither fired nor nearly did


def incident_page(case: Case, recorder: Recorder, origin: Origin) -> str:
    """An incident: who knew first, what happened, the series around it, the drafts, what left cold wallets."""
    incident, period = case.incident, recorder.period
    heard: Sequence[Heard] = who_first(incident)
    marks = marks_of(case.transitions, _words_of(recorder.statements, incident), period)
    return render(
        "incident.html.j2",
        title=f"{incident.exchange or 'This vantage'}: {phrases.worded(incident.kind)}, {incident.opened_at:%d %B %Y}",
        incident=incident,
        heard=heard,
        steps=cases.steps(case.transitions),
        drafts=sorted(case.drafts, key=lambda draft: draft.created_at),
        chapters=[_chapter(n, track, period, marks, of=period.whole) for n, track in enumerate(_tracks(recorder))],
        statements=_words_of(recorder.statements, incident),
        period=period,
        origins=[origin],
    )


def stress_page(recorder: Recorder, origin: Origin) -> str:
    """A period over exchanges: who paid, how fast, what left."""
    period, tracks = recorder.period, _tracks(recorder)
    sampled = [track for track in tracks if track.sampled]
    drawn = [track.exchange for track in tracks if len(tracks) <= FEW or _is_news(track, recorder)][:DRAWN]
    chapters = []
    for n, track in enumerate(tracks):
        if track.exchange not in drawn:
            chapters.append(Chapter(figures=figures(track, period), pictures=(), quiet=()))
            continue
        own = [each for each in recorder.transitions if each.exchange == track.exchange]
        words = [each for each in recorder.statements if each.exchange == track.exchange]
        chapters.append(_chapter(n, track, period, marks_of(own, words, period), of=period))
    return render(
        "stress.html.j2",
        title=f"Stress period {_span(period)}",
        lanes=pictures.states("lanes", sampled, period=period) if sampled else None,
        chapters=chapters,
        undrawn=[track.title for track in tracks if track.exchange not in drawn],
        transitions=_turning(recorder.transitions, period),
        statements=[words for words in recorder.statements if period.covers(words.published_at)],
        period=period,
        origins=[origin],
    )


def backtest_page(found: Backtest) -> str:
    """A backtest: how good, how fast, what was missed, what was false."""
    journals: dict[str, list[Outcome]] = {}
    for outcome in found.outcomes:
        journals.setdefault(outcome.journal, []).append(outcome)
    delays = [
        (total.configuration, [each.delay_seconds for each in total.score.matched])
        for total in found.totals
        if total.score is not None and total.score.matched
    ]
    lines = {
        name: backtest_pictures.timeline(f"t{n}", each)
        for n, (name, each) in enumerate(journals.items())
        if each[0].run.first_at != each[0].run.last_at
    }
    return render(
        "backtest.html.j2",
        title=f"Backtest of {_counted(len(journals), 'journal')}",
        found=found,
        journals=journals,
        timelines=lines,
        delays=backtest_pictures.delays("delays", delays) if delays else None,
        origins=[_origin(name, each[0]) for name, each in journals.items()],
    )


def _chapter(n: int, track: Track, period: Period, marks: Sequence[TimeMark], *, of: Period) -> Chapter:
    told = sorted(track.statistics.values(), key=lambda each: not each.is_news())
    news = [each for each in told if each.is_news()][:STATISTICS]
    drawn = [
        pictures.statistic(f"s{n}-{place}", each, period=period, marks=marks, read=_read(track, each, period))
        for place, each in enumerate(news)
    ]
    if track.paid:
        drawn.insert(0, pictures.payments(f"p{n}", track, period=period, marks=marks))
    if track.held:
        drawn.append(pictures.balances(f"b{n}", track, period=period, marks=marks))
    for place, key in enumerate(_busiest(track)):
        drawn.append(pictures.flows(f"f{n}-{place}", track, key, period=period, marks=marks))
    return Chapter(figures=figures(track, of), pictures=drawn, quiet=_quiet(told))


def _is_news(track: Track, recorder: Recorder) -> bool:
    """Something happened to it, or nearly."""
    if any(each.exchange == track.exchange for each in recorder.transitions):
        return True
    return any(turn.state in (ExchangeState.HALTED, ExchangeState.DEGRADED) for turn in track.turns)


def _read(track: Track, shown: Statistic, period: Period) -> pictures.Rates:
    """What was read of the network that a silence is of."""
    paid = track.paid.get(shown.subject) if shown.detector == "silence" else None
    return pictures.rates(paid, period) if paid is not None else ()


def _busiest(track: Track) -> list[tuple[str, str]]:
    """The assets of which the most left, by the share of what is held where that is known."""

    def share(key: tuple[str, str]) -> float:
        left = sum(float(moved.outflow) for moved in track.moved[key].values())
        held = float(track.held[key][0].amount) if track.held.get(key) else 0.0
        return left / held if held > 0 else 0.0

    return sorted(track.moved, key=lambda key: (-share(key), key))[:FLOWS]


def _quiet(told: Sequence[Statistic]) -> list[str]:
    return [wording.statistic(each.detector, each.subject) for each in told if not each.is_news()]


def _tracks(recorder: Recorder) -> list[Track]:
    return [track for _, track in sorted(recorder.tracks.items())]


def _words_of(statements: Sequence[Statement], incident: Incident) -> list[Statement]:
    return [words for words in statements if words.exchange == incident.exchange]


def _turning(transitions: Sequence[Transition], period: Period) -> list[Transition]:
    """Those of the period that are more than an update."""
    shown = [each for each in transitions if period.covers(each.at)]
    return [each for each in shown if each.transition not in ("updated", "acknowledged")]


def _span(period: Period) -> str:
    return phrases.between(period.begin, period.end, datetime.fromtimestamp(0, period.begin.tzinfo))


def _origin(journal: str, outcome: Outcome) -> Origin:
    run = outcome.run
    return Origin(name=Path(journal).name, entries=run.entries, first_at=run.first_at, last_at=run.last_at)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
