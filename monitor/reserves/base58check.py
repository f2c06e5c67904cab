"""Base58Check: bytes with a checksum, in letters of which some are left out. Case matters: it is never changed."""

from hashlib import sha256

from base58 import BITCOIN_ALPHABET, RIPPLE_ALPHABET, b58decode, b58encode

CHECKSUM = 4  # bytes
LONGEST = 128  # characters; a decoder takes quadratic time

BITCOIN = BITCOIN_ALPHABET
RIPPLE = RIPPLE_ALPHABET


class Base58Error(Exception):
    """What is wrong with the text."""


def decode(text: str, *, alphabet: bytes = BITCOIN) -> bytes:
    """The bytes of Base58 without a checksum. Raises `Base58Error`."""
    if not 0 < len(text) <= LONGEST:
        raise Base58Error(f"not 1 to {LONGEST} characters long")
    strange = next((letter for letter in text if not letter.isascii() or letter.encode() not in alphabet), None)
    if strange is not None:
        raise Base58Error(f"{strange!r} cannot be in it")
    return b58decode(text, alphabet=alphabet)


def payload(text: str, *, alphabet: bytes = BITCOIN) -> bytes:
    """The bytes of Base58Check, its version first, without the checksum. Raises `Base58Error`."""
    raw = decode(text, alphabet=alphabet)
    content, checksum = raw[:-CHECKSUM], raw[-CHECKSUM:]
    if len(raw) <= CHECKSUM or _checksum(content) != checksum:
        raise Base58Error("the checksum is wrong; is a character mistyped, or of the wrong case?")
    return content


def encode(content: bytes, *, alphabet: bytes = BITCOIN) -> str:
    """`content` as Base58Check."""
    return b58encode(content + _checksum(content), alphabet=alphabet).decode()


def _checksum(content: bytes) -> bytes:
    return sha256(sha256(content).digest()).digest()[:CHECKSUM]
