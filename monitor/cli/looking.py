"""One look at the world: every probe once, and what fresh engines make of it. Nothing is kept."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from monitor.cli.explaining import Explanation
from monitor.cli.judged import judged_by
from monitor.clock import Clock
from monitor.config import Config, judging_sha256
from monitor.engine.run import Engines, judge
from monitor.model import (
    ConfigApplied,
    Control,
    ExchangeState,
    ExchangeView,
    FailureReason,
    Judging,
    Observation,
    ProbeFailure,
    RailStatus,
    RailVerdict,
    Reading,
    RemoteError,
    Tick,
)
from monitor.polls import Poll, control_of, opened, polls_of
from monitor.probes.probe import Probe
from monitor.reserves.book import Book

SEATS = 64  # probes that may be looking at the same time
PATIENCE_SECONDS = 60.0  # real ones, for a probe with all its requests
OFF = (RailVerdict.SUSPENDED, RailVerdict.MAINTENANCE)


class Look(Struct, frozen=True, kw_only=True):
    """What was seen, exchanges in the order they were asked for, and what could not be."""

    generated_at: datetime
    control: Control | None  # None: not done in time
    exchanges: tuple[ExchangeView, ...]
    unseen: tuple[ProbeFailure, ...]
    without_wallets: tuple[str, ...]  # exchanges whose payments no probe can see
    explained: tuple[Explanation, ...] | UnsetType = UNSET  # if asked for


class Sighting(Struct, frozen=True):
    """A look, and what the lists told in it of each of their rails."""

    look: Look
    statuses: tuple[RailStatus, ...]


class _Seen(Struct, frozen=True):
    readings: list[Reading]
    unseen: list[ProbeFailure] = []


async def look(
    config: Config,
    *,
    book: Book,
    exchanges: Sequence[str],
    clock: Clock,
    progress: Callable[[int, int], None],
) -> Sighting:
    """Observe the named exchanges of `config` at once. `progress` gets the probes done and their number."""
    async with opened(config, clock) as ways:
        everything = polls_of(config, ways=ways, book=book)
        polls = [poll for poll in everything if poll.probe.exchange in exchanges and poll.at_a_glance]
        control = Poll(probe=control_of(config, http=ways.http, clock=clock))
        seen = await _observe([control, *polls], clock=clock, progress=progress)
    now = clock.now()
    engines = _judged(judged_by(config, everything), [r for each in seen for r in each.readings], now=now)
    with_wallets = [poll.probe.exchange for poll in polls if poll.history is not None]
    found = Look(
        generated_at=now,
        control=_sight(seen[0]),
        # One look learns nothing of what is usual.
        exchanges=tuple(replace(engines.view(name), silence_note="") for name in exchanges),
        unseen=tuple(failure for each in seen for failure in each.unseen),
        without_wallets=tuple(name for name in exchanges if name not in with_wallets),
    )
    told = (observation for each in seen for reading in each.readings for observation in reading)
    return Sighting(found, tuple(observation for observation in told if type(observation) is RailStatus))


def withdrawals(look: Look) -> ExchangeState:
    """The worst of all exchanges: one that is halted or degraded counts before one that is unknown."""
    states = [view.withdrawals for view in look.exchanges]
    worst_first = (ExchangeState.HALTED, ExchangeState.DEGRADED, ExchangeState.UNKNOWN)
    return next((state for state in worst_first if state in states), ExchangeState.OPERATIONAL)


def rails(look: Look) -> ExchangeState:
    """The same of the watched rails: degraded where one is off, unknown where one is not read."""
    verdicts = [rail.verdict for view in look.exchanges for rail in view.rails]
    if any(verdict in OFF for verdict in verdicts):
        return ExchangeState.DEGRADED
    return ExchangeState.UNKNOWN if RailVerdict.UNKNOWN in verdicts else ExchangeState.OPERATIONAL


async def _observe(polls: Sequence[Poll], *, clock: Clock, progress: Callable[[int, int], None]) -> list[_Seen]:
    seats = asyncio.Semaphore(SEATS)
    done = 0

    async def work(poll: Poll) -> _Seen:
        nonlocal done
        async with seats:
            seen = await _once(poll, clock)
        done += 1
        progress(done, len(polls))
        return seen

    progress(0, len(polls))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work(poll), name=poll.probe.name) for poll in polls]
    return [task.result() for task in tasks]


async def _once(poll: Poll, clock: Clock) -> _Seen:
    """What a probe sees now, after what it can tell of the time before."""
    seen = _Seen([])
    if poll.history is not None:
        history = await _tried(poll.history(), poll.probe, clock)
        match history:
            case ProbeFailure():
                seen.unseen.append(history)
            case _:
                seen.readings.extend(history)
    now = await _tried(_reading(poll.probe), poll.probe, clock)
    match now:
        case ProbeFailure():
            return _Seen([*seen.readings, (now,)], [now])
        case _:
            return _Seen([*seen.readings, *now], seen.unseen)


async def _reading(probe: Probe) -> list[Reading]:
    return [await probe.observe()]


async def _tried(work: Awaitable[list[Reading]], probe: Probe, clock: Clock) -> list[Reading] | ProbeFailure:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await work
    except RemoteError as error:
        reason, detail = error.reason, error.detail
    except TimeoutError:
        reason, detail = FailureReason.TIMEOUT, f"not done within {PATIENCE_SECONDS:.0f} s"
    return ProbeFailure(at=clock.now(), exchange=probe.exchange, probe=probe.name, reason=reason, detail=detail)


def _judged(judging: Judging, readings: Sequence[Reading], *, now: datetime) -> Engines:
    seen = sorted((reading for reading in readings if reading), key=lambda reading: reading[0].at)
    began = min([now, *(reading[0].at for reading in seen)])
    entries: list[Observation] = [
        ConfigApplied(at=began, probe="config", config=judging, sha256=judging_sha256(judging)),
        *(observation for reading in seen for observation in reading),
        Tick(at=now, probe="tick"),
    ]
    engines = Engines.fresh()
    for entry in entries:
        judge(engines, entry, engines.apply)
    return engines


def _sight(seen: _Seen) -> Control | None:
    """What our own control targets told; None where they were not done in time."""
    for observation in (observation for reading in seen.readings for observation in reading):
        match observation:
            case Control():
                return observation
            case _:
                pass
    return None
