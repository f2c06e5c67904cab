"""Answers as bytes: the same whether they are small or so large that they are made elsewhere."""

import asyncio
import hashlib
from datetime import UTC, datetime

import msgspec
import pytest
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from monitor.web.api.encoding import LARGE, encoded
from monitor.web.api.paging import Page

NOW = datetime(2026, 2, 3, 14, tzinfo=UTC)


class Item(Struct, frozen=True):
    text: str
    by: str | UnsetType = UNSET


class Answer(Struct, frozen=True, kw_only=True):
    generated_at: datetime
    age_seconds: float
    state: str
    by: str | UnsetType = UNSET


@pytest.mark.parametrize("count", [0, 1, 3, 60])
async def test_a_page_is_encoded_whole_at_every_size(count: int) -> None:
    items = tuple(Item(f"{place}" * 10_000, "dana" if place % 2 else UNSET) for place in range(count))
    page = Page(items=items, next="abc" if count else None)
    body, tag = await encoded(page)
    assert body == msgspec.json.encode(page)
    assert hashlib.sha256(body).hexdigest().startswith(tag)


async def test_while_a_large_page_is_made_the_loop_turns() -> None:
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    items = (Item("x" * LARGE), *(Item("y" * 1000) for _ in range(2000)))
    turning = asyncio.ensure_future(turn())
    await encoded(Page(items=items[1:9], next=None))
    assert turns == 0, "a small one is made at once"
    await encoded(Page(items=items, next=None))
    assert turns > 0
    turning.cancel()


async def test_the_validator_is_that_of_what_lasts() -> None:
    answer = Answer(generated_at=NOW, age_seconds=1.0, state="operational")
    body, tag = await encoded(answer)
    assert body == msgspec.json.encode(answer)
    assert (await encoded(replace(answer, generated_at=NOW.replace(hour=15), age_seconds=2.0)))[1] == tag
    assert (await encoded(replace(answer, state="halted")))[1] != tag
    assert (await encoded(replace(answer, by="dana")))[1] != tag
