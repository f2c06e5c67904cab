"""A backtest as a whole: every journal under each configuration, its score, and what the second one changes."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from monitor.model import Judging
from monitor.replay.backtest import Job, Progress, Run, run_all
from monitor.replay.scoring import Difference, Score, difference, score, total
from monitor.replay.truth import Truth, beside, read_truth, truth_of

OF_THE_JOURNAL = "the journal's own"
"""The name of the configuration that a journal holds."""


class Setting(Struct, frozen=True):
    """A configuration under its name; `judging` None is the one that each journal holds."""

    name: str
    judging: Judging | None


class Outcome(Struct, frozen=True, kw_only=True):
    """A journal under one configuration."""

    journal: str
    configuration: str
    truth: Truth
    score: Score | None  # None without anything to match
    run: Run


class Change(Struct, frozen=True, kw_only=True):
    """What the second configuration changes on a journal."""

    journal: str
    difference: Difference


class Total(Struct, frozen=True, kw_only=True):
    """All journals under one configuration."""

    configuration: str
    incidents: int
    drafts: int
    pages: int
    score: Score | None


class Backtest(Struct, frozen=True, kw_only=True):
    """Outcomes by journal, those of the first configuration before those of the second."""

    outcomes: tuple[Outcome, ...]
    totals: tuple[Total, ...]
    changes: tuple[Change, ...]


def backtest(
    journals: Sequence[Path],
    settings: Sequence[Setting],
    *,
    truth: Path | None,
    workers: int,
    progress: Progress,
) -> Backtest:
    """Judge `journals` under one setting or two. Each is matched against `truth`, else the truth file beside it, else
    its own official words. Raises JournalError, OSError.
    """
    known = {journal: _truth_file(journal, truth) for journal in journals}
    jobs = [Job(journal=journal, judging=setting.judging) for journal in journals for setting in settings]
    runs = run_all(jobs, workers=workers, progress=progress)
    names = [setting.name for setting in settings]
    outcomes = [
        _outcome(job.journal, names[place % len(names)], run, known[job.journal])
        for place, (job, run) in enumerate(zip(jobs, runs, strict=True))
    ]
    return Backtest(
        outcomes=tuple(outcomes),
        totals=tuple(_total(name, outcomes[place :: len(names)]) for place, name in enumerate(names)),
        changes=tuple(_changes(outcomes)) if len(names) > 1 else (),
    )


def _truth_file(journal: Path, given: Path | None) -> Truth | None:
    if given is not None:
        return read_truth(given)
    found = beside(journal)
    return read_truth(found) if found.exists() else None


def _outcome(journal: Path, configuration: str, run: Run, known: Truth | None) -> Outcome:
    truth = known if known is not None else truth_of(run.statements)
    scored = score(run.pages, truth) if known is not None or truth.events else None
    return Outcome(journal=str(journal), configuration=configuration, truth=truth, score=scored, run=run)


def _total(name: str, outcomes: Iterable[Outcome]) -> Total:
    every = list(outcomes)
    scores = [outcome.score for outcome in every if outcome.score is not None]
    return Total(
        configuration=name,
        incidents=sum(outcome.run.incidents for outcome in every),
        drafts=sum(outcome.run.drafts for outcome in every),
        pages=sum(len(outcome.run.pages) for outcome in every),
        score=total(scores) if scores else None,
    )


def _changes(outcomes: Sequence[Outcome]) -> list[Change]:
    pairs = zip(outcomes[::2], outcomes[1::2], strict=True)
    return [Change(journal=one.journal, difference=difference(one.run.pages, other.run.pages)) for one, other in pairs]
