"""What is still to be told to the exchange, as the ledger has it."""

from datetime import timedelta
from pathlib import Path

import pytest

from monitor.freeze.reports import Untold
from monitor.freeze.webhook import Report, ReportEvent
from tests.freeze.gatehouse import GateHouse, gatehouse
from tests.hand_clock import NOON

HOUR = timedelta(hours=1)


def _untold(house: GateHouse) -> Untold:
    return Untold(house.lock, remind=2 * HOUR, clock=house.clock)


def _told(reports: list[Report]) -> list[tuple[ReportEvent, timedelta]]:
    return [(each.event, each.until - NOON) for each in reports]


@pytest.mark.parametrize("hours", [0, 47, 48, 100])
async def test_a_freeze_is_told_until_it_was_heard_also_after_its_end(tmp_path: Path, hours: int) -> None:
    """What was pending at it would be paid after its end."""
    async with gatehouse(tmp_path) as house:
        await house.freeze("anna", 48 * HOUR)
        house.passes(hours * HOUR)
    async with gatehouse(tmp_path, clock=house.clock) as again:
        untold = _untold(again)
        found = untold.unreported(10)
        assert _told(list(found)) == [(ReportEvent.ACCOUNT_FROZEN, 48 * HOUR)]
        await untold.reported([each.id for each in found])
        assert untold.unreported(10) == []
        assert again.ledger.state.unreported == {}


async def test_a_freeze_that_was_made_longer_is_told_once_with_its_last_end(tmp_path: Path) -> None:
    async with gatehouse(tmp_path) as house:
        await house.freeze("anna", 48 * HOUR)
        house.passes(HOUR)
        await house.freeze("anna", 72 * HOUR)
        assert _told(list(_untold(house).unreported(10))) == [(ReportEvent.ACCOUNT_FROZEN, 73 * HOUR)]


@pytest.mark.parametrize(("hours", "reminders"), [(45, 0), (46, 1), (47, 1), (48, 0)])
async def test_a_guardian_who_wants_it_is_reminded_before_the_end(tmp_path: Path, hours: int, reminders: int) -> None:
    async with gatehouse(tmp_path) as house:
        accounts = house.keyring.accounts("anna")
        await house.lock.make_link(accounts, is_guardian=True, remind=True)
        await house.lock.make_link(accounts, is_guardian=True, remind=False)
        await house.freeze("anna", 48 * HOUR)
        untold = _untold(house)
        await untold.reported([each.id for each in untold.unreported(10)])
        house.passes(hours * HOUR)
        found = untold.unreported(10)
        assert _told(list(found)) == [(ReportEvent.FREEZE_ENDS_SOON, 48 * HOUR)] * reminders
        await untold.reported([each.id for each in found])
        assert untold.unreported(10) == []
