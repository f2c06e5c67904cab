"""Recorded data turned into journals by the converter: daily bitcoin flows, hot wallets of 2017, Twitter counts."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct
from msgspec.structs import replace

from benchmarks.evaluation import nab
from benchmarks.evaluation.rows import Row, Verdict, judged
from monitor.engine.run import Engines, judge
from monitor.model import (
    Entry,
    ExchangeView,
    IncidentKind,
    Observation,
    ReserveBalance,
    Severity,
    Transition,
    WalletActivity,
)
from monitor.model.view import StatisticState, StatisticView
from monitor.replay.journal import read_entries
from monitor.replay.scoring import pages_of

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
RUN = (datetime(2022, 11, 7, tzinfo=UTC), datetime(2022, 11, 14, tzinfo=UTC))
HELD = datetime(2022, 10, 26, tzinfo=UTC)
TOP = 25
OUTFLOW = (
    IncidentKind.OUTFLOW_SPIKE,
    IncidentKind.UNCONFIRMED_MOVE,
    IncidentKind.SLOW_BLEED,
    IncidentKind.BANK_RUN,
    IncidentKind.SUSPECTED_EXPLOIT,
)
BUSY = 60  # transactions in the five hours: a wallet of fewer is often silent for minutes


class Recorded(Struct, frozen=True, kw_only=True):
    data: Path
    tools: Path

    @property
    def folder(self) -> Path:
        """The data themselves, or the folder that holds them."""
        return self.data / "eval" if (self.data / "eval").is_dir() else self.data

    def rows(self) -> list[Row]:
        return [*self._flows(), *self._wallets(), self._twitter()]

    def _entries(self, kind: str, name: str) -> list[Observation]:
        with TemporaryDirectory() as folder:
            journal = Path(folder) / "journal.jsonl"
            converter = [sys.executable, str(self.tools / "convert_real.py"), kind, str(self.folder / name)]
            subprocess.run([*converter, str(journal)], check=True)  # noqa: S603 - our own paths
            return [entry.observation for entry in read_entries(journal)]

    def _flows(self) -> list[Row]:
        entries = self._entries("btc", "btc_exchange_flows_to_2022.csv")
        days, transitions = _daily(entries)
        told = [t for t in transitions if t.kind in OUTFLOW]
        in_week = [t for t in told if RUN[0] < t.at <= RUN[1]]
        held = [t for t in told if HELD < t.at <= HELD + DAY and t.severity is Severity.CRITICAL]
        what = f"BTC daily flows, {len(entries) // 3} days to 2022"
        has_statistic = any(value is not None for value in days.values())
        return [
            Row(
                what=f"{what}: the week of FTX",
                aim=f"a day of it among the top {TOP}, and flagged in coins",
                measured=f"{_rank(days)}, {_kinds(in_week)}",
                verdict=judged(_best(days) <= TOP and bool(in_week)) if has_statistic else Verdict.NOT_JUDGED,
            ),
            Row(
                what=f"{what}: 2022-10-26, flow and reserve disagree",
                aim="held: no page",
                measured=f"{len(held)} pages",
                verdict=judged(not held) if has_statistic else Verdict.NOT_JUDGED,
            ),
        ]

    def _wallets(self) -> list[Row]:
        entries = self._entries("wallets", "hot_wallet_transactions_2017-03-06.csv")
        whole, _ = _replayed(entries)
        spliced, engines = _replayed(_halted(entries))
        busy = _busy(entries)
        seen = [name for name in busy if _is_watched(engines.view(name))]
        pages, more = len(pages_of(whole)), len(pages_of(spliced))
        return [
            Row(
                what="hot wallets of 2017, five hours",
                aim="0 pages",
                measured=f"{pages} pages",
                verdict=judged(pages == 0),
            ),
            Row(
                what="hot wallets of 2017, a halt spliced into the last hour",
                aim="a watch and no page",
                measured=f"watch at {', '.join(seen) or 'none'}, of {len(busy)} that sent {BUSY} or more; {more} pages",
                verdict=judged(len(seen) == len(busy) and more == 0),
            ),
        ]

    def _twitter(self) -> Row:
        whole = nab.together(list(nab.measured(self.folder).values()))
        false = whole.false / whole.months
        return Row(
            what=f"Twitter sets of the Numenta benchmark, {whole.months:.1f} series-months",
            aim="standard score >= 60, <= 2 false episodes a series-month",
            measured=f"{whole.score:.1f}, {whole.found} of {whole.windows} windows found, {false:.2f} false a month",
            verdict=judged(whole.score >= 60 and false <= 2),
        )


def _daily(entries: Sequence[Observation]) -> tuple[dict[datetime, float | None], list[Transition]]:
    """By day, the statistic of its outflow; and what was told."""
    engines = Engines.fresh()
    transitions: list[Transition] = []
    days: dict[datetime, float | None] = {}
    for entry in entries:
        found = judge(engines, entry, engines.apply)
        transitions += [output for output in found if type(output) is Transition]
        if type(entry) is ReserveBalance:
            days[entry.at - DAY] = _largest(engines.view(entry.exchange))
    return days, transitions


def _largest(view: ExchangeView) -> float | None:
    return max((s.value for s in view.statistics if _is_daily(s) and s.value is not None), default=None)


def _is_daily(statistic: StatisticView) -> bool:
    """Of the window of a day: a slow bleed and counts of payments have statistics of their own."""
    return statistic.detector == "outflow" and statistic.subject.replace(" ", "").endswith("24h")


def _best(days: dict[datetime, float | None]) -> int:
    """Rank of the strangest day of the week among all days, 1 for the first."""
    known = {day: value for day, value in days.items() if value is not None}
    week = [value for day, value in known.items() if RUN[0] <= day < RUN[1]]
    return 1 + sum(value > max(week) for value in known.values()) if week else len(days) + 1


def _rank(days: dict[datetime, float | None]) -> str:
    known = sum(value is not None for value in days.values())
    return f"rank {_best(days)} of {known}" if known else "no statistic"


def _kinds(transitions: Sequence[Transition]) -> str:
    kinds = sorted({f"{t.kind} ({t.severity})" for t in transitions})
    return ", ".join(kinds) or "nothing told"


def _replayed(entries: Sequence[Observation]) -> tuple[list[Transition], Engines]:
    engines = Engines.fresh()
    found: list[Transition] = []
    for seq, observation in enumerate(entries, start=1):
        entry = Entry(seq, observation)
        outputs = judge(engines, entry.observation, engines.apply)
        found += [output for output in outputs if type(output) is Transition]
    return found, engines


def _halted(entries: Sequence[Observation]) -> list[Observation]:
    """Nothing is sent in the last hour."""
    end = entries[-1].at
    return [replace(e, outgoing=0) if type(e) is WalletActivity and e.at > end - HOUR else e for e in entries]


def _busy(entries: Sequence[Observation]) -> list[str]:
    sent: dict[str, int] = {}
    for activity in _activities(entries):
        sent[activity.exchange] = sent.get(activity.exchange, 0) + activity.outgoing
    return sorted(name for name, count in sent.items() if count >= BUSY)


def _activities(entries: Sequence[Observation]) -> Iterator[WalletActivity]:
    return (entry for entry in entries if type(entry) is WalletActivity)


def _is_watched(view: ExchangeView) -> bool:
    """A silence is shown that opens nothing."""
    states = [s.state for s in view.statistics if s.detector == "silence"]
    return "watch" in view.silence_note or StatisticState.SUSPICIOUS in states
