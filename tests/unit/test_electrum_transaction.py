"""Transactions as bytes: read whole, proven by their ids, or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.chains.bitcoin_blocks import BlockTransaction, Paid, Spending
from monitor.chains.electrum_transaction import block_hash, read_transaction
from tests.raw_transactions import EXTENSION, WITNESS, raw_transaction

PARENT = "ab" * 32
SCRIPT = b"\x00\x14" + b"\x07" * 20

# What Satoshi sent to Hal Finney in block 170.
FIRST_PAYMENT = bytes.fromhex(
    "0100000001c997a5e56e104102fa209c6a852dd90660a20b2d9c352423edce25857fcd3704000000004847304402204e45e16932b8af51"
    "4961a1d3a1a25fdf3f4f7732e9d624c6c61548ab5fb8cd410220181522ec8eca07de4860a4acdd12909d831cc56cbbac4622082221a876"
    "8d1d0901ffffffff0200ca9a3b00000000434104ae1a62fe09c5f51b13905f07f06b99a2f7159b2225f374cd378d71302fa28414e7aab3"
    "7397f554a7df5f142c21c1b7303b8a0626f1baded5c72a704f7e6cd84cac00286bee0000000043410411db93e1dcdb8a016b49840f8c53"
    "bc1eb68a382e97b1482ecad7b148a6909a5cb2e0eaddfb84ccf9744464f82e160bfa9b8b64f9d4c03f999b8643f656b412a3ac00000000"
)
FIRST_PAYMENT_ID = "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16"

BITCOIN_BLOCK_0 = bytes.fromhex(
    "010000000000000000000000000000000000000000000000000000000000000000000000"
    "3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c"
)

TXIDS = st.binary(min_size=32, max_size=32).filter(any).map(bytes.hex)
INPUTS = st.lists(st.tuples(TXIDS, st.integers(0, 2**32 - 1)), min_size=1, max_size=4)
OUTPUTS = st.lists(st.tuples(st.binary(max_size=300), st.integers(0, 2**63 - 1)), max_size=4)


def test_the_first_payment_is_read() -> None:
    read = read_transaction(FIRST_PAYMENT, txid=FIRST_PAYMENT_ID)
    parent = "0437cd7f8525ceed2324359c2d0ba26006d92d856a9c20fa0241106ee5a597c9"
    assert read.inputs == (Spending(parent, 0),)
    assert [output.value for output in read.outputs] == [1_000_000_000, 4_000_000_000]


def test_a_header_is_hashed_as_its_block_is_named() -> None:
    assert block_hash(BITCOIN_BLOCK_0) == "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"


def test_a_coinbase_spends_nothing() -> None:
    made = raw_transaction([("00" * 32, 2**32 - 1)], [(SCRIPT, 50)], flag=WITNESS, witness=[bytes(32)])
    assert read_transaction(made.body, txid=made.txid) == BlockTransaction(made.txid, (), (Paid(SCRIPT, 50),))


@given(inputs=INPUTS, outputs=OUTPUTS, flag=st.sampled_from([0, WITNESS, EXTENSION, WITNESS | EXTENSION]))
def test_whatever_was_put_together_is_read(
    inputs: list[tuple[str, int]], outputs: list[tuple[bytes, int]], flag: int
) -> None:
    made = raw_transaction(inputs, outputs, flag=flag)
    assert read_transaction(made.body, txid=made.txid) == BlockTransaction(
        made.txid, tuple(Spending(*spent) for spent in inputs), tuple(Paid(*paid) for paid in outputs)
    )


def test_more_outputs_than_fit_in_a_byte_are_read() -> None:
    made = raw_transaction([(PARENT, 0)], [(SCRIPT, number) for number in range(70_000)])
    assert [output.value for output in read_transaction(made.body, txid=made.txid).outputs] == list(range(70_000))


WHOLE = raw_transaction([(PARENT, 1)], [(SCRIPT, 5)], flag=WITNESS)


@pytest.mark.parametrize("size", range(len(WHOLE.body)))
def test_one_that_breaks_off_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_transaction(WHOLE.body[:size], txid=WHOLE.txid)


def _with(flag: int, extension: bytes = b"\0") -> bytes:
    return raw_transaction([(PARENT, 1)], [(SCRIPT, 5)], flag=flag, extension=extension).body


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        pytest.param(WHOLE.body + b"\0", "goes on after its end", id="more than a transaction"),
        pytest.param(_with(EXTENSION, b"\1" + bytes(99)), "an extension part", id="the extension part is in it"),
        pytest.param(_with(2), "unknown flag 2", id="a flag that we do not know"),
        pytest.param(bytes(10), "without inputs", id="a transaction of the extension blocks alone"),
        pytest.param(raw_transaction([(PARENT, 1)], [(SCRIPT, 6)]).body, "another transaction", id="another amount"),
    ],
)
def test_what_is_not_the_transaction_is_refused(raw: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_transaction(raw, txid=WHOLE.txid)
