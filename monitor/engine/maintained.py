"""Maintenance as people announce and end it, and what it excuses of the operator's own queue."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from monitor.engine.detectors.halt_words import listed, said_of_the_end
from monitor.engine.detectors.queue import Queue
from monitor.engine.finding import Finding, moment
from monitor.engine.state import Decided
from monitor.engine.windows import MOST, announce, excused, planned
from monitor.model import Command, IncidentKind, MaintenanceWindow, Reply, Severity, Source, Verb
from monitor.model.maintenance import window_id
from monitor.model.scope import ITEM

LONGEST = timedelta(days=30)
PROBE = "command"


def queue_findings(queue: Queue, windows: Sequence[MaintenanceWindow], now: float) -> list[Finding]:
    """What waits without an excuse; after a window's end it says so."""
    stuck = queue.stuck()
    found = queue.findings(excused(windows, stuck, now)) if windows else queue.findings()
    ended = [w for rail, at in stuck.items() if (w := planned(windows, rail, off_at=at, is_known=True)) is not None]
    over = [window.ends_at.timestamp() for window in ended if window.ends_at.timestamp() <= now]
    told = said_of_the_end(min(over)) if over else ""
    return [replace(finding, summary=finding.summary + told) for finding in found]


def queue_maintenance(queue: Queue, windows: Sequence[MaintenanceWindow], now: float) -> list[Finding]:
    """What waits within a window; nobody is woken."""
    stuck = queue.stuck() if windows else {}
    waiting = excused(windows, stuck, now)
    if not waiting:
        return []
    rails, until = sorted(waiting), max(window.ends_at for window in waiting.values())
    others = [rail for rail in stuck if rail not in waiting]
    return [
        replace(
            finding,
            kind=IncidentKind.MAINTENANCE,
            severity=Severity.INFO,
            summary=f"withdrawals wait on {listed(rails)} in maintenance, announced until {until:%H:%M} UTC",
        )
        for finding in queue.findings(others)
    ]


def obeyed(decided: Decided, command: Command, now: float) -> Reply:
    """Announce a window or end one, as a person says; the answer says what became of it."""
    decided.called_off = {name: until for name, until in decided.called_off.items() if until > now}
    answer = _announced(decided, command, now) if command.verb is Verb.MAINTAIN else _ended(decided, command, now)
    match answer:
        case str(why):
            return Reply(ok=False, message=why)
        case windows:
            decided.windows = windows
            decided.rails.changed = True
            return Reply(ok=True, message=_said(command, now))


def _announced(decided: Decided, command: Command, now: float) -> list[MaintenanceWindow] | str:
    try:
        starts_at, ends_at = (msgspec.convert(command.arguments[key], datetime) for key in ("starts_at", "ends_at"))
    except (KeyError, msgspec.ValidationError):
        return "expected starts_at and ends_at, times like 2026-02-03T14:00:00Z"
    scope = tuple(sorted({item.strip() for item in command.arguments.get("scope", "").split(",")}))
    why = _refusal(scope, starts_at, ends_at, now)
    if why or len(decided.windows) >= MOST:
        return why or f"{MOST} windows of {command.exchange} are known: end some first"
    return announce(decided.windows, _window(command, starts_at, ends_at, scope), now)


def _window(command: Command, starts_at: datetime, ends_at: datetime, scope: tuple[str, ...]) -> MaintenanceWindow:
    return MaintenanceWindow(
        at=command.at,
        exchange=command.exchange,
        probe=PROBE,
        starts_at=starts_at,
        ends_at=ends_at,
        scope=scope,
        source=Source.PERSON,
        name=command.arguments.get("name", ""),
        actor=command.actor,
    )


def _refusal(scope: Sequence[str], starts_at: datetime, ends_at: datetime, now: float) -> str:
    """Why a window cannot be announced; "" where it can."""
    wrong = [item for item in scope if ITEM.fullmatch(item) is None]
    if wrong:
        return f"expected a scope like BTC@bitcoin, *@ethereum or *, got {wrong[0]!r}"
    if starts_at.tzinfo is None or ends_at.tzinfo is None:
        return "expected times with a zone, like 2026-02-03T14:00:00Z"
    if ends_at <= starts_at:
        return "it ends before it begins"
    if ends_at - starts_at > LONGEST:
        return f"it lasts longer than {LONGEST.days} days"
    return "" if ends_at > moment(now) else f"it was over at {ends_at:%Y-%m-%d %H:%M} UTC"


def _ended(decided: Decided, command: Command, now: float) -> list[MaintenanceWindow] | str:
    window = next((each for each in decided.windows if window_id(each) == command.subject), None)
    if window is None:
        return f"no maintenance {command.subject} of {command.exchange} is to come or under way"
    if window.ends_at <= moment(now):
        return f"maintenance {command.subject} was over at {window.ends_at:%H:%M} UTC"
    decided.called_off[command.subject] = window.ends_at.timestamp()
    others = [each for each in decided.windows if each is not window]
    return others if window.starts_at > moment(now) else [replace(window, ends_at=moment(now)), *others]


def _said(command: Command, now: float) -> str:
    if command.verb is Verb.END_MAINTENANCE:
        return f"maintenance {command.subject} is over at {moment(now):%H:%M} UTC"
    told = command.arguments
    return f"maintenance of {command.exchange} announced from {told['starts_at']} to {told['ends_at']}"
