"""Replay: a journal file in, the transitions it leads to out. No network, no posts, no clock."""

from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

import msgspec

from monitor.engine.run import Engines, judge, without
from monitor.model import Change, ConfigApplied, Entry, Judging, Output, Transition, Verdict
from monitor.replay.journal import read_entries, refusals

REPORT_ENTRIES = 5_000


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    entries: int
    transitions: int
    incidents: int
    diverged: int  # verdicts of the journal that were not derived again


def replay(
    entries: Iterable[Entry],
    *,
    judging: Judging | None = None,
    refused: Collection[tuple[int, str]] = (),
    engines: Engines | None = None,
) -> Iterator[tuple[Entry, list[Output]]]:
    """Feed a journal to engines, fresh ones by default. `judging` replaces whatever configuration the journal holds.

    `refused` names entries and the engines that could not take them when the journal was written.
    """
    engines = Engines.fresh() if engines is None else engines
    configured = judging is None
    for entry in entries:
        if judging is not None and not configured:
            configured = True
            at = entry.observation.at
            judge(engines, ConfigApplied(at=at, probe="replay", config=judging, sha256=""), engines.apply)
        if judging is not None and type(entry.observation) is ConfigApplied:
            continue
        attempt = without(engines, entry.seq, refused) if refused else engines.apply
        yield entry, judge(engines, entry.observation, attempt)


def replay_file(journal: Path, out: Path, *, judging: Judging | None, progress: Callable[[int, int], None]) -> Replayed:
    """Write every transition of a journal as a line of JSON. `progress(entries, transitions)` is told now and then.

    Verdicts that the journal holds are compared with those derived, and never applied.
    """
    encoder = msgspec.json.Encoder()
    written = count = diverged = incidents = 0
    derived: dict[str, Verdict] = {}
    with out.open("wb") as lines:
        for entry, outputs in replay(read_entries(journal), judging=judging, refused=refusals(journal)):
            if type(entry.observation) is Verdict:
                diverged += derived.get(entry.observation.exchange) != entry.observation
            for output in outputs:
                if type(output) is Verdict:
                    derived[output.exchange] = output
                if type(output) is Transition:
                    lines.write(encoder.encode(output) + b"\n")
                    written += 1
                    incidents += output.transition is Change.OPENED
            count = entry.seq
            if count % REPORT_ENTRIES == 0:
                progress(count, written)
    progress(count, written)
    return Replayed(entries=count, transitions=written, incidents=incidents, diverged=diverged)
