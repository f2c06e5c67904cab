"""Receipts as nodes of different chains tell them."""

import msgspec
import pytest
from msgspec import Raw

from monitor.chains import eth_logs

RECEIPT: dict[str, object] = {
    "transactionHash": "0x" + "aa" * 32,
    "blockHash": "0x" + "bb" * 32,
    "status": "0x1",
    "gasUsed": "0x64",
    "effectiveGasPrice": "0x7",
    "logs": [],
    "contractAddress": None,
}


def read(**fields: object) -> eth_logs.Receipt:
    return eth_logs.receipt("0x").read(Raw(msgspec.json.encode(RECEIPT | fields)))


@pytest.mark.parametrize(
    ("fields", "fee"),
    [
        pytest.param({}, 700, id="gas"),
        pytest.param({"effectiveGasPrice": "0x0"}, 0, id="free gas"),
        pytest.param({"l1Fee": "0x5"}, 705, id="gas and the layer below"),
        pytest.param({"l1Fee": None}, 700, id="no layer below"),
        pytest.param({"blobGasUsed": "0x20000", "blobGasPrice": "0x2"}, 700 + 2 * 131_072, id="gas and blobs"),
    ],
)
def test_the_fee_is_all_that_was_paid(fields: dict[str, object], fee: int) -> None:
    assert read(**fields).fee == fee


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"status": None}, id="no status"),
        pytest.param({"status": "0x2"}, id="a status of its own"),
        pytest.param({"gasUsed": 100}, id="a number, not a quantity"),
        pytest.param({"effectiveGasPrice": None}, id="no price"),
        pytest.param({"l1Fee": "many"}, id="a fee in words"),
        pytest.param({"contractAddress": "0x12"}, id="half an address"),
        pytest.param({"blockHash": "0x"}, id="no block"),
    ],
)
def test_one_that_is_not_whole_is_not_read(fields: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(**fields)
