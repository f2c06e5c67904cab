"""Draws the pictures of docs/detection.md from the scenarios: `PYTHONPATH=. python tools/pictures.py [FOLDER]`."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from monitor.engine.run import Engines
from monitor.model import Entry
from monitor.replay.replay import replay
from monitor.replay.scenarios import SCENARIOS
from monitor.replay.scenarios.reconstruction import entries
from monitor.replay.scenarios.scenario import Scenario
from monitor.report.drawing import Picture
from monitor.report.marks import marks_of
from monitor.report.period import Period
from monitor.report.pictures import payments, rates, statistic
from monitor.report.recorder import Recorder

FOLDER = Path(__file__).parents[1] / "docs" / "images"
Drawn = Callable[[Recorder, str], Picture]


class Wanted(Struct, frozen=True):
    """A picture of a scenario, named after it."""

    scenario: str
    begin: datetime
    end: datetime
    draw: Drawn


def of_statistic(detector: str, subject: str, *, network: str = "") -> Drawn:
    """Beside the payments on `network`, where it does not tell them itself."""

    def draw(recorder: Recorder, exchange: str) -> Picture:
        track, period = recorder.tracks[exchange], recorder.period
        marks = marks_of(recorder.transitions, recorder.statements, period)
        read = rates(track.paid[network], period) if network else ()
        return statistic(detector, track.statistics[detector, subject], period=period, marks=marks, read=read)

    return draw


def of_payments(recorder: Recorder, exchange: str) -> Picture:
    marks = marks_of(recorder.transitions, recorder.statements, recorder.period)
    return payments("paid", recorder.tracks[exchange], period=recorder.period, marks=marks)


def _at(year: int, month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


PICTURES = {
    "silence": Wanted(
        "2026-02-03-halt",
        _at(2026, 2, 3, 1, 45),
        _at(2026, 2, 3, 3),
        of_statistic("silence", "ethereum", network="ethereum"),
    ),
    "outflow": Wanted(
        "2025-02-21-exploit", _at(2025, 2, 21, 13), _at(2025, 2, 21, 18), of_statistic("outflow", "BTC@bitcoin 1h")
    ),
    "campaign": Wanted(
        "2026-02-04-campaign",
        _at(2026, 2, 4, 3),
        _at(2026, 2, 4, 23),
        of_statistic("campaign", "binance withdraw 5 min"),
    ),
    "flapping": Wanted("2021-11-01-flapping", _at(2021, 11, 1, 8, 15), _at(2021, 11, 1, 10), of_payments),
}


def recorded(scenario: Scenario, period: Period) -> Recorder:
    engines = Engines.fresh()
    recorder = Recorder(engines, period)
    journal = (Entry(seq, entry) for seq, entry in enumerate(entries(scenario), start=1))
    for entry, outputs in replay(journal, engines=engines):
        if not recorder.take(entry.observation, outputs):
            break
    return recorder


def main(folder: Path) -> None:
    for name, wanted in PICTURES.items():
        scenario = SCENARIOS[wanted.scenario]
        recorder = recorded(scenario, Period(wanted.begin, wanted.end))
        picture = wanted.draw(recorder, scenario.exchange)
        (folder / f"{name}.svg").write_text(picture.svg + "\n", encoding="utf-8")
        print(f"![{picture.title}. {picture.alt}](images/{name}.svg)")  # noqa: T201 # for the page


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
