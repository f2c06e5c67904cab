"""What the log lets out: no secret, and of a URL neither its user nor its query, in either format and however deep."""

import io
import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog
from msgspec import Struct

from monitor import logs
from monitor.model import FailureReason, RemoteError

KEY = "CANARY-key-7f3a"
SECRET = "CANARY/secret+9=="  # noqa: S105 - what a test must not find again
SIGNED = "https://api.example/v1/assets?signature=CANARY-signature&timestamp=1"
LOGGED_IN = "https://CANARY-user:CANARY-password@node.example:8545/rpc"


class Node(Struct, frozen=True):
    url: str


@pytest.fixture(params=[pytest.param(True, id="JSON"), pytest.param(False, id="console")])
def as_json(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def said(say: Callable[[structlog.stdlib.BoundLogger], None], capsys: pytest.CaptureFixture[str], *, json: bool) -> str:
    """What the log says on standard error, which is where all of it goes."""
    logs.configure(level="info", json=json, secrets=[KEY, SECRET, ""])
    say(structlog.get_logger())
    out, err = capsys.readouterr()
    assert out == ""
    return str(err)


def raising(error: Exception) -> Callable[[structlog.stdlib.BoundLogger], None]:
    """Logs an error that went through a function which holds secrets in its variables."""

    def sign(key: str, secret: str, url: str) -> None:
        digest = {"key": key, "secret": secret, "url": url}
        raise error from ValueError(f"{digest}")

    def say(log: structlog.stdlib.BoundLogger) -> None:
        try:
            sign(KEY, SECRET, SIGNED)
        except type(error):
            log.exception("probe_raised", probe="kraken-assets")

    return say


LEAKS = [
    pytest.param(lambda log: log.info(" ".join(["asked with", KEY])), id="in the event"),
    pytest.param(lambda log: log.info("asked", detail=f"{KEY} and {SECRET}"), id="in a value"),
    pytest.param(lambda log: log.info("asked", headers={"API-Key": KEY, "all": [SECRET, (KEY,)]}), id="nested"),
    pytest.param(lambda log: log.info("asked", seen={KEY}), id="in a set"),
    pytest.param(lambda log: log.info("asked", by_key={KEY: 1}), id="as the key of a value"),
    pytest.param(lambda log: log.info("asked", body=KEY.encode()), id="in bytes"),
    pytest.param(lambda log: log.info("asked", path=Path(f"/run/{KEY}")), id="in a path"),
    pytest.param(lambda log: log.info("asked", error=ValueError(SECRET)), id="in an error as a value"),
    pytest.param(lambda log: log.info("asked", node=Node(LOGGED_IN)), id="in a struct"),
    pytest.param(lambda log: log.bind(token=KEY).info("asked"), id="bound to the log"),
    pytest.param(lambda log: log.info("asked", url=SIGNED), id="a query string"),
    pytest.param(lambda log: log.info(" and ".join([SIGNED, LOGGED_IN])), id="URLs in a sentence"),
    pytest.param(lambda log: log.info("asked", url=LOGGED_IN), id="a user and a password in a URL"),
    pytest.param(lambda log: log.info("asked", url="https://CANARY-token@node.example/"), id="a user name alone"),
    pytest.param(lambda log: log.info("asked", url="https://u:CANARY@CANARY@node.example/"), id="an @ in a password"),
    pytest.param(lambda log: log.info("asked", url="https://:CANARY-password@node.example/"), id="a password alone"),
    pytest.param(
        lambda log: log.info("asked", urls=[{"a": LOGGED_IN}, SIGNED.replace("https", "wss")]), id="URLs nested"
    ),
    pytest.param(raising(ValueError(f"cannot sign with {SECRET}")), id="in a traceback"),
    pytest.param(raising(ValueError(f"{SIGNED} is not an address")), id="a URL in a traceback"),
    pytest.param(raising(RemoteError(FailureReason.AUTH, f"{KEY} was refused")), id="in an error of the world"),
    pytest.param(raising(ExceptionGroup("many", [ValueError(KEY), OSError(LOGGED_IN)])), id="in a group of errors"),
]


@pytest.mark.parametrize("say", LEAKS)
def test_no_secret_comes_out(
    say: Callable[[structlog.stdlib.BoundLogger], None], as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    text = said(say, capsys, json=as_json)
    assert text
    assert "CANARY" not in text


def test_what_is_no_secret_stays(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    def say(log: structlog.stdlib.BoundLogger) -> None:
        log.warning("probe_failed", probe="kraken-assets", url="https://api.kraken.com/0/public/Assets", tries=3)

    text = said(say, capsys, json=as_json)
    for word in ("probe_failed", "kraken-assets", "https://api.kraken.com/0/public/Assets", "3"):
        assert word in text


def test_a_line_of_json_tells_the_error(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(raising(ValueError("cannot sign")), capsys, json=True)
    (line,) = text.splitlines()
    told = json.loads(line)
    assert (told["event"], told["level"], told["probe"]) == ("probe_raised", "error", "kraken-assets")
    assert "cannot sign" in json.dumps(told["exception"])


def test_other_secrets_after_a_reload(capsys: pytest.CaptureFixture[str]) -> None:
    log = structlog.get_logger()
    logs.configure(level="info", json=True, secrets=["the-first"])
    logs.configure(level="info", json=True, secrets=["the-second"])
    log.info("asked", key="the-second")
    assert "the-second" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("level", "told"),
    [
        pytest.param("debug", ["debug", "info", "warning", "error"], id="debug"),
        pytest.param("info", ["info", "warning", "error"], id="info"),
        pytest.param("error", ["error"], id="error"),
    ],
)
def test_level(level: str, told: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(level=level, json=True, secrets=[])
    log = structlog.get_logger()
    for name in ("debug", "info", "warning", "error"):
        log.log(getattr(logging, name.upper()), "said")
    assert [json.loads(line)["level"] for line in io.StringIO(capsys.readouterr().err)] == told
