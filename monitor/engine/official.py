"""The exchange's own words as evidence."""

from monitor.engine.finding import RESUMED
from monitor.model import Evidence, Stage, Statement


def is_about_withdrawals(statement: Statement) -> bool:
    return statement.topic is not None or "withdraw" in statement.text.casefold()


def is_last(statement: Statement) -> bool:
    """They say that it is over."""
    return statement.stage is Stage.RESOLVED or statement.topic == "resumed"


def quote(statement: Statement) -> Evidence:
    """Words are evidence of no rail; those that end it have `RESUMED` for a unit."""
    return Evidence(
        at=statement.published_at,
        probe=statement.probe,
        source=statement.source,
        value=statement.text[:280],
        unit=RESUMED if is_last(statement) else None,
    )
