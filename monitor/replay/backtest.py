"""Backtest: journals judged anew by a configuration, each in a process of its own, and what came of it."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path

from msgspec import Struct

from monitor.model import Change, Draft, DraftState, Judging, Statement, Transition
from monitor.replay.journal import count_lines, read_entries, refusals
from monitor.replay.replay import REPORT_ENTRIES, replay
from monitor.replay.scoring import Page, pages_of

Progress = Callable[[int, int], None]
"""How many entries are done, and of how many."""


class Job(Struct, frozen=True, kw_only=True):
    """A journal to judge. Without `judging`, by the configuration that it holds."""

    journal: Path
    judging: Judging | None


class Run(Struct, frozen=True, kw_only=True):
    """What a journal led to. `first_at` is None where it is empty."""

    entries: int
    first_at: datetime | None
    last_at: datetime | None
    incidents: int
    drafts: int
    pages: tuple[Page, ...]
    transitions: tuple[Transition, ...]
    statements: tuple[Statement, ...]
    unjudged: tuple[str, ...]  # exchanges of the journal that the configuration does not name


def run(job: Job, progress: Callable[[int], None]) -> Run:
    """Judge one journal. Raises JournalError, OSError. `progress` is told the entries now and then."""
    transitions: list[Transition] = []
    statements: list[Statement] = []
    drafts: dict[str, None] = {}
    exchanges: dict[str, None] = {}
    count, first, last = 0, None, None
    for entry, outputs in replay(read_entries(job.journal), judging=job.judging, refused=refusals(job.journal)):
        seen = entry.observation
        count, first, last = count + 1, first or seen.at, seen.at
        exchanges[seen.exchange] = None
        if type(seen) is Statement:
            statements.append(seen)
        for output in outputs:
            if type(output) is Transition:
                transitions.append(output)
            elif type(output) is Draft and output.state is DraftState.PENDING:
                drafts[output.id] = None
        if count % REPORT_ENTRIES == 0:
            progress(count)
    progress(count)
    return Run(
        entries=count,
        first_at=first,
        last_at=last,
        incidents=sum(each.transition is Change.OPENED for each in transitions),
        drafts=len(drafts),
        pages=tuple(pages_of(transitions)),
        transitions=tuple(transitions),
        statements=tuple(statements),
        unjudged=_unjudged(exchanges, job.judging),
    )


def run_all(jobs: Sequence[Job], *, workers: int, progress: Progress) -> list[Run]:
    """Judge every journal, up to `workers` at once, in the order of the jobs. Raises as `run`, at the first that fails.

    A job alone tells each of its entries, several tell theirs as they end.
    """
    lines = [count_lines(job.journal) for job in jobs]
    every = sum(lines)
    if len(jobs) == 1:
        return [run(jobs[0], lambda done: progress(done, every))]
    done = 0
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=get_context("spawn")) as pool:
        places = {pool.submit(_quietly, job): place for place, job in enumerate(jobs)}
        found: dict[int, Run] = {}
        try:
            for future in as_completed(places):
                found[places[future]] = future.result()
                done += lines[places[future]]
                progress(done, every)
        finally:
            pool.shutdown(cancel_futures=True)
    return [found[place] for place in range(len(jobs))]


def _quietly(job: Job) -> Run:
    return run(job, lambda _: None)


def _unjudged(exchanges: Iterable[str], judging: Judging | None) -> tuple[str, ...]:
    if judging is None or not judging.watched:
        return ()
    return tuple(sorted(name for name in exchanges if name and name not in judging.watched))
