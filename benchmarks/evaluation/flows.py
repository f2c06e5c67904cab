"""Runs, exploits, reshuffles and bleeds on simulated journals: the rows, and what they are measured on."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from statistics import median_high

from benchmarks.evaluation.halts import minutes, share, told
from benchmarks.evaluation.rows import Row, judged
from benchmarks.evaluation.simulated import Outcome, Outcomes, Setting
from monitor.model import IncidentKind

READING_SECONDS = 60.0
RUNS = (("x2", 360.0), ("x4", 40.0), ("x8", 25.0))
WARNINGS = (IncidentKind.UNCONFIRMED_MOVE, IncidentKind.OUTFLOW_SPIKE)


class Plan:
    def __init__(self, *, quick: bool) -> None:
        seeds = (1,) if quick else tuple(range(1, 13))
        self.flow = Setting(scenario="flow", seeds=seeds, length=40, warm_up=10, events=6)

    @property
    def settings(self) -> list[Setting]:
        return [self.flow]

    def rows(self, found: Mapping[Setting, Outcomes]) -> list[Row]:
        outcomes = found[self.flow]
        runs = [_run(outcomes, note, limit) for note, limit in RUNS]
        reshuffles = [_reshuffles(outcomes, labelled=True), _reshuffles(outcomes, labelled=False)]
        return [*runs, _kinds(outcomes), _exploits(outcomes), *reshuffles, _bleed(outcomes), _other(outcomes)]


def _run(outcomes: Outcomes, note: str, limit: float) -> Row:
    """Half of the runs of that strength within the time; those that double the outflow all, in their six hours."""
    delays = outcomes.delays("bank_run", note)
    is_double = note == "x2"
    measured = delays[-1] if is_double and delays else median_high(delays) if delays else float("inf")
    return Row(
        what=f"bank run {note} ({outcomes.setting})",
        aim="all within their six hours" if is_double else f"P50 <= {minutes(limit)}",
        measured=told(delays),
        verdict=judged(measured <= limit, on=len(delays)),
    )


def _kinds(outcomes: Outcomes) -> Row:
    runs = [(o, event) for o in outcomes.seeds for event in o.events if event.kind == "bank_run"]
    right = sum(any(page.kind == "bank_run" for page in outcome.pages(event)) for outcome, event in runs)
    return Row(
        what=f"kind of the bank runs ({outcomes.setting})",
        aim="right in 90 %",
        measured=f"{right} of {len(runs)}",
        verdict=judged(right >= 0.9 * len(runs), on=len(runs)),
    )


def _exploits(outcomes: Outcomes) -> Row:
    """Readings from the one that takes the outflow over a tenth to the page; 0: paged before, 1: by that reading."""
    waits = sorted(_waits(outcomes))
    crossed = sum(len(outcome.crossed) for outcome in outcomes.seeds)
    return Row(
        what=f"exploit of a tenth of reserves or more ({outcomes.setting})",
        aim="paged <= 2 readings after the transfer that crosses a tenth",
        measured=f"{sum(wait <= 2 for wait in waits)} of {crossed}, the latest {_told(waits)}",
        verdict=judged(all(wait <= 2 for wait in waits), on=len(waits)),
    )


def _told(waits: list[float]) -> str:
    return f"after {waits[-1]:g} readings" if waits and waits[-1] != float("inf") else "never"


def _waits(outcomes: Outcomes) -> Iterator[float]:
    for outcome in outcomes.seeds:
        for start, crossing in outcome.crossed.items():
            yield _readings(outcome, start, crossing)


def _readings(outcome: Outcome, start: datetime, crossing: datetime) -> float:
    found = next((f for f in outcome.score.matched if f.event.start == start), None)
    if found is None:
        return float("inf")
    return max(0.0, (found.page.at - crossing).total_seconds() / READING_SECONDS + 1)


def _reshuffles(outcomes: Outcomes, *, labelled: bool) -> Row:
    """`labelled`: all of it goes to wallets on the list."""
    chosen = [
        (outcome, event)
        for outcome in outcomes.seeds
        for event in outcome.events
        if event.kind == "reshuffle" and (event.note == "labelled") is labelled
    ]
    paged = sum(bool(outcome.pages(event)) for outcome, event in chosen)
    warned = sum(any(t.kind in WARNINGS for t in outcome.around(event)) for outcome, event in chosen)
    return Row(
        what=f"{'labelled' if labelled else 'unlabelled'} reshuffle ({outcomes.setting})",
        aim="no page" if labelled else "a warning each, no page",
        measured=f"{paged} pages and {warned} warnings at {len(chosen)}",
        verdict=judged(paged == 0 and (labelled or warned == len(chosen)), on=len(chosen)),
    )


def _bleed(outcomes: Outcomes) -> Row:
    delays = outcomes.delays("slow_bleed")
    return Row(
        what=f"slow bleed ({outcomes.setting})",
        aim="paged within its two days",
        measured=told(delays),
        verdict=judged(share(delays, timedelta(days=2) / timedelta(minutes=1)) == 1, on=len(delays)),
    )


def _other(outcomes: Outcomes) -> Row:
    false = len(outcomes.score.false)
    return Row(
        what=f"pages of no event in flows ({outcomes.setting})",
        aim="<= 1 a month",
        measured=f"{false / outcomes.setting.months:.2f} a month",
        verdict=judged(false <= outcomes.setting.months),
    )
