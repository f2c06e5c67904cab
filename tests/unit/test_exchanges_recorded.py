"""Real answers of exchanges: what they have today decodes, what they have retired converts, and both count the same.

The captures are evaluation data, read where `CEXWATCH_EVAL_DATA` points.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

from monitor.model import Direction, Entry, FailureReason, ListRead, Observation, RailState, RailStatus, RemoteError
from monitor.probes.exchanges import binance, bitget, bybit, coinex, gate, htx, kraken, kucoin, okx
from monitor.probes.rails import Decode
from monitor.probes.system_status import SystemReading
from tests.converters import bitget_v1, gate_single_chain, journal, kucoin_v1

DATA = os.environ.get("CEXWATCH_EVAL_DATA")
needs_data = pytest.mark.skipif(DATA is None, reason="CEXWATCH_EVAL_DATA is not set")
AT = datetime(2022, 12, 5, tzinfo=UTC)


class Capture(Struct):
    response: msgspec.Raw


class Baseline(Struct):
    file: str
    coin_network_rows: int
    withdraw_off: int
    withdraw_off_pct: float


class Baselines(Struct):
    rows: list[Baseline]


def body_of(file: str) -> bytes:
    path = Path(DATA or "") / "recorded" / f"{file}.json"
    return bytes(msgspec.json.decode(path.read_bytes(), type=Capture).response)


def baseline_of(file: str) -> Baseline:
    path = Path(DATA or "") / "withdraw_off_baseline.json"
    rows = msgspec.json.decode(path.read_bytes(), type=Baselines).rows
    return next(row for row in rows if row.file == f"{file}.json")


def withdrawals(entries: list[Entry]) -> list[RailStatus]:
    return [
        entry.observation
        for entry in entries
        if isinstance(entry.observation, RailStatus) and entry.observation.direction is Direction.WITHDRAWAL
    ]


LIVE: dict[str, Decode] = {
    "binance_fetchCurrencies_live_2022-12-05_07ed53d": binance.rails,
    "bybit_fetchCurrencies_live_2022-12-05_8a991c6": bybit.rails,
    "bitget_fetchCurrencies_live_2022-12-07_34df9ec": bitget_v1,
    "gate_fetchCurrencies_live_2022-12-19_75625d3": gate_single_chain,
    "htx_fetchCurrencies_live_2022-12-05_55b5a2c": htx.rails,
    "kucoin_fetchCurrencies_live_2022-12-02_b171d0e": kucoin_v1,
    "okx_fetchCurrencies_live_2022-11-30_db3d257": okx.rails,
}


@needs_data
@pytest.mark.parametrize(("file", "read"), LIVE.items(), ids=LIVE)
def test_the_share_of_rails_off_at_rest_is_the_known_one(file: str, read: Decode) -> None:
    entries = journal(read(body_of(file)).rails, exchange=file.partition("_")[0], probe="list", at=AT)
    known = baseline_of(file)
    rails = withdrawals(entries)
    off = sum(rail.state is RailState.SUSPENDED for rail in rails)
    assert (len(rails), off) == (known.coin_network_rows, known.withdraw_off)
    assert round(100 * off / len(rails), 1) == known.withdraw_off_pct
    assert entries[-1].observation == ListRead(
        at=AT, exchange=file.partition("_")[0], probe="list", rails=2 * len(rails), changed=2 * len(rails)
    )


@needs_data
@pytest.mark.parametrize("file", [file for file in LIVE if file.startswith(("binance", "bitget", "bybit", "htx"))])
def test_what_is_watched_by_default_is_in_a_real_list(file: str) -> None:
    rails = {f"{reading.asset}@{reading.network}" for reading in LIVE[file](body_of(file)).rails}
    watched = "BTC@bitcoin ETH@ethereum USDT@ethereum USDT@tron USDC@ethereum SOL@solana XRP@xrp TRX@tron BNB@bsc"
    assert rails >= set(watched.split())


@needs_data
def test_no_live_capture_of_these_exchanges_is_left_out() -> None:
    these = {"binance", "bitget", "bybit", "gate", "htx", "kraken", "kucoin", "okx"}
    there = {path.stem for path in (Path(DATA or "") / "recorded").glob("*_live_*")}
    assert {file for file in there if file.partition("_")[0] in these} == set(LIVE)


@needs_data
@pytest.mark.parametrize(
    ("file", "decode", "rails"),
    [
        pytest.param("binance_capital_config_getall_docsample", binance.rails, 2, id="binance"),
        pytest.param("bitget_coins_docsample", bitget.rails, 1, id="bitget v2"),
        pytest.param("bybit_coin_query_info_docsample", bybit.rails, 2, id="bybit"),
        pytest.param("gate_fetchCurrencies_docsample", gate.rails, 0, id="gate, a coin without chains"),
        pytest.param("htx_reference_currencies_docsample", htx.rails, 3, id="htx"),
        pytest.param("kraken_fetchCurrencies_Assets", kraken.rails, 1, id="kraken, two of three are fiat"),
        pytest.param("kucoin_currencies_v3_docsample", kucoin.rails, 3, id="kucoin v3"),
        pytest.param("okx_fetchCurrencies_docsample", okx.rails, 1, id="okx"),
    ],
)
def test_a_documented_list_decodes(file: str, decode: Decode, rails: int) -> None:
    listed = decode(body_of(file))
    assert (len(listed.rails), listed.flaws) == (2 * rails, [])


@needs_data
@pytest.mark.parametrize(
    ("file", "decode"),
    [
        pytest.param("binance_fetchStatus", binance.system, id="binance"),
        pytest.param("bybit_fetchStatus", bybit.system, id="bybit"),
        pytest.param("htx_market_status", htx.system, id="htx"),
        pytest.param("kraken_fetchStatus", kraken.system, id="kraken"),
        pytest.param("kucoin_futures_service_status", kucoin.system, id="kucoin, same path on another host"),
    ],
)
def test_a_documented_status_decodes(file: str, decode: Callable[[bytes], SystemReading]) -> None:
    assert decode(body_of(file)).state == "operational"


@needs_data
@pytest.mark.parametrize(
    ("file", "decode", "missing"),
    [
        pytest.param("kraken_xchange_Assets", kraken.rails, "status", id="kraken without a status"),
        pytest.param("kucoin_fetchCurrencies_live_2022-12-02_b171d0e", kucoin.rails, "chains", id="kucoin v1"),
        pytest.param("bitget_fetchCurrencies_live_2022-12-07_34df9ec", bitget.rails, "coin", id="bitget v1"),
    ],
)
def test_a_retired_list_does_not_decode(file: str, decode: Decode, missing: str) -> None:
    with pytest.raises(RemoteError, match=f"missing required field `{missing}`") as caught:
        decode(body_of(file))
    assert caught.value.reason is FailureReason.SCHEMA


@needs_data
def test_gates_retired_list_says_nothing_of_any_rail() -> None:
    assert gate.rails(body_of("gate_fetchCurrencies_live_2022-12-19_75625d3")).rails == []


KUCOIN_V1 = b'{"data": [{"currency": "ETH", "isWithdrawEnabled": false, "isDepositEnabled": true}]}'
GATE_SINGLE = b"""[
    {"currency": "USDT_TRX", "chain": "TRX", "withdraw_disabled": true, "deposit_disabled": false},
    {"currency": "POINT", "withdraw_disabled": false, "deposit_disabled": true}
]"""
BITGET_V1 = b"""{"data": [{"coinName": "USDT", "chains": [
    {"chain": "ERC20", "withdrawable": "false", "rechargeable": "true"}
]}]}"""


@pytest.mark.parametrize(
    ("convert", "body", "off"),
    [
        pytest.param(kucoin_v1, KUCOIN_V1, {"ETH@* withdrawal"}, id="kucoin v1"),
        pytest.param(
            gate_single_chain, GATE_SINGLE, {"USDT@tron withdrawal", "POINT@* deposit"}, id="gate single chain"
        ),
        pytest.param(bitget_v1, BITGET_V1, {"USDT@ethereum withdrawal"}, id="bitget v1"),
    ],
)
def test_a_converted_list_is_a_journal(convert: Decode, body: bytes, off: set[str]) -> None:
    entries = journal(convert(body).rails, exchange="x", probe="x-list", at=AT)
    lines = [msgspec.json.encode(entry.observation) for entry in entries]
    again = [msgspec.json.decode(line, type=Observation) for line in lines]
    assert again == [entry.observation for entry in entries]
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    closed = [line for line in again if isinstance(line, RailStatus) and line.state is RailState.SUSPENDED]
    assert {f"{line.asset}@{line.network} {line.direction}" for line in closed} == off


@needs_data
@pytest.mark.parametrize(
    ("file", "told"),
    [
        pytest.param(
            "coinex_GetAssets", "missing required field `asset`", id="CoinEx's assets, which have no flags at all"
        ),
        pytest.param(
            "coinex_GetDepositWithdrawalConfig", "got `object` - at `$.data`", id="CoinEx's flags of one asset"
        ),
    ],
)
def test_what_is_no_list_of_flags_is_refused(file: str, told: str) -> None:
    with pytest.raises(RemoteError) as caught:
        coinex.rails(body_of(file))
    assert told in caught.value.detail


@needs_data
def test_the_flags_of_one_asset_of_coinex_read_as_those_of_all() -> None:
    one = msgspec.json.decode(body_of("coinex_GetDepositWithdrawalConfig"), type=dict[str, msgspec.Raw])
    listed = coinex.rails(b'{"code": 0, "message": "OK", "data": [%b]}' % bytes(one["data"]))
    assert {reading.asset for reading in listed.rails} == {"CET"}
    assert list(listed.flaws) == []


@needs_data
def test_every_recorded_answer_is_named_in_a_test_of_exchanges() -> None:
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_exchanges_*.py"))
    there = {path.stem for path in (Path(DATA or "") / "recorded").glob("*.json")} - {"INDEX"}
    assert sorted(file for file in there if file not in tests) == []
