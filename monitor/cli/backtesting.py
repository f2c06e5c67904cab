"""`cexwatch backtest`: journals under one configuration or two, as a table with what it is matched against."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
from rich.table import Column, Table
from rich.text import Text

from monitor.cli import screen
from monitor.cli.judged import judging_of
from monitor.cli.outcome import Code, fail, tell
from monitor.cli.screen import quiet, visible
from monitor.clock import Clock
from monitor.replay.comparing import OF_THE_JOURNAL, Backtest, Setting, backtest
from monitor.replay.scoring import Page, Score
from monitor.replay.truth import Event
from monitor.report import wording
from monitor.web import phrases

TOLD = 12  # of missed events and of pages, of each journal
PIPED_WIDTH = 160
HEADINGS = ("matched", "missed", "false", "unwanted", "kind right", "median delay", "<= 2 min", "<= 5 min")


def settings_of(config: Path | None, compare: Path | None) -> list[Setting]:
    """One configuration or two. Ends the command where one is wrong."""
    first = Setting(str(config), judging_of(config)) if config is not None else Setting(OF_THE_JOURNAL, None)
    return [first] if compare is None else [first, Setting(str(compare), judging_of(compare))]


def one_truth(journals: Sequence[Path], truth: Path | None) -> None:
    """Ends the command where one truth is given for several journals."""
    if truth is not None and len(journals) > 1:
        fail("--truth is of one journal; of several, each has its own beside it", code=Code.USAGE)


def judged(journals: Sequence[Path], settings: Sequence[Setting], *, truth: Path | None) -> Backtest:
    """Judge them, with a bar, and say what is not judged. Raises JournalError, OSError."""
    with screen.counting("judging", unit="entries") as progress:
        found = backtest(journals, settings, truth=truth, workers=_cores(), progress=progress)
    for outcome in found.outcomes:
        if outcome.run.unjudged:
            names = phrases.several(outcome.run.unjudged, 6)
            tell(f"{outcome.journal}: {outcome.configuration} does not name {names}, so nothing of it is judged")
    return found


def show(journals: Sequence[Path], settings: Sequence[Setting], *, truth: Path | None, as_json: bool) -> None:
    """Print what came of it. Raises JournalError, OSError."""
    clock = Clock()
    found = judged(journals, settings, truth=truth)
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    console = screen.out()
    if not console.is_terminal:
        console.width = PIPED_WIDTH
    console.print(_table(found))
    for line in _below(found):
        console.print(line)
    entries = sum(outcome.run.entries for outcome in found.outcomes)
    console.print(quiet(f"\n{entries:,} entries in {clock.monotonic():.1f} s"))


def figures(score: Score | None) -> tuple[str, ...]:
    """Matched, missed, false, unwanted, kind right, median delay, within 2 and 5 minutes."""
    if score is None:
        return ("",) * 8
    shares = (score.within_2_minutes, score.within_5_minutes)
    return (
        f"{len(score.matched)} of {score.events}",
        str(len(score.missed)),
        str(len(score.false)),
        str(len(score.unwanted)),
        str(score.kind_right),
        wording.delay(score.median_delay_seconds),
        *(wording.percent(share) for share in shares),
    )


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _table(found: Backtest) -> Table:
    columns = [Column(name, justify="right") for name in ("incidents", "pages", *HEADINGS, "drafts")]
    table = Table("journal", "judged by", *columns, box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for outcome in found.outcomes:
        run = outcome.run
        counts = (run.incidents, len(run.pages), run.drafts)
        table.add_row(Path(outcome.journal).name, outcome.configuration, *_cells(counts, outcome.score))
    if len(found.outcomes) > len(found.totals):
        for total in found.totals:
            counts = (total.incidents, total.pages, total.drafts)
            table.add_row(Text("all", "bold"), total.configuration, *_cells(counts, total.score))
    return table


def _cells(counts: tuple[int, int, int], score: Score | None) -> list[str]:
    incidents, pages, drafts = counts
    return [str(incidents), str(pages), *figures(score), str(drafts)]


def _below(found: Backtest) -> Iterator[Text]:
    """What it was matched against, then what was missed and what was false, then what the second one changes."""
    for outcome in found.outcomes:
        yield Text(f"\n{Path(outcome.journal).name}, {outcome.configuration}: {wording.against(outcome)}")
        if outcome.score is not None:
            yield from _events("missed", outcome.score.missed)
            yield from _pages("false", outcome.score.false)
            yield from _pages("unwanted", outcome.score.unwanted)
        else:
            yield from _pages("page", outcome.run.pages)
    for change in found.changes:
        it = change.difference
        words = f"{len(it.kept)} pages of both, {len(it.lost)} only of the first, {len(it.new)} only of the second"
        yield Text(f"\n{Path(change.journal).name}: {words}")
        yield from _pages("only of the first", it.lost)
        yield from _pages("only of the second", it.new)


def _events(word: str, events: Iterable[Event]) -> Iterator[Text]:
    lines = [f"  {word}  {phrases.exact(e.start)}  {e.exchange}  {phrases.worded(e.kind)}  {e.note}" for e in events]
    return _first(lines)


def _pages(word: str, pages: Iterable[Page]) -> Iterator[Text]:
    lines = [f"  {word}  {phrases.exact(p.at)}  {p.exchange}  {phrases.worded(p.kind)}  {p.summary}" for p in pages]
    return _first(lines)


def _first(lines: Sequence[str]) -> Iterator[Text]:
    for line in lines[:TOLD]:
        yield Text(visible(line))
    if len(lines) > TOLD:
        yield quiet(f"  and {len(lines) - TOLD} more: --json tells all")
