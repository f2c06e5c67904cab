"""The pages of links over HTTP, without a browser: what a look does, what a form does, what is refused."""

import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode, urljoin

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.freeze import words
from monitor.freeze.lock import LONGEST, SHORTEST
from tests.freeze.gatehouse import GateHouse, gatehouse, served
from tests.hand_clock import NOON

WINDOW = 14_000  # bytes that arrive without a further round trip


class Held:
    """A link in somebody's hand."""

    def __init__(self, house: GateHouse, session: aiohttp.ClientSession, path: str) -> None:
        self.house = house
        self.session = session
        self.path = path

    async def look(self, query: str = "", **headers: str) -> tuple[int, str]:
        async with self.session.get(self.path + query, headers=headers) as response:
            return response.status, await response.text()

    async def send(self, body: str | bytes, **headers: str) -> tuple[int, str]:
        sent = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        async with self.session.post(self.path, data=body, headers=sent, allow_redirects=False) as response:
            return response.status, await response.text()

    @property
    def is_frozen(self) -> bool:
        return self.house.until("anna") is not None


@asynccontextmanager
async def held(folder: Path, *, is_guardian: bool = False) -> AsyncIterator[Held]:
    async with gatehouse(folder) as house, served(house) as session:
        accounts = house.keyring.accounts("anna")
        token, _ = await house.lock.make_link(accounts, is_guardian=is_guardian, remind=False)
        yield Held(house, session, f"/{'g' if is_guardian else 'f'}/{token}")


async def test_two_steps_without_a_script_and_the_end_is_all_that_is_shown(tmp_path: Path) -> None:
    async with held(tmp_path) as link:
        status, page = await link.look()
        assert (status, link.is_frozen) == (200, False), "a look freezes nothing"
        assert "Nobody can end this early" in page
        status, page = await link.send("hours=48&step=confirm")
        assert (status, link.is_frozen) == (200, False)
        assert "Freeze until Thursday 5 February 2026, 12:00 UTC" in page
        status, _ = await link.send("hours=48&step=freeze")
        assert (status, link.is_frozen) == (303, True)
        status, page = await link.look()
        assert "Thursday 5 February 2026, 12:00 UTC" in page
        shown = re.sub(r"<(style|script).*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)
        assert " ".join(shown.split()) == "Account Account Until Thursday 5 February 2026, 12:00 UTC Make it later"


async def test_choosing_again_makes_it_later_and_never_earlier(tmp_path: Path) -> None:
    async with held(tmp_path) as link:
        await link.send("hours=168&step=freeze")
        await link.send("hours=24&step=freeze")
        assert link.house.until("anna") == NOON + timedelta(days=7)
        _, page = await link.look("?longer=1")
        assert words.ENGLISH.only_later in page


async def test_a_guardians_page_says_whose_it_is_and_opens_under_its_own_path_only(tmp_path: Path) -> None:
    async with held(tmp_path, is_guardian=True) as link:
        assert words.ENGLISH.guardian in (await link.look())[1]
        link.path = link.path.replace("/g/", "/f/")
        assert (await link.look())[0] == 404
        assert (await link.send("hours=48&step=freeze"))[0] == 404
        assert not link.is_frozen


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param("hours=23&step=freeze", 400, id="too short"),
        pytest.param("hours=169&step=freeze", 400, id="too long"),
        pytest.param("hours=-48&step=freeze", 400, id="negative"),
        pytest.param("step=freeze", 400, id="no duration"),
        pytest.param("hours=48&step=" + "x" * 5000, 413, id="too large"),
        pytest.param("hours=48&step=lift", 200, id="a step that is none shows the second page"),
    ],
)
async def test_what_is_not_right_freezes_nothing(body: str, status: int, tmp_path: Path) -> None:
    async with held(tmp_path) as link:
        assert (await link.send(body))[0] == status
        assert not link.is_frozen


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(
            {"Host": "127.0.0.1:9879", "Origin": "https://freeze.example.org"}, id="a proxy with a Host of its own"
        ),
        pytest.param({"Origin": "null"}, id="a browser that hides where it is"),
    ],
)
async def test_the_secret_in_the_address_is_all_that_is_asked_for(headers: dict[str, str], tmp_path: Path) -> None:
    async with held(tmp_path) as link:
        assert (await link.send("hours=48&step=freeze", **headers))[0] == 303
        assert link.is_frozen


@pytest.mark.parametrize("query", ["", "?lang=zh"])
async def test_a_page_may_be_below_a_path_of_a_proxy(query: str, tmp_path: Path) -> None:
    async with held(tmp_path) as link:
        address = f"https://exchange.example/lock{link.path}{query}"
        form = {"hours": "48", "step": "freeze"}
        async with link.session.post(link.path + query, data=form, allow_redirects=False) as response:
            assert urljoin(address, response.headers["Location"]) == address


async def test_whoever_tries_addresses_is_slowed_down_and_a_link_opens_all_the_same(tmp_path: Path) -> None:
    async with held(tmp_path) as link:
        own, found = link.path, []
        for number in range(25):
            link.path = f"/f/not-a-link-{number}"
            found.append((await link.look())[0])
        assert found == [404] * 20 + [429] * 5
        link.path = own
        assert (await link.look())[0] == 200
        assert (await link.send("hours=48&step=freeze"))[0] == 303


async def test_a_ledger_that_cannot_be_written_is_said_loudly(tmp_path: Path) -> None:
    async with held(tmp_path) as link:
        link.house.refuse_writing()
        status, page = await link.send("hours=48&step=freeze")
        assert (status, "NOT frozen" in page, link.is_frozen) == (503, True, False)


@pytest.mark.parametrize("path", ["", "?longer=1", "?lang=zh"])
@pytest.mark.parametrize("frozen", [False, True])
async def test_a_page_is_small_whole_and_keeps_nothing(path: str, *, frozen: bool, tmp_path: Path) -> None:
    async with held(tmp_path) as link:
        if frozen:
            await link.house.freeze("anna")
        async with link.session.get(link.path + path) as response:
            body = await response.read()
            told = sum(len(f"{name}: {value}\r\n") for name, value in response.headers.items())
            assert len(body) + told < WINDOW
            assert not re.search(rb"(src|href)=.?(https?:)?//", body), "nothing comes from elsewhere"
            assert response.headers["Cache-Control"] == "no-store"
            assert "Set-Cookie" not in response.headers
            assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("accepted", "asked", "lang"),
    [("zh-CN,zh;q=0.9", "", "zh"), ("de,en;q=0.5", "", "en"), ("fr", "", "en"), ("en", "zh", "zh"), ("", "xx", "en")],
)
def test_the_language_is_the_readers(accepted: str, asked: str, lang: str) -> None:
    assert words.chosen(asked, accepted).lang == lang


FORMS = st.dictionaries(
    st.sampled_from(["hours", "step", "until", "hours "]),
    st.sampled_from(["freeze", "confirm", "24", "48", "168", "1e9", "-1", "", "٤٨", "48.0"]) | st.text(max_size=12),
).map(lambda form: urlencode(form, errors="replace").encode())


@given(body=FORMS | st.binary(max_size=200))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_forms_of_any_kind_never_fail_and_never_freeze_out_of_bounds(body: bytes, tmp_path: Path) -> None:
    async with held(Path(tempfile.mkdtemp(dir=tmp_path))) as link:
        status, _ = await link.send(body)
        assert status in (200, 303, 400, 413)
        until = link.house.until("anna")
        assert until is None or SHORTEST <= until - NOON <= LONGEST
        assert (until is not None) == (status == 303)
