"""Who learns of a drill: our own people with its mark, who has signed in, and nobody else."""

from datetime import timedelta
from pathlib import Path

import aiohttp
import msgspec
import pytest
from msgspec.structs import replace

import tests.journals as j
from monitor.clock import Clock
from monitor.engine import state as states
from monitor.http import Http
from monitor.model import Change, Drill, Entry, Happened, Incident, Severity, Stage, Tick, Transition
from monitor.model.silence import Silence
from monitor.notify.alertmanager import alerts
from monitor.notify.due import notifications
from monitor.notify.hush import hushed, silenced
from monitor.notify.words import Links, digest, drilled
from monitor.restart import resume
from monitor.store import Step, Store
from monitor.web.live import events
from tests.notifications import at, notification, transition
from tests.office import EXCHANGE, office
from tests.receiver import Receiver
from tests.server.store_samples import incident, opened
from tests.server.test_alertmanager import Drills, Held, pusher
from tests.server.test_api_words import signed_in
from tests.unit.test_drills import began

LINKS = Links("https://status.example.org")
NAME = "kraken-drill-withdrawal_halt-20260203T140000Z"


def drill(change: Change = Change.OPENED, *, stage: Stage = Stage.INVESTIGATING) -> Drill:
    over = at(600) if stage is Stage.RESOLVED else None
    played = replace(incident(NAME, stage), opened_at=at(0), resolved_at=over)
    return Drill(
        incident=played,
        happened=replace(transition(change), incident=NAME, summary="nothing is wrong"),
        until=at(600),
        actor="dana",
    )


def test_its_beginning_and_end_are_told_with_a_mark_in_title_and_text() -> None:
    found = notifications([(1, drill()), (2, drill(Change.ACKNOWLEDGED)), (3, drill(Change.RESOLVED))], LINKS)
    assert [(each.happened, each.drill, each.subject) for each in found] == [
        (Happened.OPENED, True, NAME),
        (Happened.RESOLVED, True, NAME),
    ]
    assert found[0].title == "[DRILL] [critical] kraken: withdrawal halt opened"
    assert found[0].text.startswith("Drill: nothing is wrong. ")
    assert f"https://status.example.org/incidents/{NAME}" in found[0].text
    assert found[1].text.startswith("Drill: it is over. ")


@pytest.mark.parametrize(
    ("drills", "marked"),
    [pytest.param([True, True], True, id="only drills"), pytest.param([True, False], False, id="one is real")],
)
def test_a_digest_has_the_mark_where_nothing_in_it_is_real(drills: list[bool], marked: bool) -> None:
    found = [drilled(notification(n)) if is_drill else notification(n) for n, is_drill in enumerate(drills)]
    message = digest(found, LINKS)
    assert message.title.startswith("[DRILL] ") is marked
    assert "[DRILL] i-1 opened 0" in message.text


def test_what_silences_the_real_one_silences_it() -> None:
    silence = Silence(id="s-1", exchange="kraken", created_at=at(-60), until=at(900), comment="a move", actor="dana")
    assert silenced([drill()], [silence]) == {NAME}
    assert hushed([drill().incident], [silence], at(1)) == {NAME}
    assert silenced([drill(Change.RESOLVED)], [silence]) == set()


def test_pages_that_renew_themselves_tell_nobody_of_it() -> None:
    assert events([(1, drill()), (2, drill(Change.RESOLVED))]) == []


def test_a_pushed_alert_of_it_has_the_name_and_the_label_of_the_rule() -> None:
    found = alerts(
        [drill().incident, incident("i-1", Stage.INVESTIGATING)],
        drills={NAME},
        severities=[Severity.CRITICAL],
        interval=timedelta(seconds=30),
        links=LINKS,
        now=at(1),
    )
    assert [(each.labels["alertname"], each.labels.get("drill")) for each in found] == [
        ("CexwatchDrill", "true"),
        ("CexwatchWithdrawalHalt", None),
    ]
    assert [each.annotations["summary"].startswith("[DRILL] ") for each in found] == [True, False]
    assert found[0].annotations["description"].startswith("[DRILL] ")


async def test_an_alertmanager_that_takes_it_is_written_down_once() -> None:
    clock, drills = Clock(), Drills()
    now = clock.now()
    drills.held = [replace(drill(), incident=replace(drill().incident, opened_at=now))]
    async with Receiver(clock) as receiver, Http(clock) as http:
        pushing = pusher(http, [receiver.base], Held(), clock, [], drills)
        receiver.behave(500)
        await pushing.push()
        assert drills.took == []
        for _ in range(2):
            await pushing.push()
    assert drills.took == [(NAME, receiver.base)]


async def commit(store: Store, seq: int, *outputs: Drill | Incident | Transition) -> None:
    await store.commit([Step(Entry(seq, Tick(at=at(seq), probe="tick")), outputs)])


async def test_no_list_of_incidents_holds_one(tmp_path: Path) -> None:
    async with opened(tmp_path / "cexwatch.db") as store:
        await commit(store, 1, drill())
        await commit(store, 2, drill(Change.ACKNOWLEDGED))
        assert await store.incidents() == []
        assert await store.incident(NAME) is None
        assert await store.latest_transitions(10) == []
        assert (await store.transitions(NAME), await store.timeline(NAME, skip=0, limit=9)) == ([], [])
        assert await store.history([drill().incident.kind], since=at(0)) == []
        assert [each.happened.transition for each in await store.drills.open()] == [Change.ACKNOWLEDGED]
        assert [each.transition for each in await store.drills.steps(NAME)] == [Change.OPENED, Change.ACKNOWLEDGED]
        await commit(store, 3, drill(Change.RESOLVED, stage=Stage.RESOLVED))
        assert await store.drills.open() == []
        assert [type(output) for _, output in await store.outputs(after=0)] == [Drill, Drill, Drill]


async def test_who_took_it_is_known_by_the_first_time(tmp_path: Path) -> None:
    async with opened(tmp_path / "cexwatch.db") as store:
        await commit(store, 1, drill())
        for seconds in (3, 9):
            await store.drills.pushed([NAME], url="http://alertmanager", at=at(seconds))
        assert [(each.whom, each.at) for each in await store.drills.arrivals(NAME)] == [("http://alertmanager", at(3))]


def test_a_checkpoint_from_before_there_were_drills_is_read() -> None:
    state = states.fresh("kraken")
    written = msgspec.msgpack.decode(states.encode(state))
    decided = written[4]
    assert decided.pop("drill", "absent") is None
    assert states.decode(msgspec.msgpack.encode(written)).decided.drill is None


async def test_a_start_after_a_divergence_keeps_the_committed_drill(tmp_path: Path) -> None:
    """The journal says nothing of the drill that is committed: what people were told of goes on, and ends."""
    async with opened(tmp_path / "cexwatch.db") as store:
        await store.commit([Step(Entry(1, Tick(at=at(1), exchange="kraken", probe="tick")), (drill(),))])
        resumed = await resume(store)
        assert resumed.diverged == 1
        found = resumed.engines.apply("kraken", Tick(at=at(601), exchange="kraken", probe="tick"))
        assert [o.happened.transition for o in found if type(o) is Drill] == [Change.RESOLVED]


async def test_on_call_acknowledges_it_by_the_api_and_a_stranger_finds_nothing(tmp_path: Path) -> None:
    async with office(tmp_path) as here, signed_in(here, "paul") as paul, signed_in(here, "vera") as vera:
        await here.learn([j.read(1)])
        assert (await here.pipeline.ask(began(10))).ok
        [begun] = await here.store.drills.open()
        path = f"/incidents/{begun.incident.id}"
        assert (await vera.post(f"{path}/acknowledge", {}))[0] == 403
        status, told = await paul.post(f"{path}/acknowledge", {})
        assert (status, told["incident"]["acknowledged"], told["incident"]["id"]) == (200, True, begun.incident.id)
        assert told["message"] == f"drill {begun.incident.id}: acknowledged"
        [kept] = await here.store.drills.open()
        assert (kept.incident.acknowledged_by, begun.incident.exchange) == ("paul", EXCHANGE)
        stranger = {"X-Forwarded-For": "203.0.113.9"}
        async with aiohttp.ClientSession(here.url, headers=stranger) as session:
            for where, expected in ((path, 404), (f"/api/v1{path}", 404), (f"/api/v1{path}/timeline", 404)):
                async with session.get(where) as answer:
                    assert answer.status == expected
            answers = []
            for where in (path, "/incidents/nowhere"):
                async with session.post(f"/api/v1{where}/acknowledge", json={}) as answer:
                    answers.append((answer.status, (await answer.json(content_type=None))["detail"]))
            assert answers[0] == answers[1], "not even that there is one"
        async with aiohttp.ClientSession(here.url, headers=paul.headers) as session, session.get(path) as answer:
            page = await answer.text()
        assert (answer.status, "[DRILL] Withdrawal halt" in page, "acknowledged by paul" in page) == (200, True, True)
