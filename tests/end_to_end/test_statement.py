"""The exchange's own words: evidence of an incident, and the measure of who knew first."""

from datetime import timedelta
from pathlib import Path

from monitor.model import Change, IncidentKind, Stage
from tests.end_to_end.daemon import daemon, eventually
from tests.end_to_end.world import world

SAID = "We are looking into delayed withdrawals."
FOUND = "We found what delays withdrawals."


async def test_words_on_the_status_page(tmp_path: Path) -> None:
    async with world(["kraken"], speed=30) as around, daemon(around.configure(tmp_path), around.clock) as running:
        await running.state_is("kraken", "operational")
        around.exchanges["kraken"].suspend_all()
        halt = await running.incident(IncidentKind.WITHDRAWAL_HALT, exchange="kraken")
        said_at = around.clock.now()
        around.status_page.post(Stage.INVESTIGATING, SAID)
        said = await running.transition(halt.id, Change.UPDATED)
        around.status_page.post(Stage.IDENTIFIED, FOUND)
        identified = await running.transition(halt.id, Change.IDENTIFIED)
        draft = await running.draft_of(halt.id, Stage.IDENTIFIED)
        incident = await running.store.incident(halt.id)

        assert [e.value for e in said.evidence if e.source == "status_page"] == [SAID]
        assert [e.value for e in identified.evidence if e.source == "status_page"] == [SAID, FOUND]
        assert incident is not None
        assert incident.stage is Stage.IDENTIFIED
        assert incident.official_at is not None
        assert abs(incident.official_at - said_at) < timedelta(seconds=1)
        assert f"Kraken first spoke at {incident.official_at:%H:%M} UTC" in draft.text

        lead = (incident.official_at - incident.opened_at).total_seconds()
        assert lead > 0

        async def measured() -> bool:
            return (await running.metrics()).value("detection_lead_seconds", exchange="kraken") == lead

        await eventually(measured)
        _, page = await running.get(f"/incidents/{halt.id}")
        assert "The API knew first" in page
        assert FOUND in page
