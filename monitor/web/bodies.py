"""Bodies of requests as they were sent, up to a size."""

from aiohttp import web


async def whole(request: web.Request, *, largest: int) -> bytes | None:
    """The body; None for one of more than `largest` bytes, of which no more is read."""
    body = bytearray()
    async for part in request.content.iter_any():
        body += part
        if len(body) > largest:
            return None
    return bytes(body)
