"""Starting again and again: what a start costs does not depend on how often the daemon was killed before."""

from pathlib import Path

import tests.journals as j
from monitor.committing import CHECKPOINT_ENTRIES
from monitor.restart import resume
from tests.faults.pipelines import live_until_killed
from tests.server.store_samples import opened

MINUTES = 100  # of a life


async def test_lives_too_short_for_a_checkpoint_do_not_make_the_next_start_ever_longer(tmp_path: Path) -> None:
    lives = CHECKPOINT_ENTRIES // (MINUTES * len(j.RATES)) + 2
    async with opened(tmp_path / "cexwatch.db") as store:
        for life in range(lives):
            resumed = await resume(store)
            entries = j.usual(range(life * MINUTES, (life + 1) * MINUTES))
            await live_until_killed(store, resumed.engines, entries, seq=resumed.seq)
        head, checkpoint = await store.head(), await store.checkpoint()
    assert head is not None
    assert head.seq - (checkpoint.seq if checkpoint is not None else 0) <= CHECKPOINT_ENTRIES
