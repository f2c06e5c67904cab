"""Passwords: hashed by argon2, in a thread, two at a time, so that guessing costs the guesser and not the daemon."""

import asyncio
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 12  # characters
LONGEST = 256


class Passwords:
    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._seats = asyncio.Semaphore(2)
        _nobody()  # now: the first stranger must not wait longer than others

    async def hashed(self, password: str) -> str:
        async with self._seats:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def fits(self, password: str, known: str | None) -> bool:
        """Whether it is the password of the hash `known`. Without one it takes as long, and does not fit."""
        async with self._seats:
            good = await asyncio.to_thread(self._verify, password[:LONGEST], known or _nobody())
        return good and bool(known)

    def _verify(self, password: str, known: str) -> bool:
        try:
            return self._hasher.verify(known, password)
        except (VerificationError, InvalidHashError):
            return False


@cache
def _nobody() -> str:
    return PasswordHasher().hash("nobody has this password")


def weakness(password: str) -> str | None:
    """Why a password cannot be taken; None when it can."""
    if not SHORTEST <= len(password) <= LONGEST:
        return f"a password has {SHORTEST} to {LONGEST} characters"
    if len(set(password)) < 5:
        return "that password is the same few characters again and again"
    return None
