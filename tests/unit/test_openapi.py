"""The OpenAPI document: it is that of the operations, and what it tells of them is so."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.web.api.openapi import document
from monitor.web.api.operations import OPERATIONS
from tests.server.test_idempotency import Deeds

ROOT = Path(__file__).parents[2]
DOCUMENT: dict[str, Any] = msgspec.json.decode(document(OPERATIONS))


def test_the_shipped_document_is_that_of_the_operations() -> None:
    assert (ROOT / "docs/openapi.json").read_bytes() == document(OPERATIONS), "run `make docs`"


def test_every_operation_is_in_it_once() -> None:
    told = {(method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert told == {(each.method, each.path) for each in OPERATIONS}
    assert len(told) == len(OPERATIONS) == len({each.name for each in OPERATIONS})


def test_every_reference_leads_somewhere() -> None:
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', document(OPERATIONS).decode()))
    assert named == set(DOCUMENT["components"]["schemas"])


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_the_page_tells_of_every_path(path: str) -> None:
    assert f"/api/v1{path}`" in (ROOT / "docs/api.md").read_text()


def test_a_post_is_told_with_its_body_its_key_its_roles_and_its_refusals() -> None:
    told = msgspec.json.decode(document(Deeds().operations()))
    post = told["paths"]["/deeds"]["post"]
    assert post["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Deed"}
    assert [each["name"] for each in post["parameters"]] == ["Idempotency-Key", "Origin", "X-CSRF-Token"]
    assert post["x-roles"] == ["approver"]
    assert set(post["responses"]) == {"201", "400", "401", "403", "406", "408", "409", "413", "415", "422"}
