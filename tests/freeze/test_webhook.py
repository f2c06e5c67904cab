"""Reports of freezes against the exchange's end on loopback: nothing is lost, held back or told to the log."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import aiohttp
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from structlog.testing import capture_logs

from monitor.clock import Clock
from monitor.freeze.webhook import MOST_WAITING, NotDelivered, Report, ReportEvent, Webhook, reporting, seconds_before
from tests.freeze.exchange_receiver import (
    DROP,
    DROP_AFTER,
    ENDLESS,
    HANG,
    KEY,
    PATIENCE_SECONDS,
    ExchangeReceiver,
    Way,
    is_signed,
)
from tests.hand_clock import NOON, HandClock

ACCOUNT = bytes.fromhex("c0ffee00c0ffee00c0ffee00c0ffee00")
FROZEN = Report(
    id="17",
    event=ReportEvent.ACCOUNT_FROZEN,
    account=ACCOUNT,
    key_id="k1",
    until=NOON + timedelta(hours=48),
    activated_at=NOON,
    guardian=None,
)


def numbered(count: int, *, first: int = 1) -> list[Report]:
    return [replace(FROZEN, id=str(number)) for number in range(first, first + count)]


class PaperLedger:
    """What was activated and what was reported; `is_slow` lets nothing become durable."""

    def __init__(self, *reports: Report) -> None:
        self.told: list[str] = []
        self.is_slow = False
        self.is_noting = asyncio.Event()  # somebody waits for what is slow
        self._reports = list(reports)
        self._news = asyncio.Event()
        self._changed = asyncio.Condition()

    def add(self, report: Report) -> None:
        self._reports.append(report)
        self._news.set()

    def unreported(self, limit: int) -> Sequence[Report]:
        self._news.clear()
        told = set(self.told)
        return [report for report in self._reports if report.id not in told][:limit]

    async def reported(self, ids: Sequence[str]) -> None:
        if self.is_slow:
            self.is_noting.set()
            await asyncio.Event().wait()
        self.told += ids
        async with self._changed:
            self._changed.notify_all()

    async def wait(self) -> None:
        await self._news.wait()

    async def hears_of(self, count: int) -> list[str]:
        """The ids that were reported, once they are as many."""
        async with asyncio.timeout(PATIENCE_SECONDS), self._changed:
            await self._changed.wait_for(lambda: len(self.told) >= count)
        return self.told


class EndlessWait(HandClock):
    """Who sleeps never wakes."""

    def __init__(self) -> None:
        super().__init__()
        self.asleep = 0

    async def sleep(self, seconds: float) -> None:
        del seconds
        self.asleep += 1
        await asyncio.Event().wait()


class Desk:
    def __init__(self, receiver: ExchangeReceiver, session: aiohttp.ClientSession) -> None:
        self.receiver = receiver
        self.reasons: list[str] = []
        self._session = session

    def webhook(self, clock: Clock, *, secret: bytes = KEY) -> Webhook:
        return Webhook(self.receiver.url, secret=secret, clock=clock, session=self._session)

    @asynccontextmanager
    async def running(self, ledger: PaperLedger, clock: Clock) -> AsyncIterator[None]:
        """Reporting, until the block is left. Nothing that it started may be left behind."""
        before = asyncio.all_tasks()
        async with asyncio.TaskGroup() as group:
            work = reporting(ledger, self.webhook(clock), clock=clock, failed=self.reasons.append)
            task = group.create_task(work)
            try:
                yield
            finally:
                task.cancel()
        assert {task.get_name() for task in asyncio.all_tasks() - before if "freeze" in task.get_name()} == set()


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with ExchangeReceiver() as receiver, aiohttp.ClientSession() as session:
        yield Desk(receiver, session)


def test_the_verifier_knows_the_vector_of_the_specification() -> None:
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert is_signed(headers, b'{"test": 2432232314}', key=key)
    assert not is_signed(headers, b'{"test": 2432232315}', key=key)


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(FROZEN, id="a freeze"),
        pytest.param(
            replace(FROZEN, id="reminder-17", event=ReportEvent.FREEZE_ENDS_SOON, guardian="g-5"), id="a reminder"
        ),
    ],
)
async def test_the_exchange_gets_all_of_it_signed(desk: Desk, report: Report) -> None:
    await desk.webhook(HandClock()).deliver(report)
    assert msgspec.json.decode(desk.receiver.bodies[0]) == {
        "id": report.id,
        "event": str(report.event),
        "account": "c0ffee00c0ffee00c0ffee00c0ffee00",
        "key_id": "k1",
        "until": "2026-02-05T12:00:00Z",
        "activated_at": "2026-02-03T12:00:00Z",
        "guardian": report.guardian,
    }
    headers = desk.receiver.headers[0]
    assert headers["Content-Type"] == "application/json"
    assert (headers["webhook-id"], headers["Idempotency-Key"]) == (report.id, report.id)
    assert datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC) == NOON


async def test_another_secret_is_refused(desk: Desk) -> None:
    with pytest.raises(NotDelivered) as raised:
        await desk.webhook(HandClock(), secret=b"another").deliver(FROZEN)
    assert raised.value.reason == "http_4xx"
    assert (desk.receiver.unsigned, desk.receiver.acted.total()) == (1, 0)


@pytest.mark.parametrize(
    ("ways", "reasons"),
    [
        pytest.param([200], [], id="200"),
        pytest.param([204], [], id="204"),
        pytest.param([ENDLESS], [], id="200 and a body without end"),
        pytest.param([500, 503], ["http_5xx", "http_5xx"], id="500 and 503"),
        pytest.param([400, 404, 410, 429], ["http_4xx"] * 4, id="even 410"),
        pytest.param([302], ["http_3xx"], id="a redirect"),
        pytest.param([DROP], ["connection"], id="hung up"),
        pytest.param([DROP_AFTER], ["connection"], id="hung up after it was acted on"),
    ],
)
async def test_it_arrives_and_is_acted_on_once(desk: Desk, ways: list[Way], reasons: list[str]) -> None:
    desk.receiver.ways["17"] = list(ways)
    ledger = PaperLedger(FROZEN)
    async with desk.running(ledger, HandClock()):
        assert await ledger.hears_of(1) == ["17"]
    assert desk.reasons == reasons
    assert desk.receiver.heard == {"17": len(reasons) + 1}
    assert desk.receiver.acted == {"17": 1}


async def test_each_attempt_is_signed_at_its_own_time(desk: Desk) -> None:
    """A receiver refuses what is older than some minutes, so the third attempt must not carry the time of the first."""
    desk.receiver.ways["17"] = [500, 500]
    ledger, clock = PaperLedger(FROZEN), HandClock()
    async with desk.running(ledger, clock):
        await ledger.hears_of(1)
    first, second, third = [int(headers["webhook-timestamp"]) for headers in desk.receiver.headers]
    assert first < second < third


async def test_a_receiver_that_hangs_is_asked_again(desk: Desk) -> None:
    desk.receiver.ways["17"] = [HANG]
    ledger = PaperLedger(FROZEN)
    async with desk.running(ledger, Clock(start=NOON, speed=20.0)):
        await ledger.hears_of(1)
    assert desk.reasons[0] == "timeout"
    assert desk.receiver.acted == {"17": 1}


async def test_nobody_listens_at_first() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    receiver = ExchangeReceiver(port=port)
    receiver.url = f"http://127.0.0.1:{port}/hook"
    ledger, refused = PaperLedger(FROZEN), asyncio.Event()

    def failed(reason: str) -> None:
        assert reason == "connection"
        refused.set()

    clock = Clock(start=NOON, speed=20.0)
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        webhook = Webhook(receiver.url, secret=KEY, clock=clock, session=session)
        task = group.create_task(reporting(ledger, webhook, clock=clock, failed=failed))
        await refused.wait()
        async with receiver:
            await ledger.hears_of(1)
        task.cancel()
    assert receiver.acted == {"17": 1}


async def test_more_poisonous_ones_than_seats_hold_nobody_back(desk: Desk) -> None:
    """They wait for ever after their first attempt; all others arrive."""
    poisonous, others = numbered(12), numbered(30, first=100)
    desk.receiver.always = {report.id: 500 for report in poisonous}
    ledger, clock = PaperLedger(*poisonous, *others), EndlessWait()
    async with desk.running(ledger, clock):
        told = await ledger.hears_of(30)
        ledger.add(replace(FROZEN, id="late"))
        told = await ledger.hears_of(31)
    assert sorted(told) == sorted([*(report.id for report in others), "late"])
    assert clock.asleep == 12
    assert desk.receiver.heard["1"] == 1, "it was not taken up again for the news"


async def test_those_that_hang_give_their_seats_back(desk: Desk) -> None:
    hanging, others = numbered(8), numbered(8, first=100)
    desk.receiver.always = {report.id: HANG for report in hanging}
    ledger = PaperLedger(*hanging, *others)
    async with desk.running(ledger, Clock(start=NOON, speed=20.0)):
        assert sorted(await ledger.hears_of(8)) == [report.id for report in others]


async def test_eight_at_a_time(desk: Desk) -> None:
    ledger = PaperLedger(*numbered(40))
    desk.receiver.hold()
    async with desk.running(ledger, HandClock()):
        await desk.receiver.until(lambda: desk.receiver.heard.total() == 8)
        desk.receiver.go_on()
        await ledger.hears_of(40)
    assert desk.receiver.busiest == 8


async def test_more_than_fit_into_memory(desk: Desk) -> None:
    ledger = PaperLedger(*numbered(MOST_WAITING + 50))
    async with desk.running(ledger, Clock(start=NOON)):
        await ledger.hears_of(MOST_WAITING + 50)
    assert set(desk.receiver.heard.values()) == {1}


async def test_what_comes_later_is_told_and_nothing_twice(desk: Desk) -> None:
    ledger = PaperLedger(*numbered(3))
    async with desk.running(ledger, HandClock()):
        await ledger.hears_of(3)
        for report in numbered(3, first=4):
            ledger.add(report)
        await ledger.hears_of(6)
    assert set(desk.receiver.heard.values()) == {1}


async def test_a_restart_tells_again_what_was_not_noted(desk: Desk) -> None:
    """It arrived, but the process ended before that was durable: it comes again, with the id by which it is known."""
    ledger = PaperLedger(*numbered(3))
    ledger.is_slow = True
    async with desk.running(ledger, HandClock()):
        await desk.receiver.until(lambda: desk.receiver.acted.total() == 3)
        await ledger.is_noting.wait()
        ledger.add(replace(FROZEN, id="4"))
        await desk.receiver.until(lambda: desk.receiver.acted["4"] == 1)
    assert set(desk.receiver.heard.values()) == {1}, "what is being noted is not taken up again"
    ledger.is_slow = False
    async with desk.running(ledger, HandClock()):
        assert sorted(await ledger.hears_of(4)) == ["1", "2", "3", "4"]
    assert desk.receiver.heard == {"1": 2, "2": 2, "3": 2, "4": 2}
    assert set(desk.receiver.acted.values()) == {1}
    async with desk.running(ledger, HandClock()):
        ledger.add(replace(FROZEN, id="5"))
        await ledger.hears_of(5)
    assert desk.receiver.heard.total() == 9


async def test_it_ends_in_the_middle_of_everything(desk: Desk) -> None:
    """Some hang, some wait for their next attempt, some for a seat: `running` sees that no task is left."""
    failing, hanging = numbered(4), numbered(20, first=100)
    desk.receiver.always = {report.id: 500 for report in failing} | {report.id: HANG for report in hanging}
    ledger, clock = PaperLedger(*failing, *hanging), EndlessWait()
    async with desk.running(ledger, clock):
        await desk.receiver.until(lambda: desk.receiver.heard.total() >= 12)
        names = {task.get_name() for task in asyncio.all_tasks()}
        assert {"freeze report 1", "freeze report 100", "freeze report 119"} <= names
    assert ledger.told == []


async def test_neither_log_nor_error_tells_the_account_or_the_address(desk: Desk) -> None:
    desk.receiver.ways["17"] = [500, 503, DROP, 404]
    ledger = PaperLedger(FROZEN)
    with capture_logs() as logs:
        async with desk.running(ledger, HandClock()):
            await ledger.hears_of(1)
    desk.receiver.ways["17"] = [DROP]
    with pytest.raises(NotDelivered) as raised:
        await desk.webhook(HandClock()).deliver(FROZEN)
    assert len(logs) == 4, "a line for each change"
    assert raised.value.__cause__ is None, "aiohttp's errors carry the address"
    told = f"{logs} {raised.value!r}"
    for hidden in (ACCOUNT.hex(), repr(ACCOUNT)[2:-1], "url-canary", KEY.decode()):
        assert hidden not in told


@given(report=st.text(max_size=20), attempt=st.integers(0, 10_000))
def test_waits_grow_from_a_second_to_five_minutes(report: str, attempt: int) -> None:
    wait = seconds_before(report, attempt)
    assert 1.0 <= wait < 300.0
    assert wait == seconds_before(report, attempt)
    assert wait < 2.0 or attempt > 0
    assert wait >= 150.0 or attempt < 8
    assert seconds_before(report, attempt + 1) * 2 > wait, "never much shorter than the one before"


def test_those_that_failed_together_do_not_come_together() -> None:
    waits = [seconds_before(str(number), 9) for number in range(1000)]
    per_10_seconds = [sum(150 + 10 * step <= wait < 160 + 10 * step for wait in waits) for step in range(15)]
    assert sum(per_10_seconds) == 1000
    assert max(per_10_seconds) < 2 * 1000 / 15
