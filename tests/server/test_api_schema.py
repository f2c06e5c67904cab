"""The real server under schemathesis, which knows it by its OpenAPI document alone: a slice, or all of a soak."""

import asyncio
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import pytest

from monitor.model import ExchangeState
from monitor.web.api.visitor import Visitors
from tests.api import filled, insider, outsider, served
from tests.hand_clock import StillClock
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


@pytest.mark.parametrize("visitors", [insider, outsider])
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("--max-time", "12", "--seed", "1", "--max-examples", "10"), id="slice"),
        pytest.param(
            ("--max-time", "600", "--max-examples", "1000"),
            id="ten minutes",
            marks=[pytest.mark.soak, pytest.mark.timeout(900)],
        ),
    ],
)
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
