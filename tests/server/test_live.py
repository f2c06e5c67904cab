"""News as server-sent events over a real connection: in order, once, again after a break, and never at others' cost."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiohttp
import msgspec
import pytest
from aiohttp import web
from msgspec import Struct
from msgspec.structs import replace

from monitor.exposition import Intervals
from monitor.metrics import Metrics
from monitor.model import Change, Entry, Output, Tick
from monitor.store.store import Store
from monitor.web.live import CHANGED_SECONDS, MISSED, WAITING, Happenings, Live
from monitor.web.server import serving
from tests.server.test_web import NOW, draft, transition

PATIENCE = 10.0


class Told(Struct):
    """A store's outputs, in memory."""

    outputs_: list[tuple[int, Output]] = []

    async def head(self) -> Entry | None:
        return Entry(self.outputs_[-1][0], Tick(at=NOW, probe="tick")) if self.outputs_ else None

    async def outputs(self, *, after: int, limit: int | None = None) -> Sequence[tuple[int, Output]]:
        return [(seq, output) for seq, output in self.outputs_ if seq > after][:limit]


class Event(Struct):
    name: str = ""
    id: str = ""
    data: str = ""


class Stage(Struct):
    """A server of events; `commit` is what the pipeline does."""

    told: Told
    bell: asyncio.Event
    live: Live
    url: str
    task: asyncio.Task[None]
    metrics: Metrics

    def measured(self, name: str) -> float:
        body, _ = self.metrics.render("", now=NOW)
        found = re.search(rf"^cexwatch_{name} (\S+)$", body.decode(), re.MULTILINE)
        assert found is not None
        return float(found[1])

    def commit(self, *outputs: tuple[int, Output]) -> None:
        self.told.outputs_ += outputs
        self.bell.set()


def happenings_of(store: Store) -> Happenings:
    """The store is what the events are made of; mypy checks it here."""
    return store


@asynccontextmanager
async def staged(*, readers: int = 10, heartbeat: float = 5.0, write: float = 5.0) -> AsyncIterator[Stage]:
    told, bell = Told(), asyncio.Event()
    metrics = Metrics(version="0", intervals=Intervals())
    live = Live(told, metrics=metrics, readers=readers, heartbeat=heartbeat, write=write)
    app = web.Application()
    app.add_routes([live.route()])
    async with serving(app, host="127.0.0.1", port=0) as url, asyncio.TaskGroup() as group:
        task = group.create_task(live.run(bell))
        yield Stage(told, bell, live, url, task, metrics)
        task.cancel()


@asynccontextmanager
async def listening(stage: Stage, *, last: str | None = None) -> AsyncIterator[AsyncIterator[Event]]:
    headers = {} if last is None else {"Last-Event-ID": last}
    async with (
        asyncio.timeout(PATIENCE),
        aiohttp.ClientSession(stage.url) as session,
        session.get("/events", headers=headers) as answer,
    ):
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert await answer.content.readline() == b"retry: 3000\n"
        yield _events(answer.content)


async def _events(content: aiohttp.StreamReader) -> AsyncIterator[Event]:
    """What a browser makes of the stream; comments are events named "comment"."""
    event = Event()
    async for line in content:
        match line.decode().rstrip("\n").partition(": "):
            case ("", "", ""):
                if event.name:
                    yield event
                event = Event()
            case ("event", _, name):
                event.name = name
            case ("id", _, number):
                event.id = number
            case ("data", _, data):
                event.data = data
            case ("", ": ", _):
                event.name = event.name or "comment"


async def news(stream: AsyncIterator[Event], number: int) -> list[Event]:
    found: list[Event] = []
    async for event in stream:
        if event.name in ("incident", "reset"):
            found.append(event)
        if len(found) == number:
            return found
    return found


async def begun(stream: AsyncIterator[Event]) -> None:
    assert (await anext(stream)).name == "comment"


def change(summary: str) -> Output:
    return replace(transition(), summary=summary)


async def test_news_come_in_order_with_their_place_in_the_journal() -> None:
    async with staged() as stage, listening(stage) as stream:
        await begun(stream)
        stage.commit((7, change("first")), (9, change("second")))
        first, second = await news(stream, 2)
    assert (first.id, second.id) == ("7", "9")
    assert msgspec.json.decode(first.data) == {
        "incident": "kraken-withdrawal_halt-20260203T140510Z",
        "transition": Change.OPENED,
        "kind": "withdrawal_halt",
        "severity": "critical",
        "exchange": "kraken",
        "summary": "first",
    }


async def test_a_draft_is_no_news_for_everybody() -> None:
    async with staged() as stage, listening(stage) as stream:
        await begun(stream)
        stage.commit((7, draft(text="not approved")), (8, change("opened")))
        [event] = await news(stream, 1)
    assert event.id == "8"
    assert "not approved" not in event.data


async def test_pages_are_said_to_have_changed_where_there_is_no_news() -> None:
    assert CHANGED_SECONDS > 1
    async with staged() as stage, listening(stage) as stream:
        await begun(stream)
        stage.commit()
        assert (await anext(stream)).name == "changed"


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        pytest.param("3", ["fourth", "fifth", "later"], id="what was missed, then what comes"),
        pytest.param("5", ["later"], id="nothing was missed"),
        pytest.param(None, ["later"], id="a new reader is not told what was"),
        pytest.param("; drop", ["later"], id="no id at all"),
        pytest.param("9" * 30, ["later"], id="longer than any id"),
    ],
)
async def test_after_a_break_nothing_is_lost_or_told_twice(last: str | None, expected: list[str]) -> None:
    async with staged() as stage:
        stage.told.outputs_ = [(n, change(word)) for n, word in ((3, "third"), (4, "fourth"), (5, "fifth"))]
        async with listening(stage, last=last) as stream:
            await begun(stream)
            stage.commit((6, change("later")))
            told = await news(stream, len(expected))
    assert [msgspec.json.decode(each.data)["summary"] for each in told] == expected


@pytest.mark.parametrize("last", [pytest.param("1", id="too much was missed"), pytest.param("9999", id="of another")])
async def test_a_reader_that_cannot_be_caught_up_looks_at_the_page(last: str) -> None:
    async with staged() as stage:
        stage.told.outputs_ = [(n, change("news")) for n in range(2, MISSED + 3)]
        async with listening(stage, last=last) as stream:
            [event] = await news(stream, 1)
    assert (event.name, event.id) == ("reset", str(MISSED + 2))


async def test_of_one_entry_only_the_last_bears_the_id() -> None:
    async with staged() as stage, listening(stage) as stream:
        await begun(stream)
        stage.commit((7, change("resolved")), (7, change("opened")))
        assert [event.id for event in await news(stream, 2)] == ["", "7"]


async def test_two_readers_are_told_the_same_and_neither_waits_for_the_other() -> None:
    async with staged() as stage, listening(stage) as one, listening(stage) as other:
        await begun(one)
        await begun(other)
        stage.commit((7, change("news")))
        assert await news(one, 1) == await news(other, 1)


async def test_a_silent_line_is_kept_open_by_comments() -> None:
    async with staged(heartbeat=0.01) as stage, listening(stage) as stream:
        assert [(await anext(stream)).name for _ in range(3)] == ["comment"] * 3


async def test_more_readers_than_seats_are_told_to_come_later() -> None:
    async with staged(readers=1) as stage, listening(stage) as stream:
        await begun(stream)
        async with aiohttp.ClientSession(stage.url) as session, session.get("/events") as answer:
            assert answer.status == 503
            assert answer.headers["Retry-After"] == "60"


async def test_a_seat_is_free_again_when_its_reader_left() -> None:
    async with staged(readers=1, heartbeat=0.01) as stage:
        async with listening(stage) as stream:
            await begun(stream)
        await _seat_is_free(stage)


async def test_who_listens_is_counted() -> None:
    async with staged() as stage, listening(stage) as stream:
        await begun(stream)
        assert stage.measured("event_readers") == 1


async def test_a_reader_that_takes_nothing_is_dropped_and_the_others_are_served() -> None:
    """Its socket is full of summaries that it never reads; another gets its seat."""
    async with staged(readers=2, write=0.1) as stage, listening(stage) as stream:
        with _lazy(stage):
            await begun(stream)
            for seq in range(1, WAITING + 10):
                stage.commit((seq, change("x" * 200_000)))
                [event] = await news(stream, 1)
                assert event.id == str(seq)
            await _seat_is_free(stage)
            assert stage.measured("event_readers_dropped_total") == 1


async def _seat_is_free(stage: Stage) -> None:
    async with asyncio.timeout(PATIENCE), aiohttp.ClientSession(stage.url) as session:
        while True:
            async with session.get("/events") as answer:
                if answer.status == 200:
                    return


def _lazy(stage: Stage) -> socket.socket:
    host, port = stage.url.removeprefix("http://").split(":")
    lazy = socket.socket()
    lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    lazy.connect((host, int(port)))
    lazy.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
    return lazy


async def test_streams_end_with_the_daemon() -> None:
    async with staged() as stage, listening(stage) as stream:
        await begun(stream)
        stage.task.cancel()
        assert await news(stream, 1) == []
