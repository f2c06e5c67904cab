"""What the known wallets of exchanges held and what left them between two moments, reckoned from the journal.

Each row says in a word what that proves. What left the addresses we know has moved; where they are too few of the
exchange's own, that nothing moved there proves nothing; and what was not looked at is not known.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from monitor.model import Flow, Observation, Price, PublishedReserve, Reorg, ReserveBalance
from monitor.reserves.accounts import Account, Span, Sums
from monitor.reserves.amounts import coins, dollars
from monitor.reserves.valuation import FRESH_SECONDS, Prices, PricesMemory

VALID = timedelta(days=100)  # of a total that was published: the best of them come every quarter
ENOUGH = Decimal("0.95")  # of what the exchange says it holds
MOST_MISSING = 0.1  # of the span, weighed by what each network holds
NOTHING = Decimal(0)
UNTOLD = "whether to a wallet of its own that is on no list cannot be told"


class Word(StrEnum):
    MOVED = "moved"
    NOT_MOVED = "not moved"
    NOT_ON_OUR_LIST = "not on our list"
    CANNOT_SEE = "cannot see"


class Row(Struct, frozen=True, kw_only=True):
    """An asset of an exchange on all its networks. Amounts are coins, of the addresses we know; None is not known."""

    exchange: str
    asset: str
    at_start: Decimal | None
    at_end: Decimal | None
    inflow: Decimal  # from others, as far as it was seen
    outflow: Decimal  # to others
    net: Decimal
    internal: Decimal  # between wallets of the exchange, in neither
    from_cold: Decimal  # of the outflow
    usd: Decimal | None  # price of a coin at the end
    coverage: Decimal | None  # ours at the end as a share of what the exchange says it holds
    missing: float  # share of the span of which balances or flows are not known
    word: Word
    why: str


class Asked(Struct, frozen=True, kw_only=True):
    """Was so much moved out? In coins of the rows' asset, or in US dollars."""

    amount: Decimal
    in_coins: bool


class Answer(Struct, frozen=True, kw_only=True):
    exchange: str
    word: Word
    left: Decimal | None  # what was seen to leave, in the unit of the question; None is not known
    why: str


class Reckoning:
    """Fed with the journal in its order, from `accounts.LOOK_BACK` before the span on."""

    def __init__(self, span: Span, *, published: Mapping[tuple[str, str], Decimal], asset: str | None = None) -> None:
        """`published`: by exchange and asset, what the exchange says it holds. `asset`: only this one."""
        self._span = span
        self._asset = asset
        self._published = dict(published)
        self._accounts: dict[tuple[str, str, str], Account] = {}
        self._prices = PricesMemory()
        self._heard = Prices(self._prices, apart_from="")

    def hear(self, seen: Observation) -> None:
        if seen.at > self._span.end:
            return
        match seen:
            case ReserveBalance(role=None) if self._asset in (None, seen.asset):
                self._account(seen).hold(seen)
            case Flow() if self._asset in (None, seen.asset):
                self._account(seen).flow(seen)
            case Reorg():
                for (exchange, _, network), account in self._accounts.items():
                    if network == seen.network and seen.exchange in ("", exchange):
                        account.retract(seen)
            case PublishedReserve() if self._span.end - seen.as_of <= VALID:
                self._published[seen.exchange, seen.asset] = seen.amount
            case Price() if (self._span.end - seen.at).total_seconds() <= FRESH_SECONDS:
                self._heard.hear(seen, seen.at.timestamp())
            case _:
                pass

    def rows(self) -> list[Row]:
        """By exchange; of each the asset first of which most is worth left."""
        together: dict[tuple[str, str], list[Account]] = {}
        for (exchange, asset, _), account in self._accounts.items():
            if account.is_seen():
                together.setdefault((exchange, asset), []).append(account)
        rows = [self._row(exchange, asset, accounts) for (exchange, asset), accounts in together.items()]
        return sorted(rows, key=lambda row: (row.exchange, -(row.outflow * (row.usd or NOTHING)), row.asset))

    def _account(self, seen: ReserveBalance | Flow) -> Account:
        key = seen.exchange, seen.asset, seen.network
        if key not in self._accounts:
            self._accounts[key] = Account(seen.network, self._span)
        return self._accounts[key]

    def _row(self, exchange: str, asset: str, accounts: Sequence[Account]) -> Row:
        sums = sum((account.sums() for account in accounts), Sums())
        at_end, published = _whole(account.at_end() for account in accounts), self._published.get((exchange, asset))
        coverage = at_end / published if at_end is not None and published else None
        quote = Prices(self._prices, apart_from=exchange).usd(asset, now=self._span.end.timestamp())
        missing = _missing(accounts)
        word, why = _judged(asset, sums, coverage, _unseen(accounts, missing))
        return Row(
            exchange=exchange,
            asset=asset,
            at_start=_whole(account.at_start() for account in accounts),
            at_end=at_end,
            inflow=sums.inflow,
            outflow=sums.outflow,
            net=sums.inflow - sums.outflow,
            internal=sums.internal,
            from_cold=sums.cold_outflow,
            usd=quote.usd if quote is not None else None,
            coverage=coverage,
            missing=round(missing, 4),
            word=word,
            why=why,
        )


def answers(rows: Iterable[Row], asked: Asked, *, exchanges: Iterable[str]) -> list[Answer]:
    """For each exchange, whether so much left it. What was seen to leave proves it, whatever was not seen."""
    of: dict[str, list[Row]] = {exchange: [] for exchange in exchanges}
    for row in rows:
        of.setdefault(row.exchange, []).append(row)
    return [_answer(exchange, found, asked) for exchange, found in of.items()]


def _whole(parts: Iterable[Decimal | None]) -> Decimal | None:
    """The sum; None where a part is not known."""
    told = list(parts)
    known = [part for part in told if part is not None]
    return sum(known, NOTHING) if len(known) == len(told) else None


def _missing(accounts: Sequence[Account]) -> float:
    """Weighed by what each network holds; all of it where that is not known."""
    held = [account.at_end() for account in accounts]
    known = [amount for amount in held if amount is not None]
    total = sum(known, NOTHING)
    if len(known) < len(held) or not total:
        return max(account.missing() for account in accounts)
    shares = ((float(amount / total), account) for amount, account in zip(known, accounts, strict=True))
    return sum(share * account.missing() for share, account in shares)


def _unseen(accounts: Iterable[Account], missing: float) -> list[str]:
    most = MOST_MISSING if missing > MOST_MISSING else 1.0
    return [told for account in accounts for told in account.unseen(most)]


def _judged(asset: str, sums: Sums, coverage: Decimal | None, unseen: Sequence[str]) -> tuple[Word, str]:
    left = f"{coins(sums.outflow)} {asset} left the addresses we know" if sums.outflow else f"no {asset} left them"
    if unseen:
        return Word.CANNOT_SEE, "; ".join(unseen) + (f"; {left} as far as it was seen" if sums.outflow else "")
    if coverage is None or coverage < ENOUGH:
        return Word.NOT_ON_OUR_LIST, f"{left}, and {_uncovered(asset, coverage)}"
    if not sums.outflow:
        return Word.NOT_MOVED, f"{left}, and they hold {_percent(coverage)} of what the exchange says it holds"
    cold = f", {coins(sums.cold_outflow)} of it from cold wallets" if sums.cold_outflow else ""
    return Word.MOVED, f"{left}{cold}, {coins(sums.inflow)} came in; {UNTOLD}"


def _uncovered(asset: str, coverage: Decimal | None) -> str:
    if coverage is None:
        why = f"as we have no total that it published within {VALID.days} days"
        return f"how much of its {asset} they are is not known, {why}"
    return f"they hold {_percent(coverage)} of what it says it holds: what moves elsewhere does not show"


def _answer(exchange: str, rows: Sequence[Row], asked: Asked) -> Answer:
    told = coins if asked.in_coins else dollars
    parts = [row.outflow if asked.in_coins else row.outflow * (row.usd or NOTHING) for row in rows]
    left = sum(parts, NOTHING)
    word, why = _found(rows, asked, left)
    if word is Word.CANNOT_SEE and not left:
        return Answer(exchange=exchange, word=word, left=None, why=why)
    least = "" if asked.in_coins or all(row.usd is not None for row in rows if row.outflow) else "at least "
    total = f"{least}{told(left)} left the addresses we know, of {told(asked.amount)} asked for"
    return Answer(exchange=exchange, word=word, left=left, why=f"{total}: {why}")


def _found(rows: Sequence[Row], asked: Asked, left: Decimal) -> tuple[Word, str]:
    if not rows:
        return Word.CANNOT_SEE, "no balance and no flow of it was read in that time"
    if left >= asked.amount:
        return Word.MOVED, UNTOLD
    blind = [f"{row.asset}: {row.why}" for row in rows if row.word is Word.CANNOT_SEE]
    if not asked.in_coins:
        unpriced = [row for row in rows if row.outflow and row.usd is None]
        blind += [f"{coins(row.outflow)} {row.asset} left, which has no price" for row in unpriced]
    if blind:
        return Word.CANNOT_SEE, "; ".join(blind)
    hidden = [_uncovered(row.asset, row.coverage) for row in rows if row.word is Word.NOT_ON_OUR_LIST]
    if hidden:
        return Word.NOT_ON_OUR_LIST, "; ".join(hidden)
    least = min(row.coverage for row in rows if row.coverage is not None)
    return Word.NOT_MOVED, f"and they hold {_percent(least)} of what it says it holds"


def _percent(share: Decimal) -> str:
    return f"{100 * share:.0f} %"
