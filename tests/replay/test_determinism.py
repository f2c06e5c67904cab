"""The same journal leads to the same bytes: in another process, under another hash seed, live and out of a file."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import pytest

import tests.journals as j
from monitor.cli.exporting import export
from monitor.model import (
    ConfigApplied,
    EntryRefused,
    Judging,
    Observation,
    RailState,
    Stage,
    Transition,
    WatchedRail,
)
from monitor.replay.journal import read_entries, write_line
from monitor.replay.replay import replay, replay_file
from monitor.restart import resume
from tests.faults.allergy import Allergic
from tests.faults.people import with_people
from tests.faults.pipelines import live, live_until_killed, states
from tests.server.store_samples import opened, read

ROOT = Path(__file__).parents[2]
EXCHANGES = ("examplex", "otherx", "thirdx")
HOURS = 10
PART = 450  # entries a life
WATCHED = tuple(WatchedRail(asset=rail.asset, network=rail.network) for rail in j.MAJORS)


def story() -> list[Observation]:
    """Hours of three exchanges: two halts of flags, one of payments, words, a blindness, decisions of people."""
    entries: list[Observation] = [_configured(0), *_words()]
    for exchange in EXCHANGES:
        entries += [*j.rail(0, RailState.OPEN, exchange=exchange), j.read(0, changed=len(j.MAJORS), exchange=exchange)]
        entries += _flags(exchange)
        # It stops paying in the eighth hour, and pays as ever half an hour later.
        entries += j.usual(range(1, 450), exchange=exchange)
        entries += j.usual(range(450, 480), factor=0.0 if exchange == "otherx" else 1.0, exchange=exchange)
        entries += j.usual(range(480, HOURS * 60), exchange=exchange)
        entries += [j.traded(minute, exchange=exchange) for minute in range(HOURS * 60)]
    entries += [j.control(minute + 0.3, ok=minute not in (100, 101, 102)) for minute in range(HOURS * 60)]
    return sorted(entries, key=lambda entry: entry.at)


def _configured(minutes: float) -> ConfigApplied:
    judged_by = Judging(watched=dict.fromkeys(EXCHANGES, WATCHED), channels=("file", "x"))
    return ConfigApplied(at=j.at(minutes), probe="config", config=judged_by, sha256="1")


def _flags(exchange: str) -> list[Observation]:
    """Closed for twenty minutes, at another hour at each exchange."""
    closed = 60 * (2 + EXCHANGES.index(exchange))
    turns = {closed: RailState.SUSPENDED, closed + 20: RailState.OPEN}
    entries: list[Observation] = []
    for minute in range(1, HOURS * 60):
        changed = j.rail(minute, turns[minute], exchange=exchange) if minute in turns else []
        entries += [*changed, j.read(minute, changed=len(changed), exchange=exchange)]
    return entries


def _words() -> list[Observation]:
    return [
        j.said(137, "Withdrawals are delayed", Stage.INVESTIGATING),
        j.said(139, "The problem with withdrawals is identified", Stage.IDENTIFIED),
        j.said(150, "Withdrawals are back", Stage.RESOLVED),
    ]


def _write(entries: Iterable[Observation], path: Path) -> Path:
    path.write_bytes(b"".join(write_line(entry) for entry in entries))
    return path


def conclude(journal: Path) -> bytes:
    """Everything that a journal leads to: transitions, incidents, drafts, verdicts and replies, a line each."""
    return j.encoded(output for _, outputs in replay(read_entries(journal)) for output in outputs)


async def _concluded(journal: Path, *, hash_seed: int) -> bytes:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.replay.test_determinism",
        str(journal),
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        cwd=ROOT,
        stdout=PIPE,
    )
    concluded, _ = await process.communicate()
    assert process.returncode == 0
    return concluded


async def test_a_journal_leads_to_the_same_bytes_under_every_hash_seed(tmp_path: Path) -> None:
    journal = _write(with_people(story()), tmp_path / "journal.jsonl")
    first, second = [await _concluded(journal, hash_seed=seed) for seed in (0, 1)]
    assert first == second
    # Told by what is in it that the story is worth comparing.
    for word in (b'"opened"', b'"resolved"', b'"superseded"', b'"posted"', b'"rejected"', b'"expired"', b'"halted"'):
        assert word in first


async def test_an_exported_journal_replays_to_what_was_committed(tmp_path: Path) -> None:
    async with opened(tmp_path / "cexwatch.db") as store:
        for number, part in enumerate(_parts(with_people(_until(story(), minutes=170)))):
            resumed = await resume(store)
            assert resumed.diverged == 0
            living = live_until_killed if number % 2 else live
            await living(store, resumed.engines, part, seq=resumed.seq)
    await _check_export(tmp_path)


@pytest.mark.parametrize(
    "poison",
    [
        pytest.param(j.said(139, "The problem with withdrawals is identified", Stage.IDENTIFIED), id="its own entry"),
        pytest.param(j.control(101.3, ok=False), id="an entry that others read too"),
    ],
)
async def test_an_exported_journal_tells_which_engine_could_not_take_an_entry(
    poison: Observation, tmp_path: Path
) -> None:
    async with opened(tmp_path / "cexwatch.db") as store:
        for part in _parts(_until(story(), minutes=170)):
            resumed = await resume(store)
            engines = Allergic.restore(states(resumed.engines))
            engines.refuses = lambda name, entry: (name, entry) == ("examplex", poison)
            await live(store, engines, part, seq=resumed.seq)
        assert sum(type(entry.observation) is EntryRefused for entry in await read(store)) == 1
    await _check_export(tmp_path)


async def _check_export(folder: Path) -> None:
    """Replaying the export gives, byte by byte, the transitions that were committed, and the verdicts on the way."""
    journal, out = folder / "journal.jsonl", folder / "transitions.jsonl"
    database = f"sqlite+aiosqlite:///{folder / 'cexwatch.db'}"
    await export(database, journal, since=None)
    replayed = replay_file(journal, out, judging=None, progress=lambda _done, _told: None)
    async with opened(folder / "cexwatch.db") as store:
        committed = [output for _, output in await store.outputs(after=0) if type(output) is Transition]
    assert [msgspec.json.decode(line, type=Transition) for line in out.read_bytes().splitlines()] == committed
    assert replayed.diverged == 0
    assert committed


def _parts(entries: Sequence[Observation]) -> list[Sequence[Observation]]:
    return [entries[start : start + PART] for start in range(0, len(entries), PART)]


def _until(entries: Iterable[Observation], *, minutes: float) -> list[Observation]:
    return [entry for entry in entries if entry.at <= j.at(minutes)]


if __name__ == "__main__":
    sys.stdout.buffer.write(conclude(Path(sys.argv[1])))
