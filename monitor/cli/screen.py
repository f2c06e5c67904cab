"""The terminal: what is printed where, how a tone looks, and a bar for what takes long."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Table
from rich.text import Text

from monitor.web.pages import Cell
from monitor.web.phrases import Mark, Tone

STYLES = {Tone.FINE: "green", Tone.WARNING: "yellow", Tone.BAD: "bold red", Tone.UNKNOWN: "magenta", Tone.QUIET: "dim"}
PLAIN = ""

Advance = Callable[[int, int], None]
"""How much is done, and of how much."""


def out() -> Console:
    """Standard output. Texts are never read as markup: exchanges wrote some of them."""
    return Console(markup=False, highlight=False, emoji=False)


def err() -> Console:
    return Console(markup=False, highlight=False, emoji=False, stderr=True)


def marked(mark: Mark) -> Text:
    return Text(mark.word, STYLES[mark.tone])


def celled(cell: Cell, *, joint: str = "\n") -> Text:
    """A field, and its note behind `joint`."""
    text = Text(cell.text, STYLES[cell.tone] if cell.tone is not None else PLAIN)
    if cell.note:
        text.append(joint).append(cell.note, STYLES[cell.note_tone])
    return text


def quiet(words: str) -> Text:
    return Text(words, STYLES[Tone.QUIET])


def indented(shown: Text | Table, *, by: int = 2) -> Padding:
    return Padding(shown, (0, 0, 0, by), expand=False)


def visible(text: str) -> str:
    """A text as it is, but for characters that would steer the terminal or hide: those are spelled out."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


class _Speed(ProgressColumn):
    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} {self._unit}/s" if speed else "")


@contextmanager
def counting(what: str, *, unit: str) -> Iterator[Advance]:
    """A bar on standard error that goes away when all is done. Nothing is shown where that is no terminal."""
    console = err()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Speed(unit))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task(what, total=None)

        def advance(done: int, total: int) -> None:
            progress.update(bar, completed=done, total=total)
            if done == total:
                progress.stop()

        yield advance
