"""The dead man's switch: heard only while we truly watch, told otherwise where we can, silent where we cannot."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from monitor.clock import Clock
from monitor.http import Http
from monitor.model import ExchangeState, ExchangeView, ProbeView
from monitor.notify.heartbeat import Heartbeat, Pulse, failing
from monitor.telling import blind
from tests.notifications import START, at
from tests.receiver import Receiver


async def beats(*pulses: Pulse, answers: tuple[int | str, ...] = ()) -> tuple[list[tuple[str, str]], list[bool]]:
    """What arrived, and whether each beat that was tried did."""
    clock, beaten, left = Clock(), list[bool](), list(pulses)

    async def feel() -> Pulse:
        return left.pop(0)

    async with Receiver(clock) as receiver, Http(clock) as http:
        receiver.behave(*answers)
        heartbeat = Heartbeat(
            http,
            f"{receiver.base}/ping/0c1d",
            clock,
            feel=feel,
            beaten=lambda when: beaten.append(when is not None),
            allow_private=True,
        )
        for _ in pulses:
            await heartbeat.beat()
        return receiver.asked, beaten


async def test_all_is_well() -> None:
    asked, beaten = await beats(Pulse(turns=True), Pulse(turns=True))
    assert asked == [("/ping/0c1d", "watching")] * 2
    assert beaten == [True, True]


async def test_who_cannot_see_says_so_at_once_and_counts_it_as_no_success() -> None:
    asked, beaten = await beats(Pulse(turns=True, trouble="blind: no exchange was read"), Pulse(turns=True))
    assert asked == [("/ping/0c1d/fail", "blind: no exchange was read"), ("/ping/0c1d", "watching")]
    assert beaten == [True]


async def test_a_pipeline_that_does_not_turn_is_silent() -> None:
    assert await beats(Pulse(turns=False), Pulse(turns=False)) == ([], [])


@pytest.mark.parametrize("answer", [500, "drop"])
async def test_a_beat_that_does_not_arrive_is_counted_and_the_next_one_is_tried(answer: int | str) -> None:
    _, beaten = await beats(Pulse(turns=True), Pulse(turns=True), answers=(answer, answer))
    assert beaten[0] is False


def test_a_query_stays_where_it_is() -> None:
    assert failing("https://hc-ping.com/0c1d/?rid=7") == "https://hc-ping.com/0c1d/fail?rid=7"


def seen(*, last: datetime | None, blind: bool = False, exchange: str = "kraken") -> ExchangeView:
    probe = ProbeView(probe="kraken-assets", last_success_at=last, failing_since=None)
    return ExchangeView(
        exchange=exchange,
        at=START,
        withdrawals=ExchangeState.OPERATIONAL,
        since=None,
        reason="",
        probes=(probe,),
        blind=blind,
    )


@pytest.mark.parametrize(
    ("views", "why"),
    [
        pytest.param([seen(last=at(-10))], "", id="read just now"),
        pytest.param([seen(last=None), seen(last=at(-10))], "", id="one of them is read"),
        pytest.param([seen(last=at(-600))], "blind: no exchange was read since 13:50 UTC", id="nothing for long"),
        pytest.param([seen(last=None)], "blind: no exchange was ever read", id="nothing ever"),
        pytest.param(
            [seen(last=at(-1)), seen(last=at(-1), blind=True, exchange="")],
            "blind: our own control targets do not answer",
            id="the control targets are gone",
        ),
        pytest.param(
            [replace(seen(last=at(-600)), exchange="kraken"), seen(last=at(0), exchange="")],
            "blind: no exchange was read since 13:50 UTC",
            id="that control targets answer is not enough",
        ),
    ],
)
def test_when_we_are_blind(views: list[ExchangeView], why: str) -> None:
    assert blind(views, START, unread=timedelta(minutes=5)) == why
