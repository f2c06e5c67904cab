"""A line of the table: what is asked of the detectors, what was measured, and whether that is enough."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from msgspec import Struct


class Verdict(StrEnum):
    PASS = "pass"  # noqa: S105 - the opposite of a miss
    MISS = "miss"
    NOT_JUDGED = "not judged"  # no such event, or no detector that tells it


class Row(Struct, frozen=True, kw_only=True):
    what: str  # with the seeds and the simulated months it is measured on
    aim: str
    measured: str
    verdict: Verdict


HEADINGS = Row(what="what", aim="at least", measured="measured", verdict=Verdict.PASS)


def judged(holds: bool, *, on: int = 1) -> Verdict:
    """`on`: events it was measured on; nothing is proved by none."""
    if not on:
        return Verdict.NOT_JUDGED
    return Verdict.PASS if holds else Verdict.MISS


def table(rows: Sequence[Row]) -> str:
    """Columns as wide as they must be."""
    cells = [(HEADINGS.what, HEADINGS.aim, HEADINGS.measured, "verdict")]
    cells += [(row.what, row.aim, row.measured, row.verdict.value) for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(4)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(line.rstrip() for line in lines)


def summary(rows: Iterable[Row]) -> str:
    verdicts = [row.verdict for row in rows]
    return ", ".join(f"{verdicts.count(verdict)} {verdict.value}" for verdict in Verdict)
