"""Addresses of the bitcoin family and their scripts, by the vectors of BIP 173, BIP 350 and of well-known outputs."""

import pytest

from monitor.chains.script import ENCODINGS, Encoding, address_of, script_of, scripthash, scripts_of

BITCOIN, LITECOIN, DOGECOIN = ENCODINGS["bitcoin"], ENCODINGS["litecoin"], ENCODINGS["dogecoin"]
TESTNET = Encoding(key=111, script=(196,), words="tb")
KEY = "751e76e8199196d454941c45d1b3a323f1433bd6"
POINT = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"


@pytest.mark.parametrize(
    ("address", "encoding", "script"),
    [
        pytest.param(
            "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
            BITCOIN,
            "76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac",
            id="key hash",
        ),
        pytest.param(
            "34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo",
            BITCOIN,
            "a91423e522dfc6656a8fda3d47b4fa53f7585ac758cd87",
            id="script hash",
        ),
        pytest.param("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", BITCOIN, f"0014{KEY}", id="witness key"),
        pytest.param(
            "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",
            TESTNET,
            "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262",
            id="witness script",
        ),
        pytest.param(
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", BITCOIN, f"5120{POINT}", id="taproot"
        ),
        pytest.param(
            "DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L",
            DOGECOIN,
            "76a914830a7420e63d76244ff7cbd1c248e94c1446325988ac",
            id="dogecoin",
        ),
        pytest.param(
            "MQd1fJwqBJvwLuyhr17PhEFx1swiqDbPQS",
            LITECOIN,
            "a914b76c5404b40a53748ebf0c922b6df94d785df1bd87",
            id="litecoin's own script hash",
        ),
    ],
)
def test_an_address_and_its_script_stand_for_each_other(address: str, encoding: Encoding, script: str) -> None:
    assert script_of(address, encoding).hex() == script
    assert address_of(bytes.fromhex(script), encoding) == address


def test_a_script_may_be_written_in_other_ways() -> None:
    ours = "MQd1fJwqBJvwLuyhr17PhEFx1swiqDbPQS"
    script = script_of(ours, LITECOIN)
    as_before_2018 = address_of(script, BITCOIN)
    assert as_before_2018.startswith("3")
    assert script_of(as_before_2018, LITECOIN) == script
    lower = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
    assert script_of(lower.upper(), BITCOIN) == script_of(lower, BITCOIN)


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", id="a letter wrong"),
        pytest.param("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd", id="taproot in bech32"),
        pytest.param("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh", id="witness 0 in bech32m"),
        pytest.param("BC1QW508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", id="of both cases"),
        pytest.param("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", id="of another network"),
        pytest.param("bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", id="witness 2, which nobody uses"),
        pytest.param("bc1gmk9yu", id="no witness at all"),
        pytest.param("DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L", id="of Dogecoin"),
        pytest.param("3P9KR33QyXwfTXv8kKtNGZYtgKk3RXSUk36", id="of Waves"),
        pytest.param("1a1zp1ep5qgefi2dmptftl5slmv7divfna", id="Base58 in lower case"),
        pytest.param("", id="nothing"),
        pytest.param("ключ", id="other letters"),
    ],
)
def test_what_is_no_address_of_bitcoin_is_refused(address: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 each has words of its own
        script_of(address, BITCOIN)
    assert scripts_of([address], BITCOIN) == {}


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("", id="nothing"),
        pytest.param("6a0454657374", id="a note"),
        pytest.param(f"21{'02' * 33}ac", id="a key itself"),
        pytest.param("51024e73", id="an anchor"),
        pytest.param(f"5220{POINT}", id="witness 2"),
        pytest.param(f"76a914{KEY}88ad", id="nearly a key hash"),
    ],
)
def test_other_scripts_have_no_address(script: str) -> None:
    assert address_of(bytes.fromhex(script), BITCOIN) == ""


def test_dogecoin_has_no_witness_addresses() -> None:
    assert address_of(bytes.fromhex(f"0014{KEY}"), DOGECOIN) == ""


def test_the_first_spelling_of_a_script_is_kept() -> None:
    lower = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
    assert list(scripts_of([lower, lower.upper()], BITCOIN).values()) == [lower]


def test_electrum_names_a_script_by_its_hash() -> None:
    """The example of the protocol's documentation: Satoshi's first address."""
    script = script_of("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", BITCOIN)
    assert scripthash(script) == "8b01df4e368ea28f8dc0423bcf7a4923e3a12d307c875e47a0cfbf90b5c39161"
