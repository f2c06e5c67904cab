"""Mainnet addresses and their scripts for chains that tests make up (BIP 13, 141, 173)."""

import hashlib

import base58

_CHARACTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_PREFIX = "bc"


def legacy(name: str) -> str:
    """The `1...` address that goes by `name` in a test."""
    return base58.b58encode_check(b"\x00" + _hash(name)).decode()


def segwit(name: str) -> str:
    """The `bc1q...` address that goes by `name` in a test."""
    return _bech32(_hash(name))


def script_of(address: str) -> tuple[str, str]:
    """Script in hexadecimal, and its kind in Esplora's words. Raises ValueError for what is no address here."""
    if address.startswith(f"{_PREFIX}1"):
        program = _program(address)
        if len(program) != 20 or _bech32(program) != address:
            raise ValueError("invalid checksum")
        return f"0014{program.hex()}", "v0_p2wpkh"
    raw = base58.b58decode_check(address)
    match raw[0]:
        case 0:
            return f"76a914{raw[1:].hex()}88ac", "p2pkh"
        case 5:
            return f"a914{raw[1:].hex()}87", "p2sh"
        case version:
            raise ValueError(f"version {version} is of another network")


def _hash(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()[:20]


def _bech32(program: bytes) -> str:
    bits = "".join(f"{byte:08b}" for byte in program)
    values = [0, *(int(bits[at : at + 5].ljust(5, "0"), 2) for at in range(0, len(bits), 5))]
    expanded = [ord(one) >> 5 for one in _PREFIX] + [0] + [ord(one) & 31 for one in _PREFIX]
    rest = _polymod([*expanded, *values, *([0] * 6)]) ^ 1
    checksum = [(rest >> 5 * (5 - place)) & 31 for place in range(6)]
    return f"{_PREFIX}1" + "".join(_CHARACTERS[value] for value in (*values, *checksum))


def _program(address: str) -> bytes:
    values = [_CHARACTERS.index(one) for one in address[len(_PREFIX) + 1 : -6]]
    bits = "".join(f"{value:05b}" for value in values[1:])
    return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits) - 7, 8))


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate(_GENERATORS):
            check ^= generator if (top >> place) & 1 else 0
    return check
