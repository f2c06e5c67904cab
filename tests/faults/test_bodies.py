"""Poison bodies (faults D1 to D17): what cannot be read is unknown or as it was, never halted and never fine."""

import asyncio
import gzip
import json
import sys
import zlib
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from monitor.chains.evm import EvmChain
from monitor.chains.ledger import Token
from monitor.model import (
    SUPPORT,
    Direction,
    ExchangeState,
    ExchangeView,
    FailureReason,
    IncidentKind,
    Rail,
    RailState,
    RailStatus,
    RailTerms,
    RailVerdict,
    RailView,
    RemoteError,
    ReserveBalance,
    Source,
)
from monitor.probes import EXCHANGES
from monitor.probes.answer import Endpoint
from monitor.probes.exchange import Exchange, Own, probes_of
from monitor.probes.probe import Probe
from monitor.probes.reserves import ReservesProbe
from monitor.probes.rows import LONGEST_NAME
from monitor.web.server import application, serving
from tests.fault_server import FaultServer, Peer, Script, http, never_ends, says
from tests.faults.appetite import Eaten
from tests.faults.lists import DIALECTS, GATE, KRAKEN, KUCOIN, MISSING, Dialect, Site
from tests.faults.watching import Watch, watching
from tests.installed import content
from tests.relay import Message, relay
from tests.servers import RAILS
from tests.visitors import faces as faces_of
from tests.wallets import known

ROOT = Path(__file__).parents[2]
BTC, USDT_ON_TRON = Rail("BTC", "bitcoin"), Rail("USDT", "tron")
ETHER = {"asset": "ETH", "network": "ethereum"}
MEBIBYTE = 2**20
AS_GZIP = {"Content-Encoding": "gzip"}
AS_PAGE, AS_JSON = {"Content-Type": "text/html"}, {"Content-Type": "application/json"}
FINE = KUCOIN.listed()
CAPTCHA = b"<!DOCTYPE html><html><title>Just a moment...</title><body>Checking your browser</body></html>"


@cache
def bomb(mebibytes: int) -> bytes:
    """So many MiB of nothing, which is a thousandth of that packed."""
    packer = zlib.compressobj(level=1, wbits=zlib.MAX_WBITS + 16)
    return b"".join(packer.compress(bytes(MEBIBYTE)) for _ in range(mebibytes)) + packer.flush()


def answers(body: bytes, headers: Mapping[str, str] = {}) -> Script:
    return says(http(body, headers=headers))


@pytest.fixture
async def watch(tmp_path: Path) -> AsyncIterator[Watch]:
    async with watching(tmp_path, KUCOIN.exchange) as opened:
        yield opened


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    staged = Site(KUCOIN)
    async with staged.server:
        yield staged


def verdicts(view: ExchangeView, direction: Direction = Direction.WITHDRAWAL) -> dict[Rail, RailVerdict]:
    return {Rail(rail.asset, rail.network): rail.verdict for rail in view.rails if rail.direction is direction}


def rail_of(view: ExchangeView, rail: Rail) -> RailView:
    (found,) = (
        each
        for each in view.rails
        if (each.asset, each.network, each.direction) == (rail.asset, rail.network, Direction.WITHDRAWAL)
    )
    return found


UNREADABLE = [
    pytest.param(
        lambda: never_ends(b"HTTP/1.1 200 OK\r\n\r\n", b" " * 65_536),
        FailureReason.TOO_LARGE,
        id="D1 a body without end",
    ),
    pytest.param(
        lambda: never_ends(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n", b"[" * 65_536),
        FailureReason.TOO_LARGE,
        id="D1 a gigabyte",
    ),
    pytest.param(lambda: answers(bomb(32), AS_GZIP), FailureReason.TOO_LARGE, id="D2 a gzip bomb"),
    pytest.param(
        lambda: answers(b"\x8b\x03\x80[]\x03", {"Content-Encoding": "br"}),
        FailureReason.ENCODING,
        id="D2 brotli, unasked",
    ),
    pytest.param(
        lambda: answers(gzip.compress(gzip.compress(FINE)), AS_GZIP), FailureReason.ENCODING, id="D3 gzip in gzip"
    ),
    pytest.param(lambda: answers(FINE, AS_GZIP), FailureReason.ENCODING, id="D3 says gzip and is not"),
    pytest.param(lambda: answers(gzip.compress(FINE)), FailureReason.ENCODING, id="D3 gzip and does not say so"),
    pytest.param(lambda: answers(gzip.compress(FINE)[:-9], AS_GZIP), FailureReason.ENCODING, id="D3 gzip cut short"),
    pytest.param(lambda: answers(CAPTCHA, AS_PAGE), FailureReason.SCHEMA, id="D4 a captcha"),
    pytest.param(lambda: answers(CAPTCHA, AS_JSON), FailureReason.SCHEMA, id="D4 HTML as JSON"),
    pytest.param(lambda: answers(b""), FailureReason.SCHEMA, id="D4 nothing"),
    pytest.param(lambda: answers(b"null"), FailureReason.SCHEMA, id="D4 null"),
    pytest.param(lambda: answers(b'"maintenance"'), FailureReason.SCHEMA, id="D4 a word"),
    pytest.param(lambda: answers(FINE.replace(b'"code"', b'"kode"')), FailureReason.SCHEMA, id="D4 another document"),
    pytest.param(lambda: answers(FINE.replace(b": 3,", b": NaN,")), FailureReason.SCHEMA, id="D5 NaN"),
    pytest.param(lambda: answers(FINE.replace(b": 3,", b": -Infinity,")), FailureReason.SCHEMA, id="D5 infinity"),
    pytest.param(lambda: answers(b"[" * 100_000), FailureReason.SCHEMA, id="D6 depth 100,000"),
    pytest.param(
        lambda: answers(FINE.replace(b'"name": "BTC"', b'"name": ' + b"[" * 100_000 + b"]" * 100_000)),
        FailureReason.SCHEMA,
        id="D6 depth 100,000 in a field we skip",
    ),
    pytest.param(lambda: answers(b"\xef\xbb\xbf" + FINE), FailureReason.SCHEMA, id="D9 a byte order mark"),
    pytest.param(lambda: answers(FINE.decode().encode("utf-16")), FailureReason.SCHEMA, id="D9 UTF-16"),
    pytest.param(lambda: answers(b'{"code": "200000", "data": []}'), FailureReason.SHAPE, id="D10 an empty list"),
    pytest.param(lambda: answers(without_rails()), FailureReason.SHAPE, id="D10 coins without rails"),
    pytest.param(lambda: answers(FINE, {"Age": "86400"}), FailureReason.STALE, id="D16 a day in a cache"),
]


def without_rails() -> bytes:
    """Only the coin that has no way out at any time is left."""
    whole = json.loads(FINE)
    whole["data"] = [row for row in whole["data"] if row["chains"] is None]
    return json.dumps(whole).encode()


@pytest.mark.parametrize(("fault", "reason"), UNREADABLE)
async def test_a_body_that_cannot_be_read(
    watch: Watch, site: Site, fault: Callable[[], Script], reason: FailureReason
) -> None:
    probe = site.probe(watch)
    await watch.judge_by(RAILS, probe)
    poison = fault()

    site.does(poison)
    unseen = await watch.poll(probe, times=2)
    assert unseen.withdrawals is ExchangeState.UNKNOWN
    assert set(verdicts(unseen).values()) == {RailVerdict.UNKNOWN}
    assert reason.value in unseen.reason

    site.is_fine()
    assert (await watch.poll(probe, times=2)).withdrawals is ExchangeState.OPERATIONAL

    site.does(poison)
    as_it_was = await watch.poll(probe, times=2)
    assert as_it_was.withdrawals is ExchangeState.OPERATIONAL
    assert set(verdicts(as_it_was).values()) == {RailVerdict.OPEN}
    (shown,) = as_it_was.probes
    assert (shown.reason, shown.failing_since is not None) == (reason.value, True)
    stale = await watch.poll(probe, times=3)
    assert stale.withdrawals is ExchangeState.UNKNOWN
    assert set(verdicts(stale).values()) == {RailVerdict.UNKNOWN}
    assert await watch.store.incidents() == []
    told = {verdict.withdrawals for verdict in await watch.verdicts()}
    assert told == {ExchangeState.UNKNOWN, ExchangeState.OPERATIONAL}

    site.is_fine()
    await watch.poll(probe, times=2)
    site.closes_all()
    assert (await watch.poll(probe, times=2)).withdrawals is ExchangeState.HALTED
    site.does(poison)
    halted = await watch.poll(probe, times=12)
    assert halted.withdrawals is ExchangeState.HALTED
    (incident,) = await watch.store.incidents()
    assert (incident.kind, incident.recovered_at, incident.resolved_at) == (IncidentKind.WITHDRAWAL_HALT, None, None)
    assert {failure.reason for failure in await watch.failures()} == {reason}


AMOUNTS = [
    pytest.param('"NaN"', id="D5 the word NaN"),
    pytest.param('"Infinity"', id="D5 the word Infinity"),
    pytest.param("1e400", id="D5 1e400"),
    pytest.param('"1e400"', id="D5 1e400 in quotes"),
    pytest.param("1" * 5000, id="D5 5,000 digits"),
    pytest.param(f'"0.{"1" * 5000}"', id="D5 5,000 digits after the point"),
    pytest.param('"-0.0005"', id="D12 a negative fee"),
    pytest.param("-1", id="D12 a negative number"),
]


@pytest.mark.parametrize("amount", AMOUNTS)
async def test_an_amount_that_is_none_is_no_term_and_costs_no_flag(watch: Watch, site: Site, amount: str) -> None:
    probe = site.probe(watch)
    await watch.judge_by(RAILS, probe)
    body = KUCOIN.spoilt("FEE", key="withdrawalMinFee").replace(b'"FEE"', amount.encode())
    site.says(body)
    view = await watch.poll(probe, times=2)
    journal = await watch.journal()
    assert [terms for terms in journal if type(terms) is RailTerms and terms.asset == "BTC"] == []
    assert len([terms for terms in journal if type(terms) is RailTerms]) == len(RAILS) - 1
    (failure,) = await watch.failures()
    assert failure.reason is FailureReason.SCHEMA
    assert failure.asset in ("BTC", None)
    assert view.withdrawals is ExchangeState.OPERATIONAL
    assert [rail for rail, verdict in verdicts(view).items() if verdict is not RailVerdict.OPEN] in ([], [BTC])
    assert await watch.store.incidents() == []
    assert violations(watch) == 1


def violations(watch: Watch) -> float:
    """`cexwatch_schema_violations_total` of all probes together."""
    families = text_string_to_metric_families(watch.scrape())
    return sum(
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == "cexwatch_schema_violations_total"
    )


@pytest.mark.parametrize("dialect", [pytest.param(each, id=f"D7 {each.exchange}") for each in DIALECTS])
async def test_a_flag_that_is_none_is_neither_open_nor_closed(tmp_path: Path, dialect: Dialect) -> None:
    site = Site(dialect)
    async with watching(tmp_path, dialect.exchange) as watch, site.server:
        probe = site.probe(watch)
        await watch.judge_by(dialect.rails, probe)
        await watch.poll(probe)
        for value in dialect.wrong:
            before = len(await watch.failures())
            site.says(dialect.spoilt(value))
            view = await watch.poll(probe, times=3)
            told = {rail: verdict for rail, verdict in verdicts(view).items() if verdict is not RailVerdict.OPEN}
            assert told == {BTC: RailVerdict.UNKNOWN}, value
            assert rail_of(view, BTC).reason.startswith("its row cannot be read"), value
            assert view.withdrawals is ExchangeState.OPERATIONAL
            new = (await watch.failures())[before:]
            assert {(failure.reason, failure.asset) for failure in new} == {(FailureReason.SCHEMA, "BTC")}, value
            site.is_fine()
            assert set(verdicts(await watch.poll(probe)).values()) == {RailVerdict.OPEN}, value
        states = {entry.state for entry in await watch.journal() if type(entry) is RailStatus}
        assert states == {RailState.OPEN}
        assert await watch.store.incidents() == []
        assert violations(watch) == len(await watch.failures()) >= len(dialect.wrong)


@pytest.mark.parametrize("dialect", [pytest.param(each, id=f"D7 {each.exchange}") for each in DIALECTS])
async def test_flags_that_are_none_in_a_first_list_are_unknown(tmp_path: Path, dialect: Dialect) -> None:
    site = Site(dialect)
    async with watching(tmp_path, dialect.exchange) as watch, site.server:
        probe = site.probe(watch)
        await watch.judge_by(dialect.rails, probe)
        site.says(dialect.spoilt(None))
        view = await watch.poll(probe, times=2)
        assert {rail for rail, verdict in verdicts(view).items() if verdict is not RailVerdict.OPEN} == {BTC}
        assert verdicts(view)[BTC] is RailVerdict.UNKNOWN
        assert await watch.store.incidents() == []


async def test_d8_of_two_keys_of_one_name_the_last_counts(watch: Watch, site: Site) -> None:
    probe = site.probe(watch)
    await watch.judge_by(RAILS, probe)
    for first, last, verdict in (("true", "false", RailVerdict.SUSPENDED), ("false", "true", RailVerdict.OPEN)):
        twice = f'"isWithdrawEnabled": {first}, "isWithdrawEnabled": {last}'.encode()
        site.says(FINE.replace(b'"isWithdrawEnabled": true', twice, 1))
        view = await watch.poll(probe, times=3)
        assert verdicts(view)[BTC] is verdict
    assert await watch.failures() == []


ODD_TEXT = [
    pytest.param(b'"fullName": "BTC"', b'"fullName": "\xff\xfe\x80"', id="D9 invalid UTF-8 in a field we skip"),
    pytest.param(b'"chainName": "BTC"', b'"chainName": "\xc3\x28"', id="D9 invalid UTF-8 in a word we keep"),
    pytest.param(b'"chainName": "BTC"', b'"chainName": "\\ud800"', id="D9 a lone surrogate in a word we keep"),
    pytest.param(b'"currency": "BTC"', b'"currency": "\\udfffBTC"', id="D9 a lone surrogate in a name"),
    pytest.param(b'"chainId": "btc"', b'"chainId": "\\u0000\\u202e"', id="D9 control characters in a network"),
]


@pytest.mark.parametrize(("was", "odd"), ODD_TEXT)
async def test_text_that_is_none_takes_nobody_down(watch: Watch, site: Site, was: bytes, odd: bytes) -> None:
    probe = site.probe(watch)
    await watch.judge_by(RAILS, probe)
    assert was in FINE
    await watch.poll(probe)
    site.says(FINE.replace(was, odd, 1))
    view = await watch.poll(probe, times=4)
    assert view.withdrawals in (ExchangeState.OPERATIONAL, ExchangeState.UNKNOWN)
    assert RailVerdict.SUSPENDED not in verdicts(view).values()
    assert await watch.store.incidents() == []
    reasons = {failure.reason for failure in await watch.failures()}
    assert reasons <= {FailureReason.SCHEMA, FailureReason.ENCODING}
    assert "\ud800" not in "".join(await faces(watch))
    checked_by_promtool(watch.scrape())


async def test_d10_a_list_that_shrank_for_good_is_believed_and_nobody_is_halted(watch: Watch, site: Site) -> None:
    many = [Rail(f"C{number}", "bitcoin") for number in range(100)]
    probe = site.probe(watch)
    await watch.judge_by(RAILS, probe)
    site.says(KUCOIN.listed(rails=[*RAILS, *many]))
    await watch.poll(probe, times=2)
    site.says(KUCOIN.listed(rails=many[:8]))
    for _ in range(10):
        view = await watch.poll(probe)
        assert RailVerdict.UNLISTED not in verdicts(view).values()
    assert view.withdrawals is ExchangeState.UNKNOWN
    assert {failure.reason for failure in await watch.failures()} == {FailureReason.SHAPE}
    view = await watch.poll(probe, times=5)
    assert set(verdicts(view).values()) == {RailVerdict.UNLISTED}
    assert view.withdrawals is not ExchangeState.HALTED
    assert await watch.store.incidents() == []


CHANGES = [
    pytest.param(KRAKEN, "awaiting_upgrade", "", id="D11 a new word of Kraken's"),
    pytest.param(KUCOIN, MISSING, "", id="D11 a field renamed"),
    pytest.param(KUCOIN, {"text": "btc"}, "chainId", id="D11 another type"),
    pytest.param(GATE, "no", "", id="D11 a word where Gate had a flag"),
]


@pytest.mark.parametrize(("dialect", "value", "key"), CHANGES)
async def test_a_row_of_another_shape_costs_itself_and_the_halt_of_the_others_is_seen(
    tmp_path: Path, dialect: Dialect, value: object, key: str
) -> None:
    site = Site(dialect)
    async with watching(tmp_path, dialect.exchange) as watch, site.server:
        probe = site.probe(watch)
        await watch.judge_by(RAILS, probe)
        site.says(dialect.spoilt(value, key=key))
        view = await watch.poll(probe, times=2)
        assert verdicts(view) == dict.fromkeys(RAILS, RailVerdict.OPEN) | {BTC: RailVerdict.UNKNOWN}
        assert (view.withdrawals, view.probes[0].unread) == (ExchangeState.OPERATIONAL, 1)
        assert "BTC" in view.probes[0].unread_detail
        assert violations(watch) == 1

        whole = json.loads(dialect.listed(is_open=False))
        row = dialect.row(whole)
        row.pop(key or dialect.flag)
        row.update({} if value is MISSING else {key or dialect.flag: value})
        site.says(json.dumps(whole).encode())
        view = await watch.poll(probe, times=3)
        assert verdicts(view) == dict.fromkeys(RAILS, RailVerdict.SUSPENDED) | {BTC: RailVerdict.UNKNOWN}
        assert view.withdrawals is ExchangeState.HALTED
        (incident,) = await watch.store.incidents()
        assert str(BTC) not in {evidence.rail for evidence in incident.evidence}
        assert violations(watch) == 1


async def test_d13_terms_in_another_unit_wait_for_a_second_reading(watch: Watch, site: Site) -> None:
    probe = site.probe(watch)
    await watch.judge_by(RAILS, probe)
    fees: list[list[Decimal | None]] = []
    for fee in ("0.0005", "500000000000000", "0.0005", "500000000000000", "500000000000000"):
        after = (await watch.entries())[-1].seq
        site.says(KUCOIN.spoilt(fee, key="withdrawalMinFee"))
        await watch.poll(probe)
        told = await watch.journal(after=after)
        fees.append([terms.fee for terms in told if type(terms) is RailTerms and terms.asset == "BTC"])
    assert fees == [[Decimal("0.0005")], [], [], [], [Decimal(500_000_000_000_000)]]
    assert {(failure.reason, failure.asset) for failure in await watch.failures()} == {(FailureReason.SCHEMA, "BTC")}


class Ledger:
    """A node whose one address holds what a test says, in wei."""

    def __init__(self, watch: Watch, wei: int) -> None:
        self._watch = watch
        self.wei: int | str = wei

    async def answer(self, call: Message) -> Message:
        now = int(self._watch.clock.now().timestamp())
        results: dict[str, object] = {
            "eth_chainId": "0x1",
            "eth_syncing": False,
            "eth_getBlockByNumber": {"number": hex(now // 12), "hash": f"0x{now:064x}", "timestamp": hex(now)},
            "eth_call": "0x",
            "eth_getBalance": hex(self.wei) if isinstance(self.wei, int) else self.wei,
        }
        return {"jsonrpc": "2.0", "id": call["id"], "result": results[str(call["method"])]}


COIN = 10**18
BALANCES = [
    pytest.param([10**50], [None], [FailureReason.SCHEMA], id="D12 more coins than there can be"),
    pytest.param([2**256 - 1], [None], [FailureReason.SCHEMA], id="D12 minus one as a node writes it"),
    pytest.param(["-0x1"], [None], [FailureReason.SCHEMA], id="D12 a negative balance"),
    pytest.param([5000], [None], [FailureReason.DISAGREEMENT], id="D13 coins for wei"),
    pytest.param([5000, 5000], [None, 5000], [FailureReason.DISAGREEMENT], id="D13 coins for wei, twice"),
    pytest.param(
        [5000, 5000 * COIN, 5000], [None, 5000 * COIN, None], [FailureReason.DISAGREEMENT] * 2, id="D13 to and fro"
    ),
    pytest.param([5000 * COIN * 10**12], [None], [FailureReason.DISAGREEMENT], id="D13 6 decimals for 18"),
    pytest.param([4900 * COIN], [4900 * COIN], [], id="a fiftieth less is told at once"),
    pytest.param(
        [4000 * COIN, 4000 * COIN],
        [None, 4000 * COIN],
        [FailureReason.DISAGREEMENT],
        id="a fifth less, where one endpoint tells it, is told when read twice",
    ),
]


@pytest.mark.parametrize(("told", "believed", "reasons"), BALANCES)
async def test_a_balance_that_cannot_be_is_not_shown(
    tmp_path: Path, told: Sequence[int | str], believed: Sequence[int | None], reasons: Sequence[FailureReason]
) -> None:
    async with watching(tmp_path, "kucoin") as watch:
        ledger = Ledger(watch, 5000 * COIN)
        async with relay(ledger.answer) as node:
            chain = EvmChain(watch.http, watch.clock, network="ethereum", chain_id=1, endpoints=[node.endpoint])
            tokens, addresses = [Token(asset="ETH")], ["0x" + "ee" * 20]
            probe = ReservesProbe(
                chain, watch.clock, exchange="kucoin", name="kucoin-reserves", wallets=known(addresses), tokens=tokens
            )
            await watch.judge_by(RAILS, probe)
            (shown,) = (await watch.poll(probe)).balances
            assert shown.amount == 5000
            expected = shown.amount
            for wei, wanted in zip(told, believed, strict=True):
                ledger.wei = wei
                (shown,) = (await watch.poll(probe)).balances
                expected = expected if wanted is None else Decimal(wanted) / COIN
                assert shown.amount == expected
                assert balances_told(watch) == [({"exchange": "kucoin", **ETHER}, float(expected))]
        assert [failure.reason for failure in await watch.failures()] == list(reasons)
        given = [entry.amount for entry in await watch.journal() if type(entry) is ReserveBalance]
        assert given == [5000, *(Decimal(wei) / COIN for wei in believed if wei is not None)]
        assert await watch.store.incidents() == []


def balances_told(watch: Watch) -> list[tuple[dict[str, str], float]]:
    families = text_string_to_metric_families(watch.scrape())
    [family] = [family for family in families if family.name == "cexwatch_reserve_balance"]
    return [(sample.labels, sample.value) for sample in family.samples]


HOSTILE = [
    pytest.param('x"} 1\nfoo', id="D14 the end of a label and a line"),
    pytest.param("A" * 10_240, id="D14 10 kB"),
    pytest.param("x\\", id="D14 a backslash"),
    pytest.param("<script>alert(1)</script>", id="D14 a script"),
    pytest.param('"><img src=x onerror=alert(1)>', id="D14 the end of an attribute"),
    pytest.param("{{ 7 * 7 }}{% raw %}", id="D14 a template"),
]


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_name_reaches_neither_metrics_nor_pages_as_it_is(watch: Watch, site: Site, name: str) -> None:
    """As a coin of the list, as its network, as the exchange's word, and as a rail that somebody watches."""
    probe = site.probe(watch)
    watched = [Rail(name, "bitcoin"), Rail("BTC", name)] if len(name) <= LONGEST_NAME else []
    await watch.judge_by([*RAILS, *watched], probe)
    whole = json.loads(FINE)
    hostile = json.loads(FINE)["data"][:3]
    hostile[0]["currency"] = name
    hostile[1]["chains"][0]["chainId"] = name
    hostile[2]["currency"], hostile[2]["chains"][0]["chainName"] = "ODD", name
    whole["data"][0]["chains"][0]["chainName"] = name
    whole["data"] += hostile
    site.says(json.dumps(whole).encode())
    view = await watch.poll(probe, times=3)
    assert verdicts(view)[BTC] is RailVerdict.OPEN
    text = watch.scrape()
    checked_by_promtool(text)
    for line in text.splitlines():
        assert line.startswith(("#", "cexwatch_", "process_"))
        assert len(line) < 600
    assert "\nfoo" not in text
    labels = [
        value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        for value in sample.labels.values()
    ]
    assert (name in labels) is bool(watched)
    assert max(map(len, labels)) <= LONGEST_NAME
    status, page, _ = await faces(watch)
    for shown in (status, page):
        assert len(name) < 20 or "<" not in name or name not in shown
        assert "<script>alert" not in shown
        assert "<img src=x" not in shown
        assert "A" * 1000 not in shown
        assert name.count("{{") == 0 or "49" not in shown


async def faces(watch: Watch) -> list[str]:
    """The status page, the exchange's own and the metrics, as a browser gets them."""
    shown = faces_of(watch.store, watch.clock, watch.metrics)
    async with serving(application(shown, version="0"), host="127.0.0.1", port=0) as address:
        paths = ("/", f"/exchanges/{watch.exchange}", "/metrics")
        return [(await watch.http.get(address + path, allow_private=True)).body.decode() for path in paths]


def checked_by_promtool(text: str) -> None:
    assert content("promtool", "check", "metrics", text=text) == ""


def many_coins(count: int) -> bytes:
    """Kraken's list is the shortest: 100,000 coins fit into what we read at most."""
    rows = ",".join(f'"C{n}":{{"altname":"C{n}","status":"enabled"}}' for n in range(count))
    return f'{{"error":[],"result":{{{rows}}}}}'.encode()


async def test_d1_d2_d15_a_feast_costs_little_memory_and_no_more_series_than_the_cap(tmp_path: Path) -> None:
    """In a process of its own, after it has read the fine list. The peak only rises, so the small come first."""
    site = Site(KRAKEN)
    fine = says(http(KRAKEN.listed()))
    feast = iter(
        [
            fine,
            fine,
            never_ends(b"HTTP/1.1 200 OK\r\n\r\n", b" " * 65_536),
            answers(bomb(300), AS_GZIP),
            answers(many_coins(100_000)),
            answers(many_coins(10_000)),
        ]
    )

    async def serve(peer: Peer) -> None:
        await next(feast)(peer)

    site.does(serve)
    async with site.server:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.faults.appetite", "kraken", site.server.url(""), str(tmp_path), "80", "4",
            stdout=PIPE, cwd=ROOT,
        )  # fmt: skip
        async with asyncio.timeout(60):
            out, _ = await process.communicate()
    assert process.returncode == 0
    told = msgspec.json.decode(out.splitlines()[-1], type=Eaten)  # the log comes before
    endless, packed, too_many, taken = told.meals
    assert (endless.reason, packed.reason) == (FailureReason.TOO_LARGE, FailureReason.TOO_LARGE)
    assert (too_many.reason, taken.reason) == (FailureReason.SHAPE, None)
    assert endless.rose_mebibytes < 24
    assert packed.rose_mebibytes < 32
    assert too_many.rose_mebibytes < 200
    assert taken.rose_mebibytes < 300
    assert {meal.withdrawals for meal in told.meals} <= {"operational", "unknown"}
    assert told.series <= 500
    assert told.dropped > 0


async def test_d16_a_date_that_stands_still(watch: Watch, site: Site) -> None:
    probe = site.probe(watch)
    await watch.judge_by(RAILS, probe)
    site.says(FINE, headers={"Date": "Tue, 03 Feb 2026 12:00:01 GMT"})
    view = await watch.poll(probe, times=3)
    assert view.withdrawals is ExchangeState.OPERATIONAL
    view = await watch.poll(probe, times=6)
    assert view.withdrawals is ExchangeState.UNKNOWN
    assert {failure.reason for failure in await watch.failures()} == {FailureReason.STALE}
    assert FailureReason.STALE.value in view.reason
    assert await watch.store.incidents() == []


@pytest.mark.parametrize(
    ("headers", "seconds", "detail"),
    [
        pytest.param({"Age": "86400"}, 0.0, "a cache kept this answer for 86400 s", id="D16 a day in a cache"),
        pytest.param(
            {"Date": "Tue, 03 Feb 2026 12:00:01 GMT"}, 181.0, "dated 12:00:01 UTC since 180 s", id="D16 a frozen date"
        ),
    ],
)
async def test_an_endpoint_refuses_what_is_old(
    watch: Watch, site: Site, headers: dict[str, str], seconds: float, detail: str
) -> None:
    url = site.server.url(KUCOIN.path)

    async def heed(_: RemoteError) -> None:
        pytest.fail("nothing told us to stop")

    endpoint = Endpoint(lambda: watch.http.get(url, allow_private=True), heed, interval=30.0)
    assert (await endpoint.fetch()).body == FINE
    site.says(FINE, headers=headers)
    if seconds:
        await endpoint.fetch()
    watch.clock.hand += seconds
    with pytest.raises(RemoteError, match=detail) as caught:
        await endpoint.fetch()
    assert caught.value.reason is FailureReason.STALE
    site.says(FINE, headers={"Age": "60", "Date": "Tue, 03 Feb 2026 12:09:00 GMT"})
    assert (await endpoint.fetch()).body == FINE


class Page:
    """A status page of rails, as Kraken's is, with at most one incident."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self.off: set[str] = set()
        self.words = ""
        self.server = FaultServer({"/api/v2/summary.json": self._answer, "/api/v2/incidents.json": self._answer})

    async def _answer(self, peer: Peer) -> None:
        at = datetime(2026, 2, 3, 12, 1, tzinfo=UTC).isoformat()
        names = ("Bitcoin (BTC) - Bitcoin", "Tether USD (USDT) - Tron", "Tether USD (USDT) - Ethereum")
        components = [
            {"id": name, "name": name, "status": "major_outage" if name in self.off else "operational", "group": False}
            for name in names
        ]
        update = {"id": "u1", "status": "investigating", "body": self.words, "created_at": at, "display_at": at}
        incident = {"id": "i1", "name": "Funding", "status": "investigating", "incident_updates": [update]}
        indicator = {"indicator": "major", "description": "Partial System Outage"}
        well = {"indicator": "none", "description": "All Systems Operational"}
        summary = {
            "page": {"id": "p", "name": "Kraken"},
            "status": indicator if self.words else well,
            "components": components,
            "incidents": [incident] if self.words else [],
            "scheduled_maintenances": [],
        }
        await says(http(json.dumps(summary).encode()))(peer)


@pytest.fixture
async def kraken(tmp_path: Path) -> AsyncIterator[tuple[Watch, Site, Page, Sequence[Probe]]]:
    site = Site(KRAKEN)
    async with watching(tmp_path, "kraken") as watch:
        page = Page(watch)
        async with site.server, page.server:
            own = Own(url=site.server.url(""), status_page=page.server.url(""), allow_private=True)
            found = probes_of(EXCHANGES["kraken"], http=watch.http, clock=watch.clock, own=own)
            probes = [probe for probe in found if probe.name in ("kraken-assets", "kraken-status-page")]
            await watch.judge_by(RAILS, *probes)
            await watch.poll(*probes, times=2)
            yield watch, site, page, probes


Kraken = tuple[Watch, Site, Page, Sequence[Probe]]


async def test_d17_a_page_that_says_suspended_where_the_api_says_open(kraken: Kraken) -> None:
    watch, _, page, probes = kraken
    page.off = {"Tether USD (USDT) - Tron"}
    page.words = "USDT withdrawals on Tron are suspended."
    view = await watch.poll(*probes, times=3)
    on_tron, on_ethereum = rail_of(view, USDT_ON_TRON), rail_of(view, Rail("USDT", "ethereum"))
    assert (on_tron.verdict, on_tron.source) == (RailVerdict.SUSPENDED, Source.STATUS_PAGE)
    assert (on_ethereum.verdict, rail_of(view, BTC).verdict) == (RailVerdict.OPEN, RailVerdict.OPEN)
    assert rail_of(view, Rail("SOL", "solana")).source == Source.API
    assert view.statement == page.words
    assert view.withdrawals is ExchangeState.OPERATIONAL
    _, shown, _ = await faces(watch)
    assert page.words in shown
    assert "major_outage" in shown
    assert await watch.store.incidents() == []


async def test_d17_a_page_that_says_open_where_the_api_says_halted_blocks_no_draft(kraken: Kraken) -> None:
    watch, site, _, probes = kraken
    site.closes_all()
    view = await watch.poll(*probes, times=12)
    assert view.withdrawals is ExchangeState.HALTED
    assert set(verdicts(view).values()) == {RailVerdict.SUSPENDED}
    page = next(probe for probe in view.probes if probe.probe == "kraken-status-page")
    assert page.failing_since is None
    assert view.trading == "operational"
    (incident,) = await watch.store.incidents()
    assert incident.kind is IncidentKind.WITHDRAWAL_HALT
    (draft,) = [each for each in await watch.store.drafts(pending_only=True) if each.channel != SUPPORT]
    assert draft.incident == incident.id
    assert (await watch.approve(draft.id, text_sha256=draft.text_sha256)).ok


@pytest.fixture
async def twofold(tmp_path: Path) -> AsyncIterator[tuple[Watch, Site, Site, Sequence[Probe]]]:
    """An exchange that tells its rails by two APIs, on a server each."""
    one, other = Site(KUCOIN), Site(GATE)
    async with watching(tmp_path, "examplex") as watch, one.server, other.server:
        probes = [each.probe(watch, exchange=_speaking(each.dialect)) for each in (one, other)]
        await watch.judge_by(RAILS, *probes)
        await watch.poll(*probes, times=3)
        yield watch, one, other, probes


def _speaking(dialect: Dialect) -> Exchange:
    known = EXCHANGES[dialect.exchange]
    return msgspec.structs.replace(known, name="examplex", title="Example Exchange", system=None)


Twofold = tuple[Watch, Site, Site, Sequence[Probe]]


async def test_d17_two_apis_that_disagree_for_five_minutes_are_disputed_and_block_drafts(twofold: Twofold) -> None:
    watch, one, _, probes = twofold
    one.closes_all()
    await watch.poll(*probes, times=3)
    early = verdicts(await watch.view())
    assert RailVerdict.DISPUTED not in early.values()
    view = await watch.poll(*probes, times=6)
    assert set(verdicts(view).values()) == {RailVerdict.DISPUTED}
    assert rail_of(view, BTC).reason == "two sources of the exchange disagree"
    _, shown, _ = await faces(watch)
    assert "disputed" in shown
    for draft in await watch.store.drafts(pending_only=True):
        reply = await watch.approve(draft.id, text_sha256=draft.text_sha256)
        assert not reply.ok, f"{draft.id} was approved while its rails are disputed"


async def test_d17_two_apis_that_agree_again_are_not_disputed(twofold: Twofold) -> None:
    watch, one, other, probes = twofold
    one.closes_all()
    await watch.poll(*probes, times=9)
    other.closes_all()
    view = await watch.poll(*probes, times=4)
    assert set(verdicts(view).values()) == {RailVerdict.SUSPENDED}
    assert view.withdrawals is ExchangeState.HALTED
    (draft, *_) = await watch.store.drafts(pending_only=True)
    assert (await watch.approve(draft.id, text_sha256=draft.text_sha256)).ok
