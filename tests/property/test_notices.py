"""What must hold of every text: ours break no rule, do not tick, and count as X counts."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.model import SUPPORT, Draft, Evidence, IncidentKind, Notice, Role, Sentence, Stage
from monitor.notices.draft import Facts, claims, compose, speaks
from monitor.notices.facts import Money, Moved, plain
from monitor.notices.lint import lint
from monitor.notices.templates import SHIPPED, fits, is_about_money
from monitor.notices.trial import cases, parts_of
from monitor.notices.weight import LIMIT, LINK, weighted_length
from tests.property.examples import examples

EARLIEST = datetime(2026, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone
LATEST = datetime(2027, 12, 31)  # noqa: DTZ001
AGES = re.compile(r"\b(?:ago|minutes?|mins?|seconds?|hours?|days?)\b", re.IGNORECASE)

times = st.datetimes(EARLIEST, LATEST, timezones=st.just(UTC))
codes = st.sampled_from(["BTC", "ETH", "USDT", "1INCH", "1000SATS", "SAFE", "SOON", "USDC.e", "한국", "A-5", "$@"])
names = st.text(min_size=1, max_size=80)
networks = st.sampled_from(["bitcoin", "ethereum", "tron", "bsc", "*", "arbitrum-one", "layer2"])
rails = st.builds("{}@{}".format, codes | names.map(lambda name: name.replace("@", "")), networks)
scopes = st.just(("*",)) | st.lists(rails, min_size=1, max_size=12, unique=True).map(tuple)
sources = st.lists(
    st.sampled_from(["chain", "queue", "api", "system_status", "status_page", "announcement"]), unique=True
).map(tuple)


money = st.builds(
    Money,
    since=times,
    until=times,
    moved=st.lists(
        st.builds(
            Moved,
            asset=st.sampled_from(["USD"]) | codes,
            received=st.decimals(0, 10**12, places=4),
            sent=st.decimals(0, 10**12, places=4),
        ),
        min_size=1,
        max_size=2,
    ).map(tuple),
)
Manner = tuple[Role, str, str, tuple[Sentence, ...]]
manners = st.tuples(
    st.sampled_from(list(Role)),
    st.sampled_from(["x", "file", SUPPORT]),
    st.sampled_from(["en", "zh"]),
    st.sampled_from([(), (Sentence.CHECK_ADDRESS,), tuple(Sentence)]),
)
SCOPES = (("*",), ("USDT@tron",), tuple(f"ASSET{n}@a-network-with-a-long-name-{n}" for n in range(12)))


@st.composite
def facts_of(draw: st.DrawFn) -> Facts:
    stage = draw(st.sampled_from(list(Stage)))
    cleared = stage in (Stage.MONITORING, Stage.RESOLVED)
    return Facts(
        exchange=draw(st.sampled_from(["kraken", "gate", "bitget"])),
        title=draw(st.sampled_from(["Kraken", "Gate.io", "Crypto.com", "업비트", "3Commas 24"]) | names),
        kind=draw(st.sampled_from([kind for kind in IncidentKind if speaks(kind) and not is_about_money(kind)])),
        stage=stage,
        scope=draw(scopes),
        since=draw(st.none() | times),
        detected_at=draw(times),
        recovered_at=draw(times if cleared else st.none()),
        resolved_at=draw(times) if stage is Stage.RESOLVED else None,
        official_at=draw(st.none() | times),
        next_update_at=None if stage is Stage.RESOLVED else draw(times),
        trading_unaffected=draw(st.booleans()),
        deposits_unaffected=draw(st.booleans()),
        sources=draw(sources),
    )


@st.composite
def noticed(draw: st.DrawFn) -> Facts:
    """Facts of any notice, as much known of it as there can be."""
    facts = draw(facts_of())
    notice = draw(st.sampled_from([notice for notice in Notice if notice is not Notice.SUPPORT]))
    if notice.value in list(Stage):
        return replace(facts, stage=Stage(notice))
    match notice:
        case Notice.CORRECTION:
            facts = replace(facts, corrected_at=draw(times), is_retracted=draw(st.booleans()))
        case Notice.MAINTENANCE:
            starts_at, ends_at = draw(st.none() | times), draw(times)
            facts = replace(facts, kind=IncidentKind.MAINTENANCE, starts_at=starts_at, ends_at=ends_at)
        case Notice.RESERVES_STATEMENT:
            page = "https://status.example.com/a"
            facts = replace(facts, kind=IncidentKind.BANK_RUN, money=draw(money), page=page)
        case _:
            pass
    return replace(facts, notice=notice)


def drafted(facts: Facts, *, manner: Manner, now: datetime) -> Draft:
    role, channel, language, sentences = manner
    return compose(
        facts,
        incident="i",
        channel=channel,
        role=role,
        templates={},
        now=now,
        expiry_seconds=1200.0,
        language=language,
        sentences=sentences,
    )


def text_of(facts: Facts, *, role: Role, now: datetime) -> tuple[str, str]:
    draft = drafted(facts, manner=(role, "x", "en", ()), now=now)
    return draft.text, draft.text_sha256


@settings(deadline=None, max_examples=examples(150))
@given(facts=noticed(), manner=manners, now=times)
def test_no_shipped_text_breaks_a_rule_in_any_voice_language_or_length(
    facts: Facts, manner: Manner, now: datetime
) -> None:
    draft = drafted(facts, manner=manner, now=now)
    assert [problem for problem in draft.problems if problem.level == "error"] == []
    assert (draft.language, draft.english is None) == (manner[2], manner[2] == "en")
    assert fits(draft.text, channel=draft.channel)
    assert draft.text


@settings(deadline=None)
@given(facts=noticed(), manner=manners, now=times, passed=st.integers(0, 10**7))
def test_a_draft_is_a_pure_function_of_its_facts(facts: Facts, manner: Manner, now: datetime, passed: int) -> None:
    assert drafted(facts, manner=manner, now=now) == drafted(facts, manner=manner, now=now)
    later = drafted(facts, manner=manner, now=now + timedelta(seconds=passed))
    assert later.text_sha256 == drafted(facts, manner=manner, now=now).text_sha256


CASES = [
    pytest.param(name, facts, id=f"{name}, {facts.kind} {facts.stage}, {'all' if facts.since else 'nothing'} known")
    for name in SHIPPED
    for facts in cases(parts_of(name)[1])
]


@pytest.mark.parametrize(("name", "facts"), CASES)
@pytest.mark.parametrize("sentences", [(), tuple(Sentence)], ids=["plain", "with sentences"])
@pytest.mark.parametrize("scope", SCOPES, ids=["everything", "one rail", "many rails with long names"])
def test_every_shipped_text_keeps_every_rule(
    name: str, facts: Facts, sentences: tuple[Sentence, ...], scope: tuple[str, ...]
) -> None:
    role, notice, language = parts_of(name)
    channel = SUPPORT if notice is Notice.SUPPORT else "x"
    draft = drafted(replace(facts, scope=scope), manner=(role, channel, language, sentences), now=facts.detected_at)
    allowed = {"link"} if facts.money is not None else {"next_update"} if facts.next_update_at is None else set()
    assert {problem.rule for problem in draft.problems} <= allowed
    assert fits(draft.text, channel=channel)
    assert "  " not in draft.text


@settings(deadline=None)
@given(facts=facts_of(), role=st.sampled_from(list(Role)), channel=st.sampled_from(["x", "file"]), now=times)
def test_shipped_texts_break_no_rule_and_fit_a_post(facts: Facts, role: Role, channel: str, now: datetime) -> None:
    draft = compose(facts, incident="i", channel=channel, role=role, templates={}, now=now, expiry_seconds=1200.0)
    assert [problem for problem in draft.problems if problem.level == "error"] == []
    assert draft.text
    assert weighted_length(draft.text) <= LIMIT
    assert LINK.search(draft.text) is None


@settings(deadline=None)
@given(facts=facts_of(), role=st.sampled_from(list(Role)), now=times, passed=st.integers(0, 10**7))
def test_a_text_does_not_tick(facts: Facts, role: Role, now: datetime, passed: int) -> None:
    text, sha256 = text_of(facts, role=role, now=now)
    assert text_of(facts, role=role, now=now + timedelta(seconds=passed)) == (text, sha256)
    ours = text
    for name in (plain(facts.title), *(plain(part) for rail in facts.scope for part in rail.split("@"))):
        ours = ours.replace(name, "") if name else ours
    assert AGES.search(ours) is None


@given(facts=facts_of(), later=times, source=st.sampled_from(["chain", "api"]))
def test_claims_stay_while_time_passes_and_evidence_gathers(facts: Facts, later: datetime, source: str) -> None:
    evidence = Evidence(at=later, probe="p", source=source, value="0")
    aged = replace(facts, next_update_at=later, evidence=(*facts.evidence, evidence), sources=(*facts.sources, source))
    assert claims(aged) == claims(facts)


@given(text=st.text(), facts=facts_of(), role=st.sampled_from(list(Role)), channel=st.sampled_from(["x", "file"]))
def test_any_text_can_be_linted_and_gives_the_same_problems(text: str, facts: Facts, role: Role, channel: str) -> None:
    first = lint(text, role=role, stage=facts.stage, channel=channel, facts=facts)
    assert lint(text, role=role, stage=facts.stage, channel=channel, facts=facts) == first


@given(number=st.integers(100, 10**9), facts=facts_of())
def test_a_number_from_nowhere_is_an_error_and_one_from_the_evidence_is_not(number: int, facts: Facts) -> None:
    facts = replace(facts, title="Kraken", scope=("*",))
    told = replace(facts, evidence=(Evidence(at=facts.detected_at, probe="p", source="queue", value=f"{number}"),))
    text = f"There are {number:,} requests."

    def numbers(facts: Facts) -> int:
        problems = lint(text, role=Role.OPERATOR, stage=facts.stage, channel="file", facts=facts)
        return sum(problem.rule == "number" for problem in problems)

    assert (numbers(facts), numbers(told)) == (1, 0)


@given(name=names)
def test_a_plain_name_is_short_and_acts_on_nothing(name: str) -> None:
    shown = plain(name)
    assert plain(shown) == shown
    assert weighted_length(shown) <= 64
    assert LINK.search(f"{shown} {shown}") is None
    assert not re.search(r"[@$#/\n]", shown)
    assert shown.isprintable()


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        pytest.param("", 0, id="nothing"),
        pytest.param("BTC", 3, id="latin"),
        pytest.param("\u20bf", 2, id="bitcoin sign"),
        pytest.param("\u2026", 2, id="ellipsis"),
        pytest.param("\u2014", 1, id="dash"),
        pytest.param("\u0434\u0430", 2, id="cyrillic"),
        pytest.param("\u0627", 1, id="arabic"),
        pytest.param("\ud55c", 2, id="hangul"),
        pytest.param("\u1112\u1161\u11ab", 2, id="hangul in parts, one after NFC"),
        pytest.param("e\u0301", 1, id="accent in parts, one after NFC"),
        pytest.param("\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", 2, id="family"),
        pytest.param("\U0001f44d\U0001f3fd", 2, id="skin tone"),
        pytest.param("\u2764\ufe0f", 2, id="heart with selector"),
        pytest.param("\U0001f1fa\U0001f1f8\U0001f1e9\U0001f1ea", 4, id="two flags"),
        pytest.param("\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f", 2, id="flag by tags"),
        pytest.param("1\ufe0f\u20e3", 2, id="keycap"),
        pytest.param("\u00a9", 1, id="copyright sign"),
        pytest.param("\u00a9\ufe0f", 2, id="copyright sign as emoji"),
        pytest.param("gate.io/status", 23, id="bare domain with a path"),
        pytest.param(f"https://status.kraken.com/{'x' * 200}?a=b#c", 23, id="long link"),
        pytest.param("see gate.io.", 4 + 23 + 1, id="link in a sentence"),
        pytest.param("a gate.io b www.kraken.com", 2 + 23 + 3 + 23, id="two links"),
        pytest.param("help@kraken.com", 15, id="mail address is no link"),
        pytest.param("1.5 BTC, USDC.e", 15, id="points that are no links"),
    ],
)
def test_weight_as_counted_by_hand(text: str, weight: int) -> None:
    assert weighted_length(text) == weight


@given(text=st.text(st.characters(max_codepoint=0x2FF, exclude_characters="."), max_size=50).map(str.strip))
def test_plain_latin_text_weighs_its_characters(text: str) -> None:
    if "://" not in text and not re.search(r"[\u00a9\u00ae]", text):
        assert weighted_length(text) == len(text)
