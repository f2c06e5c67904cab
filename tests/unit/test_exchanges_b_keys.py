"""KuCoin, Gate, HTX, Bitget, MEXC and Crypto.com: own withdrawals, what a key may do, and signatures."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import msgspec
import pytest

from monitor.model import FailureReason, RemoteError
from monitor.probes import EXCHANGES
from monitor.probes.account import Call, Credentials
from monitor.probes.exchanges import bitget, cryptocom, gate, htx, kucoin, mexc
from monitor.probes.history import Withdrawal

NAMES = ("bitget", "cryptocom", "gate", "htx", "kucoin", "mexc")
AT = datetime(2026, 2, 3, 12, 0, 12, 500_000, tzinfo=UTC)
MS = 1_770_120_012_500

Object = dict[str, object]


def encoded(body: object) -> bytes:
    return msgspec.json.encode(body)


def kucoin_history(**changed: object) -> bytes:
    sent: Object = {
        "id": "w1",
        "currency": "USDT",
        "chain": "trx",
        "status": "PROCESSING",
        "isInner": False,
        "createdAt": MS,
        "updatedAt": MS + 60_000,
    }
    return encoded({"code": "200000", "data": {"currentPage": 1, "items": [sent | changed]}})


def gate_history(**changed: object) -> bytes:
    sent: Object = {"id": "w1", "currency": "USDT", "chain": "TRX", "status": "REQUEST", "timestamp": "1770120012"}
    return encoded([sent | changed])


def htx_history(**changed: object) -> bytes:
    sent: Object = {
        "id": 1,
        "type": "withdraw",
        "sub-type": "NORMAL",
        "currency": "usdt",
        "chain": "trc20usdt",
        "state": "submitted",
        "created-at": MS,
        "updated-at": MS + 60_000,
    }
    return encoded({"status": "ok", "data": [sent | changed]})


def bitget_history(**changed: object) -> bytes:
    sent: Object = {
        "orderId": "w1",
        "coin": "USDT",
        "chain": "TRC20",
        "dest": "on_chain",
        "status": "pending",
        "cTime": str(MS),
        "uTime": str(MS + 60_000),
    }
    return encoded({"code": "00000", "data": [sent | changed]})


def mexc_history(**changed: object) -> bytes:
    sent: Object = {
        "id": "w1",
        "coin": "USDT-TRX",
        "netWork": "TRX",
        "transferType": 0,
        "status": 1,
        "applyTime": MS,
        "updateTime": MS + 60_000,
    }
    return encoded([sent | changed])


def cryptocom_history(**changed: object) -> bytes:
    sent: Object = {
        "id": "w1",
        "currency": "USDT",
        "network_id": "TRX",
        "status": "0",
        "txid": "",
        "create_time": MS,
        "update_time": MS + 60_000,
    }
    return encoded({"code": 0, "result": {"withdrawal_list": [sent | changed]}})


HISTORIES: dict[str, Callable[..., bytes]] = {
    "bitget": bitget_history,
    "cryptocom": cryptocom_history,
    "gate": gate_history,
    "htx": htx_history,
    "kucoin": kucoin_history,
    "mexc": mexc_history,
}


def withdrawals(exchange: str, **changed: object) -> list[Withdrawal]:
    history = EXCHANGES[exchange].history
    assert history is not None
    return history.decode(HISTORIES[exchange](**changed))


@pytest.mark.parametrize("exchange", NAMES)
def test_a_withdrawal_that_waits(exchange: str) -> None:
    [waits] = withdrawals(exchange)
    at = AT if exchange != "gate" else AT.replace(microsecond=0)
    assert (waits.asset, waits.network, waits.state) == ("USDT", "tron", "pending")
    assert (waits.requested_at, waits.finished_at) == (at, None)


STATES: dict[str, dict[str, Mapping[str | int, str | None]]] = {
    "kucoin": {
        "status": {"REVIEW": "pending", "WALLET_PROCESSING": "pending", "SUCCESS": "confirmed", "FAILURE": "failed"}
    },
    "gate": {
        "status": {
            "MANUAL": "pending",
            "REVIEW": "pending",
            "LOCKED": "pending",
            "EXTPEND": "sent",
            "DONE": "confirmed",
            "FAIL": "failed",
            "REJECT": "failed",
            "CANCEL": None,
            "CANCELPEND": None,
            "FVERIFY": None,
            "BCODE": None,
        }
    },
    "htx": {
        "state": {
            "verifying": "pending",
            "reexamine": "pending",
            "pre-transfer": "pending",
            "wallet-transfer": "sent",
            "confirmed": "confirmed",
            "wallet-reject": "failed",
            "confirm-error": "failed",
            "repealed": "failed",
            "canceled": None,
        }
    },
    "bitget": {
        "status": {
            "Pending": "pending",
            "risk_audit": "pending",
            "pre_success": "sent",
            "success": "confirmed",
            "fail": "failed",
            "reject": "failed",
            "cancel": None,
        }
    },
    "mexc": {"status": {4: "pending", 5: "sent", 6: "sent", 7: "confirmed", 8: "failed", 9: None, 10: "pending"}},
    "cryptocom": {
        "status": {"1": "pending", "2": "failed", "3": "pending", "4": "failed", "5": "confirmed", "6": None}
    },
}


@pytest.mark.parametrize(
    ("exchange", "field", "word", "state"),
    [
        pytest.param(exchange, field, word, state, id=f"{exchange} {word}")
        for exchange, fields in STATES.items()
        for field, states in fields.items()
        for word, state in states.items()
    ],
)
def test_a_withdrawals_state(exchange: str, field: str, word: str | int, state: str | None) -> None:
    told = [each.state for each in withdrawals(exchange, **{field: word})]
    assert told == ([] if state is None else [state])


@pytest.mark.parametrize(
    ("exchange", "changed", "seconds"),
    [
        pytest.param("kucoin", {"status": "SUCCESS"}, 60, id="kucoin"),
        pytest.param("gate", {"status": "DONE", "timestamp2": "1770120072"}, 60, id="gate"),
        pytest.param("gate", {"status": "DONE", "timestamp2": ""}, None, id="gate does not tell"),
        pytest.param("htx", {"state": "confirmed"}, 60, id="htx"),
        pytest.param("bitget", {"status": "success"}, 60, id="bitget"),
        pytest.param("mexc", {"status": 7}, 60, id="mexc"),
        pytest.param("mexc", {"status": 7, "updateTime": None}, None, id="mexc does not tell"),
        pytest.param("cryptocom", {"status": "5"}, 60, id="crypto.com"),
    ],
)
def test_when_a_withdrawal_was_over(exchange: str, changed: Object, seconds: int | None) -> None:
    [over] = withdrawals(exchange, **changed)
    assert over.finished_at == (None if seconds is None else over.requested_at + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("exchange", "changed"),
    [
        pytest.param("kucoin", {"isInner": True}, id="kucoin"),
        pytest.param("htx", {"sub-type": "FAST"}, id="htx"),
        pytest.param("bitget", {"dest": "internal_transfer"}, id="bitget"),
        pytest.param("mexc", {"transferType": 1}, id="mexc"),
    ],
)
def test_a_transfer_inside_the_exchange_is_no_withdrawal(exchange: str, changed: Object) -> None:
    assert withdrawals(exchange, **changed) == []


@pytest.mark.parametrize(
    ("exchange", "changed", "detail"),
    [
        pytest.param("kucoin", {"status": "HELD"}, "'HELD'", id="kucoin, an unknown status"),
        pytest.param("gate", {"status": "HELD"}, "'HELD'", id="gate, an unknown status"),
        pytest.param("htx", {"state": "unknown"}, "'unknown'", id="htx, a deposit's state"),
        pytest.param("bitget", {"status": "unknown"}, "'unknown'", id="bitget, an unknown status"),
        pytest.param("mexc", {"status": 11}, "11", id="mexc, an unknown status"),
        pytest.param("cryptocom", {"status": "7"}, "status", id="crypto.com, an unknown status"),
        pytest.param("kucoin", {"createdAt": -1}, "a time is none", id="kucoin, a time before 1970"),
        pytest.param("kucoin", {"createdAt": 10**17}, "a time is none", id="kucoin, a time beyond all"),
        pytest.param("gate", {"timestamp": "yesterday"}, "timestamp", id="gate, a time that is none"),
        pytest.param("bitget", {"cTime": "9" * 30}, "a time is none", id="bitget, a time beyond all"),
        pytest.param("htx", {"created-at": None}, "created-at", id="htx, no time"),
    ],
)
def test_an_unclear_withdrawal_is_a_failure(exchange: str, changed: Object, detail: str) -> None:
    with pytest.raises(RemoteError) as caught:
        withdrawals(exchange, **changed)
    assert caught.value.reason is FailureReason.SCHEMA
    assert detail in caught.value.detail


def test_a_withdrawal_gate_cancelled_with_a_reason_failed() -> None:
    [failed] = withdrawals("gate", status="CANCEL", fail_reason="address on a blacklist", timestamp2="1770120072")
    assert failed.state == "failed"


def test_a_payment_of_crypto_com_is_sent_once_it_has_a_transaction() -> None:
    [sent] = withdrawals("cryptocom", status="3", txid="0xabc")
    assert sent.state == "sent"


@pytest.mark.parametrize(
    ("exchange", "changed", "network"),
    [
        pytest.param("kucoin", {"chain": ""}, "*", id="kucoin without a chain"),
        pytest.param("cryptocom", {"network_id": None}, "*", id="crypto.com without a network"),
        pytest.param("mexc", {"netWork": None}, "*", id="mexc without a network"),
        pytest.param("mexc", {"netWork": None, "network": "TRC20"}, "tron", id="mexc with the old name"),
        pytest.param("htx", {"chain": "usdterc20"}, "ethereum", id="htx protocol behind the coin"),
        pytest.param("htx", {"chain": "solusdt"}, "solana", id="htx protocol before the coin"),
        pytest.param("htx", {"currency": "trx", "chain": "trx1"}, "tron", id="htx a number behind the coin"),
        pytest.param("htx", {"currency": "btc", "chain": "btc"}, "bitcoin", id="htx the coin's own chain"),
        pytest.param("htx", {"currency": "usdc", "chain": "usdc"}, "usdc", id="htx a name that does not tell"),
    ],
)
def test_the_network_of_a_withdrawal(exchange: str, changed: Object, network: str) -> None:
    [told] = withdrawals(exchange, **changed)
    assert told.network == network


@pytest.mark.parametrize(
    ("exchange", "body", "beyond"),
    [
        pytest.param("kucoin", {"permission": "General"}, (), id="kucoin reading"),
        pytest.param(
            "kucoin",
            {"permission": "General, Spot,Withdrawal"},
            ("Spot", "Withdrawal"),
            id="kucoin trading and withdrawing",
        ),
        pytest.param("kucoin", {"permission": "General,Tomorrow"}, ("Tomorrow",), id="kucoin an unknown right"),
        pytest.param("bitget", {"authorities": ["readonly", "stor", "wtor"]}, (), id="bitget reading"),
        pytest.param(
            "bitget", {"authorities": ["stor", "stow", "wwow"]}, ("stow", "wwow"), id="bitget trading and withdrawing"
        ),
        pytest.param("bitget", {"authorities": ["trade", "readonly"]}, ("trade",), id="bitget trading, the old word"),
        pytest.param("bitget", {"authorities": ["xxxx"]}, ("xxxx",), id="bitget an unknown right"),
    ],
)
def test_what_a_key_may_do_beyond_reading(exchange: str, body: Object, beyond: tuple[str, ...]) -> None:
    rights = EXCHANGES[exchange].rights
    assert rights is not None
    code = {"kucoin": "200000", "bitget": "00000"}[exchange]
    assert rights.decode(encoded({"code": code, "data": body})) == beyond


@pytest.mark.parametrize("exchange", ["kucoin", "bitget"])
def test_rights_that_are_not_told_are_a_failure(exchange: str) -> None:
    rights = EXCHANGES[exchange].rights
    assert rights is not None
    code = {"kucoin": "200000", "bitget": "00000"}[exchange]
    with pytest.raises(RemoteError):
        rights.decode(encoded({"code": code, "data": {}}))


KEY = Credentials("KEY", "SECRET", "PASSPHRASE")


def test_gate_signs_as_its_documentation_does() -> None:
    """The first example of "API Signature string generation" of Gate's API v4."""
    call = Call(path="/api/v4/futures/orders?contract=BTC_USD&status=finished&limit=50")
    signed = gate.sign(call, Credentials("key", "secret"), datetime.fromtimestamp(1541993715, UTC))
    assert signed.path == call.path
    assert signed.headers == {
        "KEY": "key",
        "Timestamp": "1541993715",
        "SIGN": "55f84ea195d6fe57ce62464daaa7c3c02fa9d1dde954e4c898289c9a2407a3d6"
        "fb3faf24deff16790d726b66ac9f74526668b13bd01029199cc4fcc522418b8a",
    }


def test_mexc_signs_as_its_documentation_does() -> None:
    """Example 2, "as a query string", of "SIGNED Endpoint Examples" of MEXC's spot API v3."""
    call = Call(path="/api/v3/order?symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=11")
    key = Credentials("mx0aBYs33eIilxBWC5", "45d0b3c26f2644f19bfb98b07741b2f5")
    signed = mexc.sign(call, key, datetime.fromtimestamp(1644489390.087, UTC))
    assert signed.headers == {"X-MEXC-APIKEY": "mx0aBYs33eIilxBWC5"}
    assert signed.path == (
        f"{call.path}&recvWindow=5000&timestamp=1644489390087"
        "&signature=fd3e4e8543c5188531eb7279d68ae7d26a573d0fc5ab0d18eb692451654d837a"
    )


# No example of the following four can be checked: their documents show none, or with a masked secret. What is expected
# here was made by `openssl dgst -hmac` from the text that the document says is signed.


def test_kucoin_signs_time_method_and_path() -> None:
    signed = kucoin.sign(Call(path="/api/v1/withdrawals"), KEY, AT)
    assert signed.headers == {
        "KC-API-KEY": "KEY",
        "KC-API-SIGN": "xYWqVaMH2u11Z+TGjFuq76evFJs5yi8xohkcVd6kRUI=",
        "KC-API-TIMESTAMP": str(MS),
        "KC-API-PASSPHRASE": "XsQ24ttA8VeFKMJTD/5At/KjtZdthnwU2kGrM1vv978=",
        "KC-API-KEY-VERSION": "2",
    }


def test_bitget_signs_the_history_with_its_window() -> None:
    signed = bitget.sign(Call(path="/api/v2/spot/wallet/withdrawal-records"), KEY, AT)
    query = parse_qs(signed.path.partition("?")[2])
    assert query == {"startTime": [str(MS - 30 * 86_400_000)], "endTime": [str(MS)], "limit": ["100"]}
    assert signed.headers["ACCESS-SIGN"] == "T1o2T5C38D4jQABQmBUHqmOV1EqUpE3xdTFFvQkaUzI="
    assert (signed.headers["ACCESS-TIMESTAMP"], signed.headers["ACCESS-PASSPHRASE"]) == (str(MS), "PASSPHRASE")


def test_htx_signs_host_path_and_query_in_order() -> None:
    signed = htx.sign(Call(path="/v1/query/deposit-withdraw?type=withdraw"), KEY, AT)
    path, _, query = signed.path.partition("?")
    assert (path, signed.headers) == ("/v1/query/deposit-withdraw", {"Host": "api.huobi.pro"})
    assert list(parse_qs(query)) == [
        "AccessKeyId",
        "SignatureMethod",
        "SignatureVersion",
        "Timestamp",
        "type",
        "Signature",
    ]
    assert parse_qs(query)["Timestamp"] == ["2026-02-03T12:00:12"]
    assert parse_qs(query)["Signature"] == ["fCGsbKlIBlv3NkPHji2jkO475BX6z5/kQqCbTyJBUxc="]


def test_crypto_com_signs_a_body_with_the_path_as_its_method() -> None:
    signed = cryptocom.sign(Call(path="/private/get-currency-networks", method="POST"), KEY, AT)
    assert msgspec.json.decode(signed.body) == {
        "id": MS,
        "method": "private/get-currency-networks",
        "api_key": "KEY",
        "params": {},
        "nonce": MS,
        "sig": "fc213c2bca2bfe517095f728b17b2ff97422701e971a02f3769c74ce48b9f7c6",
    }
