"""`cexwatch journal import`: a journal file into the database of a daemon that does not run."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from monitor import logs
from monitor.cli.screen import counting
from monitor.clock import Clock
from monitor.config import Config, LogLevel
from monitor.replay.importing import Imported, Judged, Standing, check, import_file
from monitor.restart import resume
from monitor.store import Checkpoint, Step, Store

AHEAD = timedelta(seconds=5)


async def take(journal: Path, config: Config) -> str:
    """What it came to, in a line. Raises JournalError, StoreError, and OSError for the file."""
    logs.configure(level=LogLevel.WARNING, json=False, secrets=())
    clock = Clock()
    store = await Store.open(config.database)
    try:
        imported = await _import(journal, store, clock)
    finally:
        await store.close()
    return (
        f"{imported.entries:,} entries, {imported.transitions:,} transitions, {imported.incidents:,} incidents "
        f"in {clock.monotonic():.1f} s"
    )


async def _import(journal: Path, store: Store, clock: Clock) -> Imported:
    head = await store.head()
    total = check(journal, head=head.observation.at if head is not None else None, latest=clock.now() + AHEAD)
    resumed = await resume(store)

    async def commit(batch: Sequence[Judged], standing: Standing | None) -> None:
        steps = [Step(judged.entry, judged.outputs) for judged in batch]
        if standing is None:
            await store.commit(steps)
        else:
            checkpoint = Checkpoint(standing.seq, standing.at, standing.engines)
            await store.commit(steps, views=standing.views, checkpoint=checkpoint)

    with counting("importing", unit="entries") as progress:
        return await import_file(
            journal,
            engines=resumed.engines,
            after=resumed.seq,
            commit=commit,
            progress=lambda done: progress(done, total),
        )
