"""KuCoin, Gate, HTX, Bitget, MEXC and Crypto.com: rails, terms, trades and the exchange's time.

The samples are written from the exchanges' documentation.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from monitor.model import FailureReason, RailState, RemoteError
from monitor.probes import EXCHANGES
from monitor.probes.exchanges import bitget, cryptocom, gate, htx, kucoin, mexc
from monitor.probes.rails import Listed, Terms
from monitor.probes.trades import NewestTrade

NAMES = ("bitget", "cryptocom", "gate", "htx", "kucoin", "mexc")
OPEN, SUSPENDED, DELAYED = RailState.OPEN, RailState.SUSPENDED, RailState.DELAYED

Object = dict[str, object]


def encoded(body: object) -> bytes:
    return msgspec.json.encode(body)


def kucoin_list(*coins: Object) -> bytes:
    return encoded({"code": "200000", "data": coins})


def kucoin_coin(name: str = "USDT", **flags: object) -> Object:
    chain = {"chainId": "trx", "chainName": "TRC20", "isWithdrawEnabled": True, "isDepositEnabled": True}
    other = {"chainId": "eth", "chainName": "ERC20", "isWithdrawEnabled": True, "isDepositEnabled": True}
    return {"currency": name, "chains": [chain | flags, other]}


def gate_list(*coins: Object) -> bytes:
    return encoded(coins)


def gate_coin(name: str = "USDT", coin: Object | None = None, **flags: object) -> Object:
    at_rest: Object = {"withdraw_disabled": False, "withdraw_delayed": False, "deposit_disabled": False}
    chains = [at_rest | {"name": "TRX"} | flags, at_rest | {"name": "ETH"}]
    return {"currency": name, "delisted": False, "chains": chains} | at_rest | (coin or {})


def htx_list(*coins: Object) -> bytes:
    return encoded({"code": 200, "data": coins})


def htx_coin(name: str = "usdt", **flags: object) -> Object:
    allowed: Object = {"depositStatus": "allowed", "withdrawStatus": "allowed"}
    tron = {"chain": f"trc20{name}", "displayName": "TRC20", "baseChain": "TRX"}
    ethereum = {"chain": f"{name}erc20", "displayName": "ERC20", "baseChain": "ETH"}
    return {"currency": name, "instStatus": "normal", "chains": [tron | allowed | flags, ethereum | allowed]}


def bitget_list(*coins: Object) -> bytes:
    return encoded({"code": "00000", "msg": "success", "requestTime": 1, "data": coins})


def bitget_coin(name: str = "USDT", **flags: object) -> Object:
    chain: Object = {"chain": "TRC20", "withdrawable": "true", "rechargeable": "true"}
    return {"coin": name, "transfer": "true", "chains": [chain | flags, chain | {"chain": "ERC20"}]}


def mexc_list(*coins: Object) -> bytes:
    return encoded(coins)


def mexc_coin(name: str = "USDT", **flags: object) -> Object:
    network: Object = {"netWork": "TRX", "network": "Tron(TRC20)", "withdrawEnable": True, "depositEnable": True}
    other = network | {"netWork": "ETH", "network": "Ethereum(ERC20)"}
    return {"coin": name, "networkList": [network | flags, other]}


def cryptocom_list(*coins: Object) -> bytes:
    map_ = {str(coin["name"]): {"network_list": coin["network_list"]} for coin in coins}
    return encoded({"id": 1, "method": "m", "code": 0, "result": {"update_time": 1, "currency_map": map_}})


def cryptocom_coin(name: str = "USDT", **flags: object) -> Object:
    network: Object = {"network_id": "TRX", "withdraw_enabled": True, "deposit_enabled": True}
    return {"name": name, "network_list": [network | flags, network | {"network_id": "ETH"}]}


LISTS: dict[str, tuple[Callable[..., bytes], Callable[..., Object]]] = {
    "bitget": (bitget_list, bitget_coin),
    "cryptocom": (cryptocom_list, cryptocom_coin),
    "gate": (gate_list, gate_coin),
    "htx": (htx_list, htx_coin),
    "kucoin": (kucoin_list, kucoin_coin),
    "mexc": (mexc_list, mexc_coin),
}


def decoded(exchange: str, body: bytes) -> Listed:
    [listing] = EXCHANGES[exchange].lists
    return listing.decode(body)


def said(listed: Listed) -> dict[str, tuple[RailState, str]]:
    """`USDT@tron withdrawal` -> the state and the exchange's words."""
    return {f"{r.asset}@{r.network} {r.direction}": (r.state, r.raw) for r in listed.rails}


@pytest.mark.parametrize("exchange", NAMES)
def test_all_open(exchange: str) -> None:
    body, coin = LISTS[exchange]
    listed = decoded(exchange, body(coin()))
    rails = {f"{r.asset}@{r.network}" for r in listed.rails}
    assert rails - {"USDT@*"} == {"USDT@tron", "USDT@ethereum"}
    assert {r.state for r in listed.rails} == {OPEN}
    assert list(listed.flaws) == []


@pytest.mark.parametrize(
    ("exchange", "flags", "rail", "state", "raw"),
    [
        pytest.param(
            "kucoin",
            {"isWithdrawEnabled": False},
            "USDT@tron withdrawal",
            SUSPENDED,
            "TRC20 isWithdrawEnabled=false",
            id="kucoin withdrawals off",
        ),
        pytest.param(
            "kucoin",
            {"isDepositEnabled": False},
            "USDT@tron deposit",
            SUSPENDED,
            "TRC20 isDepositEnabled=false",
            id="kucoin deposits off",
        ),
        pytest.param(
            "gate",
            {"withdraw_disabled": True},
            "USDT@tron withdrawal",
            SUSPENDED,
            "TRX chain withdraw_disabled",
            id="gate chain off",
        ),
        pytest.param(
            "gate",
            {"withdraw_disabled": True, "withdraw_delayed": True},
            "USDT@tron withdrawal",
            SUSPENDED,
            "TRX chain withdraw_disabled",
            id="gate off outranks delayed",
        ),
        pytest.param(
            "gate",
            {"withdraw_delayed": True},
            "USDT@tron withdrawal",
            DELAYED,
            "TRX chain withdraw_delayed",
            id="gate chain delayed",
        ),
        pytest.param(
            "gate",
            {"deposit_disabled": True},
            "USDT@tron deposit",
            SUSPENDED,
            "TRX chain deposit_disabled",
            id="gate deposits off",
        ),
        pytest.param(
            "gate",
            {"coin": {"withdraw_disabled": True}},
            "USDT@ethereum withdrawal",
            SUSPENDED,
            "ETH coin withdraw_disabled",
            id="gate coin off closes its chains",
        ),
        pytest.param(
            "gate",
            {"coin": {"withdraw_disabled": True}},
            "USDT@* withdrawal",
            SUSPENDED,
            "withdraw_disabled",
            id="gate coin off",
        ),
        pytest.param(
            "gate",
            {"coin": {"withdraw_delayed": True}},
            "USDT@ethereum withdrawal",
            DELAYED,
            "ETH coin withdraw_delayed",
            id="gate coin delayed delays its chains",
        ),
        pytest.param(
            "gate",
            {"coin": {"withdraw_delayed": True}},
            "USDT@* withdrawal",
            DELAYED,
            "withdraw_delayed",
            id="gate coin delayed",
        ),
        pytest.param(
            "gate",
            {"coin": {"deposit_disabled": True}},
            "USDT@* deposit",
            SUSPENDED,
            "deposit_disabled",
            id="gate coin's deposits off",
        ),
        pytest.param(
            "gate",
            {"withdraw_disabled": True},
            "USDT@* withdrawal",
            OPEN,
            "open",
            id="gate one chain off leaves the coin",
        ),
        pytest.param(
            "htx",
            {"withdrawStatus": "prohibited"},
            "USDT@tron withdrawal",
            SUSPENDED,
            "TRC20 prohibited",
            id="htx prohibited",
        ),
        pytest.param(
            "htx",
            {"withdrawStatus": "prohibited", "displayName": ""},
            "USDT@tron withdrawal",
            SUSPENDED,
            "trc20usdt prohibited",
            id="htx without a shown name",
        ),
        pytest.param(
            "bitget",
            {"withdrawable": "false", "congestion": "congested"},
            "USDT@tron withdrawal",
            SUSPENDED,
            "TRC20 withdrawable=false",
            id="bitget off",
        ),
        pytest.param(
            "bitget", {"congestion": "congested"}, "USDT@tron withdrawal", OPEN, "TRC20", id="bitget congestion is open"
        ),
        pytest.param(
            "mexc",
            {"withdrawEnable": False},
            "USDT@tron withdrawal",
            SUSPENDED,
            "TRX withdrawEnable=false",
            id="mexc off",
        ),
        pytest.param(
            "mexc",
            {"withdrawEnable": False, "withdrawTips": "Wallet maintenance. " * 20},
            "USDT@tron withdrawal",
            SUSPENDED,
            f"TRX withdrawEnable=false: {('Wallet maintenance. ' * 20)[:120]}",
            id="mexc off with a long tip",
        ),
        pytest.param(
            "mexc",
            {"withdrawTips": "A MEMO is required."},
            "USDT@tron withdrawal",
            OPEN,
            "TRX",
            id="mexc tip when open",
        ),
        pytest.param(
            "mexc",
            {"netWork": None, "network": "TRC20", "withdrawEnable": False},
            "USDT@tron withdrawal",
            SUSPENDED,
            "TRC20 withdrawEnable=false",
            id="mexc with the old name only",
        ),
        pytest.param(
            "cryptocom",
            {"withdraw_enabled": False},
            "USDT@tron withdrawal",
            SUSPENDED,
            "TRX withdraw_enabled=false",
            id="crypto.com off",
        ),
        pytest.param(
            "cryptocom",
            {"deposit_enabled": False},
            "USDT@tron deposit",
            SUSPENDED,
            "TRX deposit_enabled=false",
            id="crypto.com deposits off",
        ),
        pytest.param(
            "cryptocom", {"network_id": "BNB"}, "USDT@bsc withdrawal", OPEN, "BNB", id="crypto.com calls bsc BNB"
        ),
        pytest.param(
            "cryptocom", {"network_id": "CRO"}, "USDT@cronos-pos withdrawal", OPEN, "CRO", id="crypto.com CRO"
        ),
        pytest.param(
            "cryptocom", {"network_id": "CRONOS"}, "USDT@cronos withdrawal", OPEN, "CRONOS", id="crypto.com CRONOS"
        ),
    ],
)
def test_a_rail_reads_as_the_exchange_says(exchange: str, flags: Object, rail: str, state: RailState, raw: str) -> None:
    body, coin = LISTS[exchange]
    assert said(decoded(exchange, body(coin(**flags))))[rail] == (state, raw)


@pytest.mark.parametrize(
    ("exchange", "body"),
    [
        pytest.param("kucoin", kucoin_list({"currency": "EUR", "chains": None}), id="kucoin fiat"),
        pytest.param("gate", gate_list(gate_coin("BTC3L", {"chains": None})), id="gate coin without chains"),
        pytest.param("htx", htx_list({"currency": "old", "chains": []}), id="htx coin without chains"),
        pytest.param("cryptocom", cryptocom_list(cryptocom_coin() | {"network_list": []}), id="crypto.com coin alone"),
    ],
)
def test_a_coin_without_a_network_has_no_rail(exchange: str, body: bytes) -> None:
    listed = decoded(exchange, body)
    assert (listed.rails, list(listed.flaws), list(listed.terms)) == ([], [], [])


def test_a_coin_htx_delisted_may_still_be_withdrawn() -> None:
    listed = htx.rails(htx_list(htx_coin() | {"instStatus": "delisted"}))
    assert {r.state for r in listed.rails} == {OPEN}


FLAGS = {
    "bitget": ("withdrawable", "rechargeable"),
    "cryptocom": ("withdraw_enabled", "deposit_enabled"),
    "gate": ("withdraw_disabled", "withdraw_delayed", "deposit_disabled"),
    "htx": ("withdrawStatus", "depositStatus"),
    "kucoin": ("isWithdrawEnabled", "isDepositEnabled"),
    "mexc": ("withdrawEnable", "depositEnable"),
}
NO_FLAGS = {"zero": 0, "null": None, "one": 1, "another word": "someday", "FALSE": "FALSE", "a list": [True]}
ROWS = {
    "bitget": "$.data[1].chains[0]",
    "cryptocom": "$.result.currency_map.USDT.network_list[0]",
    "gate": "$[1].chains[0]",
    "htx": "$.data[1].chains[0]",
    "kucoin": "$.data[1].chains[0]",
    "mexc": "$[1].networkList[0]",
}


@pytest.mark.parametrize(("exchange", "flag"), [(name, flag) for name, flags in FLAGS.items() for flag in flags])
@pytest.mark.parametrize("value", NO_FLAGS.values(), ids=NO_FLAGS)
def test_what_is_no_flag_costs_its_network_alone(exchange: str, flag: str, value: object) -> None:
    body, coin = LISTS[exchange]
    kept = ("AAA", "BBB") if exchange != "htx" else ("aaa", "bbb")
    listed = decoded(exchange, body(coin(kept[0]), coin(**{flag: value}), coin(kept[1])))
    [flaw] = listed.flaws
    assert (flaw.asset, flaw.detail.partition(" - at ")[2]) == ("USDT", f"`{ROWS[exchange]}.{flag}`")
    rails = {f"{r.asset}@{r.network}" for r in listed.rails if r.network != "*"}
    assert rails == {"AAA@tron", "AAA@ethereum", "USDT@ethereum", "BBB@tron", "BBB@ethereum"}


@pytest.mark.parametrize("exchange", ["cryptocom", "gate", "kucoin", "mexc"])
@pytest.mark.parametrize("word", ["true", "false"])
def test_a_boolean_in_quotes_is_no_flag(exchange: str, word: str) -> None:
    body, coin = LISTS[exchange]
    listed = decoded(exchange, body(coin("AAA"), coin(**{FLAGS[exchange][0]: word})))
    assert [flaw.asset for flaw in listed.flaws] == ["USDT"]


@pytest.mark.parametrize("value", [True, False], ids=["true", "false"])
def test_a_true_boolean_is_no_flag_of_bitgets(value: bool) -> None:
    listed = bitget.rails(bitget_list(bitget_coin("AAA"), bitget_coin(withdrawable=value)))
    assert [flaw.asset for flaw in listed.flaws] == ["USDT"]


@pytest.mark.parametrize(("exchange", "flag"), [(name, flag) for name, flags in FLAGS.items() for flag in flags])
def test_a_missing_flag_costs_its_network_alone(exchange: str, flag: str) -> None:
    body, coin = LISTS[exchange]
    without = body(coin("AAA"), coin(**{flag: None})).replace(f'"{flag}":null'.encode(), b'"renamed":null')
    listed = decoded(exchange, without)
    [flaw] = listed.flaws
    assert (flaw.asset, f"missing required field `{flag}`" in flaw.detail) == ("USDT", True)
    assert not any((r.asset, r.network) == ("USDT", "tron") for r in listed.rails)


@pytest.mark.parametrize("exchange", NAMES)
def test_a_list_without_its_flags_is_refused(exchange: str) -> None:
    body, coin = LISTS[exchange]
    with pytest.raises(RemoteError) as caught:
        decoded(exchange, body(coin("AAA"), coin()).replace(f'"{FLAGS[exchange][0]}":'.encode(), b'"renamed":'))
    assert caught.value.reason is FailureReason.SCHEMA


def test_a_mexc_network_without_any_name_is_a_flaw() -> None:
    listed = mexc.rails(mexc_list(mexc_coin(netWork=None, network=None)))
    assert [flaw.asset for flaw in listed.flaws] == ["USDT"]
    assert {r.network for r in listed.rails} == {"ethereum"}


@pytest.mark.parametrize(
    ("exchange", "flags", "terms"),
    [
        pytest.param(
            "kucoin",
            {"withdrawalMinFee": "1.5", "withdrawFeeRate": "0", "withdrawalMinSize": "3", "confirms": 20},
            Terms("USDT", "tron", fee=Decimal("1.5"), minimum=Decimal(3), confirmations=20),
            id="kucoin",
        ),
        pytest.param(
            "kucoin",
            {"withdrawalMinFee": "1.5", "withdrawFeeRate": "0.01", "maxWithdraw": "9"},
            Terms("USDT", "tron", maximum=Decimal(9)),
            id="kucoin with a rate has no fixed fee",
        ),
        pytest.param(
            "kucoin",
            {"withdrawalMinFee": None, "withdrawalMinSize": None, "maxWithdraw": None, "confirms": None},
            Terms("USDT", "tron"),
            id="kucoin tells nothing",
        ),
        pytest.param(
            "htx",
            {
                "withdrawFeeType": "fixed",
                "transactFeeWithdraw": "1",
                "minWithdrawAmt": "2",
                "maxWithdrawAmt": "280000.00000000",
                "numOfConfirmations": 99,
            },
            Terms("USDT", "tron", Decimal(1), Decimal(2), Decimal(280000), confirmations=99),
            id="htx",
        ),
        pytest.param(
            "htx",
            {"withdrawFeeType": "ratio", "transactFeeRateWithdraw": "0.001"},
            Terms("USDT", "tron"),
            id="htx with a ratio",
        ),
        pytest.param(
            "bitget",
            {"withdrawFee": "1", "extraWithdrawFee": "0", "minWithdrawAmount": "10", "withdrawConfirm": "12"},
            Terms("USDT", "tron", fee=Decimal(1), minimum=Decimal(10), confirmations=12),
            id="bitget",
        ),
        pytest.param(
            "bitget",
            {"withdrawFee": "1", "extraWithdrawFee": "0.1", "withdrawConfirm": ""},
            Terms("USDT", "tron"),
            id="bitget where a share is burnt",
        ),
        pytest.param(
            "bitget", {"withdrawConfirm": "9" * 5000}, Terms("USDT", "tron"), id="bitget endless confirmations"
        ),
        pytest.param(
            "mexc",
            {"withdrawFee": "0.5", "withdrawMin": "1", "withdrawMax": "100", "minConfirm": 0},
            Terms("USDT", "tron", Decimal("0.5"), Decimal(1), Decimal(100), confirmations=0),
            id="mexc",
        ),
        pytest.param(
            "cryptocom",
            {"withdrawal_fee": 0.8, "min_withdrawal_amount": 1.6, "confirmation_required": 12},
            Terms("USDT", "tron", fee=Decimal("0.8"), minimum=Decimal("1.6"), confirmations=12),
            id="crypto.com",
        ),
        pytest.param("kucoin", {"withdrawalMinFee": ""}, Terms("USDT", "tron"), id="kucoin an empty fee"),
        pytest.param(
            "htx", {"withdrawFeeType": "fixed", "transactFeeWithdraw": ""}, Terms("USDT", "tron"), id="htx empty"
        ),
        pytest.param("bitget", {"withdrawFee": "free"}, Terms("USDT", "tron"), id="bitget a fee that is no number"),
        pytest.param("mexc", {"withdrawFee": None, "withdrawMin": ""}, Terms("USDT", "tron"), id="mexc empty"),
        pytest.param("cryptocom", {"withdrawal_fee": None}, Terms("USDT", "tron"), id="crypto.com without a fee"),
    ],
)
def test_terms(exchange: str, flags: Object, terms: Terms) -> None:
    body, coin = LISTS[exchange]
    listed = decoded(exchange, body(coin(**flags)))
    assert [each for each in listed.terms if each.network == "tron"] == [terms]
    assert list(listed.flaws) == []


@pytest.mark.parametrize(
    ("decode", "body", "reason"),
    [
        pytest.param(
            kucoin.rails,
            b'{"code":"429000","msg":"Too many requests. System-level rate limit exceeded."}',
            FailureReason.RATE_LIMITED,
            id="kucoin too often",
        ),
        pytest.param(
            gate.rails,
            b'{"label":"TOO_MANY_REQUESTS","message":"Request Rate limit Exceeded (311)"}',
            FailureReason.RATE_LIMITED,
            id="gate too often",
        ),
        pytest.param(
            gate.history, b'{"label":"TOO_FAST","message":"slow down"}', FailureReason.RATE_LIMITED, id="gate too fast"
        ),
        pytest.param(
            gate.newest_trade, b' {"label":"TOO_BUSY","message":""}', FailureReason.HTTP_5XX, id="gate too busy"
        ),
        pytest.param(
            gate.rails,
            b'{"label":"INVALID_PARAM_VALUE","message":"no"}',
            FailureReason.HTTP_4XX,
            id="gate refuses",
        ),
        pytest.param(gate.rails, b'{"rows":[]}', FailureReason.SCHEMA, id="gate, an object that is no error"),
        pytest.param(
            htx.history,
            b'{"status":"error","err-code":"base-request-exceed-frequency-limit","err-msg":"later"}',
            FailureReason.RATE_LIMITED,
            id="htx too often",
        ),
        pytest.param(
            htx.newest_trade,
            b'{"status":"error","err-code":"invalid-parameter","err-msg":"request limit"}',
            FailureReason.RATE_LIMITED,
            id="htx request limit",
        ),
        pytest.param(
            htx.newest_trade,
            b'{"status":"error","err-code":"rate-too-many-requests","err-msg":"-"}',
            FailureReason.RATE_LIMITED,
            id="htx too many requests",
        ),
        pytest.param(
            htx.history,
            b'{"status":"error","err-code":"api-signature-not-valid","err-msg":"Signature not valid"}',
            FailureReason.AUTH,
            id="htx signature",
        ),
        pytest.param(
            htx.history,
            b'{"status":"error","err-code":"system-maintenance","err-msg":"System is in maintenance!"}',
            FailureReason.HTTP_5XX,
            id="htx maintenance",
        ),
        pytest.param(
            htx.newest_perpetual_trade,
            b'{"status":"error","err_code":1067,"err_msg":"invalid contract code","ts":1}',
            FailureReason.HTTP_4XX,
            id="htx perpetual refuses",
        ),
        pytest.param(htx.history, b'{"status":"ok"}', FailureReason.SCHEMA, id="htx fine but empty"),
        pytest.param(
            bitget.rails,
            b'{"code":"1001","msg":"The request is too frequent and has been throttled"}',
            FailureReason.RATE_LIMITED,
            id="bitget too often",
        ),
        pytest.param(
            mexc.rails, b'{"code":429,"msg":"Too Many Requests"}', FailureReason.RATE_LIMITED, id="mexc too often"
        ),
        pytest.param(
            mexc.rails,
            b'{"code":510,"msg":"Requests are too frequent, please try again later"}',
            FailureReason.RATE_LIMITED,
            id="mexc too frequent",
        ),
        pytest.param(
            mexc.history, b'{"code":700006,"msg":"IP non white list"}', FailureReason.HTTP_4XX, id="mexc refuses"
        ),
        pytest.param(mexc.rails, b'{"code":500,"msg":null}', FailureReason.HTTP_4XX, id="mexc without words"),
        pytest.param(
            mexc.newest_perpetual_trade,
            b'{"success":false,"code":510,"message":"Requests are too frequent"}',
            FailureReason.RATE_LIMITED,
            id="mexc perpetual too often",
        ),
        pytest.param(
            cryptocom.rails,
            b'{"code":42901,"message":"TOO_MANY_REQUESTS"}',
            FailureReason.RATE_LIMITED,
            id="crypto.com too often",
        ),
        pytest.param(
            cryptocom.rails,
            b'{"code":9010001,"message":"SYSTEM_MAINTENANCE"}',
            FailureReason.HTTP_5XX,
            id="crypto.com maintenance",
        ),
        pytest.param(
            cryptocom.history, b'{"code":40101,"message":"UNAUTHORIZED"}', FailureReason.AUTH, id="crypto.com key"
        ),
        pytest.param(cryptocom.rails, b'{"code":0}', FailureReason.SCHEMA, id="crypto.com fine but empty"),
    ],
)
def test_an_error_inside_a_200_is_a_failure(
    decode: Callable[[bytes], object], body: bytes, reason: FailureReason
) -> None:
    with pytest.raises(RemoteError) as caught:
        decode(body)
    assert caught.value.reason is reason


AT = datetime(2026, 2, 3, 12, 0, 12, 500_000, tzinfo=UTC)
MS = 1_770_120_012_500
PRICE = Decimal("70111.2")


@pytest.mark.parametrize(
    ("probe", "body"),
    [
        pytest.param(
            "kucoin-perpetual-trades",
            {
                "code": "200000",
                "data": [
                    {"sequence": 1, "price": "1", "ts": MS * 10**6 - 10**9},
                    {"price": "70111.2", "ts": MS * 10**6},
                ],
            },
            id="kucoin perpetual counts nanoseconds",
        ),
        pytest.param(
            "gate-perpetual-trades",
            [{"id": 1, "size": -3, "create_time": 1770120012, "create_time_ms": 1770120012.5, "price": "70111.2"}],
            id="gate perpetual counts seconds",
        ),
        pytest.param(
            "htx-perpetual-trades",
            {"status": "ok", "tick": {"data": [{"ts": MS, "price": "70111.2", "quantity": 0.006}]}},
            id="htx perpetual",
        ),
        pytest.param(
            "bitget-perpetual-trades",
            {"code": "00000", "data": [{"tradeId": "1", "price": "70111.2", "side": "Buy", "ts": str(MS)}]},
            id="bitget perpetual",
        ),
        pytest.param(
            "mexc-trades",
            [{"id": None, "price": "70110", "time": MS - 9}, {"id": None, "price": "70111.2", "time": MS}],
            id="mexc",
        ),
        pytest.param(
            "mexc-perpetual-trades",
            {"success": True, "code": 0, "data": [{"p": 70111.2, "v": 18, "T": 1, "O": 3, "M": 2, "t": MS}]},
            id="mexc perpetual",
        ),
        pytest.param(
            "cryptocom-trades",
            {"id": -1, "code": 0, "result": {"data": [{"s": "sell", "p": "70111.2", "t": MS, "i": "BTC_USD"}]}},
            id="crypto.com",
        ),
        pytest.param(
            "cryptocom-perpetual-trades",
            {"id": -1, "code": 0, "result": {"data": [{"s": "SELL", "p": "70111.2", "t": MS, "i": "BTCUSD-PERP"}]}},
            id="crypto.com perpetual",
        ),
    ],
)
def test_the_newest_trade(probe: str, body: object) -> None:
    [trades] = [trades for name in NAMES for trades in EXCHANGES[name].trades if trades.probe == probe]
    assert trades.decode(encoded(body)) == NewestTrade(AT, PRICE)


@pytest.mark.parametrize(
    ("exchange", "body"),
    [
        pytest.param("kucoin", {"code": "200000", "msg": "success", "data": MS}, id="kucoin"),
        pytest.param("gate", {"server_time": MS}, id="gate"),
        pytest.param("htx", {"status": "ok", "data": MS}, id="htx"),
        pytest.param("bitget", {"code": "00000", "data": {"serverTime": str(MS)}}, id="bitget"),
        pytest.param("mexc", {"serverTime": MS}, id="mexc"),
    ],
)
def test_the_exchanges_own_time(exchange: str, body: object) -> None:
    told = EXCHANGES[exchange].server_time
    assert told is not None
    assert told.decode(encoded(body)) == AT
    with pytest.raises(RemoteError) as caught:
        told.decode(encoded(body).replace(str(MS).encode(), b"-1"))
    assert caught.value.reason is FailureReason.SCHEMA


@pytest.mark.parametrize("exchange", NAMES)
def test_a_person_is_told_where_a_flag_is(exchange: str) -> None:
    [listing] = EXCHANGES[exchange].lists
    assert "{asset}" in listing.where
    assert "{word}" in listing.where
    assert listing.rule
    assert all(EXCHANGES[exchange].traps)
