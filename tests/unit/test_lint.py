"""Each rule of the linter: what it holds against a text and what it lets pass."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from monitor.model import Evidence, IncidentKind, Role, Stage
from monitor.notices.facts import Facts
from monitor.notices.lint import lint
from monitor.notices.weight import weighted_length


def at(hour: int, minute: int, *, day: int = 3) -> datetime:
    return datetime(2026, 2, day, hour, minute, tzinfo=UTC)


FACTS = Facts(
    exchange="kraken",
    title="Kraken",
    kind=IncidentKind.WITHDRAWAL_HALT,
    stage=Stage.INVESTIGATING,
    scope=("BTC@bitcoin", "USDT@tron"),
    since=at(2, 19),
    detected_at=at(2, 21),
    official_at=at(2, 36),
    next_update_at=at(2, 51),
    evidence=(
        Evidence(at=at(2, 24), probe="kraken-wallets", source="chain", value="0", unit="transactions"),
        Evidence(at=at(2, 25), probe="queue", source="queue", value="1,203 pending", unit="requests"),
        Evidence(at=at(23, 50, day=2), probe="kraken-assets", source="api", rail="1INCH@ethereum", value="suspended"),
    ),
    sources=("chain", "api"),
)
OPERATOR = "We are aware of difficulties affecting BTC and USDT withdrawals. Next update by 02:51 UTC."
OBSERVER = "Since 02:19 UTC we observe BTC and USDT withdrawals halted at Kraken. Next update by 02:51 UTC."


def found(
    text: str,
    *,
    role: Role = Role.OPERATOR,
    stage: Stage = Stage.INVESTIGATING,
    channel: str = "file",
    facts: Facts = FACTS,
) -> set[str]:
    return {f"{p.level} {p.rule}" for p in lint(text, role=role, stage=stage, channel=channel, facts=facts)}


@pytest.mark.parametrize("channel", ["file", "x"])
def test_good_texts_have_no_problems(channel: str) -> None:
    assert found(OPERATOR, channel=channel) == set()
    assert found(OBSERVER, role=Role.OBSERVER, channel=channel) == set()


@pytest.mark.parametrize(
    ("added", "problem"),
    [
        pytest.param("We were hacked.", "cause", id="hack"),
        pytest.param("This is due to a wallet upgrade.", "cause", id="due to"),
        pytest.param("It is BECAUSE\nOF a provider.", "cause", id="because of, over a line"),
        pytest.param("There are rumours of insolvency.", "cause", id="insolvency"),
        pytest.param("A third-party custodian failed.", "cause", id="culprit"),
        pytest.param("Services resume as soon as possible.", "eta", id="as soon as possible"),
        pytest.param("It will be fixed.", "eta", id="will be fixed"),
        pytest.param("Withdrawals are back within the hour.", "eta", id="within the hour"),
        pytest.param("We expect no long delay.", "eta", id="expect"),
        pytest.param("\uff33\uff2f\uff2f\uff2e", "eta", id="full-width letters"),
    ],
)
def test_causes_and_promises_are_errors_in_the_first_post_and_warnings_later(added: str, problem: str) -> None:
    assert found(f"{OPERATOR} {added}") == {f"error {problem}"}
    assert found(f"{OPERATOR} {added}", stage=Stage.IDENTIFIED) == {f"warning {problem}"}


@pytest.mark.parametrize(
    ("added", "problem"),
    [
        pytest.param("Funds are safe.", "safe", id="funds are safe"),
        pytest.param("All funds are SAFU.", "safe", id="SAFU"),
        pytest.param("Rest assured that your assets, as ever, remain fully secure.", "safe", id="assets secure"),
        pytest.param("We keep your money safe.", "safe", id="money safe"),
        pytest.param("No user funds were lost.", "safe", id="no funds lost"),
        pytest.param("We have secured all funds.", "safe", id="secured funds"),
        pytest.param("Everything is fully backed.", "safe", id="backed"),
        pytest.param("It began at 02:18 UTC.", "number", id="a time not measured"),
        pytest.param("It began at 02:19 UTC on 4 February 2026.", "number", id="a day not measured"),
        pytest.param("It began on 2026-02-04.", "number", id="a day not measured, ISO"),
        pytest.param("It began on Feb 4, 2026.", "number", id="a day not measured, month first"),
        pytest.param("There are 1,204 requests pending.", "number", id="a number not measured"),
        pytest.param("There are 1,203 thousand requests pending.", "number", id="a measured number, scaled"),
        pytest.param("About 20% are waiting.", "number", id="a share not measured"),
        pytest.param("About 12.03 are waiting.", "number", id="a measured number, another point"),
        pytest.param("It began at 02:19 CET.", "utc", id="another zone"),
        pytest.param("It began minutes ago.", "age", id="an age"),
        pytest.param("It began earlier today.", "age", id="today"),
        pytest.param("Deposits and trading are unaffected.", "unaffected", id="deposits and trading unaffected"),
        pytest.param("Trading continues.", "unaffected", id="trading continues"),
        pytest.param("You can trade as usual.", "unaffected", id="trade as usual"),
        pytest.param("All other services are operating normally.", "unaffected", id="other services"),
        pytest.param("Nothing\u202e else", "hidden", id="text direction"),
        pytest.param("Nothing\u200b else", "hidden", id="zero width"),
        pytest.param("Nothing\x07 else", "hidden", id="bell"),
        pytest.param("Nothing\u2028else", "hidden", id="line separator"),
    ],
)
@pytest.mark.parametrize("stage", Stage)
def test_errors_at_every_stage(added: str, problem: str, stage: Stage) -> None:
    assert found(f"{OPERATOR} {added}", stage=stage) == {f"error {problem}"}


@pytest.mark.parametrize(
    "added",
    [
        pytest.param("It began at 02:19 UTC.", id="since"),
        pytest.param("It began at 02:24 UTC on 3 February.", id="time and day of evidence"),
        pytest.param("A flag was off on 2 Feb 2026, 23:50 UTC.", id="time and day of evidence on another day"),
        pytest.param("A flag was off on 2026-02-02.", id="ISO day"),
        pytest.param("We said so between 02:24 and 02:36 UTC.", id="a range of known times"),
        pytest.param("There are 1203 requests pending.", id="a measured number"),
        pytest.param("There are 1.203k requests pending.", id="a measured number, scaled"),
        pytest.param("This concerns 2 assets.", id="a count of the scope"),
        pytest.param("1INCH is affected.", id="a digit in a name"),
        pytest.param("USDT (TRC-20) is affected.", id="a digit in a standard"),
        pytest.param("The next update will be posted at 03:20 UTC.", id="the time we speak again is ours"),
        pytest.param("We are investigating the cause.", id="a cause that is not named"),
        pytest.param("For the safety of users we watch closely.", id="safety is not a claim"),
        pytest.param("Withdrawals are not operating normally.", id="normally, of withdrawals"),
        pytest.param("\U0001f468\u200d\U0001f469\u200d\U0001f467", id="joined emoji"),
    ],
)
def test_what_may_be_said(added: str) -> None:
    assert found(f"{OPERATOR} {added}") == set()


@pytest.mark.parametrize(
    ("text", "trading", "deposits", "holds"),
    [
        pytest.param("Deposits and trading are unaffected.", True, True, True, id="both, both measured"),
        pytest.param("Deposits and trading are unaffected.", True, False, False, id="both, deposits not measured"),
        pytest.param("Deposits and trading are unaffected.", False, True, False, id="both, trading not measured"),
        pytest.param("Trading is not affected.", True, False, True, id="trading, measured"),
        pytest.param("Deposits remain open.", True, False, False, id="deposits, not measured"),
        pytest.param("Deposits are delayed.", False, False, True, id="nothing claimed"),
    ],
)
def test_what_is_well_must_be_measured(*, text: str, trading: bool, deposits: bool, holds: bool) -> None:
    facts = replace(FACTS, trading_unaffected=trading, deposits_unaffected=deposits)
    assert found(f"{OPERATOR} {text}", facts=facts) == (set() if holds else {"error unaffected"})


@pytest.mark.parametrize(
    "added",
    [
        pytest.param("Our team is on it.", id="our team"),
        pytest.param("Our platform is slow.", id="our platform"),
        pytest.param("We are aware of it.", id="we are aware"),
        pytest.param("We\u2019re working on it.", id="we're working, curly"),
        pytest.param("We apologise.", id="we apologise"),
        pytest.param("We have identified the issue.", id="we have identified"),
    ],
)
def test_an_observer_never_speaks_as_the_exchange(added: str) -> None:
    assert found(f"{OBSERVER} {added}", role=Role.OBSERVER) == {"error voice"}
    assert found(f"{OBSERVER} {added}", role=Role.OPERATOR) == set()


def test_an_observer_says_we_observe() -> None:
    text = OBSERVER.replace("we observe", "there are")
    assert found(text, role=Role.OBSERVER) == {"error voice"}


@pytest.mark.parametrize(
    ("added", "problem"),
    [
        pytest.param("@kraken", "error mention", id="mention"),
        pytest.param("\uff20kraken", "error mention", id="full-width mention"),
        pytest.param("$BTC $USDT", "error cashtag", id="two cashtags"),
        pytest.param("https://status.kraken.com/incidents", "warning link", id="link"),
        pytest.param("See gate.io.", "warning link", id="bare domain"),
    ],
)
def test_what_x_does_not_take(added: str, problem: str) -> None:
    assert found(f"{OPERATOR} {added}", channel="x") == {problem}
    assert found(f"{OPERATOR} {added}", channel="file") == set()


def test_x_takes_one_cashtag_and_a_mail_address() -> None:
    assert found(f"{OPERATOR} $BTC help@kraken", channel="x") == set()


def test_the_price_of_a_link_is_told() -> None:
    [problem] = lint(f"{OPERATOR} gate.io", role=Role.OPERATOR, stage=Stage.INVESTIGATING, channel="x", facts=FACTS)
    assert "$0.200" in problem.message


def test_length_counts_on_x_only() -> None:
    text = f"{OPERATOR} {'한' * 95}"
    assert weighted_length(text) == 91 + 190
    assert found(text, channel="x") == {"error length"}
    assert found(text[:-1], channel="x") == set()
    assert found(text, channel="file") == set()


@pytest.mark.parametrize("text", ["", " \n ", "\n\n"])
def test_an_empty_text_is_an_error(text: str) -> None:
    assert "error empty" in found(text)


@pytest.mark.parametrize(
    ("text", "scope", "problems"),
    [
        pytest.param("BTC withdrawals are halted.", FACTS.scope, {"warning scope"}, id="one of two assets named"),
        pytest.param("All withdrawals are halted: BTC, USDT.", FACTS.scope, {"warning scope"}, id="says more"),
        pytest.param("We are aware of difficulties.", ("*",), {"warning scope"}, id="everything, not named"),
        pytest.param("Withdrawals are halted.", ("*",), set(), id="everything, named"),
        pytest.param("BTC and 1 more asset are halted.", FACTS.scope, set(), id="summed up"),
        pytest.param("btc and usdt withdrawals are halted.", FACTS.scope, set(), id="small letters"),
    ],
)
def test_the_scope_is_named(text: str, scope: tuple[str, ...], problems: set[str]) -> None:
    facts = replace(FACTS, scope=scope)
    assert found(f"{text} Next update by 02:51 UTC.", facts=facts) == problems


def test_the_next_update_is_announced_until_resolved() -> None:
    text = "BTC and USDT withdrawals are halted."
    for stage in (Stage.INVESTIGATING, Stage.IDENTIFIED, Stage.MONITORING):
        assert found(text, stage=stage) == {"warning next_update"}
    assert found(text, stage=Stage.RESOLVED) == set()


def test_names_are_not_our_words() -> None:
    facts = replace(FACTS, title="Hack Soon 24", scope=("SAFU@bsc", "ETA@1"))
    text = "Since 02:19 UTC we observe SAFU (bsc) and ETA (1) withdrawals halted at Hack Soon 24."
    assert found(f"{text} Next update by 02:51 UTC.", role=Role.OBSERVER, facts=facts) == set()
    assert found(f"{text} Next update by 02:51 UTC. Funds are SAFU.", role=Role.OBSERVER, facts=facts) == {"error safe"}
