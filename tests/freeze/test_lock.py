"""What may be asked of the lock, and what it answers; the clocks are the test's."""

from datetime import timedelta
from pathlib import Path

import pytest

from monitor.freeze.entry import Origin
from monitor.freeze.keyring import Key
from monitor.freeze.lock import LINKS, Outcome, ReplayedError, StillFrozenError, TooManyLinksError
from monitor.freeze.sparing import Sparing
from tests.freeze.gatehouse import FIRST, SECOND, GateHouse, gatehouse
from tests.hand_clock import NOON, HandClock

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def asked(house: GateHouse, *, request: bytes | None = None, attempt: bytes | None = None) -> Outcome:
    return await house.lock.freeze(
        house.keyring.accounts("alice"),
        duration=2 * DAY,
        requested_at=house.clock.now(),
        origin=Origin.APP,
        request=request,
        attempt=attempt,
    )


@pytest.mark.parametrize(
    ("second", "after", "ends"),
    [
        pytest.param(DAY, timedelta(), 7 * DAY, id="a shorter one changes nothing"),
        pytest.param(7 * DAY, timedelta(), 7 * DAY, id="the same one changes nothing"),
        pytest.param(7 * DAY, HOUR, 7 * DAY + HOUR, id="a later one extends"),
        pytest.param(DAY, 6 * DAY, 7 * DAY, id="one that ends together with it changes nothing"),
        pytest.param(2 * DAY, 6 * DAY, 8 * DAY, id="a shorter one extends near the end"),
    ],
)
async def test_an_end_only_moves_later(tmp_path: Path, second: timedelta, after: timedelta, ends: timedelta) -> None:
    async with gatehouse(tmp_path) as house:
        await house.freeze("alice", 7 * DAY)
        house.passes(after)
        assert (await house.freeze("alice", second)).until == house.until("alice") == NOON + ends


@pytest.mark.parametrize("duration", [timedelta(), -DAY, DAY - timedelta(seconds=1), 7 * DAY + timedelta(seconds=1)])
async def test_a_duration_out_of_bounds_is_refused(tmp_path: Path, duration: timedelta) -> None:
    async with gatehouse(tmp_path) as house:
        with pytest.raises(ValueError, match="24 hours to 7 days"):
            await house.freeze("alice", duration)
        assert house.until("alice") is None


async def test_a_signed_request_works_once_also_after_a_restart(tmp_path: Path) -> None:
    async with gatehouse(tmp_path) as house:
        until = (await asked(house, request=b"r")).until
        with pytest.raises(ReplayedError):
            await asked(house, request=b"r")
    async with gatehouse(tmp_path) as house:
        house.passes(HOUR)
        with pytest.raises(ReplayedError) as refused:
            await asked(house, request=b"r")
        assert refused.value.until == house.until("alice") == until


async def test_an_attempt_is_answered_the_same_also_after_a_restart(tmp_path: Path) -> None:
    async with gatehouse(tmp_path) as house:
        first = await asked(house, request=b"r", attempt=b"a")
    async with gatehouse(tmp_path) as house:
        house.passes(HOUR)
        again = await asked(house, request=b"another", attempt=b"a")
        assert (again.until, again.repeated) == (first.until, True)
        assert house.ledger.state.activations == 1


async def test_links_are_made_up_to_a_limit_and_taken_back_only_while_nothing_is_frozen(tmp_path: Path) -> None:
    async with gatehouse(tmp_path) as house:
        accounts = house.keyring.accounts("alice")
        made = [await house.lock.make_link(accounts, is_guardian=True, remind=False) for _ in range(LINKS)]
        with pytest.raises(TooManyLinksError):
            await house.lock.make_link(accounts, is_guardian=False, remind=False)
        with pytest.raises(KeyError):
            await house.lock.revoke(house.keyring.accounts("bob"), made[0][1])
        await house.lock.revoke(accounts, made[0][1])
        assert house.lock.link(made[0][0]) is None
        await house.freeze("alice")
        with pytest.raises(StillFrozenError):
            await house.lock.revoke(accounts, made[1][1])
    async with gatehouse(tmp_path) as house:
        assert house.lock.link(made[0][0]) is None
        assert house.lock.link(made[1][0]) is not None
        house.passes(2 * DAY)
        await house.lock.revoke(house.keyring.accounts("alice"), made[1][1])
        assert house.lock.link(made[1][0]) is None


async def test_an_account_frozen_under_an_old_key_stays_found(tmp_path: Path) -> None:
    async with gatehouse(tmp_path) as house:
        until = (await house.freeze("alice", 7 * DAY)).until
        token, _ = await house.lock.make_link(house.keyring.accounts("alice"), is_guardian=False, remind=False)
    async with gatehouse(tmp_path, keys=[SECOND, FIRST]) as house:
        assert house.until("alice") == until
        assert house.lock.link(token) is not None
        assert (await house.freeze("alice", DAY)).until == until
    async with gatehouse(tmp_path, keys=[SECOND]) as house:
        assert house.lock.missing_keys() == ["first"]
        assert house.until("alice") == until


async def test_another_key_of_the_same_name_is_refused(tmp_path: Path) -> None:
    async with gatehouse(tmp_path):
        pass
    with pytest.raises(ValueError, match="not the one"):
        async with gatehouse(tmp_path, keys=[Key("first", b"x" * 32)]):
            pass


@pytest.mark.parametrize(
    ("wall", "independent", "frozen"),
    [
        pytest.param(2 * DAY, 2 * DAY, False, id="both past the end"),
        pytest.param(2 * DAY - timedelta(seconds=1), 2 * DAY, True, id="the wall clock a second short"),
        pytest.param(2 * DAY, 2 * DAY - timedelta(seconds=1), True, id="independent time a second short"),
        pytest.param(300 * DAY, HOUR, True, id="a wall clock set forward"),
        pytest.param(-30 * DAY, 3 * DAY, True, id="a wall clock set back"),
        pytest.param(300 * DAY, None, True, id="no independent time"),
    ],
)
async def test_an_end_is_reached_when_all_say_so(
    tmp_path: Path, wall: timedelta, independent: timedelta | None, *, frozen: bool
) -> None:
    async with gatehouse(tmp_path) as house:
        await house.freeze("alice", 2 * DAY)
    async with gatehouse(tmp_path, clock=HandClock(NOON + wall)) as house:
        house.is_known = independent is not None
        house.ahead = timedelta() if independent is None else independent - wall
        assert (house.until("alice") is not None) is frozen


async def test_what_is_long_over_is_let_go_and_what_may_not_be_is_kept(tmp_path: Path) -> None:
    async with gatehouse(tmp_path) as house:
        await house.freeze("anna")
        hashes = [each.account for each in house.keyring.accounts("anna")]
        for days, is_kept in ((9.9, True), (10.1, False)):
            now = NOON + timedelta(days=days)
            list(house.ledger.state.forget(passed=now, now=now))
            assert (house.lock.until(hashes) is not None) == is_kept
            assert bool(house.ledger.state.unreported) == is_kept
    async with gatehouse(tmp_path, clock=house.clock) as again:
        assert again.until("anna") == NOON + timedelta(days=2), "the ledger keeps all"


async def test_addresses_that_are_none_cost_no_memory_without_end() -> None:
    sparing = Sparing(3, clock=HandClock())
    waits = [sparing.wait(f"source {number}") for number in range(120_000)]
    assert set(waits) == {0.0}
    assert [sparing.wait("one") > 0 for _ in range(5)] == [False, False, False, True, True]
