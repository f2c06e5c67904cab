"""Blocks as bytes and in JSON: what is read of them, and what is refused."""

from decimal import Decimal

import msgspec
import pytest

from monitor.chains.bitcoin_blocks import Paid, Spending, outputs_of, satoshis, serialized, told

# https://en.bitcoin.it/wiki/Genesis_block
GENESIS = bytes.fromhex(
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3"
    "888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c0101000000010000000000000000000000000000000000000000000000000000"
    "000000000000ffffffff4d04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e2062"
    "72696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe554827"
    "1967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5f"
    "ac00000000"
)
PAYMENT = (
    bytes.fromhex("02000000" + "0001" + "01")
    + bytes(range(32))
    + bytes.fromhex("03000000" + "00" + "ffffffff" + "02")
    + (5_000).to_bytes(8, "little")
    + bytes.fromhex("02" + "6a51")
    + (7).to_bytes(8, "little")
    + bytes.fromhex("00" + "02" + "03aabbcc" + "00" + "00000000")
)
"""With a witness of two items."""


def test_the_first_block_is_as_known() -> None:
    (coinbase,) = serialized(GENESIS)
    assert coinbase.id == "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
    assert coinbase.inputs == ()
    assert [(output.value, output.script[:2].hex()) for output in coinbase.outputs] == [(50 * 10**8, "4104")]


def test_a_transaction_with_witnesses_is_read() -> None:
    _, payment = serialized(GENESIS[:80] + b"\x02" + GENESIS[81:] + PAYMENT)
    assert payment.inputs == (Spending(bytes(range(32))[::-1].hex(), 3),)
    assert payment.outputs == (Paid(bytes.fromhex("6a51"), 5_000), Paid(b"", 7))
    assert outputs_of(PAYMENT) == list(payment.outputs)


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(GENESIS[:-1], id="broken off"),
        pytest.param(GENESIS + b"\0", id="more behind it"),
        pytest.param(b"\0\x01" + GENESIS[2:], id="merge-mined"),
        pytest.param(GENESIS[:80] + b"\x01" + PAYMENT.replace(b"\0\x01\x01", b"\0\x09\x01", 1), id="extension"),
        pytest.param(GENESIS[:80] + b"\xff" * 9, id="more transactions than bytes"),
    ],
)
def test_what_is_no_block_is_refused(block: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 each has words of its own
        serialized(block)


@pytest.mark.parametrize(
    ("coins", "expected"),
    [
        pytest.param("0.00000001", 1, id="one"),
        pytest.param("1e-8", 1, id="one, written short"),
        pytest.param("20999999.97690000", 2_099_999_997_690_000, id="all bitcoin there will be"),
        pytest.param("92233720368.54775807", 2**63 - 1, id="the most that fits"),
    ],
)
def test_coins_are_counted_exactly(coins: str, expected: int) -> None:
    assert satoshis(Decimal(coins)) == expected


@pytest.mark.parametrize("coins", ["-0.1", "0.000000001", "92233720368.54775808", "1e400", "NaN", "Infinity"])
def test_what_is_no_amount_is_refused(coins: str) -> None:
    with pytest.raises((ValueError, ArithmeticError)):
        satoshis(Decimal(coins))


def test_json_tells_what_is_spent_or_only_where_it_was() -> None:
    script = {"hex": "6a51", "type": "nulldata"}
    block = {
        "confirmations": 1,
        "tx": [
            {
                "txid": "aa",
                "vin": [{"coinbase": "00"}],
                "vout": [{"value": 50.00000001, "n": 0, "scriptPubKey": script}],
            },
            {
                "txid": "bb",
                "vin": [
                    {"txid": "aa", "vout": 1},
                    {"txid": "cc", "vout": 0, "prevout": {"value": 0.3, "scriptPubKey": script, "height": 5}},
                ],
                "vout": [],
            },
        ],
    }
    transactions = told(msgspec.json.encode(block))
    assert transactions is not None
    first, second = transactions
    assert (first.inputs, first.outputs) == ((), (Paid(b"\x6a\x51", 5_000_000_001),))
    assert second.inputs == (Spending("aa", 1), Spending("cc", 0, Paid(b"\x6a\x51", 30_000_000)))


def test_a_block_that_was_replaced_has_no_transactions() -> None:
    assert told(b'{"confirmations": -1, "tx": []}') is None
