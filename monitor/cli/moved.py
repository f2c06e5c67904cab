"""What moved between two moments, read from the journal of a database while the daemon goes on writing it."""

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from msgspec import Struct
from rich.table import Column
from rich.text import Text

from monitor.cli.database import reading
from monitor.cli.holdings import KNOWN, Form, check_asset, numbers, opened, print_csv, print_json, table
from monitor.cli.journal import moment
from monitor.cli.outcome import Code, fail
from monitor.cli.screen import STYLES, celled, counting, quiet, visible
from monitor.clock import Clock
from monitor.config import Config
from monitor.model import ExchangeView, ListRead, Observation, Price, ReserveBalance, Tick
from monitor.reserves.accounts import LOOK_BACK, Span
from monitor.reserves.report import VALID, Answer, Asked, Reckoning, Row, Word, answers
from monitor.store import Store
from monitor.web import money, phrases
from monitor.web.pages import Cell
from monitor.web.phrases import Tone

REPORT_ENTRIES = 5_000
NEAR = 2_000  # entries that are read one by one rather than skipped
SUM = re.compile(r"(?P<amount>\d[\d,_]*(?:\.\d+)?(?:[eE]\+?\d{1,2})?)\s*(?P<unit>[A-Za-z]\w*)?", re.ASCII)
DOLLARS = "USD"
TONES = {
    Word.MOVED: Tone.BAD,
    Word.NOT_MOVED: Tone.FINE,
    Word.NOT_ON_OUR_LIST: Tone.UNKNOWN,
    Word.CANNOT_SEE: Tone.UNKNOWN,
}
COLUMNS = (
    "exchange", "asset", "at_start", "at_end", "inflow", "outflow", "net", "internal", "from_cold", "usd", "coverage",
    "missing", "word", "why",
)  # fmt: skip
ANSWERED = ("exchange", "word", "left", "why")


class Told(Struct, frozen=True, kw_only=True):
    generated_at: datetime
    begin: datetime
    end: datetime
    of: str
    rows: Sequence[Row]
    asked: Asked | None = None
    answers: Sequence[Answer] = ()


def span_of(begin: str, end: str | None) -> Span:
    """Ends the command where one is no time, or they are in the wrong order."""
    now = Clock().now()
    span = Span(moment(begin, option="--from"), now if end is None else min(now, moment(end, option="--to")))
    if span.begin >= span.end:
        fail("--from must be before --to, and before now", code=Code.USAGE)
    return span


def asked_of(text: str, asset: str | None) -> Asked:
    """ "1000000000" is US dollars, "5000BTC" coins of the asset that is reported on. Ends the command for others."""
    found = SUM.fullmatch(text.strip())
    if found is None:
        fail(f"--moved {text}: expected a sum like 1000000000, or 5000BTC with --asset BTC", code=Code.USAGE)
    unit = (found["unit"] or DOLLARS).upper()
    if unit not in (DOLLARS, asset):
        fail(f"--moved {text}: coins need the report to be of that asset: --asset {unit}", code=Code.USAGE)
    amount = Decimal(found["amount"].replace(",", "").replace("_", ""))
    return Asked(amount=Decimal(f"{amount:f}"), in_coins=unit != DOLLARS)


async def tell_moved(config: Config, span: Span, *, asset: str | None, asked: Asked | None, form: Form) -> Code:
    """Print what moved, and where it is `asked` whether so much did. Answers 2 if that cannot be seen somewhere.

    Raises StoreError.
    """
    async with reading(config) as desk:
        span = Span(span.begin, min(span.end, desk.now))
        if span.begin >= span.end:
            fail(f"the journal ends at {phrases.exact(desk.now)}, before --from")
        every = await desk.store.views()
        if asset is not None:
            check_asset(asset, config, every)
        views = [view for view in every if view.exchange and not view.retired]
        reckoning = Reckoning(span, published=_published(views, span), asset=asset)
        await _read(desk.store, span, reckoning)
    rows = reckoning.rows()
    told = Told(
        generated_at=desk.now,
        begin=span.begin,
        end=span.end,
        of=KNOWN,
        rows=rows,
        asked=asked,
        answers=answers(rows, asked, exchanges=[view.exchange for view in views]) if asked is not None else (),
    )
    match form:
        case Form.JSON:
            print_json(told)
        case Form.CSV if asked is not None:
            print_csv(ANSWERED, ([getattr(each, name) for name in ANSWERED] for each in told.answers))
        case Form.CSV:
            print_csv(COLUMNS, ([getattr(row, name) for name in COLUMNS] for row in rows))
        case Form.TABLE:
            _show(told, {view.exchange: view.title or view.exchange for view in views})
    return Code.UNKNOWN if any(each.word is Word.CANNOT_SEE for each in told.answers) else Code.FINE


def _published(views: Sequence[ExchangeView], span: Span) -> dict[tuple[str, str], Decimal]:
    return {
        (view.exchange, each.asset): each.published
        for view in views
        if view.reserves is not None
        for each in view.reserves.coverage
        if span.end - each.as_of <= VALID
    }


async def _read(store: Store, span: Span, reckoning: Reckoning) -> None:
    head = await store.head()
    if head is None:
        return
    first = await _before(store, span.begin - LOOK_BACK, last=head.seq)
    total = head.seq - first
    with counting("reading the journal", unit="entries") as progress:
        progress(0, total)
        async for entry in store.entries(after=first):
            at = _clocked(entry.observation)
            if entry.seq > head.seq or (at is not None and at > span.end):
                return
            reckoning.hear(entry.observation)
            if entry.seq % REPORT_ENTRIES == 0:
                progress(entry.seq - first, total)


async def _before(store: Store, begin: datetime, *, last: int) -> int:
    """A `seq` after which all entries from `begin` on are."""
    low, high = 0, last
    while high - low > NEAR:
        middle = (low + high) // 2
        at = await _first_time(store, after=middle)
        if at is None or at >= begin:
            high = middle
        else:
            low = middle
    return low


async def _first_time(store: Store, *, after: int) -> datetime | None:
    """The time of the first entry behind `after` that was written at its time."""
    async for entry in store.entries(after=after):
        at = _clocked(entry.observation)
        if at is not None:
            return at
    return None


def _clocked(seen: Observation) -> datetime | None:
    """When an entry was written, of kinds that are never told of the past as the chain's history is."""
    match seen:
        case Tick() | ListRead() | ReserveBalance() | Price():
            return seen.at
        case _:
            return None


def _show(told: Told, titles: dict[str, str]) -> None:
    console = opened()
    until = phrases.between(told.begin, told.end, told.generated_at)
    in_dollars = told.asked is not None and not told.asked.in_coins
    console.print(f"{until}, of {KNOWN}, {'in US dollars at the prices at the end' if in_dollars else 'in coins'}")
    if told.asked is not None:
        answered = table("", "", Column(ratio=1))
        answered.show_header = False
        for answer in told.answers:
            answered.add_row(Text(titles.get(answer.exchange, answer.exchange), "bold"), _word(answer.word), answer.why)
        console.print(answered)
        return
    if not told.rows:
        console.print("no balance and no flow was read in that time")
        return
    columns = numbers("at start", "at end", "in", "out", "net", "internal", "from cold")
    shown = table("", "asset", *columns, Column("", no_wrap=True), Column("why", ratio=1))
    for row in told.rows:
        amounts = (row.at_start, row.at_end, row.inflow, row.outflow)
        cells = [_coins(amount) for amount in amounts]
        cells += [Cell(money.signed_coins(row.net)), _coins(row.internal), _coins(row.from_cold)]
        title = Text(titles.get(row.exchange, row.exchange), "bold")
        shown.add_row(title, row.asset, *(celled(cell) for cell in cells), _word(row.word), quiet(visible(row.why)))
    console.print(shown)


def _coins(amount: Decimal | None) -> Cell:
    return money.UNKNOWN if amount is None else Cell(phrases.amount(amount))


def _word(word: Word) -> Text:
    return Text(word, STYLES[TONES[word]], no_wrap=True)
