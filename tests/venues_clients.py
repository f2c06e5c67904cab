"""The smallest clients that the exchanges' documentation allows: each signs one call, at a time it is given."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime
from urllib.parse import quote

import msgspec
from msgspec import Struct

from tests.venues import Keys


class Call(Struct, frozen=True, kw_only=True):
    target: str
    headers: dict[str, str] = {}
    method: str = "GET"
    body: bytes = b""


Client = Callable[[Keys, datetime, str], Call]


def ms(at: datetime) -> str:
    return str(int(at.timestamp() * 1000))


def hexed(secret: str, text: str, algorithm: str = "sha256") -> str:
    return hmac.new(secret.encode(), text.encode(), algorithm).hexdigest()


def based(secret: str, text: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), "sha256")).decode()


def as_binance(keys: Keys, at: datetime, path: str) -> Call:
    query = f"recvWindow=5000&timestamp={ms(at)}"
    return Call(target=f"{path}?{query}&signature={hexed(keys.secret, query)}", headers={"X-MBX-APIKEY": keys.key})


def as_mexc(keys: Keys, at: datetime, path: str) -> Call:
    query = f"timestamp={ms(at)}"
    return Call(target=f"{path}?{query}&signature={hexed(keys.secret, query)}", headers={"X-MEXC-APIKEY": keys.key})


def as_okx(keys: Keys, at: datetime, path: str) -> Call:
    sent = f"{at:%Y-%m-%dT%H:%M:%S}.000Z"
    return Call(
        target=path,
        headers={
            "OK-ACCESS-KEY": keys.key,
            "OK-ACCESS-SIGN": based(keys.secret, f"{sent}GET{path}"),
            "OK-ACCESS-TIMESTAMP": sent,
            "OK-ACCESS-PASSPHRASE": keys.passphrase,
        },
    )


def as_bybit(keys: Keys, at: datetime, path: str) -> Call:
    query = path.partition("?")[2]
    return Call(
        target=path,
        headers={
            "X-BAPI-API-KEY": keys.key,
            "X-BAPI-TIMESTAMP": ms(at),
            "X-BAPI-RECV-WINDOW": "5000",
            "X-BAPI-SIGN": hexed(keys.secret, f"{ms(at)}{keys.key}5000{query}"),
        },
    )


def as_kraken(keys: Keys, at: datetime, path: str) -> Call:
    body = f"nonce={ms(at)}&asset=XBT"
    inner = hashlib.sha256(f"{ms(at)}{body}".encode()).digest()
    sign = hmac.digest(base64.b64decode(keys.secret), path.encode() + inner, "sha512")
    headers = {
        "API-Key": keys.key,
        "API-Sign": base64.b64encode(sign).decode(),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return Call(method="POST", target=path, headers=headers, body=body.encode())


def as_cryptocom(keys: Keys, at: datetime, path: str) -> Call:
    method, nonce = path.removeprefix("/exchange/v1/"), int(ms(at))
    body = {
        "id": 11,
        "method": method,
        "api_key": keys.key,
        "params": {},
        "nonce": nonce,
        "sig": hexed(keys.secret, f"{method}11{keys.key}{nonce}"),
    }
    headers = {"Content-Type": "application/json"}
    return Call(method="POST", target=path, headers=headers, body=msgspec.json.encode(body))


def as_upbit(keys: Keys, at: datetime, path: str) -> Call:
    parts = ({"alg": "HS512", "typ": "JWT"}, {"access_key": keys.key, "nonce": f"nonce-{ms(at)}"})
    token = ".".join(unpadded(msgspec.json.encode(part)) for part in parts)
    signature = unpadded(hmac.digest(keys.secret.encode(), token.encode(), "sha512"))
    return Call(target=path, headers={"Authorization": f"Bearer {token}.{signature}"})


def unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def as_kucoin(keys: Keys, at: datetime, path: str) -> Call:
    return Call(
        target=path,
        headers={
            "KC-API-KEY": keys.key,
            "KC-API-SIGN": based(keys.secret, f"{ms(at)}GET{path}"),
            "KC-API-TIMESTAMP": ms(at),
            "KC-API-PASSPHRASE": based(keys.secret, keys.passphrase),
            "KC-API-KEY-VERSION": "2",
        },
    )


def as_gate(keys: Keys, at: datetime, path: str) -> Call:
    bare, _, query = path.partition("?")
    sent = str(int(at.timestamp()))
    signed = f"GET\n{bare}\n{query}\n{hashlib.sha512(b'').hexdigest()}\n{sent}"
    return Call(target=path, headers={"KEY": keys.key, "Timestamp": sent, "SIGN": hexed(keys.secret, signed, "sha512")})


def as_bitget(keys: Keys, at: datetime, path: str) -> Call:
    return Call(
        target=path,
        headers={
            "ACCESS-KEY": keys.key,
            "ACCESS-SIGN": based(keys.secret, f"{ms(at)}GET{path}"),
            "ACCESS-TIMESTAMP": ms(at),
            "ACCESS-PASSPHRASE": keys.passphrase,
        },
    )


def as_htx(keys: Keys, at: datetime, path: str) -> Call:
    pairs = {
        "AccessKeyId": keys.key,
        "SignatureMethod": "HmacSHA256",
        "SignatureVersion": "2",
        "Timestamp": f"{at:%Y-%m-%dT%H:%M:%S}",
        "type": "withdraw",
    }
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in sorted(pairs.items()))
    sign = based(keys.secret, f"GET\n127.0.0.1\n{path}\n{query}")
    return Call(target=f"{path}?{query}&Signature={quote(sign, safe='')}")
