"""Replay with every detector at work: entries a second of CPU, against json.loads of the standard library.

The same lines for both. The journal is mixed: payments, flows, reserves, a list, mentions, prices and control, with a
halt. Medians of rounds.
"""

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from msgspec import Struct

from monitor.model import Flow, Mentions, Observation, Price, RailState, ReserveBalance
from monitor.replay.journal import read_entries, write_line
from monitor.replay.replay import replay_file
from tests import journals

EXCHANGE = "examplex"
MINUTES = 3 * 1440
HALT = range(MINUTES - 200, MINUTES - 180)
ROUNDS = 3
RESERVE = Decimal(650_000)


class Measured(Struct, frozen=True, kw_only=True):
    entries: int
    transitions: int
    replay_seconds: float
    decode_seconds: float  # of our decoder alone
    peer_seconds: float  # of the peer alone

    @property
    def entries_a_second(self) -> float:
        return self.entries / self.replay_seconds


def measured() -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder) / "journal.jsonl", Path(folder) / "transitions.jsonl"
        entries = journal()
        lines = [write_line(entry) for entry in entries]
        path.write_bytes(b"".join(lines))
        replayed = _median(lambda: replay_file(path, out, judging=None, progress=lambda _, __: None))
        decoded = _median(lambda: list(read_entries(path)))
        parsed = _median(lambda: [json.loads(line) for line in lines])
        transitions = out.read_bytes().count(b"\n")
    return Measured(
        entries=len(entries),
        transitions=transitions,
        replay_seconds=replayed,
        decode_seconds=decoded,
        peer_seconds=parsed,
    )


def journal() -> list[Observation]:
    """Three days of one exchange, every kind a detector reads at its usual interval; a halt of twenty minutes."""
    entries: list[Observation] = [*journals.rail(0, RailState.OPEN), journals.read(0)]
    for minute in range(1, MINUTES):
        entries += journals.usual(range(minute, minute + 1), factor=0.0 if minute in HALT else 1.0)
        entries += _listed(minute)
        entries.append(_flow(minute, outflow=0 if minute in HALT else 40))
        entries.append(journals.control(minute, ok=True))
        if minute % 5 == 0:
            entries += [_mentioned(minute), _priced(minute)]
        if minute % 10 == 0:
            entries.append(_held(minute))
    return entries


def _listed(minute: int) -> list[Observation]:
    turns = {HALT.start + 6: RailState.SUSPENDED, HALT.stop: RailState.OPEN}
    changed = journals.rail(minute, turns[minute]) if minute in turns else []
    return [*changed, journals.read(minute, changed=len(changed))]


def _flow(minute: int, *, outflow: int) -> Flow:
    return Flow(
        at=journals.at(minute),
        exchange=EXCHANGE,
        probe=f"{EXCHANGE}-ethereum-flows",
        asset="ETH",
        network="ethereum",
        window_seconds=60.0,
        inflow=Decimal(40),
        outflow=Decimal(outflow + minute % 7),
        inflow_count=20,
        outflow_count=outflow // 2,
        outflow_sum_of_squares=Decimal(4 * outflow),
        outflow_max=Decimal(outflow) / 4,
        internal=Decimal(0),
    )


def _held(minute: int) -> ReserveBalance:
    return ReserveBalance(
        at=journals.at(minute),
        exchange=EXCHANGE,
        probe=f"{EXCHANGE}-ethereum-reserves",
        asset="ETH",
        network="ethereum",
        amount=RESERVE - 3 * minute,
        height=minute,
        wallets=4,
        wallets_read=4,
    )


def _mentioned(minute: int) -> Mentions:
    return Mentions(
        at=journals.at(minute),
        exchange=EXCHANGE,
        probe=f"{EXCHANGE}-mentions",
        query=EXCHANGE,
        count=50 + minute % 13,
        window_seconds=300.0,
    )


def _priced(minute: int) -> Price:
    return Price(at=journals.at(minute), probe="prices", asset="ETH", usd=Decimal(2_500 + minute % 11), source="a feed")


def _median(work: Callable[[], object]) -> float:
    return statistics.median(_cpu_seconds(work) for _ in range(ROUNDS))


def _cpu_seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def main() -> None:
    found = measured()
    print(f"{found.entries:,} entries, {found.transitions} transitions; medians of {ROUNDS}, entries a CPU second")
    print(f"replay                 {found.entries_a_second:>10,.0f}")
    print(f"decoding alone         {found.entries / found.decode_seconds:>10,.0f}")
    peer = found.entries / found.peer_seconds
    ratio = found.replay_seconds / found.peer_seconds
    print(f"json.loads alone       {peer:>10,.0f}; replay takes {ratio:.1f} times as long")


if __name__ == "__main__":
    main()
