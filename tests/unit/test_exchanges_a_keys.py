"""Binance, OKX, Bybit and Kraken with a key: what it may do, how its calls are signed, where its withdrawals are.

Samples follow the published documentation.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from monitor.model import FailureReason, RemoteError
from monitor.probes import EXCHANGES
from monitor.probes.account import Call, Credentials
from monitor.probes.exchanges import binance, bybit, kraken, okx
from monitor.probes.history import Withdrawal

AT = datetime(2026, 2, 3, 12, 0, 12, 500_000, tzinfo=UTC)
WHOLE = AT.replace(microsecond=0)


@pytest.mark.parametrize(
    ("exchange", "body", "time"),
    [
        pytest.param("binance", '{"serverTime": 1770120012500}', AT, id="binance"),
        pytest.param("okx", '{"code": "0", "msg": "", "data": [{"ts": "1770120012500"}]}', AT, id="okx"),
        pytest.param(
            "bybit",
            '{"retCode": 0, "result": {"timeSecond": "1770120012", "timeNano": "1770120012500000000"}}',
            AT,
            id="bybit",
        ),
        pytest.param("kraken", '{"error": [], "result": {"unixtime": 1770120012}}', WHOLE, id="kraken, whole seconds"),
    ],
)
def test_the_exchanges_own_time(exchange: str, body: str, time: datetime) -> None:
    server_time = EXCHANGES[exchange].server_time
    assert server_time is not None
    assert server_time.decode(body.encode()) == time


@pytest.mark.parametrize(
    ("decode", "body"),
    [
        pytest.param(binance.server_time, '{"serverTime": 1e300}', id="binance beyond all"),
        pytest.param(binance.server_time, '{"serverTime": -1}', id="binance before 1970"),
        pytest.param(okx.server_time, '{"code": "0", "data": []}', id="okx none"),
        pytest.param(okx.server_time, '{"code": "0", "data": [{"ts": "NaN"}]}', id="okx no number"),
        pytest.param(bybit.server_time, '{"retCode": 0, "result": {}}', id="bybit none"),
        pytest.param(kraken.server_time, '{"error": [], "result": {"unixtime": 99999999999999}}', id="kraken beyond"),
    ],
)
def test_a_time_that_is_none_is_a_failure(decode: Callable[[bytes], datetime], body: str) -> None:
    with pytest.raises(RemoteError) as caught:
        decode(body.encode())
    assert caught.value.reason is FailureReason.SCHEMA


def restrictions(**switches: bool | int) -> bytes:
    told = {"ipRestrict": False, "createTime": 1698645219000, "enableReading": True} | switches
    return msgspec.json.encode(told)


def bybit_key(read_only: int, **permissions: list[str]) -> bytes:
    result = {"readOnly": read_only, "permissions": {"ContractTrade": [], "NFT": []} | permissions, "ips": ["*"]}
    return msgspec.json.encode({"retCode": 0, "retMsg": "", "result": result})


def okx_perm(words: str) -> bytes:
    return msgspec.json.encode({"code": "0", "data": [{"uid": "1", "perm": words}], "msg": ""})


def kraken_key(*permissions: str) -> bytes:
    return msgspec.json.encode({"error": [], "result": {"apiKeyName": "watch", "permissions": permissions}})


@pytest.mark.parametrize(
    ("exchange", "body", "beyond"),
    [
        pytest.param("binance", restrictions(), (), id="binance reading"),
        pytest.param(
            "binance", restrictions(ipRestrict=True, enableFixReadOnly=True), (), id="binance a bound key that reads"
        ),
        pytest.param(
            "binance", restrictions(enableWithdrawals=True), ("enableWithdrawals",), id="binance may withdraw"
        ),
        pytest.param(
            "binance",
            restrictions(enableSpotAndMarginTrading=True, permitsUniversalTransfer=True, enableFutures=False),
            ("enableSpotAndMarginTrading", "permitsUniversalTransfer"),
            id="binance may trade and transfer",
        ),
        pytest.param(
            "binance", restrictions(enableSomethingNew=True), ("enableSomethingNew",), id="binance a new word"
        ),
        pytest.param(
            "binance", restrictions(tradingAuthorityExpirationTime=1), (), id="binance a time that is no permission"
        ),
        pytest.param("okx", okx_perm("read_only"), (), id="okx reading"),
        pytest.param("okx", okx_perm("read_only,withdraw,trade"), ("withdraw", "trade"), id="okx all"),
        pytest.param("okx", okx_perm("read_only, something"), ("something",), id="okx a new word"),
        pytest.param("bybit", bybit_key(1, Wallet=["AccountTransfer"]), (), id="bybit read-only, whatever it names"),
        pytest.param("bybit", bybit_key(0, Exchange=["ExchangeHistory"]), (), id="bybit may look at history only"),
        pytest.param(
            "bybit",
            bybit_key(0, Wallet=["AccountTransfer", "Withdraw"], Spot=["SpotTrade"]),
            ("Wallet.AccountTransfer", "Wallet.Withdraw", "Spot.SpotTrade"),
            id="bybit may withdraw and trade",
        ),
        pytest.param("bybit", bybit_key(0, New=["Thing"]), ("New.Thing",), id="bybit a new word"),
        pytest.param("kraken", kraken_key("query-funds", "query-ledger"), (), id="kraken reading"),
        pytest.param(
            "kraken",
            kraken_key("query-open-trades", "query-closed-trades", "export-data"),
            (),
            id="kraken more reading",
        ),
        pytest.param(
            "kraken",
            kraken_key("query-funds", "withdraw-funds", "modify-trades", "add-funds"),
            ("withdraw-funds", "modify-trades", "add-funds"),
            id="kraken may withdraw, trade and open deposits",
        ),
        pytest.param("kraken", kraken_key("teleport-funds"), ("teleport-funds",), id="kraken a new word"),
    ],
)
def test_what_a_key_may_beyond_reading(exchange: str, body: bytes, beyond: tuple[str, ...]) -> None:
    rights = EXCHANGES[exchange].rights
    assert rights is not None
    assert rights.decode(body) == beyond


@pytest.mark.parametrize(
    ("decode", "body"),
    [
        pytest.param(binance.rights, b"{}", id="binance nothing"),
        pytest.param(binance.rights, b'{"enableReading": true, "enableWithdrawals": "true"}', id="binance in quotes"),
        pytest.param(okx.rights, b'{"code": "0", "data": [{"uid": "1"}]}', id="okx no word"),
        pytest.param(okx.rights, b'{"code": "0", "data": []}', id="okx no account"),
        pytest.param(bybit.rights, b'{"retCode": 0, "result": {"permissions": {}}}', id="bybit read-only or not"),
        pytest.param(bybit.rights, b'{"retCode": 0, "result": {"readOnly": 0}}', id="bybit no permissions"),
        pytest.param(bybit.rights, b'{"retCode": 0, "result": {"readOnly": true}}', id="bybit a boolean"),
        pytest.param(kraken.rights, b'{"error": [], "result": {}}', id="kraken no permissions"),
    ],
)
def test_rights_that_are_unclear_are_a_failure(decode: Callable[[bytes], tuple[str, ...]], body: bytes) -> None:
    with pytest.raises(RemoteError) as caught:
        decode(body)
    assert caught.value.reason is FailureReason.SCHEMA


ASKED = datetime(2026, 2, 3, 11, 0, tzinfo=UTC)
DONE = datetime(2026, 2, 3, 11, 7, 30, tzinfo=UTC)


def binance_history(**changed: str | int | None) -> bytes:
    row = {"id": "7", "coin": "USDT", "network": "TRX", "status": 4, "applyTime": "2026-02-03 11:00:00", "txId": ""}
    return msgspec.json.encode([row | {"transferType": 0, "amount": "8.91"} | changed])


def okx_history(**changed: str) -> bytes:
    row = {"wdId": "7", "ccy": "USDT", "chain": "USDT-TRC20", "state": "0", "ts": "1770116400000", "txId": ""}
    return msgspec.json.encode({"code": "0", "msg": "", "data": [row | changed]})


def bybit_history(**changed: str | int) -> bytes:
    row: dict[str, str | int] = {
        "withdrawId": "7",
        "coin": "USDT",
        "chain": "TRX",
        "status": "Pending",
        "createTime": "1770116400000",
    }
    row |= {"updateTime": "1770116850000", "txID": "", "withdrawType": 0}
    return msgspec.json.encode({"retCode": 0, "retMsg": "success", "result": {"rows": [row | changed]}})


def kraken_history(**changed: str | int | None) -> bytes:
    row = {"refid": "7", "asset": "XXBT", "method": "Bitcoin", "status": "Initial", "time": 1770116400, "txid": None}
    told = row | {name.replace("_", "-"): value for name, value in changed.items()}
    return msgspec.json.encode({"error": [], "result": [told]})


def usdt(state: str, *, finished_at: datetime | None = None) -> Withdrawal:
    told = {"id": "7", "asset": "USDT", "network": "tron", "state": state, "requested_at": ASKED}
    return msgspec.convert(told | {"finished_at": finished_at}, Withdrawal)


def btc(state: str, *, network: str = "bitcoin") -> Withdrawal:
    told = {"id": "7", "asset": "BTC", "network": network, "state": state, "requested_at": ASKED}
    return msgspec.convert(told, Withdrawal)


HISTORIES: dict[str, Callable[[bytes], list[Withdrawal]]] = {
    "binance": binance.withdrawals,
    "bybit": bybit.withdrawals,
    "kraken": kraken.withdrawals,
    "okx": okx.withdrawals,
}


@pytest.mark.parametrize(
    ("exchange", "body", "told"),
    [
        pytest.param("binance", binance_history(status=0), [], id="binance waits for its owner's e-mail"),
        pytest.param("binance", binance_history(status=1), [], id="binance cancelled"),
        pytest.param("binance", binance_history(status=2), [usdt("pending")], id="binance awaits approval"),
        pytest.param("binance", binance_history(status=3), [usdt("failed")], id="binance rejected"),
        pytest.param("binance", binance_history(status=4), [usdt("pending")], id="binance processing"),
        pytest.param("binance", binance_history(status=4, txId="0xb5"), [usdt("sent")], id="binance has a transaction"),
        pytest.param("binance", binance_history(status=5), [usdt("failed")], id="binance failure"),
        pytest.param(
            "binance",
            binance_history(status=6, completeTime="2026-02-03 11:07:30"),
            [usdt("confirmed", finished_at=DONE)],
            id="binance completed",
        ),
        pytest.param("binance", binance_history(transferType=1), [], id="binance internal transfer"),
        pytest.param(
            "binance",
            binance_history(network=None, completeTime=None),
            [Withdrawal(id="7", asset="USDT", network="*", state="pending", requested_at=ASKED)],
            id="binance an old one without a network",
        ),
        pytest.param("okx", okx_history(state="-3"), [], id="okx being cancelled"),
        pytest.param("okx", okx_history(state="-2"), [], id="okx cancelled"),
        pytest.param("okx", okx_history(state="-1"), [usdt("failed")], id="okx failed"),
        pytest.param("okx", okx_history(state="0"), [usdt("pending")], id="okx waiting"),
        pytest.param("okx", okx_history(state="1"), [usdt("pending")], id="okx about to be broadcast"),
        pytest.param("okx", okx_history(state="1", txId="0xb5"), [usdt("sent")], id="okx broadcast"),
        pytest.param("okx", okx_history(state="15", txId="0xb5"), [usdt("sent")], id="okx being validated"),
        pytest.param("okx", okx_history(state="2", txId="0xb5"), [usdt("confirmed")], id="okx success"),
        pytest.param("okx", okx_history(state="12"), [usdt("pending")], id="okx looked at by a person"),
        pytest.param("okx", okx_history(state="19"), [usdt("pending")], id="okx too little in the hot wallet"),
        pytest.param("bybit", bybit_history(status="SecurityCheck"), [usdt("pending")], id="bybit security check"),
        pytest.param("bybit", bybit_history(), [usdt("pending")], id="bybit pending"),
        pytest.param("bybit", bybit_history(txID="0xb5"), [usdt("sent")], id="bybit has a transaction"),
        pytest.param(
            "bybit", bybit_history(status="success"), [usdt("confirmed", finished_at=DONE)], id="bybit success"
        ),
        pytest.param(
            "bybit",
            bybit_history(status="BlockchainConfirmed"),
            [usdt("confirmed", finished_at=DONE)],
            id="bybit confirmed",
        ),
        pytest.param("bybit", bybit_history(status="Reject"), [usdt("failed", finished_at=DONE)], id="bybit rejected"),
        pytest.param("bybit", bybit_history(status="Fail"), [usdt("failed", finished_at=DONE)], id="bybit failed"),
        pytest.param("bybit", bybit_history(status="CancelByUser"), [], id="bybit cancelled"),
        pytest.param("bybit", bybit_history(status="MoreInformationRequired"), [], id="bybit waits for its owner"),
        pytest.param("bybit", bybit_history(status="Unknown"), [], id="bybit does not know"),
        pytest.param("bybit", bybit_history(withdrawType=1), [], id="bybit internal transfer"),
        pytest.param("kraken", kraken_history(), [btc("pending")], id="kraken initial"),
        pytest.param("kraken", kraken_history(status="Pending"), [btc("pending")], id="kraken pending"),
        pytest.param(
            "kraken", kraken_history(status="Pending", txid="29"), [btc("sent")], id="kraken has a transaction"
        ),
        pytest.param("kraken", kraken_history(status="Settled", txid="29"), [btc("sent")], id="kraken settled"),
        pytest.param("kraken", kraken_history(status="Success", txid="29"), [btc("confirmed")], id="kraken success"),
        pytest.param("kraken", kraken_history(status="Failure"), [btc("failed")], id="kraken failure"),
        pytest.param("kraken", kraken_history(status="Failure", status_prop="canceled"), [], id="kraken cancelled"),
        pytest.param(
            "kraken", kraken_history(status="Pending", status_prop="cancel-pending"), [], id="kraken being cancelled"
        ),
        pytest.param(
            "kraken", kraken_history(status="Pending", status_prop="onhold"), [btc("pending")], id="kraken on hold"
        ),
        pytest.param(
            "kraken",
            kraken_history(method="Bitcoin Lightning", network="Lightning"),
            [btc("pending", network="lightning")],
            id="kraken names the network",
        ),
        pytest.param(
            "kraken",
            kraken_history(method="Bitcoin Lightning"),
            [btc("pending", network="lightning")],
            id="kraken names the method only",
        ),
    ],
)
def test_where_a_withdrawal_is(exchange: str, body: bytes, told: list[Withdrawal]) -> None:
    assert HISTORIES[exchange](body) == told


@pytest.mark.parametrize(
    ("exchange", "body", "named"),
    [
        pytest.param("binance", binance_history(status=7), r"7 - at `\$\[0\]\.status`", id="binance status 7"),
        pytest.param("okx", okx_history(state="33"), r"'33' - at `\$\.data\[0\]\.state`", id="okx state 33"),
        pytest.param("bybit", bybit_history(status="Lost"), r"'Lost' - at `\$\.result\.rows\[0\]\.status`", id="bybit"),
        pytest.param("kraken", kraken_history(status="Lost"), r"'Lost' - at `\$\.result\[0\]\.status`", id="kraken"),
        pytest.param("binance", binance_history(applyTime="yesterday"), "a time is none", id="binance no time"),
        pytest.param("okx", okx_history(ts="1e40"), "a time is none", id="okx a time beyond all"),
        pytest.param("okx", okx_history(ts="1e9999999"), "a time is none", id="okx a time beyond all arithmetic"),
        pytest.param(
            "binance", binance_history(applyTime="0001-01-01T00:00:00+23:00"), "a time is none", id="binance before all"
        ),
        pytest.param("bybit", bybit_history(createTime="-5"), "a time is none", id="bybit a time before 1970"),
        pytest.param("kraken", b'{"error": []}', "no `result`|`result`", id="kraken nothing"),
    ],
)
def test_a_history_that_cannot_be_read_is_a_failure(exchange: str, body: bytes, named: str) -> None:
    with pytest.raises(RemoteError, match=named) as caught:
        HISTORIES[exchange](body)
    assert caught.value.reason is FailureReason.SCHEMA


def test_a_call_to_binance_is_signed_as_in_its_documentation() -> None:
    """The example under "SIGNED endpoint security" of its spot API."""
    example = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
    key = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
    query = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1"
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=1499827319559)
    call = binance.sign(Call(path=f"/api/v3/order?{query}"), Credentials(key, example), at)
    signature = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
    assert call.path == f"/api/v3/order?{query}&recvWindow=5000&timestamp=1499827319559&signature={signature}"
    assert call.headers == {"X-MBX-APIKEY": key}


def test_a_call_to_kraken_is_signed_as_in_its_documentation() -> None:
    """The example of its guide "Spot REST Authentication"."""
    example = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
    form = b"ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25"
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=1616492376594)
    call = kraken.sign(Call(path="/0/private/AddOrder", method="POST", body=form), Credentials("key", example), at)
    assert call.body == b"nonce=1616492376594&" + form
    assert call.headers == {
        "API-Key": "key",
        "API-Sign": "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ==",
        "Content-Type": "application/x-www-form-urlencoded",
    }


def test_krakens_nonce_rises_with_every_millisecond() -> None:
    credentials, call = Credentials("key", "c2VjcmV0"), Call(path="/0/private/WithdrawStatus", method="POST")
    times = [AT + timedelta(microseconds=500 + n * 1000) for n in range(50)]
    nonces = [int(kraken.sign(call, credentials, at).body.removeprefix(b"nonce=")) for at in times]
    assert nonces == list(range(nonces[0], nonces[0] + 50))


def test_a_kraken_secret_that_is_none_is_named_without_showing_it() -> None:
    with pytest.raises(RemoteError, match="not Base64") as caught:
        kraken.sign(Call(path="/0/private/WithdrawStatus", method="POST"), Credentials("key", "not base64!"), AT)
    assert caught.value.reason is FailureReason.AUTH
    assert "not base64!" not in repr(caught.value)


def test_a_call_to_okx_is_signed_over_what_is_sent() -> None:
    """Time, path and secret of its documentation's example; it prints no signature, this one is from openssl."""
    words = "three words long"
    credentials = Credentials("key", "22582BD0CFF14C41EDBF1AB98506286D", passphrase=words)
    at = datetime(2020, 12, 8, 9, 8, 57, 715_000, tzinfo=UTC)
    call = okx.sign(Call(path="/api/v5/account/balance?ccy=BTC"), credentials, at)
    assert call.path == "/api/v5/account/balance?ccy=BTC"
    assert call.headers == {
        "OK-ACCESS-KEY": "key",
        "OK-ACCESS-SIGN": "HiZhvSfMtWJA3uUIVXV3a/bSXNPCWvYFXoGCVS8V4zY=",
        "OK-ACCESS-TIMESTAMP": "2020-12-08T09:08:57.715Z",
        "OK-ACCESS-PASSPHRASE": words,
    }


def test_a_call_to_bybit_is_signed_over_what_is_sent() -> None:
    """The rule of its documentation, which prints no secret; the signature is from openssl."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=1658384314791)
    credentials = Credentials("bybit-key", "bybit-secret")
    call = bybit.sign(Call(path="/v5/asset/coin/query-info?coin=BTC"), credentials, at)
    assert call.headers == {
        "X-BAPI-API-KEY": "bybit-key",
        "X-BAPI-TIMESTAMP": "1658384314791",
        "X-BAPI-RECV-WINDOW": "5000",
        "X-BAPI-SIGN": "2fb21df10e824508b112b38b0e8ce2acda3c7b8d3679d1e2334d3dc49e65a957",
    }
