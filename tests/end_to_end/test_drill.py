"""A drill with the real daemon: its people are paged the real way, outsiders learn nothing, and a kill loses none."""

import json
import re
from pathlib import Path

import aiohttp
import pytest

from monitor.model import Drill
from tests.end_to_end.daemon import Daemon, daemon, eventually, run_command
from tests.end_to_end.world import World, world
from tests.receiver import Heard, Receiver

SPEED = 20.0
OPENED = "[DRILL] [critical] kraken: withdrawal halt opened"
RESOLVED = "[DRILL] [critical] kraken: withdrawal halt resolved"
OUTSIDER = {"X-Forwarded-For": "203.0.113.9"}
PUBLIC = (
    "/",
    "/exchanges/kraken",
    "/scorecard",
    "/drafts",
    "/maintenance",
    "/detectors",
    "/reserves",
    "/about",
    "/feed.atom",
    "/feed.rss",
    "/feed.json",
    "/badge/kraken.svg",
    "/api/v2/summary.json",
    "/api/v2/status.json",
    "/api/v2/incidents.json",
    "/api/v2/incidents/unresolved.json",
    "/api/v1/exchanges",
    "/api/v1/exchanges/kraken",
    "/api/v1/exchanges/kraken/verdict",
    "/api/v1/incidents",
    "/api/v1/drafts",
)

pytestmark = pytest.mark.timeout(300)  # starts of the daemon and of the command line, slow where others use the machine


def configure(around: World, receiver: Receiver, folder: Path) -> Path:
    file = folder / "oncall"
    file.write_text(f"{receiver.url}\n")
    file.chmod(0o600)
    more = (
        "external_url: https://status.example.org\n"
        "paging: direct\n"
        "notify: {targets: {oncall: {urls_file: oncall, about: [pages, drafts, outcomes]}}}\n"
        f"alertmanager: {{urls: ['{receiver.base}'], interval: 30s, allow_private: true}}"
    )
    return around.configure(folder, ["kraken"], interval="10s", more=more)


def told(receiver: Receiver) -> list[Heard]:
    return [each for each in receiver.heard if "withdrawal halt" in each.title]


def pushed(receiver: Receiver) -> list[dict[str, str]]:
    """The labels of each alert as it was pushed."""
    bodies = [body for path, body in receiver.asked if path == "/api/v2/alerts"]
    return [alert["labels"] for body in bodies for alert in json.loads(body)]


async def drill_of(running: Daemon) -> Drill:
    [drill] = await running.store.drills.newest(10)
    return drill


async def seen_from_outside(running: Daemon, drill: Drill) -> list[str]:
    """Where somebody from elsewhere finds a word of it."""
    name = drill.incident.id
    paths = [*PUBLIC, f"/incidents/{name}", f"/api/v1/incidents/{name}", f"/api/v1/incidents/{name}/timeline"]
    found = []
    async with aiohttp.ClientSession(running.page, headers=OUTSIDER) as session:
        for path in paths:
            async with session.get(path) as answer:
                body = await answer.text()
                assert answer.status == (404 if name in path else 200), path
                if "drill" in body.replace(name if name in path else "", "").lower():
                    found.append(path)
    return found


async def test_a_drill_is_told_kept_over_a_kill_acknowledged_measured_and_never_public(tmp_path: Path) -> None:
    async with world(["kraken"], speed=SPEED) as around, Receiver(around.clock) as receiver:
        config = configure(around, receiver, tmp_path)
        start = ("drill", "start", "--exchange", "kraken", "--for", "4h", "--config", str(config))
        async with daemon(config, around.clock) as running:
            await running.state_is("kraken", "operational")
            began = await run_command(*start)
            assert "the pages are real, and nothing is public" in began
            await receiver.until(lambda: len(told(receiver)) == 1)
            await arrived(running, 2)
            await running.kill()
        async with daemon(config, around.clock) as running:
            drill = await drill_of(running)
            name = drill.incident.id
            assert drill.incident.resolved_at is None
            labels = {"exchange": "kraken", "kind": "withdrawal_halt", "severity": "critical"}
            assert (await running.metrics()).value("drill_active", **labels) == 1
            assert (await running.metrics()).value("incident_active", **labels) is None
            with pytest.raises(AssertionError, match=f"drill {name} of kraken has been open"):
                await run_command(*start)
            assert await seen_from_outside(running, drill) == []
            status, page = await running.get(f"/incidents/{name}")
            assert (status, "[DRILL] Withdrawal halt" in page) == (200, True)
            assert "acknowledged" in await run_command("incidents", "ack", name, "--config", str(config))
            stopped = await run_command("drill", "stop", "--config", str(config))
            await receiver.until(lambda: len(told(receiver)) == 2)
            listed = json.loads(await run_command("drill", "list", "--json", "--config", str(config)))["drills"]
            assert await seen_from_outside(running, drill) == []
            await running.state_is("kraken", "operational")
            assert (await running.store.incidents(), await running.store.drafts(), running.posted()) == ([], [], [])
            assert (await running.metrics()).value("drill_active", **labels) is None
    assert [each.title for each in told(receiver)] == [OPENED, RESOLVED]
    assert all(each.message.startswith("Drill: ") for each in told(receiver))
    assert re.search(r"oncall: told after \d+\.\d s", stopped)
    assert re.search(rf"{receiver.base}: told after \d+\.\d s", stopped)
    assert re.search(r"acknowledged after \d+\.\d s by \w+", stopped)
    assert {each["whom"] for each in listed[0]["told"]} == {"oncall", receiver.base}
    assert listed[0]["acknowledged_after_seconds"] > 0
    assert {(each["alertname"], each["drill"], each["severity"]) for each in pushed(receiver)} == {
        ("CexwatchDrill", "true", "critical")
    }


async def arrived(running: Daemon, count: int) -> None:
    """As soon as so many are marked as told."""

    async def done() -> bool:
        drill = await drill_of(running)
        return sum(each.at is not None for each in await running.store.drills.arrivals(drill.incident.id)) == count

    await eventually(done)


@pytest.mark.soak
async def test_a_real_halt_is_told_beside_a_drill_that_ends_by_itself(tmp_path: Path) -> None:
    async with world(["kraken"], speed=SPEED) as around, Receiver(around.clock) as receiver:
        config = configure(around, receiver, tmp_path)
        async with daemon(config, around.clock) as running:
            await running.state_is("kraken", "operational")
            await run_command("drill", "start", "--exchange", "kraken", "--for", "3m", "--config", str(config))
            await receiver.until(lambda: len(told(receiver)) == 1)
            around.exchanges["kraken"].suspend_all()
            await running.state_is("kraken", "halted")
            await receiver.until(lambda: len(told(receiver)) == 3)
            drill = await drill_of(running)
            assert drill.incident.resolved_by is None
            [halt] = await running.store.incidents(open_only=True)
            [draft] = [draft for draft in await running.store.drafts() if draft.channel == "file"]
            assert (draft.incident, "drill" in draft.text.lower()) == (halt.id, False)
    titles = [each.title for each in told(receiver)]
    assert titles[0] == OPENED
    assert sorted(titles[1:]) == [RESOLVED, OPENED.removeprefix("[DRILL] ")]
