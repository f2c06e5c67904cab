"""Addresses of the bitcoin family and the scripts they stand for, both ways.

Base58Check has a version byte a network; bech32 (BIP 173) and bech32m (BIP 350) have a human-readable part.
"""

from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256

import base58
from msgspec import Struct

from monitor.bech32 import Bech32Error, witness_address, witness_program

_PUBLIC_KEY_HASH = (b"\x76\xa9\x14", b"\x88\xac")  # DUP HASH160 <20 bytes> EQUALVERIFY CHECKSIG
_SCRIPT_HASH = (b"\xa9\x14", b"\x87")  # HASH160 <20 bytes> EQUAL


class Encoding(Struct, frozen=True, kw_only=True):
    """How a network writes addresses."""

    key: int  # version byte of P2PKH
    script: tuple[int, ...]  # those of P2SH, the one we write first
    words: str = ""  # human-readable part of segregated witness, where the network has that


ENCODINGS: dict[str, Encoding] = {
    "bitcoin": Encoding(key=0, script=(5,), words="bc"),
    "litecoin": Encoding(key=48, script=(50, 5), words="ltc"),
    "dogecoin": Encoding(key=30, script=(22,)),
}


@lru_cache(maxsize=2**17)
def script_of(address: str, encoding: Encoding) -> bytes:
    """The scriptPubKey that `address` stands for. Raises ValueError on what is no address of the network."""
    words = address.lower() if address == address.upper() else address
    if encoding.words and words.startswith(f"{encoding.words}1"):
        return _witness_script(words, encoding.words)
    try:
        version, *body = base58.b58decode_check(address)
    except ValueError as error:
        raise ValueError(f"{address}: {error}") from error
    if len(body) == 20 and version == encoding.key:
        return bytes(body).join(_PUBLIC_KEY_HASH)
    if len(body) == 20 and version in encoding.script:
        return bytes(body).join(_SCRIPT_HASH)
    raise ValueError(f"{address}: of another network, or no address")


def scripts_of(addresses: Iterable[str], encoding: Encoding) -> dict[bytes, str]:
    """Addresses by their scripts, without what is no address of the network and second spellings of one."""
    scripts: dict[bytes, str] = {}
    for address in addresses:
        try:
            script = script_of(address, encoding)
        except ValueError:
            continue
        scripts.setdefault(script, address)
    return scripts


def address_of(script: bytes, encoding: Encoding) -> str:
    """The address that stands for a scriptPubKey: P2PKH, P2SH, P2WPKH, P2WSH, P2TR; "" for any other."""
    match len(script):
        case 25 if (script[:3], script[23:]) == _PUBLIC_KEY_HASH:
            return base58.b58encode_check(bytes((encoding.key,)) + script[3:23]).decode()
        case 23 if (script[:2], script[22:]) == _SCRIPT_HASH:
            return base58.b58encode_check(bytes((encoding.script[0],)) + script[2:22]).decode()
        case 22 | 34 if encoding.words and _is_witness(script):
            return witness_address(1 if script[0] else 0, script[2:], prefix=encoding.words)
        case _:
            return ""


def scripthash(script: bytes) -> str:
    """What the Electrum protocol calls a script: its SHA-256, bytes reversed, in hex."""
    return sha256(script).digest()[::-1].hex()


def _is_witness(script: bytes) -> bool:
    """Of a version and length that is in use: 20 or 32 bytes at version 0, 32 at version 1."""
    return (script[0] == 0 and script[1] == len(script) - 2) or script[:2] == b"\x51\x20"


def _witness_script(address: str, words: str) -> bytes:
    try:
        version, program = witness_program(address, prefix=words)
    except Bech32Error as error:
        raise ValueError(f"{address}: {error}") from error
    script = bytes((0x50 + version if version else 0, len(program))) + program
    if version > 1 or not _is_witness(script):
        raise ValueError(f"{address}: a witness of version {version} with {len(program)} bytes")
    return script
