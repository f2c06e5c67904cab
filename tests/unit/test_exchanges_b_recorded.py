"""Every recorded answer of KuCoin, Gate, HTX, Bitget, MEXC and Crypto.com is read, or refused for a stated reason.

They are evaluation data, read where `CEXWATCH_EVAL_DATA` points.
"""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

from monitor.model import Direction, FailureReason, RailState, RemoteError
from monitor.probes.exchanges import bitget, cryptocom, gate, htx, kucoin, mexc
from monitor.probes.rails import Decode

NAMES = ("bitget", "cryptocom", "gate", "htx", "kucoin", "mexc")
DATA = os.environ.get("CEXWATCH_EVAL_DATA")
needs_data = pytest.mark.skipif(DATA is None, reason="CEXWATCH_EVAL_DATA is not set")


class Capture(Struct):
    response: msgspec.Raw


def recorded(file: str) -> bytes:
    path = Path(DATA or "") / "recorded" / f"{file}.json"
    return bytes(msgspec.json.decode(path.read_bytes(), type=Capture).response)


class Baseline(Struct):
    file: str
    coin_network_rows: int
    withdraw_off: int


class Baselines(Struct):
    rows: list[Baseline]


READ: dict[str, tuple[Callable[[bytes], object], object]] = {
    "kucoin_fetchWithdrawals": (lambda body: [each.state for each in kucoin.history(body)], ["confirmed"]),
    "gate_fetchWithdrawals": (lambda body: [each.state for each in gate.history(body)], ["confirmed"]),
    "htx_fetchWithdrawals": (htx.history, []),
    "bitget_fetchWithdrawals": (lambda body: [each.state for each in bitget.history(body)], ["confirmed"]),
    "mexc_fetchWithdrawals": (lambda body: [each.state for each in mexc.history(body)], ["pending"]),
    "kucoin_currencies_v3_docsample": (lambda body: len(kucoin.rails(body).rails), 6),
    "gate_fetchCurrencies_docsample": (lambda body: len(gate.rails(body).rails), 0),
    "gate_xchange_spot_currencies": (lambda body: len(gate.rails(body).rails), 0),
    "gate_fetchCurrencies_live_2022-12-19_75625d3": (lambda body: len(gate.rails(body).rails), 0),
    "htx_reference_currencies_docsample": (lambda body: len(htx.rails(body).rails), 6),
    "htx_fetchCurrencies_live_2022-12-05_55b5a2c": (lambda body: len(htx.rails(body).rails), 1922),
    "bitget_coins_docsample": (lambda body: len(bitget.rails(body).rails), 2),
    "mexc_capital_config_getall_docsample": (lambda body: len(mexc.rails(body).rails), 4),
    "cryptocom_GetAssets": (lambda body: len(cryptocom.rails(body).rails), 8),
    "cryptocom_fetchCurrencies_live_2022-12-03_1ee3221": (lambda body: len(cryptocom.rails(body).rails), 838),
    "htx_market_status": (lambda body: htx.system(body).state, "operational"),
    "kucoin_futures_service_status": (lambda body: kucoin.system(body).state, "operational"),
}
"""What is read, and what is in it. Gate's lists of one chain a row tell of no chain: the probe refuses them as empty;
HTX's two withdrawals went to other accounts of HTX's.
"""

NOT_READ: dict[str, tuple[Callable[[bytes], object], str, str]] = {
    "kucoin_fetchCurrencies_live_2022-12-02_b171d0e": (
        kucoin.rails,
        "`chains`",
        "version 1, one flag a coin; v3 has one a network",
    ),
    "bitget_fetchCurrencies_live_2022-12-07_34df9ec": (
        bitget.rails,
        "`coin`",
        "version 1, the same flags with the coin under another name",
    ),
    "kucoin_unified_service_status": (
        kucoin.system,
        "`status`",
        "the state of one kind of trading; `/api/v1/status` tells of all",
    ),
    "kucoin_withdrawal_quotas": (
        kucoin.rails,
        "got `object` - at `$.data`",
        "one coin a call, signed; the public list has its flag",
    ),
    "gate_currency_chains": (gate.rails, "`withdraw_disabled`", "one coin a call; the list has its flag"),
    "gate_xchange_currency_chains": (gate.rails, "`withdraw_disabled`", "one coin a call; the list has its flag"),
    "gate_withdraw_status": (gate.rails, "`withdraw_disabled`", "fees and limits of the account, without a flag"),
    "gate_xchange_withdraw_status": (
        gate.rails,
        "`withdraw_disabled`",
        "fees and limits of the account, without a flag",
    ),
    "htx_common_symbols_currencys": (htx.rails, "`code`", "the settings of the website, one flag a coin"),
}
"""File -> the decoder that is nearest, what it says of the file, and why we do not read that endpoint."""


@needs_data
@pytest.mark.parametrize("file", READ)
def test_a_recorded_answer_is_read(file: str) -> None:
    read, there = READ[file]
    assert read(recorded(file)) == there


@needs_data
@pytest.mark.parametrize("file", NOT_READ)
def test_an_answer_that_is_not_read_is_refused(file: str) -> None:
    decode, detail, _why = NOT_READ[file]
    with pytest.raises(RemoteError) as caught:
        decode(recorded(file))
    assert caught.value.reason is FailureReason.SCHEMA
    assert detail in caught.value.detail


@needs_data
def test_no_recorded_answer_of_these_exchanges_is_left_out() -> None:
    there = {path.stem for path in (Path(DATA or "") / "recorded").glob("*.json")}
    assert {file for file in there if file.partition("_")[0] in NAMES} == {*READ, *NOT_READ}


@needs_data
@pytest.mark.parametrize(
    ("file", "decode"),
    [
        pytest.param("cryptocom_fetchCurrencies_live_2022-12-03_1ee3221", cryptocom.rails, id="crypto.com"),
        pytest.param("htx_fetchCurrencies_live_2022-12-05_55b5a2c", htx.rails, id="htx"),
    ],
)
def test_the_rails_off_at_rest_are_the_known_ones(file: str, decode: Decode) -> None:
    listed = decode(recorded(file))
    path = Path(DATA or "") / "withdraw_off_baseline.json"
    baselines = msgspec.json.decode(path.read_bytes(), type=Baselines).rows
    [known] = [row for row in baselines if row.file == f"{file}.json"]
    out = [reading for reading in listed.rails if reading.direction is Direction.WITHDRAWAL]
    off = sum(reading.state is RailState.SUSPENDED for reading in out)
    assert (len(out), off, list(listed.flaws)) == (known.coin_network_rows, known.withdraw_off, [])
    assert len(list(listed.terms)) == len(out)


@needs_data
def test_what_is_watched_by_default_is_in_crypto_coms_list() -> None:
    listed = cryptocom.rails(recorded("cryptocom_fetchCurrencies_live_2022-12-03_1ee3221"))
    rails = {f"{reading.asset}@{reading.network}" for reading in listed.rails}
    assert rails >= {"BTC@bitcoin", "ETH@ethereum", "USDT@ethereum", "USDC@ethereum", "SOL@solana", "XRP@xrp"}
