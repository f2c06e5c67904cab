"""Hot wallets stop sending on real nodes while every flag stays open: the chain alone tells, and tells the end too."""

from datetime import datetime, timedelta
from pathlib import Path

from monitor.model import Change, IncidentKind, Severity, Stage
from monitor.replay.journal import write_line
from tests.end_to_end.chains import NETWORKS, past_payments, paying_chains
from tests.end_to_end.daemon import Daemon, daemon, eventually, run_command
from tests.end_to_end.world import START, world

NOTICED = timedelta(minutes=5)


async def test_wallets_fall_silent_and_pay_again(tmp_path: Path) -> None:
    async with world(["kucoin"], speed=30, start=START) as around:
        history = tmp_path / "history.jsonl"
        history.write_bytes(
            b"".join(write_line(entry) for entry in past_payments(exchange="kucoin", until=START, days=1))
        )
        config = around.configure(tmp_path)
        await run_command("journal", "import", str(history), "--config", str(config))
        async with paying_chains(around.clock) as chains:
            around.configure(tmp_path, more=chains.configure(tmp_path, exchange="kucoin"))
            async with daemon(config, around.clock) as running:
                await running.state_is("kucoin", "operational")
                await paid_everywhere(running, after=around.clock.now())
                assert await running.store.incidents() == []

                stopped_at = around.clock.now()
                chains.stop_paying()
                halt = await running.incident(IncidentKind.WITHDRAWAL_HALT, exchange="kucoin")
                opened = await running.transition(halt.id, Change.OPENED)
                assert (opened.severity, opened.scope) == (Severity.CRITICAL, ("*",))
                assert stopped_at < opened.at <= stopped_at + NOTICED
                assert {e.source for e in opened.evidence} == {"chain"}
                assert {e.rail for e in opened.evidence} <= {f"*@{network.name}" for network in NETWORKS}
                assert len(opened.evidence) >= 2
                draft = await running.pending(halt.id)
                assert "we observe all withdrawals halted at KuCoin (on chain)" in draft.text
                await running.state_is("kucoin", "halted")
                metrics = await running.metrics()
                assert (metrics.value("reserve_balance", exchange="kucoin", asset="ETH", network="ethereum") or 0) > 0
                assert metrics.value("rails_suspended_ratio", exchange="kucoin") == 0
                assert (
                    (metrics.value("silence_score", exchange="kucoin") or 0)
                    >= (metrics.value("silence_threshold", exchange="kucoin") or 0)
                    > 0
                )

                chains.pay_again()
                await running.transition(halt.id, Change.MONITORING)
                await running.draft_of(halt.id, Stage.MONITORING)
                await running.state_is("kucoin", "operational")
                assert [incident.id for incident in await running.store.incidents()] == [halt.id]


async def paid_everywhere(running: Daemon, *, after: datetime) -> None:
    """Every chain was read, and its newest payment is younger than `after`."""

    async def seen() -> bool:
        view = await running.store.view("kucoin")
        paid = [] if view is None else [n.last_outgoing_at for n in view.networks if n.last_outgoing_at is not None]
        return len(paid) == len(NETWORKS) and min(paid) > after

    await eventually(seen)
