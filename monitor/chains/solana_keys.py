"""Where a wallet of Solana keeps a token: its associated account, whose address follows from wallet, program and mint.

https://solana.com/docs/core/pda and https://www.solana-program.com/docs/associated-token-account
"""

import re
from hashlib import sha256

import base58

TOKEN_PROGRAM = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"  # noqa: S105
TOKEN_2022_PROGRAM = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"  # noqa: S105
SYSTEM_PROGRAM = "11111111111111111111111111111111"

_KEY = re.compile("[1-9A-HJ-NP-Za-km-z]{32,44}")
_ASSOCIATED = base58.b58decode("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
_MARKER = b"ProgramDerivedAddress"
_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P  # of the curve -x^2 + y^2 = 1 + d x^2 y^2


def is_key(text: str) -> bool:
    """Whether this is 32 bytes in base58, as addresses and the hashes of blocks are."""
    return _KEY.fullmatch(text) is not None and len(base58.b58decode(text)) == 32


def associated_account(owner: str, *, mint: str, program: str) -> str:
    """The account in which `owner` holds tokens of `mint`; `program` is the token program that the mint belongs to."""
    seeds = base58.b58decode(owner) + base58.b58decode(program) + base58.b58decode(mint)
    for bump in range(255, -1, -1):
        derived = sha256(seeds + bytes([bump]) + _ASSOCIATED + _MARKER).digest()
        if not _is_on_curve(derived):
            return base58.b58encode(derived).decode()
    raise ValueError(f"no associated account of {owner}")  # a chance of 2^-256


def _is_on_curve(key: bytes) -> bool:
    """Whether some x belongs to this y, so that the key could have a private one: x^2 = (y^2 - 1) / (d y^2 + 1)."""
    y = int.from_bytes(key, "little") % 2**255
    square = y * y % _P
    return pow((square - 1) * (_D * square + 1), (_P - 1) // 2, _P) in (0, 1)
