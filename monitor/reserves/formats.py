"""How addresses of each network are written, and whether one is: its checksum where it has one, else its form."""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum

from msgspec import Struct

from monitor import bech32
from monitor.bech32 import Bech32Error, Variant
from monitor.reserves import base58check, chain_formats
from monitor.reserves.base58check import RIPPLE, Base58Error
from monitor.reserves.checksum import checksummed

_EVM = re.compile(r"0x[0-9a-fA-F]{40}")
_HEX64 = re.compile(r"0x[0-9a-fA-F]{1,64}")
_PLAIN = re.compile(r"[!-~]{1,128}")
_X_ADDRESS = b"\x05\x44"
_X_ADDRESS_OF_TESTS = b"\x04\x93"
_ACCOUNT = 20  # bytes
_KEY = 32  # bytes


class Check(StrEnum):
    """How much is known of an address that was taken."""

    CHECKSUM = "checksum"
    FORM = "form"  # it looks like one: the format has no checksum
    LISTED = "listed"  # taken as it stands in the list


class AddressError(Exception):
    """What was expected of an address, and what to do. The words go on behind a place in a file."""


Written = Callable[[str], str]
"""An address as we write it, so that one account is one text. Raises `AddressError`."""


class Format(Struct, frozen=True):
    written: Written
    check: Check


def written(network: str, address: str) -> str:
    """`address` as we write it, after all of its format was verified. Raises `AddressError`; KeyError for a network
    that is not among `FORMATS`.
    """
    return FORMATS[network].written(address)


def _evm(address: str) -> str:
    if not _EVM.fullmatch(address):
        raise AddressError(f"expected 0x and 40 hex digits, got {address!r}")
    right, digits = checksummed(address), address[2:]
    if digits not in (digits.lower(), digits.upper(), right[2:]):
        raise AddressError(f"{address} has the wrong EIP-55 checksum; is a digit mistyped?")
    return right


def _base58check(address: str, *, what: str, versions: tuple[bytes, ...], length: int = _ACCOUNT) -> bytes:
    """Version and payload."""
    try:
        content = base58check.payload(address)
    except Base58Error as error:
        raise AddressError(f"expected {what}, got {address!r}: {error}") from error
    if content[:-length] not in versions:
        told = f"version {content[0]} and {len(content) - 1} bytes"
        raise AddressError(f"expected {what}, got {address!r}, which is {told}: of another network?")
    return content


def _of_bitcoin(*, name: str, versions: Mapping[int, str], prefix: str | None, now: Mapping[int, int] = {}) -> Format:
    """`versions` of Base58Check with the letters they show as, `now` those that are written with another one today."""
    letters = ", ".join(f"{letter}..." for letter in versions.values())
    what = f"a {name} address ({letters}{f', {prefix}1...' if prefix else ''})"
    bytes_of_versions = tuple(bytes([version]) for version in versions)

    def written(address: str) -> str:
        if chain_formats.is_waves(address):
            raise AddressError(
                f"{address} is a Waves address (35 characters, version 1), and no {name} one: take it out"
            )
        if prefix is not None and address.lower().startswith(f"{prefix}1"):
            return _segwit(address, what=what, prefix=prefix)
        content = _base58check(address, what=what, versions=bytes_of_versions)
        version = now.get(content[0])
        return address if version is None else base58check.encode(bytes([version]) + content[1:])

    return Format(written, Check.CHECKSUM)


def _segwit(address: str, *, what: str, prefix: str) -> str:
    try:
        bech32.witness_program(address, prefix=prefix)
    except Bech32Error as error:
        raise AddressError(f"expected {what}, got {address!r}: {error}") from error
    return address.lower()


def _bech32(prefix: str, *, lengths: tuple[int, ...], variant: Variant = Variant.BECH32, longest: int = 90) -> Format:
    """Not of a witness program: `lengths` in bytes are those of what stands behind the prefix."""

    def written(address: str) -> str:
        what = f"{prefix}1 and a {variant.name.lower()} checksum"
        try:
            decoded = bech32.decode(address, longest=longest)
            size = len(decoded.payload())
        except Bech32Error as error:
            raise AddressError(f"expected {what}, got {address!r}: {error}") from error
        if decoded.prefix != prefix or decoded.variant is not variant:
            told = f"{decoded.prefix}1 with that of {decoded.variant.name.lower()}"
            raise AddressError(f"expected {what}, got {address!r}, which is {told}")
        if size not in lengths:
            sizes = " or ".join(map(str, lengths))
            raise AddressError(f"expected {sizes} bytes in an address of {prefix}1, got {size} in {address!r}")
        return address.lower()

    return Format(written, Check.CHECKSUM)


def _tron(address: str) -> str:
    _base58check(address, what="a Tron address (T...)", versions=(b"\x41",))
    return address


def _tezos(address: str) -> str:
    prefixes = (b"\x06\xa1\x9f", b"\x06\xa1\xa1", b"\x06\xa1\xa4", b"\x02\x5a\x79")
    _base58check(address, what="a Tezos address (tz1..., tz2..., tz3..., KT1...)", versions=prefixes)
    return address


def _xrp(address: str) -> str:
    what = "a classic XRP address (r...)"
    try:
        content = base58check.payload(address, alphabet=RIPPLE)
    except Base58Error as error:
        raise AddressError(f"expected {what}, got {address!r}: {error}") from error
    if content[:2] in (_X_ADDRESS, _X_ADDRESS_OF_TESTS):
        classic = base58check.encode(b"\0" + content[2 : 2 + _ACCOUNT], alphabet=RIPPLE)
        raise AddressError(f"expected {what}, got an X-address, which is an account and a tag: write {classic!r}")
    if content[0] != 0 or len(content) != 1 + _ACCOUNT:
        raise AddressError(f"expected {what}, got {address!r}, which is version {content[0]}: a key, not an account?")
    return address


def _solana(address: str) -> str:
    try:
        size = len(base58check.decode(address))
    except Base58Error as error:
        raise AddressError(f"expected a Solana address, got {address!r}: {error}") from error
    if size != _KEY:
        raise AddressError(f"expected a Solana address, Base58 of 32 bytes, got {size} bytes in {address!r}")
    return address


def _hex64(address: str) -> str:
    if not _HEX64.fullmatch(address):
        raise AddressError(f"expected 0x and up to 64 hex digits, got {address!r}")
    return f"0x{address[2:].lower():0>64}"


def _shaped(pattern: str, *, what: str) -> Format:
    shape = re.compile(pattern)

    def written(address: str) -> str:
        if not shape.fullmatch(address):
            raise AddressError(f"expected {what}, got {address!r}")
        return address

    return Format(written, Check.FORM)


def _listed(address: str) -> str:
    if not _PLAIN.fullmatch(address):
        raise AddressError(f"expected up to 128 characters without a space, got {address!r}")
    return address


def _checked(decode: Callable[[str], str], *, what: str) -> Format:
    def written(address: str) -> str:
        try:
            return decode(address)
        except chain_formats.FormatError as error:
            raise AddressError(f"expected {what}, got {address!r}: {error}") from error

    return Format(written, Check.CHECKSUM)


def _polkadot(prefix: int) -> Format:
    return _checked(lambda address: chain_formats.ss58(address, prefix=prefix), what=f"SS58 of network {prefix}")


EVM = Format(_evm, Check.CHECKSUM)
_HEX = Format(_hex64, Check.FORM)
_AS_LISTED = Format(_listed, Check.LISTED)
_STRKEY = _checked(chain_formats.strkey, what="an account (G and 55 more characters)")

EVM_NETWORKS = (
    *("0g", "abstract", "apechain", "arbitrum", "arbitrum-nova", "aurora", "avalanche", "base", "bcypher", "berachain"),
    *("bitkub", "bitlayer", "bittorrent", "blast", "boba", "bsc", "bsquared", "celo", "chiliz", "core", "cronos"),
    *("cube", "dymension", "energi", "energyweb", "enuls", "ethereum", "ethereum-classic", "etherlink", "ethpow"),
    *("fantom", "flare", "ftn", "fuse", "gatelayer", "gnosis", "haqq", "hashkey-chain", "heco", "hyperliquid"),
    *("iotex", "kardia", "kava", "kcc", "klaytn", "kroma", "linea", "lukso", "manta", "mantle", "matchain"),
    *("memecore", "merlin", "meter", "metis", "mode", "monad", "moonbeam", "moonriver", "neon-evm", "oasys"),
    *("okx-chain", "opbnb", "optimism", "peaq", "plasma", "polygon", "polygon-zkevm", "rei", "ronin", "rootstock"),
    *("scroll", "sei", "shibarium", "somnia", "sonic", "stable", "taiko", "taraxa", "theta", "thundercore"),
    *("tomochain", "vana", "vechain", "wemix", "worldchain", "xdc", "xlayer", "zeta", "zircuit"),
    *("zklink", "zksync"),
)
"""With accounts of 20 bytes, whether or not the rest of them is Ethereum's."""

_COSMOS = {
    "agoric": "agoric",
    "akash": "akash",
    "allora": "allo",
    "aura": "aura",
    "babylon": "bbn",
    "band": "band",
    "bnb-beacon": "bnb",
    "celestia": "celestia",
    "cosmos": "cosmos",
    "dydx": "dydx",
    "evmos": "evmos",
    "injective": "inj",
    "mantra": "mantra",
    "neutron": "neutron",
    "osmosis": "osmo",
    "saga": "saga",
    "terra": "terra",
    "terra-classic": "terra",
    "umee": "umee",
    "xpla": "xpla",
    "zigchain": "zig",
}
"""Network -> prefix of its bech32."""

_SS58 = {"astar": 5, "bifrost": 6, "bittensor": 42, "chainx": 44, "kusama": 2, "polkadot": 0}
"""Network -> its number in the SS58 registry."""

FORMATS: dict[str, Format] = {
    **dict.fromkeys(EVM_NETWORKS, EVM),
    **{network: _bech32(prefix, lengths=(20, 32)) for network, prefix in _COSMOS.items()},
    **{network: _polkadot(number) for network, number in _SS58.items()},
    "aleo": _bech32("aleo", lengths=(32,), variant=Variant.BECH32M),
    "algorand": _checked(chain_formats.algorand, what="an Algorand address (58 characters)"),
    "alephium": _AS_LISTED,
    "aptos": _HEX,
    "arweave": _shaped(r"[A-Za-z0-9_-]{43}", what="43 characters of Base64"),
    "bitcoin": _of_bitcoin(name="Bitcoin", versions={0: "1", 5: "3"}, prefix="bc"),
    "bsv": _of_bitcoin(name="Bitcoin SV", versions={0: "1", 5: "3"}, prefix=None),
    "cardano": _checked(chain_formats.cardano, what="a Cardano address (addr1..., Ae2..., DdzFF...)"),
    "constellation": _AS_LISTED,
    "dogecoin": _of_bitcoin(name="Dogecoin", versions={0x1E: "D", 0x16: "9..., A"}, prefix=None),
    "eos": _shaped(r"[a-z1-5.]{1,12}", what="an EOS name of a to z, 1 to 5 and points"),
    "ergo": _AS_LISTED,
    "fuel": _HEX,
    "hedera": _shaped(r"0\.0\.[0-9]{1,19}", what="an account like 0.0.12345"),
    "kadena": _shaped(r"k:[0-9a-f]{64}", what="k: and 64 hex digits"),
    "kaspa": _AS_LISTED,
    # 3... and M... are the same script; the number 5 is Bitcoin's too, so 50 was given to it later.
    "litecoin": _of_bitcoin(name="Litecoin", versions={0x30: "L", 0x32: "M", 5: "3"}, prefix="ltc", now={5: 0x32}),
    "multiversx": _bech32("erd", lengths=(32,)),
    "near": _shaped(r"[0-9a-z](?:[0-9a-z._-]{0,62}[0-9a-z])?", what="64 hex digits or a name like some.near"),
    "pi": _STRKEY,
    "qubic": _AS_LISTED,
    "radixdlt": _bech32("account_rdx", lengths=(30,), variant=Variant.BECH32M),
    "solana": Format(_solana, Check.FORM),
    "stacks": _AS_LISTED,
    "starknet": _HEX,
    "stellar": _STRKEY,
    "sui": _HEX,
    "supra": _HEX,
    "tezos": Format(_tezos, Check.CHECKSUM),
    "ton": _checked(chain_formats.ton, what="a TON address (EQ..., UQ..., or 0: and 64 hex digits)"),
    "tron": Format(_tron, Check.CHECKSUM),
    "xrp": Format(_xrp, Check.CHECKSUM),
    "zilliqa": _bech32("zil", lengths=(20,)),
}
"""Network -> how its addresses are written. A new network is a line here."""
