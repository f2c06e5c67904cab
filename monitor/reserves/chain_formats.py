"""Formats of single chains with a checksum of their own."""

import base64
import binascii
import re
from hashlib import blake2b, new
from zlib import crc32

from eth_hash.auto import keccak

from monitor import bech32
from monitor.bech32 import Bech32Error, Variant
from monitor.reserves import base58check
from monitor.reserves.base58check import Base58Error

_RAW_TON = re.compile(r"(0|-1):([0-9a-fA-F]{64})")
_TON = re.compile(r"[A-Za-z0-9+/]{48}|[A-Za-z0-9_-]{48}")
_TON_BOUNCEABLE, _TON_PLAIN, _TON_TEST = 0x11, 0x51, 0x80
_STELLAR_ACCOUNT = 6 << 3
_WAVES_CHARACTERS = 35
_BYRON = b"\x82\xd8\x18\x58"  # CBOR: a pair, of it the first tagged as bytes that hold CBOR, and a byte of length
_BYRON_CRC = 0x1A  # CBOR: a number of four bytes
_CARDANO_LONGEST = 128  # characters; CIP-19 lifts the limit of bech32
_CARDANO_MAINNET = 1
_CARDANO_BYTES = (29, 57)  # a header, a payment credential, and for the longer one that of a stake


class FormatError(Exception):
    """What is wrong with an address."""


def is_waves(address: str) -> bool:
    """`3P...` of version 1, network "W" and a checksum of Keccak-256 over Blake2b-256."""
    if len(address) != _WAVES_CHARACTERS:
        return False
    try:
        raw = base58check.decode(address)
    except Base58Error:
        return False
    digest: bytes = keccak(blake2b(raw[:22], digest_size=32).digest())
    return len(raw) == 26 and raw[:2] == b"\x01W" and digest[:4] == raw[22:]


def ss58(address: str, *, prefix: int) -> str:
    """An account of 32 bytes on the Substrate network of `prefix`, below 64. Raises `FormatError`."""
    try:
        raw = base58check.decode(address)
    except Base58Error as error:
        raise FormatError(str(error)) from error
    if blake2b(b"SS58PRE" + raw[:-2]).digest()[:2] != raw[-2:]:
        raise FormatError("the checksum is wrong; is a character mistyped?")
    if len(raw) != 35 or raw[0] != prefix:
        raise FormatError("it is of another network, or not of 32 bytes")
    return address


def strkey(address: str) -> str:
    """An account of Stellar or of a network made like it (SEP-23). Raises `FormatError`."""
    raw = _base32(address, characters=56)
    if raw[0] != _STELLAR_ACCOUNT or _crc16(raw[:-2]) != int.from_bytes(raw[-2:], "little"):
        raise FormatError("no account, or the checksum is wrong")
    return address


def algorand(address: str) -> str:
    """Raises `FormatError`."""
    raw = _base32(address, characters=58)
    if new("sha512_256", raw[:32]).digest()[-4:] != raw[32:]:
        raise FormatError("the checksum is wrong; is a character mistyped?")
    return address


def ton(address: str) -> str:
    """The form that does not bounce (`UQ...`), of any form of one account. Raises `FormatError`."""
    raw = _RAW_TON.fullmatch(address)
    if raw is not None:
        return _ton_written(int(raw[1]).to_bytes(1, signed=True) + bytes.fromhex(raw[2]))
    if not _TON.fullmatch(address):
        raise FormatError("not 48 characters of Base64")
    content = base64.b64decode(address, altchars=b"-_" if "+" not in address and "/" not in address else None)
    if _crc16(content[:-2]) != int.from_bytes(content[-2:], "big"):
        raise FormatError("the checksum is wrong; is a character mistyped?")
    if content[0] & _TON_TEST:
        raise FormatError("it is of the test network")
    if content[0] not in (_TON_BOUNCEABLE, _TON_PLAIN):
        raise FormatError(f"{content[0]:#x} is no kind of address")
    return _ton_written(content[1:-2])


def cardano(address: str) -> str:
    """An address of the main network, of Shelley (CIP-19) or Byron. Raises `FormatError`."""
    if not address.lower().startswith("addr"):
        return _byron(address)
    try:
        decoded = bech32.decode(address, longest=_CARDANO_LONGEST)
        content = decoded.payload()
    except Bech32Error as error:
        raise FormatError(str(error)) from error
    if decoded.prefix != "addr" or decoded.variant is not Variant.BECH32:
        raise FormatError("it is not of the main network")
    if len(content) not in _CARDANO_BYTES or content[0] & 0xF != _CARDANO_MAINNET:
        raise FormatError(f"{len(content)} bytes, or not of the main network")
    return address.lower()


def _byron(address: str) -> str:
    if not address.startswith(("Ae2", "DdzFF")):
        raise FormatError("neither a Shelley address nor a Byron one of the main network")
    try:
        raw = base58check.decode(address)
    except Base58Error as error:
        raise FormatError(str(error)) from error
    start = len(_BYRON) + 1
    end = start + raw[start - 1] if len(raw) >= start else 0
    if not raw.startswith(_BYRON) or len(raw) != end + 5 or raw[end] != _BYRON_CRC:
        raise FormatError("it is not made like a Byron address")
    if crc32(raw[start:end]) != int.from_bytes(raw[end + 1 :], "big"):
        raise FormatError("the checksum is wrong; is a character mistyped?")
    return address


def _ton_written(account: bytes) -> str:
    content = bytes([_TON_PLAIN]) + account
    return base64.urlsafe_b64encode(content + _crc16(content).to_bytes(2, "big")).decode()


def _base32(address: str, *, characters: int) -> bytes:
    if len(address) != characters:
        raise FormatError(f"{len(address)} characters, not {characters}")
    try:
        raw = base64.b32decode(address + "=" * (-characters % 8))
    except ValueError as error:
        raise FormatError("it is not Base32 in capital letters") from error
    if base64.b32encode(raw).decode().rstrip("=") != address:  # bits of the last letter that are in no byte
        raise FormatError("its last letter is another one; is it mistyped?")
    return raw


def _crc16(content: bytes) -> int:
    """CRC-16/XMODEM."""
    return binascii.crc_hqx(content, 0)
