"""The newest public trade and the state of trading, as each exchange words it."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from monitor.model import FailureReason, RemoteError
from monitor.probes import EXCHANGES
from monitor.probes.exchanges import bybit, htx, kraken, kucoin, okx
from monitor.probes.system_status import SystemReading
from monitor.probes.trades import NewestTrade

BODIES = Path(__file__).parents[1] / "data" / "exchanges"


@pytest.mark.parametrize("exchange", ["binance", "bitget", "bybit", "gate", "htx", "kraken", "kucoin", "okx"])
def test_the_newest_trade_counts_wherever_it_stands(exchange: str) -> None:
    newest = EXCHANGES[exchange].trades[0].decode((BODIES / f"{exchange}_trades.json").read_bytes())
    assert newest == NewestTrade(datetime(2026, 2, 3, 12, 0, 12, 500_000, tzinfo=UTC), Decimal("70111.2"))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param('{"code": "0", "data": []}', FailureReason.SHAPE, id="no trades"),
        pytest.param('{"code": "0", "data": [{"ts": "1", "px": "NaN"}]}', FailureReason.SCHEMA, id="price NaN"),
        pytest.param('{"code": "0", "data": [{"ts": "1", "px": "0"}]}', FailureReason.SCHEMA, id="price zero"),
        pytest.param('{"code": "0", "data": [{"ts": "1", "px": 1e400}]}', FailureReason.SCHEMA, id="price enormous"),
        pytest.param(
            '{"code": "0", "data": [{"ts": "1", "px": "0.%s1"}]}' % ("3" * 200),
            FailureReason.SCHEMA,
            id="endless price",
        ),
        pytest.param('{"code": "0", "data": [{"ts": "-5", "px": "1"}]}', FailureReason.SCHEMA, id="time before 1970"),
        pytest.param('{"code": "0", "data": [{"ts": 1e40, "px": "1"}]}', FailureReason.SCHEMA, id="time beyond all"),
        pytest.param('{"code": "0", "data": [{"ts": "sNaN", "px": "1"}]}', FailureReason.SCHEMA, id="time NaN"),
        pytest.param('{"code": "0", "data": [{"px": "1"}]}', FailureReason.SCHEMA, id="time missing"),
        pytest.param('{"code": "50011", "msg": "Too Many Requests"}', FailureReason.RATE_LIMITED, id="too often"),
    ],
)
def test_what_cannot_be_a_trade_is_a_failure(body: str, reason: FailureReason) -> None:
    with pytest.raises(RemoteError) as caught:
        okx.newest_trade(body.encode())
    assert caught.value.reason is reason


def test_htx_says_error_in_words_of_its_own() -> None:
    with pytest.raises(RemoteError, match="invalid-parameter"):
        htx.newest_trade(b'{"status": "error", "err-code": "invalid-parameter", "err-msg": "invalid symbol"}')


def bybit_work(**changed: str | int | list[int]) -> bytes:
    work = {"title": "w", "state": "ongoing", "serviceTypes": [1], "product": [2], "maintainType": 1, "env": 1}
    text = str([work | changed]).replace("'", '"')
    return f'{{"retCode": 0, "retMsg": "", "result": {{"list": {text}}}}}'.encode()


def okx_work(**changed: str) -> bytes:
    work = {"title": "w", "state": "ongoing", "serviceType": "5", "maintType": "1", "env": "1"}
    text = str([work | changed]).replace("'", '"')
    return f'{{"code": "0", "data": {text}}}'.encode()


@pytest.mark.parametrize(
    ("decode", "body", "state"),
    [
        pytest.param(
            kraken.system, b'{"error": [], "result": {"status": "online"}}', "operational", id="kraken online"
        ),
        pytest.param(
            kraken.system, b'{"error": [], "result": {"status": "maintenance"}}', "maintenance", id="kraken maintenance"
        ),
        pytest.param(
            kraken.system, b'{"error": [], "result": {"status": "cancel_only"}}', "degraded", id="kraken cancel_only"
        ),
        pytest.param(kucoin.system, b'{"code": "200000", "data": {"status": "open"}}', "operational", id="kucoin open"),
        pytest.param(kucoin.system, b'{"code": "200000", "data": {"status": "close"}}', "outage", id="kucoin close"),
        pytest.param(htx.system, b'{"code": 200, "data": {"marketStatus": 1}}', "operational", id="htx normal"),
        pytest.param(htx.system, b'{"code": 200, "data": {"marketStatus": 3}}', "degraded", id="htx cancel only"),
        pytest.param(okx.system, b'{"code": "0", "data": []}', "operational", id="okx without work"),
        pytest.param(okx.system, okx_work(), "maintenance", id="okx trading in maintenance"),
        pytest.param(okx.system, okx_work(serviceType="0"), "degraded", id="okx websocket in maintenance"),
        pytest.param(okx.system, okx_work(maintType="3"), "outage", id="okx disruption"),
        pytest.param(okx.system, okx_work(state="scheduled"), "operational", id="okx planned work"),
        pytest.param(okx.system, okx_work(env="2"), "operational", id="okx demo trading"),
        pytest.param(bybit.system, bybit_work(), "maintenance", id="bybit spot in maintenance"),
        pytest.param(bybit.system, bybit_work(serviceTypes=[4]), "degraded", id="bybit stream in maintenance"),
        pytest.param(bybit.system, bybit_work(maintainType="3"), "outage", id="bybit incident"),
        pytest.param(bybit.system, bybit_work(product=[1, 3]), "operational", id="bybit other products"),
        pytest.param(bybit.system, bybit_work(env="2"), "operational", id="bybit demo trading"),
        pytest.param(bybit.system, bybit_work(state="completed"), "operational", id="bybit work that is over"),
    ],
)
def test_the_state_of_trading(decode: Callable[[bytes], SystemReading], body: bytes, state: str) -> None:
    said = decode(body)
    assert (said.component, said.state) == ("trading", state)


@pytest.mark.parametrize(
    ("exchange", "said"),
    [
        ("binance", SystemReading("all", "maintenance", "system_maintenance")),
        ("bybit", SystemReading("trading", "maintenance", "Spot engine")),
        ("htx", SystemReading("trading", "outage", "halted")),
        ("kraken", SystemReading("trading", "degraded", "post_only")),
        ("kucoin", SystemReading("trading", "degraded", "cancelonly upgrade of the engine")),
        ("okx", SystemReading("trading", "maintenance", "Upgrade of the trading service")),
    ],
)
def test_a_documented_status_body(exchange: str, said: SystemReading) -> None:
    system = EXCHANGES[exchange].system
    assert system is not None
    assert system.decode((BODIES / f"{exchange}_system.json").read_bytes()) == said


@pytest.mark.parametrize(
    ("decode", "body"),
    [
        pytest.param(kraken.system, b'{"error": [], "result": {"status": "fine"}}', id="kraken, an unknown word"),
        pytest.param(kucoin.system, b'{"code": "200000", "data": {"status": null}}', id="kucoin, null"),
        pytest.param(htx.system, b'{"code": 200, "data": {"marketStatus": true}}', id="htx, a boolean"),
        pytest.param(bybit.system, b'{"retCode": 0, "retMsg": "", "result": {}}', id="bybit, no list"),
        pytest.param(okx.system, b'{"code": "0"}', id="okx, no list"),
    ],
)
def test_an_unclear_status_is_a_failure(decode: Callable[[bytes], SystemReading], body: bytes) -> None:
    with pytest.raises(RemoteError):
        decode(body)
