"""A process that commits is killed at random instants: what it acknowledged is there, and no half of a batch is."""

import asyncio
import random
import sys
from pathlib import Path

from monitor.model import Change, Entry, ListRead
from monitor.store import Checkpoint, Step, Store
from tests.server.store_samples import at, opened, reading, transition, url, view

KILLS = 10
SEED = 20260203


def batch(first: int, *, size: int) -> list[Step]:
    """`size` steps that say in their last entry how many they are. The first and the last have an output."""
    steps = [Step(reading(seq, probe=f"probe-{seq % 13}"), ()) for seq in range(first, first + size - 1)]
    last = first + size - 1
    end = ListRead(at=at(last), exchange="kraken", probe="kraken-assets", rails=size, changed=0)
    steps.append(Step(Entry(last, end), ()))
    for place in {0, size - 1}:
        entry = steps[place].entry
        steps[place] = Step(entry, (transition("a", Change.UPDATED, seconds=entry.seq),))
    return steps


async def commit_for_ever(address: str, seed: int) -> None:
    """Print the last `seq` of each batch once it is committed."""
    rng = random.Random(seed)
    store = await Store.open(address)
    head = await store.head()
    seq = 0 if head is None else head.seq
    while True:
        size = rng.randint(2, 300)
        checkpoint = Checkpoint(seq + size, at(seq + size), {"": b"state" * 200}) if rng.random() < 0.2 else None
        await store.commit(batch(seq + 1, size=size), views=[view("kraken", seconds=seq + size)], checkpoint=checkpoint)
        seq += size
        print(seq, flush=True)  # noqa: T201 - the acknowledgement


async def run_and_kill(path: Path, *, seed: int, after: float) -> int:
    """Returns the last acknowledged `seq` of a process that was killed `after` seconds from its first commit."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.server.test_store_kill",
        url(path),
        str(seed),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        acknowledged = int(await process.stdout.readline())
    try:
        async with asyncio.timeout(after):
            await process.wait()
    except TimeoutError:
        process.kill()
    rest = (await process.stdout.read()).split(b"\n")
    assert await process.wait() == -9
    # What follows the last line end was not yet said.
    return max([acknowledged, *(int(line) for line in rest[:-1])])


async def look(path: Path) -> int:
    """Check that the store holds whole batches; returns the last `seq`."""
    async with opened(path) as store:
        started, seq = 1, 0
        ends = []
        async for entry in store.entries():
            seq += 1
            assert entry.seq == seq
            match entry.observation:
                case ListRead(rails=size):
                    assert entry.seq - started + 1 == size
                    ends += [started, entry.seq]
                    started = entry.seq + 1
                case _:
                    pass
        assert started == seq + 1, "the last batch has no end"
        outputs = await store.outputs(after=0)
        assert [place for place, _ in outputs] == ends
        assert [output for _, output in outputs] == await store.transitions("a")
        assert await store.view("kraken") == view("kraken", seconds=seq)
        checkpoint = await store.checkpoint()
        assert checkpoint is None or checkpoint.seq in ends
        return seq


async def test_no_kill_loses_an_acknowledged_batch_or_leaves_half_of_one(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    path = tmp_path / "cexwatch.db"
    before = 0
    for kill in range(KILLS):
        acknowledged = await run_and_kill(path, seed=SEED + kill, after=rng.uniform(0, 0.1))
        assert acknowledged > before
        before = await look(path)
        assert before >= acknowledged


if __name__ == "__main__":
    asyncio.run(commit_for_ever(sys.argv[1], int(sys.argv[2])))
