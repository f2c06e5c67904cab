"""Servers that say back what they were sent and more: every secret there is, in every way a server can misbehave."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import quote

import aiohttp
from aiohttp import web

from monitor.clock import Clock
from monitor.probes import EXCHANGES
from tests.venues import Keys, Venue
from tests.venues_binance import binance
from tests.venues_bitget import bitget
from tests.venues_bybit import bybit
from tests.venues_cryptocom import cryptocom
from tests.venues_gate import gate
from tests.venues_htx import htx
from tests.venues_kraken import kraken
from tests.venues_kucoin import kucoin
from tests.venues_mexc import mexc
from tests.venues_okx import okx
from tests.venues_upbit import upbit

VENUES: dict[str, Callable[[Keys, Clock], Venue]] = {
    "binance": binance,
    "bitget": bitget,
    "bybit": bybit,
    "cryptocom": cryptocom,
    "gate": gate,
    "htx": htx,
    "kraken": kraken,
    "kucoin": kucoin,
    "mexc": mexc,
    "okx": okx,
    "upbit": upbit,
}
JSON = "application/json"
Misdeed = Callable[[str], web.Response]


def _refuses(said: str) -> web.Response:
    return web.Response(status=401, text=json.dumps({"code": 401, "msg": f"invalid key {said}"}), content_type=JSON)


def _fails(said: str) -> web.Response:
    return web.Response(status=500, text=said, headers={"X-Echo": said, "X-Key": said.partition(" ")[0]})


def _redirects(said: str) -> web.Response:
    return web.Response(
        status=302, headers={"Location": f"/elsewhere?key={quote(said)}", "Set-Cookie": f"k={quote(said)}"}
    )


def _is_a_page(said: str) -> web.Response:
    return web.Response(text=f"<html><title>{said}</title><body>{said}</body></html>", content_type="text/html")


def _is_no_json(said: str) -> web.Response:
    return web.Response(text=f'{{"code": "0", "{said}": [{said}', content_type=JSON)


def _says_so_in_json(said: str) -> web.Response:
    """An error in the words of every exchange at once, with a good status."""
    words = f"Invalid API key {said}"
    told = {
        "code": "400003",
        "msg": words,
        "message": words,
        "retCode": 10003,
        "retMsg": words,
        "error": [f"EAPI:Invalid key:{said}"],
        "label": "INVALID_KEY",
        "status": "error",
        "err-code": "api-signature-not-valid",
        "err-msg": words,
        "err_code": 1,
        "err_msg": words,
        "errorType": "error",
        "Error": words,
    }
    return web.json_response(told)


def _says_so_in_json_rpc(said: str) -> web.Response:
    """A node's refusal of each call, as Infura and Ankr refuse a key."""
    error = {"code": -32005, "message": f"rejected: key {said}"}
    return web.json_response([{"jsonrpc": "2.0", "id": place, "error": error} for place in range(4)])


def _is_only_a_word(said: str) -> web.Response:
    return web.json_response(said)


def _has_words_for_values(said: str) -> web.Response:
    return web.json_response({"code": said, "retCode": said, "error": said, "data": said, "result": said, said: said})


def _has_words_for_rows(said: str) -> web.Response:
    """Rows of which nothing but the shape is wrong, and every word is a secret."""
    row = {"coin": said, "currency": said, "status": said, "chains": [{"chain": said}], "networkList": said, said: said}
    return web.json_response([row, said])


def _forbids(said: str) -> web.Response:
    return web.Response(status=403, text=json.dumps({"code": -2015, "msg": said}), content_type=JSON)


def _asks_for_less(said: str) -> web.Response:
    return web.Response(status=404, text=said, headers={"Retry-After": said, "Date": said, "Age": said})


MISDEEDS: tuple[Misdeed, ...] = (
    _refuses,
    _fails,
    _redirects,
    _is_a_page,
    _is_no_json,
    _says_so_in_json,
    _says_so_in_json_rpc,
    _is_only_a_word,
    _has_words_for_values,
    _has_words_for_rows,
    _forbids,
    _asks_for_less,
)


class Parrot:
    """`well` is where it sends a request whose answer is needed for the next one to come: time and rights."""

    url: str

    def __init__(self, secrets: Sequence[str], *, needed: Sequence[str] = (), well: str = "", first: int = 0) -> None:
        self.requests: Counter[str] = Counter()
        self.done: set[Misdeed] = set()
        self._secrets = " ".join(secrets)
        self._needed = needed
        self._well = well
        self._first = first

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests[request.path] += 1
        if request.path in self._needed and self.requests[request.path] % 3:
            return await self._answered_well(request)
        misdeed = MISDEEDS[(self.requests.total() + self._first) % len(MISDEEDS)]
        self.done.add(misdeed)
        heard = [value for value in request.headers.values() if value.isprintable()]
        return misdeed(" ".join([self._secrets, request.query_string, *heard]))

    async def _answered_well(self, request: web.Request) -> web.StreamResponse:
        if not self._well:
            return web.json_response({"iso": "2026-02-03T12:00:00Z", "epoch": 1_770_120_000.0})
        headers = {name: value for name, value in request.headers.items() if name.lower() != "accept-encoding"}
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                request.method, f"{self._well}{request.raw_path}", headers=headers, data=await request.read()
            ) as answer,
        ):
            return web.Response(body=await answer.read(), status=answer.status, content_type=JSON)


@asynccontextmanager
async def parrot(
    secrets: Sequence[str], *, needed: Sequence[str] = (), well: str = "", first: int = 0
) -> AsyncIterator[Parrot]:
    """One on a free port of loopback."""
    bird = Parrot(secrets, needed=needed, well=well, first=first)
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", bird.answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        bird.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield bird
    finally:
        await runner.cleanup()


@asynccontextmanager
async def flock(*, keys: Callable[[str], Keys], clock: Clock) -> AsyncIterator[dict[str, Parrot]]:
    """A parrot for every exchange that takes keys, by name, who knows them. Behind it is the exchange itself."""
    async with AsyncExitStack() as running:
        birds: dict[str, Parrot] = {}
        for number, (name, exchange) in enumerate(EXCHANGES.items()):
            if exchange.sign is None:
                continue
            needed = [exchange.server_time.path] if exchange.server_time is not None else []
            needed += [exchange.rights.call.path] if exchange.rights is not None else []
            well = ""
            if name in VENUES:
                well = (await running.enter_async_context(VENUES[name](keys(name), clock))).url
            theirs = keys(name)
            bird = parrot([theirs.key, theirs.secret, theirs.passphrase], needed=needed, well=well, first=number)
            birds[name] = await running.enter_async_context(bird)
        yield birds
