"""What the detectors cost: CPU time a stream update, state a stream, entries a second with all of them."""

import random
import time
from collections.abc import Callable, Sequence
from functools import partial

import msgspec
from msgspec import Struct

from benchmarks import replay
from benchmarks.evaluation.rows import Row, judged
from monitor.engine.detectors.outflow.detector import Outflow, OutflowLearned, OutflowMemory
from monitor.engine.engine import Engine
from monitor.engine.money import Money, MoneyMemory
from monitor.model import Flow, Observation
from tests import journals
from tests.outflow import flow

EXCHANGE = "examplex"
ASSETS = ("BTC", "ETH", "SOL", "XRP")
DAYS = 8  # past the first midnights and a whole week of hours
RUNS = 3
UPDATE_MICROSECONDS = 20.0
STREAM_BYTES = 4096
ENTRIES_A_SECOND = 40_000


def rows() -> list[Row]:
    speed = replay.measured().entries_a_second
    return [
        *_stream_rows(
            "hot wallets, with the whole engine", _median(partial(_wallets, journals.usual(range(1, DAYS * 1440))))
        ),
        *_stream_rows("flows, the detector alone", _median(partial(_outflow, _flows()))),
        Row(
            what="entries a CPU second, all detectors",
            aim=f">= {ENTRIES_A_SECOND:,}",
            measured=f"{speed:,.0f}",
            verdict=judged(speed >= ENTRIES_A_SECOND),
        ),
    ]


class Cost(Struct, frozen=True):
    seconds: float  # of CPU
    updates: int
    size: int  # bytes that all streams add to a checkpoint
    streams: int


def _stream_rows(name: str, cost: Cost) -> list[Row]:
    update, size = 1e6 * cost.seconds / cost.updates, cost.size / cost.streams
    return [
        Row(
            what=f"cost of a stream update: {name} ({cost.updates:,} updates, one of {cost.streams} streams a time)",
            aim=f"<= {UPDATE_MICROSECONDS:g} us of CPU",
            measured=f"{update:.1f} us",
            verdict=judged(update <= UPDATE_MICROSECONDS),
        ),
        Row(
            what=f"state of a stream, encoded: {name} ({DAYS} days)",
            aim=f"<= {STREAM_BYTES:,} bytes",
            measured=f"{size:,.0f} bytes",
            verdict=judged(size <= STREAM_BYTES),
        ),
    ]


def _median(measured: Callable[[], Cost]) -> Cost:
    return sorted((measured() for _ in range(RUNS)), key=lambda cost: cost.seconds)[RUNS // 2]


def _wallets(entries: Sequence[Observation]) -> Cost:
    engine = Engine.fresh(EXCHANGE)
    empty = len(engine.checkpoint())
    started = time.process_time()
    for entry in entries:
        engine.apply(entry)
    seconds = time.process_time() - started
    return Cost(seconds, len(entries), len(engine.checkpoint()) - empty, len(journals.RATES))


def _outflow(flows: Sequence[Flow]) -> Cost:
    outflow = Outflow(OutflowMemory(), OutflowLearned(), Money(MoneyMemory(), exchange=EXCHANGE))
    dated = [(told, told.at.timestamp()) for told in flows]
    started = time.process_time()
    for place, (told, at) in enumerate(dated, start=1):
        outflow.observe(told, at)
        if place % len(ASSETS) == 0:
            outflow.judge(at)
            outflow.findings()
    seconds = time.process_time() - started
    state = msgspec.msgpack.encode((outflow.memory, outflow.learned))
    return Cost(seconds, len(flows), len(state), len(ASSETS))


def _flows() -> list[Flow]:
    """A minute each of several assets: as many payments in as out, as luck has it."""
    dice = random.Random(1)  # noqa: S311  seeded payments, not a secret
    return [
        flow(
            minute, _payments(dice), inflow=sum(came := _payments(dice)), arrivals=len(came), seconds=60.0, asset=asset
        )
        for minute in range(1, DAYS * 1440)
        for asset in ASSETS
    ]


def _payments(dice: random.Random) -> list[float]:
    return [dice.lognormvariate(0.0, 1.0) for _ in range(round(dice.gammavariate(5.0, 1.0)))]
