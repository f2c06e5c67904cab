"""`python -m monitor run` as a supervisor starts it: at the pace of life, with a configuration and nothing else."""

from datetime import timedelta
from pathlib import Path

from monitor.clock import Clock
from monitor.model import Control, DraftState, IncidentKind
from tests.end_to_end.daemon import Daemon, daemon, eventually, run_command, started
from tests.end_to_end.world import START, world


async def test_run(tmp_path: Path) -> None:
    async with world(["gate", "kucoin"], speed=1, start=None) as around:
        around.exchanges["kucoin"].suspend_all()
        config = around.configure(tmp_path, interval="1s")
        async with started(["-m", "monitor", "run", "--config", str(config)], tmp_path) as running:
            assert await running.get("/healthz") == (200, "alive\n")
            await running.state_is("gate", "operational")
            incident = await running.incident(IncidentKind.WITHDRAWAL_HALT, exchange="kucoin")
            assert incident.since is None, "it was so when we first looked"
            assert "1 halted, 1 operational" in (await running.get("/"))[1]
            draft = await running.pending(incident.id)
            approval = ("drafts", "approve", draft.id, "--sha256", draft.text_sha256, "--config", str(config))
            assert draft.id in await run_command(*approval)
            await running.draft_becomes(draft, DraftState.POSTED)
            await running.stop()
            assert running.posted() == [draft.text.encode()]


async def test_dates_of_others_alone_do_not_set_the_clock(tmp_path: Path) -> None:
    async with (
        world(["kucoin"], speed=1, start=START) as around,
        daemon(around.configure(tmp_path, interval="1s"), Clock()) as running,
    ):
        await controlled(running)
        assert (await running.metrics()).value("clock_steps_total") == 0
        head = await running.store.head()
        assert head is not None
        assert abs(Clock().now() - head.observation.at) < timedelta(minutes=1)


async def controlled(running: Daemon) -> None:
    """The control targets have answered."""

    async def answered() -> bool:
        return any(type(entry.observation) is Control for entry in await running.journal())

    await eventually(answered)
