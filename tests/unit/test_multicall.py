from pathlib import Path

import pytest
from eth_abi.abi import encode
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from monitor.chains.ledger import Holding, Token
from monitor.chains.multicall import MULTICALL3, Miss, Results, balances, decimals, decode, token_balance
from monitor.chains.networks import EVM_NETWORKS
from monitor.reserves import formats
from monitor.reserves.checksum import checksummed

HOLDER = "0x" + "11" * 20
TOKEN = "0x" + "22" * 20


def words(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(32, "big") for number in numbers)


COIN = Token(asset="ETH")
USDT = Token(asset="USDT", contract=TOKEN, decimals=6)


def test_call_data_is_laid_out_as_the_abi_says() -> None:
    encoded = balances([Holding(HOLDER, COIN), Holding(HOLDER, USDT)])

    number = (MULTICALL3, True, bytes.fromhex("42cbb15c"))
    coins = (MULTICALL3, True, bytes.fromhex("4d2301cc") + words(int(HOLDER, 16)))
    tokens = (TOKEN, True, bytes.fromhex("70a08231") + words(int(HOLDER, 16)))
    arguments = encode(["(address,bool,bytes)[]"], [[number, coins, tokens]])
    assert encoded.target == MULTICALL3
    assert encoded.data.decode().lower() == "82ad56cb" + arguments.hex()


def test_call_data_of_nothing_asks_for_the_height() -> None:
    number = (MULTICALL3, True, bytes.fromhex("42cbb15c"))
    arguments = encode(["(address,bool,bytes)[]"], [[number]])
    assert balances([]).data.decode().lower() == "82ad56cb" + arguments.hex()


@pytest.mark.parametrize(
    ("told", "signature"),
    [
        pytest.param(balances([]).data[:8], "aggregate3((address,bool,bytes)[])", id="aggregate3"),
        pytest.param(b"42cbb15c", "getBlockNumber()", id="getBlockNumber"),
        pytest.param(b"4d2301cc", "getEthBalance(address)", id="getEthBalance"),
        pytest.param(token_balance(HOLDER, token=TOKEN).data[:8], "balanceOf(address)", id="balanceOf"),
        pytest.param(decimals(TOKEN).data, "decimals()", id="decimals"),
    ],
)
def test_selectors_are_hashes_of_their_signatures(told: bytes, signature: str) -> None:
    assert bytes.fromhex(told.decode()) == keccak(signature.encode())[:4]


ANSWER = words(32, 3, 96, 96 + 128, 96 + 128 + 96, 1, 64, 32, 7, 0, 64, 0, 1, 64, 0)


def test_a_word_is_a_number_and_anything_else_a_miss() -> None:
    assert decode(ANSWER, count=3) == Results([7], {1: Miss.FAILED, 2: Miss.NO_WORD})


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just(True), st.integers(0, 2**256 - 1).map(words)),
            st.tuples(st.booleans(), st.binary(max_size=70)),
        ),
        max_size=12,
    )
)
def test_what_the_abi_encodes_is_read_exactly(told: list[tuple[bool, bytes]]) -> None:
    results = decode(encode(["(bool,bytes)[]"], [told]), count=len(told))

    numbers = [int.from_bytes(data, "big") for success, data in told if success and len(data) == 32]
    assert results.numbers == numbers
    assert results.misses == {
        place: Miss.NO_WORD if success else Miss.FAILED
        for place, (success, data) in enumerate(told)
        if not (success and len(data) == 32)
    }


@given(st.binary(max_size=600), st.integers(0, 5))
def test_nonsense_is_read_or_refused(answer: bytes, count: int) -> None:
    try:
        results = decode(answer, count=count)
    except ValueError:
        return
    assert len(results.numbers) + len(results.misses) == count


@given(st.data())
def test_an_answer_that_was_damaged_is_read_or_refused(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(ANSWER) // 32 - 1)) * 32
    damaged = ANSWER[:place] + words(data.draw(st.integers(0, 700) | st.integers(0, 2**256 - 1))) + ANSWER[place + 32 :]
    try:
        results = decode(damaged, count=3)
    except ValueError:
        return
    assert len(results.numbers) + len(results.misses) == 3
    for number in results.numbers:
        assert words(number) in damaged


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(ANSWER[:-1], id="cut short by a byte"),
        pytest.param(ANSWER[:96], id="offsets cut off"),
        pytest.param(words(32, 2) + ANSWER[64:], id="fewer results than asked for"),
        pytest.param(words(2**255) + ANSWER[32:], id="an offset beyond the end"),
        pytest.param(words(32, 3, 97) + ANSWER[96:], id="an offset into a word"),
        pytest.param(words(2**64 + 32) + ANSWER[32:], id="an offset that is small but for its upper half"),
        pytest.param(ANSWER + b"\0", id="an end within a word"),
        pytest.param(words(32, 1, 32, 2, 64, 32, 7), id="success neither true nor false"),
        pytest.param(words(32, 1, 32, 1, 64, 2**255, 7), id="a length beyond the end"),
    ],
)
def test_another_layout_is_refused(answer: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(answer, count=1 if len(answer) == 32 * 7 else 3)


def test_the_contract_carries_its_checksum() -> None:
    assert checksummed(MULTICALL3) == MULTICALL3


def test_the_book_has_a_place_for_every_network() -> None:
    assert set(EVM_NETWORKS) <= set(formats.EVM_NETWORKS)


@pytest.mark.parametrize("name", EVM_NETWORKS)
def test_a_network_stalls_after_its_endpoints_are_stale(name: str) -> None:
    network = EVM_NETWORKS[name]
    assert network.block_seconds < network.stale_seconds < network.stalls_after_seconds


@pytest.mark.parametrize("contract", ["Multicall", "Token", "GasBurner"])
def test_contracts_for_tests_are_compiled(contract: str) -> None:
    code = (Path(__file__).parents[1] / f"contracts/{contract}.hex").read_text().strip()

    assert len(bytes.fromhex(code[2:])) > 50
