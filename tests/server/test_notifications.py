"""What waits for a target in the store: queued with the cursor, marked when it was told, never there twice."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.model import Happened, Notification, Queued, Stage
from monitor.store import Step, Store
from tests.notifications import at, notification
from tests.server.store_samples import at as store_at
from tests.server.store_samples import incident, opened, reading


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with opened(tmp_path / "cexwatch.db") as running:
        yield running


async def waiting(store: Store, target: str) -> list[str]:
    return [each.notification.key for each in await store.notifications.unsent(target)]


async def queue(store: Store, *found: Notification, target: str = "oncall") -> None:
    await store.notifications.queue(
        [(target, Queued(notification=each)) for each in found], cursor=max(each.seq for each in found)
    )


async def test_queueing_again_changes_nothing(store: Store) -> None:
    assert await store.notifications.cursor() is None
    await queue(store, notification(2), notification(1), notification(2, n=1))
    await queue(store, notification(2), notification(3))
    assert await waiting(store, "oncall") == ["1-0", "2-0", "2-1", "3-0"]
    assert await store.notifications.cursor() == 3


async def test_what_was_told_is_not_queued_again(store: Store) -> None:
    await queue(store, notification(1))
    await store.notifications.begin("oncall", [notification(1)], message="1-0")
    assert [each.message for each in await store.notifications.unsent("oncall")] == ["1-0"]
    await store.notifications.end("oncall", "1-0", now=at(5))
    await queue(store, notification(1))
    assert await waiting(store, "oncall") == []
    [told] = await store.notifications.told("oncall", [], since=at(0))
    assert (told.subject, told.happened, told.message, told.sent_at) == ("i-1", Happened.OPENED, "1-0", at(5))


async def test_what_nobody_needs_is_not_told_and_not_remembered_as_told(store: Store) -> None:
    await queue(store, notification(1), notification(2))
    await store.notifications.fold("oncall", [notification(1)])
    assert await waiting(store, "oncall") == ["2-0"]
    assert await store.notifications.told("oncall", ["i-1"], since=at(0)) == []


async def test_old_words_of_a_subject_are_found_however_old_they_are(store: Store) -> None:
    await queue(store, notification(1), notification(2, subject="other"))
    for key in ("1-0", "2-0"):
        await store.notifications.begin("oncall", [notification(int(key[0]))], message=key)
        await store.notifications.end("oncall", key, now=at(0))
    subjects = {told.subject for told in await store.notifications.told("oncall", ["i-1"], since=at(86_400))}
    assert subjects == {"i-1"}
    assert await store.notifications.heard(["i-1", "other", "never"]) == {("oncall", "i-1"), ("oncall", "other")}


async def test_a_fallback_gets_what_waits_and_only_once(store: Store) -> None:
    await queue(store, notification(1), notification(2))
    await queue(store, notification(2), target="desk")
    assert await store.notifications.copy("oncall", "desk") == 1
    assert await store.notifications.copy("oncall", "desk") == 0
    assert await waiting(store, "desk") == ["1-0", "2-0"]
    assert await waiting(store, "oncall") == ["1-0", "2-0"]


async def test_what_was_put_off_waits_marked_so_at_a_fallback_too(store: Store) -> None:
    rows = [Queued(notification=notification(n), put_off=n == 1) for n in (1, 2)]
    await store.notifications.queue([("oncall", each) for each in rows], cursor=2)
    await store.notifications.copy("oncall", "desk")
    for target in ("oncall", "desk"):
        assert await store.notifications.unsent(target) == rows
    await store.notifications.begin("oncall", [notification(1)], message="1-0")
    assert [each.put_off for each in await store.notifications.unsent("oncall")] == [False, False]


async def test_ten_thousand_are_marked_at_once(store: Store) -> None:
    many = [notification(1, n=n, subject=f"i-{n}") for n in range(10_000)]
    await queue(store, *many)
    await store.notifications.begin("oncall", many, message="1-0+9999")
    assert len(await store.notifications.told("oncall", [each.subject for each in many], since=at(0))) == 0
    await store.notifications.end("oncall", "1-0+9999", now=at(1))
    assert await waiting(store, "oncall") == []


async def test_what_was_told_long_ago_is_forgotten_but_for_incidents_that_are_open(store: Store) -> None:
    found = (incident("open", Stage.INVESTIGATING), incident("closed", Stage.RESOLVED))
    await store.commit([Step(reading(1), found)])
    await queue(
        store, notification(1, subject="open"), notification(2, subject="closed"), notification(3, subject="closed")
    )
    for n in (1, 2):
        await store.notifications.begin("oncall", [notification(n)], message=f"{n}-0")
        await store.notifications.end("oncall", f"{n}-0", now=at(n))
    assert await store.notifications.prune(before=store_at(86_400)) == 1
    assert await store.notifications.heard(["open", "closed"]) == {("oncall", "open"), ("oncall", "closed")}
    assert await waiting(store, "oncall") == ["3-0"]
