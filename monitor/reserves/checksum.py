"""EIP-55: the letters' case of an EVM address carries a checksum (Keccak-256, which is not SHA3-256)."""

from eth_hash.auto import keccak


def checksummed(address: str) -> str:
    """`address` ("0x" and 40 hex digits) with the case that EIP-55 gives it."""
    digits = address[2:].lower()
    digest = keccak(digits.encode()).hex()
    return "0x" + "".join(
        digit.upper() if nibble >= "8" else digit for digit, nibble in zip(digits, digest, strict=False)
    )
