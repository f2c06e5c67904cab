"""Ed25519: the gate signs what it publishes, and whoever obeys it checks."""

import hashlib
from collections.abc import Iterable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_BYTES = 32
SIGNATURE_BYTES = 64
_DOMAIN = b"cexwatch freeze 1\n"


class ForgedError(Exception):
    """The signature is not by the key that is trusted."""


class Signer:
    def __init__(self, seed: bytes) -> None:
        """`seed`: the 32 bytes of a private key. Raises ValueError for any other length."""
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes_raw()

    def sign(self, parts: Iterable[bytes]) -> bytes:
        """64 bytes over the SHA-256 of all parts: hashing megabytes leaves the other threads alone."""
        return self._key.sign(_DOMAIN + _digest(parts))


class Verifier:
    def __init__(self, public: bytes) -> None:
        """`public`: the 32 bytes of a public key. Raises ValueError for any other length."""
        self._key = Ed25519PublicKey.from_public_bytes(public)

    def check(self, parts: Iterable[bytes | memoryview], signature: bytes) -> None:
        """Raises ForgedError."""
        try:
            self._key.verify(signature, _DOMAIN + _digest(parts))
        except InvalidSignature as error:
            raise ForgedError("the signature is not by the trusted key") from error


def _digest(parts: Iterable[bytes | memoryview]) -> bytes:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.digest()
