"""Bech32 and Bech32m (BIP-173, BIP-350): text in small letters that carries a checksum of itself and of its prefix."""

from collections.abc import Sequence
from enum import IntEnum

from msgspec import Struct

LONGEST = 90  # characters, where a format does not say otherwise

_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES = {letter: value for value, letter in enumerate(_LETTERS)}
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_FEEDBACK = tuple(
    _GENERATORS[0] * (top & 1)
    ^ _GENERATORS[1] * (top >> 1 & 1)
    ^ _GENERATORS[2] * (top >> 2 & 1)
    ^ _GENERATORS[3] * (top >> 3 & 1)
    ^ _GENERATORS[4] * (top >> 4 & 1)
    for top in range(32)
)
_CHECKSUM = 6  # letters
_VISIBLE = range(33, 127)


class Variant(IntEnum):
    """What the checksum of a whole text comes to."""

    BECH32 = 1
    BECH32M = 0x2BC830A3


class Bech32Error(ValueError):
    """What is wrong with the text."""


class Decoded(Struct, frozen=True, kw_only=True):
    prefix: str
    values: tuple[int, ...]  # of five bits each, without the checksum
    variant: Variant

    def payload(self, *, skip: int = 0) -> bytes:
        """The values after the first `skip` as bytes. Raises `Bech32Error` for padding that is not a few zero bits."""
        bits = gathered = 0
        found = bytearray()
        for value in self.values[skip:]:
            gathered = (gathered << 5 | value) & 0xFFF
            bits += 5
            if bits >= 8:
                bits -= 8
                found.append(gathered >> bits & 0xFF)
        if bits >= 5 or gathered & ((1 << bits) - 1):
            raise Bech32Error("wrong padding")
        return bytes(found)


def decode(text: str, *, longest: int = LONGEST) -> Decoded:
    """A text with a checksum of either variant. Raises `Bech32Error`."""
    if text not in (text.lower(), text.upper()):
        raise Bech32Error("small and capital letters are mixed")
    if any(ord(letter) not in _VISIBLE for letter in text):
        raise Bech32Error("a character that cannot be in it")
    if len(text) > longest:
        raise Bech32Error(f"longer than {longest} characters")
    prefix, _, data = text.lower().rpartition("1")
    if not prefix or len(data) < _CHECKSUM:
        raise Bech32Error("no prefix, a 1, and then at least six characters")
    try:
        values = [_VALUES[letter] for letter in data]
    except KeyError as error:
        raise Bech32Error(f"{error.args[0]!r} cannot be in it") from error
    residue = _residue(prefix, values)
    if residue not in (Variant.BECH32, Variant.BECH32M):
        raise Bech32Error("the checksum is wrong; is a character mistyped?")
    return Decoded(prefix=prefix, values=tuple(values[:-_CHECKSUM]), variant=Variant(residue))


def witness_program(text: str, *, prefix: str) -> tuple[int, bytes]:
    """Version and program of a segwit address on the network of `prefix`. Raises `Bech32Error`."""
    decoded = decode(text)
    if decoded.prefix != prefix:
        raise Bech32Error(f"its prefix is {decoded.prefix}1, not {prefix}1")
    if not decoded.values or decoded.values[0] > 16:
        raise Bech32Error("no witness version from 0 to 16")
    version, program = decoded.values[0], decoded.payload(skip=1)
    expected = Variant.BECH32 if version == 0 else Variant.BECH32M
    if decoded.variant is not expected:
        raise Bech32Error(f"version {version} needs the checksum of {expected.name.lower()}")
    if not 2 <= len(program) <= 40 or (version == 0 and len(program) not in (20, 32)):
        raise Bech32Error(f"{len(program)} bytes are no program of version {version}")
    return version, program


def witness_address(version: int, program: bytes, *, prefix: str) -> str:
    """The segwit address of `program`, the way back from `witness_program`."""
    values = [version, *_fives(program)]
    variant = Variant.BECH32 if version == 0 else Variant.BECH32M
    checksum = _residue(prefix, values + [0] * _CHECKSUM) ^ variant
    values += [checksum >> 5 * place & 31 for place in reversed(range(_CHECKSUM))]
    return f"{prefix}1{''.join(_LETTERS[value] for value in values)}"


def _fives(data: bytes) -> list[int]:
    """Groups of five bits, the last filled with zeros."""
    bits = -(-len(data) * 8 // 5) * 5
    number = int.from_bytes(data, "big") << bits - len(data) * 8
    return [number >> place & 31 for place in range(bits - 5, -1, -5)]


def _residue(prefix: str, values: Sequence[int]) -> int:
    codes = [ord(letter) for letter in prefix]
    residue = 1
    for value in (*(code >> 5 for code in codes), 0, *(code & 31 for code in codes), *values):
        residue = (residue & 0x1FFFFFF) << 5 ^ value ^ _FEEDBACK[residue >> 25]
    return residue
