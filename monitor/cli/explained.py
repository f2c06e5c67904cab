"""Explanations on a terminal: short lines, the worst first."""

from collections.abc import Iterable
from datetime import datetime

from rich.console import Console
from rich.text import Text

from monitor.cli.explaining import Asked, Explained, Explanation, Result, Word
from monitor.cli.screen import STYLES, indented, marked, quiet
from monitor.model import RailVerdict
from monitor.web import phrases
from monitor.web.phrases import Mark, Tone

DETAIL_CHARACTERS = 240
NAMED = 4  # of rails with one reason
RESULT_TONES = {
    Result.FAILED: Tone.UNKNOWN,
    Result.IN_PART: Tone.UNKNOWN,
    Result.NOT_ASKED: Tone.QUIET,
    Result.OK: Tone.FINE,
}


def show(console: Console, explanations: Iterable[tuple[str, Explanation]], *, now: datetime) -> None:
    """Print what led to what, exchange by exchange; each comes with its title."""
    for title, explanation in explanations:
        console.print(Text(f"\n{title}", "bold"))
        for asked in explanation.probes:
            _show_probe(console, asked, now)
        spoken = [rail for rail in explanation.rails if rail.words]
        for rail in (each for each in spoken if each.verdict is not RailVerdict.OPEN):
            _show_rail(console, rail)
        _show_unnamed(console, [rail for rail in explanation.rails if not rail.words], title=title)
        for rail in (each for each in spoken if each.verdict is RailVerdict.OPEN):
            _show_rail(console, rail)


def _show_probe(console: Console, asked: Asked, now: datetime) -> None:
    age = f"  {phrases.ago(asked.read_at, now)}" if asked.read_at is not None else ""
    line = _cell(Mark(asked.result, RESULT_TONES[asked.result])).append(f"{asked.probe}{age}", "default")
    console.print(line.append(f"  key {asked.key}" if asked.key != "not needed" else "", "default"))
    below = (
        _short(asked.detail),
        Text(asked.endpoint, "dim"),
        Text(f"rule: {asked.rule}" if asked.rule else "", "dim"),
    )
    _print_below(console, below)


def _show_rail(console: Console, rail: Explained) -> None:
    mark = Mark(rail.verdict, phrases.RAIL_TONES[rail.verdict])
    console.print(_cell(mark).append(f"{rail.asset}@{rail.network} {rail.direction}", "default"))
    for word in rail.words:
        _print_below(console, [_says(word), Text(word.path, "dim")])


def _show_unnamed(console: Console, rails: Iterable[Explained], *, title: str) -> None:
    """Rails of which no source spoke, together where the reason is one."""
    together: dict[tuple[RailVerdict, str], dict[str, None]] = {}
    for rail in rails:
        together.setdefault((rail.verdict, rail.reason), {})[f"{rail.asset}@{rail.network}"] = None
    for (verdict, reason), names in together.items():
        mark = Mark(verdict, phrases.RAIL_TONES[verdict])
        console.print(_cell(mark).append(phrases.several(list(names), NAMED), "default"))
        _print_below(console, [_short("" if title.endswith(reason) else reason)])


def _says(word: Word) -> Text:
    said = phrases.shortened(word.raw, DETAIL_CHARACTERS)
    of = f" of {word.says_of}" if word.says_of.endswith("@*") else ""
    text = Text(f"{word.probe} ({phrases.worded(word.source)}): {word.state}{of}, in its words {said!r}")
    return text.append(f"  {phrases.shortened(word.why, DETAIL_CHARACTERS)}" if word.why else "", STYLES[Tone.QUIET])


def _short(text: str) -> Text:
    return Text(phrases.shortened(text, DETAIL_CHARACTERS))


def _cell(mark: Mark) -> Text:
    text = marked(mark)
    return text.append_text(quiet(" " * max(1, 12 - len(mark.word))))


def _print_below(console: Console, lines: Iterable[Text]) -> None:
    for line in lines:
        if line.plain:
            console.print(indented(line, by=12))
