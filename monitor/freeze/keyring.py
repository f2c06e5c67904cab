"""Accounts as keyed hashes. The ledger never learns an account's name, and its keys never leave this process."""

import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from monitor.freeze.entry import ACCOUNT_BYTES

LEAST_KEY_BYTES = 32
LONGEST_ACCOUNT = 128


class Key(Struct, frozen=True):
    """`id` stands in every row that was hashed with `secret`."""

    id: str
    secret: bytes

    def __repr__(self) -> str:
        return f"Key({self.id!r})"


class Hashed(Struct, frozen=True):
    key_id: str
    account: bytes


class Keyring:
    """The first key hashes what is new; all of them are tried where something is looked up."""

    def __init__(self, keys: Sequence[Key]) -> None:
        """Raises ValueError for no key, a short one, and two of one name."""
        if not keys:
            raise ValueError("expected at least one key")
        for key in keys:
            if len(key.secret) < LEAST_KEY_BYTES:
                raise ValueError(f"key {key.id}: expected at least {LEAST_KEY_BYTES} bytes, got {len(key.secret)}")
        self._keys: Mapping[str, Key] = {key.id: key for key in keys}
        if len(self._keys) < len(keys):
            raise ValueError("two keys have the same id")

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys.values())

    def __contains__(self, key_id: object) -> bool:
        return key_id in self._keys

    def accounts(self, account: str) -> list[Hashed]:
        """The account under every key, the one for what is new first."""
        named = b"account\0" + account.encode()
        return [Hashed(key.id, _hash(key, named)[:ACCOUNT_BYTES]) for key in self]

    def tokens(self, token: str) -> list[bytes]:
        """What the ledger may know a link's token as."""
        named = b"link\0" + token.encode()
        return [_hash(key, named)[:ACCOUNT_BYTES] for key in self]


def check_of(key: Key) -> bytes:
    """Tells two keys of one id apart and nothing about them."""
    return _hash(key, b"check\0")[:8]


def is_account(text: str) -> bool:
    return 0 < len(text) <= LONGEST_ACCOUNT and text.isprintable() and text == text.strip()


def _hash(key: Key, message: bytes) -> bytes:
    return hmac.digest(key.secret, message, hashlib.sha256)
