"""Journals of the simulators, replayed: some at a time, and thrown away afterwards."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from msgspec import Struct

from benchmarks.evaluation.crossing import crossings
from monitor.model import Transition
from monitor.replay.journal import read_entries
from monitor.replay.replay import replay
from monitor.replay.scoring import GRACE, Page, Score, pages_of, score, total
from monitor.replay.truth import Event, read_truth

DAYS_A_MONTH = 30.0

Progress = Callable[[str], None]


class Setting(Struct, frozen=True, kw_only=True):
    """What is simulated. The time is weeks for `halt`, else days; `warm_up` of it is without an event."""

    scenario: Literal["halt", "flow", "flags"]
    seeds: tuple[int, ...]
    length: int
    warm_up: int
    events: int
    options: tuple[str, ...] = ()

    @property
    def months(self) -> float:
        """Simulated and judged, over all seeds, of 30 days."""
        days = (self.length - self.warm_up) * (7 if self.scenario == "halt" else 1)
        return len(self.seeds) * days / DAYS_A_MONTH

    def command(self, seed: int) -> list[str]:
        time, events = ("--weeks", "--halts") if self.scenario == "halt" else ("--days", "--events")
        amounts = [time, str(self.length), "--warm-up", str(self.warm_up), events, str(self.events)]
        return [self.scenario, "--seed", str(seed), *amounts, *self.options]

    def __str__(self) -> str:
        seeds = f"seeds {self.seeds[0]}-{self.seeds[-1]}" if len(self.seeds) > 1 else f"seed {self.seeds[0]}"
        options = f"{' '.join(self.options)}, " if self.options else ""
        return f"{options}{seeds}, {self.months:.1f} months"


class Outcome(Struct, frozen=True, kw_only=True):
    """What one seed led to. `crossed` is when the reading came that takes an exploit over a tenth, by its start."""

    seed: int
    score: Score
    events: tuple[Event, ...]
    transitions: tuple[Transition, ...]
    crossed: dict[datetime, datetime]

    def delays(self) -> Iterator[tuple[Event, float]]:
        found = {each.event.start: each.delay_seconds / 60 for each in self.score.matched}
        return ((event, found.get(event.start, float("inf"))) for event in self.events if event.must_page)

    def around(self, event: Event) -> list[Transition]:
        """Transitions that belong to an event."""
        return [t for t in self.transitions if event.start <= t.at <= event.end + GRACE]

    def pages(self, event: Event) -> list[Page]:
        return [page for page in pages_of(self.transitions) if event.start <= page.at <= event.end + GRACE]


class Outcomes(Struct, frozen=True, kw_only=True):
    """All seeds of a setting."""

    setting: Setting
    seeds: tuple[Outcome, ...]

    @property
    def score(self) -> Score:
        return total([outcome.score for outcome in self.seeds])

    @property
    def false_a_month(self) -> float:
        """False pages, and those of events that must not page."""
        whole = self.score
        return (len(whole.false) + len(whole.unwanted)) / self.setting.months

    def delays(self, kind: str, note: str | None = None) -> list[float]:
        """Minutes from the start of each event that must page to its first page, sorted; never is infinite."""
        return sorted(
            delay
            for seed in self.seeds
            for event, delay in seed.delays()
            if event.kind == kind and note in (None, event.note)
        )


def simulate(
    settings: Sequence[Setting], *, tools: Path, processes: int, progress: Progress
) -> dict[Setting, Outcomes]:
    """Every setting with all of its seeds. Raises CalledProcessError where a simulator fails."""
    found: dict[Setting, list[Outcome]] = {setting: [] for setting in settings}
    jobs = [(setting, seed) for setting in found for seed in setting.seeds]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        running = {pool.submit(run, setting, seed, tools): setting for setting, seed in jobs}
        for done, future in enumerate(as_completed(running), start=1):
            setting = running[future]
            found[setting].append(future.result())
            progress(f"{done} of {len(jobs)} journals: {setting.scenario}, {setting}")
    return {
        setting: Outcomes(setting=setting, seeds=tuple(sorted(outcomes, key=lambda outcome: outcome.seed)))
        for setting, outcomes in found.items()
    }


def run(setting: Setting, seed: int, tools: Path) -> Outcome:
    """Simulate, replay and score one seed."""
    with TemporaryDirectory() as folder:
        journal, truth = Path(folder) / "journal.jsonl", Path(folder) / "truth.jsonl"
        simulator = [sys.executable, str(tools / "simulate_journal.py"), *setting.command(seed)]
        subprocess.run([*simulator, "--out", str(journal), "--truth", str(truth)], check=True)  # noqa: S603 - our own
        events = read_truth(truth)
        entries = replay(read_entries(journal))
        transitions = tuple(output for _, found in entries for output in found if type(output) is Transition)
        crossed = crossings(journal, [event for event in events.events if event.kind == "suspected_exploit"])
    return Outcome(
        seed=seed,
        score=score(pages_of(transitions), events),
        events=events.events,
        transitions=transitions,
        crossed=crossed,
    )
