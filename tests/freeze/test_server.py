"""The gate's API over HTTP: who is let in, what is refused, what is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.freeze import requests
from monitor.freeze.keyring import is_account
from tests.freeze.gatehouse import APP, TOKEN, TWO_DAYS, GateHouse, gatehouse, served
from tests.hand_clock import NOON

READER = {"Authorization": f"Bearer {TOKEN}"}
FREEZES = "/api/v1/freezes"


@asynccontextmanager
async def open_house(folder: Path) -> AsyncIterator[tuple[GateHouse, aiohttp.ClientSession]]:
    async with gatehouse(folder) as house, served(house) as session:
        yield house, session


async def _freeze(
    house: GateHouse, session: aiohttp.ClientSession, account: str = "anna", *, body: bytes = b"", **how: Any
) -> tuple[int, dict[str, object]]:
    headers = house.headers(account, body=body, **how)
    async with session.post(FREEZES, data=body, headers=headers) as response:
        return response.status, await response.json(content_type=None)


async def test_a_signed_request_freezes_for_two_days_and_again_for_longer(tmp_path: Path) -> None:
    async with open_house(tmp_path) as (house, session):
        assert await _freeze(house, session) == (
            201,
            {"frozen": True, "until": "2026-02-05T12:00:00Z", "extended": False},
        )
        week = msgspec.json.encode({"duration_seconds": 7 * 86_400})
        assert await _freeze(house, session, body=week) == (
            200,
            {"frozen": True, "until": "2026-02-10T12:00:00Z", "extended": True},
        )
        day = msgspec.json.encode({"duration_seconds": 86_400})
        status, told = await _freeze(house, session, body=day)
        assert (status, told["until"]) == (200, "2026-02-10T12:00:00Z"), "a shorter wish shortens nothing"


@pytest.mark.parametrize(
    ("how", "status", "word"),
    [
        pytest.param({"key_of": "bert"}, 401, "bad_signature", id="signed with another account's key"),
        pytest.param({"path": "/api/v1/links"}, 401, "bad_signature", id="signed for another path"),
        pytest.param({"method": "DELETE"}, 401, "bad_signature", id="signed for another method"),
        pytest.param({"signed_at": NOON - timedelta(minutes=2, seconds=1)}, 401, "stale", id="signed too long ago"),
        pytest.param({"signed_at": NOON + timedelta(minutes=2, seconds=1)}, 401, "stale", id="signed in the future"),
        pytest.param({"nonce": "short"}, 401, "unsigned", id="a nonce that is too short"),
        pytest.param({"body": b"{"}, 400, "bad_body", id="half a body"),
        pytest.param({"body": b'{"duration_seconds": 86399}'}, 400, "bad_duration", id="a second less than a day"),
        pytest.param({"body": b'{"duration_seconds": 604801}'}, 400, "bad_duration", id="a second more than a week"),
        pytest.param({"body": b'{"duration_seconds": "2d"}'}, 400, "bad_body", id="a duration in words"),
        pytest.param({"body": b'{"until": "2026-02-03"}'}, 400, "bad_body", id="an end of one's own"),
        pytest.param({"body": b" " * 5000}, 413, "too_large", id="a body that is too large"),
    ],
)
async def test_what_is_not_right_freezes_nothing(how: dict[str, Any], status: int, word: str, tmp_path: Path) -> None:
    async with open_house(tmp_path) as (house, session):
        found, told = await _freeze(house, session, **how)
        assert (found, told["title"]) == (status, word)
        assert house.until("anna") is None
        assert house.until("bert") is None


async def test_a_stale_request_is_told_the_time_to_sign_with(tmp_path: Path) -> None:
    async with open_house(tmp_path) as (house, session):
        _, told = await _freeze(house, session, signed_at=NOON - timedelta(hours=1))
        assert told["time"] == "2026-02-03T12:00:00Z"


async def test_a_replayed_request_does_nothing_and_says_so_also_after_a_restart(tmp_path: Path) -> None:
    async with open_house(tmp_path) as (house, session):
        headers = house.headers("anna")
        async with session.post(FREEZES, headers=headers) as response:
            assert response.status == 201
        house.passes(timedelta(seconds=30))
        async with session.post(FREEZES, headers=headers) as response:
            assert response.status == 409
            told = await response.json(content_type=None)
            assert (told["title"], told["until"]) == ("replayed", "2026-02-05T12:00:00Z")
        assert house.until("anna") == NOON + TWO_DAYS
    async with gatehouse(tmp_path, clock=house.clock) as again, served(again) as session:
        async with session.post(FREEZES, headers=headers) as response:
            assert response.status == 409
        assert again.until("anna") == NOON + TWO_DAYS


async def test_the_same_attempt_signed_anew_is_told_the_same_and_extends_nothing(tmp_path: Path) -> None:
    async with open_house(tmp_path) as (house, session):
        assert (await _freeze(house, session, attempt="tap-1"))[0] == 201
        house.passes(timedelta(minutes=1))
        status, told = await _freeze(house, session, attempt="tap-1")
        assert (status, told["until"]) == (200, "2026-02-05T12:00:00Z")


async def test_a_first_freeze_is_never_one_too_many_and_others_are(tmp_path: Path) -> None:
    async with open_house(tmp_path) as (house, session):
        for number in range(50):
            assert (await _freeze(house, session, f"account {number}"))[0] == 201
        found = [(await _freeze(house, session, "account 1"))[0] for _ in range(8)]
        assert found == [200] * 6 + [429] * 2
        house.passes(timedelta(minutes=1))
        assert (await _freeze(house, session, "account 1"))[0] == 200


async def test_who_reads_has_a_token(tmp_path: Path) -> None:
    async with open_house(tmp_path) as (house, session):
        await house.freeze("anna")
        for path in ("/api/v1/freezes/anna", "/api/v1/snapshot", "/api/v1/deltas?after=1", "/api/v1/summary"):
            for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}):
                async with session.get(path, headers=headers) as response:
                    assert response.status == 401, path
        async with session.get("/api/v1/freezes/anna", headers=READER) as response:
            assert await response.json() == {"frozen": True, "until": "2026-02-05T12:00:00Z", "reason": ""}
        async with session.post("/api/v1/freezes/query", headers=READER, json={"accounts": ["bert", "anna"]}) as asked:
            assert [each["frozen"] for each in (await asked.json())["freezes"]] == [False, True]
        async with session.post("/api/v1/freezes/query", headers=READER, json={"accounts": ["x"] * 1001}) as too_many:
            assert too_many.status == 400


async def test_without_independent_time_it_stays_frozen_and_says_why(tmp_path: Path) -> None:
    async with open_house(tmp_path) as (house, session):
        await house.freeze("anna")
        house.passes(timedelta(days=3))
        house.is_known = False
        async with session.get("/api/v1/freezes/anna", headers=READER) as response:
            told = await response.json()
        assert told["frozen"]
        assert "no independent time" in told["reason"]
        house.is_known = True
        async with session.get("/api/v1/freezes/anna", headers=READER) as response:
            assert await response.json() == {"frozen": False, "until": None, "reason": ""}


async def test_a_guardians_link_is_made_shown_and_taken_back_only_while_unfrozen(tmp_path: Path) -> None:
    async with open_house(tmp_path) as (house, session):
        body = b'{"holder": "guardian", "remind": true}'
        headers = house.headers("anna", path="/api/v1/links", body=body)
        async with session.post("/api/v1/links", data=body, headers=headers) as response:
            assert response.status == 201
            made = await response.json()
        assert made["url"] == f"https://freeze.example.org{made['path']}"
        async with session.post("/api/v1/links", data=body, headers=headers) as response:
            assert response.status == 409, "a replay makes no second link"
        async with session.get(
            "/api/v1/links", headers=house.headers("anna", path="/api/v1/links", method="GET")
        ) as response:
            assert (await response.json())["links"] == [{"id": made["id"], "holder": "guardian", "remind": True}]
        await house.freeze("anna")
        path = f"/api/v1/links/{made['id']}"
        async with session.delete(path, headers=house.headers("anna", path=path, method="DELETE")) as response:
            assert response.status == 409
        async with session.delete(path, headers=house.headers("bert", path=path, method="DELETE")) as response:
            assert response.status == 404, "another account's link is none"
        house.passes(timedelta(days=2, minutes=1))
        async with session.delete(path, headers=house.headers("anna", path=path, method="DELETE")) as response:
            assert response.status == 204
        async with session.get(made["path"]) as response:
            assert response.status == 404


async def test_the_summary_counts_and_names_nobody(tmp_path: Path) -> None:
    async with open_house(tmp_path) as (house, session):
        await house.freeze("anna")
        await house.freeze("anna")
        await house.freeze("bert")
        async with session.get("/api/v1/summary", headers=READER) as response:
            text = await response.text()
        assert msgspec.json.decode(text)["activations_total"] == 3
        assert msgspec.json.decode(text)["accounts_total"] == 2
        for each in ("anna", "bert", *(h.account.hex() for h in house.keyring.accounts("anna"))):
            assert each not in text
            assert each not in house.telemetry.render("")[0].decode()


HEADERS = st.dictionaries(
    st.sampled_from(["Freeze-Account", "Freeze-Timestamp", "Freeze-Nonce", "Freeze-Signature", "Idempotency-Key"]),
    st.text(max_size=80) | st.sampled_from(["%ff", "%00", "1770120000", "anna", "v1=AAAA", "x" * 32]),
)


@given(headers=HEADERS, body=st.binary(max_size=64), path=st.text(max_size=20))
@settings(max_examples=400, deadline=None)
def test_headers_of_any_kind_are_refused_and_nothing_else(headers: dict[str, str], body: bytes, path: str) -> None:
    try:
        requests.checked(headers, method="POST", path=path, body=body, secrets=[APP], now=NOON)
    except (requests.UnsignedError, requests.WrongSignatureError, requests.StaleError):
        return
    raise AssertionError("nobody knows the secret")


@given(account=st.text(min_size=1, max_size=60), body=st.binary(max_size=64), flip=st.integers(0, 10_000))
@settings(max_examples=200, deadline=None)
def test_what_is_signed_is_accepted_and_with_one_bit_changed_is_not(account: str, body: bytes, flip: int) -> None:
    key = requests.account_key(APP, account)
    sent = requests.signed_headers(
        key, method="POST", path="/p", account=account, at=NOON, nonce="n" * 16, body=body, attempt=""
    )
    if not is_account(account):
        with pytest.raises(requests.UnsignedError):
            requests.checked(sent, method="POST", path="/p", body=body, secrets=[APP], now=NOON)
        return
    signed = requests.checked(sent, method="POST", path="/p", body=body, secrets=[APP], now=NOON)
    assert signed.account == account
    changed = bytearray(body + b"\0")
    changed[flip // 8 % len(changed)] ^= 1 << flip % 8
    with pytest.raises(requests.WrongSignatureError):
        requests.checked(sent, method="POST", path="/p", body=bytes(changed), secrets=[APP], now=NOON)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"accounts": "x"}', b'{"accounts": [1]}']
)
async def test_bodies_of_any_kind_are_a_problem_and_no_failure(body: bytes, tmp_path: Path) -> None:
    async with (
        open_house(tmp_path) as (_, session),
        session.post("/api/v1/freezes/query", data=body, headers=READER) as response,
    ):
        assert response.status == 400
        assert response.content_type == "application/problem+json"
