"""The real daemon tells its people: killed while it fires, it repeats nothing and loses nothing."""

from pathlib import Path

import pytest

from monitor.model import Change, Draft, DraftState, IncidentKind
from tests.end_to_end.daemon import Daemon, daemon, eventually
from tests.end_to_end.world import World, world
from tests.receiver import Heard, Receiver

OPENED = "[critical] kraken: withdrawal halt opened"
RESOLVED = "[critical] kraken: withdrawal halt resolved"
SPEED = 20.0

pytestmark = pytest.mark.timeout(300)  # three starts of the daemon, each slow where others use the machine


def configure(around: World, receiver: Receiver, folder: Path) -> Path:
    for name, url in (("oncall", receiver.url), ("beat", f"{receiver.base}/beat")):
        file = folder / name
        file.write_text(f"{url}\n")
        file.chmod(0o600)
    more = (
        "external_url: https://status.example.org\n"
        "paging: direct\n"
        "notify: {targets: {oncall: {urls_file: oncall, about: [pages, drafts]}}}\n"
        "heartbeat: {url_file: beat, interval: 30s, allow_private: true}"
    )
    return around.configure(folder, ["kraken"], interval="10s", more=more)


def waits(receiver: Receiver) -> list[Heard]:
    return [each for each in receiver.heard if each.title.startswith("Draft for file waits")]


def shown(heard: Heard) -> str:
    """The draft that the link of a message leads to."""
    return next(word for word in heard.message.split() if "/d/" in word).rpartition("/")[2]


def pages(receiver: Receiver) -> list[Heard]:
    return [each for each in receiver.heard if "withdrawal halt" in each.title]


@pytest.mark.soak
async def test_a_daemon_that_is_killed_while_firing_repeats_nothing_and_tells_what_happened_meanwhile(
    tmp_path: Path,
) -> None:
    async with world(["kraken"], speed=SPEED) as around, Receiver(around.clock) as receiver:
        around.exchanges["kraken"].suspend_all()
        config = configure(around, receiver, tmp_path)
        async with daemon(config, around.clock) as running:
            await receiver.until(lambda: len(receiver.heard) >= 2)
            assert [each.title for each in pages(receiver)] == [OPENED]
            [waits] = [each for each in receiver.heard if each.title.startswith("Draft for file waits")]
            assert "https://status.example.org/d/d-" in waits.message
            await nothing_waits(running)
            await running.kill()
        around.exchanges["kraken"].reopen_all()  # while nobody looks
        async with daemon(config, around.clock) as running:
            halt = await running.incident(IncidentKind.WITHDRAWAL_HALT, exchange="kraken")
            await running.transition(halt.id, Change.RESOLVED)
            await receiver.until(lambda: len(pages(receiver)) >= 2)
            await nothing_waits(running)
    assert [each.title for each in pages(receiver)] == [OPENED, RESOLVED]
    refs = [each.ref for each in receiver.heard]
    assert len(set(refs)) == len(refs)


async def test_a_link_that_went_stale_is_followed_by_who_decided_and_by_what_took_its_place(tmp_path: Path) -> None:
    """The first draft is superseded as the halt ends; one in its place is approved. Both are told the same people."""
    async with world(["kraken"], speed=SPEED) as around, Receiver(around.clock) as receiver:
        around.exchanges["kraken"].suspend_all()
        config = configure(around, receiver, tmp_path)
        async with daemon(config, around.clock) as running:
            await receiver.until(lambda: waits(receiver) != [])
            around.exchanges["kraken"].reopen_all()
            await receiver.until(lambda: len(waits(receiver)) >= 2)

            async def approved() -> Draft | None:
                draft = await running.store.draft(shown(waits(receiver)[-1]))
                return draft if draft is not None and (await running.approve(draft)).ok else None

            draft = await eventually(approved)
            decided = await running.draft_becomes(draft, DraftState.POSTED)
            await receiver.until(lambda: any("Draft for file posted" in each.title for each in receiver.heard))
    first, second = (shown(each) for each in waits(receiver)[:2])
    texts = {each.title.split(":")[0]: each.message for each in reversed(receiver.heard)}
    superseded = texts["Draft for file superseded"]
    assert f"Superseded by draft {second}: look at that one." in superseded
    assert (f"/d/{first}" in superseded, f"/d/{second}" in superseded) == (False, True)
    assert f"Done: approved by {decided.decided_by} at " in texts["Draft for file approved"]
    assert f"approved by {decided.decided_by}." in texts["Draft for file posted"]
    assert f"https://status.example.org/d/{draft.id}" in texts["Draft for file approved"]


async def test_a_daemon_that_is_killed_before_anybody_heard_tells_it_in_its_next_life(tmp_path: Path) -> None:
    async with world(["kraken"], speed=SPEED) as around, Receiver(around.clock) as receiver:
        around.exchanges["kraken"].suspend_all()
        config = configure(around, receiver, tmp_path)
        receiver.behave(then="hang")
        async with daemon(config, around.clock) as running:
            await receiver.until(lambda: any(path == "/" for path, _ in receiver.asked))
            await running.kill()
        [tried] = {body for path, body in receiver.asked if path == "/"}
        receiver.behave(then=200)
        async with daemon(config, around.clock) as running:
            await receiver.until(lambda: len(pages(receiver)) >= 1)
            await nothing_waits(running)
    assert [each.title for each in pages(receiver)] == [OPENED]
    assert tried in [body for path, body in receiver.asked if path == "/"][1:]


@pytest.mark.soak
async def test_the_heartbeat_is_of_what_is_seen_and_not_of_the_process(tmp_path: Path) -> None:
    async with world(["kraken"], speed=SPEED) as around, Receiver(around.clock) as receiver:
        config = configure(around, receiver, tmp_path)
        async with daemon(config, around.clock) as running:
            await receiver.until(lambda: ("/beat", "watching") in receiver.asked)
            around.switch_off()
            await receiver.until(lambda: any(path == "/beat/fail" for path, _ in receiver.asked))
            told = next(body for path, body in receiver.asked if path == "/beat/fail")
            assert told.startswith("blind: ")
            assert (await running.metrics()).value("heartbeat_last_success_timestamp_seconds") is not None
            around.switch_on()
            failures = len(receiver.asked)
            await receiver.until(lambda: ("/beat", "watching") in receiver.asked[failures:])


async def nothing_waits(running: Daemon) -> None:
    async def done() -> bool:
        metrics = await running.metrics()
        return metrics.value(
            "notifications_waiting", target="oncall"
        ) == 0 and not await running.store.notifications.unsent("oncall")

    await eventually(done)
