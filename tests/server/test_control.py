"""Seeing and not seeing: what control targets on loopback make of our own sight, and of our clock."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import chain, repeat

import pytest

from monitor.clock import Clock
from monitor.http import Http
from monitor.model import Control
from monitor.probes.control import ControlProbe
from monitor.probes.probe import Probe
from tests.fault_server import FaultServer, Peer, Script, http, says, says_and_closes, says_and_resets

NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)
FINE = says(http())
DEAD = says_and_closes(b"")
GONE = says_and_resets(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")


def status(text: str) -> Script:
    return says(http(status=text))


def dated(seconds: float) -> Script:
    """A target whose clock is ahead of noon by that much."""
    return says(http(headers={"Date": format_datetime(NOON + timedelta(seconds=seconds), usegmt=True)}))


TOO_MANY = status("429 Too Many Requests")


class DatedOnce:
    """Tells the time in its first answer only."""

    def __init__(self) -> None:
        self._scripts = chain([dated(60)], repeat(FINE))

    async def __call__(self, peer: Peer) -> None:
        await next(self._scripts)(peer)


@asynccontextmanager
async def looking(scripts: Sequence[Script], *, allow_private: bool = True) -> AsyncIterator[ControlProbe]:
    """A control probe on one target a script, each a host of its own."""
    clock = Clock(start=NOON)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(Http(clock))
        servers = [await stack.enter_async_context(FaultServer({"/": script})) for script in scripts]
        targets = [server.url("/") for server in servers]
        yield ControlProbe(client, clock, targets=targets, allow_private=allow_private)


async def observed(probe: Probe) -> Control:
    (control,) = await probe.observe()
    assert isinstance(control, Control)
    return control


@pytest.mark.parametrize(
    ("scripts", "ok", "answered"),
    [
        pytest.param([FINE, FINE, FINE], True, 3, id="all answer"),
        pytest.param([FINE, FINE, DEAD, GONE], True, 2, id="half answer"),
        pytest.param([FINE, DEAD, GONE], False, 1, id="less than half answer"),
        pytest.param([DEAD, DEAD], False, 0, id="none answers"),
        pytest.param([status("404 Not Found"), status("503 Service Unavailable")], True, 2, id="an error is an answer"),
        pytest.param([status("401 Unauthorized"), status("403 Forbidden")], True, 2, id="a refusal is an answer"),
        pytest.param([status("302 Found"), TOO_MANY], True, 2, id="a redirect is an answer"),
        pytest.param([says(http(headers={"Content-Encoding": "br"}))], True, 1, id="an unreadable body is an answer"),
        pytest.param([], False, 0, id="no target shows nothing"),
    ],
)
async def test_at_least_half_must_answer_anything(scripts: list[Script], ok: bool, answered: int) -> None:
    async with looking(scripts) as probe:
        control = await observed(probe)
    assert (control.ok, control.targets, control.targets_ok) == (ok, len(scripts), answered)
    assert (control.exchange, control.probe) == ("", "control")
    assert timedelta(0) <= control.at - NOON < timedelta(seconds=10)


async def test_a_target_that_told_us_to_stop_has_no_vote() -> None:
    async with looking([TOO_MANY, TOO_MANY, DEAD, DEAD, DEAD]) as probe:
        first, second = await observed(probe), await observed(probe)
    assert (first.targets, first.targets_ok) == (5, 2)
    assert (second.targets, second.targets_ok, second.ok) == (3, 0, False)


async def test_targets_that_all_told_us_to_stop_have_answered() -> None:
    async with looking([TOO_MANY, TOO_MANY]) as probe:
        first, second = await observed(probe), await observed(probe)
    assert (first.ok, second.ok, second.targets, second.targets_ok) == (True, True, 2, 2)


async def test_private_targets_are_not_seen_without_leave() -> None:
    async with looking([FINE, FINE], allow_private=False) as probe:
        control = await observed(probe)
    assert (control.ok, control.targets_ok) == (False, 0)


@pytest.mark.parametrize(
    ("scripts", "offset"),
    [
        pytest.param([dated(60), dated(60)], 60, id="two agree"),
        pytest.param([dated(-3600), dated(-3600), dated(-3600)], -3600, id="all are behind"),
        pytest.param([dated(60), dated(60), dated(-900)], 60, id="two agree against one"),
        pytest.param([dated(60), dated(61), DEAD], 60.5, id="within two seconds is agreement"),
        pytest.param([dated(60)], None, id="one confirms nothing"),
        pytest.param([dated(60), dated(-60)], None, id="two disagree"),
        pytest.param([dated(60), dated(60), dated(0), dated(0)], None, id="two against two"),
        pytest.param([FINE, FINE], None, id="no Date header"),
        pytest.param([says(http(headers={"Date": "noon"}))] * 2, None, id="no date in the header"),
    ],
)
async def test_the_clock_is_off_only_where_targets_agree(scripts: list[Script], offset: float | None) -> None:
    async with looking(scripts) as probe:
        assert probe.clock_offset() is None
        await observed(probe)
    if offset is None:
        assert probe.clock_offset() is None
    else:
        assert probe.clock_offset() == pytest.approx(offset, abs=1.5)


async def test_an_offset_lasts_until_the_next_look() -> None:
    async with looking([DatedOnce(), DatedOnce()]) as probe:
        await observed(probe)
        assert probe.clock_offset() is not None
        await observed(probe)
        assert probe.clock_offset() is None
