"""Bodies of requests, as many bytes and seconds of them as there is reason for."""

import asyncio

from aiohttp import web

SECONDS = 10.0  # what a bad connection needs for a few hundred bytes, and what holds a place for no longer


class TooLargeError(Exception):
    """More bytes than there is reason for."""


class TooSlowError(Exception):
    """It did not arrive in time."""


async def read(request: web.Request, *, longest: int, seconds: float = SECONDS) -> bytes:
    """The whole body. Raises TooLargeError for one of more than `longest` bytes, TooSlowError."""
    if (request.content_length or 0) > longest:
        raise TooLargeError
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for piece in request.content.iter_chunked(longest):
                body += piece
                if len(body) > longest:
                    raise TooLargeError
    except TimeoutError as error:
        raise TooSlowError from error
    return bytes(body)
