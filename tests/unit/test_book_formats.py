"""Addresses of every family: published examples are taken, and what only looks like one is refused with a reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import bech32
from monitor.bech32 import Bech32Error, Variant
from monitor.reserves import chain_formats
from monitor.reserves.base58check import Base58Error, payload
from monitor.reserves.formats import FORMATS, AddressError, Check, written

# BIP-173 and BIP-350, "Test vectors".
BECH32 = (
    "A12UEL5L",
    "a12uel5l",
    "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
    "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
    "11qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqc8247j",
    "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
    "?1ezyfcl",
)
BECH32M = (
    "A1LQFN3A",
    "a1lqfn3a",
    "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6",
    "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
    "11llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllludsr8",
    "split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
    "?1v759aa",
)
NEITHER = (
    "\x201xj0phk",
    "\x7f1g6xzxy",
    "\x801vctc34",
    "an84characterslonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11d6pts4",
    "qyrz8wqd2c9m",
    "1qyrz8wqd2c9m",
    "y1b0jsk6g",
    "lt1igcx5c0",
    "in1muywd",
    "mm1crxm3i",
    "au1s5cgom",
    "M1VUXWEZ",
    "16plkw9",
    "1p2gdwpf",
    "\x201nwldj5",
    "pzry9x0s0muk",
    "1pzry9x0s0muk",
    "x1b4n0q5v",
    "li1dgmt3",
    "A1G7SGD8",
    "10a06t8",
    "1qzzfhee",
)
PROGRAMS = {
    "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4": (0, "751e76e8199196d454941c45d1b3a323f1433bd6"),
    "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y": (
        1,
        "751e76e8199196d454941c45d1b3a323f1433bd6751e76e8199196d454941c45d1b3a323f1433bd6",
    ),
    "BC1SW50QGDZ25J": (16, "751e"),
    "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs": (2, "751e76e8199196d454941c45d1b3a323"),
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0": (
        1,
        "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
    ),
}
NO_PROGRAMS = (
    ("tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut", "prefix is tc1, not bc1"),
    ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd", "needs the checksum of bech32m"),
    ("BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL", "needs the checksum of bech32m"),
    ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh", "version 0 needs the checksum of bech32"),
    ("bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4", "'o' cannot be in it"),
    ("BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R", "no witness version"),
    ("bc1pw5dgrnzv", "1 bytes are no program"),
    ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav", "41 bytes are no program"),
    ("BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P", "16 bytes are no program of version 0"),
    ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf", "wrong padding"),
    ("bc1gmk9yu", "no witness version"),
)

BITCOIN, SCRIPT = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"
WAVES = "3PJaDyprvekvPXPuAtxrapacuDJopgJRaU3"
TRON = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
XRP, XRP_ACCOUNT = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", "r9cZA1mLK5R5Am25ArfXFmqgNwjZgnfk59"
SOLANA = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
SUBSTRATE, POLKADOT = (
    "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
    "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5",
)
STELLAR = "GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ"
ALGORAND = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAY5HFKQ"
TON_RAW = "0:83dfd552e63729b472fcbcc8c45ebcc6691702558b68ec7527e1ba403a0f31a8"
TON_OF_30_BYTES = "UQARERERERERERERERERERERERERERERERERERH//50/----"  # a decoder may pass over the dashes
TON_BOUNCING = "EQCD39VS5jcptHL8vMjEXrzGaRcCVYto7HUn4bpAOg8xqB2N"
TON = "UQCD39VS5jcptHL8vMjEXrzGaRcCVYto7HUn4bpAOg8xqEBI"
CARDANO = "addr1vx2fxv2umyhttkxyxp8x0dlpdt3k6cwng5pxj3jhsydzers66hrl8"
BYRON = "Ae2tdPwUPEZ4YjgvykNpoFeYUxoyhNj2kg8KfKWN2FizsSpLUPv68MpTVDo"
COSMOS = "cosmos1fl48vsnmsdzcv85q5d2q4z5ajdha8yu34mf0eh"


@pytest.mark.parametrize("text", BECH32)
def test_bech32_is_that_of_bip_173(text: str) -> None:
    assert bech32.decode(text).variant is Variant.BECH32


@pytest.mark.parametrize("text", BECH32M)
def test_bech32m_is_that_of_bip_350(text: str) -> None:
    assert bech32.decode(text).variant is Variant.BECH32M


@pytest.mark.parametrize("text", NEITHER, ids=ascii)
def test_what_the_bips_refuse_is_neither(text: str) -> None:
    with pytest.raises(Bech32Error):
        bech32.decode(text)


@pytest.mark.parametrize("address", PROGRAMS)
def test_witness_programs_are_those_of_the_bips(address: str) -> None:
    version, program = PROGRAMS[address]
    assert bech32.witness_program(address, prefix="bc") == (version, bytes.fromhex(program))


@pytest.mark.parametrize(("address", "reason"), NO_PROGRAMS)
def test_what_the_bips_refuse_is_no_program(address: str, reason: str) -> None:
    with pytest.raises(Bech32Error, match=reason):
        bech32.witness_program(address, prefix="bc")


@pytest.mark.parametrize(
    ("network", "address", "account"),
    [
        pytest.param("bitcoin", BITCOIN, BITCOIN, id="bitcoin, to a key"),
        pytest.param("bitcoin", SCRIPT, SCRIPT, id="bitcoin, to a script"),
        pytest.param("bitcoin", "BC1SW50QGDZ25J", "bc1sw50qgdz25j", id="bitcoin, capital letters"),
        pytest.param("litecoin", "LM2WMpR1Rp6j3Sa59cMXMs1SPzj9eXpGc1", "LM2WMpR1Rp6j3Sa59cMXMs1SPzj9eXpGc1", id="L"),
        pytest.param("litecoin", "MTf4tP1TCNBn8dNkyxeBVoPrFCcVzxJvvh", "MTf4tP1TCNBn8dNkyxeBVoPrFCcVzxJvvh", id="M"),
        pytest.param(
            "litecoin", "3MSvaVbVFFLML86rt5eqgA9SvW23upaXdY", "MTf4tP1TCNBn8dNkyxeBVoPrFCcVzxJvvh", id="3 is M by now"
        ),
        pytest.param(
            "dogecoin", "DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L", "DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L", id="dogecoin"
        ),
        pytest.param("tron", TRON, TRON, id="tron"),
        pytest.param("xrp", XRP, XRP, id="xrp"),
        pytest.param("xrp", "rrrrrrrrrrrrrrrrrrrrrhoLvTp", "rrrrrrrrrrrrrrrrrrrrrhoLvTp", id="xrp, leading zeros"),
        pytest.param("solana", SOLANA, SOLANA, id="solana"),
        pytest.param("solana", "1" * 32, "1" * 32, id="solana, leading zeros"),
        pytest.param("polkadot", POLKADOT, POLKADOT, id="polkadot"),
        pytest.param("bittensor", SUBSTRATE, SUBSTRATE, id="the same account on another Substrate network"),
        pytest.param("stellar", STELLAR, STELLAR, id="stellar, of SEP-23"),
        pytest.param("algorand", ALGORAND, ALGORAND, id="algorand"),
        pytest.param("ton", TON_BOUNCING, TON, id="ton that bounces is the one that does not"),
        pytest.param("ton", TON_RAW, TON, id="ton in hex"),
        pytest.param("cardano", CARDANO, CARDANO, id="cardano, of CIP-19"),
        pytest.param("cardano", BYRON, BYRON, id="cardano, Byron"),
        pytest.param(
            "tezos", "tz1VSUr8wwNhLAzempoch5d6hLRiTh8Cjcjb", "tz1VSUr8wwNhLAzempoch5d6hLRiTh8Cjcjb", id="tezos"
        ),
        pytest.param("cosmos", COSMOS, COSMOS, id="cosmos"),
        pytest.param("aptos", "0x1", f"0x{1:064x}", id="aptos, short"),
        pytest.param("sui", f"0x{10:064X}", f"0x{10:064x}", id="sui, capital letters"),
        pytest.param("near", "binance-cold.near", "binance-cold.near", id="near by name"),
        pytest.param("eos", "binancecold1", "binancecold1", id="eos"),
        pytest.param("hedera", "0.0.686122", "0.0.686122", id="hedera"),
        pytest.param("stacks", "SP3YDD4T7YJ0", "SP3YDD4T7YJ0", id="as listed"),
    ],
)
def test_an_account_is_written_in_one_way(network: str, address: str, account: str) -> None:
    assert written(network, address) == account
    assert written(network, account) == account


@pytest.mark.parametrize(
    ("network", "address", "reason"),
    [
        pytest.param("bitcoin", WAVES, "is a Waves address .35 characters, version 1.", id="waves"),
        pytest.param("litecoin", WAVES, "is a Waves address", id="waves as litecoin"),
        pytest.param("bitcoin", BITCOIN.lower(), "cannot be in it|checksum is wrong", id="base58 in small letters"),
        pytest.param("bitcoin", SCRIPT.swapcase(), "cannot be in it|checksum is wrong", id="base58 swapped"),
        pytest.param("bitcoin", BITCOIN[:-1] + "b", "is a character mistyped, or of the wrong case", id="mistyped"),
        pytest.param("bitcoin", "", "not 1 to 128 characters", id="empty"),
        pytest.param("bitcoin", "1" * 500, "not 1 to 128 characters", id="endless"),
        pytest.param("bitcoin", "1A1zP1eP5QGefi2DMPTfTL5SLmv7Divf\N{CYRILLIC SMALL LETTER A}", "cannot be", id="ascii"),
        pytest.param("bitcoin", "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", "version 111 and 20 bytes", id="test network"),
        pytest.param("bitcoin", "LM2WMpR1Rp6j3Sa59cMXMs1SPzj9eXpGc1", "version 48.*another network", id="litecoin's"),
        pytest.param("bitcoin", "5KYZdUEo39z3FPrtuX2QbbwGnNP5zTd7yyr2SC1j299sBCnWjss", "version", id="a private key"),
        pytest.param("litecoin", BITCOIN, "version 0 and 20 bytes: of another network", id="bitcoin's"),
        pytest.param("litecoin", "bc1sw50qgdz25j", "expected a Litecoin address", id="bitcoin's bech32"),
        pytest.param("dogecoin", BITCOIN, "expected a Dogecoin address", id="bitcoin's as dogecoin"),
        pytest.param("tron", BITCOIN, "expected a Tron address .T", id="bitcoin's as tron"),
        pytest.param("tron", TRON.lower(), "expected a Tron address", id="tron in small letters"),
        pytest.param(
            "xrp",
            "X7AcgcsBL6XDcUb289X4mJ8djcdyKaB5hJDWMArnXr61cqZ",
            f"got an X-address.*write '{XRP_ACCOUNT}'",
            id="X-address without a tag",
        ),
        pytest.param(
            "xrp",
            "X7AcgcsBL6XDcUb289X4mJ8djcdyKaGZMhc9YTE92ehJ2Fu",
            f"write '{XRP_ACCOUNT}'",
            id="X-address with a tag",
        ),
        pytest.param("xrp", BITCOIN, "expected a classic XRP address", id="bitcoin's alphabet"),
        pytest.param("solana", SOLANA[:-1], "got 31 bytes|got 33 bytes|32 bytes, got", id="solana, a character short"),
        pytest.param("solana", "1" * 31, "got 31 bytes", id="solana, 31 bytes"),
        pytest.param("solana", "0x" + "1" * 40, "'0' cannot be in it", id="an EVM address"),
        pytest.param("ethereum", "0x" + "1" * 39, "expected 0x and 40 hex digits", id="evm, short"),
        pytest.param("polkadot", SUBSTRATE, "it is of another network", id="another Substrate network"),
        pytest.param("polkadot", POLKADOT[:-1] + "6", "checksum is wrong", id="polkadot, mistyped"),
        pytest.param("stellar", STELLAR[:-1] + "A", "checksum is wrong", id="stellar, mistyped"),
        pytest.param("stellar", STELLAR.lower(), "not Base32 in capital letters", id="stellar in small letters"),
        pytest.param("algorand", "B" + ALGORAND[1:], "checksum is wrong", id="algorand, mistyped"),
        pytest.param("algorand", f"{'A' * 52}Y5HFKR", "last letter", id="algorand, mistyped behind its last byte"),
        pytest.param("ton", TON[:-1] + "J", "checksum is wrong", id="ton, mistyped"),
        pytest.param("ton", "kQCD39VS5jcptHL8vMjEXrzGaRcCVYto7HUn4bpAOg8xqKYH", "test network", id="ton's tests"),
        pytest.param("ton", "0:12", "not 48 characters", id="ton, short"),
        pytest.param("ton", TON_OF_30_BYTES, "not 48 characters", id="ton in both alphabets of Base64"),
        pytest.param(
            "cardano",
            "addr_test1vz2fxv2umyhttkxyxp8x0dlpdt3k6cwng5pxj3jhsydzerspjrlsz",
            "not of the main network",
            id="cardano's tests",
        ),
        pytest.param("cardano", BYRON[:-1] + "p", "checksum|not made like", id="Byron, mistyped"),
        pytest.param("cosmos", "osmo1fl48vsnmsdzcv85q5d2q4z5ajdha8yu3aq6l09", "osmo1 with", id="another prefix"),
        pytest.param("cosmos", COSMOS[:-1] + "q", "checksum is wrong", id="cosmos, mistyped"),
        pytest.param("cosmos", "cosmos1" + COSMOS[7:].upper(), "mixed", id="cosmos, both cases"),
        pytest.param("aptos", "0x" + "1" * 65, "up to 64 hex digits", id="aptos, long"),
        pytest.param("hedera", "686122", "an account like", id="hedera"),
        pytest.param("stacks", "SP3 YDD", "without a space", id="a space"),
    ],
)
def test_what_only_looks_like_an_address_is_refused(network: str, address: str, reason: str) -> None:
    with pytest.raises(AddressError, match=reason):
        written(network, address)


def test_a_waves_address_is_known_by_its_own_checksum() -> None:
    assert chain_formats.is_waves(WAVES)
    assert not chain_formats.is_waves(WAVES[:-1] + "4")


def test_no_base58check_is_read_without_its_checksum() -> None:
    with pytest.raises(Base58Error, match="checksum"):
        payload("1111")


def test_every_network_of_the_detectors_has_a_checksum_or_a_form() -> None:
    networks = ("bitcoin", "ethereum", "bsc", "arbitrum", "optimism", "base", "polygon", "avalanche", "tron", "xrp")
    assert {network: FORMATS[network].check for network in networks} == dict.fromkeys(networks, Check.CHECKSUM)
    assert FORMATS["solana"].check is Check.FORM


VERIFIED = {
    "bitcoin": (BITCOIN, SCRIPT, *(address.lower() for address in PROGRAMS)),
    "tron": (TRON,),
    "xrp": (XRP,),
    "polkadot": (POLKADOT,),
    "stellar": (STELLAR,),
    "algorand": (ALGORAND,),
    "ton": (TON,),
    "cardano": (CARDANO, BYRON),
    "cosmos": (COSMOS,),
}
LETTERS = "023456789acdefghjklmnpqrstuvwxyzACDEFGHJKLMNPQRSTUVWXYZ"


@given(
    st.sampled_from([(network, address) for network, found in VERIFIED.items() for address in found]),
    st.integers(min_value=0),
    st.sampled_from(LETTERS),
)
def test_a_mistyped_letter_is_refused(example: tuple[str, str], place: int, letter: str) -> None:
    network, address = example
    place %= len(address)
    mistyped = address[:place] + letter + address[place + 1 :]
    if mistyped != address:
        with pytest.raises(AddressError):
            written(network, mistyped)


@given(
    st.sampled_from(sorted(FORMATS)),
    st.one_of(
        st.text(max_size=130),
        st.builds(
            "{}{}".format, st.sampled_from(["addr1", "Ae2", "0x", "bc1", "UQ", "0:", "T", "r"]), st.text(max_size=60)
        ),
        st.integers(min_value=20, max_value=70).flatmap(
            lambda size: st.text("1qpA2rzT\xe9", min_size=size, max_size=size)
        ),
    ),
)
def test_anything_is_an_account_written_in_one_way_or_refused(network: str, text: str) -> None:
    try:
        account = written(network, text)
    except AddressError:
        return
    assert written(network, account) == account


@pytest.mark.parametrize("network", ["cardano", "cosmos", "aleo"])
def test_a_checksum_over_nothing_is_no_address(network: str) -> None:
    for text in ("addr1mykd6t", "a12uel5l", "a1lqfn3a", "11111"):
        with pytest.raises(AddressError):
            written(network, text)
