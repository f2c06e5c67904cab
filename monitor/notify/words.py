"""What a notification says: pure functions from transitions and drafts to a title and a text without markup."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from monitor.model import Draft, DraftState, Evidence, Happened, Notification, Severity, Transition

LISTED = 20  # lines of a digest
LONGEST_DRAFT = 1_200  # characters; the page behind the link has all of it
LONGEST_LINE = 300
FLAPPING = (
    "It is flapping: from now on it is told at most twice an hour, and as resolved once that has held for 5 minutes."
)
_FLAPPING_MARK = "~flapping"
DRILL_MARK = "[DRILL] "
DRILL_WORDS = "Drill: nothing is wrong. Do what you would do, and acknowledge it: that is what is measured."
DRILL_OVER = "Drill: it is over. Nothing was wrong."
_SEVEREST_FIRST = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)
_NO_ADDRESS = re.compile(r"@(?=everyone|here|channel|all)|<(?=[@!#])", re.IGNORECASE)


class Message(Struct, frozen=True, kw_only=True):
    """One message to one target. The same `key` is the same message, sent again because its fate was not known."""

    key: str
    title: str
    text: str
    severity: Severity
    is_good: bool  # it says that something is over


class Links(Struct, frozen=True):
    """How people reach the pages; "" where nobody told."""

    external_url: str

    def incident(self, incident: str) -> str:
        return self._to(f"/incidents/{incident}")

    def draft(self, draft: str) -> str:
        """Opening it never acts."""
        return self._to(f"/d/{draft}")

    def everything(self) -> str:
        return self._to("/")

    def _to(self, path: str) -> str:
        return self.external_url + path if self.external_url else ""


def clock(at: datetime) -> str:
    """ "14:02 UTC, 3 Feb": read at night, on another continent."""
    there = at.astimezone(UTC)
    return f"{there:%H:%M} UTC, {there.day} {there:%b}"


def harmless(text: str) -> str:
    """`text` without what makes chat programs call everybody: words of an exchange may stand in it."""
    return _NO_ADDRESS.sub(lambda found: f"{found[0]}\u200b", text)


def of_transition(transition: Transition, links: Links) -> tuple[str, str]:
    """Title and text."""
    who = transition.exchange or "all exchanges"
    what = transition.kind.replace("_", " ")
    title = f"[{transition.severity}] {who}: {what} {transition.transition}"
    scope = "everything" if "*" in transition.scope else ", ".join(transition.scope)
    lines = [
        shortened(transition.summary),
        f"scope: {shortened(scope)}",
        f"{transition.transition} at {clock(transition.at)}",
        *(_first_sign(each) for each in transition.evidence[:1]),
        links.incident(transition.incident),
    ]
    return harmless(title), harmless(_joined(lines))


def drilled(notification: Notification) -> Notification:
    """The same of a drill, which nobody may take for real."""
    words = DRILL_OVER if notification.happened is Happened.RESOLVED else DRILL_WORDS
    title, text = DRILL_MARK + notification.title, f"{words}\n{notification.text}"
    return replace(notification, title=title, text=text, drill=True)


def of_waiting(draft: Draft, links: Links) -> tuple[str, str]:
    by = f", edited by {draft.decided_by}" if draft.decided_by else ""
    title = f"Draft for {draft.channel} waits: {draft.exchange or 'all exchanges'}, {draft.stage}{by}"
    lines = [
        f"Look and decide: {links.draft(draft.id)}",
        f"It can be approved until {clock(draft.expires_at)}.",
        f"Lint: {_lint(draft)}",
        "",
        shortened(draft.text, LONGEST_DRAFT),
    ]
    return harmless(title), harmless("\n".join(lines))


def of_decided(draft: Draft, links: Links, *, successor: Draft | None) -> tuple[str, str]:
    """What makes an earlier message about this draft stale."""
    title = f"Draft for {draft.channel} {_fate(draft)}: {draft.exchange or 'all exchanges'}, {draft.stage}"
    lines = [_now(draft, successor), links.draft(successor.id if successor is not None else draft.id)]
    return harmless(title), harmless(_joined(lines))


def single(notification: Notification, *, is_flapping: bool) -> Message:
    text = _joined([notification.text, FLAPPING if is_flapping else "", f"ref {notification.key}"])
    return Message(
        key=notification.key + (_FLAPPING_MARK if is_flapping else ""),
        title=notification.title,
        text=text,
        severity=notification.severity,
        is_good=notification.happened is Happened.RESOLVED,
    )


def again(message: str, notifications: Sequence[Notification], links: Links) -> Message:
    """The message of that key, which carries these, as it was when it was sent first."""
    return composed(notifications, links, is_flapping=message.endswith(_FLAPPING_MARK))


def composed(notifications: Sequence[Notification], links: Links, *, is_flapping: bool) -> Message:
    return (
        single(notifications[0], is_flapping=is_flapping) if len(notifications) == 1 else digest(notifications, links)
    )


def digest(notifications: Sequence[Notification], links: Links) -> Message:
    """Many notifications as one message: the worst named, all of them counted, and where the full list is."""
    key = f"{notifications[0].key}+{len(notifications) - 1}"
    worst = sorted(notifications, key=lambda notification: _SEVEREST_FIRST.index(notification.severity))
    named = [f"- {shortened(notification.title)}" for notification in worst[:LISTED]]
    more = f"and {len(notifications) - LISTED:,} more" if len(notifications) > LISTED else ""
    full = f"full list: {links.everything()}" if links.everything() else "full list: on the status page"
    counts = [(severity, sum(each.severity is severity for each in notifications)) for severity in _SEVEREST_FIRST]
    counted = ", ".join(f"{number:,} {severity}" for severity, number in counts if number)
    only_drills = all(notification.drill for notification in notifications)
    return Message(
        key=key,
        title=f"{DRILL_MARK if only_drills else ''}{len(notifications):,} notifications at once: {counted}",
        text=_joined([DRILL_WORDS if only_drills else "", *named, more, full, f"ref {key}"]),
        severity=worst[0].severity,
        is_good=all(notification.happened is Happened.RESOLVED for notification in notifications),
    )


def shortened(text: str, longest: int = LONGEST_LINE) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _first_sign(evidence: Evidence) -> str:
    return shortened(f"first sign: {evidence.source} ({evidence.probe}) at {clock(evidence.at)}: {evidence.value}")


def _lint(draft: Draft) -> str:
    found = [f"{problem.level}: {problem.rule}, {problem.message}" for problem in draft.problems]
    return shortened("; ".join(found) or "clean", 2 * LONGEST_LINE)


def _fate(draft: Draft) -> str:
    match draft.state:
        case DraftState.REFUSED:
            return "refused by the channel"
        case DraftState.UNKNOWN_OUTCOME:
            return "sent, outcome unknown"
        case state:
            return state.value


def _now(draft: Draft, successor: Draft | None) -> str:
    at = f" at {clock(draft.decided_at)}" if draft.decided_at is not None else ""
    by = draft.decided_by or "somebody"
    match draft.state:
        case DraftState.APPROVED:
            return f"Done: approved by {by}{at}. Nobody has to act on the earlier message."
        case DraftState.REJECTED:
            return f"Done: rejected by {by}{at}. Nobody has to act on the earlier message."
        case DraftState.EXPIRED:
            return _expired(draft, successor)
        case DraftState.SUPERSEDED if successor is not None:
            return f"Superseded by draft {successor.id}: look at that one."
        case DraftState.SUPERSEDED:
            return "Superseded: what it says no longer holds, and nothing is to be said in its place."
        case DraftState.POSTED:
            name = f" as {draft.remote_id}" if draft.remote_id else ""
            return f"Done: posted on {draft.channel}{at}{name}, approved by {by}."
        case DraftState.REFUSED:
            why = f": {shortened(draft.reason)}" if draft.reason else ""
            return f"{draft.channel} did not take it{at}{why}. {by} had approved it; nothing was posted: decide again."
        case _ if draft.searched:
            return f"It is surely not on {draft.channel}: that was searched. A person can have it sent once more."
        case _:
            return f"Nobody knows whether it is on {draft.channel}. Look there before anybody posts again."


def _expired(draft: Draft, successor: Draft | None) -> str:
    if successor is not None:
        return f"Expired at {clock(draft.expires_at)}: look at draft {successor.id}, which is in its place."
    if draft.decided_by and draft.limited_since is not None:
        return (
            f"Expired at {clock(draft.expires_at)}: {draft.decided_by} approved it, but {draft.channel} let it wait "
            "for too long. Nothing was posted."
        )
    return f"Expired at {clock(draft.expires_at)}: it can no longer be approved."


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(line for line in lines if line)
