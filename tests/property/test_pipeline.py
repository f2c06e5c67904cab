"""What must hold of pipeline, store, engines and outbox together.

A restart changes nothing, wherever it comes; nothing is published without an approval of exactly that text.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec import Struct

import tests.journals as j
from monitor.engine.run import Engines
from monitor.model import Draft, ExchangeView, Incident, Observation, Output, Verb
from monitor.restart import resume
from monitor.store import Store
from tests.faults.ledger import ALL
from tests.faults.people import with_people
from tests.faults.pipelines import live, live_until_killed, states
from tests.faults.press import (
    Action,
    Decide,
    Deliver,
    Event,
    Fate,
    Flip,
    Hold,
    Poll,
    Press,
    Restart,
    Sending,
    Shown,
    Wait,
)
from tests.property.examples import examples

CALM = settings(
    max_examples=examples(10),
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
WORLD: list[Observation] = [j.control(m + 0.25, ok=m not in (7, 8, 9)) for m in range(40)]
END: list[Observation] = [j.tick(40), j.tick(60), j.tick(120)]


class Committed(Struct, frozen=True):
    """What the store shows at the end, and the engines that go on."""

    views: list[ExchangeView]
    incidents: list[Incident]
    drafts: list[Draft]
    outputs: list[Output]
    held: bool
    engines: dict[str, bytes]
    diverged: int  # entries, at all restarts together


class Cut(Struct, frozen=True):
    """An end of a life before the entry at `place` (0..1 of the journal), in order or by a kill."""

    place: float
    is_kill: bool


CUTS = st.lists(st.builds(Cut, st.floats(0, 1), st.booleans()), min_size=1, max_size=3)


@CALM
@given(mine=j.histories(), other=j.histories(exchange="otherx"), cuts=CUTS)
def test_a_restart_changes_nothing(mine: list[Observation], other: list[Observation], cuts: list[Cut]) -> None:
    entries = with_people(sorted([*mine, *other, *WORLD], key=lambda entry: entry.at)) + END
    whole = asyncio.run(_lived(entries, []))
    in_parts = asyncio.run(_lived(entries, sorted(cuts, key=lambda cut: cut.place)))
    assert in_parts == whole


async def _lived(entries: Sequence[Observation], cuts: Sequence[Cut]) -> Committed:
    with tempfile.TemporaryDirectory() as folder:
        address = f"sqlite+aiosqlite:///{Path(folder) / 'cexwatch.db'}"
        begin = diverged = 0
        for cut in [*cuts, Cut(1.0, is_kill=False)]:
            end = round(cut.place * len(entries))
            store = await Store.open(address)
            try:
                resumed = await resume(store)
                diverged += resumed.diverged
                living = live_until_killed if cut.is_kill else live
                await living(store, resumed.engines, entries[begin:end], seq=resumed.seq)
                committed = await _committed(store, resumed.engines, diverged)
            finally:
                await store.close()
            begin = end
        return committed


async def _committed(store: Store, engines: Engines, diverged: int) -> Committed:
    return Committed(
        views=await store.views(),
        incidents=await store.incidents(limit=ALL),
        drafts=await store.drafts(limit=ALL),
        # Each life begins with a command, which closes the instant that exchanges are in: which of two speaks first is
        # another order of the same words.
        outputs=sorted([output for _, output in await store.outputs(after=0)], key=attrgetter("exchange")),
        held=await store.held(),
        engines=states(engines),
        diverged=diverged,
    )


EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(Flip, st.booleans()),
    st.builds(Poll, st.integers(1, 6)),
    st.builds(Wait, st.sampled_from([1, 2, 10, 25]), st.booleans()),
    st.builds(Decide, st.just(Verb.APPROVE), st.integers(0, 3), st.sampled_from(Shown)),
    st.builds(
        Decide, st.sampled_from([Verb.APPROVE, Verb.EDIT, Verb.REJECT, Verb.IDENTIFY, Verb.RETRY]), st.integers(0, 3)
    ),
    st.builds(Hold, st.booleans()),
)
ACTIONS: st.SearchStrategy[Action] = st.one_of(EVENTS, st.just(Deliver()), st.just(Restart()))
SENDINGS = st.builds(Sending, st.sampled_from(Fate), st.none() | EVENTS)
HALT: list[Action] = [Poll(1), Flip(is_open=False), Poll(3)]


@CALM
@given(actions=st.lists(ACTIONS, min_size=4, max_size=20), sendings=st.lists(SENDINGS, max_size=6))
def test_nothing_is_published_without_an_approval_of_exactly_that_text(
    actions: list[Action], sendings: list[Sending]
) -> None:
    assert asyncio.run(_played([*HALT, *actions], sendings)).broken == []


@pytest.mark.parametrize(
    ("actions", "attempts"),
    [
        pytest.param([Decide(Verb.APPROVE, 0)], 1, id="approved"),
        pytest.param([Decide(Verb.APPROVE, 0), Decide(Verb.APPROVE, 0)], 2, id="approved for both channels"),
        pytest.param([], 0, id="not approved"),
        pytest.param([Decide(Verb.APPROVE, 0, Shown.OTHER)], 0, id="another text approved"),
        pytest.param([Decide(Verb.APPROVE, 0, Shown.NONE)], 0, id="no text approved"),
        pytest.param([Decide(Verb.EDIT, 0), Decide(Verb.APPROVE, 0, Shown.FIRST)], 0, id="the former text approved"),
        pytest.param([Decide(Verb.EDIT, 0), Decide(Verb.APPROVE, 0)], 1, id="the edited text approved"),
        pytest.param([Decide(Verb.APPROVE, 0), Decide(Verb.EDIT, 1)], 1, id="edited too late"),
        pytest.param([Decide(Verb.APPROVE, 0), Decide(Verb.REJECT, 1)], 0, id="rejected after the approval"),
        pytest.param([Decide(Verb.APPROVE, 0), Decide(Verb.IDENTIFY, 1)], 0, id="superseded after the approval"),
        pytest.param([Decide(Verb.APPROVE, 0), Wait(25)], 0, id="expired after the approval"),
        pytest.param([Decide(Verb.APPROVE, 0), Wait(25, is_noticed=False)], 0, id="expired, and no entry since"),
        pytest.param([Decide(Verb.APPROVE, 0), Hold(is_held=True)], 0, id="held after the approval"),
        pytest.param([Hold(is_held=True), Decide(Verb.APPROVE, 0), Hold(is_held=False)], 0, id="held at the approval"),
        pytest.param([Decide(Verb.APPROVE, 0), Hold(is_held=True), Hold(is_held=False)], 1, id="held and released"),
    ],
)
async def test_what_is_sent(actions: list[Action], attempts: int) -> None:
    press = await _played([*HALT, *actions, Deliver(), Deliver()], [])
    assert press.broken == []
    assert press.attempts == attempts


@pytest.mark.parametrize(
    ("sending", "afterwards", "attempts"),
    [
        pytest.param(Sending(Fate.POSTED), [], 1, id="posted"),
        pytest.param(Sending(Fate.REJECTED), [], 1, id="rejected by the channel"),
        pytest.param(Sending(Fate.RATE_LIMITED), [Poll(3), Deliver()], 2, id="asked to wait"),
        pytest.param(Sending(Fate.KILLED_BEFORE), [], 2, id="killed before it was sent"),
        pytest.param(Sending(Fate.KILLED_AFTER), [], 1, id="killed after it was sent"),
        pytest.param(
            Sending(Fate.RATE_LIMITED, Decide(Verb.REJECT, 1)),
            [Poll(3), Deliver()],
            1,
            id="rejected by a person before it was asked to wait",
        ),
        pytest.param(
            Sending(Fate.RATE_LIMITED, Decide(Verb.IDENTIFY, 1)),
            [Poll(3), Deliver()],
            1,
            id="superseded before it was asked to wait",
        ),
        pytest.param(
            Sending(Fate.RATE_LIMITED, Wait(25)), [Poll(3), Deliver()], 1, id="expired before it was asked to wait"
        ),
        pytest.param(Sending(Fate.LOST, Poll(1)), [Poll(2), Deliver()], 1, id="out, and its receipt lost"),
        pytest.param(
            Sending(Fate.LOST, Decide(Verb.IDENTIFY, 1)),
            [Poll(2), Deliver()],
            1,
            id="out, its receipt lost, and superseded meanwhile",
        ),
        pytest.param(
            Sending(Fate.LOST),
            [Decide(Verb.REJECT, 1), Poll(2), Deliver()],
            1,
            id="out, its receipt lost, and rejected",
        ),
        pytest.param(Sending(Fate.KILLED_BEFORE, Wait(25)), [Restart()], 1, id="killed, and back after it expired"),
        pytest.param(Sending(Fate.KILLED_BEFORE, Hold(is_held=True)), [], 1, id="held before it was killed"),
        pytest.param(Sending(Fate.KILLED_BEFORE, Decide(Verb.REJECT, 1)), [], 1, id="rejected before it was killed"),
    ],
)
async def test_what_becomes_of_an_attempt(sending: Sending, afterwards: list[Action], attempts: int) -> None:
    approve: list[Action] = [Decide(Verb.APPROVE, 0), Deliver()]
    press = await _played([*HALT, *approve, *afterwards], [sending])
    assert press.broken == []
    assert press.attempts == attempts


LOOKED: list[Action] = [Poll(1), Deliver(), Poll(2), Deliver()]
"""Long enough for two looks that are a minute apart."""
RETRY = Decide(Verb.RETRY, 1)


@pytest.mark.parametrize(
    ("fate", "afterwards", "attempts"),
    [
        pytest.param(Fate.LOST, [*LOOKED, RETRY, Deliver()], 1, id="out, and found"),
        pytest.param(Fate.KILLED_AFTER, [*LOOKED, RETRY, Deliver()], 1, id="out, killed, and found"),
        pytest.param(Fate.UNSENT, [*LOOKED, Deliver()], 1, id="not there, and nobody asks for more"),
        pytest.param(Fate.UNSENT, [RETRY, Deliver()], 1, id="asked for again before anybody looked"),
        pytest.param(Fate.UNSENT, [*LOOKED, RETRY, Deliver()], 2, id="not there, and asked for again"),
        pytest.param(Fate.KILLED_BEFORE, [*LOOKED, RETRY, Deliver()], 2, id="killed, not there, and asked for again"),
        pytest.param(Fate.UNSENT, [*LOOKED, RETRY, RETRY, Deliver(), Deliver()], 2, id="asked for twice at once"),
        pytest.param(
            Fate.UNSENT,
            [*LOOKED, Hold(is_held=True), RETRY, Hold(is_held=False), Deliver()],
            1,
            id="asked for while held",
        ),
        pytest.param(
            Fate.UNSENT,
            [*LOOKED, Decide(Verb.IDENTIFY, 1), RETRY, Deliver()],
            1,
            id="asked for after other words took its place",
        ),
        pytest.param(Fate.RATE_LIMITED, [Poll(3), Deliver()], 2, id="asked to wait"),
        pytest.param(
            Fate.RATE_LIMITED, [Flip(is_open=True), Poll(6), Deliver()], 1, id="asked to wait, and over meanwhile"
        ),
        pytest.param(Fate.UNSENT, [*LOOKED, RETRY, Restart(), Deliver()], 2, id="asked for again, and restarted"),
        pytest.param(Fate.UNSENT, [Poll(1), Restart(), *LOOKED, RETRY, Deliver()], 2, id="restarted between the looks"),
    ],
)
async def test_what_becomes_of_a_public_post(fate: Fate, afterwards: list[Action], attempts: int) -> None:
    approve: list[Action] = [Decide(Verb.APPROVE, 1), Deliver()]
    press = await _played([*HALT, *approve, *afterwards], [Sending(fate)])
    assert press.broken == []
    assert press.attempts == attempts


async def _played(actions: list[Action], sendings: list[Sending]) -> Press:
    with tempfile.TemporaryDirectory() as folder:
        press = Press(f"sqlite+aiosqlite:///{Path(folder) / 'cexwatch.db'}", list(sendings))
        await press.play(actions)
        return press
