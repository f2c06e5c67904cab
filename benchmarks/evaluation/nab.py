"""The campaign detector on the Twitter sets of the Numenta Anomaly Benchmark (NAB): `make eval`.

Score: Lavin and Ahmad, "Evaluating Real-Time Anomaly Detection Algorithms", ICMLA 2015, standard profile. In a window
counts the first detection, by its place: s(y) = 2 / (1 + e^(5y)) - 1, y from -1 at the left edge to 0 at the right one,
so that 1 is the best. A window without one costs 1. A detection outside costs 0.11, less of it soon after a window.
The first 15 % of a series, 750 readings at most, are not scored. 0 is what detects nothing, 100 what is perfect.

Only the threshold of the detector itself is used: none is looked for on the sets. An episode is one detection, at the
reading on which its incident opened (or was reopened); what belongs to it later is none.
"""

import csv
import json
import math
import os
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from monitor.model import Change, IncidentKind, Mentions, Transition
from monitor.replay.replay import replay_file

FALSE_POSITIVE = 0.11
STEEP = 5.0
FAR = 3.0  # windows after one that is over, a detection costs everything
PROBATION_SHARE, PROBATION_MOST = 0.15, 750
MONTH = 30 * 288
READING = timedelta(minutes=5)

Window = tuple[int, int]
"""The places of its first and last reading."""


class Scored(msgspec.Struct, frozen=True):
    raw: float
    windows: int
    found: int
    false: int
    months: float  # that were scored

    @property
    def score(self) -> float:
        return 100 * (self.raw + self.windows) / (2 * self.windows)


def together(parts: Sequence[Scored]) -> Scored:
    """Several series as NAB adds them up."""
    return Scored(
        raw=sum(part.raw for part in parts),
        windows=sum(part.windows for part in parts),
        found=sum(part.found for part in parts),
        false=sum(part.false for part in parts),
        months=sum(part.months for part in parts),
    )


def score(detections: Sequence[int], windows: Sequence[Window], *, readings: int) -> Scored:
    """`detections` are places of readings; `windows` are in order and do not overlap."""
    probation = probationary(readings)
    counted = sorted(place for place in detections if place >= probation)
    firsts = [next((p for p in counted if first <= p <= last), None) for first, last in windows]
    outside = [p for p in counted if not any(first <= p <= last for first, last in windows)]
    hits = [_hit(p, w) if p is not None else -1.0 for p, w in zip(firsts, windows, strict=True)]
    return Scored(
        raw=sum(hits) + FALSE_POSITIVE * sum(_miss(place, windows) for place in outside),
        windows=len(windows),
        found=sum(place is not None for place in firsts),
        false=len(outside),
        months=(readings - probation) / MONTH,
    )


def probationary(readings: int) -> int:
    return min(int(PROBATION_SHARE * readings), PROBATION_MOST)


def _hit(place: int, window: Window) -> float:
    first, last = window
    return _sigmoid(-(last - place + 1) / (last - first + 1)) / _sigmoid(-1.0)


def _miss(place: int, windows: Sequence[Window]) -> float:
    """-1 far from any window that is over, nearly 0 just after one."""
    before = [window for window in windows if window[1] < place]
    if not before:
        return -1.0
    first, last = before[-1]
    return _sigmoid((place - last) / (last - first))


def _sigmoid(place: float) -> float:
    return -1.0 if place > FAR else 2 / (1 + math.exp(STEEP * place)) - 1


class _Series(msgspec.Struct, frozen=True):
    times: list[datetime]
    counts: list[int]


def main() -> None:
    data = os.environ.get("CEXWATCH_EVAL_DATA")
    if data is None:
        sys.exit("CEXWATCH_EVAL_DATA is not set: it names the folder with nab/windows.json and nab/realTweets")
    print("series   NAB score  windows found  false a month")
    parts = measured(Path(data))
    for name, part in parts.items():
        _print(name, part)
    _print("all", together(list(parts.values())))


def measured(data: Path) -> dict[str, Scored]:
    """Every Twitter set of the folder that holds `nab`, by its name."""
    labels: dict[str, list[tuple[str, str]]] = json.loads((data / "nab/windows.json").read_text())
    parts = {}
    for file in sorted((data / "nab/realTweets").glob("*.csv")):
        series = _read(file)
        windows = [(_place(series, begun), _place(series, ended)) for begun, ended in labels[f"realTweets/{file.name}"]]
        parts[file.stem.rpartition("_")[2]] = score(_detections(series), windows, readings=len(series.times))
    return parts


def _print(name: str, scored: Scored) -> None:
    found = f"{scored.found} of {scored.windows}"
    print(f"{name:<8} {scored.score:>9.1f}  {found:>13}  {scored.false / scored.months:>13.2f}")


def _read(file: Path) -> _Series:
    with file.open(newline="") as source:
        rows = list(csv.DictReader(source))
    times = [datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC) for row in rows]
    return _Series(times, [int(float(row["value"])) for row in rows])


def _place(series: _Series, at: str) -> int:
    return series.times.index(datetime.fromisoformat(at).replace(tzinfo=UTC))


def _detections(series: _Series) -> list[int]:
    """Where campaigns open, by a replay of the whole journal."""
    with tempfile.TemporaryDirectory() as folder:
        journal, out = Path(folder) / "mentions.jsonl", Path(folder) / "transitions.jsonl"
        journal.write_bytes(b"".join(_line(at, count) for at, count in zip(series.times, series.counts, strict=True)))
        replay_file(journal, out, judging=None, progress=lambda _, __: None)
        told = [msgspec.json.decode(line, type=Transition) for line in out.read_bytes().splitlines()]
    places = {at + READING: place for place, at in enumerate(series.times)}
    return [
        places[t.at]
        for t in told
        if t.kind is IncidentKind.CAMPAIGN and t.transition in (Change.OPENED, Change.REOPENED)
    ]


def _line(at: datetime, count: int) -> bytes:
    seen = Mentions(
        at=at + READING, exchange="examplex", probe="mentions", query="examplex", count=count, window_seconds=300.0
    )
    return msgspec.json.encode(seen) + b"\n"


if __name__ == "__main__":
    main()
