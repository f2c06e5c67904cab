"""Templates of others: what they may do, what is said against them, and that the documented words are the words."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.cli.outcome import Ending
from monitor.cli.wording import Wanted, check, list_all, show, templates_in
from monitor.model import Notice, Role, Sentence
from monitor.notices.difference import Part, difference
from monitor.notices.sandbox import FILTERS, WordingError
from monitor.notices.templates import SHIPPED, render, words_of
from monitor.notices.trial import BARE, FULL, cases, problems

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs/templates.md").read_text()


def rendered(template: str) -> str:
    return render(template, FULL, role=Role.OPERATOR, channel="x")


@pytest.mark.parametrize(
    ("template", "line", "reason"),
    [
        pytest.param("a\n{{ scope }}", 2, "did you mean since?", id="a word that is not given"),
        pytest.param("{{ zzz }}", 1, "expected one of", id="a word like no other"),
        pytest.param("a\nb\n{% if x = 1 %}", 3, "expected token", id="does not compile"),
        pytest.param("{{ title | reverse }}", 1, "expected one of capitalize", id="a filter that is not there"),
        pytest.param("a\n{% set a = title %}", 2, "no `set`", id="assigns"),
        pytest.param("{% macro a() %}{% endmacro %}", 1, "no `macro`", id="defines"),
        pytest.param("{{ title.upper() }}", 1, "no call", id="calls a method"),
        pytest.param("{% include 'x' %}", 1, "no `include`", id="includes"),
        pytest.param("{% for a in title %}{% for b in title %}{% endfor %}{% endfor %}", 1, "loop", id="nests loops"),
        pytest.param("{{ 'x' * 1000000000 }}", 1, "expected numbers", id="multiplies text"),
        pytest.param("{{ 9 ** 9 ** 9 }}", 1, "expected numbers", id="raises to a power"),
        pytest.param("{{ '%999999999s' % title }}", 1, "expected numbers", id="pads"),
        pytest.param("{{ [1] * 1000000000 }}", 1, "expected numbers", id="multiplies a list"),
        pytest.param("{{ title.__class__ }}", 1, "", id="leaves the sandbox"),
        pytest.param("x" * 8001, None, "at most 8,000", id="is too long"),
        pytest.param(
            "{% for a in 'x' ~ '" + "x" * 3000 + "' %}{{ page }}{% endfor %}", None, "4,000", id="says too much"
        ),
        pytest.param("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", None, "needs too much", id="goes too deep"),
    ],
)
def test_what_a_template_may_not_do_costs_nothing_and_says_where(template: str, line: int | None, reason: str) -> None:
    with pytest.raises(WordingError) as raised:
        rendered(template)
    assert (raised.value.line, reason in str(raised.value)) == (line, True)


def test_joins_cannot_square_what_they_are_given() -> None:
    name = "withdrawals"
    for _ in range(6):
        name = f"({name} | join({name}))"
    with pytest.raises(WordingError, match="4,000"):
        rendered(f"{{{{ {name} }}}}")


def test_what_a_template_may_do() -> None:
    assert rendered("{{ title | upper }}\n{% for s in sources %}{{ s }}{{ ', ' if not loop.last }}{% endfor %}") == (
        "EXAMPLEX on chain, public API"
    )


def test_the_documented_words_are_the_words() -> None:
    table = DOCUMENT.partition("## Words")[2].partition("##")[0]
    documented = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert documented == [*dict.fromkeys(documented)]
    assert set(documented) == {*words_of(FULL), "withdrawals", "sentences"}


def test_the_documented_filters_and_notices_are_those_there_are() -> None:
    assert f"`{' '.join(FILTERS)}`" in DOCUMENT
    table = DOCUMENT.partition("Notices:")[2].partition("English and Chinese")[0]
    assert set(re.findall(r"`(\w+)`", table)) == set(Notice)


def test_each_documented_word_is_text_truth_or_a_list_of_texts() -> None:
    for notice in Notice:
        for facts in cases(notice):
            for value in words_of(facts).values():
                match value:
                    case str() | bool():
                        pass
                    case names:
                        assert all(type(name) is str for name in names)


def test_the_shipped_templates_are_without_a_problem() -> None:
    assert list(problems(SHIPPED, ("x", "file"))) == []


def test_optional_sentences_go_before_the_scope_is_shortened_beyond_need() -> None:
    template = SHIPPED["operator/monitoring"]
    short = render(template, BARE, role=Role.OPERATOR, channel="x", sentences=(Sentence.CHECK_ADDRESS,))
    assert "cannot be reversed" in short
    observer = (Sentence.SELF_CUSTODY,)
    assert "self-custody" not in render(template, BARE, role=Role.OPERATOR, channel="x", sentences=observer)


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("operator/investigting", "x", "did you mean operator/investigating?"),
        ("operator/investigating", "a\n{{ scope }}", "line 2: 'scope' is undefined"),
        ("operator/investigating", "All funds are safe.", "safe:"),
        ("observer/resolved.zh", "提币正常。", "voice:"),
        ("operator/support", "x" * 301, "300 characters"),
        ("operator/resolved.ko", "20 분", "'20' is not in the evidence"),
    ],
)
def test_lint_names_the_file_and_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, problem: str
) -> None:
    file = tmp_path / f"{name}.j2"
    file.parent.mkdir()
    file.write_text(text)
    with pytest.raises(Ending):
        check(templates_in(tmp_path, tmp_path / "no configuration"))
    told = capsys.readouterr().err
    assert f"{file}: " in told
    assert problem in told


def test_the_shipped_folder_passes_its_own_lint(capsys: pytest.CaptureFixture[str]) -> None:
    check(templates_in(ROOT / "config/templates", ROOT))
    assert capsys.readouterr().out == f"ok: {len(SHIPPED)} templates\n"


def test_the_list_says_where_a_template_comes_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "operator").mkdir()
    (tmp_path / "operator/resolved.j2").write_text("x")
    list_all(templates_in(tmp_path, tmp_path))
    told = capsys.readouterr().out.splitlines()
    assert f"operator/resolved: {tmp_path}/operator/resolved.j2, in place of ours" in told
    assert "operator/resolved.zh: shipped" in told


def test_an_example_is_shown_with_its_weight_price_and_twin(capsys: pytest.CaptureFixture[str]) -> None:
    config = ROOT / "config/operator.yaml"
    wanted = Wanted(incident="", notice="investigating", language="zh", role="")
    show(templates_in(None, config), wanted, config=config)
    told = capsys.readouterr().out
    assert told.startswith("operator/investigating.zh: ")
    assert "of 280 weighted characters, $0.015 at X" in told
    assert "in English: We are aware of some technical difficulties" in told


@pytest.mark.parametrize(
    ("before", "after", "pieces"),
    [
        pytest.param("same text", "same text", [(Part.KEPT, "same text")], id="the same"),
        pytest.param(
            "by 02:50 UTC.",
            "by 03:20 UTC.",
            [(Part.KEPT, "by "), (Part.REMOVED, "02:50 "), (Part.ADDED, "03:20 "), (Part.KEPT, "UTC.")],
            id="another time",
        ),
        pytest.param("", "new", [(Part.ADDED, "new")], id="from nothing"),
        pytest.param(
            "全部提币",
            "部分提币",
            [(Part.REMOVED, "全"), (Part.KEPT, "部"), (Part.ADDED, "分"), (Part.KEPT, "提币")],
            id="Chinese by its characters",
        ),
    ],
)
def test_a_difference_is_told_by_words(before: str, after: str, pieces: list[tuple[Part, str]]) -> None:
    assert [(piece.part, piece.text) for piece in difference(before, after)] == pieces


@given(before=st.text(), after=st.text())
def test_a_difference_holds_both_texts_whole(before: str, after: str) -> None:
    pieces = difference(before, after)
    assert "".join(piece.text for piece in pieces if piece.part is not Part.ADDED) == before
    assert "".join(piece.text for piece in pieces if piece.part is not Part.REMOVED) == after
