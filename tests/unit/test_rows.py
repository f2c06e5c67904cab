"""A row that is not what it should be costs itself; where most are not, it is another list."""

import json

import msgspec
import pytest
from msgspec import Raw, Struct

from monitor.model import FailureReason, RemoteError
from monitor.probes.rows import Flaw, named_rows, rows


class Chain(Struct):
    name: str
    is_open: bool


class Coin(Struct):
    coin: str
    chains: list[Chain]


def coin(name: object, *flags: object) -> dict[str, object]:
    chains = [{"name": f"N{number}", "is_open": flag} for number, flag in enumerate(flags)]
    return {"coin": name, "chains": chains}


GOOD = [coin(f"C{number}", True) for number in range(9)]


def read(*wrong: object) -> tuple[list[Coin], list[Flaw]]:
    """What is read of `wrong` rows behind nine good ones, which are left out of it."""
    raws = msgspec.json.decode(json.dumps([*GOOD, *wrong]), type=list[Raw])
    found = rows(raws, Coin, asset="coin", path="$.data")
    assert found.good[:9] == [msgspec.convert(row, Coin) for row in GOOD]
    return found.good[9:], found.flaws


@pytest.mark.parametrize(
    ("flag", "told"),
    [
        pytest.param("false", "Expected `bool`, got `str`", id="a word"),
        pytest.param(0, "Expected `bool`, got `int`", id="zero"),
        pytest.param(None, "Expected `bool`, got `null`", id="null"),
        pytest.param([], "Expected `bool`, got `array`", id="a list"),
    ],
)
def test_only_the_chain_with_the_wrong_flag_is_left_out(flag: object, told: str) -> None:
    good, flaws = read(coin("USDT", True, flag, False))
    assert good == [Coin("USDT", [Chain("N0", True), Chain("N2", False)])]
    assert flaws == [Flaw(f"{told} - at `$.data[9].chains[1].is_open`", "USDT")]


def test_each_wrong_chain_of_a_row_is_told() -> None:
    good, flaws = read(coin("USDT", 1, True, 2, 3))
    assert [chain.name for chain in good[0].chains] == ["N1"]
    told = "Expected `bool`, got `int` - at"
    assert [flaw.detail for flaw in flaws] == [f"{told} `$.data[9].chains[{n}].is_open`" for n in (0, 2, 3)]


@pytest.mark.parametrize(
    ("row", "flaw"),
    [
        pytest.param(
            {"coin": "USDT", "chains": None},
            Flaw("Expected `array`, got `null` - at `$.data[9].chains`", "USDT"),
            id="no list where one belongs",
        ),
        pytest.param(
            {"coin": "USDT"},
            Flaw("Object missing required field `chains` - at `$.data[9]`", "USDT"),
            id="a field is missing",
        ),
        pytest.param(coin(7, True), Flaw("Expected `str`, got `int` - at `$.data[9].coin`", ""), id="a name is none"),
        pytest.param("x", Flaw("Expected `object`, got `str` - at `$.data[9]`", ""), id="no object"),
    ],
)
def test_a_row_that_cannot_be_mended_is_left_out(row: object, flaw: Flaw) -> None:
    assert read(row) == ([], [flaw])


def test_a_row_with_a_number_that_is_none_costs_itself() -> None:
    raws = [Raw(json.dumps(row).encode()) for row in GOOD]
    found = rows([*raws, Raw(b'{"coin": "X", "chains": [], "fee": 1e999}')], Coin, asset="coin", path="$")
    assert len(found.good) >= 9
    assert len(found.good) + len(found.flaws) == 10


def test_rows_under_their_names_carry_them() -> None:
    raws = {"BTC": Raw(b'{"name": "B", "is_open": true}'), "ETH": Raw(b'{"name": "E", "is_open": 1}')}
    found = named_rows(raws, Chain, path="$.result")
    assert found.good == [("BTC", Chain("B", True))]
    assert found.flaws == [Flaw("Expected `bool`, got `int` - at `$.result.ETH.is_open`", "ETH")]


@pytest.mark.parametrize(
    ("good", "wrong", "is_refused"),
    [
        pytest.param(10, 10, False, id="half of them"),
        pytest.param(10, 11, True, id="more than half of them"),
        pytest.param(1000, 100, False, id="a hundred of many"),
        pytest.param(1000, 101, True, id="more than a hundred"),
    ],
)
def test_another_list_is_refused_as_a_whole(good: int, wrong: int, is_refused: bool) -> None:
    raws = [Raw(b'{"name": "B", "is_open": true}')] * good + [Raw(b"{}")] * wrong
    if not is_refused:
        assert len(rows(raws, Chain, asset="name", path="$").flaws) == wrong
        return
    with pytest.raises(RemoteError, match=f"{wrong} of {good + wrong} rows; Object missing") as caught:
        rows(raws, Chain, asset="name", path="$")
    assert caught.value.reason is FailureReason.SCHEMA
