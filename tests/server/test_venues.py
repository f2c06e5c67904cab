"""The venues against tiny clients written from the same documentation."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import msgspec
import pytest
from msgspec import Struct

from monitor.clock import Clock
from tests.venues import Keys, Limit, Progress, Rail, Right, Venue, Withdrawal
from tests.venues_binance import binance
from tests.venues_bitget import bitget
from tests.venues_bybit import bybit
from tests.venues_clients import (
    Call,
    Client,
    as_binance,
    as_bitget,
    as_bybit,
    as_cryptocom,
    as_gate,
    as_htx,
    as_kraken,
    as_kucoin,
    as_mexc,
    as_okx,
    as_upbit,
    ms,
)
from tests.venues_cryptocom import cryptocom
from tests.venues_gate import gate
from tests.venues_htx import htx
from tests.venues_kraken import kraken
from tests.venues_kucoin import kucoin
from tests.venues_mexc import mexc
from tests.venues_okx import okx
from tests.venues_upbit import upbit

SECRET = base64.b64encode(b"the secret").decode()
KEYS = Keys(key="the-key", secret=SECRET, passphrase=SECRET[:8])
OTHER = Keys(key="the-key", secret=base64.b64encode(b"another secret").decode(), passphrase=SECRET[:8])
START = datetime(2026, 2, 3, 2, 19, tzinfo=UTC)


class Answer(Struct, frozen=True, kw_only=True):
    status: int
    headers: dict[str, str]
    body: Any


class Case(Struct, frozen=True, kw_only=True):
    venue: Callable[[Keys, Clock], Venue]
    client: Client
    path: str
    tells: Callable[[Any], object]
    expected: object
    wrong_signature: tuple[int, str]
    wrong_time: tuple[int, str] | None = None


BITGET_PATH = f"/api/v2/spot/wallet/withdrawal-records?startTime={ms(START - timedelta(hours=1))}&endTime={ms(START)}"

CASES = {
    "binance coins": Case(
        venue=binance,
        client=as_binance,
        path="/sapi/v1/capital/config/getall",
        tells=lambda body: [network["withdrawEnable"] for network in body[0]["networkList"]],
        expected=[True, False],
        wrong_signature=(400, "-1022"),
        wrong_time=(400, "-1021"),
    ),
    "binance history": Case(
        venue=binance,
        client=as_binance,
        path="/sapi/v1/capital/withdraw/history",
        tells=lambda body: [(one["status"], one["applyTime"]) for one in body],
        expected=[(4, "2026-02-03 02:14:00")],
        wrong_signature=(400, "-1022"),
        wrong_time=(400, "-1021"),
    ),
    "okx currencies": Case(
        venue=okx,
        client=as_okx,
        path="/api/v5/asset/currencies?ccy=USDT",
        tells=lambda body: [row["canWd"] for row in body["data"]],
        expected=[True, False],
        wrong_signature=(401, "50113"),
        wrong_time=(401, "50102"),
    ),
    "okx history": Case(
        venue=okx,
        client=as_okx,
        path="/api/v5/asset/withdrawal-history",
        tells=lambda body: [(row["state"], row["ts"]) for row in body["data"]],
        expected=[("0", ms(START - timedelta(minutes=5)))],
        wrong_signature=(401, "50113"),
        wrong_time=(401, "50102"),
    ),
    "bybit coins": Case(
        venue=bybit,
        client=as_bybit,
        path="/v5/asset/coin/query-info?coin=USDT",
        tells=lambda body: [chain["chainWithdraw"] for chain in body["result"]["rows"][0]["chains"]],
        expected=["1", "0"],
        wrong_signature=(200, "10004"),
        wrong_time=(200, "10002"),
    ),
    "bybit history": Case(
        venue=bybit,
        client=as_bybit,
        path="/v5/asset/withdraw/query-record",
        tells=lambda body: [row["status"] for row in body["result"]["rows"]],
        expected=["Pending"],
        wrong_signature=(200, "10004"),
        wrong_time=(200, "10002"),
    ),
    "kraken history of another asset": Case(
        venue=kraken,
        client=as_kraken,
        path="/0/private/WithdrawStatus",
        tells=lambda body: (body["error"], body["result"]),
        expected=([], []),
        wrong_signature=(200, "EAPI:Invalid signature"),
    ),
    "mexc coins": Case(
        venue=mexc,
        client=as_mexc,
        path="/api/v3/capital/config/getall",
        tells=lambda body: [(one["netWork"], one["withdrawEnable"]) for one in body[0]["networkList"]],
        expected=[("ETH", True), ("TRX", False)],
        wrong_signature=(400, "700002"),
        wrong_time=(400, "700003"),
    ),
    "mexc history": Case(
        venue=mexc,
        client=as_mexc,
        path="/api/v3/capital/withdraw/history",
        tells=lambda body: [one["status"] for one in body],
        expected=[4],
        wrong_signature=(400, "700002"),
    ),
    "crypto.com networks": Case(
        venue=cryptocom,
        client=as_cryptocom,
        path="/exchange/v1/private/get-currency-networks",
        tells=lambda body: [
            network["withdraw_enabled"] for network in body["result"]["currency_map"]["USDT"]["network_list"]
        ],
        expected=[True, False],
        wrong_signature=(401, "40101"),
        wrong_time=(400, "40102"),
    ),
    "upbit wallets": Case(
        venue=upbit,
        client=as_upbit,
        path="/v1/status/wallet",
        tells=lambda body: [row["wallet_state"] for row in body],
        expected=["working", "deposit_only"],
        wrong_signature=(401, "jwt_verification"),
    ),
    "kucoin history": Case(
        venue=kucoin,
        client=as_kucoin,
        path="/api/v1/withdrawals?pageSize=10",
        tells=lambda body: [row["status"] for row in body["data"]["items"]],
        expected=["PROCESSING"],
        wrong_signature=(401, "400005"),
        wrong_time=(401, "400002"),
    ),
    "gate history": Case(
        venue=gate,
        client=as_gate,
        path="/api/v4/wallet/withdrawals?limit=10",
        tells=lambda body: [(row["status"], row["block_number"]) for row in body],
        expected=[("PROCES", "0")],
        wrong_signature=(401, "INVALID_SIGNATURE"),
        wrong_time=(403, "REQUEST_EXPIRED"),
    ),
    "bitget history": Case(
        venue=bitget,
        client=as_bitget,
        path=BITGET_PATH,
        tells=lambda body: [row["status"] for row in body["data"]],
        expected=["pending"],
        wrong_signature=(400, "40009"),
        wrong_time=(400, "40008"),
    ),
    "htx history": Case(
        venue=htx,
        client=as_htx,
        path="/v1/query/deposit-withdraw",
        tells=lambda body: [(row["state"], row["amount"]) for row in body["data"]],
        expected=[("submitted", 250.5)],
        wrong_signature=(200, "api-signature-not-valid"),
        wrong_time=(200, "api-signature-not-valid"),
    ),
}
TIMED = {name: case for name, case in CASES.items() if case.wrong_time is not None}


def furnished(venue: Venue) -> Venue:
    """Two rails of one coin, the second closed for withdrawals, and one withdrawal that waits."""
    venue.rails += [Rail(asset="USDT", network="ETH"), Rail(asset="USDT", network="TRX", withdrawals=False)]
    venue.withdrawals.append(
        Withdrawal(
            number=7,
            asset="USDT",
            network="ETH",
            amount=Decimal("250.5"),
            requested_at=START - timedelta(minutes=5),
        )
    )
    return venue


async def ask(venue: Venue, call: Call) -> Answer:
    async with (
        aiohttp.ClientSession(venue.url) as session,
        session.request(call.method, call.target, headers=call.headers, data=call.body) as response,
    ):
        body = msgspec.json.decode(await response.read())
        return Answer(status=response.status, headers=dict(response.headers), body=body)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_a_call_signed_by_the_book_is_answered(case: Case) -> None:
    clock = Clock(start=START)
    async with furnished(case.venue(KEYS, clock)) as venue:
        answer = await ask(venue, case.client(KEYS, clock.now(), case.path))

        assert answer.status == 200
        assert case.tells(answer.body) == case.expected
        assert venue.requests == {case.path.partition("?")[0]: 1}
        assert not venue.refusals


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_a_call_signed_with_another_secret_is_refused(case: Case) -> None:
    clock = Clock(start=START)
    status, code = case.wrong_signature
    async with furnished(case.venue(KEYS, clock)) as venue:
        answer = await ask(venue, case.client(OTHER, clock.now(), case.path))

        assert answer.status == status
        assert venue.refusals == {code: 1}


@pytest.mark.parametrize("case", TIMED.values(), ids=TIMED)
@pytest.mark.parametrize("ahead", [timedelta(minutes=10), timedelta(minutes=-10)], ids=["fast server", "slow server"])
async def test_a_call_by_another_time_than_the_servers_is_refused(case: Case, ahead: timedelta) -> None:
    clock = Clock(start=START)
    assert case.wrong_time is not None
    status, code = case.wrong_time
    async with furnished(case.venue(KEYS, clock)) as venue:
        venue.server_ahead = ahead
        answer = await ask(venue, case.client(KEYS, clock.now(), case.path))
        mended = await ask(venue, case.client(KEYS, venue.now(), case.path))

        assert (answer.status, mended.status) == (status, 200)
        assert venue.refusals == {code: 1}


@pytest.mark.parametrize(
    ("make", "client", "path", "tells", "read_only", "withdrawing"),
    [
        pytest.param(
            binance,
            as_binance,
            "/sapi/v1/account/apiRestrictions",
            lambda body: (body["enableReading"], body["enableWithdrawals"], body["enableSpotAndMarginTrading"]),
            (True, False, False),
            (True, True, False),
            id="binance",
        ),
        pytest.param(
            okx,
            as_okx,
            "/api/v5/account/config",
            lambda body: body["data"][0]["perm"],
            "read_only",
            "read_only,withdraw",
            id="okx",
        ),
        pytest.param(
            bybit,
            as_bybit,
            "/v5/user/query-api",
            lambda body: (body["result"]["readOnly"], "Withdraw" in body["result"]["permissions"]["Wallet"]),
            (1, False),
            (0, True),
            id="bybit",
        ),
        pytest.param(
            kraken,
            as_kraken,
            "/0/private/GetApiKeyInfo",
            lambda body: [word for word in body["result"]["permissions"] if word.endswith("-funds")],
            ["query-funds"],
            ["query-funds", "withdraw-funds"],
            id="kraken",
        ),
    ],
)
async def test_a_key_is_told_what_it_may_do(
    make: Callable[[Keys, Clock], Venue],
    client: Client,
    path: str,
    tells: Callable[[Any], object],
    read_only: object,
    withdrawing: object,
) -> None:
    clock = Clock(start=START)
    async with make(KEYS, clock) as venue:
        before = await ask(venue, client(KEYS, clock.now(), path))
        venue.rights.add(Right.WITHDRAW)
        after = await ask(venue, client(KEYS, clock.now() + timedelta(milliseconds=500), path))

        assert (tells(before.body), tells(after.body)) == (read_only, withdrawing)


async def test_kraken_wants_rising_nonces_and_the_withdraw_permission_for_its_methods() -> None:
    async with furnished(kraken(KEYS, Clock(start=START))) as venue:
        venue.rails = [
            Rail(asset="XXBT", network="Bitcoin"),
            Rail(asset="XXBT", network="Lightning", withdrawals=False),
        ]
        denied = await ask(venue, as_kraken(KEYS, START, "/0/private/WithdrawMethods"))
        venue.rights.add(Right.WITHDRAW)
        repeated = await ask(venue, as_kraken(KEYS, START, "/0/private/WithdrawMethods"))
        listed = await ask(venue, as_kraken(KEYS, START + timedelta(seconds=1), "/0/private/WithdrawMethods"))
        assets = await ask(venue, Call(target="/0/public/Assets?asset=XBT"))

        assert denied.body == {"error": ["EGeneral:Permission denied"]}
        assert repeated.body == {"error": ["EAPI:Invalid nonce"]}
        assert [row["network"] for row in listed.body["result"]] == ["Bitcoin"]
        assert assets.body["result"]["XXBT"]["status"] == "enabled"


async def test_binance_counts_weight_and_sends_the_hurried_away() -> None:
    clock = Clock(start=START)
    path = "/sapi/v1/capital/withdraw/history"
    async with furnished(binance(KEYS, clock)) as venue:
        answers = [await ask(venue, as_binance(KEYS, clock.now(), path)) for _ in range(11)]
        venue.limit = Limit.BANNED
        banned = await ask(venue, as_binance(KEYS, clock.now(), path))

        assert [answer.status for answer in answers] == [200] * 10 + [429]
        assert answers[1].headers["X-SAPI-USED-UID-WEIGHT-1M"] == "36000"
        assert (banned.status, banned.headers["Retry-After"], banned.body["code"]) == (418, "30", -1003)


@pytest.mark.parametrize(
    ("make", "client", "path", "status", "code"),
    [
        pytest.param(okx, as_okx, "/api/v5/asset/currencies", 429, "50011", id="okx"),
        pytest.param(bybit, as_bybit, "/v5/asset/coin/query-info", 200, "10006", id="bybit"),
        pytest.param(kraken, as_kraken, "/0/private/WithdrawStatus", 200, "EAPI:Rate limit exceeded", id="kraken"),
        pytest.param(mexc, as_mexc, "/api/v3/capital/config/getall", 429, "429", id="mexc"),
        pytest.param(upbit, as_upbit, "/v1/status/wallet", 429, "too_many_requests", id="upbit"),
    ],
)
async def test_a_venue_told_to_slow_its_caller_down_does(
    make: Callable[[Keys, Clock], Venue], client: Client, path: str, status: int, code: str
) -> None:
    clock = Clock(start=START)
    async with furnished(make(KEYS, clock)) as venue:
        venue.limit = Limit.SLOW_DOWN
        slowed = await ask(venue, client(KEYS, clock.now(), path))
        venue.limit = Limit.NONE
        served = await ask(venue, client(KEYS, clock.now(), path))

        assert (slowed.status, served.status) == (status, 200)
        assert venue.refusals == {code: 1}


async def test_a_wrong_passphrase_is_its_own_refusal() -> None:
    clock = Clock(start=START)
    wrong = Keys(key=KEYS.key, secret=KEYS.secret, passphrase=SECRET[8:])
    async with okx(KEYS, clock) as one, kucoin(KEYS, clock) as two, bitget(KEYS, clock) as three:
        await ask(one, as_okx(wrong, clock.now(), "/api/v5/account/config"))
        await ask(two, as_kucoin(wrong, clock.now(), "/api/v1/withdrawals"))
        await ask(three, as_bitget(wrong, clock.now(), BITGET_PATH))

        assert (one.refusals, two.refusals, three.refusals) == ({"50105": 1}, {"400004": 1}, {"40012": 1})


async def test_a_sent_withdrawal_gets_its_transaction_and_a_failed_one_its_reason() -> None:
    clock = Clock(start=START)
    path = "/sapi/v1/capital/withdraw/history"
    async with furnished(binance(KEYS, clock)) as venue:
        withdrawal = venue.withdrawals[0]
        withdrawal.progress, withdrawal.updated_at = Progress.SENT, START
        sent = await ask(venue, as_binance(KEYS, clock.now(), path))
        withdrawal.progress = Progress.FAILED
        failed = await ask(venue, as_binance(KEYS, clock.now(), path))

        assert (sent.body[0]["status"], sent.body[0]["completeTime"]) == (6, "2026-02-03 02:19:00")
        assert sent.body[0]["txId"].startswith("0x")
        assert (failed.body[0]["status"], failed.body[0]["txId"]) == (3, "")
        assert failed.body[0]["info"]
