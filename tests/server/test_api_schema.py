"""The real server under schemathesis, which knows it by its OpenAPI document alone: a slice, or all of a soak."""

import asyncio
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from monitor.model import Draft, ExchangeState
from monitor.web.api import openapi
from monitor.web.api.operations import OPERATIONS
from monitor.web.api.visitor import Visitors
from monitor.web.session import CSRF_HEADER
from tests.api import filled, insider, outsider, served
from tests.hand_clock import StillClock
from tests.office import office
from tests.server.test_api_words import signed_in
from tests.server.test_web import NOW, view

DOCUMENT = "/api/v1/openapi.json"
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "allow_header_conformance",
)


async def checked(url: str, *arguments: str, folder: Path) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("schemathesis")),
        *("run", url, "--checks", ",".join(CHECKS), "--no-color", "--continue-on-failure", *arguments),
        cwd=folder,  # where it leaves what it found
        stdout=PIPE,
        stderr=STDOUT,
    )
    out, _ = await process.communicate()
    return process.returncode, out.decode()


LENGTHS = [
    pytest.param(("--max-time", "8", "--seed", "1", "--max-examples", "10"), id="slice"),
    pytest.param(
        ("--max-time", "600", "--max-examples", "1000"),
        id="ten minutes",
        marks=[pytest.mark.soak, pytest.mark.timeout(900)],
    ),
]


class Response(Struct, frozen=True):
    status: int


class Exchanged(Struct, frozen=True):
    response: Response


class Log(Struct, frozen=True):
    entries: list[Exchanged]


class Har(Struct, frozen=True):
    """What was asked and answered, as schemathesis writes it down."""

    log: Log


@pytest.mark.parametrize("visitors", [insider, outsider])
@pytest.mark.parametrize("arguments", LENGTHS)
async def test_every_answer_is_as_the_document_tells(
    tmp_path: Path, visitors: Visitors, arguments: tuple[str, ...]
) -> None:
    async with (
        filled(tmp_path / "cexwatch.db", view("kraken", ExchangeState.HALTED)) as store,
        served(store, StillClock(NOW), visitors=visitors) as session,
        session.get(DOCUMENT) as answer,
    ):
        code, told = await checked(str(answer.url), *arguments, folder=tmp_path)
    assert code == 0, told
    assert " passed" in told, told


SAID: dict[str, list[dict[str, str]]] = {
    "/drafts/{id}/approve": [{}],
    "/drafts/{id}/edit": [{"text": "We are looking into it."}],
    "/incidents/{id}/note": [{"text": "a node is down"}, {"text": "it is up"}],
    "/incidents/{id}/retract": [{"text": "the list was wrong"}],
    "/incidents/{id}/reopen": [{"text": "it was right"}],
    "/hold": [{"reason": "legal looks at it"}],
    "/silences": [{"text": "we move wallets", "until": "2026-01-06T00:00:00Z"}],
}
"""What an approver says, beside what is made up."""


def with_examples(document: bytes, draft: Draft) -> bytes:
    """The POSTs of the document, with what there is here to say something of.

    What signs a request is added to each from outside, so none of it is made up.
    """
    told: dict[str, Any] = msgspec.json.decode(document)
    told["paths"] = {path: {"post": each["post"]} for path, each in told["paths"].items() if "post" in each}
    for path, each in told["paths"].items():
        post, subject = each["post"], {"drafts": draft.id, "incidents": draft.incident}.get(path.split("/")[1], "s-1")
        del post["security"]
        post["parameters"] = [given for given in post["parameters"] if given["name"] not in ("Origin", CSRF_HEADER)]
        for given in post["parameters"]:
            if given["in"] == "path":
                given |= {"example": subject, "schema": {"enum": [subject, "nowhere"]}}
        if path in SAID:
            shown = {"text_sha256": draft.text_sha256} if path.startswith("/drafts") else {}
            examples = {str(place): {"value": said | shown} for place, said in enumerate(SAID[path])}
            post["requestBody"]["content"]["application/json"]["examples"] = examples
    return msgspec.json.encode(told)


@pytest.mark.parametrize("arguments", LENGTHS)
async def test_every_answer_to_an_approver_is_as_the_document_tells(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Real engines decide, so that what is granted and each way of refusing are all seen."""
    async with office(tmp_path) as here, signed_in(here, "anna") as anna:
        document, seen = tmp_path / "openapi.json", tmp_path / "seen.har"
        document.write_bytes(with_examples(openapi.document(OPERATIONS), await here.halt()))
        signed = [part for name, value in anna.headers.items() for part in ("--header", f"{name}: {value}")]
        kept = ("--report", "har", "--report-har-path", str(seen))
        code, told = await checked(
            str(document), "--url", f"{here.url}/api/v1", *signed, *kept, *arguments, folder=tmp_path
        )
    assert code == 0, told
    log = msgspec.json.decode(seen.read_bytes(), type=Har).log
    assert {entry.response.status for entry in log.entries} >= {200, 201, 400, 403, 404, 409, 422}
