"""Texts that mean what is forbidden and do not look like it, and texts in Chinese."""

import pytest
from msgspec.structs import replace

from monitor.model import SUPPORT, Evidence, Notice, Role, Stage
from monitor.notices.disguise import unmasked
from monitor.notices.lint import lint
from monitor.notices.numerals import numerals
from tests.unit.test_lint import FACTS, OPERATOR, at, found

CHINESE = "我们已获悉 BTC 和 USDT 提币出现问题。下次更新不晚于 02:51 UTC。"
OBSERVED = "自 02:19 UTC 起，我们观察到 Kraken 的 BTC 和 USDT 提币已停止。下次更新不晚于 02:51 UTC。"


def found_in(
    text: str, *, language: str = "zh", role: Role = Role.OPERATOR, stage: Stage = Stage.MONITORING
) -> set[str]:
    problems = lint(text, role=role, stage=stage, channel="x", facts=FACTS, language=language)
    return {f"{problem.level} {problem.rule}" for problem in problems}


@pytest.mark.parametrize(
    ("added", "problem"),
    [
        pytest.param("We were h\u0430cked.", "cause", id="a cyrillic letter"),
        pytest.param("Funds are \u0455\u0430f\u0435.", "safe", id="several cyrillic letters"),
        pytest.param("Funds are \uff53\uff41\uff46\uff45.", "safe", id="full-width"),
        pytest.param("Funds are s\u200bafe.", "safe", id="zero-width space within a word"),
        pytest.param("Funds are s\u0336a\u0336f\u0336e\u0336.", "safe", id="struck through"),
        pytest.param("Funds are S.A.F.U.", "safe", id="letters apart"),
        pytest.param("Funds are s a f e.", "safe", id="letters with spaces"),
        pytest.param("Funds are \U0001d42c\U0001d41a\U0001d41f\U0001d41e.", "safe", id="bold mathematical letters"),
        pytest.param("Funds are \U0001f1f8\U0001f1e6\U0001f1eb\U0001f1ea.", "safe", id="letters of flags"),
        pytest.param("Funds are s4f3.", "safe", id="figures for letters"),
        pytest.param("We were h\u00e0cked.", "cause", id="an accent"),
        pytest.param("Your 资金安全.", "safe", id="Chinese in an English text"),
        pytest.param("Forty percent of requests wait.", "number", id="a share in words"),
        pytest.param("Two thousand requests wait.", "number", id="a number in words"),
        pytest.param("Half of the requests wait.", "number", id="half"),
        pytest.param("Dozens of users wait.", "number", id="dozens"),
        pytest.param("\u2461\u2463 requests wait.", "number", id="circled figures"),
        pytest.param("\u0661\u0662 requests wait.", "number", id="arabic-indic figures"),
        pytest.param("See kraken[.]com.", "link", id="a link with brackets"),
        pytest.param("See kraken dot com.", "link", id="a link in words"),
        pytest.param("See hxxps://kraken.", "link", id="a link with another scheme"),
    ],
)
def test_a_disguise_is_seen_through(added: str, problem: str) -> None:
    assert f"error {problem}" in found(f"{OPERATOR} {added}")


@pytest.mark.parametrize(
    "added",
    [
        pytest.param("Two assets are affected.", id="a count of the scope"),
        pytest.param("This one is known.", id="one is no count"),
        pytest.param("A third-party audit is not a topic here.".replace("third-party ", ""), id="no cause"),
        pytest.param("UTC is our zone, e.g. for A and B.", id="single letters"),
        pytest.param("Na\u00efve caf\u00e9s are fine.", id="accents by themselves"),
    ],
)
def test_ordinary_words_are_no_disguise(added: str) -> None:
    assert found(f"{OPERATOR} {added}") == set()


def test_letters_of_two_scripts_in_a_word_are_an_error_by_themselves() -> None:
    assert found(f"{OPERATOR} W\u0430tch this.") == {"error hidden"}


def test_a_name_may_be_of_any_script() -> None:
    facts = replace(FACTS, title="\u041a\u0440\u0430\u043aen", exchange="kraken")
    assert found(f"{OPERATOR} This is \u041a\u0440\u0430\u043aen.", facts=facts) == set()


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("forty-two", [42]),
        ("one hundred and five thousand", [105_000]),
        ("three million", [3_000_000]),
        ("两百三十个", [230]),
        ("十二小时", [12]),
        ("三万笔", [30_000]),
        ("一个", []),
        ("百分之四十", [None]),
        ("dozens", [None]),
    ],
)
def test_numbers_in_words(text: str, values: list[int | None]) -> None:
    assert [numeral.value for numeral in numerals(text)] == values


def test_unmasking_leaves_plain_words() -> None:
    assert unmasked("Withdrawals at Kraken, 02:19 UTC") == "Withdrawals at Kraken, 02:19 UTC"


def test_good_chinese_texts_have_no_problems() -> None:
    assert found_in(CHINESE, stage=Stage.INVESTIGATING) == set()
    assert found_in(OBSERVED, role=Role.OBSERVER, stage=Stage.INVESTIGATING) == set()


@pytest.mark.parametrize(
    ("added", "problem"),
    [
        pytest.param("我们遭到黑客攻击。", "cause", id="hacked"),
        pytest.param("由于第三方故障。", "cause", id="because of a third party"),
        pytest.param("服务将很快恢复。", "eta", id="soon"),
        pytest.param("预计稍后恢复。", "eta", id="expected"),
        pytest.param("我们保证。", "eta", id="we promise"),
    ],
)
def test_chinese_causes_and_promises_are_errors_in_the_first_post_and_warnings_later(added: str, problem: str) -> None:
    assert found_in(CHINESE + added, stage=Stage.INVESTIGATING) == {f"error {problem}"}
    assert found_in(CHINESE + added, stage=Stage.IDENTIFIED) == {f"warning {problem}"}


@pytest.mark.parametrize(
    ("added", "problem"),
    [
        pytest.param("用户资金安全。", "safe", id="funds are safe"),
        pytest.param("资金均受到保护。", "safe", id="funds are protected"),
        pytest.param("没有任何资金损失。", "safe", id="no funds lost"),
        pytest.param("共有 1,204 笔申请。", "number", id="a number not measured"),
        pytest.param("约三成申请未处理。", "number", id="a share in words"),
        pytest.param("两千笔申请未处理。", "number", id="a number in words"),
        pytest.param("12 万笔申请未处理。", "number", id="a scaled number"),
        pytest.param("2026年2月4日起。", "number", id="a day not measured"),
        pytest.param("事情始于 02:18 UTC。", "number", id="a time not measured"),
        pytest.param("事情始于 02:19。", "utc", id="a time without UTC"),
        pytest.param("事情始于几分钟前。", "age", id="an age"),
        pytest.param("充值不受影响。", "unaffected", id="deposits"),
        pytest.param("交易照常进行。", "unaffected", id="trading"),
        pytest.param("其他服务正常。", "unaffected", id="others"),
    ],
)
def test_chinese_errors(added: str, problem: str) -> None:
    assert f"error {problem}" in found_in(CHINESE + added)


@pytest.mark.parametrize(
    "added",
    ["事情始于 02:19 UTC。", "2026年2月3日起。", "共有 1,203 笔申请。", "影响两个网络。", "请核对地址和网络。"],
)
def test_what_may_be_said_in_chinese(added: str) -> None:
    assert found_in(CHINESE + added) == set()


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        pytest.param(OBSERVED.replace("我们观察到", ""), {"error voice"}, id="does not say that we observe"),
        pytest.param(f"{OBSERVED}我们的团队正在修复。", {"error voice"}, id="our team"),
        pytest.param(f"{OBSERVED}我们深表歉意。", {"error voice"}, id="apologies"),
    ],
)
def test_the_observers_voice_in_chinese(text: str, problems: set[str]) -> None:
    assert found_in(text, role=Role.OBSERVER) == problems


def test_what_must_be_there_in_chinese() -> None:
    assert found_in("我们已获悉问题。") == {"warning scope", "warning next_update"}
    assert found_in(CHINESE.replace("BTC 和 USDT ", "全部")) == {"warning scope"}


def test_words_of_another_language_are_not_read_and_its_figures_are() -> None:
    text = "Los retiros est\u00e1n detenidos, soon, hacked."
    assert found_in(text, language="es") == {"warning language"}
    assert found_in(f"{text} 1.204 a las 02:18 UTC", language="es") == {"warning language", "error number"}
    assert found_in(f"{text} https://evil.example", language="es") == {"warning language", "warning link"}
    assert found_in(f"{text}\u202e", language="es") == {"warning language", "error hidden"}
    assert found_in("a" * 281, language="es") == {"warning language", "error length"}


def test_funds_are_safe_on_the_word_of_a_named_person_only() -> None:
    text = f"{OPERATOR} Funds are safe."
    assert found(text) == {"error safe"}
    [problem] = lint(
        text, role=Role.OPERATOR, stage=Stage.IDENTIFIED, channel="x", facts=replace(FACTS, treasury="Ana Diaz")
    )
    assert (problem.rule, problem.level, "Ana Diaz" in problem.message) == ("safe", "warning", True)


@pytest.mark.parametrize("again", [OPERATOR, OPERATOR.replace(" ", "  "), OPERATOR.replace(".", "\uff0e")])
def test_the_same_text_is_posted_once_a_day_on_x(again: str) -> None:
    facts = replace(FACTS, posted=(OPERATOR,))
    assert "error duplicate" in found(again, channel="x", facts=facts)
    assert "error duplicate" not in found(again, facts=facts)


@pytest.mark.parametrize(
    ("notice", "stage", "asked"),
    [
        *((Notice(stage), stage, stage is not Stage.RESOLVED) for stage in Stage),
        (Notice.REOPENED, Stage.INVESTIGATING, True),
        (Notice.CORRECTION, Stage.INVESTIGATING, True),
        (Notice.CORRECTION, Stage.RESOLVED, False),
        (Notice.MAINTENANCE, Stage.INVESTIGATING, False),
        (Notice.RESERVES_STATEMENT, Stage.INVESTIGATING, False),
        (Notice.SUPPORT, Stage.INVESTIGATING, False),
    ],
)
def test_the_next_update_is_asked_for_until_it_is_over(notice: Notice, stage: Stage, *, asked: bool) -> None:
    problems = lint("BTC and USDT", role=Role.OPERATOR, stage=stage, channel="file", facts=FACTS, notice=notice)
    assert ("next_update" in [problem.rule for problem in problems]) is asked


def test_an_answer_for_support_has_three_hundred_characters() -> None:
    text = "BTC and USDT. " + "x" * 287
    assert "error length" in found(text, channel=SUPPORT)
    assert "error length" not in found(text[:300], channel=SUPPORT)


def test_a_number_of_the_evidence_may_be_written_as_a_word() -> None:
    seven = Evidence(at=at(2, 24), probe="queue", source="queue", value="7 pending")
    assert found(f"{OPERATOR} Seven requests wait.") == {"error number"}
    assert found(f"{OPERATOR} Seven requests wait.", facts=replace(FACTS, evidence=(*FACTS.evidence, seven))) == set()
