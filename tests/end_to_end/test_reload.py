"""SIGHUP: a good configuration takes effect at once and whole, a bad one changes nothing and is told."""

from pathlib import Path

import msgspec

from monitor.config import judging_sha256
from monitor.model import ConfigApplied, Judging
from tests.end_to_end.daemon import Daemon, daemon, eventually
from tests.end_to_end.world import world


async def test_reload(tmp_path: Path) -> None:
    async with (
        world(["gate", "kucoin"], speed=30) as around,
        daemon(around.configure(tmp_path, ["kucoin"]), around.clock) as running,
    ):
        await running.state_is("kucoin", "operational")
        assert [set(applied.watched) for applied in await configurations(running)] == [{"kucoin"}]

        first = await running.metrics()
        assert first.having("probe_interval_seconds", "exchange") == {"", "kucoin"}
        assert first.having("probe_last_look_timestamp_seconds", "exchange") == {"", "kucoin"}
        assert (first.value("checkpoint_timestamp_seconds") or 0) > 0
        in_use = first.having("config_hash_info", "sha256")

        path = around.configure(tmp_path, ["kucoin", "gate"])
        running.reload()
        await running.state_is("gate", "operational")
        assert [set(applied.watched) for applied in await configurations(running)] == [{"kucoin"}, {"kucoin", "gate"}]
        assert "2 operational" in (await running.get("/"))[1]
        assert "Gate" in (await running.get("/exchanges/gate"))[1]
        assert await judged_by(running) == judging_sha256((await configurations(running))[-1])

        assert len(in_use | (await running.metrics()).having("config_hash_info", "sha256")) == 2

        good = path.read_text()
        path.write_text(good.replace("  gate:", "  gatee:") + "wach: {BTC: [bitcoin]}\n")
        running.reload()
        await success_is(running, 0)
        (told,) = running.events("reload_refused")
        assert "gatee" in str(told["problems"])
        assert "wach" in str(told["problems"])
        assert len(await configurations(running)) == 2
        await looks_again(running)

        path.write_text(good)
        running.reload()
        await success_is(running, 1)
        await looks_again(running)

        around.configure(tmp_path, ["gate"])
        running.reload()
        await is_gone(running, "kucoin")
        assert (await running.metrics()).having("probe_interval_seconds", "exchange") == {"", "gate"}


async def configurations(running: Daemon) -> list[Judging]:
    """What was applied, oldest first."""
    return [entry.observation.config for entry in await running.journal() if type(entry.observation) is ConfigApplied]


async def judged_by(running: Daemon) -> str:
    """What the API says that the engines judge by."""
    _, told = await running.get("/api/v1/daemon")
    return str(msgspec.json.decode(told)["config_sha256"])


async def success_is(running: Daemon, wanted: float) -> None:
    async def said() -> bool:
        return (await running.metrics()).value("config_last_reload_successful") == wanted

    await eventually(said)


async def looks_again(running: Daemon) -> None:
    """Both exchanges are read after now."""

    async def read_at(name: str) -> float:
        probe = f"{name}-currencies"
        read = (await running.metrics()).value("probe_last_success_timestamp_seconds", exchange=name, probe=probe)
        assert read is not None
        return read

    before = {name: await read_at(name) for name in ("gate", "kucoin")}

    async def both() -> bool:
        now = {name: await read_at(name) for name in before}
        return all(now[name] > before[name] for name in before)

    await eventually(both)


async def is_gone(running: Daemon, exchange: str) -> None:
    """Neither page nor metrics show what nobody looks at any more."""

    async def gone() -> bool:
        _, page = await running.get("/")
        return f"/exchanges/{exchange}" not in page and not (await running.metrics()).states(exchange)

    await eventually(gone, within=10)
