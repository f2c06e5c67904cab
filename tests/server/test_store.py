"""What is committed is read back: whole batches, in order, and nothing of one that was refused."""

import asyncio
from datetime import datetime
from pathlib import Path

import pytest

from monitor.model import Change, DraftState, Entry, FailureReason, Output, ProbeFailure, Reply, Stage, Verb
from monitor.store import Checkpoint, Step, StoreError
from tests.server.store_samples import (
    START,
    at,
    command,
    draft,
    examples,
    granted,
    incident,
    opened,
    read,
    reading,
    transition,
    view,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "cexwatch.db"


async def test_every_kind_comes_back_as_it_was_after_a_restart(path: Path) -> None:
    entries = [Entry(seq, observation) for seq, observation in enumerate(examples(), start=1)]
    async with opened(path) as store:
        await store.append_history(entries)
    async with opened(path) as store:
        assert await read(store) == entries
        assert await store.head() == entries[-1]


async def test_an_empty_store_has_nothing(path: Path) -> None:
    async with opened(path) as store:
        assert await store.head() is None
        assert await read(store) == []
        assert await store.checkpoint() is None
        assert await store.views() == []
        assert not await store.held()
        assert await store.verify_audit() is None


async def test_entries_are_streamed_in_order_without_a_gap(path: Path) -> None:
    entries = [reading(seq, probe=f"probe-{seq % 7}") for seq in range(1, 2502)]
    async with opened(path) as store:
        await store.append_history(entries)
        assert await read(store) == entries
        assert await read(store, after=1499) == entries[1499:]
        assert await read(store, after=2501) == []


async def test_a_slow_export_sees_what_is_committed_meanwhile_and_does_not_hold_it_up(path: Path) -> None:
    async with opened(path) as store:
        await store.append_history([reading(seq) for seq in range(1, 1501)])
        exported = []
        async for entry in store.entries():
            exported.append(entry.seq)
            if entry.seq == 700:
                async with asyncio.timeout(10):
                    await store.append_history([reading(1501, probe="new")])
        assert exported == list(range(1, 1502))


@pytest.mark.parametrize(
    "seqs",
    [
        pytest.param([3], id="a seq that is there"),
        pytest.param([1], id="a seq from long ago"),
        pytest.param([4, 4], id="a seq twice in one batch"),
        pytest.param([5, 4], id="out of order"),
    ],
)
async def test_a_seq_that_does_not_follow_refuses_the_batch(path: Path, seqs: list[int]) -> None:
    async with opened(path) as store:
        await store.append_history([reading(seq) for seq in (1, 2, 3)])
        with pytest.raises(StoreError, match="does not follow"):
            await store.append_history([reading(seq, probe="other") for seq in seqs])
        assert [entry.seq for entry in await read(store)] == [1, 2, 3]


async def test_a_commit_that_fails_at_its_end_leaves_nothing(path: Path) -> None:
    checkpoint = Checkpoint(1, START, {"": b"one"})
    async with opened(path) as store:
        await store.commit([Step(reading(1), ())], checkpoint=checkpoint)
        opening = Step(
            reading(2, probe="never-seen"), (transition("a", Change.OPENED), incident("a", Stage.IDENTIFIED))
        )
        nothing = Checkpoint(2, START, {"": None})  # type: ignore[dict-item]
        with pytest.raises(StoreError):
            await store.commit([opening], views=[view("kraken")], checkpoint=nothing)
        assert [entry.seq for entry in await read(store)] == [1]
        assert await store.outputs(after=0) == []
        assert await store.incidents() == []
        assert await store.views() == []
        # The series of the failed batch was never interned, so the same batch without its fault goes through.
        await store.commit([opening])
        assert await read(store, after=1) == [opening.entry]


@pytest.mark.parametrize("milliseconds", range(14))
async def test_a_cancelled_commit_is_whole_or_absent_and_the_store_goes_on(path: Path, milliseconds: int) -> None:
    async with opened(path) as store:
        await store.append_history([reading(1)])
        batch = [reading(seq, probe=f"probe-{seq}") for seq in range(2, 40)]
        commit = asyncio.ensure_future(store.append_history(batch))
        await asyncio.wait([commit], timeout=milliseconds / 1000)
        commit.cancel()
        await asyncio.wait([commit])
        seqs = [entry.seq for entry in await read(store)]
        assert seqs in ([1], list(range(1, 40)))
        more = [reading(seq, probe=f"probe-{seq}") for seq in range(seqs[-1] + 1, 60)]
        await store.append_history(more)
        assert (await read(store))[seqs[-1] :] == more


async def test_outputs_come_back_in_order_for_comparison(path: Path) -> None:
    first = (
        transition("a", Change.OPENED),
        incident("a", Stage.INVESTIGATING),
        draft("d", DraftState.PENDING),
        Reply(ok=True, message=""),
    )
    second = (transition("a", Change.RESOLVED), incident("a", Stage.RESOLVED))
    async with opened(path) as store:
        await store.commit([Step(reading(1), first), Step(reading(2), ()), Step(reading(3), second)])
    async with opened(path) as store:
        assert await store.outputs(after=0) == [(1, first[0]), (1, first[2]), (3, second[0])]
        assert await store.outputs(after=1) == [(3, second[0])]
        assert await store.transitions("a") == [first[0], second[0]]
        assert await store.transitions("b") == []


async def test_what_is_open_is_shown_however_many_came_after_it(path: Path) -> None:
    async with opened(path) as store:
        later = [incident(f"late-{n:03}", Stage.RESOLVED, opened=n) for n in range(1, 121)]
        await store.commit([Step(reading(1), (incident("old", Stage.MONITORING), *later))])
        shown = [case.id for case in await store.shown()]
        assert shown == [*(f"late-{n:03}" for n in range(120, 20, -1)), "old"]


async def test_projections_show_what_was_said_last(path: Path) -> None:
    async with opened(path) as store:
        await store.commit(
            [
                Step(reading(1), (incident("a", Stage.INVESTIGATING), draft("d", DraftState.PENDING))),
                Step(reading(2), (incident("a", Stage.MONITORING),)),
                Step(reading(3), (incident("b", Stage.IDENTIFIED, opened=60),)),
            ],
            views=[view("kraken"), view(""), view("kraken", seconds=1)],
        )
        resolved, rejected = incident("a", Stage.RESOLVED), draft("d", DraftState.REJECTED)
        await store.commit([Step(reading(4), (resolved, rejected, draft("e", DraftState.PENDING)))])
        await store.commit([], views=[view("kraken", seconds=2)])
        assert await store.incidents() == [incident("b", Stage.IDENTIFIED, opened=60), resolved]
        assert [shown.id for shown in await store.incidents(open_only=True)] == ["b"]
        assert [shown.id for shown in await store.incidents(limit=1)] == ["b"]
        assert await store.incident("a") == resolved
        assert await store.incident("c") is None
        assert await store.drafts(pending_only=True) == [draft("e", DraftState.PENDING)]
        assert await store.draft("d") == rejected
        assert await store.views() == [view(""), view("kraken", seconds=2)]
        assert await store.view("kraken") == view("kraken", seconds=2)
        assert await store.view("gate") is None


_HOLD, _RELEASE = command(1, Verb.HOLD), command(2, Verb.RELEASE)


@pytest.mark.parametrize(
    ("steps", "held"),
    [
        pytest.param([granted(_HOLD)], True, id="held"),
        pytest.param([granted(_HOLD), granted(_RELEASE)], False, id="held and released"),
        pytest.param([granted(_HOLD), Step(_RELEASE, (Reply(ok=False, message="no"),))], True, id="release refused"),
        pytest.param([Step(_HOLD, (Reply(ok=False, message="no"),))], False, id="hold refused"),
        pytest.param([Step(_HOLD, ())], False, id="hold in an imported journal"),
        pytest.param([granted(command(1, Verb.NOTE))], False, id="another command"),
    ],
)
async def test_a_granted_command_holds_publishing(path: Path, steps: list[Step], held: bool) -> None:
    async with opened(path) as store:
        await store.commit(steps)
    async with opened(path) as store:
        assert await store.held() is held


async def test_the_last_reading_of_a_probe_is_no_failure(path: Path) -> None:
    failure = ProbeFailure(at=at(9), exchange="kraken", probe="a", reason=FailureReason.TIMEOUT, detail="10 s")
    blind = ProbeFailure(at=at(9), exchange="kraken", probe="blind", reason=FailureReason.TIMEOUT, detail="10 s")
    async with opened(path) as store:
        await store.append_history(
            [reading(1, probe="a"), reading(2, probe="a"), reading(3, probe="b"), Entry(4, failure), Entry(5, blind)]
        )
        seen: dict[str, datetime | None] = {
            probe: await store.last_reading(probe) for probe in ("a", "b", "blind", "c")
        }
    assert seen == {"a": at(2), "b": at(3), "blind": None, "c": None}


async def test_the_newest_checkpoint_is_kept_whole(path: Path) -> None:
    async with opened(path) as store:
        for seq in (1, 2, 3, 4, 5):
            engines = {"": bytes([seq]), "kraken": b"\x00" * seq}
            await store.commit([Step(reading(seq), ())], checkpoint=Checkpoint(seq, at(seq), engines))
    async with opened(path) as store:
        assert await store.checkpoint() == Checkpoint(5, at(5), {"": b"\x05", "kraken": b"\x00" * 5})


async def test_new_series_are_interned_while_others_read(path: Path) -> None:
    async with opened(path) as store, asyncio.timeout(30):
        reads: list[asyncio.Task[list[Entry]]] = []
        async with asyncio.TaskGroup() as tasks:
            for seq in range(1, 80):
                await store.append_history([reading(seq, probe=f"probe-{seq}")])
                reads += [tasks.create_task(read(store, after=seq - 5)) for _ in range(3)]
        assert all(entry.observation.probe == f"probe-{entry.seq}" for task in reads for entry in task.result())
        assert [entry.seq for entry in await read(store)] == list(range(1, 80))


async def test_many_tasks_use_one_store(path: Path) -> None:
    outputs: tuple[Output, ...] = (draft("d", DraftState.APPROVED),)
    async with opened(path) as store:
        await store.append_history([reading(seq) for seq in range(1, 3000)])
        async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
            tasks.create_task(store.commit([Step(reading(3000), outputs)]))
            exports = [tasks.create_task(read(store)) for _ in range(6)]
            tasks.create_task(store.prune(before=at(100)))
            claim = tasks.create_task(store.claim("d", now=at(1)))
        assert all(len(export.result()) in (2999, 3000) for export in exports)
        assert claim.result() in (None, outputs[0])
        assert await store.verify_audit() is None
