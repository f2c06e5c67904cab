"""An entry that one engine cannot take: it goes on without it, everybody else with it, and so does every restart."""

from collections.abc import Sequence
from pathlib import Path

import pytest

import tests.journals as j
from monitor.engine.run import WORLD, Engines
from monitor.model import (
    ConfigApplied,
    Draft,
    EntryRefused,
    Judging,
    Observation,
    RailState,
    Stage,
    Transition,
    Verdict,
    WatchedRail,
)
from monitor.restart import resume
from tests.faults.allergy import Allergic, Refuses, led_to
from tests.faults.pipelines import live, live_until_killed, states
from tests.server.store_samples import opened, read

MINE, OTHER = "examplex", "otherx"
WATCHED = tuple(WatchedRail(asset=rail.asset, network=rail.network) for rail in j.MAJORS)


def configured(minutes: float, *, expiry: float = 1200.0) -> ConfigApplied:
    judged_by = Judging(watched={MINE: WATCHED, OTHER: WATCHED}, draft_expiry_seconds=expiry)
    return ConfigApplied(at=j.at(minutes), probe="config", config=judged_by, sha256=f"{minutes}")


def story() -> list[Observation]:
    """Both exchanges close and reopen; we are blind for a while, and the configuration changes."""
    entries: list[Observation] = [configured(0)]
    for minute in range(1, 30):
        state = RailState.SUSPENDED if 5 <= minute < 15 else RailState.OPEN
        for exchange in (MINE, OTHER):
            changed = j.rail(minute, state, exchange=exchange) if minute in (1, 5, 15) else []
            entries += [*changed, j.read(minute, changed=len(changed), exchange=exchange)]
        entries += [j.traded(minute), j.control(minute + 0.2, ok=minute not in (9, 10)), j.tick(minute + 0.5)]
    return sorted([*entries, configured(7.1, expiry=900.0)], key=lambda entry: entry.at)


POISON = [
    pytest.param(j.said(6.3, "poison", Stage.IDENTIFIED), id="a statement"),
    pytest.param(j.traded(8.0), id="a trade"),
    pytest.param(j.read(5.0, changed=5), id="the end of the list that told the halt"),
    pytest.param(j.tick(6.5), id="an entry of the world"),
    pytest.param(j.tick(15.5), id="an entry of the world in the recovery"),
]


@pytest.mark.parametrize("saved", [pytest.param(0, id="no checkpoint"), pytest.param(20, id="checkpoint before")])
@pytest.mark.parametrize("poison", POISON)
async def test_an_engine_goes_on_without_an_entry_that_it_cannot_take(
    poison: Observation, saved: int, tmp_path: Path
) -> None:
    entries = story() if poison in story() else sorted([*story(), poison], key=lambda entry: entry.at)
    refused = await _check(
        entries, refuses=lambda name, entry: (name, entry) == (MINE, poison), saved=saved, path=tmp_path / "cexwatch.db"
    )
    assert refused == [(MINE, poison)]


async def test_the_world_goes_on_without_what_an_engine_says(tmp_path: Path) -> None:
    """The verdict comes while the world reads an entry of its own, which it must not lose at the next start."""
    entries = [
        configured(0),
        *j.rail(1, RailState.OPEN, exchange=MINE),
        j.read(1, changed=len(j.MAJORS), exchange=MINE),
        j.tick(2),
        j.control(5, ok=False),
        j.control(6, ok=False),
        j.tick(7),
    ]

    def refuses(name: str, entry: Observation) -> bool:
        return name == WORLD and type(entry) is Verdict and entry.at >= j.at(3)

    refused = await _check(entries, refuses=refuses, saved=0, path=tmp_path / "cexwatch.db")
    assert [name for name, _ in refused] == [WORLD]


async def _check(
    entries: Sequence[Observation], *, refuses: Refuses, saved: int, path: Path
) -> list[tuple[str, Observation]]:
    """Live through the entries, the first `saved` with a checkpoint, and start again. Returns who refused what."""
    async with opened(path) as store:
        await live(store, Engines.fresh(), entries[:saved], seq=0)
        checkpoint = await store.checkpoint()
        assert checkpoint is not None
        engines = Allergic.restore(checkpoint.engines)
        engines.refuses = refuses
        await live_until_killed(store, engines, entries[saved:], seq=checkpoint.seq)
        journal = await read(store)
        committed = [output for _, output in await store.outputs(after=0)]
        resumed = await resume(store)
    expected_engines, expected = led_to([entry.observation for entry in journal], refuses)
    assert committed == [output for output in expected if type(output) in (Transition, Draft)]
    assert states(engines) == states(expected_engines)
    assert resumed.diverged == 0
    assert states(resumed.engines) == states(expected_engines)
    seen = {entry.seq: entry.observation for entry in journal}
    refusals = [entry.observation for entry in journal if type(entry.observation) is EntryRefused]
    return [(refusal.exchange, seen[refusal.seq]) for refusal in refusals]
