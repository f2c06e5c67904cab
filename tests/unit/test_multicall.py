from pathlib import Path

import pytest
from eth_hash.auto import keccak

from monitor.chains.multicall import BLOCK_NUMBER, MULTICALL3, Miss, aggregate3, coin_balance, decode, token_balance
from monitor.chains.networks import EVM_NETWORKS
from monitor.reserves.book import NETWORKS
from monitor.reserves.checksum import checksummed

HOLDER = "0x" + "11" * 20
TOKEN = "0x" + "22" * 20


def words(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(32, "big") for number in numbers)


def test_call_data_is_laid_out_as_the_abi_says() -> None:
    encoded = aggregate3([BLOCK_NUMBER, token_balance(HOLDER, token=TOKEN)])

    first = words(int(MULTICALL3, 16), 1, 96, 4) + bytes.fromhex("42cbb15c").ljust(32, b"\0")
    second = words(int(TOKEN, 16), 1, 96, 36) + (bytes.fromhex("70a08231") + words(int(HOLDER, 16))).ljust(64, b"\0")
    head = bytes.fromhex("82ad56cb") + words(32, 2, 64, 64 + len(first))
    assert encoded.target == MULTICALL3
    assert encoded.data == head + first + second


@pytest.mark.parametrize(
    ("data", "signature"),
    [
        pytest.param(aggregate3([]).data, "aggregate3((address,bool,bytes)[])", id="aggregate3"),
        pytest.param(BLOCK_NUMBER.data, "getBlockNumber()", id="getBlockNumber"),
        pytest.param(coin_balance(HOLDER).data, "getEthBalance(address)", id="getEthBalance"),
        pytest.param(token_balance(HOLDER, token=TOKEN).data, "balanceOf(address)", id="balanceOf"),
    ],
)
def test_selectors_are_hashes_of_their_signatures(data: bytes, signature: str) -> None:
    assert data[:4] == keccak(signature.encode())[:4]


ANSWER = words(32, 3, 96, 96 + 128, 96 + 128 + 96, 1, 64, 32, 7, 0, 64, 0, 1, 64, 0)


def test_a_word_is_a_number_and_anything_else_a_miss() -> None:
    assert decode(ANSWER, count=3) == [7, Miss.FAILED, Miss.NO_WORD]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(ANSWER[:-1], id="cut short by a byte"),
        pytest.param(ANSWER[:96], id="offsets cut off"),
        pytest.param(words(32, 2) + ANSWER[64:], id="fewer results than asked for"),
        pytest.param(words(2**255) + ANSWER[32:], id="an offset beyond the end"),
        pytest.param(words(32, 1, 32, 2, 64, 32, 7), id="success neither true nor false"),
        pytest.param(words(32, 1, 32, 1, 64, 2**255, 7), id="a length beyond the end"),
    ],
)
def test_another_layout_is_refused(answer: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(answer, count=1 if len(answer) == 32 * 7 else 3)


def test_the_contract_carries_its_checksum() -> None:
    assert checksummed(MULTICALL3) == MULTICALL3


def test_the_book_and_the_chains_know_the_same_networks() -> None:
    assert set(NETWORKS) == set(EVM_NETWORKS)


@pytest.mark.parametrize("contract", ["Multicall", "Token", "GasBurner"])
def test_contracts_for_tests_are_compiled(contract: str) -> None:
    code = (Path(__file__).parents[1] / f"contracts/{contract}.hex").read_text().strip()

    assert len(bytes.fromhex(code[2:])) > 50
