"""Going from page to page while incidents arrive: what was there is told once, and nothing twice."""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.model import Incident, Stage
from monitor.store import Step, Store
from tests.api import served
from tests.hand_clock import StillClock
from tests.server.store_samples import START, incident, opened, reading

SECONDS = st.integers(min_value=0, max_value=5)  # so few that many open at one time
PAGES = st.lists(
    st.tuples(st.integers(min_value=1, max_value=4), st.lists(SECONDS, max_size=3)), min_size=1, max_size=6
)


async def commit(store: Store, seq: int, cases: list[Incident]) -> None:
    await store.commit([Step(reading(seq), tuple(cases))])


def case(seq: int, place: int, second: int) -> Incident:
    """Names do not arrive in their order."""
    return incident(f"{(seq * 31 + place * 17) % 97:02}-{seq}-{place}", Stage.INVESTIGATING, opened=second)


async def walked(before: list[int], pages: list[tuple[int, list[int]]]) -> tuple[list[str], list[str]]:
    """Those there at the start, and those told. `pages`: how long each is, and what arrives behind it."""
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder) / "cexwatch.db") as store, served(store, StillClock(START)) as session:
            first = [case(1, place, second) for place, second in enumerate(before)]
            await commit(store, 1, first)
            told: list[str] = []
            cursor: str | None = ""
            for turn in range(100):
                limit, arriving = pages[turn % len(pages)]
                query = f"limit={limit}" + (f"&cursor={cursor}" if cursor else "")
                async with session.get(f"/api/v1/incidents?{query}") as answer:
                    page = await answer.json()
                assert len(page["items"]) <= limit
                told += [each["id"] for each in page["items"]]
                cursor = page["next"]
                if cursor is None:
                    return [each.id for each in first], told
                if turn < len(pages):
                    later = [case(turn + 2, place, second) for place, second in enumerate(arriving)]
                    changed = [replace(each, summary="changed meanwhile") for each in first[:1]]
                    await commit(store, turn + 2, [*later, *changed])
    raise AssertionError("the list has no end")


@settings(max_examples=40, deadline=None)
@given(before=st.lists(SECONDS, max_size=12), pages=PAGES)
def test_no_incident_is_lost_or_told_twice_while_others_arrive(
    before: list[int], pages: list[tuple[int, list[int]]]
) -> None:
    there, told = asyncio.run(walked(before, pages))
    assert len(told) == len(set(told))
    assert set(there) <= set(told)
